// The state of metric/itml.cpp, with what itml_blocks.cpp does for all pairs of labelled points.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "core/aligned.hpp"
#include "core/random.hpp"
#include "metric/condensed_index.hpp"
#include "metric/itml.hpp"
#include "metric/point_groups.hpp"
#include "simd/rank_updates.hpp"

namespace steelyard::metric::itml {

using std::ptrdiff_t;

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double no_distance = 1e-200;  // 1 / p must stay finite

inline std::size_t at(ptrdiff_t k) { return static_cast<std::size_t>(k); }

/// Sum of logarithms: one of a product of many numbers.
class LogSum {
 public:
  void add(double x) {
    if (x < 1e-100 || x > 1e100) {
      sum_ += std::log(x);
      return;
    }
    product_ *= x;
    if (product_ > 1e-150 && product_ < 1e150) return;
    sum_ += std::log(product_);
    product_ = 1.0;
  }
  double value() const { return sum_ + std::log(product_); }

 private:
  double sum_ = 0.0, product_ = 1.0;
};

/// What the slacks add to the bounds, from duals and squared distances.
class Slacks {
 public:
  Slacks(const simd::SlackRule& rule, const ItmlOptions& options) : rule_(rule), o_(options) {}

  void add(double lambda, double sign, double p) {
    if (!(p > no_distance)) {
      ++skipped_;
      return;
    }
    const bool similar = sign > 0.0;
    const double ratio = p * (similar ? rule_.inverse_near : rule_.inverse_far);
    if (sign * (ratio - 1.0) > 0.0) {
      excess_ += ratio - 1.0;
      ratios_.add(ratio);
    }
    if (lambda > 0.0) slacks_.add(1.0 - sign * lambda * (similar ? o_.near : o_.far) * rule_.inverse_gamma);
  }

  /// Sum of xi / b - log(xi / b) - 1 with the best xi.
  double divergence() const { return excess_ - ratios_.value(); }
  /// Minus the sum of log(xi / b) with the xi of the duals.
  double logarithm() const { return slacks_.value(); }
  /// Pairs of equal points.
  ptrdiff_t skipped() const { return skipped_; }

 private:
  const simd::SlackRule& rule_;
  const ItmlOptions& o_;
  double excess_ = 0.0;
  LogSum ratios_, slacks_;
  ptrdiff_t skipped_ = 0;
};

/// Constraints whose vectors stand side by side.
struct Batch {
  ptrdiff_t count = 0;
  std::array<ptrdiff_t, simd::lanes> constraint{}, i{}, j{};
  std::array<bool, simd::lanes> similar{};
};

/// Numbers of eight vectors in memory that starts on a cache line.
using Lanes = AlignedVector<double>;

class Learner {
 public:
  Learner(MatrixView<const double> points, const MetricPairs& pairs, const ItmlOptions& options,
          Monitor& monitor)
      : x_(points),
        pairs_(pairs),
        o_(options),
        monitor_(monitor),
        d_(points.cols),
        size_((points.cols + 7) / 8 * 8),
        every_(std::max<ptrdiff_t>(1, 1'000'000 / (size_ * size_ + 1'000))),
        rule_{1.0 / options.near, 1.0 / options.far, 1.0 / options.gamma,
              options.gamma / (options.gamma + 1.0)},
        random_(options.seed, options.stream),
        lambda_(at(pairs.listed() ? std::ssize(pairs.first) : pair_count(points.rows)), 0.0),
        a_(at(size_ * size_), 0.0),
        v_(at(size_ * simd::lanes)),
        y_(v_),
        scratch_(4 * v_.size()) {
    for (ptrdiff_t k = 0; k < d_; ++k) a_[at(k * size_ + k)] = 1.0;
    matrix_ = a_;
    if (pairs.listed()) return;
    groups_ = PointGroups(points, size_);
    products_.assign(2 * v_.size(), 0.0);
    block_ = std::make_unique<simd::PairBlock>();
  }

  ItmlSolution run();

 private:
  ptrdiff_t count() const { return std::ssize(lambda_); }
  bool is_similar(ptrdiff_t c, ptrdiff_t i, ptrdiff_t j) const {
    return pairs_.listed() ? pairs_.similar[at(c)] != 0 : pairs_.labels[at(i)] == pairs_.labels[at(j)];
  }

  /// visit(c, i, j) for all listed pairs until the monitor stops.
  template <class Visit>
  void for_listed(const Visit& visit);
  /// The same for as many constraints at random.
  template <class Visit>
  void for_random_listed(const Visit& visit);
  /// use(batch) for all that pairs(visit) visits.
  template <class Pairs, class Use>
  void in_batches(const Pairs& pairs, const Use& use);

  void differences(const Batch& batch, MatrixView<const double> points);
  double move(ptrdiff_t c, bool similar, double p);
  void project(const Batch& batch);
  void sweep();
  bool certify();
  bool restore();
  void add_listed();
  AlignedVector<double> root() const;
  void measure_listed(Slacks& slacks);

  // itml_blocks.cpp
  template <class Use>
  void for_blocks(const Use& use);
  void project_block();
  void sweep_blocks();
  void add_blocks();
  void measure_blocks(Slacks& slacks);

  double gap() const { return upper_ < infinity ? (upper_ - lower_) / std::max(upper_, 1.0) : infinity; }

  MatrixView<const double> x_;
  const MetricPairs& pairs_;
  const ItmlOptions& o_;
  Monitor& monitor_;
  ptrdiff_t d_, size_;
  ptrdiff_t every_;  // steps between two polls: about a millisecond
  simd::SlackRule rule_;
  Random random_;
  std::vector<double> lambda_;
  AlignedVector<double> a_;  // the lower triangle, padded with zeros to `size_`
  Lanes v_, y_, scratch_;
  double moved_ = 0.0;  // largest |alpha| p of a sweep
  AlignedVector<double> matrix_, inverse_;
  double upper_ = infinity, lower_ = -infinity;
  ptrdiff_t skipped_ = 0;
  std::int64_t steps_ = 0;
  // of itml_blocks.cpp
  PointGroups groups_;
  BlockPairs read_;
  Lanes products_;
  std::unique_ptr<simd::PairBlock> block_;
};

template <class Pairs, class Use>
void Learner::in_batches(const Pairs& pairs, const Use& use) {
  Batch batch;
  pairs([&](ptrdiff_t c, ptrdiff_t i, ptrdiff_t j) {
    const std::size_t b = at(batch.count++);
    batch.constraint[b] = c;
    batch.i[b] = i;
    batch.j[b] = j;
    batch.similar[b] = is_similar(c, i, j);
    if (batch.count < simd::lanes) return;
    use(batch);
    batch.count = 0;
  });
  if (batch.count > 0) use(batch);
}

}  // namespace steelyard::metric::itml
