// The one preconditioned conjugate gradient of the library: A X = B for several right-hand sides in
// lock-step.
//
// A symmetric positive semidefinite and consistent with B (B in the range of A). Vectors are stored
// row-major, n x columns, so that one pass over A serves all columns. Each column keeps its own recurrence
// and stops by itself.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "core/monitor.hpp"

namespace steelyard::linalg {

/// Y <- A X, both n x columns row-major. Called on the calling thread; may use the pool itself.
using Apply = std::function<void(const double* x, double* y, std::ptrdiff_t columns)>;

struct CgOptions {
  double tol = 1e-10;  ///< stop a column when ||r||_{M^-1} <= tol * ||b||_{M^-1}
  int max_iter = 1000;
  bool project_mean = false;  ///< A has the constant vector in its kernel: keep x orthogonal to it
  bool euclidean = false;     ///< stop by ||r||_2 <= tol * ||b||_2 instead
  /// Or stop by the estimated error of the energy, error_estimate^2 <= tol * (base + energy), one base a
  /// column.
  const std::vector<double>* energy_base = nullptr;
  std::vector<char>* moving = nullptr;  ///< kept up to date: the columns that `apply` must still fill
};

struct CgColumn {
  int iterations = 0;
  bool converged = false;
  double residual = 0.0;          ///< ||b - A x||_{M^-1}, of the recurrence
  double scale = 0.0;             ///< ||b||_{M^-1}
  double energy = 0.0;            ///< b' x_k = sum alpha_k (r'z)_k: a lower bound of b' A^+ b
  double lanczos_smallest = 0.0;  ///< smallest Ritz value of M^{-1} A from the recurrence: an estimate, from
                                  ///< above, of lambda_min on the range
  double error_estimate = 0.0;    ///< ||x* - x||_A estimated as residual / sqrt(lanczos_smallest)
};

struct CgResult {
  std::vector<CgColumn> columns;
  bool converged = false;  ///< all columns
  bool interrupted = false;
  int iterations = 0;  ///< passes over A
};

/// `x` holds the start on entry (zeros are fine) and the solution on return. Same bits for any number of
/// threads.
CgResult conjugate_gradients(std::ptrdiff_t n, std::ptrdiff_t columns, const Apply& apply,
                             const Apply& precondition, const double* b, double* x, const CgOptions& options,
                             Monitor& monitor);

}  // namespace steelyard::linalg
