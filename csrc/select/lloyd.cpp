#include "select/lloyd.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "core/pool.hpp"
#include "distances/nearest.hpp"

namespace steelyard::select {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t piece = 2048;  // points of a cluster whose sum one task makes

/// The points of every cluster, in their order.
struct Members {
  std::vector<std::int64_t> starts, points;

  Members() = default;
  Members(std::span<const std::int64_t> labels, ptrdiff_t k) : starts(at(k + 1), 0), points(labels.size()) {
    for (const auto label : labels) ++starts[at(label + 1)];
    for (ptrdiff_t c = 0; c < k; ++c) starts[at(c + 1)] += starts[at(c)];
    auto next = starts;
    for (ptrdiff_t i = 0; i < std::ssize(labels); ++i) points[at(next[at(labels[at(i)])]++)] = i;
  }
};

/// Of some points of a cluster: the sum of share * x, the shares, and the weight that lies on the centre.
struct Sums {
  std::vector<double> total;
  double share = 0.0, weight = 0.0, here = 0.0;

  void operator+=(const Sums& other) {
    share += other.share;
    weight += other.weight;
    here += other.here;
    for (std::size_t k = 0; k < total.size(); ++k) total[k] += other.total[k];
  }
};

/// Sums of the clusters, a window of rows after another.
template <class Real, class From>
class Mover {
 public:
  Mover(std::span<const double> weights, MatrixView<const Real> centers, Update update, LloydStep<Real>& step)
      : w_(weights), c_(centers), update_(update), step_(step), all_(at(centers.rows)) {
    for (auto& sums : all_) sums.total.assign(at(centers.cols), 0.0);
  }

  /// Rows first .. first + window.rows of all, which have their labels.
  void add(MatrixView<const From> window, ptrdiff_t first, Monitor& monitor) {
    x_ = window;
    begin_ = first;
    members_ = Members(std::span(step_.labels).subspan(at(first), at(window.rows)), c_.rows);
    std::vector<std::int64_t> begins, cluster;
    for (ptrdiff_t c = 0; c < c_.rows; ++c)
      for (auto m = members_.starts[at(c)]; m < members_.starts[at(c + 1)]; m += piece) {
        begins.push_back(m);
        cluster.push_back(c);
      }
    std::vector<Sums> sums(begins.size());
    parallel_for(std::ssize(begins), 1 + 30'000 / (x_.cols + 1) / 64, monitor,
                 [&](ptrdiff_t begin, ptrdiff_t end) {
                   for (auto p = begin; p < end && !monitor.poll(); ++p)
                     sum_piece(begins[at(p)], members_.starts[at(cluster[at(p)] + 1)], sums[at(p)]);
                 });
    for (ptrdiff_t p = 0; p < std::ssize(begins) && !monitor.stopped(); ++p)
      all_[at(cluster[at(p)])] += sums[at(p)];
  }

  void finish() {
    step_.centers.resize(checked_product("working memory", c_.rows, c_.cols));
    step_.weights.assign(at(c_.rows), 0.0);
    for (ptrdiff_t c = 0; c < c_.rows; ++c) move(c, all_[at(c)]);
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

  void sum_piece(ptrdiff_t begin, ptrdiff_t end, Sums& sums) const {
    sums.total.assign(at(x_.cols), 0.0);
    for (auto m = begin; m < std::min(begin + piece, end); ++m) {
      const auto i = members_.points[at(m)];
      const double share = share_of(begin_ + i, sums);
      if (share == 0.0) continue;
      sums.share += share;
      const From* row = x_.row(i);
      for (ptrdiff_t k = 0; k < x_.cols; ++k)
        sums.total[at(k)] += share * static_cast<double>(static_cast<Real>(row[k]));
    }
  }

  void move(ptrdiff_t c, const Sums& all) {
    const ptrdiff_t d = c_.cols;
    Real* out = step_.centers.data() + c * d;
    const Real* old = c_.row(c);
    std::copy(old, old + d, out);
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

  std::span<const double> w_;
  MatrixView<const Real> c_;
  Update update_;
  LloydStep<Real>& step_;
  std::vector<Sums> all_;
  MatrixView<const From> x_{};
  ptrdiff_t begin_ = 0;
  Members members_;
};

/// Rows that are assigned and then summed, before the next are read: they fit into memory together, and are
/// many beside the sums that every window adds up.
ptrdiff_t window_rows(ptrdiff_t d, ptrdiff_t k, std::size_t bytes) {
  constexpr ptrdiff_t window_bytes = 32 * 1024 * 1024;
  return std::max(window_bytes / (d * static_cast<ptrdiff_t>(bytes)), 16 * k);
}

}  // namespace

template <class Real, class From>
LloydStep<Real> lloyd_step(MatrixView<const From> points, std::span<const double> weights,
                           MatrixView<const Real> centers, Update update, bool move, Monitor& monitor) {
  LloydStep<Real> step;
  step.labels.resize(at(points.rows));
  step.squared.resize(at(points.rows));
  Mover<Real, From> mover(weights, centers, update, step);
  const ptrdiff_t rows = window_rows(points.cols, centers.rows, sizeof(From));
  for (ptrdiff_t first = 0; first < points.rows; first += rows) {
    const MatrixView<const From> window{points.row(first), std::min(rows, points.rows - first), points.cols,
                                        points.stride};
    if (!distances::nearest<Real, From>(window, centers,
                                        std::span(step.labels).subspan(at(first), at(window.rows)),
                                        std::span(step.squared).subspan(at(first), at(window.rows)), monitor))
      return step;
    if (move) mover.add(window, first, monitor);
  }
  step.cost = parallel_sum(points.rows, 65536, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    double sum = 0.0;
    for (auto i = begin; i < end; ++i) {
      const auto squared = static_cast<double>(step.squared[at(i)]);
      sum += (weights.empty() ? 1.0 : weights[at(i)]) *
             (update == Update::median ? std::sqrt(squared) : squared);
    }
    return sum;
  });
  if (move && !monitor.stopped()) mover.finish();
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
