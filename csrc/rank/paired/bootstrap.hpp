// Refits a paired comparison model to resampled comparisons.
//
//   bayesian     every vote gets an exponential weight (Rubin, Ann. Statist. 9, 1981). The weights of a
//                cell's n votes add up to a gamma variate of shape n; votes with sampling weights are
//                matched in mean and variance by shape (sum w)^2 / sum w^2. No cell becomes empty, so a
//                finite optimum stays finite.
//   multinomial  as many votes as there were, drawn with replacement: exact binomials cell after cell.
//   cluster      as many clusters as there were, drawn with replacement, each with all its votes.
//
// Round r has random numbers of its own and starts from the fit: the result is the same for any number of
// threads. A round whose optimum is infinite is fitted on its largest strong component (aligned with the
// fit's mean over that); items that beat it without return are at +inf, items below at -inf, items without a
// path either way at NaN.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/info.hpp"
#include "rank/paired/newton.hpp"

namespace steelyard::rank {

enum class Resampling { bayesian, multinomial, cluster };
enum class TieUse { model, half, drop };

/// Votes of each cluster, in rows of any order.
struct ClusterRows {
  std::span<const std::int32_t> cluster;       ///< of each row
  std::span<const std::uint32_t> edge;         ///< of each row
  std::span<const double> wins, losses, ties;  ///< of each row; ties empty if there are none
  std::int32_t count = 0;                      ///< number of clusters
};

struct BootstrapOptions {
  Resampling method = Resampling::bayesian;
  TieUse ties = TieUse::model;
  std::ptrdiff_t rounds = 0;
  std::uint64_t seed = 0, stream = 0;
  double tol = 1e-6;
};

enum class RoundState : std::int8_t { missing = 0, converged = 1, infinite = 2, unconverged = 3 };

struct Bootstrap {
  std::vector<double> strengths;     ///< rounds x items, row-major
  std::vector<double> tie, home;     ///< of each round; log nu is -inf in a round without ties
  std::vector<double> coefficients;  ///< rounds x covariates, row-major
  std::vector<std::int8_t> state;    ///< RoundState of each round
  Info info;
};

/// `graph` carries the votes and their squares as they are; `model` and `at` are those of the fit to be
/// resampled. O(rounds (cells + solve)) time; rounds x items results and one solver a thread in memory. No
/// BLAS.
Bootstrap bootstrap(const PairGraph& graph, const ClusterRows& clusters, const Model& model,
                    const Parameters& at, const BootstrapOptions& options, Monitor& monitor);

}  // namespace steelyard::rank
