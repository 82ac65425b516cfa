// Sums over the rows of a tall matrix whose block lies column by column: columns[k * stride + r].
#pragma once

#include <cstddef>

namespace steelyard::simd {

struct Columns {
  /// columns[k * stride + r] = rows[r * row_stride + k] - shift[r] for `n` rows of `k` numbers; shift may be
  /// null.
  void (*pack)(const double* rows, std::ptrdiff_t row_stride, const double* shift, std::ptrdiff_t n,
               std::ptrdiff_t k, double* columns, std::ptrdiff_t stride);
  /// Lower triangle of gram (k x k, row-major) += C' diag(weights) C; weights may be null.
  void (*gram)(const double* columns, std::ptrdiff_t stride, std::ptrdiff_t n, std::ptrdiff_t k,
               const double* weights, double* gram);
  /// out = C x.
  void (*combine)(const double* columns, std::ptrdiff_t stride, std::ptrdiff_t n, std::ptrdiff_t k,
                  const double* x, double* out);
  /// out += C'x.
  void (*dots)(const double* columns, std::ptrdiff_t stride, std::ptrdiff_t n, std::ptrdiff_t k,
               const double* x, double* out);
};

}  // namespace steelyard::simd
