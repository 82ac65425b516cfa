#include "simd/table.hpp"

namespace steelyard::simd {
namespace {

constexpr std::ptrdiff_t tile_rows = 4;
#if defined(__aarch64__)
constexpr std::ptrdiff_t tile_cols = 8;  // twice as many sums would take all 32 registers, and rows of B wait
#else
constexpr std::ptrdiff_t tile_cols = 16;
#endif

/// A full tile in registers: 4 x 16 sums (4 x 8), one row of B and four numbers of A a step.
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

/// Four rows at a time: their sums do not wait for one another.
void multiply(const float* a, std::ptrdiff_t m, std::ptrdiff_t n, const double* x, double* y) {
  std::ptrdiff_t i = 0;
  for (; i + 4 <= m; i += 4) {
    const float *a0 = a + i * n, *a1 = a0 + n, *a2 = a1 + n, *a3 = a2 + n;
    double s0 = 0.0, s1 = 0.0, s2 = 0.0, s3 = 0.0;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
    for (std::ptrdiff_t k = 0; k < n; ++k) {
      s0 += static_cast<double>(a0[k]) * x[k];
      s1 += static_cast<double>(a1[k]) * x[k];
      s2 += static_cast<double>(a2[k]) * x[k];
      s3 += static_cast<double>(a3[k]) * x[k];
    }
    y[i] = s0, y[i + 1] = s1, y[i + 2] = s2, y[i + 3] = s3;
  }
  for (; i < m; ++i) {
    const float* row = a + i * n;
    double sum = 0.0;
#pragma omp simd reduction(+ : sum)
    for (std::ptrdiff_t k = 0; k < n; ++k) sum += static_cast<double>(row[k]) * x[k];
    y[i] = sum;
  }
}

void add_transposed(const float* a, std::ptrdiff_t m, std::ptrdiff_t n, const double* x, double* y) {
  std::ptrdiff_t i = 0;
  for (; i + 4 <= m; i += 4) {
    const float *a0 = a + i * n, *a1 = a0 + n, *a2 = a1 + n, *a3 = a2 + n;
    const double x0 = x[i], x1 = x[i + 1], x2 = x[i + 2], x3 = x[i + 3];
#pragma omp simd
    for (std::ptrdiff_t k = 0; k < n; ++k)
      y[k] += (static_cast<double>(a0[k]) * x0 + static_cast<double>(a1[k]) * x1) +
              (static_cast<double>(a2[k]) * x2 + static_cast<double>(a3[k]) * x3);
  }
  for (; i < m; ++i) {
    const float* row = a + i * n;
#pragma omp simd
    for (std::ptrdiff_t k = 0; k < n; ++k) y[k] += static_cast<double>(row[k]) * x[i];
  }
}

}  // namespace

extern const Dense STEELYARD_FOR_ISA(dense_);
const Dense STEELYARD_FOR_ISA(dense_){subtract_product, multiply, add_transposed};

}  // namespace steelyard::simd
