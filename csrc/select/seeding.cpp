#include "select/seeding.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/pool.hpp"
#include "core/random.hpp"
#include "linalg/nearest.hpp"

namespace steelyard::select {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t batch = 128;
constexpr ptrdiff_t block = 4096;  // points whose mass is summed together
constexpr int most_rejections = 60;
// The first centres change D most.
constexpr ptrdiff_t eager = 3;

std::size_t at(ptrdiff_t k) { return static_cast<std::size_t>(k); }

template <class Real, class From>
class Sampler {
 public:
  Sampler(MatrixView<const From> points, std::span<const double> weights, const SeedingOptions& options,
          Monitor& monitor)
      : x_(points),
        w_(weights),
        o_(options),
        monitor_(monitor),
        random_(options.seed, options.stream),
        squared_(at(points.rows), std::numeric_limits<Real>::infinity()),
        mass_(at(points.rows)),
        ends_(at((points.rows + block - 1) / block)) {
    out_.labels.assign(at(x_.rows), -1);
    for (ptrdiff_t i = 0; i < x_.rows; ++i) mass_[at(i)] = weight(i);
    sum_blocks();
  }

  Seeds run() {
    int rejected = 0;
    while (std::ssize(out_.indices) < o_.k && !monitor_.poll()) {
      if (!(total_ > 0.0)) break;
      const auto i = draw();
      ++out_.tries;
      if (random_.uniform() * mass_[at(i)] < mass_now(i)) {
        out_.indices.push_back(i);
        for (ptrdiff_t k = 0; k < x_.cols; ++k) pending_rows_.push_back(static_cast<Real>(x_.row(i)[k]));
        rejected = 0;
      } else {
        ++rejected;
      }
      if (pending() == batch || (pending() > 0 && std::ssize(out_.indices) <= eager) ||
          rejected > most_rejections)
        take_in(), rejected = 0;
      monitor_.progress(static_cast<double>(out_.indices.size()), static_cast<double>(o_.k));
    }
    take_in();
    out_.cost = total_;
    return std::move(out_);
  }

 private:
  double weight(ptrdiff_t i) const { return w_.empty() ? 1.0 : w_[at(i)]; }
  ptrdiff_t pending() const { return x_.cols == 0 ? 0 : std::ssize(pending_rows_) / x_.cols; }

  double mass(ptrdiff_t i, Real squared) const {
    const auto d2 = static_cast<double>(squared);
    return weight(i) * (o_.power == 2.0   ? d2
                        : o_.power == 1.0 ? std::sqrt(d2)
                                          : std::pow(d2, 0.5 * o_.power));
  }

  /// With the pending centres; what a point weighs before the first one is taken in.
  double mass_now(ptrdiff_t i) const {
    Real least = squared_[at(i)];
    for (ptrdiff_t c = 0; c < pending(); ++c) {
      const Real* centre = pending_rows_.data() + c * x_.cols;
      Real lanes[16] = {};
      ptrdiff_t k = 0;
      for (; k + 16 <= x_.cols; k += 16)
        for (ptrdiff_t l = 0; l < 16; ++l)
          lanes[l] += squared_gap(static_cast<Real>(x_.row(i)[k + l]), centre[k + l]);
      for (; k < x_.cols; ++k) lanes[0] += squared_gap(static_cast<Real>(x_.row(i)[k]), centre[k]);
      Real sum = 0;
      for (const Real lane : lanes) sum += lane;
      least = std::min(least, sum);
    }
    return std::isinf(least) ? mass_[at(i)] : mass(i, least);
  }

  static Real squared_gap(Real a, Real b) { return (a - b) * (a - b); }

  ptrdiff_t draw() {
    const double wanted = random_.uniform() * total_;
    const auto found = std::upper_bound(ends_.begin(), ends_.end(), wanted);
    const ptrdiff_t b = std::min(found - ends_.begin(), std::ssize(ends_) - 1);
    double sum = b > 0 ? ends_[at(b - 1)] : 0.0;
    ptrdiff_t last = -1;
    for (ptrdiff_t i = b * block; i < std::min(x_.rows, (b + 1) * block); ++i) {
      if (!(mass_[at(i)] > 0.0)) continue;
      last = i;
      sum += mass_[at(i)];
      if (sum > wanted) return i;
    }
    // Rounding: the sums of blocks are of the same numbers in the same order, so this is the block's last.
    if (last >= 0) return last;
    for (ptrdiff_t i = x_.rows; i-- > 0;)
      if (mass_[at(i)] > 0.0) return i;
    return 0;
  }

  void sum_blocks() {
    std::vector<double> sums(ends_.size());
    parallel_for(std::ssize(sums), 4, monitor_, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto b = begin; b < end; ++b)
        for (ptrdiff_t i = b * block; i < std::min(x_.rows, (b + 1) * block); ++i)
          sums[at(b)] += mass_[at(i)];
    });
    total_ = 0.0;
    for (std::size_t b = 0; b < sums.size(); ++b) ends_[b] = total_ += sums[b];
  }

  void take_in() {
    const auto count = pending();
    if (count == 0) return;
    std::vector<std::int64_t> index(at(x_.rows));
    std::vector<Real> squared(at(x_.rows));
    const MatrixView<const Real> centres{pending_rows_.data(), count, x_.cols, x_.cols};
    if (!linalg::nearest<Real, From>(x_, centres, std::span(index), std::span(squared), monitor_)) return;
    const auto first = std::ssize(out_.indices) - count;
    parallel_for(x_.rows, 16 * block, monitor_, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto i = begin; i < end; ++i) {
        if (!(squared[at(i)] < squared_[at(i)])) continue;
        squared_[at(i)] = squared[at(i)];
        out_.labels[at(i)] = first + index[at(i)];
        mass_[at(i)] = mass(i, squared[at(i)]);
      }
    });
    pending_rows_.clear();
    sum_blocks();
  }

  MatrixView<const From> x_;
  std::span<const double> w_;
  const SeedingOptions& o_;
  Monitor& monitor_;
  Random random_;
  std::vector<Real> squared_;  // to the centres taken in
  std::vector<double> mass_;   // w D^z of these; w before the first
  std::vector<double> ends_;   // running sums over blocks
  double total_ = 0.0;
  std::vector<Real> pending_rows_;
  Seeds out_;
};

}  // namespace

template <class Real, class From>
Seeds seed_centers(MatrixView<const From> points, std::span<const double> weights,
                   const SeedingOptions& options, Monitor& monitor) {
  return Sampler<Real, From>(points, weights, options, monitor).run();
}

template Seeds seed_centers<float, float>(MatrixView<const float>, std::span<const double>,
                                          const SeedingOptions&, Monitor&);
template Seeds seed_centers<double, double>(MatrixView<const double>, std::span<const double>,
                                            const SeedingOptions&, Monitor&);
template Seeds seed_centers<float, Half>(MatrixView<const Half>, std::span<const double>,
                                         const SeedingOptions&, Monitor&);

}  // namespace steelyard::select
