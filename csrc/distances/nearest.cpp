#include "distances/nearest.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/index.hpp"
#include "distances/shifted_panels.hpp"

namespace steelyard::distances {
namespace {

using std::ptrdiff_t;

/// One chunk of rows of X.
template <class Real, class From>
class Chunk {
 public:
  using Number = typename simd::LaneNumber<Real>::type;

  Chunk(MatrixView<const From> x, MatrixView<const Real> y, const ShiftedCentres<Real>& centres)
      : x_(x), y_(y), centres_(centres), own_(x, centres.shift) {
    const auto lanes = at(own_.panels * kernel_.rows * kernel_.cols);
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
      for (ptrdiff_t p = 0; p < own_.panels; ++p) {
        if (monitor.poll()) return false;
        const auto lanes = p * kernel_.rows * kernel_.cols;
        kernel_.update(own_.packed.data() + p * kernel_.rows * x_.cols, centres_.packed.data() + start * size,
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
      const Real now = best_[at(lanes + j)];
      const std::int64_t candidate = static_cast<std::int64_t>(panel_[at(lanes + j)]) * kernel_.cols + j;
      second = std::max({second, second_[at(lanes + j)], std::min(now, best)});
      if (now > best) {
        best = now;
        index = candidate;
      }
    }
    if (index >= y_.rows) return false;
    squared = direct(i, index);
    const double length = std::sqrt(own_.squared_length[at(i)]);
    const double error = centres_.error(length, static_cast<double>(squared), x_.cols);
    return static_cast<double>(best) - static_cast<double>(second) > 2.0 * error;
  }

  Real direct(ptrdiff_t i, std::int64_t j) const {
    return squared_gap<Real, From>(x_.row(i), y_.row(j), x_.cols);
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
  const simd::BestMatch<Real>& kernel_ = match_of<Real>();
  MatrixView<const From> x_;
  MatrixView<const Real> y_;
  const ShiftedCentres<Real>& centres_;
  ShiftedRows<Real> own_;
  std::vector<Real> best_, second_;
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
  const ShiftedCentres<Real> centres(y);
  parallel_for(x.rows, chunk_rows(x.cols, static_cast<ptrdiff_t>(sizeof(Real))), monitor,
               [&](ptrdiff_t begin, ptrdiff_t end) {
                 const MatrixView<const From> own{x.row(begin), end - begin, x.cols, x.stride};
                 Chunk<Real, From> chunk(own, y, centres);
                 if (!chunk.match(monitor)) return;
                 for (auto i = begin; i < end; ++i) {
                   if (chunk.winner(i - begin, index[at(i)], squared[at(i)])) continue;
                   if (monitor.poll()) return;
                   index[at(i)] = chunk.search(i - begin);
                   squared[at(i)] = chunk.direct(i - begin, index[at(i)]);
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

}  // namespace steelyard::distances
