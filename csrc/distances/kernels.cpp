#include "distances/kernels.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "core/pool.hpp"
#include "distances/panels.hpp"

namespace steelyard::distances {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t block_columns = 64;   // points whose sums stay in Real
constexpr ptrdiff_t wide_columns = 4096;  // points whose blocks are added up apart: short chains round less
constexpr ptrdiff_t largest_tile = 128;   // numbers in a tile
constexpr ptrdiff_t rows_per_chunk_of_k = 64;

int number_of(simd::Kernel kind) { return static_cast<int>(kind); }

}  // namespace

double PointKernel::rate() const {
  switch (kind) {
    case simd::Kernel::laplacian:
      return 1.0 / scale;
    case simd::Kernel::gaussian:
      return std::sqrt(0.5) / scale;
    case simd::Kernel::matern32:
      return std::sqrt(3.0) / scale;
    case simd::Kernel::matern52:
      return std::sqrt(5.0) / scale;
    default:
      return 1.0;
  }
}

template <class Real>
PointPanels<Real>::PointPanels(MatrixView<const double> points, ptrdiff_t width,
                               std::span<const double> shift)
    : n_(points.rows),
      d_(std::max<ptrdiff_t>(1, points.cols)),
      width_(width),
      shift_(shift.begin(), shift.end()) {
  packed_.assign(checked_product("working memory", panels() * width, d_), Real{0});
  for (ptrdiff_t i = 0; i < n_; ++i) {
    Real* to = packed_.data() + i / width * width * d_ + i % width;
    for (ptrdiff_t k = 0; k < points.cols; ++k) {
      to[k * width] = static_cast<Real>(shift_.empty() ? points.row(i)[k] : points.row(i)[k] - shift_[at(k)]);
    }
  }
}

template <class Real>
void PointPanels<Real>::pack(MatrixView<const double> x, ptrdiff_t i, ptrdiff_t end, ptrdiff_t height,
                             Real* panel) const {
  for (ptrdiff_t r = 0; r < height; ++r) {
    const double* row = x.row(std::min(i + r, end - 1));
    for (ptrdiff_t k = 0; k < x.cols; ++k) {
      panel[k * height + r] = static_cast<Real>(shift_.empty() ? row[k] : row[k] - shift_[at(k)]);
    }
  }
}

template <class Real>
KernelColumns<Real>::KernelColumns(MatrixView<const double> points, PointKernel kernel,
                                   std::span<const double> shift)
    : kind_(kernel.kind),
      rate_(static_cast<Real>(kernel.rate())),
      points_(points, tile_of<Real>().cols, shift) {}

template <class Real>
void KernelColumns<Real>::values(MatrixView<const double> x, ptrdiff_t begin, ptrdiff_t end, double* out,
                                 ptrdiff_t width) const {
  const auto& tile = tile_of<Real>();
  const auto make = tile.kernel_values[number_of(kind_)];
  const ptrdiff_t d = points_.coordinates();
  std::vector<Real> panel(checked_product("working memory", tile.rows, d));
  Real numbers[largest_tile];
  for (ptrdiff_t i = begin; i < end; i += tile.rows) {
    points_.pack(x, i, end, tile.rows, panel.data());
    for (ptrdiff_t j = 0; j < points_.size(); j += tile.cols) {
      make(panel.data(), points_.panel(j / tile.cols), d, rate_, numbers);
      for (ptrdiff_t r = 0; r < std::min(tile.rows, end - i); ++r) {
        double* to = out + (i - begin + r) * width + j;
        for (ptrdiff_t c = 0; c < std::min(tile.cols, points_.size() - j); ++c) {
          to[c] = static_cast<double>(numbers[r * tile.cols + c]);
        }
      }
    }
  }
}

template <class Real>
KernelSums<Real>::KernelSums(MatrixView<const double> points, PointKernel kernel,
                             std::span<const double> shift)
    : kind_(kernel.kind),
      rate_(static_cast<Real>(kernel.rate())),
      points_(points, tile_of<Real>().rows, shift),
      stride_(points_.panels() * tile_of<Real>().rows) {}

template <class Real>
void KernelSums<Real>::products(MatrixView<const double> x, ptrdiff_t begin, ptrdiff_t end, const Real* v,
                                ptrdiff_t columns, double* sums) const {
  const auto& tile = tile_of<Real>();
  const auto product = tile.kernel_sums[number_of(kind_)];
  const ptrdiff_t d = points_.coordinates(), count = end - begin;
  std::vector<Real> panel(checked_product("working memory", tile.cols, d)),
      lanes(checked_product("working memory", columns, tile.cols));
  std::vector<double> wide(lanes.size(), 0.0);
  std::fill_n(sums, count * columns, 0.0);
  for (ptrdiff_t i = begin; i < end; i += tile.cols) {
    points_.pack(x, i, end, tile.cols, panel.data());
    for (ptrdiff_t start = 0; start < stride_; start += block_columns) {
      std::fill(lanes.begin(), lanes.end(), Real{0});
      simd::PanelProduct<Real> task{};
      task.x_panel = points_.panel(start / tile.rows);
      task.y_panels = panel.data();
      task.panels = std::min(block_columns, stride_ - start) / tile.rows;
      task.d = d;
      task.power = rate_;
      task.columns = columns;
      task.x_values = v + start;
      task.stride = stride_;
      task.y_sums = lanes.data();
      product(task);
      for (std::size_t k = 0; k < lanes.size(); ++k) wide[k] += static_cast<double>(lanes[k]);
      const ptrdiff_t next = start + block_columns;
      if (next < stride_ && next % wide_columns != 0) continue;
      for (ptrdiff_t c = 0; c < columns; ++c) {
        double* to = sums + c * count + i - begin;
        const double* lane = wide.data() + c * tile.cols;
        for (ptrdiff_t r = 0; r < std::min(tile.cols, end - i); ++r) to[r] += lane[r];
      }
      std::fill(wide.begin(), wide.end(), 0.0);
    }
  }
}

ptrdiff_t sum_chain(ptrdiff_t points) {
  const ptrdiff_t rows = tile_of<double>().rows;
  return std::min(points, block_columns) / rows + rows + std::min(points, wide_columns) / block_columns +
         points / wide_columns + 4;
}

bool kernel_product(MatrixView<const double> x, MatrixView<const double> y, PointKernel kernel,
                    const double* v, ptrdiff_t columns, double* out, Monitor& monitor) {
  const KernelSums<double> right(y, kernel);
  std::vector<double> values(checked_product("working memory", columns, right.stride()), 0.0);
  for (ptrdiff_t j = 0; j < y.rows; ++j) {
    for (ptrdiff_t c = 0; c < columns; ++c) values[at(c * right.stride() + j)] = v[j * columns + c];
  }
  return parallel_for(x.rows, rows_per_chunk_of_k, monitor,
                      [&](ptrdiff_t begin, ptrdiff_t end) {
                        if (monitor.poll()) return;
                        const ptrdiff_t count = end - begin;
                        std::vector<double> sums(checked_product("working memory", columns, count));
                        right.products(x, begin, end, values.data(), columns, sums.data());
                        for (ptrdiff_t c = 0; c < columns; ++c) {
                          for (ptrdiff_t r = 0; r < count; ++r) {
                            out[(begin + r) * columns + c] = sums[at(c * count + r)];
                          }
                        }
                      }) &&
         !monitor.stopped();
}

bool kernel_matrix(MatrixView<const double> x, MatrixView<const double> y, PointKernel kernel,
                   MatrixView<double> out, Monitor& monitor) {
  const KernelColumns<double> right(y, kernel);
  return parallel_for(x.rows, 16, monitor,
                      [&](ptrdiff_t begin, ptrdiff_t end) {
                        if (!monitor.poll()) right.values(x, begin, end, out.row(begin), out.stride);
                      }) &&
         !monitor.stopped();
}

template class PointPanels<float>;
template class PointPanels<double>;
template class KernelColumns<double>;
template class KernelSums<float>;
template class KernelSums<double>;

}  // namespace steelyard::distances
