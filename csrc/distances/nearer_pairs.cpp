#include "distances/nearer_pairs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/index.hpp"
#include "core/pool.hpp"
#include "distances/shifted_panels.hpp"

namespace steelyard::distances {
namespace {

using std::ptrdiff_t;

/// The pairs of one chunk of rows of X.
template <class Real>
struct Found {
  std::vector<simd::Reached> pairs;  // row of the chunk, centre
  std::vector<Real> squared;
};

template <class Real>
std::vector<Real> thresholds(const ShiftedCentres<Real>& centres, const ShiftedRows<Real>& own,
                             const Real* bounds, ptrdiff_t d) {
  std::vector<Real> out(checked_product("working memory", own.panels, match_of<Real>().rows),
                        std::numeric_limits<Real>::infinity());
  for (std::size_t i = 0; i < own.squared_length.size(); ++i) {
    const double length = own.squared_length[i], bound = static_cast<double>(bounds[i]);
    const double least = 0.5 * (length - bound) - centres.error(std::sqrt(length), bound, d);
    out[i] = std::nextafter(static_cast<Real>(least), -std::numeric_limits<Real>::infinity());
  }
  return out;
}

template <class Real, class From>
Found<Real> find(MatrixView<const From> x, MatrixView<const Real> y, const ShiftedCentres<Real>& centres,
                 const Real* bounds, Monitor& monitor) {
  constexpr ptrdiff_t cache_bytes = 256 * 1024;
  const auto& kernel = match_of<Real>();
  const ShiftedRows<Real> own(x, centres.shift);
  const auto least = thresholds(centres, own, bounds, x.cols);
  const ptrdiff_t size = kernel.cols * x.cols, all = (y.rows + kernel.cols - 1) / kernel.cols;
  const ptrdiff_t bytes = std::max<ptrdiff_t>(1, size) * static_cast<ptrdiff_t>(sizeof(Real));
  const ptrdiff_t block = std::max<ptrdiff_t>(1, cache_bytes / bytes);
  std::vector<simd::Reached> reached(
      checked_product("working memory", std::min(block, all), kernel.rows, kernel.cols));
  Found<Real> out;
  for (ptrdiff_t start = 0; start < all; start += block) {
    for (ptrdiff_t p = 0; p < own.panels; ++p) {
      if (monitor.poll()) return out;
      const auto count =
          kernel.reaching(own.packed.data() + p * kernel.rows * x.cols, centres.packed.data() + start * size,
                          centres.offsets.data() + start * kernel.cols, least.data() + p * kernel.rows,
                          std::min(block, all - start), x.cols, start, reached.data());
      for (ptrdiff_t r = 0; r < count; ++r) {
        const auto row = static_cast<ptrdiff_t>(reached[at(r)].row) + p * kernel.rows;
        const auto centre = static_cast<ptrdiff_t>(reached[at(r)].centre);
        if (row >= x.rows || centre >= y.rows) continue;
        const Real squared = squared_gap<Real, From>(x.row(row), y.row(centre), x.cols);
        if (!(squared < bounds[row])) continue;
        out.pairs.push_back({static_cast<std::int32_t>(row), static_cast<std::int32_t>(centre)});
        out.squared.push_back(squared);
      }
    }
  }
  return out;
}

}  // namespace

template <class Real, class From>
std::vector<Near<Real>> nearer_pairs(MatrixView<const From> x, MatrixView<const Real> y,
                                     std::span<const Real> bounds, Monitor& monitor) {
  const ShiftedCentres<Real> centres(y);
  const ptrdiff_t grain = chunk_rows(x.cols, static_cast<ptrdiff_t>(sizeof(Real)));
  std::vector<Found<Real>> chunks(at((x.rows + grain - 1) / grain));
  parallel_for(x.rows, grain, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    const MatrixView<const From> own{x.row(begin), end - begin, x.cols, x.stride};
    chunks[at(begin / grain)] = find<Real, From>(own, y, centres, bounds.data() + begin, monitor);
  });
  std::vector<Near<Real>> near(at(y.rows));
  std::vector<std::size_t> counts(near.size(), 0);
  for (const auto& chunk : chunks)
    for (const auto& pair : chunk.pairs) ++counts[at(pair.centre)];
  for (std::size_t j = 0; j < near.size(); ++j) {
    near[j].rows.reserve(counts[j]);
    near[j].squared.reserve(counts[j]);
  }
  for (std::size_t c = 0; c < chunks.size(); ++c) {
    for (std::size_t k = 0; k < chunks[c].pairs.size(); ++k) {
      auto& own = near[at(chunks[c].pairs[k].centre)];
      own.rows.push_back(static_cast<std::int64_t>(c) * grain + chunks[c].pairs[k].row);
      own.squared.push_back(chunks[c].squared[k]);
    }
    chunks[c] = {};
  }
  return near;
}

#define STEELYARD_NEARER_PAIRS(Real, From)                                                      \
  template std::vector<Near<Real>> nearer_pairs(MatrixView<const From>, MatrixView<const Real>, \
                                                std::span<const Real>, Monitor&)

STEELYARD_NEARER_PAIRS(float, float);
STEELYARD_NEARER_PAIRS(double, double);
STEELYARD_NEARER_PAIRS(float, Half);
#undef STEELYARD_NEARER_PAIRS

}  // namespace steelyard::distances
