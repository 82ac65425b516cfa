// The inner loops of interpolation at Chebyshev points: translations of cells, and the points of one leaf.
#pragma once

#include <cstddef>

namespace steelyard::simd {

template <class Real>
struct Interpolation {
  std::ptrdiff_t width;  ///< columns of a panel
  /// y (m x width) <- K x for K (m x n) and a panel x (n x width), all row-major without gaps.
  void (*translate)(const Real* k, std::ptrdiff_t m, std::ptrdiff_t n, const Real* x, Real* y);
  /// Rows of `out`, `stride` apart: the polynomials T_0 ... T_(count - 1) at z_0 ... z_(n - 1).
  void (*polynomials)(const Real* z, std::ptrdiff_t n, std::ptrdiff_t count, std::ptrdiff_t stride,
                      Real* out);
  /// out[j] <- sum_i v_i T_j1(z_i1) ... T_jd(z_id) for all j = (j1, ..., jd), the last index fastest.
  /// `rows` holds d times `count` polynomials; `scratch` d times `stride` numbers.
  void (*moments)(const Real* rows, std::ptrdiff_t d, std::ptrdiff_t count, std::ptrdiff_t n,
                  std::ptrdiff_t stride, const Real* v, Real* scratch, Real* out);
  /// out[i] <- sum_j c_j T_j1(z_i1) ... T_jd(z_id); `scratch` likewise.
  void (*values)(const Real* rows, std::ptrdiff_t d, std::ptrdiff_t count, std::ptrdiff_t n,
                 std::ptrdiff_t stride, const Real* c, Real* scratch, Real* out);
};

}  // namespace steelyard::simd
