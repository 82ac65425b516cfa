// Sparse Cholesky P A P' = L L' for symmetric positive definite A given by its diagonal and a pattern.
//
// Multifrontal (Duff and Reid, ACM Trans. Math. Softw. 9, 1983): each supernode's columns are factored in a
// small dense front, whose update is added to the front of its parent. The fronts come from the elimination
// in minimum_degree.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/monitor.hpp"
#include "core/views.hpp"

namespace steelyard::linalg {

class SparseCholesky {
 public:
  /// `pattern`: both halves of the symmetric pattern, no diagonal; an index may occur several times in a row
  /// (parallel edges: their values are added). nullopt when over max_flops or stopped; a hopeless graph
  /// costs little more than reading it.
  static std::optional<SparseCholesky> analyse(const CsrPattern& pattern, double max_flops, Monitor& monitor);

  /// `diagonal` (n), `off_diagonal` (one value an entry of the pattern, in its order; both halves equal).
  /// False when not positive definite or stopped. May be called again with new values.
  bool factor(std::span<const double> diagonal, std::span<const double> off_diagonal, Monitor& monitor);

  /// B <- A^{-1} B, B n x columns row-major.
  void solve(double* b, std::ptrdiff_t columns) const;

  /// B <- P' L^{-T} B: standard normal columns become columns with covariance A^{-1}.
  void solve_transposed(double* b, std::ptrdiff_t columns) const;
  /// B <- L^{-1} P B, the transpose of it.
  void solve_lower(double* b, std::ptrdiff_t columns) const;

  double log_determinant() const;  ///< of A

  /// The entries of A^{-1} on the pattern (Takahashi's recursion, front by front from the last): `diagonal`
  /// (n), and entry(k, value) once for each pair of the pattern, k one of its two places. About three times
  /// the work of `factor`. False when stopped.
  bool selected_inverse(std::span<double> diagonal, const std::function<void(std::int64_t, double)>& entry,
                        Monitor& monitor) const;

  double flops() const;          ///< of one `factor`
  std::int64_t entries() const;  ///< of L
  std::ptrdiff_t size() const;

 private:
  struct Analysis;
  class Permuted;

  std::shared_ptr<const Analysis> analysis_;  ///< shared by copies
  std::vector<double> values_;                ///< L: the columns of each front, row-major
};

}  // namespace steelyard::linalg
