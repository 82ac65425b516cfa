// The steepness of a grade scale, with every climber's ability over time (Drummond and Popinga).
//
//   P(send) = sigma(m (C(t) - R)),   log m ~ N(slope_mean, slope_sd^2),
//   C(first) ~ N(first_mean, first_sd^2),   C(k) - C(k - 1) ~ N(0, 1 / precision_k)
// A node is a climber in one period; its cells are its ascents by grade. Given m, climbers are independent
// chains. The normal law that the sampler works about is that of the Fisher information at the maximum: by
// climber tridiagonal, bordered by log m, so that all abilities and the slope move together; O(nodes + cells)
// an evaluation.
#pragma once

#include <span>
#include <vector>

#include "rank/over_time/hmc.hpp"

namespace steelyard::rank {

struct Ascents {
  std::span<const std::int64_t> chains;  ///< climbers + 1: the nodes of each
  std::span<const double> precision;     ///< nodes; of the link to the node before, not read at a start
  std::span<const std::int64_t> cells;   ///< nodes + 1: the cells of each
  std::span<const double> grade, sent, failed;
  double first_mean = 0.0, first_sd = 1.0, slope_mean = 0.0, slope_sd = 1.0;

  std::ptrdiff_t nodes() const { return std::ssize(precision); }
};

/// Abilities by node, then log m, and how far from the maximum by the Fisher information's measure.
struct GradeMode {
  std::vector<double> at;
  double decrement = 0.0;
  int iterations = 0;
};

/// Fisher scoring; each step is exact and costs O(nodes + cells).
GradeMode find_mode(const Ascents& ascents, Monitor& monitor);

struct GradeDraws {
  double* slope = nullptr;          ///< chains x draws: m
  double* log_posterior = nullptr;  ///< chains x draws
  double* mean = nullptr;           ///< chains x nodes: running mean of the abilities
  double* squares = nullptr;        ///< chains x nodes: and sum of squared deviations from it
};

/// `counts`: draws that each chain's moments hold, brought up to date. Returns how many draws every chain has
/// made in this call.
std::int64_t sample_grades(const Ascents& ascents, const GradeMode& mode, std::vector<Chain>& chains,
                           const ChainOptions& options, std::uint64_t seed, std::vector<std::int64_t>& counts,
                           const GradeDraws& out, Monitor& monitor);

}  // namespace steelyard::rank
