// Two sets of points about the middle of most of the second, packed for the kernels of simd/best_match.hpp.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <type_traits>
#include <vector>

#include "core/index.hpp"
#include "core/views.hpp"
#include "distances/tiles.hpp"
#include "simd/table.hpp"

namespace steelyard::distances {

template <class Real>
const simd::BestMatch<Real>& match_of() {
  if constexpr (std::is_same_v<Real, float>) {
    return *simd::kernels().best_match_f32;
  } else {
    return *simd::kernels().best_match_f64;
  }
}

/// Rows of X that share each block of centres: as many as fill a part of the second-level cache.
inline std::ptrdiff_t chunk_rows(std::ptrdiff_t d, std::ptrdiff_t bytes) {
  return std::clamp<std::ptrdiff_t>(128 * 1024 / (std::max<std::ptrdiff_t>(1, d) * bytes) / 24 * 24, 24, 240);
}

/// The mean of the half of the rows that lie nearest to the mean of all: where most of them are, whatever a
/// few far ones do. Any shift is right; one far from the points would leave most ties to differences.
template <class Real>
std::vector<double> middle(MatrixView<const Real> y) {
  using std::ptrdiff_t;
  const auto mean_of = [&](const std::vector<ptrdiff_t>& rows) {
    std::vector<double> mean(at(y.cols), 0.0);
    for (const auto j : rows)
      for (ptrdiff_t k = 0; k < y.cols; ++k) mean[at(k)] += static_cast<double>(y.row(j)[k]);
    for (double& value : mean) value /= static_cast<double>(std::max<std::size_t>(1, rows.size()));
    return mean;
  };
  std::vector<ptrdiff_t> rows(at(y.rows));
  std::iota(rows.begin(), rows.end(), ptrdiff_t{0});
  const auto mean = mean_of(rows);
  std::vector<double> squared(rows.size(), 0.0);
  for (ptrdiff_t j = 0; j < y.rows; ++j)
    for (ptrdiff_t k = 0; k < y.cols; ++k) {
      const double gap = static_cast<double>(y.row(j)[k]) - mean[at(k)];
      squared[at(j)] += gap * gap;
    }
  std::stable_sort(rows.begin(), rows.end(),
                   [&](ptrdiff_t a, ptrdiff_t b) { return squared[at(a)] < squared[at(b)]; });
  rows.resize((rows.size() + 1) / 2);
  return mean_of(rows);
}

/// Centres less their middle, packed, with half their squared lengths.
template <class Real>
struct ShiftedCentres {
  std::vector<double> shift;
  std::vector<Real> packed, offsets;
  double longest = 0.0;

  explicit ShiftedCentres(MatrixView<const Real> y) : shift(middle(y)) {
    using std::ptrdiff_t;
    const ptrdiff_t width = match_of<Real>().cols, panels = (y.rows + width - 1) / width;
    packed.assign(checked_product("working memory", panels, width, y.cols), Real{0});
    offsets.assign(checked_product("working memory", panels, width), std::numeric_limits<Real>::infinity());
    for (ptrdiff_t j = 0; j < y.rows; ++j) {
      Real* to = packed.data() + j / width * width * y.cols + j % width;
      double length = 0.0;
      for (ptrdiff_t k = 0; k < y.cols; ++k) {
        const auto value = static_cast<Real>(static_cast<double>(y.row(j)[k]) - shift[at(k)]);
        to[k * width] = value;
        length += static_cast<double>(value) * static_cast<double>(value);
      }
      offsets[at(j)] = static_cast<Real>(0.5 * length);
      longest = std::max(longest, length);
    }
    longest = std::sqrt(longest);
  }

  /// What rounding can have done to x . y - |y|^2 / 2 for |x| = length, for all centres that can be nearer to
  /// x than `squared`: |x - y| >= |y| - |x|, so a longer one than |x| + |x - y| is farther off, whatever its
  /// product says (1.01 for the rounding of the distance).
  double error(double length, double squared, std::ptrdiff_t d) const {
    const double unit = 0.5 * static_cast<double>(std::numeric_limits<Real>::epsilon());
    const double y = std::min(longest, 1.01 * (length + std::sqrt(squared)));
    // Products and their sum, the half squares, and what rounding the shifted numbers did.
    return unit * static_cast<double>(d + 3) * length * y + unit * y * (y + length);
  }
};

/// Rows less the same shift, packed, with their squared lengths.
template <class Real>
struct ShiftedRows {
  std::ptrdiff_t panels;
  std::vector<Real> packed;
  std::vector<double> squared_length;

  template <class From>
  ShiftedRows(MatrixView<const From> x, const std::vector<double>& shift)
      : panels((x.rows + match_of<Real>().rows - 1) / match_of<Real>().rows) {
    using std::ptrdiff_t;
    const ptrdiff_t rows = match_of<Real>().rows, size = rows * x.cols;
    packed.assign(checked_product("working memory", panels, size), Real{0});
    squared_length.assign(at(x.rows), 0.0);
    for (ptrdiff_t i = 0; i < x.rows; ++i) {
      Real* to = packed.data() + i / rows * size + i % rows;
      for (ptrdiff_t k = 0; k < x.cols; ++k) {
        const double value = static_cast<double>(static_cast<Real>(x.row(i)[k])) - shift[at(k)];
        to[k * rows] = static_cast<Real>(value);
        squared_length[at(i)] += value * value;
      }
    }
  }
};

/// |a - b|^2 from differences.
template <class Real, class From>
Real squared_gap(const From* a, const Real* b, std::ptrdiff_t d) {
  using std::ptrdiff_t;
  const auto term = [&](ptrdiff_t k) {
    const Real gap = static_cast<Real>(a[k]) - b[k];
    return gap * gap;
  };
  Real lanes[16] = {};
  ptrdiff_t k = 0;
  for (; k + 16 <= d; k += 16)
    for (ptrdiff_t l = 0; l < 16; ++l) lanes[l] += term(k + l);
  for (; k < d; ++k) lanes[0] += term(k);
  Real sum = 0;
  for (const Real lane : lanes) sum += lane;
  return sum;
}

}  // namespace steelyard::distances
