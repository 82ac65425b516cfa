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

}  // namespace

extern const Dense STEELYARD_FOR_ISA(dense_);
const Dense STEELYARD_FOR_ISA(dense_){subtract_product};

}  // namespace steelyard::simd
