#include "simd/table.hpp"

namespace steelyard::simd {
namespace {

constexpr std::ptrdiff_t tile_rows = 4;

/// 4 x `cols` sums in registers; the compiler makes vectors of the inner loop.
template <class Real, std::ptrdiff_t cols>
void squared_distances(const Real* x_panel, const Real* y_panel, std::ptrdiff_t d, Real* out) {
  Real sum[std::size_t{tile_rows}][std::size_t{cols}] = {};
  for (std::ptrdiff_t k = 0; k < d; ++k) {
    for (std::ptrdiff_t i = 0; i < tile_rows; ++i) {
      const Real x = x_panel[k * tile_rows + i];
#pragma omp simd
      for (std::ptrdiff_t j = 0; j < cols; ++j) {
        const Real difference = x - y_panel[k * cols + j];
        sum[i][j] += difference * difference;
      }
    }
  }
  for (std::ptrdiff_t i = 0; i < tile_rows; ++i) {
    for (std::ptrdiff_t j = 0; j < cols; ++j) out[i * cols + j] = sum[i][j];
  }
}

}  // namespace

extern const Tile<float> STEELYARD_FOR_ISA(tile_f32_);
extern const Tile<double> STEELYARD_FOR_ISA(tile_f64_);
const Tile<float> STEELYARD_FOR_ISA(tile_f32_){tile_rows, 32, squared_distances<float, 32>};
const Tile<double> STEELYARD_FOR_ISA(tile_f64_){tile_rows, 16, squared_distances<double, 16>};

}  // namespace steelyard::simd
