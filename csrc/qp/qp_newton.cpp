// Projected Newton steps whose systems go to the shared conjugate gradients: for free sets too large to
// factor.
#include <algorithm>
#include <cmath>
#include <numeric>

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
  /// Inside the bounds, or at one and pulling inwards.
  void choose_free() {
    double mu = 0.0;
    std::ptrdiff_t inner = 0;
    for (ptrdiff_t i = 0; s_.summed() && i < s_.n; ++i) {
      if (s_.can_rise(i) && s_.can_fall(i)) mu += s_.slope(i), ++inner;
    }
    if (inner > 0) mu /= static_cast<double>(inner);
    level_ = mu;
    free_.clear();
    for (ptrdiff_t i = 0; i < s_.n; ++i) {
      if (s_.can_rise(i) ? s_.can_fall(i) || s_.slope(i) < mu : s_.can_fall(i) && s_.slope(i) > mu) {
        free_.push_back(i);
      }
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
    const ptrdiff_t columns = s_.summed() ? 2 : 1;
    std::vector<double> b(checked_product("working memory", m, columns), 1.0), x(b.size(), 0.0);
    double mean = 0.0;
    for (const auto i : free_) mean += s_.summed() ? s_.slope(i) / static_cast<double>(m) : 0.0;
    for (std::size_t k = 0; k < m; ++k) b[k * at(columns)] = s_.slope(free_[k]) - mean;
    const auto same = [m](const double* r, double* z, ptrdiff_t c) {
      std::copy_n(r, static_cast<ptrdiff_t>(m) * c, z);
    };
    const auto times = [this](const double* v, double* y, ptrdiff_t c) { apply(v, y, c); };
    const auto found = linalg::conjugate_gradients(std::ssize(free_), columns, times, same, b.data(),
                                                   x.data(), {.tol = inexact, .max_iter = 300}, s_.monitor);
    s_.iterations += found.iterations;
    double nu = 0.0;
    if (s_.summed()) {
      double u = 0.0, w = 0.0;
      for (std::size_t k = 0; k < m; ++k) u += x[2 * k], w += x[2 * k + 1];
      nu = w != 0.0 ? -(s_.missing() + u) / w : 0.0;
    }
    std::vector<double> target = s_.p;
    for (std::size_t k = 0; k < m; ++k) {
      const double other = s_.summed() ? nu * x[2 * k + 1] : 0.0;
      target[at(free_[k])] -= x[k * at(columns)] + other;
    }
    return target;
  }

  /// The nearest feasible point: y - theta, cut at the bounds.
  void project(std::vector<double>& y) {
    const auto cut = [&](std::size_t i, double theta) {
      return std::clamp(y[i] - theta, s_.problem.lower[i], s_.problem.upper[i]);
    };
    double theta = 0.0;
    if (s_.summed()) {
      const double total = *s_.problem.total;
      const auto surplus = [&](double at) {
        double sum = -total;
        for (std::size_t i = 0; i < y.size(); ++i) sum += cut(i, at);
        return sum;
      };
      double low = -1.0, high = 1.0;
      while (surplus(low) < 0.0 && low > -1e300) low *= 4.0;
      while (surplus(high) > 0.0 && high < 1e300) high *= 4.0;
      for (int k = 0; k < 120 && low < high; ++k) {
        const double middle = 0.5 * (low + high);
        (surplus(middle) > 0.0 ? low : high) = middle;
      }
      theta = 0.5 * (low + high);
    }
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = cut(i, theta);
  }

  /// Exact line search to the projected target; false if f does not fall that way.
  bool move_towards(std::vector<double>& target) {
    project(target);
    std::vector<double> step(target.size());
    std::vector<ptrdiff_t> moved;
    double slope = 0.0;
    for (std::size_t i = 0; i < step.size(); ++i) {
      step[i] = target[i] - s_.p[i];
      slope +=
          (s_.g[i] - level_) * step[i];  // the steps' sum is zero: near the optimum only this keeps digits
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
  std::vector<double> wide_, product_;
  double level_ = 0.0;  ///< the multiplier that the free coordinates agree on
};

}  // namespace

QpEnd project_newton(QpState& state) { return ProjectedNewton(state).run(); }

}  // namespace steelyard::qp
