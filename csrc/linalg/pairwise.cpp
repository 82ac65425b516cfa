#include "linalg/pairwise.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "core/pool.hpp"
#include "linalg/panels.hpp"
#include "simd/table.hpp"

namespace steelyard::linalg {
namespace {

using std::ptrdiff_t;

std::size_t size_of(ptrdiff_t n) { return static_cast<std::size_t>(n); }

/// Rows of X in a chunk: about 100 us of work, but few enough for a sink's state to stay in cache.
ptrdiff_t rows_per_chunk(ptrdiff_t m, ptrdiff_t d) {
  const auto per_row = 0.3 * static_cast<double>(m) * static_cast<double>(d + 4);
  return std::clamp<ptrdiff_t>((grain_for(per_row) + 15) / 16 * 16, 16, 256);
}

/// Makes all tiles. For each chunk of rows `make_sink(first, rows)` gives a sink, which sees
/// tile(row within the chunk, rows, first column, columns, numbers) for ascending columns, then finish().
template <class Real, class MakeSink>
bool for_each_tile(MatrixView<const Real> x, MatrixView<const Real> y, Monitor& monitor,
                   const MakeSink& make_sink) {
  constexpr ptrdiff_t cache_bytes = 256 * 1024;
  const auto& kernel = tile_of<Real>();
  const ptrdiff_t d = x.cols, x_size = kernel.rows * d, y_size = kernel.cols * d;
  const std::vector<Real> y_packed = pack<Real>(y, kernel.cols, monitor);
  const ptrdiff_t y_bytes = std::max<ptrdiff_t>(1, y_size) * static_cast<ptrdiff_t>(sizeof(Real));
  const ptrdiff_t block = kernel.cols * std::max<ptrdiff_t>(1, cache_bytes / y_bytes);
  parallel_for(x.rows, rows_per_chunk(y.rows, d), monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    const ptrdiff_t panels = (end - begin + kernel.rows - 1) / kernel.rows;
    std::vector<Real> x_packed(size_of(panels * x_size), Real{0});
    std::vector<Real> numbers(size_of(kernel.rows * kernel.cols));
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

template <class Real>
struct CopySink {
  MatrixView<Real> out;
  ptrdiff_t first;

  void tile(ptrdiff_t row, ptrdiff_t rows, ptrdiff_t col, ptrdiff_t cols, const Real* numbers) const {
    for (ptrdiff_t i = 0; i < rows; ++i) {
      std::copy_n(numbers + i * tile_of<Real>().cols, cols, out.row(first + row + i) + col);
    }
  }
  void finish() const {}
};

/// The nearest so far in each lane (column modulo the tile's width); lanes are compared at the end.
template <class Real>
class NearestSink {
 public:
  NearestSink(std::span<std::int64_t> index, std::span<Real> squared, ptrdiff_t columns)
      : index_(index),
        squared_(squared),
        lanes_(std::min(columns, width_)),
        best_(squared.size() * size_of(width_), std::numeric_limits<Real>::infinity()),
        tile_(best_.size(), 0) {}

  void tile(ptrdiff_t row, ptrdiff_t rows, ptrdiff_t col, ptrdiff_t cols, const Real* numbers) {
    const std::int64_t number = col / width_;
    for (ptrdiff_t i = 0; i < rows; ++i) {
      Real* best = best_.data() + (row + i) * width_;
      std::int64_t* tiles = tile_.data() + (row + i) * width_;
      const Real* from = numbers + i * width_;
      for (ptrdiff_t j = 0; j < cols; ++j) {
        const bool closer = from[j] < best[j];
        best[j] = closer ? from[j] : best[j];
        tiles[j] = closer ? number : tiles[j];
      }
    }
  }

  void finish() {
    for (std::size_t i = 0; i < index_.size(); ++i) {
      index_[i] = -1;
      squared_[i] = std::numeric_limits<Real>::infinity();
      for (ptrdiff_t j = 0; j < lanes_; ++j) {
        const std::size_t k = i * size_of(width_) + size_of(j);
        const std::int64_t candidate = tile_[k] * width_ + j;
        const bool equal = best_[k] == squared_[i] && (index_[i] < 0 || candidate < index_[i]);
        if (best_[k] < squared_[i] || equal) {
          squared_[i] = best_[k];
          index_[i] = candidate;
        }
      }
    }
  }

 private:
  ptrdiff_t width_ = tile_of<Real>().cols;
  std::span<std::int64_t> index_;
  std::span<Real> squared_;
  ptrdiff_t lanes_;
  std::vector<Real> best_;
  std::vector<std::int64_t> tile_;
};

/// Sums in double, one a lane, of what `transform` makes of a tile; lanes are added in order at the end.
template <class Real, class Transform>
class SumSink {
 public:
  SumSink(std::span<double> sums, const Transform& transform)
      : sums_(sums), transform_(transform), lanes_(sums.size() * size_of(width_), 0.0) {}

  void tile(ptrdiff_t row, ptrdiff_t rows, ptrdiff_t, ptrdiff_t cols, Real* numbers) {
    transform_(numbers, rows * width_);
    for (ptrdiff_t i = 0; i < rows; ++i) {
      double* sum = lanes_.data() + (row + i) * width_;
      const Real* from = numbers + i * width_;
      for (ptrdiff_t j = 0; j < cols; ++j) sum[j] += static_cast<double>(from[j]);
    }
  }

  void finish() {
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      double total = 0.0;
      for (ptrdiff_t j = 0; j < width_; ++j) total += lanes_[i * size_of(width_) + size_of(j)];
      sums_[i] = total;
    }
  }

 private:
  ptrdiff_t width_ = tile_of<Real>().cols;
  std::span<double> sums_;
  const Transform& transform_;
  std::vector<double> lanes_;
};

template <class Real, class Transform>
bool transformed_sums(MatrixView<const Real> x, MatrixView<const Real> y, std::span<double> sums,
                      Monitor& monitor, const Transform& transform) {
  return for_each_tile<Real>(x, y, monitor, [&](ptrdiff_t first, ptrdiff_t rows) {
    return SumSink<Real, Transform>(sums.subspan(size_of(first), size_of(rows)), transform);
  });
}

void decay(double* x, ptrdiff_t n, double t) { simd::kernels().math->exp_minus_root(x, n, t); }
void decay(float* x, ptrdiff_t n, double t) {
  simd::kernels().math->exp_minus_root_f32(x, n, static_cast<float>(t));
}

}  // namespace

template <class Real>
bool squared_distances(MatrixView<const Real> x, MatrixView<const Real> y, MatrixView<Real> out,
                       Monitor& monitor) {
  return for_each_tile<Real>(x, y, monitor,
                             [&](ptrdiff_t first, ptrdiff_t) { return CopySink<Real>{out, first}; });
}

template <class Real>
bool nearest(MatrixView<const Real> x, MatrixView<const Real> y, std::span<std::int64_t> index,
             std::span<Real> squared, Monitor& monitor) {
  return for_each_tile<Real>(x, y, monitor, [&](ptrdiff_t first, ptrdiff_t rows) {
    return NearestSink<Real>(index.subspan(size_of(first), size_of(rows)),
                             squared.subspan(size_of(first), size_of(rows)), y.rows);
  });
}

template <class Real>
bool exp_distance_sums(MatrixView<const Real> x, MatrixView<const Real> y, double t, std::span<double> sums,
                       Monitor& monitor) {
  return transformed_sums<Real>(x, y, sums, monitor,
                                [t](Real* numbers, ptrdiff_t n) { decay(numbers, n, t); });
}

template <class Real>
bool squared_distance_sums(MatrixView<const Real> x, MatrixView<const Real> y, std::span<double> sums,
                           Monitor& monitor) {
  return transformed_sums<Real>(x, y, sums, monitor, [](Real*, ptrdiff_t) {});
}

#define STEELYARD_PAIRWISE(Real)                                                                             \
  template bool squared_distances(MatrixView<const Real>, MatrixView<const Real>, MatrixView<Real>,          \
                                  Monitor&);                                                                 \
  template bool nearest(MatrixView<const Real>, MatrixView<const Real>, std::span<std::int64_t>,             \
                        std::span<Real>, Monitor&);                                                          \
  template bool exp_distance_sums(MatrixView<const Real>, MatrixView<const Real>, double, std::span<double>, \
                                  Monitor&);                                                                 \
  template bool squared_distance_sums(MatrixView<const Real>, MatrixView<const Real>, std::span<double>,     \
                                      Monitor&)

STEELYARD_PAIRWISE(float);
STEELYARD_PAIRWISE(double);
#undef STEELYARD_PAIRWISE

}  // namespace steelyard::linalg
