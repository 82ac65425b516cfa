// Sparse Cholesky P A P' = L L' for symmetric positive definite A given by its diagonal and a pattern.
//
// analyse: approximate minimum degree ordering (Amestoy, Davis, Duff, SIAM J. Matrix Anal. Appl. 17, 1996) on the
// quotient graph, elimination tree, column counts. It gives up as soon as the factor is sure to cost more
// than `max_flops`, so that a hopeless graph costs little more than reading it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/monitor.hpp"
#include "core/views.hpp"

namespace steelyard::linalg {

class SparseCholesky {
 public:
  /// `pattern`: both halves of the symmetric pattern, no diagonal; an index may occur several times in a row
  /// (parallel edges: their values are added). nullopt when over max_flops or stopped.
  static std::optional<SparseCholesky> analyse(const CsrPattern& pattern, double max_flops, Monitor& monitor);

  /// `diagonal` (n), `off_diagonal` (one value an entry of the pattern, in its order; both halves equal).
  /// False when not positive definite or stopped. May be called again with new values.
  bool factor(std::span<const double> diagonal, std::span<const double> off_diagonal, Monitor& monitor);

  /// B <- A^{-1} B, B n x columns row-major.
  void solve(double* b, std::ptrdiff_t columns) const;

  /// diag(A^{-1}) by selected inversion (Takahashi), costs about as much as `factor`.
  std::vector<double> inverse_diagonal() const;

  double flops() const;            ///< of one `factor`
  std::int64_t entries() const;    ///< of L
  std::ptrdiff_t size() const;

 private:
  // implementation's choice
};

}  // namespace steelyard::linalg
