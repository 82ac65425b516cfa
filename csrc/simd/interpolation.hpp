// The inner loops of interpolation at Chebyshev points: translations of cells, and the points of one leaf.
#pragma once

#include <cstddef>
#include <cstdint>

namespace steelyard::simd {

template <class Real>
struct Interpolation {
  /// y_k <- A' x_k for k < n, the x_k[place_j] of a source k in the order of A's `count` rows; A has `width`
  /// columns, a multiple of 8, as have the y_k, one after another.
  void (*reduce)(const Real* a, std::ptrdiff_t count, std::ptrdiff_t width, const std::int32_t* place,
                 const Real* const* x, std::ptrdiff_t n, Real* y);
  /// y_k <- y_k + B' x_k for k < n, B (width x count) and the x_k of `width` without gaps.
  void (*expand)(const Real* b, std::ptrdiff_t width, std::ptrdiff_t count, const Real* x, std::ptrdiff_t n,
                 Real* const* y);
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
