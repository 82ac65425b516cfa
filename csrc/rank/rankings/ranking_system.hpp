// Solves the Newton system of rankings and bounds its Newton decrement.
//
// Minus the Hessian, H, is the Laplacian of a graph that joins every two items of a ranking, plus the prior's
// diagonal. Conjugate gradients with the diagonal of H as preconditioner: O(places) a pass, O(places + items)
// memory. Dense Cholesky for few items: O(sum of squared lengths + items^3). Sparse Cholesky where conjugate
// gradients take many passes: rankings of neighbours on a long ladder fill in little.
//
// Conjugate gradients leave a direction d with a residual r = g - H d, and for any d
//   g' H^+ g = 2 g'd - d'Hd + r' H^+ r,      r' H^+ r <= sum_e f_e^2 / c_e
// for any flow f with divergence r (Thomson's principle). It is routed along a spanning tree of edges of one
// ranking each, whose conductance c_e is at most that of H; or to the ground through the prior. From below,
// H <= 2 diag(H) gives g' H^+ g >= sum_i g_i^2 / (2 H_ii).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "linalg/sparse_cholesky.hpp"
#include "rank/options.hpp"
#include "rank/rankings/ranking_likelihood.hpp"

namespace steelyard::rank {

struct RankingDirection {
  std::vector<double> strengths;
  double slope = 0.0;      ///< g'd
  double decrement = 0.0;  ///< upper bound of sqrt(g' H^+ g); up to rounding with a direct solver
  double lower = 0.0;      ///< lower bound of it
  int cg_iterations = 0;
};

/// sqrt(sum_i g_i^2 / (2 H_ii)): a lower bound of the decrement for the price of a sum.
double least_decrement(const RankingDerivatives& d);

/// Largest change of a difference within a ranking, or of a strength itself where the prior holds it; from above
/// where that is at most `small`.
double largest_change(const RankingModel& model, const std::vector<double>& direction, double small);

class RankingSystem {
 public:
  /// `automatic` starts with dense Cholesky or conjugate gradients, whichever should be cheaper; where the
  /// latter take many passes it tries a sparse factor, and where they have cost as much as a dense one, that.
  RankingSystem(const RankingModel& model, Linear wanted);

  /// Newton direction at `d`. `accuracy`: relative, for conjugate gradients; raised where the bounds of the
  /// decrement leave open whether it meets `tol`. False: not positive definite to rounding, or stopped.
  bool direction(RankingDerivatives& d, double accuracy, double tol, RankingDirection& out, Monitor& monitor);

  /// X <- H^+ B, items x columns row-major. False: failed or stopped.
  bool solve(RankingDerivatives& d, const double* b, double* x, std::ptrdiff_t columns, double accuracy,
             Monitor& monitor);

  /// The decrement that rounding alone can make at `d`, to a small factor: strengths off by eps |s_i| in the norm
  /// of H <= 2 diag(H), shares by eps of themselves, which in the norm of a choice's inverse is eps, and sums by
  /// eps of their terms (rounding_probe.hpp).
  double rounding(RankingDerivatives& d, std::span<const double> strengths, Monitor& monitor);

  std::string describe() const;

 private:
  /// The edge by which an item hangs on its parent.
  struct Branch {
    std::int32_t item = 0, parent = -1, ranking = 0;
    std::int64_t first = 0, second = 0;  ///< its places in the ranking
  };

  bool solve_dense(const RankingDerivatives& d, double* x, std::ptrdiff_t columns, Monitor& monitor);
  bool solve_sparse(const RankingDerivatives& d, double* x, std::ptrdiff_t columns, Monitor& monitor);
  bool iterate(RankingDerivatives& d, const double* b, double* x, std::ptrdiff_t columns, double accuracy,
               int most_passes, Monitor& monitor);
  void analyse(const RankingDerivatives& d, double most_flops, Monitor& monitor);
  void bound(RankingDerivatives& d, RankingDirection& out, Monitor& monitor);
  void shift_exactly(const RankingDerivatives& d, RankingDirection& out);
  double residual_energy(const RankingDerivatives& d, std::vector<double>& residual, Monitor& monitor);
  double tree_energy(const RankingDerivatives& d, std::vector<double>& flow, Monitor& monitor);
  void grow_tree(const std::vector<Share>& shares, Monitor& monitor);

  RankingModel model_;
  Linear chosen_ = Linear::cg;
  bool automatic_ = false, analysed_ = false;
  int most_passes_ = 20'000;
  std::vector<double> matrix_;  ///< items x items, lower triangle
  RankingPairs pairs_;
  std::optional<linalg::SparseCholesky> factor_;
  std::vector<Branch> tree_;  ///< breadth first
  std::vector<double> product_, residual_;
  int last_iterations_ = 0;
};

}  // namespace steelyard::rank
