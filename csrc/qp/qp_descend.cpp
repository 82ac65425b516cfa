// Decomposition: two coordinates a step with a sum constraint, one without.
#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "qp/qp_state.hpp"

namespace steelyard::qp {
namespace {

using std::ptrdiff_t;

constexpr double flat = 1e-14;  // of the scale of K: curvature that is zero up to rounding

class Descent {
 public:
  explicit Descent(QpState& state)
      : s_(state), flat_(flat * std::max(state.kernel_scale, 1e-300)), made_(state.rows.rows_made()) {}

  QpEnd pairs(double violation, std::int64_t budget) {
    for (std::int64_t step = 0; step < budget; ++step, ++s_.iterations) {
      if (step % 64 == 0 && watch(step, budget)) return QpEnd::stopped;
      if (costly()) return QpEnd::budget;
      ptrdiff_t i = -1;
      double worst = violation;
      for (std::size_t group = 0; group < s_.sums(); ++group) {
        ptrdiff_t first = -1;
        double lowest = infinity, highest = -infinity;
        s_.each(group, [&](ptrdiff_t k) {
          const double slope = s_.slope(k);
          if (slope < lowest && s_.can_rise(k)) lowest = slope, first = k;
          if (slope > highest && s_.can_fall(k)) highest = slope;
        });
        if (first >= 0 && highest - lowest > worst) worst = highest - lowest, i = first;
      }
      if (i < 0) return QpEnd::converged;
      const double* row_i = s_.rows.row(i);
      const ptrdiff_t j = partner(i, row_i);
      if (j < 0) return QpEnd::converged;
      const double* row_j = s_.rows.row(j);
      exchange(i, j, row_i, row_j);
    }
    return QpEnd::budget;
  }

  QpEnd singles(double violation, std::int64_t budget) {
    for (std::int64_t step = 0; step < budget; ++step, ++s_.iterations) {
      if (step % 64 == 0 && watch(step, budget)) return QpEnd::stopped;
      if (costly()) return QpEnd::budget;
      ptrdiff_t i = -1;
      double best = 0.0, worst = 0.0;
      for (ptrdiff_t k = 0; k < s_.n; ++k) {
        const double slope = s_.slope(k);
        if (!(slope < 0.0 ? s_.can_rise(k) : slope > 0.0 && s_.can_fall(k))) continue;
        worst = std::max(worst, std::fabs(slope));
        const double gain = slope * slope / std::max(s_.diagonal[at(k)], flat_);
        if (gain > best) best = gain, i = k;
      }
      if (i < 0 || !(worst > violation)) return QpEnd::converged;
      const double curvature = s_.diagonal[at(i)], slope = s_.slope(i);
      const double room = slope < 0.0 ? s_.high(i) - s_.value(i) : s_.value(i) - s_.low(i);
      if (curvature < -flat_) s_.convex = false;
      const double move = curvature > flat_ ? std::min(std::fabs(slope) / curvature, room) : room;
      if (!std::isfinite(move)) return QpEnd::unbounded;
      const double before = s_.value(i);
      s_.value(i) =
          move < room ? before - std::copysign(move, slope) : (slope < 0.0 ? s_.high(i) : s_.low(i));
      add(s_.value(i) - before, s_.rows.row(i));
    }
    return QpEnd::budget;
  }

 private:
  bool watch(std::int64_t step, std::int64_t budget) {
    s_.monitor.progress(static_cast<double>(step), static_cast<double>(budget));
    return s_.monitor.poll();
  }

  /// Rows made on demand have cost some passes over K: the other methods make better use of them.
  bool costly() const { return s_.rows.rows_made() > made_ + 1000 + 4 * at(s_.n); }

  /// The coordinate whose exchange with i promises the largest decrease.
  ptrdiff_t partner(ptrdiff_t i, const double* row) {
    const double slope = s_.slope(i), own = s_.diagonal[at(i)];
    double best = 0.0;
    ptrdiff_t j = -1;
    s_.each(s_.group(i), [&](ptrdiff_t k) {
      const double drop = s_.slope(k) - slope;
      if (!(drop > 0.0) || !s_.can_fall(k) || k == i) return;
      const double curvature = std::max(own + s_.diagonal[at(k)] - 2.0 * row[k], flat_);
      const double gain = drop * drop / curvature;
      if (gain > best) best = gain, j = k;
    });
    return j;
  }

  void exchange(ptrdiff_t i, ptrdiff_t j, const double* row_i, const double* row_j) {
    const double curvature = s_.diagonal[at(i)] + s_.diagonal[at(j)] - 2.0 * row_i[j];
    if (curvature < -flat_) s_.convex = false;
    const double up = s_.high(i) - s_.value(i), down = s_.value(j) - s_.low(j), room = std::min(up, down);
    double move = room;
    if (curvature > flat_) move = std::min((s_.slope(j) - s_.slope(i)) / curvature, room);
    s_.value(i) = move < up ? s_.value(i) + move : s_.high(i);
    s_.value(j) = move < down ? s_.value(j) - move : s_.low(j);
    double* g = s_.g.data();
    for (ptrdiff_t k = 0; k < s_.n; ++k) g[k] += move * (row_i[k] - row_j[k]);
  }

  void add(double step, const double* row) {
    double* g = s_.g.data();
    for (ptrdiff_t k = 0; k < s_.n; ++k) g[k] += step * row[k];
  }

  QpState& s_;
  double flat_;
  std::size_t made_;
};

}  // namespace

QpEnd descend(QpState& state, double violation, std::int64_t budget) {
  Descent descent(state);
  return state.summed() ? descent.pairs(violation, budget) : descent.singles(violation, budget);
}

}  // namespace steelyard::qp
