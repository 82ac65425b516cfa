// The Plackett-Luce model of rankings.
//
// Item i of strength exp(s_i) is chosen first among the items that remain with probability proportional to
// it. A ranking of items a_1, ..., a_m whose first k places are known (k = m - 1: all; k = 1: one choice) has
//
//     log P = sum_{u <= k} [ s_{a_u} - log sum_{v >= u} exp(s_{a_v}) ],
//
// which is concave in s; with k = 1 and m = 2 it is Bradley and Terry's. Fits
// maximise sum_r w_r log P_r. Plackett, Appl. Statist. 24 (1975); Luce, "Individual Choice Behavior" (1959).
//
// Backwards over a ranking, with L_u = log sum_{v >= u} exp s, q_u = exp(s_u - L_u), r_u = exp(L_{u+1} -
// L_u); forwards C_u = [u <= k] + r_{u-1} C_{u-1} and E_u = [u <= k] + r_{u-1}^2 E_{u-1}: the gradient at
// place u is [u <= k] - q_u C_u, the curvature q_u C_u - q_u^2 E_u on the diagonal and -q_a E_a (r_a ...
// r_{b-1}) q_b for a < b. O(m^2) a ranking for the curvature, O(m) without; no difference of large numbers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/monitor.hpp"

namespace steelyard::rank {

/// Ranking r lists items[starts[r]] .. items[starts[r + 1] - 1], best first.
struct Rankings {
  std::span<const std::int64_t> starts;
  std::span<const std::int32_t> items;
  std::span<const std::int32_t> stages;  ///< known places of each ranking
  std::span<const double> weight;        ///< of each ranking; empty: 1
};

struct RankingDerivatives {
  double log_likelihood = 0.0;
  std::vector<double> gradient;   ///< n
  std::vector<double> curvature;  ///< n x n: minus the Hessian; empty if not wanted
  std::vector<double> outer;      ///< n x n: sum of w^2 g g' over rankings; empty if not wanted
};

/// At `strengths` (n). In the order of the rankings, on one thread. Unfinished if stopped.
RankingDerivatives differentiate(const Rankings& rankings, std::span<const double> strengths, bool curvature,
                                 bool outer, Monitor& monitor);

}  // namespace steelyard::rank
