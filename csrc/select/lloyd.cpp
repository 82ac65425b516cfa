#include "select/lloyd.hpp"

#include <algorithm>
#include <cmath>

#include "core/pool.hpp"
#include "linalg/nearest.hpp"

namespace steelyard::select {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t piece = 2048;  // points of a cluster whose sum one task makes

std::size_t at(ptrdiff_t i) { return static_cast<std::size_t>(i); }

/// The points of every cluster, in their order.
struct Members {
  std::vector<std::int64_t> starts, points;

  Members(const std::vector<std::int64_t>& labels, ptrdiff_t k)
      : starts(at(k + 1), 0), points(labels.size()) {
    for (const auto label : labels) ++starts[at(label + 1)];
    for (ptrdiff_t c = 0; c < k; ++c) starts[at(c + 1)] += starts[at(c)];
    auto next = starts;
    for (ptrdiff_t i = 0; i < std::ssize(labels); ++i) points[at(next[at(labels[at(i)])]++)] = i;
  }
};

/// Of one piece: the sum of share * x, the shares, and the weight that lies on the centre.
struct Sums {
  std::vector<double> total;
  double share = 0.0, weight = 0.0, here = 0.0;
};

template <class Real, class From>
class Mover {
 public:
  Mover(MatrixView<const From> points, std::span<const double> weights, MatrixView<const Real> centers,
        Update update, LloydStep<Real>& step)
      : x_(points),
        w_(weights),
        c_(centers),
        update_(update),
        step_(step),
        members_(step.labels, centers.rows) {
    for (ptrdiff_t c = 0; c < c_.rows; ++c) {
      first_.push_back(std::ssize(begins_));
      for (auto b = members_.starts[at(c)]; b < members_.starts[at(c + 1)]; b += piece) {
        begins_.push_back(b);
        cluster_.push_back(c);
      }
    }
    first_.push_back(std::ssize(begins_));
    sums_.resize(begins_.size());
  }

  void run(Monitor& monitor) {
    const ptrdiff_t d = x_.cols;
    parallel_for(std::ssize(begins_), 1 + 30'000 / (d + 1) / 64, monitor,
                 [&](ptrdiff_t begin, ptrdiff_t end) {
                   for (auto p = begin; p < end && !monitor.poll(); ++p) sum_piece(p);
                 });
    step_.centers.resize(at(c_.rows * d));
    step_.weights.assign(at(c_.rows), 0.0);
    for (ptrdiff_t c = 0; c < c_.rows && !monitor.stopped(); ++c) finish(c);
  }

 private:
  double share_of(ptrdiff_t i, Sums& sums) const {
    const double w = w_.empty() ? 1.0 : w_[at(i)];
    sums.weight += w;
    if (update_ != Update::median) return w;
    const double distance = std::sqrt(static_cast<double>(step_.squared[at(i)]));
    if (distance > 0.0) return w / distance;
    sums.here += w;
    return 0.0;
  }

  void sum_piece(ptrdiff_t p) {
    auto& sums = sums_[at(p)];
    sums.total.assign(at(x_.cols), 0.0);
    const auto end = std::min(begins_[at(p)] + piece, members_.starts[at(cluster_[at(p)] + 1)]);
    for (auto m = begins_[at(p)]; m < end; ++m) {
      const auto i = members_.points[at(m)];
      const double share = share_of(i, sums);
      if (share == 0.0) continue;
      sums.share += share;
      const From* row = x_.row(i);
      for (ptrdiff_t k = 0; k < x_.cols; ++k)
        sums.total[at(k)] += share * static_cast<double>(static_cast<Real>(row[k]));
    }
  }

  void finish(ptrdiff_t c) {
    const ptrdiff_t d = x_.cols;
    Real* out = step_.centers.data() + c * d;
    const Real* old = c_.row(c);
    std::copy(old, old + d, out);
    Sums all;
    all.total.assign(at(d), 0.0);
    for (auto p = first_[at(c)]; p < first_[at(c + 1)]; ++p) {
      const auto& part = sums_[at(p)];
      all.share += part.share;
      all.weight += part.weight;
      all.here += part.here;
      for (ptrdiff_t k = 0; k < d; ++k) all.total[at(k)] += part.total[at(k)];
    }
    step_.weights[at(c)] = all.weight;
    if (!(all.share > 0.0)) return;
    double keep = 0.0;  // of the old centre
    if (all.here > 0.0) {
      double pull = 0.0;
      for (ptrdiff_t k = 0; k < d; ++k) {
        const double gap = all.total[at(k)] - all.share * static_cast<double>(old[k]);
        pull += gap * gap;
      }
      keep = std::min(1.0, all.here / std::sqrt(pull));
      if (!(pull > 0.0)) return;
    }
    double length = 0.0;
    for (const double sum : all.total) length += sum * sum;
    length = std::sqrt(length);
    const bool direction = update_ == Update::direction;
    if (direction && !(length > 0.0)) return;
    for (ptrdiff_t k = 0; k < d; ++k) {
      const double now = all.total[at(k)] / (direction ? length : all.share);
      out[k] = static_cast<Real>(keep * static_cast<double>(old[k]) + (1.0 - keep) * now);
    }
  }

  MatrixView<const From> x_;
  std::span<const double> w_;
  MatrixView<const Real> c_;
  Update update_;
  LloydStep<Real>& step_;
  Members members_;
  std::vector<std::int64_t> begins_, cluster_, first_;
  std::vector<Sums> sums_;
};

}  // namespace

template <class Real, class From>
LloydStep<Real> lloyd_step(MatrixView<const From> points, std::span<const double> weights,
                           MatrixView<const Real> centers, Update update, bool move, Monitor& monitor) {
  LloydStep<Real> step;
  step.labels.resize(at(points.rows));
  step.squared.resize(at(points.rows));
  if (!linalg::nearest<Real, From>(points, centers, std::span(step.labels), std::span(step.squared), monitor))
    return step;
  step.cost = parallel_sum(points.rows, 65536, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    double sum = 0.0;
    for (auto i = begin; i < end; ++i) {
      const auto squared = static_cast<double>(step.squared[at(i)]);
      sum += (weights.empty() ? 1.0 : weights[at(i)]) *
             (update == Update::median ? std::sqrt(squared) : squared);
    }
    return sum;
  });
  if (move) Mover<Real, From>(points, weights, centers, update, step).run(monitor);
  return step;
}

#define STEELYARD_LLOYD(Real, From)                                                    \
  template LloydStep<Real> lloyd_step(MatrixView<const From>, std::span<const double>, \
                                      MatrixView<const Real>, Update, bool, Monitor&)

STEELYARD_LLOYD(float, float);
STEELYARD_LLOYD(double, double);
STEELYARD_LLOYD(float, Half);
#undef STEELYARD_LLOYD

}  // namespace steelyard::select
