// Refits a paired comparison model to resampled comparisons: drawn by resampling.hpp, fitted by round_fit.hpp.
//
// Round r has random numbers of its own and starts from the fit: the result is the same for any number of
// threads.
#pragma once

#include <cstdint>
#include <vector>

#include "core/info.hpp"
#include "rank/paired/resampling.hpp"
#include "rank/paired/round_fit.hpp"

namespace steelyard::rank {

struct BootstrapOptions {
  Resampling method = Resampling::bayesian;
  TieUse ties = TieUse::model;
  std::ptrdiff_t rounds = 0;
  std::uint64_t seed = 0, stream = 0;
  double tol = 1e-6;
};

struct Bootstrap {
  std::vector<double> strengths;     ///< rounds x items, row-major
  std::vector<double> tie, home;     ///< of each round; log nu is -inf in a round without ties
  std::vector<double> coefficients;  ///< rounds x covariates, row-major
  std::vector<std::int8_t> state;    ///< RoundState of each round
  Info info;
};

/// Votes are drawn from those that the problem's graph carries; `point` is the fit. O(rounds (cells + solve))
/// time; rounds x items results and one solver a thread in memory. No BLAS.
Bootstrap bootstrap(const PairProblem& problem, const ClusterRows& clusters, const Parameters& point,
                    const BootstrapOptions& options, Monitor& monitor);

}  // namespace steelyard::rank
