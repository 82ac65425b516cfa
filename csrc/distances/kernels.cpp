#include "distances/kernels.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "core/pool.hpp"
#include "distances/panels.hpp"

namespace steelyard::distances {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t block_columns = 2048;  // points whose sums stay in lanes
constexpr ptrdiff_t largest_tile = 128;    // numbers in a tile
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
KernelColumns<Real>::KernelColumns(MatrixView<const double> points, PointKernel kernel,
                                   std::span<const double> shift)
    : n_(points.rows),
      d_(points.cols),
      stride_((points.rows + tile_of<Real>().cols - 1) / tile_of<Real>().cols * tile_of<Real>().cols),
      kind_(kernel.kind),
      rate_(static_cast<Real>(kernel.rate())),
      shift_(shift.begin(), shift.end()),
      packed_(checked_product("working memory", stride_, points.cols), Real{0}) {
  const ptrdiff_t cols = tile_of<Real>().cols;
  for (ptrdiff_t i = 0; i < n_; ++i) {
    Real* panel = packed_.data() + i / cols * cols * d_ + i % cols;
    for (ptrdiff_t k = 0; k < d_; ++k) {
      panel[k * cols] =
          static_cast<Real>(shift_.empty() ? points.row(i)[k] : points.row(i)[k] - shift_[at(k)]);
    }
  }
}

template <class Real>
const Real* KernelColumns<Real>::pack_rows(MatrixView<const double> x, ptrdiff_t i, ptrdiff_t end,
                                           Real* panel) const {
  const ptrdiff_t height = tile_of<Real>().rows;
  for (ptrdiff_t r = 0; r < height; ++r) {
    const double* row = x.row(std::min(i + r, end - 1));
    for (ptrdiff_t k = 0; k < d_; ++k) {
      panel[k * height + r] = static_cast<Real>(shift_.empty() ? row[k] : row[k] - shift_[at(k)]);
    }
  }
  return panel;
}

template <class Real>
void KernelColumns<Real>::products(MatrixView<const double> x, ptrdiff_t begin, ptrdiff_t end, const Real* v,
                                   ptrdiff_t columns, double* sums) const {
  const auto& tile = tile_of<Real>();
  const auto product = tile.kernel_products[number_of(kind_)];
  const ptrdiff_t size = tile.rows * tile.cols;
  std::vector<Real> panel(checked_product("working memory", tile.rows, std::max<ptrdiff_t>(1, d_))),
      lanes(checked_product("working memory", columns, size));
  std::fill_n(sums, (end - begin) * columns, 0.0);
  for (ptrdiff_t start = 0; start < stride_; start += block_columns) {
    const ptrdiff_t panels = std::min(block_columns, stride_ - start) / tile.cols;
    for (ptrdiff_t i = begin; i < end; i += tile.rows) {
      std::fill(lanes.begin(), lanes.end(), Real{0});
      simd::PanelProduct<Real> task{};
      task.x_panel = pack_rows(x, i, end, panel.data());
      task.y_panels = packed_.data() + start * d_;
      task.panels = panels;
      task.d = d_;
      task.power = rate_;
      task.columns = columns;
      task.y_values = v + start;
      task.stride = stride_;
      task.x_lanes = lanes.data();
      product(task);
      for (ptrdiff_t r = 0; r < std::min(tile.rows, end - i); ++r) {
        for (ptrdiff_t c = 0; c < columns; ++c) {
          const Real* lane = lanes.data() + c * size + r * tile.cols;
          double sum = 0.0;
          for (ptrdiff_t j = 0; j < tile.cols; ++j) sum += static_cast<double>(lane[j]);
          sums[(i - begin + r) * columns + c] += sum;
        }
      }
    }
  }
}

template <class Real>
void KernelColumns<Real>::values(MatrixView<const double> x, ptrdiff_t begin, ptrdiff_t end, double* out,
                                 ptrdiff_t width) const {
  const auto& tile = tile_of<Real>();
  const auto make = tile.kernel_values[number_of(kind_)];
  std::vector<Real> panel(checked_product("working memory", tile.rows, std::max<ptrdiff_t>(1, d_)));
  Real numbers[largest_tile];
  for (ptrdiff_t i = begin; i < end; i += tile.rows) {
    pack_rows(x, i, end, panel.data());
    for (ptrdiff_t j = 0; j < n_; j += tile.cols) {
      make(panel.data(), packed_.data() + j * d_, d_, rate_, numbers);
      for (ptrdiff_t r = 0; r < std::min(tile.rows, end - i); ++r) {
        double* to = out + (i - begin + r) * width + j;
        for (ptrdiff_t c = 0; c < std::min(tile.cols, n_ - j); ++c) {
          to[c] = static_cast<double>(numbers[r * tile.cols + c]);
        }
      }
    }
  }
}

ptrdiff_t sum_chain(ptrdiff_t points) {
  const ptrdiff_t cols = tile_of<double>().cols;
  return std::min(points, block_columns) / cols + cols + points / block_columns + 4;
}

bool kernel_product(MatrixView<const double> x, MatrixView<const double> y, PointKernel kernel,
                    const double* v, ptrdiff_t columns, double* out, Monitor& monitor) {
  const KernelColumns<double> right(y, kernel);
  std::vector<double> values(checked_product("working memory", columns, right.stride()), 0.0);
  for (ptrdiff_t j = 0; j < y.rows; ++j) {
    for (ptrdiff_t c = 0; c < columns; ++c) values[at(c * right.stride() + j)] = v[j * columns + c];
  }
  return parallel_for(x.rows, rows_per_chunk_of_k, monitor,
                      [&](ptrdiff_t begin, ptrdiff_t end) {
                        if (!monitor.poll()) {
                          right.products(x, begin, end, values.data(), columns, out + begin * columns);
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

template class KernelColumns<float>;
template class KernelColumns<double>;

}  // namespace steelyard::distances
