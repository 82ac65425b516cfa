// Games between sides of several items: strengths of the items, features of theirs and a home advantage.
//
// With a row a_g of weights a game (left positive, right negative), x_g = a_g' s + z_g' b, where z holds what shifts x
// beside the free strengths (home, features), and outcomes as in model.hpp. Priors: model.hpp's logistic one on each
// free strength, ridge_e b_e^2 / 2 on each effect. With W the curvatures by x the negative Hessian is
//   [ A' W A + diag(prior)   K ;  K'   M ],
// solved by dense or sparse Cholesky or, where the items meet in too many ways, by conjugate gradients that pass over A
// twice a step. A pass: O(entries of A), parallel over fixed chunks; memory likewise.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/info.hpp"
#include "core/monitor.hpp"
#include "core/views.hpp"
#include "linalg/sparse_cholesky.hpp"
#include "rank/options.hpp"
#include "rank/paired/border.hpp"
#include "rank/paired/model.hpp"

namespace steelyard::rank {

/// A matrix of games x items by rows and by columns; the arrays are the caller's.
struct SideMatrix {
  CsrPattern rows, columns;
  std::span<const double> row_values, column_values;

  std::ptrdiff_t games() const { return rows.rows(); }
  std::ptrdiff_t items() const { return columns.rows(); }
};

/// Columns that belong to groups, of which none meets another's (group_system.hpp); none: `begins` is empty.
struct GroupBlocks {
  std::span<const std::int64_t> begins;  ///< first column of each group, and the number of columns
  std::span<const std::int32_t> whole;   ///< of each such column, that of the whole, ascending; -1: none
};

/// Without free strengths the matrix has no columns.
struct TeamProblem {
  SideMatrix sides;
  MatrixView<const double> effects;  ///< games x effects
  std::span<const double> ridge;     ///< one an effect
  Counts counts;                     ///< one a game, of the left side
  Ties ties = Ties::none;
  double prior = 0.0;
  std::span<const double> springs;  ///< curvatures of normal priors, which replace it where they are positive
  bool centred = false;             ///< the common shift changes no x and has no prior: keep the mean at 0
  GroupBlocks groups;               ///< whose springs are all alike

  int tie_columns() const { return ties != Ties::none ? 1 : 0; }
  int extra() const { return tie_columns() + static_cast<int>(effects.cols); }
};

struct TeamPoint {
  std::vector<double> strengths;
  double tie = 0.0;  ///< as of model.hpp
  std::vector<double> effects;
};

/// The border: tie, then effects. False when stopped.
bool evaluate(const TeamProblem& problem, const TeamPoint& point, Derivatives& out, Monitor& monitor);

/// Of the data, without priors.
double log_likelihood(const TeamProblem& problem, const TeamPoint& point, Monitor& monitor);

/// y <- A x.
void multiply_sides(const SideMatrix& sides, const double* x, double* y, Monitor& monitor);

/// y <- A' C A x for `columns` interleaved vectors, C the diagonal of `curvature` (empty: 1). One pass over the games
/// where there are many an item: sums of fixed chunks, in their order. `by_game` is working memory.
void multiply_gram(const SideMatrix& sides, std::span<const double> curvature, const double* x, double* y,
                   std::ptrdiff_t columns, std::vector<double>& by_game, Monitor& monitor);

class GroupSystem;

/// Solves the Newton system, as strength_system.hpp does for pairs. What conjugate gradients leave of the decrement,
/// r' A^{-1} r, is bounded through the prior; without one through half the smallest Ritz value, which is an estimate.
class TeamSystem {
 public:
  TeamSystem(const TeamProblem& problem, Linear wanted, Monitor& monitor);
  ~TeamSystem();

  bool prepare(const Derivatives& d, Monitor& monitor);
  bool direction(const Derivatives& d, double accuracy, NewtonDirection& out, Monitor& monitor);
  /// X <- H^+ B over all parameters, strengths first.
  bool solve_all(const Derivatives& d, const MatrixView<const double>& b, double* x, double accuracy,
                 Monitor& monitor);

  /// Of the Hessian over all parameters; NaN unless the blocks of groups are factored.
  double log_determinant(const Derivatives& d, Monitor& monitor);

  bool estimates() const { return chosen_ == Linear::cg && problem_.prior <= 0.0; }
  bool iterates() const { return chosen_ == Linear::cg; }
  std::string describe() const;

 private:
  bool solve(const Derivatives& d, const double* b, double* x, std::ptrdiff_t columns, double accuracy,
             Monitor& monitor);
  void multiply(const Derivatives& d, const double* x, double* y, std::ptrdiff_t columns, Monitor& monitor);
  bool fill_dense(const Derivatives& d, Monitor& monitor);
  bool fill_sparse(const Derivatives& d, Monitor& monitor);
  double energy(const Derivatives& d, const double* residual, std::ptrdiff_t stride) const;

  const TeamProblem& problem_;
  Linear chosen_ = Linear::dense;
  std::int32_t ground_ = 0;  ///< item that holds the common shift while a centred system is factored
  std::vector<double> dense_, by_game_;
  std::vector<std::int64_t> met_offsets_;  ///< who meets whom, once a game: pattern of the sparse factor
  std::vector<std::int32_t> met_;
  std::optional<linalg::SparseCholesky> sparse_;
  std::unique_ptr<GroupSystem> groups_;
  double smallest_ = 0.0;  ///< Ritz value of the last solve
  int last_iterations_ = 0;
};

struct TeamFit {
  Info info;
  TeamPoint point;
  double log_likelihood = 0.0;
  double log_volume = std::numeric_limits<double>::quiet_NaN();  ///< log det H there, of groups
};

/// Newton's method (newton_loop.hpp).
TeamFit fit_teams(const TeamProblem& problem, const TeamPoint& start, const FitOptions& options,
                  Monitor& monitor);

/// The parts of random vectors (items x columns, row-major, overwritten) that A does not see, by conjugate gradients on
/// A' A. False where they did not converge, or when stopped.
bool unseen_parts(const SideMatrix& sides, double* vectors, std::ptrdiff_t columns, Monitor& monitor);

}  // namespace steelyard::rank
