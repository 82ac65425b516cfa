// The inner loop of dense factorisations.
#pragma once

#include <cstddef>

namespace steelyard::simd {

struct Dense {
  /// C -= A B for C (m x n), A (m x k), B (k x n), all row-major with their strides.
  void (*subtract_product)(double* c, std::ptrdiff_t c_stride, const double* a, std::ptrdiff_t a_stride,
                           const double* b, std::ptrdiff_t b_stride, std::ptrdiff_t m, std::ptrdiff_t n,
                           std::ptrdiff_t k);
  /// y = A x for A (m x n) in single precision, row-major without gaps.
  void (*multiply)(const float* a, std::ptrdiff_t m, std::ptrdiff_t n, const double* x, double* y);
  /// y += A' x for the same A.
  void (*add_transposed)(const float* a, std::ptrdiff_t m, std::ptrdiff_t n, const double* x, double* y);
};

}  // namespace steelyard::simd
