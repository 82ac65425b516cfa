// Convex combinations of predictions: w on the simplex that does best on rows whose outcome is known.
//
//   squared   minimise  sum_i c_i (y_i - P_i w)^2
//   log       maximise  sum_i c_i log(P_i w),  P >= 0
//   pinball   minimise  sum_i c_i rho_i(y_i - P_i w),  rho_i(u) = max(tau_i u, (tau_i - 1) u)
//
// c > 0 with sum 1. All three are convex, and each answer carries its own proof:
//   squared   with r = Pw - y and g = E'(c r), E = P - y1':  f(w) - min f <= 2 (sum c r^2 - min_k g_k), the
//             Frank-Wolfe gap, taken from the rows and not from the Gram matrix;
//   log       max f - f(w) <= max_k sum_i c_i P_ik / (P_i w) - 1;
//   pinball   a dual point a in [tau - 1, tau]:  min f >= -max_k (E'(c a))_k, and `gap` is primal less dual.
// What rounding can hide of a gap is part of it.
//
// squared: the Gram matrix E'(c E), then the simplex program over K weights (qp/simplex_qp.hpp), repaired by
// the gradient from the rows until the gap is reached. log: sequential quadratic programs with the exact
// Hessian P' diag(c / m^2) P, m = Pw; self-concordance makes backtracked steps converge from anywhere.
// pinball: Mehrotra's predictor and corrector in K dimensions; residuals u - v = y - Pw and the duals are
// feasible all along. O(n K^2) a step, 5 to 40 steps. Same bits for any number of threads.
//
// Sources: Jaggi, ICML 2013 (the gap); Lindsay, Ann. Statist. 11 (1983) (mixtures); Kim, Carbonetto, Stephens &
// Anitescu, J. Comput. Graph. Statist. 29 (2020) (mix-SQP); Mehrotra, SIAM J. Optim. 2 (1992), 575-601.
#pragma once

#include <span>
#include <vector>

#include "core/info.hpp"
#include "core/monitor.hpp"
#include "core/views.hpp"

namespace steelyard::weigh {

struct EnsembleProblem {
  MatrixView<const double> predictions;  ///< n x K
  std::span<const double> y;             ///< n; empty for log
  std::span<const double> weights;       ///< c, n
  std::span<const double> levels;        ///< tau, n; pinball alone
};

struct EnsembleOptions {
  double tol = 1e-10;  ///< of gap / loss (squared, pinball), of the gap itself (log)
  int max_iter = 100;
};

struct EnsembleAnswer {
  std::vector<double> weights;  ///< K
  double loss = 0.0;            ///< of the mixture; log: minus the mean logarithm
  double gap = 0.0;             ///< loss less the least loss is at most that
  std::vector<double> singles;  ///< losses of the columns, each alone
  Info info;                    ///< error_bound: what tol is held to
};

EnsembleAnswer squared_weights(const EnsembleProblem& problem, const EnsembleOptions& options,
                               Monitor& monitor);
EnsembleAnswer log_weights(const EnsembleProblem& problem, const EnsembleOptions& options, Monitor& monitor);
EnsembleAnswer pinball_weights(const EnsembleProblem& problem, const EnsembleOptions& options,
                               Monitor& monitor);

}  // namespace steelyard::weigh
