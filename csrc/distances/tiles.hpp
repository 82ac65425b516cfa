// All tiles of squared distances between two sets of points, shared out over the pool.
#pragma once

#include <algorithm>
#include <vector>

#include "core/index.hpp"
#include "core/pool.hpp"
#include "distances/panels.hpp"

namespace steelyard::distances {

/// Rows of X in a chunk: about 100 us of work, but few enough for a sink's state to stay in cache.
inline std::ptrdiff_t rows_per_chunk(std::ptrdiff_t m, std::ptrdiff_t d) {
  const auto per_row = 0.3 * static_cast<double>(m) * static_cast<double>(d + 4);
  return std::clamp<std::ptrdiff_t>((grain_for(per_row) + 15) / 16 * 16, 16, 256);
}

/// Makes all tiles. For each chunk of rows `make_sink(first, rows)` gives a sink, which sees
/// tile(row within the chunk, rows, first column, columns, numbers) for ascending columns, then finish().
template <class Real, class MakeSink>
bool for_each_tile(MatrixView<const Real> x, MatrixView<const Real> y, Monitor& monitor,
                   const MakeSink& make_sink) {
  using std::ptrdiff_t;
  constexpr ptrdiff_t cache_bytes = 256 * 1024;
  const auto& kernel = tile_of<Real>();
  const ptrdiff_t d = x.cols, x_size = kernel.rows * d, y_size = kernel.cols * d;
  const std::vector<Real> y_packed = pack<Real>(y, kernel.cols, monitor);
  const ptrdiff_t y_bytes = std::max<ptrdiff_t>(1, y_size) * static_cast<ptrdiff_t>(sizeof(Real));
  const ptrdiff_t block = kernel.cols * std::max<ptrdiff_t>(1, cache_bytes / y_bytes);
  parallel_for(x.rows, rows_per_chunk(y.rows, d), monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    const ptrdiff_t panels = (end - begin + kernel.rows - 1) / kernel.rows;
    std::vector<Real> x_packed(checked_product("working memory", panels, x_size), Real{0});
    std::vector<Real> numbers(checked_product("working memory", kernel.rows, kernel.cols));
    for (ptrdiff_t p = 0; p < panels; ++p) {
      pack_panel(x, begin + p * kernel.rows, kernel.rows, x_packed.data() + p * x_size);
    }
    auto sink = make_sink(begin, end - begin);
    for (ptrdiff_t start = 0; start < y.rows; start += block) {
      const ptrdiff_t stop = std::min(start + block, y.rows);
      for (ptrdiff_t i = 0; i < end - begin; i += kernel.rows) {
        if (monitor.poll()) return;
        for (ptrdiff_t j = start; j < stop; j += kernel.cols) {
          kernel.squared_distances(x_packed.data() + i * d, y_packed.data() + j * d, d, numbers.data());
          sink.tile(i, std::min(kernel.rows, end - begin - i), j, std::min(kernel.cols, y.rows - j),
                    numbers.data());
        }
      }
    }
    sink.finish();
  });
  return !monitor.stopped();
}

}  // namespace steelyard::distances
