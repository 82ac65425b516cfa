// Weighted L1 projection onto bounded metrics,
//
//     min  sum_e w_e |x_e - d_e|   over  x_ij <= x_ik + x_kj,  0 <= x <= upper,  x_e = upper where fixed,
//
// which is metric nearness in the L1 norm and, with d in {0, 1} and upper = 1, the linear relaxation of
// correlation clustering. Proximal steps
//
//     x_{k+1} = argmin  sum_e w_e |x_e - d_e| + W_e (x_e - x_{k,e})^2 / (2 t),   W = max(w, a floor),
//
// each a weighted projection: coordinate descent on the duals of violated triangles alternates with the
// separable proximal map, duals are kept from step to step, and triangles whose dual is 0 are forgotten
// (Sonthalia & Gilbert, JMLR 23(326), 2022; the first step from x = d is their regularised problem).
//
// The lower bound holds for any duals lambda >= 0, and is computed from them alone:
//
//     sum_e min { w_e |x - d_e| + (A'lambda)_e x : 0 <= x <= upper },
//
// less what rounding may have added. Where the answer may be small beside d (`near`), it is lambda'(A d) and
// what |A'lambda| > w costs within |x_e - d_e| <= P / w_e: no metric that costs more than P, the best so far,
// is the best. That bound has the digits of the answer.
//
// The upper bound is the objective of a feasible point, the shortest-path closure of x.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/info.hpp"
#include "core/monitor.hpp"

namespace steelyard::metric {

struct L1Problem {
  std::ptrdiff_t points = 0;
  std::span<const double> target;       ///< d, condensed, in [0, upper]
  std::span<const double> weights;      ///< w >= 0, condensed
  std::span<const std::uint8_t> fixed;  ///< nonzero: x_e = upper; may be empty
  double upper = 1.0;
};

struct L1Options {
  double tol = 1e-2;    ///< of (offset + upper bound) / (offset + lower bound) - 1
  double offset = 0.0;  ///< a constant of the objective
  double known = -1.0;  ///< objective of a feasible point known already, without the offset; < 0: none
  int rounds = 4;       ///< of search and sweeps a step: two leave triangles that are costly to close
  int sweeps = 10;      ///< of projections a round
  double reach = 1.0;   ///< t, in units of upper: long steps for few digits, short ones for many
  int max_steps = 200;  ///< proximal steps
  bool near = false;    ///< the bound that is relative to the answer
};

struct L1Solution {
  std::vector<double> x;                ///< a feasible point
  double objective = 0.0, lower = 0.0;  ///< without the offset; the objective may be that known already
  std::ptrdiff_t active = 0;            ///< triangles in use
  Info info;
};

/// O(pairs with x < upper that share a point) time a round. Memory: 28 bytes a pair, 28 a triangle in use.
/// The same bits for any number of threads.
L1Solution solve_l1(const L1Problem& problem, const L1Options& options, Monitor& monitor);

}  // namespace steelyard::metric
