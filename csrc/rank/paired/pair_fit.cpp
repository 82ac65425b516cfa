#include "rank/paired/pair_fit.hpp"

#include "rank/paired/existence.hpp"
#include "rank/paired/newton.hpp"
#include "rank/paired/sweeps.hpp"

namespace steelyard::rank {
namespace {

Info improve(const PairProblem& problem, PairSolver solver, Linear linear, const FitOptions& options,
             PairFit& fit, Monitor& monitor) {
  if (solver != PairSolver::newton) {
    const auto kind = solver == PairSolver::zermelo ? Sweep::zermelo : Sweep::newman;
    return fit_by_sweeps(kind, problem, solver == PairSolver::newman, fit.point, options, monitor);
  }
  NewtonSolver newton(problem, linear, monitor);
  auto info = newton.fit(fit.point, options, monitor);
  if (newton.receded()) fit.away = newton.direction().extra;
  return info;
}

}  // namespace

PairFit fit_pairs(const PairProblem& problem, const Parameters& start, PairSolver solver, Linear linear,
                  const FitOptions& options, Monitor& monitor) {
  PairFit fit;
  fit.point = start;
  fit.info = improve(problem, solver, linear, options, fit, monitor);
  fit.log_likelihood = final_log_likelihood(problem, fit.point, monitor.threads());
  if (problem.model.covariates == 0) return fit;
  Monitor last(monitor.threads());
  fit.proving = proving_decrement(problem, fit.point);
  fit.finite = fit.info.converged && proves_finite(problem, fit.point, fit.info.error_bound, linear, last);
  return fit;
}

double final_log_likelihood(const PairProblem& problem, const Parameters& point, int threads) {
  Monitor last(threads);
  return log_likelihood(problem, point, last);
}

}  // namespace steelyard::rank
