// A fit of paired comparisons by the solver that is asked for, and what is to be said of the point it reaches.
#pragma once

#include <vector>

#include "core/info.hpp"
#include "rank/options.hpp"
#include "rank/paired/pair_problem.hpp"

namespace steelyard::rank {

/// Newman's iteration with the exact common shift under a prior, or without.
enum class PairSolver { newton, newman, newman_unshifted, zermelo };

struct PairFit {
  Info info;
  Parameters point;
  double log_likelihood = 0.0;
  double proving = 0.0;      ///< with covariates: the decrement that would prove a finite optimum
  bool finite = true;        ///< false: not proven
  std::vector<double> away;  ///< a direction, by the border's parameters, along which the likelihood rises
};

/// `linear` is Newton's. The point is judged to the end, stopped or not.
PairFit fit_pairs(const PairProblem& problem, const Parameters& start, PairSolver solver, Linear linear,
                  const FitOptions& options, Monitor& monitor);

/// log_likelihood, not to be stopped.
double final_log_likelihood(const PairProblem& problem, const Parameters& point, int threads);

}  // namespace steelyard::rank
