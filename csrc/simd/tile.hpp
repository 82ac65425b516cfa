// Squared distances between packed panels of points.
//
// tile(i, j) = sum_k (x_ik - y_jk)^2 in the direct form: no cancellation, zero for equal points.
#pragma once

#include <cstddef>

namespace steelyard::simd {

template <class Real>
struct Tile {
  std::ptrdiff_t rows;  ///< points of x in a panel; a panel is packed as d runs of `rows` numbers
  std::ptrdiff_t cols;  ///< points of y in a panel, packed likewise
  /// out (rows x cols, row-major) <- squared distances of the two panels.
  void (*squared_distances)(const Real* x_panel, const Real* y_panel, std::ptrdiff_t d, Real* out);
};

extern const Tile<float> tile_f32_base, tile_f32_v3, tile_f32_v4;
extern const Tile<double> tile_f64_base, tile_f64_v3, tile_f64_v4;

}  // namespace steelyard::simd
