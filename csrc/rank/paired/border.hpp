// The thin border of a paired comparison Hessian (tie parameter, home, covariates), eliminated by its Schur
// complement.
//
// H = [ A  K ; K'  M ]. With X ~ A^{-1} [g K] from any solver, the direction takes the border exactly and A
// as well as it was solved. Certificate: for any direction d whose border part is exact, with residual r_s,
//   g' H^{-1} g <= 2 g'd - d'Hd + (r_s' A^{-1} r_s) / (1 - rho^2),  rho^2 = |M^{-1/2} K' A^{-1} K M^{-1/2}|,
// where the caller bounds r' A^{-1} r from above (`energy`) and 1 - rho^2 >= 1 / trace(S^{-1} M) for a lower
// bound S of M - K' A^{-1} K.
#pragma once

#include <functional>
#include <vector>

#include "core/index.hpp"
#include "rank/paired/likelihood.hpp"

namespace steelyard::rank {

/// A symmetric matrix of a few rows, the border's block, and its factor A = L L'.
class Small {
 public:
  explicit Small(int size = 0) : size_(size), a_(steelyard::at(size * size), 0.0) {}
  Small(int size, std::vector<double> values) : size_(size), a_(std::move(values)) {}

  int size() const { return size_; }
  double& at(int i, int j) { return a_[steelyard::at(i * size_ + j)]; }
  double at(int i, int j) const { return a_[steelyard::at(i * size_ + j)]; }

  /// Replaces A by L; false unless positive definite. All below need it.
  bool factor();
  void solve_lower(double* x) const;       ///< x <- L^{-1} x
  void solve_transposed(double* x) const;  ///< x <- L^{-T} x
  void solve(double* x) const;             ///< x <- A^{-1} x
  double log_determinant() const;

 private:
  int size_;
  std::vector<double> a_;
};

/// A direction for all parameters and how far it says the optimum is.
struct NewtonDirection {
  std::vector<double> strengths, extra;  ///< extra: in the border's order
  double slope = 0.0;                    ///< g'd over all parameters
  double decrement = 0.0;  ///< upper bound of sqrt(g' H^+ g); up to rounding with a direct solver
  double lower = 0.0;      ///< lower bound of it
  int cg_iterations = 0;
};

/// g'd over all parameters.
double slope_along(const Derivatives& d, const NewtonDirection& direction);

/// Largest change that a full step makes to the argument of a logistic function: an edge's x, or a strength itself
/// where the prior holds it.
double largest_change(const PairProblem& problem, const NewtonDirection& direction, Monitor& monitor);

/// at <- at + step * direction.
void move_along(const Model& model, const NewtonDirection& direction, double step, Parameters& point);

/// M - K' A^{-1} K for `solved` = A^{-1} K, both n x extra with rows `stride` apart.
Small schur_complement(const Derivatives& d, const double* border, const double* solved, std::ptrdiff_t n,
                       std::ptrdiff_t stride);

/// What a solver of A takes and gives: column 0 the gradient, then the border.
struct BorderedSystem {
  std::ptrdiff_t n = 0, columns = 1;
  std::vector<double> right, solved;  ///< n x columns, row-major

  explicit BorderedSystem(const Derivatives& d);

  /// The direction from `solved`; false when the Schur complement is not positive definite.
  bool combine(const Derivatives& d, NewtonDirection& out);

  /// Certifies a direction of an inexact solver. `multiply`: Y <- A X, `columns` interleaved vectors;
  /// `energy(r, stride)` >= r' A^{-1} r.
  void bound(const Derivatives& d, const std::function<void(const double*, double*)>& multiply,
             const std::function<double(const double*, std::ptrdiff_t)>& energy, NewtonDirection& out) const;
};

}  // namespace steelyard::rank
