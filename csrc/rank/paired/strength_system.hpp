// Solves the Newton system of a paired comparison model and bounds its Newton decrement.
//
// H = [ L  K ; K'  M ] with L a graph Laplacian plus the prior's diagonal; the border is eliminated by its
// Schur complement S = M - K' L^+ K. Decrement^2 = g' H^+ g.
//
// The direct solvers give the decrement up to rounding. Conjugate gradients give an approximate direction d
// with residual r = g - H d, and for any d
//   g' H^+ g = 2 g'd - d'Hd + r' H^+ r.
// The last term is bounded without spectral estimates: d's border part is exact, so r = (r_s, 0), and
//   r' H^+ r <= r_s' L^+ r_s / (1 - rho^2),    rho^2 = |M^{-1/2} K' L^+ K M^{-1/2}| (bounded likewise),
//   r_s' L^+ r_s <= sum_e f_e^2 / c_e          for any flow f with divergence r_s (Thomson's principle);
// f is routed along a spanning tree, or to the ground through the prior's edges.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "linalg/cg.hpp"
#include "linalg/sparse_cholesky.hpp"
#include "rank/options.hpp"
#include "rank/paired/border.hpp"

namespace steelyard::rank {

class StrengthSystem {
 public:
  /// Chooses the linear solver: dense up to own_cholesky_limit items; sparse Cholesky where the predicted
  /// work is low; else dense through LAPACK if small, else conjugate gradients.
  StrengthSystem(const PairGraph& graph, const Model& model, Linear wanted, Monitor& monitor);

  /// Takes the Hessian of `d` (factors it if direct). False: not positive definite, or stopped.
  bool prepare(const Derivatives& d, Monitor& monitor);

  /// Newton direction at the prepared point. `accuracy`: relative, for conjugate gradients. False: failed or
  /// stopped.
  bool direction(const Derivatives& d, double accuracy, NewtonDirection& out, Monitor& monitor);

  /// X <- L^+ B for the strength block alone, items x columns row-major. False: failed or stopped.
  bool solve(const Derivatives& d, const double* b, double* x, std::ptrdiff_t columns, double accuracy,
             Monitor& monitor);

  /// X <- H^+ B over all parameters (strengths, then the border's), B with items + extra rows. False:
  /// failed or stopped.
  bool solve_all(const Derivatives& d, const MatrixView<const double>& b, double* x, double accuracy,
                 Monitor& monitor);

  /// The decrement that rounding alone can make at the prepared point.
  double rounding(const PairProblem& problem, const Parameters& point, const Derivatives& d,
                  Monitor& monitor);

  Linear chosen() const { return chosen_; }
  std::string describe() const;

 private:
  /// Upper bound of r' L^+ r for the residual in one column.
  double tree_energy(const Derivatives& d, const double* residual, std::ptrdiff_t stride);
  void grow_tree(const Derivatives& d);

  const PairGraph& graph_;
  Model model_;
  Linear chosen_ = Linear::dense;
  std::int32_t ground_ = 0;    ///< item whose strength is held while factoring a Laplacian
  std::vector<double> dense_;  ///< items x items, lower triangle
  std::optional<linalg::SparseCholesky> sparse_;
  std::vector<double> row_curvature_;  ///< curvatures in row order
  std::vector<double> scratch_b_;
  std::vector<std::int32_t> tree_order_, tree_parent_;
  std::vector<double> tree_curvature_;
  int last_iterations_ = 0;
};

}  // namespace steelyard::rank
