// The inner loop of every tile of products, for the *_kernels.cpp files.
//
// Everything here is in an anonymous namespace: each instruction set must keep its own copy.
#pragma once

#include <cstddef>

namespace steelyard::simd {
namespace {

/// sum[i][j] += x_i . y_j, in registers, for x in panels of `width` points one after another.
template <std::ptrdiff_t width, class Real, std::size_t rows, std::size_t cols>
[[gnu::always_inline]] inline void add_products(const Real* x, const Real* y, std::ptrdiff_t d,
                                                Real (&sum)[rows][cols]) {
  constexpr auto m = static_cast<std::ptrdiff_t>(rows), n = static_cast<std::ptrdiff_t>(cols);
  for (std::ptrdiff_t k = 0; k < d; ++k) {
    for (std::ptrdiff_t i = 0; i < m; ++i) {
      const Real factor = x[(i / width * d + k) * width + i % width];
#pragma omp simd
      for (std::ptrdiff_t j = 0; j < n; ++j) sum[i][j] += factor * y[k * n + j];
    }
  }
}

}  // namespace
}  // namespace steelyard::simd
