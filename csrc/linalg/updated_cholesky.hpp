// A Cholesky factor that follows its matrix as rows (with their columns) come and go.
#pragma once

#include <cstddef>
#include <vector>

#include "core/monitor.hpp"

namespace steelyard::linalg {

/// A = L L' (m x m), lower triangle, row-major. Memory: one matrix, with room to grow.
class UpdatedCholesky {
 public:
  std::ptrdiff_t size() const { return m_; }

  /// Takes `a` (m x m, full symmetric) and factors it: m^3/3 flops through linalg/cholesky. False when not
  /// positive definite, or stopped; the strict upper triangle of `matrix()` then still holds A's.
  bool factor(std::vector<double>&& a, std::ptrdiff_t m, Monitor& monitor);
  std::vector<double>& matrix() { return l_; }

  /// A <- [A v; v' d]: m^2 flops. False, and nothing changed, when the new pivot is not positive.
  bool append(const double* v, double d);

  /// The same for `count` rows at once, V (count x m) and D (count x count, its lower triangle), both row-major:
  /// m^2 count flops, blocked.
  bool append(const double* v, const double* d, std::ptrdiff_t count);

  /// A without row and column k: Givens rotations, about 3 (m - k)^2 flops.
  void remove(std::ptrdiff_t k);

  /// y <- A x.
  void multiply(const double* x, double* y) const;

  /// B <- A^{-1} B (m x columns, row-major).
  void solve(double* b, std::ptrdiff_t columns) const;

 private:
  void grow(std::ptrdiff_t least);

  std::vector<double> l_;
  std::ptrdiff_t m_ = 0, stride_ = 0;
};

}  // namespace steelyard::linalg
