// The thin border of a paired comparison Hessian (tie and home parameters), eliminated by its Schur
// complement.
//
// H = [ A  K ; K'  M ]. With X ~ A^{-1} [g K] from any solver, the direction takes the border exactly and A
// as well as it was solved. Certificate: for any direction d whose border part is exact, with residual r_s,
//   g' H^{-1} g <= 2 g'd - d'Hd + (r_s' A^{-1} r_s) / (1 - rho^2),  rho^2 = |M^{-1/2} K' A^{-1} K M^{-1/2}|,
// where the caller bounds r' A^{-1} r from above (`energy`).
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "rank/likelihood.hpp"

namespace steelyard::rank {

/// A symmetric matrix of size 0, 1 or 2: the border's block.
struct Small {
  int size = 0;
  std::array<double, 4> a{};

  double at(int i, int j) const { return a[static_cast<std::size_t>(i * size + j)]; }
  double& at(int i, int j) { return a[static_cast<std::size_t>(i * size + j)]; }

  /// x <- A^{-1} b; false unless positive definite.
  bool solve(const std::array<double, 2>& b, std::array<double, 2>& x) const;
};

/// A direction for all parameters and how far it says the optimum is.
struct NewtonDirection {
  std::vector<double> strengths;
  double tie = 0.0, home = 0.0;
  double slope = 0.0;      ///< g'd over all parameters
  double decrement = 0.0;  ///< upper bound of sqrt(g' H^+ g); up to rounding with a direct solver
  double lower = 0.0;      ///< lower bound of it
  int cg_iterations = 0;
};

/// M - K' A^{-1} K for `solved` = A^{-1} K, both n x extra with rows `stride` apart.
Small schur_complement(const Derivatives& d, const double* border, const double* solved, std::ptrdiff_t n,
                       std::ptrdiff_t stride);

/// What a solver of A takes and gives: column 0 the gradient, then the border.
struct BorderedSystem {
  std::ptrdiff_t n = 0, columns = 1;
  std::vector<double> right, solved;  ///< n x columns, row-major
  std::array<double, 2> extra{};      ///< the direction's border part

  explicit BorderedSystem(const Derivatives& d);

  /// The direction from `solved`; false when the Schur complement is not positive definite.
  bool combine(const Derivatives& d, const Model& model, NewtonDirection& out);

  /// Certifies a direction of an inexact solver. `multiply`: Y <- A X, `columns` interleaved vectors;
  /// `energy(r, stride)` >= r' A^{-1} r.
  void bound(const Derivatives& d, const std::function<void(const double*, double*)>& multiply,
             const std::function<double(const double*, std::ptrdiff_t)>& energy, NewtonDirection& out) const;
};

}  // namespace steelyard::rank
