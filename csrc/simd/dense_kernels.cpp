#include "simd/table.hpp"

namespace steelyard::simd {
namespace {

constexpr std::ptrdiff_t tile_rows = 4;
// As many sums as stay in registers beside a row of B and a number of A: eight vectors (of AArch64 sixteen, since
// with all 32 taken rows of B wait).
#if defined(__AVX512F__)
constexpr std::ptrdiff_t tile_cols = 16;
#elif defined(__AVX__) || defined(__aarch64__)
constexpr std::ptrdiff_t tile_cols = 8;
#else
constexpr std::ptrdiff_t tile_cols = 4;
#endif

/// A tile in registers, one row of B a step. An element's sum is the same in any tile.
template <std::size_t rows, std::size_t cols>
void tile(double* c, std::ptrdiff_t cs, const double* a, std::ptrdiff_t as, const double* b,
          std::ptrdiff_t bs, std::ptrdiff_t k) {
  constexpr auto m = static_cast<std::ptrdiff_t>(rows), n = static_cast<std::ptrdiff_t>(cols);
  double sum[rows][cols] = {};
  for (std::ptrdiff_t p = 0; p < k; ++p) {
    for (std::ptrdiff_t i = 0; i < m; ++i) {
      const double factor = a[i * as + p];
#pragma omp simd
      for (std::ptrdiff_t j = 0; j < n; ++j) sum[i][j] += factor * b[p * bs + j];
    }
  }
  for (std::ptrdiff_t i = 0; i < m; ++i) {
#pragma omp simd
    for (std::ptrdiff_t j = 0; j < n; ++j) c[i * cs + j] -= sum[i][j];
  }
}

/// Some rows of C: full tiles, then a vector of four and what is left, column by column.
template <std::size_t rows>
void band(double* c, std::ptrdiff_t cs, const double* a, std::ptrdiff_t as, const double* b,
          std::ptrdiff_t bs, std::ptrdiff_t n, std::ptrdiff_t k) {
  std::ptrdiff_t j = 0;
  for (; j + tile_cols <= n; j += tile_cols) tile<rows, tile_cols>(c + j, cs, a, as, b + j, bs, k);
  for (; j + 4 <= n; j += 4) tile<rows, 4>(c + j, cs, a, as, b + j, bs, k);
  for (; j < n; ++j) tile<rows, 1>(c + j, cs, a, as, b + j, bs, k);
}

void subtract_product(double* c, std::ptrdiff_t cs, const double* a, std::ptrdiff_t as, const double* b,
                      std::ptrdiff_t bs, std::ptrdiff_t m, std::ptrdiff_t n, std::ptrdiff_t k) {
  std::ptrdiff_t i = 0;
  for (; i + tile_rows <= m; i += tile_rows) band<tile_rows>(c + i * cs, cs, a + i * as, as, b, bs, n, k);
  for (; i < m; ++i) band<1>(c + i * cs, cs, a + i * as, as, b, bs, n, k);
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
