// A tall matrix of predictions in blocks of rows, and sums over its rows in a fixed order.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/index.hpp"
#include "core/monitor.hpp"
#include "core/pool.hpp"
#include "core/views.hpp"

namespace steelyard::weigh {

/// Rows first ... first + rows - 1, column by column.
struct PanelBlock {
  const double* columns;
  std::ptrdiff_t first, rows;
};

/// P - y 1' (y may be empty). `kept`: laid out once, n K numbers; else block by block whenever it is read.
class Panels {
 public:
  static constexpr std::ptrdiff_t block_rows = 256;
  static constexpr std::ptrdiff_t stride = block_rows + 8;  ///< columns that start apart in the cache

  Panels(MatrixView<const double> predictions, std::span<const double> y, bool kept, Monitor& monitor);

  std::ptrdiff_t rows() const { return p_.rows; }
  std::ptrdiff_t cols() const { return p_.cols; }

  /// Every kept row by its largest entry, whose logarithm goes to `logs`; false when stopped.
  bool divide_by_largest(std::vector<double>& logs, Monitor& monitor);

  /// totals (width) <- sum over blocks of what body(block, sums) adds; in chunks of a length that the problem
  /// alone decides, added in their order. Of the last `maxima` numbers the largest is kept instead, and 0 is
  /// the least. False when stopped.
  template <class Body>
  bool sum(std::ptrdiff_t width, std::vector<double>& totals, Monitor& monitor, const Body& body,
           std::ptrdiff_t maxima = 0) const {
    const auto chunk = chunk_rows(width);
    const auto chunks = (rows() + chunk - 1) / chunk;
    std::vector<double> sums(checked_product("predictions", chunks, width), 0.0);
    const bool done = parallel_for(rows(), chunk, monitor, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      double* own = sums.data() + begin / chunk * width;
      for (auto first = begin; first < end; first += block_rows) {
        if (monitor.poll()) return;
        const auto count = std::min(block_rows, end - first);
        body(PanelBlock{block(first, count), first, count}, own);
      }
    });
    totals.assign(at(width), 0.0);
    for (std::ptrdiff_t c = 0; c < chunks; ++c) {
      for (std::ptrdiff_t k = 0; k < width - maxima; ++k) totals[at(k)] += sums[at(c * width + k)];
      for (auto k = width - maxima; k < width; ++k)
        totals[at(k)] = std::max(totals[at(k)], sums[at(c * width + k)]);
    }
    return done && !monitor.stopped();
  }

  /// Additions in a row that one number of `sum` goes through, no more.
  double depth(std::ptrdiff_t width) const {
    const auto chunk = chunk_rows(width);
    return static_cast<double>(block_rows + chunk / block_rows + (rows() + chunk - 1) / chunk + 8);
  }

 private:
  const double* block(std::ptrdiff_t first, std::ptrdiff_t count) const;
  std::ptrdiff_t chunk_rows(std::ptrdiff_t width) const;

  MatrixView<const double> p_;
  std::span<const double> y_;
  std::unique_ptr<double[]> kept_;
};

}  // namespace steelyard::weigh
