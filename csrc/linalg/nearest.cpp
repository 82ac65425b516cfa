#include "linalg/nearest.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <type_traits>

#include "linalg/tiles.hpp"

namespace steelyard::linalg {
namespace {

using std::ptrdiff_t;

template <class Real>
const simd::BestMatch<Real>& match_of() {
  if constexpr (std::is_same_v<Real, float>) {
    return *simd::kernels().best_match_f32;
  } else {
    return *simd::kernels().best_match_f64;
  }
}

/// Rows of X that share each block of centres: as many as fill a part of the second-level cache.
ptrdiff_t chunk_rows(ptrdiff_t d, ptrdiff_t bytes) {
  return std::clamp<ptrdiff_t>(128 * 1024 / (std::max<ptrdiff_t>(1, d) * bytes) / 24 * 24, 24, 240);
}

/// The mean of the half of the rows that lie nearest to the mean of all: where most of them are, whatever a
/// few far ones do. Any shift is right; one far from the points would leave most ties to differences.
template <class Real>
std::vector<double> middle(MatrixView<const Real> y) {
  const auto mean_of = [&](const std::vector<ptrdiff_t>& rows) {
    std::vector<double> mean(size_of(y.cols), 0.0);
    for (const auto j : rows)
      for (ptrdiff_t k = 0; k < y.cols; ++k) mean[size_of(k)] += static_cast<double>(y.row(j)[k]);
    for (double& value : mean) value /= static_cast<double>(std::max<std::size_t>(1, rows.size()));
    return mean;
  };
  std::vector<ptrdiff_t> rows(size_of(y.rows));
  std::iota(rows.begin(), rows.end(), ptrdiff_t{0});
  const auto mean = mean_of(rows);
  std::vector<double> squared(rows.size(), 0.0);
  for (ptrdiff_t j = 0; j < y.rows; ++j)
    for (ptrdiff_t k = 0; k < y.cols; ++k) {
      const double gap = static_cast<double>(y.row(j)[k]) - mean[size_of(k)];
      squared[size_of(j)] += gap * gap;
    }
  std::stable_sort(rows.begin(), rows.end(),
                   [&](ptrdiff_t a, ptrdiff_t b) { return squared[size_of(a)] < squared[size_of(b)]; });
  rows.resize((rows.size() + 1) / 2);
  return mean_of(rows);
}

/// Centres less their middle, packed, with half their squared lengths.
template <class Real>
struct Centres {
  std::vector<double> shift;
  std::vector<Real> packed, offsets;
  double longest = 0.0;

  explicit Centres(MatrixView<const Real> y) : shift(middle(y)) {
    const ptrdiff_t width = match_of<Real>().cols, panels = (y.rows + width - 1) / width;
    packed.assign(size_of(panels * width * y.cols), Real{0});
    offsets.assign(size_of(panels * width), std::numeric_limits<Real>::infinity());
    for (ptrdiff_t j = 0; j < y.rows; ++j) {
      Real* to = packed.data() + j / width * width * y.cols + j % width;
      double length = 0.0;
      for (ptrdiff_t k = 0; k < y.cols; ++k) {
        const auto value = static_cast<Real>(static_cast<double>(y.row(j)[k]) - shift[size_of(k)]);
        to[k * width] = value;
        length += static_cast<double>(value) * static_cast<double>(value);
      }
      offsets[size_of(j)] = static_cast<Real>(0.5 * length);
      longest = std::max(longest, length);
    }
    longest = std::sqrt(longest);
  }
};

/// One chunk of rows of X.
template <class Real, class From>
class Chunk {
 public:
  using Number = typename simd::LaneNumber<Real>::type;

  Chunk(MatrixView<const From> x, MatrixView<const Real> y, const Centres<Real>& centres)
      : x_(x), y_(y), centres_(centres), panels_((x.rows + kernel_.rows - 1) / kernel_.rows) {
    const ptrdiff_t size = kernel_.rows * x.cols;
    packed_.assign(size_of(panels_ * size), Real{0});
    length_.assign(size_of(x.rows), 0.0);
    for (ptrdiff_t i = 0; i < x.rows; ++i) {
      Real* to = packed_.data() + i / kernel_.rows * size + i % kernel_.rows;
      for (ptrdiff_t k = 0; k < x.cols; ++k) {
        const double value = static_cast<double>(static_cast<Real>(x.row(i)[k])) - centres.shift[size_of(k)];
        to[k * kernel_.rows] = static_cast<Real>(value);
        length_[size_of(i)] += value * value;
      }
    }
    const auto lanes = size_of(panels_ * kernel_.rows * kernel_.cols);
    best_.assign(lanes, -std::numeric_limits<Real>::infinity());
    second_ = best_;
    panel_.assign(lanes, 0);
  }

  /// False when stopped.
  bool match(Monitor& monitor) {
    constexpr ptrdiff_t cache_bytes = 256 * 1024;
    const ptrdiff_t size = kernel_.cols * x_.cols, all = (y_.rows + kernel_.cols - 1) / kernel_.cols;
    const ptrdiff_t bytes = std::max<ptrdiff_t>(1, size) * static_cast<ptrdiff_t>(sizeof(Real));
    const ptrdiff_t block = std::max<ptrdiff_t>(1, cache_bytes / bytes);
    for (ptrdiff_t start = 0; start < all; start += block) {
      for (ptrdiff_t p = 0; p < panels_; ++p) {
        if (monitor.poll()) return false;
        const auto lanes = p * kernel_.rows * kernel_.cols;
        kernel_.update(packed_.data() + p * kernel_.rows * x_.cols, centres_.packed.data() + start * size,
                       centres_.offsets.data() + start * kernel_.cols, std::min(block, all - start), x_.cols,
                       start, best_.data() + lanes, second_.data() + lanes, panel_.data() + lanes);
      }
    }
    return true;
  }

  /// The winner of a row, its squared distance, and whether rounding leaves no doubt of it.
  bool winner(ptrdiff_t i, std::int64_t& index, Real& squared) const {
    const ptrdiff_t lanes = i * kernel_.cols;
    Real best = -std::numeric_limits<Real>::infinity(), second = best;
    index = 0;
    for (ptrdiff_t j = 0; j < kernel_.cols; ++j) {
      const Real now = best_[size_of(lanes + j)];
      const std::int64_t candidate = static_cast<std::int64_t>(panel_[size_of(lanes + j)]) * kernel_.cols + j;
      second = std::max({second, second_[size_of(lanes + j)], std::min(now, best)});
      if (now > best) {
        best = now;
        index = candidate;
      }
    }
    if (index >= y_.rows) return false;
    squared = direct(i, index);
    const double unit = 0.5 * static_cast<double>(std::numeric_limits<Real>::epsilon());
    const double x = std::sqrt(length_[size_of(i)]);
    // |x - y| >= |y| - |x|: a longer centre than this is farther off than the winner, whatever its product
    // says (1.01 for the rounding of the distance).
    const double reach = 1.01 * (x + std::sqrt(static_cast<double>(squared)));
    const double y = std::min(centres_.longest, reach);
    // Products and their sum, the half squares, and what rounding the shifted numbers did.
    const double error = unit * static_cast<double>(x_.cols + 3) * x * y + unit * y * (y + x);
    return static_cast<double>(best) - static_cast<double>(second) > 2.0 * error;
  }

  Real direct(ptrdiff_t i, std::int64_t j) const {
    const From* a = x_.row(i);
    const Real* b = y_.row(j);
    Real lanes[16] = {};
    ptrdiff_t k = 0;
    for (; k + 16 <= x_.cols; k += 16)
      for (ptrdiff_t l = 0; l < 16; ++l) lanes[l] += squared_gap(static_cast<Real>(a[k + l]), b[k + l]);
    for (; k < x_.cols; ++k) lanes[0] += squared_gap(static_cast<Real>(a[k]), b[k]);
    Real sum = 0;
    for (const Real lane : lanes) sum += lane;
    return sum;
  }

  std::int64_t search(ptrdiff_t i) const {
    std::int64_t best = -1;
    Real least = std::numeric_limits<Real>::infinity();
    for (ptrdiff_t j = 0; j < y_.rows; ++j) {
      const Real now = direct(i, j);
      if (now < least || best < 0) {
        least = now;
        best = j;
      }
    }
    return best;
  }

 private:
  static Real squared_gap(Real a, Real b) { return (a - b) * (a - b); }

  const simd::BestMatch<Real>& kernel_ = match_of<Real>();
  MatrixView<const From> x_;
  MatrixView<const Real> y_;
  const Centres<Real>& centres_;
  ptrdiff_t panels_;
  std::vector<Real> packed_, best_, second_;
  std::vector<double> length_;
  std::vector<Number> panel_;
};

}  // namespace

template <class Real, class From>
bool nearest(MatrixView<const From> x, MatrixView<const Real> y, std::span<std::int64_t> index,
             std::span<Real> squared, Monitor& monitor) {
  if (y.rows == 0) {
    std::fill(index.begin(), index.end(), -1);
    std::fill(squared.begin(), squared.end(), std::numeric_limits<Real>::infinity());
    return true;
  }
  const Centres<Real> centres(y);
  parallel_for(x.rows, chunk_rows(x.cols, static_cast<ptrdiff_t>(sizeof(Real))), monitor,
               [&](ptrdiff_t begin, ptrdiff_t end) {
                 const MatrixView<const From> own{x.row(begin), end - begin, x.cols, x.stride};
                 Chunk<Real, From> chunk(own, y, centres);
                 if (!chunk.match(monitor)) return;
                 for (auto i = begin; i < end; ++i) {
                   if (chunk.winner(i - begin, index[size_of(i)], squared[size_of(i)])) continue;
                   if (monitor.poll()) return;
                   index[size_of(i)] = chunk.search(i - begin);
                   squared[size_of(i)] = chunk.direct(i - begin, index[size_of(i)]);
                 }
               });
  return !monitor.stopped();
}

#define STEELYARD_NEAREST(Real, From)                                                            \
  template bool nearest(MatrixView<const From>, MatrixView<const Real>, std::span<std::int64_t>, \
                        std::span<Real>, Monitor&)

STEELYARD_NEAREST(float, float);
STEELYARD_NEAREST(double, double);
STEELYARD_NEAREST(float, Half);
#undef STEELYARD_NEAREST

}  // namespace steelyard::linalg
