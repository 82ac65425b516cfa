#include "rank/over_time/history.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "core/logistic.hpp"
#include "core/pool.hpp"
#include "linalg/cg.hpp"
#include "rank/newton_loop.hpp"
#include "rank/paired/tie_models.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

/// Visits the chains in parallel, so many a chunk that it holds some thousands of nodes.
template <class Visit>
void each_chain(const Timelines& lines, Monitor& monitor, const Visit& visit) {
  const double chains = static_cast<double>(lines.starts.size()) - 1.0;
  const double nodes = static_cast<double>(lines.precision.size()) / std::max(1.0, chains);
  parallel_for(lines.items(), grain_for(20.0 * nodes + 5.0), monitor,
               [&](ptrdiff_t begin, ptrdiff_t end) { lines.each_chain(begin, end, visit); });
}

}  // namespace

HistorySystem::HistorySystem(const HistoryProblem& problem) : games_(problem.games), lines_(problem.lines) {
  const auto nodes = at(games_.graph.items);
  law_curvature_.resize(nodes);
  pivot_.resize(nodes);
  ratio_.resize(nodes);
}

bool HistorySystem::differentiate(const Parameters& point, Monitor& monitor) {
  if (!rank::evaluate(games_, point, d_, monitor)) return false;
  add_laws(point);
  hold();
  return true;
}

double HistorySystem::log_posterior(const Parameters& point, Monitor& monitor) const {
  const auto& s = point.strengths;
  double sum = log_likelihood(games_, point, monitor);
  lines_.each_chain([&](ptrdiff_t, ptrdiff_t first, ptrdiff_t last) {
    if (lines_.is_held(first)) return;
    const double size = std::fabs(s[at(first)]), off = s[at(first)] - lines_.first_mean;
    sum -=
        lines_.prior * (size + 2.0 * std::log1p(std::exp(-size))) + 0.5 * lines_.first_precision * off * off;
    for (auto k = first + 1; k < last; ++k) {
      const double step = s[at(k)] - s[at(k - 1)];
      sum -= 0.5 * lines_.precision[at(k)] * step * step;
    }
  });
  return sum;
}

bool HistorySystem::evaluate(const Parameters& point, Monitor& monitor) {
  if (!differentiate(point, monitor)) return false;
  spread_to_rows(games_.graph, d_.cell_curvature, weights_, monitor);
  factor_chains(monitor);
  return !monitor.stopped();
}

void HistorySystem::add_laws(const Parameters& point) {
  const auto& s = point.strengths;
  lines_.each_chain([&](ptrdiff_t, ptrdiff_t first, ptrdiff_t last) {
    const auto law = logistic_prior(lines_.prior, s[at(first)]);
    d_.gradient[at(first)] -= law.gradient + lines_.first_precision * (s[at(first)] - lines_.first_mean);
    const double bend = secant_ && s[at(first)] != 0.0 ? law.gradient / s[at(first)] : law.curvature;
    law_curvature_[at(first)] = bend + lines_.first_precision;
    d_.diagonal[at(first)] += law_curvature_[at(first)];
    for (auto k = first + 1; k < last; ++k) {
      const double link = lines_.precision[at(k)], pull = link * (s[at(k)] - s[at(k - 1)]);
      d_.gradient[at(k)] -= pull;
      d_.gradient[at(k - 1)] += pull;
      d_.diagonal[at(k)] += link;
      d_.diagonal[at(k - 1)] += link;
    }
  });
}

double HistorySystem::rounding(const Parameters& point) const {
  const auto& s = point.strengths;
  const auto square = [](double x) { return x * x; };
  std::vector<double> met(s.size(), 0.0);
  for (std::size_t k = 0; k < games_.graph.left.size(); ++k) {
    met[at(games_.graph.left[k])] += std::fabs(d_.cell_gradient[k]);
    met[at(games_.graph.right[k])] += std::fabs(d_.cell_gradient[k]);
  }
  double energy = 0.0, sums = 0.0, laws = 0.0;
  lines_.each_chain([&](ptrdiff_t, ptrdiff_t first, ptrdiff_t last) {
    laws += law_curvature_[at(first)];
    for (auto k = first; k < last; ++k) sums += square(met[at(k)]);
    energy += law_curvature_[at(first)] * square(4.0 + std::fabs(s[at(first)]));
    for (auto k = first + 1; k < last; ++k)
      energy += lines_.precision[at(k)] * square(std::fabs(s[at(k)]) + std::fabs(s[at(k - 1)]));
  });
  if (laws > 0.0) energy += sums / laws;
  const double links = 2.0 * std::numeric_limits<double>::epsilon() * std::sqrt(energy);
  const double games = rank::rounding(games_, point, d_);
  return std::sqrt(links * links + games * games);
}

void HistorySystem::take_curvatures(const std::vector<double>& cells, const std::vector<double>& laws,
                                    Monitor& monitor) {
  spread_to_rows(games_.graph, cells, weights_, monitor);
  d_.diagonal.assign(at(games_.graph.items), 0.0);
  lines_.each_chain([&](ptrdiff_t item, ptrdiff_t first, ptrdiff_t last) {
    for (auto k = first; k < last; ++k) {
      double sum = k == first ? laws[at(item)] : lines_.precision[at(k)];
      if (k + 1 < last) sum += lines_.precision[at(k + 1)];
      for (auto e = games_.graph.offsets[at(k)]; e < games_.graph.offsets[at(k) + 1]; ++e)
        sum += weights_[at(e)];
      d_.diagonal[at(k)] = sum;
    }
  });
  factor_chains(monitor);
}

bool HistorySystem::solve(const double* b, double* x, double accuracy, int& iterations,
                          Monitor& monitor) const {
  linalg::CgOptions options;
  options.tol = accuracy;
  options.max_iter = 20000;
  const auto apply = [&](const double* v, double* y, ptrdiff_t m) { multiply(v, y, m, monitor); };
  const auto chains = [&](const double* v, double* y, ptrdiff_t m) { solve_chains(v, y, m, monitor); };
  const auto found =
      linalg::conjugate_gradients(games_.graph.items, 1, apply, chains, b, x, options, monitor);
  iterations = found.iterations;
  return found.converged;
}

void HistorySystem::hold() {
  for (ptrdiff_t k = 0; k < std::ssize(lines_.held); ++k) {
    if (!lines_.is_held(k)) continue;
    d_.gradient[at(k)] = 0.0;
    for (int c = 0; c < d_.extra; ++c) d_.border[at(k * d_.extra + c)] = 0.0;
  }
}

double HistorySystem::slope_along(const NewtonDirection& direction) const {
  return rank::slope_along(d_, direction);
}

void HistorySystem::multiply(const double* x, double* y, ptrdiff_t columns, Monitor& monitor) const {
  multiply_hessian(games_.graph, d_, weights_, x, y, columns, monitor);
  each_chain(lines_, monitor, [&](ptrdiff_t, ptrdiff_t first, ptrdiff_t last) {
    for (auto k = first + 1; k < last; ++k) {
      const double link = lines_.precision[at(k)];
      for (ptrdiff_t c = 0; c < columns; ++c) {
        y[k * columns + c] -= link * x[(k - 1) * columns + c];
        y[(k - 1) * columns + c] -= link * x[k * columns + c];
      }
    }
    if (lines_.is_held(first)) std::fill_n(y + first * columns, columns, 0.0);
  });
}

void HistorySystem::factor_chains(Monitor& monitor) {
  each_chain(lines_, monitor, [&](ptrdiff_t, ptrdiff_t first, ptrdiff_t last) {
    for (auto k = first; k < last; ++k) {
      const double link = k == first ? 0.0 : lines_.precision[at(k)];
      ratio_[at(k)] = k == first ? 0.0 : link / pivot_[at(k - 1)];
      pivot_[at(k)] = d_.diagonal[at(k)] - ratio_[at(k)] * link;
    }
    if (lines_.is_held(first)) pivot_[at(first)] = infinity;
  });
}

void HistorySystem::solve_chains(const double* b, double* x, ptrdiff_t columns, Monitor& monitor) const {
  each_chain(lines_, monitor, [&](ptrdiff_t, ptrdiff_t first, ptrdiff_t last) {
    std::copy_n(b + first * columns, columns, x + first * columns);
    for (auto k = first + 1; k < last; ++k)
      for (ptrdiff_t c = 0; c < columns; ++c)
        x[k * columns + c] = b[k * columns + c] + ratio_[at(k)] * x[(k - 1) * columns + c];
    for (ptrdiff_t c = 0; c < columns; ++c) x[(last - 1) * columns + c] /= pivot_[at(last - 1)];
    for (auto k = last - 1; k-- > first;)
      for (ptrdiff_t c = 0; c < columns; ++c)
        x[k * columns + c] =
            x[k * columns + c] / pivot_[at(k)] + ratio_[at(k + 1)] * x[(k + 1) * columns + c];
  });
}

double HistorySystem::link_energy(const double* residual, ptrdiff_t stride) const {
  // r' C^{-1} r along each chain, links as springs and the first law as the wall: what flows through a link
  // is the sum of the residuals beyond it.
  double energy = 0.0;
  lines_.each_chain([&](ptrdiff_t, ptrdiff_t first, ptrdiff_t last) {
    if (lines_.is_held(first)) return;
    double flow = 0.0;
    for (auto k = last; k-- > first;) {
      flow += residual[k * stride];
      const double spring = k == first ? law_curvature_[at(k)] : lines_.precision[at(k)];
      if (flow != 0.0) energy += flow * flow / spring;
    }
  });
  return energy;
}

bool HistorySystem::direction(double accuracy, NewtonDirection& out, Monitor& monitor) {
  BorderedSystem system(d_);
  linalg::CgOptions options;
  options.tol = accuracy;
  options.max_iter = 20000;
  const auto apply = [&](const double* x, double* y, ptrdiff_t m) { multiply(x, y, m, monitor); };
  const auto chains = [&](const double* b, double* x, ptrdiff_t m) { solve_chains(b, x, m, monitor); };
  const auto result = linalg::conjugate_gradients(
      system.n, system.columns, apply, chains, system.right.data(), system.solved.data(), options, monitor);
  if (result.interrupted || !system.combine(d_, out)) return false;
  out.cg_iterations = result.iterations;
  system.bound(
      d_, [&](const double* x, double* y) { multiply(x, y, system.columns, monitor); },
      [&](const double* residual, ptrdiff_t stride) { return link_energy(residual, stride); }, out);
  return !monitor.stopped();
}

namespace {

constexpr double longest_move = 5.0;  // of the first step, and after one that went too far
constexpr double direct_flops = 1e10;

class HistoryNewton final : public NewtonMethod {
 public:
  HistoryNewton(const HistoryProblem& problem, Parameters& point, double tol, Monitor& monitor)
      : problem_(problem),
        model_(problem.games.model),
        system_(problem),
        point_(point),
        tol_(tol),
        monitor_(monitor) {
    finest = 1e-10;
    recovers = false;
  }

  bool start() override { return system_.evaluate(point_, monitor_); }

  bool find_direction(double accuracy) override {
    if (system_.secant()) {
      if (!certified(accuracy) || d_.lower > 0.1) return far_off();
      settled_ = true;
      if (!switch_laws(false)) return false;
    }
    if (certified(accuracy)) return true;
    if (monitor_.stopped()) return false;
    if (!settled_ && switch_laws(true)) {
      certified(accuracy);
      return far_off();
    }
    return find_directly();
  }
  double decrement() const override { return d_.decrement; }
  double reach() const override {
    double largest = 0.0;
    for (const double move : d_.strengths) largest = std::max(largest, std::fabs(move));
    return std::max(largest, largest_change(problem_.games, d_, monitor_));
  }
  double rounding() override { return system_.rounding(point_); }
  int passes() const override { return d_.cg_iterations; }

  /// Along the direction until the slope has not turned by more than half of what it was, and no further than a
  /// quadratic can know of logistic functions: beyond, the laws that hold a common shift have no curvature left.
  bool take_step(double& step) override {
    const double largest = reach();
    step = largest > longest_ ? longest_ / largest : 1.0;
    if (tie_is_positive(model_.ties) && d_.extra[0] < 0.0)
      step = std::min(step, -0.9 * point_.tie / d_.extra[0]);
    for (int attempt = 0; attempt < 60; ++attempt) {
      Parameters next = point_;
      move_along(model_, d_, step, next);
      if (!system_.evaluate(next, monitor_)) return false;
      const double after = system_.slope_along(d_);
      if (std::isfinite(after) && after >= -0.5 * d_.slope) {
        point_ = std::move(next);
        longest_ = attempt == 0 ? 2.0 * longest_ : std::max(longest_move, step * largest);
        return true;
      }
      step *= std::isfinite(after) ? std::clamp(d_.slope / (d_.slope - after), 0.1, 0.7) : 0.1;
    }
    return false;
  }

 private:
  /// The border's Schur complement can be far smaller than its block: then coarse columns give any direction.
  bool certified(double accuracy) {
    found_ = false;
    for (accuracy = std::min(accuracy, coarsest_); accuracy > 1e-13; accuracy *= 1e-2) {
      found_ = system_.direction(accuracy, d_, monitor_);
      if (monitor_.stopped()) return false;
      const bool known = found_ && std::isfinite(d_.decrement);
      if (known && !(d_.lower <= tol_ && d_.decrement > tol_ && accuracy > 1e-9)) return true;
      if (!known) coarsest_ = std::max(1e-2 * accuracy, finest);
    }
    return found_ && std::isfinite(d_.decrement);
  }

  /// Secants of the first laws do not vanish where strengths are large, and overshoot nothing; they tell no decrement.
  bool switch_laws(bool secant) {
    system_.take_secants(secant);
    return system_.evaluate(point_, monitor_);
  }
  bool far_off() {
    d_.decrement = infinity;
    return found_ && !monitor_.stopped();
  }

  /// By a sparse factor: where a first law has no curvature left, links prove nothing of conjugate gradients.
  bool find_directly() {
    double bytes = 0.0;
    const auto law = HistoryPosterior::find(problem_, point_, {direct_flops, 1e9}, bytes, monitor_);
    if (!law) return false;
    const auto& d = system_.derivatives();
    std::vector<double> b = d.gradient;
    b.insert(b.end(), d.extra_gradient.begin(), d.extra_gradient.end());
    law->solve(b.data(), 1);
    const auto nodes = b.begin() + std::ssize(d.gradient);
    d_.strengths.assign(b.begin(), nodes);
    d_.extra.assign(nodes, b.end());
    d_.slope = system_.slope_along(d_);
    d_.decrement = d_.lower = std::sqrt(std::max(0.0, d_.slope));
    d_.cg_iterations = 0;
    return std::isfinite(d_.decrement);
  }

  HistoryProblem problem_;
  Model model_;
  HistorySystem system_;
  NewtonDirection d_;
  Parameters& point_;
  double tol_;
  bool found_ = false, settled_ = false;
  double coarsest_ = 1.0;          ///< accuracy that the border needs
  double longest_ = longest_move;  ///< doubles with each step that went as far as asked
  Monitor& monitor_;
};

}  // namespace

Info fit_history(const HistoryProblem& problem, Parameters& point, const FitOptions& options,
                 Monitor& monitor) {
  HistoryNewton run(problem, point, options.tol, monitor);
  auto info = newton_loop(run, options, monitor);
  info.solver = "newton (conjugate gradients, chain blocks as preconditioner)";
  return info;
}

}  // namespace steelyard::rank
