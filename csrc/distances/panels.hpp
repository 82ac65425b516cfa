// Points packed for the tile kernels of simd/tile.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/index.hpp"
#include "core/monitor.hpp"
#include "core/pool.hpp"
#include "core/views.hpp"
#include "simd/table.hpp"

namespace steelyard::distances {

template <class Real>
const simd::Tile<Real>& tile_of() {
  if constexpr (sizeof(Real) == sizeof(float)) {
    return *simd::kernels().tile_f32;
  } else {
    return *simd::kernels().tile_f64;
  }
}

/// Rows first .. first + width - 1 as cols runs of `width` numbers; rows beyond the end are left alone.
template <class Real, class From>
void pack_panel(MatrixView<const From> points, std::ptrdiff_t first, std::ptrdiff_t width, Real* panel) {
  const std::ptrdiff_t rows = std::min(width, points.rows - first);
  for (std::ptrdiff_t i = 0; i < rows; ++i) {
    const From* row = points.row(first + i);
    for (std::ptrdiff_t k = 0; k < points.cols; ++k) panel[k * width + i] = static_cast<Real>(row[k]);
  }
}

/// All rows, panel after panel; rows beyond the end are zero.
template <class Real, class From>
std::vector<Real> pack(MatrixView<const From> points, std::ptrdiff_t width, Monitor& monitor) {
  const std::ptrdiff_t panels = (points.rows + width - 1) / width, size = width * points.cols;
  std::vector<Real> packed(checked_product("working memory", panels, size), Real{0});
  parallel_for(panels, grain_for(static_cast<double>(size)), monitor,
               [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
                 for (auto p = begin; p < end; ++p) {
                   pack_panel<Real, From>(points, p * width, width, packed.data() + p * size);
                 }
               });
  return packed;
}

}  // namespace steelyard::distances
