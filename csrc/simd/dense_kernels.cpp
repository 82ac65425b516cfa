#include "simd/table.hpp"

namespace steelyard::simd {
namespace {

constexpr std::ptrdiff_t tile_rows = 4;
constexpr std::ptrdiff_t tile_cols = 16;

/// A full tile in registers: 4 x 16 sums, one row of B and four numbers of A a step.
void full_tile(double* c, std::ptrdiff_t cs, const double* a, std::ptrdiff_t as, const double* b,
               std::ptrdiff_t bs, std::ptrdiff_t k) {
  double sum[tile_rows][tile_cols] = {};
  for (std::ptrdiff_t p = 0; p < k; ++p) {
    for (std::ptrdiff_t i = 0; i < tile_rows; ++i) {
      const double factor = a[i * as + p];
#pragma omp simd
      for (std::ptrdiff_t j = 0; j < tile_cols; ++j) sum[i][j] += factor * b[p * bs + j];
    }
  }
  for (std::ptrdiff_t i = 0; i < tile_rows; ++i) {
#pragma omp simd
    for (std::ptrdiff_t j = 0; j < tile_cols; ++j) c[i * cs + j] -= sum[i][j];
  }
}

void edge_tile(double* c, std::ptrdiff_t cs, const double* a, std::ptrdiff_t as, const double* b,
               std::ptrdiff_t bs, std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k) {
  for (std::ptrdiff_t i = 0; i < m; ++i) {
    double sum[tile_cols] = {};
    for (std::ptrdiff_t p = 0; p < k; ++p) {
      const double factor = a[i * as + p];
      for (std::ptrdiff_t j = 0; j < n; ++j) sum[j] += factor * b[p * bs + j];
    }
    for (std::ptrdiff_t j = 0; j < n; ++j) c[i * cs + j] -= sum[j];
  }
}

void subtract_product(double* c, std::ptrdiff_t cs, const double* a, std::ptrdiff_t as, const double* b,
                      std::ptrdiff_t bs, std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k) {
  for (std::ptrdiff_t i = 0; i < m; i += tile_rows) {
    const std::ptrdiff_t rows = m - i < tile_rows ? m - i : tile_rows;
    for (std::ptrdiff_t j = 0; j < n; j += tile_cols) {
      const std::ptrdiff_t cols = n - j < tile_cols ? n - j : tile_cols;
      if (rows == tile_rows && cols == tile_cols) {
        full_tile(c + i * cs + j, cs, a + i * as, as, b + j, bs, k);
      } else {
        edge_tile(c + i * cs + j, cs, a + i * as, as, b + j, bs, rows, cols, k);
      }
    }
  }
}

/// Four rows at once: y is loaded and stored once for them.
double update_and_multiply(double* a, std::ptrdiff_t size, double factor, const double* w, const double* v,
                           double* y) {
  for (std::ptrdiff_t j = 0; j < size; ++j) y[j] = 0.0;
  for (std::ptrdiff_t k = 0; k < size; k += 4) {
    double *r0 = a + k * size, *r1 = r0 + size, *r2 = r1 + size, *r3 = r2 + size;
    const double v0 = v[k], v1 = v[k + 1], v2 = v[k + 2], v3 = v[k + 3];
    if (factor == 0.0) {
#pragma omp simd
      for (std::ptrdiff_t j = 0; j < size; ++j) y[j] += v0 * r0[j] + v1 * r1[j] + v2 * r2[j] + v3 * r3[j];
      continue;
    }
    const double f0 = factor * w[k], f1 = factor * w[k + 1], f2 = factor * w[k + 2], f3 = factor * w[k + 3];
#pragma omp simd
    for (std::ptrdiff_t j = 0; j < size; ++j) {
      const double wj = w[j], a0 = r0[j] + f0 * wj, a1 = r1[j] + f1 * wj, a2 = r2[j] + f2 * wj,
                   a3 = r3[j] + f3 * wj;
      r0[j] = a0;
      r1[j] = a1;
      r2[j] = a2;
      r3[j] = a3;
      y[j] += v0 * a0 + v1 * a1 + v2 * a2 + v3 * a3;
    }
  }
  double sum = 0.0;
#pragma omp simd reduction(+ : sum)
  for (std::ptrdiff_t j = 0; j < size; ++j) sum += v[j] * y[j];
  return sum;
}

}  // namespace

extern const Dense STEELYARD_FOR_ISA(dense_);
const Dense STEELYARD_FOR_ISA(dense_){subtract_product, update_and_multiply};

}  // namespace steelyard::simd
