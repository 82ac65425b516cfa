// Quadratic programs over a box, with or without a sum constraint:
//
//   minimise  f(p) = 1/2 p'Kp - q'p   subject to  lower <= p <= upper  [and  sum p = total],
//
// or with a sum for each of some groups that share the coordinates out (`mu`, `nu` below are then one a group).
//
// K symmetric and given by rows on demand, so that it is never held as a whole.
//
// Certificate: with g = Kp - q, the duality (Frank-Wolfe) gap
//   gap(p) = g'p - min { g's : s feasible } = sum_i (g_i - mu)(p_i - s_i),
// s the minimising vertex (lower bounds, then filled up in the order of g; mu is the g where the filling
// stops, 0 without a sum constraint). If K is positive semidefinite on the feasible directions,
// f(p) - min f <= gap(p); for any K the gap is zero exactly at the KKT points. An infinite upper bound
// without a sum constraint would make it infinite for the slightest g_i < 0: there the minimum is taken over
// s_i <= lower_i + 2 (largest p_j - lower_j) + |g_i| / K_ii, and the bound is an estimate.
// Rounding is part of what is stated: with m nonzero p_j, g_i is off by (m + 8) u (sum_j |K_ij p_j| + |q_i|) at
// most, u = 2^-53: the gap is off by the sum of that times p_i - lower_i, and by what s could then be instead
// (mass moved to an i whose g_i may be below mu; in a box, the other end where the sign of g_i is open). |K_ij| <= |a_i| + |a_j| + sqrt(G_ii G_jj)
// for the semidefinite G = K - a1' - 1a' below (a = 0 without a sum constraint): no further pass over K.
//
// Method: SMO with the second-order choice of the working pair (greedy coordinate descent without a sum
// constraint) to about four digits, then a primal active-set method on the free coordinates F, whose factor
// of K_FF + delta I follows the changes of F; delta is a proximal term at rounding level, so that singular K
// (duplicates, low rank) needs no special case. With a sum constraint the factored matrix is
// K_ij - a_i - a_j with a_i = K_ir - (K_rr + s)/2, which has the same f up to a constant and is positive
// definite whenever K is so on the vectors of sum zero: kernels such as -distance are welcome. If F is too
// large for a factor: projected Newton steps by linalg/cg.
//
// Cost: one pass over the rows of K for the start; O(n) and two rows an SMO step; |F|^3/3 flops once, then
// O(|F|^2) for each change of F. Memory: the row cache, 8 |F|^2 bytes (up to `factor_limit`), O(n).
//
// Sources: Fan, Chen & Lin, JMLR 6 (2005), 1889-1918 (second-order choice); Nocedal & Wright, Numerical
// Optimization (2006), 16.5 (active sets); Jaggi, ICML 2013 (the gap); Rockafellar, SIAM J. Control Optim. 14
// (1976), 877-898 (proximal point).
//
// Indefinite K: f falls until a KKT point; `convex` is false once negative curvature was met. The other way
// round nothing is proven: no factor of the whole of K is made.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/info.hpp"
#include "core/monitor.hpp"
#include "qp/symmetric_rows.hpp"

namespace steelyard::qp {

struct QpProblem {
  SymmetricRows& k;
  std::span<const double> q, lower, upper;    ///< lower finite; upper >= lower, may be +inf
  std::span<const double> totals;             ///< one a group, between the sums of its bounds; empty: no sums
  std::span<const std::int32_t> groups = {};  ///< 0 .. totals.size() - 1; empty: one group
  std::span<const double> init = {};          ///< where to begin, brought to bounds and totals; empty: evenly
};

struct QpOptions {
  double tol = 1e-10;         ///< of gap / (1/2 p'Kp + |q'p|)
  double gap_tol = 0.0;       ///< a gap of that size is small enough, too
  std::int64_t max_iter = 0;  ///< SMO steps + changes of the active set; 0: 1000 + 200 n
  std::size_t cache_bytes = std::size_t{256} << 20;
  double rough = 1e-4;  ///< share of the terms to which pairs descend before the active set takes over
  std::ptrdiff_t factor_limit = 8000;  ///< free coordinates beyond which no factor is made
  bool newton = true;                  ///< go on beyond it, by conjugate gradients
};

struct QpResult {
  std::vector<double> x;
  double objective = 0.0;
  double gap = 0.0;
  double terms = 0.0;      ///< 1/2 p'Kp + |q'p|
  bool convex = true;      ///< no negative curvature was met
  bool unbounded = false;  ///< f falls without end (only with an infinite upper bound and no total)
  Info info;  ///< error_bound: gap / (1/2 p'Kp + |q'p|); converged: but for rounding it is at most tol
};

/// Same bits for any number of threads (beyond own_cholesky_limit: for a given thread count of SciPy's BLAS).
QpResult solve_simplex_qp(const QpProblem& problem, const QpOptions& options, Monitor& monitor);

}  // namespace steelyard::qp
