// The inner loops of dense factorisations and of rank-one updates.
#pragma once

#include <cstddef>

namespace steelyard::simd {

struct Dense {
  /// C -= A B for C (m x n), A (m x k), B (k x n), all row-major with their strides.
  void (*subtract_product)(double* c, std::ptrdiff_t c_stride, const double* a, std::ptrdiff_t a_stride,
                           const double* b, std::ptrdiff_t b_stride, std::ptrdiff_t m, std::ptrdiff_t n,
                           std::ptrdiff_t k);
  /// A += factor w w', then y = A v, in one pass over A: `size` x `size`, symmetric, row-major without gaps,
  /// `size` a multiple of 8. With factor = 0 A is only read. Returns v'A v.
  double (*update_and_multiply)(double* a, std::ptrdiff_t size, double factor, const double* w,
                                const double* v, double* y);
};

extern const Dense dense_base, dense_v3, dense_v4;

}  // namespace steelyard::simd
