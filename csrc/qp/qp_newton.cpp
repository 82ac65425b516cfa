// Projected Newton steps whose systems go to the shared conjugate gradients: for free sets too large to
// factor.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "core/index.hpp"
#include "linalg/cg.hpp"
#include "qp/qp_state.hpp"

namespace steelyard::qp {
namespace {

using std::ptrdiff_t;

constexpr int most_rounds = 60;
constexpr double inexact = 1e-2;  // of a system's residual: two digits a round once the free set has settled

class ProjectedNewton {
 public:
  explicit ProjectedNewton(QpState& state) : s_(state) {}

  QpEnd run() {
    double least = s_.best_gap;
    int idle = 0;
    for (int round = 0; round < most_rounds; ++round) {
      if (!s_.refresh()) return QpEnd::stopped;
      s_.measure();
      if (s_.good()) return QpEnd::converged;
      if (s_.iterations >= s_.max_iter) return QpEnd::budget;
      idle = s_.gap < 0.9 * least ? 0 : idle + 1;
      least = std::min(least, s_.gap);
      if (idle > 4) return QpEnd::stalled;
      choose_free();
      std::vector<double> target = newton_point();
      if (s_.monitor.poll()) return QpEnd::stopped;
      if (!move_towards(target)) {
        for (std::size_t i = 0; i < target.size(); ++i) target[i] = s_.p[i] - s_.g[i] / s_.curvature_scale;
        if (s_.monitor.stopped()) return QpEnd::stopped;
        if (!move_towards(target)) return s_.monitor.stopped() ? QpEnd::stopped : QpEnd::stalled;
      }
    }
    return QpEnd::stalled;
  }

 private:
  /// The bound at which a step down the gradient would end, if it is one that can be left.
  std::optional<double> goal(ptrdiff_t i) {
    const double by = (s_.slope(i) - level_[s_.group(i)]) / s_.curvature_scale;
    if (by > 0.0 && s_.can_fall(i) && s_.value(i) - by <= s_.low(i)) return s_.low(i);
    if (by < 0.0 && s_.can_rise(i) && s_.value(i) - by >= s_.high(i)) return s_.high(i);
    return std::nullopt;
  }

  /// level_: the mean of the slopes inside the bounds, but for those that `skip` takes out.
  template <class Skip>
  void set_level(const Skip& skip) {
    sum_.assign(level_.size(), 0.0);
    count_.assign(level_.size(), 0.0);
    for (ptrdiff_t i = 0; s_.summed() && i < s_.n; ++i) {
      if (!s_.can_rise(i) || !s_.can_fall(i) || skip(i)) continue;
      sum_[s_.group(i)] += s_.slope(i), ++count_[s_.group(i)];
    }
    for (std::size_t k = 0; k < level_.size(); ++k)
      if (count_[k] > 0.0) level_[k] = sum_[k] / count_[k];
  }

  /// Inside the bounds, or at one and pulling inwards; not on the way to one, where a step that the line search
  /// cut left a trace: its slope says nothing of the level, and Newton's step would run through the bound.
  void choose_free() {
    level_.assign(std::max<std::size_t>(1, s_.sums()), 0.0);
    set_level([](ptrdiff_t) { return false; });
    set_level([this](ptrdiff_t i) { return goal(i).has_value(); });
    free_.clear();
    for (ptrdiff_t i = 0; i < s_.n; ++i) {
      if (goal(i)) continue;
      const double mu = level_[s_.group(i)];
      if (s_.can_rise(i) ? s_.can_fall(i) || s_.slope(i) < mu : s_.can_fall(i) && s_.slope(i) > mu)
        free_.push_back(i);
    }
  }

  /// y <- (K_ij - a_i - a_j)_FF x for interleaved columns.
  void apply(const double* x, double* y, ptrdiff_t columns) {
    const auto m = std::ssize(free_);
    wide_.assign(checked_product("working memory", columns, s_.n), 0.0);
    product_.assign(wide_.size(), 0.0);
    for (ptrdiff_t k = 0; k < m; ++k) {
      for (ptrdiff_t c = 0; c < columns; ++c) wide_[at(c * s_.n + free_[at(k)])] = x[k * columns + c];
    }
    s_.rows.accumulate(free_, wide_.data(), product_.data(), columns, s_.monitor);
    for (ptrdiff_t c = 0; c < columns; ++c) {
      double sum = 0.0, shifted = 0.0;
      for (ptrdiff_t k = 0; k < m; ++k) {
        sum += x[k * columns + c];
        shifted += s_.shift[at(free_[at(k)])] * x[k * columns + c];
      }
      for (ptrdiff_t k = 0; k < m; ++k) {
        const auto i = free_[at(k)];
        y[k * columns + c] = product_[at(c * s_.n + i)] - s_.shift[at(i)] * sum - shifted;
      }
    }
  }

  /// The minimum over the free coordinates without their bounds, roughly.
  std::vector<double> newton_point() {
    const std::size_t m = free_.size();
    const ptrdiff_t columns = static_cast<ptrdiff_t>(s_.sums()) + 1;
    std::vector<double> b(checked_product("working memory", m, columns), 0.0), x(b.size(), 0.0);
    std::vector<double> mean(level_.size(), 0.0), count(level_.size(), 0.0);
    for (const auto i : free_) mean[s_.group(i)] += s_.summed() ? s_.slope(i) : 0.0, ++count[s_.group(i)];
    for (std::size_t k = 0; k < mean.size(); ++k) mean[k] /= std::max(1.0, count[k]);
    for (std::size_t k = 0; k < m; ++k) {
      b[k * at(columns)] = s_.slope(free_[k]) - mean[s_.group(free_[k])];
      if (s_.summed()) b[k * at(columns) + 1 + s_.group(free_[k])] = 1.0;
    }
    const auto same = [m](const double* r, double* z, ptrdiff_t c) {
      std::copy_n(r, static_cast<ptrdiff_t>(m) * c, z);
    };
    const auto times = [this](const double* v, double* y, ptrdiff_t c) { apply(v, y, c); };
    const auto found = linalg::conjugate_gradients(std::ssize(free_), columns, times, same, b.data(),
                                                   x.data(), {.tol = inexact, .max_iter = 300}, s_.monitor);
    s_.iterations += found.iterations;
    const auto nu = s_.multipliers(free_, x);
    std::vector<double> target = s_.p;
    for (ptrdiff_t i = 0; i < s_.n; ++i) target[at(i)] = goal(i).value_or(target[at(i)]);
    for (std::size_t k = 0; k < m; ++k) {
      double step = x[k * at(columns)];
      for (std::size_t c = 0; c < nu.size(); ++c) step += nu[c] * x[k * at(columns) + 1 + c];
      target[at(free_[k])] -= step;
    }
    return target;
  }

  /// The nearest feasible point: y - theta, cut at the bounds.
  void project(std::vector<double>& y) {
    const auto cut = [&](std::size_t i, double by) {
      return std::clamp(y[i] - by, s_.problem.lower[i], s_.problem.upper[i]);
    };
    std::vector<double> theta(level_.size(), 0.0);
    for (std::size_t k = 0; k < s_.sums(); ++k) {
      const auto surplus = [&](double by) {
        double sum = -s_.problem.totals[k];
        s_.each(k, [&](ptrdiff_t i) { sum += cut(at(i), by); });
        return sum;
      };
      double low = -1.0, high = 1.0;
      while (surplus(low) < 0.0 && low > -1e300) low *= 4.0;
      while (surplus(high) > 0.0 && high < 1e300) high *= 4.0;
      for (int round = 0; round < 120 && low < high; ++round) {
        const double middle = 0.5 * (low + high);
        (surplus(middle) > 0.0 ? low : high) = middle;
      }
      theta[k] = 0.5 * (low + high);
    }
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = cut(i, theta[s_.group(static_cast<ptrdiff_t>(i))]);
  }

  /// Exact line search to the projected target; false if f does not fall that way.
  bool move_towards(std::vector<double>& target) {
    project(target);
    std::vector<double> step(target.size());
    std::vector<ptrdiff_t> moved;
    double slope = 0.0;
    for (std::size_t i = 0; i < step.size(); ++i) {
      step[i] = target[i] - s_.p[i];
      slope += (s_.g[i] - level_[s_.group(static_cast<ptrdiff_t>(i))]) *
               step[i];  // the steps' sum is zero: near the optimum only this keeps digits
      if (step[i] != 0.0) moved.push_back(static_cast<ptrdiff_t>(i));
    }
    if (!(slope < 0.0)) return false;
    std::vector<double> product(step.size(), 0.0);
    if (!s_.rows.accumulate(moved, step.data(), product.data(), 1, s_.monitor)) return false;
    double curvature = 0.0;
    for (std::size_t i = 0; i < step.size(); ++i) curvature += step[i] * product[i];
    double size = 0.0;
    for (const double v : step) size += v * v;
    if (curvature < -1e-12 * s_.kernel_scale * size * static_cast<double>(moved.size())) s_.convex = false;
    const double length = curvature > 0.0 ? std::min(1.0, -slope / curvature) : 1.0;
    for (std::size_t i = 0; i < step.size(); ++i) {
      s_.p[i] = length < 1.0 ? s_.p[i] + length * step[i] : target[i];
      s_.g[i] += length * product[i];
    }
    return true;
  }

  QpState& s_;
  std::vector<ptrdiff_t> free_;
  std::vector<double> wide_, product_, sum_, count_;
  std::vector<double> level_;  ///< the multiplier that the free coordinates of each group agree on
};

}  // namespace

QpEnd project_newton(QpState& state) { return ProjectedNewton(state).run(); }

}  // namespace steelyard::qp
