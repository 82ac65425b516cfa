// The state of metric/itml.cpp, with what itml_blocks.cpp does for all pairs of labelled points.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <vector>

#include "core/aligned.hpp"
#include "core/index.hpp"
#include "core/infinity.hpp"
#include "core/random.hpp"
#include "metric/condensed_index.hpp"
#include "metric/itml/itml.hpp"
#include "metric/itml/point_groups.hpp"
#include "simd/rank_updates.hpp"
#include "simd/table.hpp"

namespace steelyard::metric::itml {

using std::ptrdiff_t;

inline constexpr double no_distance = 1e-200;  // 1 / p must stay finite
inline constexpr ptrdiff_t single_from = 32;   // features from which single precision pays
inline constexpr double unknown =
    1e-4;                               // p over tr A |v|^2 from which single precision knows two digits of p
inline constexpr double known = 1e-10;  // p over tr A times the radius^2 from which images tell it
inline constexpr double large_dual = 1e6;  // times the radius^2, from which points about their mean round it
inline constexpr double single_gains = 1e-4;  // movement below which rounding would take over,
inline constexpr int single_sweeps = 64;      // and sweeps after which it has had its time
inline constexpr int most_halvings = 64;      // of duals that rounding let grow too large

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

/// Constraints that come one after the other.
struct Batch {
  static constexpr ptrdiff_t most = simd::side_by_side<float>;

  ptrdiff_t count = 0;
  std::array<ptrdiff_t, most> constraint{}, i{}, j{};
  std::array<bool, most> similar{};
};

/// Numbers of eight vectors in memory that starts on a cache line.
using Lanes = AlignedVector<double>;

/// A in one precision, with room for what a batch needs.
template <class Real>
struct Work {
  static constexpr ptrdiff_t lanes = simd::side_by_side<Real>;

  explicit Work(ptrdiff_t d)
      : size((d + lanes - 1) / lanes * lanes),
        a(at(size * size)),
        v(at(size * lanes)),
        y(v),
        scratch(4 * v.size()) {}

  Real trace() const {
    Real sum = 0;
    for (ptrdiff_t k = 0; k < size; ++k) sum += a[at(k * size + k)];
    return sum;
  }

  ptrdiff_t size;
  AlignedVector<Real> a;  ///< the lower triangle, padded with zeros
  AlignedVector<Real> v, y, scratch;
  simd::PairBatch<Real> batch{};
};

class Learner {
 public:
  Learner(MatrixView<const double> points, const MetricPairs& pairs, const ItmlOptions& options,
          Monitor& monitor)
      : x_(points),
        pairs_(pairs),
        o_(options),
        monitor_(monitor),
        d_(points.cols),
        full_(d_),
        size_(full_.size),
        every_(std::max<ptrdiff_t>(1, 1'000'000 / (size_ * size_ + 1'000))),
        rule_{1.0 / options.near, 1.0 / options.far, 1.0 / options.gamma,
              options.gamma / (options.gamma + 1.0)},
        random_(options.seed, options.stream),
        lambda_(at(pairs.listed() ? std::ssize(pairs.first) : pair_count(points.rows)), 0.0) {
    for (ptrdiff_t k = 0; k < d_; ++k) full_.a[at(k * size_ + k)] = 1.0;
    matrix_ = full_.a;
    if (pairs.listed()) {
      if (d_ >= single_from && moderate(points)) single_.emplace(d_), round_off();
      return;
    }
    groups_ = PointGroups(points, size_);
    for (ptrdiff_t i = 0; i < points.rows; ++i)
      radius_ = std::max(radius_, groups_.square_about_mean(points.row(i)));
    products_.assign(2 * full_.v.size(), 0.0);
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

  template <class Real>
  void differences(const Batch& batch, ptrdiff_t from, Work<Real>& work);
  template <class Real>
  bool step(const Batch& batch, ptrdiff_t from, Work<Real>& work);
  void project(const Batch& batch);
  void sweep();
  static bool moderate(MatrixView<const double> points);
  void round_off();
  void leave_single();
  bool certify();
  bool factor();
  bool restore();
  double rounding() const;
  template <class Active>
  void add(const Active& active);
  void add_listed();
  AlignedVector<double> root() const;
  template <class Pairs>
  void measure(const AlignedVector<double>& to_image, const Pairs& pairs, Slacks& slacks);
  void measure_listed(Slacks& slacks);

  // itml_blocks.cpp
  template <class Use>
  void for_blocks(const Use& use);
  auto near_pairs() const;
  void project_block();
  void sweep_blocks();
  void add_blocks();
  void measure_blocks(Slacks& slacks);

  double gap() const { return upper_ < infinity ? (upper_ - lower_) / std::max(upper_, 1.0) : infinity; }

  MatrixView<const double> x_;
  const MetricPairs& pairs_;
  const ItmlOptions& o_;
  Monitor& monitor_;
  ptrdiff_t d_;
  Work<double> full_;
  ptrdiff_t size_;
  ptrdiff_t every_;  // steps between two polls: about a millisecond
  simd::SlackRule rule_;
  Random random_;
  std::vector<double> lambda_;
  std::optional<Work<float>> single_;  // while sweeps are in single precision
  double moved_ = 0.0;                 // largest |alpha| p of a sweep
  AlignedVector<double> matrix_, inverse_;
  double upper_ = infinity, lower_ = -infinity;
  ptrdiff_t skipped_ = 0;
  std::int64_t steps_ = 0;
  // of itml_blocks.cpp
  PointGroups groups_;
  double radius_ = 0.0;  // largest square of a point about the mean
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
    if (batch.count < Batch::most) return;
    use(batch);
    batch.count = 0;
  });
  if (batch.count > 0) use(batch);
}

/// inverse_ += sum_c s_c lambda_c v_c v_c' over the pairs that active(visit) visits.
template <class Active>
void Learner::add(const Active& active) {
  constexpr ptrdiff_t lanes = simd::lanes;
  alignas(64) double unit[lanes * lanes] = {};
  for (ptrdiff_t b = 0; b < lanes; ++b) unit[b * lanes + b] = 1.0;
  in_batches(active, [&](const Batch& batch) {
    for (ptrdiff_t from = 0; from < batch.count; from += lanes) {
      alignas(64) double factors[lanes] = {};
      const ptrdiff_t count = std::min(lanes, batch.count - from);
      for (ptrdiff_t b = 0; b < count; ++b) {
        const double lambda = lambda_[at(batch.constraint[at(from + b)])];
        factors[b] = batch.similar[at(from + b)] ? lambda : -lambda;
      }
      differences(batch, from, full_);
      simd::kernels().pair_updates_f64->update(inverse_.data(), size_, full_.v.data(), unit, factors, count,
                                               full_.scratch.data());
    }
  });
}

/// Slacks of the pairs that pairs(visit) visits, p = |to_image v|^2.
template <class Pairs>
void Learner::measure(const AlignedVector<double>& to_image, const Pairs& pairs, Slacks& slacks) {
  in_batches(pairs, [&](const Batch& batch) {
    for (ptrdiff_t from = 0; from < batch.count; from += simd::lanes) {
      differences(batch, from, full_);
      simd::kernels().rank_updates->multiply_lower(to_image.data(), size_, full_.v.data(), full_.y.data());
      std::array<double, simd::lanes> p{};
      for (std::size_t k = 0; k < full_.y.size(); k += simd::lanes)
        for (std::size_t b = 0; b < simd::lanes; ++b) p[b] += full_.y[k + b] * full_.y[k + b];
      for (std::size_t b = at(from); b < at(std::min(batch.count, from + simd::lanes)); ++b)
        slacks.add(lambda_[at(batch.constraint[b])], batch.similar[b] ? 1.0 : -1.0, p[b - at(from)]);
    }
  });
}

}  // namespace steelyard::metric::itml
