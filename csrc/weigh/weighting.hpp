// The weighting of a finite metric space: Z w = 1 for Z_ij = exp(-scale d_ij). Its sum is the magnitude.
//
// With Z positive definite, |X| = max_w 2 1'w - w'Zw. So for any w with residual r = 1 - Zw,
//     L = 1'w + w'r  <=  |X|  =  L + r'Z^{-1}r  <=  L + |r|^2 / mu,   mu <= lambda_min(Z):
// L is a lower bound whose error is quadratic in the residual. Here r and L are computed in double precision;
// mu is the caller's business, r'Z^{-1}r is estimated. Leinster, "The magnitude of metric spaces", Doc. Math.
// 18 (2013).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/info.hpp"
#include "core/monitor.hpp"
#include "weigh/space.hpp"

namespace steelyard::weigh {

/// What a solver says of one weighting.
struct Certificate {
  double residual = 0.0;        ///< |1 - Zw|_2 / |1|_2
  double lower_bound = 0.0;     ///< L
  double error_estimate = 0.0;  ///< of |X| - L
  double weight_error = 0.0;    ///< |Z^{-1} (1 - Zw)|_2, from a factor; 0: not known
  double smallest = 0.0;  ///< the smallest eigenvalue of Z as a factor sees it, from above; 0: not known
  double inverse_of_residual =
      0.0;  ///< an estimate of |Z^{-1} (1 - Zw)|_2, from a preconditioner; 0: not known
  double inverse_of_rounding = 0.0;  ///< likewise how much Z^{-1} stretches a vector without structure
  double seen = 0.0;                 ///< the least Rayleigh quotient of a correction, likewise
  int iterations = 0;                ///< of conjugate gradients
  bool converged = false;
  Deviation deviation;      ///< of the product that the residual comes from
  bool indefinite = false;  ///< a direction or pivot of negative curvature was met
};

struct Weightings {
  std::vector<double> weights;    ///< n x scales, row-major
  std::vector<double> residuals;  ///< 1 - Zw likewise, by conjugate gradients; else empty
  std::vector<Certificate> columns;
  Info info;
};

enum class StopRule { residual, magnitude };

struct CgChoice {
  double tol = 1e-8;  ///< on the residual, or on error_estimate / L
  StopRule stop = StopRule::residual;
  std::ptrdiff_t landmarks = 0;   ///< of the preconditioner
  std::ptrdiff_t neighbours = 0;  ///< of the preconditioner; 0: none at all
  bool single = true;             ///< begin in single precision
  int max_iter = 1000;            ///< passes over the pairs
  double jitter = 0.0;            ///< added to the diagonal of Z
};

/// Conjugate gradients for all scales in lock-step, one pass over the distances an iteration, in single
/// precision with residuals in double; in double throughout once single precision gains nothing more. `start`
/// (n x scales) may be empty. O(n^2 d) time an iteration, O(n (d + m + k) scales) memory.
Weightings solve_by_gradients(const Space& space, std::span<const double> scales, const CgChoice& choice,
                              std::span<const double> start, Monitor& monitor);

/// A Rayleigh quotient of Z + jitter as small as conjugate gradients from a random right-hand side find it: the
/// smallest eigenvalue is no larger. Solving Z w = 1 sees none whose vectors the symmetries of the points keep
/// at right angles to 1. -1 if stopped. As dear as a solve.
double least_quotient(const Space& space, double scale, const CgChoice& choice, Monitor& monitor);

/// Cholesky of the whole Z: double, or single (`mixed`) as the preconditioner of conjugate gradients in
/// double. n^3 / 3 flops, 8 n^2 (4 n^2) bytes. `indefinite` and no weights where the factorisation fails.
Weightings solve_by_cholesky(const Space& space, double scale, bool mixed, double tol, double jitter,
                             Monitor& monitor);

/// w_i from the neighbourhood of point i alone: component i of Z_J^{-1} 1 on J = {i} and neighbours (rows x
/// k, -1: none) of points first, first + 1, ... The error falls like exp(-scale * radius of the
/// neighbourhood). k^3 / 3 flops a point. False when stopped.
bool local_weights(const Space& space, double scale, std::ptrdiff_t first,
                   std::span<const std::int32_t> neighbours, std::ptrdiff_t k, std::span<double> out,
                   Monitor& monitor);

/// out[a] <- (Z v)_{rows[a]} in double. rows x n distances.
bool chosen_products(const Space& space, double scale, std::span<const std::int32_t> rows, const double* v,
                     std::span<double> out, Monitor& monitor);

/// w_i of sorted points on a line, from the gaps: (tanh(scale left / 2) + tanh(scale right / 2)) / 2, open
/// ends 1.
void line_weights(std::span<const double> sorted, double scale, std::span<double> out);

}  // namespace steelyard::weigh
