#include "qp/simplex_qp.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "qp/qp_state.hpp"

namespace steelyard::qp {
namespace {

constexpr std::size_t most_passes = 100;  // over K, if its rows are made on demand

std::int64_t left(const QpState& s) { return std::max<std::int64_t>(0, s.max_iter - s.iterations); }

QpEnd rough_descent(QpState& s) {
  s.measure();
  if (s.good()) return QpEnd::converged;
  if (!std::isfinite(s.objective)) return QpEnd::stalled;
  const double violation =
      std::max(s.options.rough * s.size_of_terms, s.enough()) / std::max(s.reach, 1e-300);
  const auto end = descend(s, violation, std::min<std::int64_t>(left(s), 1000 + 10 * s.n));
  if (end == QpEnd::stopped || left(s) == 0) s.measure();  // its gradient has drifted by rounding only
  return end == QpEnd::converged ? QpEnd::budget : end;
}

/// Decomposition alone, with a fresh gradient now and then.
QpEnd long_descent(QpState& s) {
  while (true) {
    if (!s.refresh() || s.monitor.poll()) return QpEnd::stopped;
    s.measure();
    if (s.good()) return QpEnd::converged;
    if (left(s) == 0 || s.rows.rows_made() > most_passes * at(s.n)) return QpEnd::budget;
    const double before = s.gap;
    const double violation = 0.1 * s.enough() / std::max(s.reach, 1e-300);
    const auto end = descend(s, violation, std::min<std::int64_t>(left(s), 1000 + 20 * s.n));
    if (end == QpEnd::stopped) s.measure();
    if (end == QpEnd::stopped || end == QpEnd::unbounded) return end;
    if (end == QpEnd::converged) {
      if (!s.refresh()) return QpEnd::stopped;
      s.measure();
      if (s.good()) return QpEnd::converged;
      if (!(s.gap < before)) return QpEnd::stalled;  // NaN, where the objective is beyond float64, too
    }
  }
}

QpEnd run(QpState& s, std::string& solver) {
  solver = s.summed() ? "SMO" : "coordinate descent";
  if (!s.start()) return QpEnd::stopped;
  auto end = rough_descent(s);
  if (end != QpEnd::budget || left(s) == 0) return end;
  end = polish(s);
  solver += " + active-set Cholesky";
  if (end == QpEnd::too_large && s.options.newton) {
    solver += " (stopped at " + std::to_string(s.options.factor_limit) +
              " free coordinates) + projected Newton by conjugate gradients";
    return project_newton(s);
  }
  if (end == QpEnd::indefinite || end == QpEnd::stalled) {
    if (!s.convex) solver += " (left: negative curvature)";
    end = long_descent(s);
  }
  return end;
}

}  // namespace

QpResult solve_simplex_qp(const QpProblem& problem, const QpOptions& options, Monitor& monitor) {
  const Stopwatch watch;
  QpState state(problem, options, monitor);
  QpResult result;
  const auto end = run(state, result.info.solver);
  result.x = state.best.empty() ? state.p : state.best;
  result.objective = state.best_objective;
  result.gap = state.best_gap + state.best_rounding;
  result.terms = state.best_terms;
  result.convex = state.convex;
  result.unbounded = end == QpEnd::unbounded;
  if (!state.started || std::isnan(result.gap)) result.gap = state.best_gap = infinity;
  auto& info = result.info;
  info.converged = std::isfinite(state.best_scale) &&
                   state.best_gap <= std::max(options.tol * state.best_scale, options.gap_tol);
  info.interrupted = end == QpEnd::stopped || monitor.stopped();
  info.iterations = static_cast<int>(std::min<std::int64_t>(state.iterations, 2147483647));
  info.seconds = watch.seconds();
  info.tol = options.tol;
  info.error_bound = result.gap > 0.0 && state.best_terms > 0.0 && std::isfinite(state.best_terms)
                         ? result.gap / state.best_terms
                         : result.gap;
  bool capped = false;
  for (const double u : problem.upper) capped |= problem.totals.empty() && u > 1e300;
  info.error_kind = state.convex && !capped ? ErrorKind::rigorous : ErrorKind::estimate;
  info.trace = std::move(state.trace);
  return result;
}

}  // namespace steelyard::qp
