// Information-theoretic metric learning: the Mahalanobis matrix nearest to the identity, in LogDet
// divergence, under which similar points are near and dissimilar ones far.
//
//   minimise  tr A - log det A - d + gamma sum_c [xi_c / b_c - log(xi_c / b_c) - 1]
//   over positive definite A and xi,  p_c = v_c' A v_c <= xi_c for similar, >= xi_c for dissimilar pairs,
//
// v_c = x_i - x_j, b_c the bound of the pair's kind. With duals lambda >= 0 and s_c = +1 for similar, -1 for
// dissimilar pairs,
//
//   A^-1 = I + sum_c s_c lambda_c v_c v_c',   1 / xi_c = 1 / b_c - s_c lambda_c / gamma,
//
// so that lambda alone is stored. The step on one constraint is alpha = min(lambda, s g (1/p - 1/xi)), g =
// gamma / (gamma + 1), lambda -= alpha, and A += beta Av v'A with beta = s alpha / (1 - s alpha p): it ends
// on the constraint's boundary, or with lambda = 0, and keeps A positive definite. Optimal iff no step moves.
//
// Certificate: any lambda >= 0 with A^-1 positive definite and xi > 0 gives the lower bound -log det A -
// gamma sum log(xi / b); A with the best xi for it, max(p, b) or min(p, b), is feasible and gives the upper
// one; the rounding of the factorisation is taken off the lower one. Differences v_c are those of the points
// as given: near points of different classes have duals of order 1 / |v|^2, and nothing may be rounded first.
//
// Sonthalia & Gilbert's steps, alpha = min(lambda, s/2 (1/p - gamma/xi)), are these with gamma = 1 and bounds
// b / gamma: with zeta = xi / gamma their 1 / zeta = gamma / b - s lambda.
//
// Eight listed constraints at a time meet A in one product and one update, which give the same steps one by
// one: 1.5 d^2 multiplications each, in random order. From 32 features on it is sixteen in single precision,
// with duals in double, from which A comes anew at each certificate. Double goes on once the steps are small,
// or where a p is so small beside tr A |v|^2 that single precision does not know it.
//
// All pairs of labelled points come in blocks, 64 pairs of 16 points: with Y = A X and G = X'Y of a block's
// points X, its steps A_k = A + Y B_k Y' need these alone,
//
//   v = X (e_i - e_j),  c = (I + B_k G)(e_i - e_j),  A_k v = Y c,  B_k+1 = B_k + beta c c',
//
// and A takes B at the end: 3 d^2 / 8 + 500 multiplications a pair. Each sweep draws groups of eight points
// and the order of the blocks of two groups, and takes each pair once. Where the first sweeps stretch and
// shrink A by orders, a block's sums lose some digits more than single steps; A comes anew from the duals
// with each certificate, and no bound rests on the steps.
//
// 8 bytes a constraint, 8 d^2 for A, and for all pairs three copies of the points. Davis, Kulis, Jain, Sra &
// Dhillon, ICML 2007; Sonthalia & Gilbert, "Project and Forget", JMLR 23 (2022).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/info.hpp"
#include "core/monitor.hpp"
#include "core/views.hpp"

namespace steelyard::metric {

/// Pairs to keep near or far: listed, or all pairs of labelled points in condensed order.
struct MetricPairs {
  std::span<const std::int32_t> first, second;  ///< listed pairs; empty: all pairs
  std::span<const std::int8_t> similar;         ///< one a listed pair
  std::span<const std::int32_t> labels;         ///< all pairs: similar iff equal

  bool listed() const { return labels.empty(); }
};

struct ItmlOptions {
  double near = 1.0, far = 10.0;  ///< bounds of the squared distances
  double gamma = 1.0;
  double tol = 1e-3;  ///< of (upper - lower bound) / max(upper bound, 1)
  int max_sweeps = 1000;
  std::uint64_t seed = 0, stream = 0;
};

struct ItmlSolution {
  std::vector<double> matrix;  ///< A, d x d
  double upper = 0.0, lower = 0.0;
  std::ptrdiff_t active = 0;   ///< constraints with lambda > 0
  std::ptrdiff_t skipped = 0;  ///< pairs of equal points, which no matrix moves
  std::int64_t steps = 0;      ///< constraints looked at
  Info info;
};

/// Info::error_bound is the relative gap, in the trace as last computed.
ItmlSolution learn_metric(MatrixView<const double> points, const MetricPairs& pairs,
                          const ItmlOptions& options, Monitor& monitor);

}  // namespace steelyard::metric
