#include "qp/kernel_rows.hpp"

#include <algorithm>

#include "core/index.hpp"
#include "core/pool.hpp"

namespace steelyard::qp {
namespace {

using std::ptrdiff_t;

double inner(const double* x, const double* y, ptrdiff_t d) {
  double sum = 0.0;
  for (ptrdiff_t k = 0; k < d; ++k) sum += x[k] * y[k];
  return sum;
}

}  // namespace

KernelRows::KernelRows(MatrixView<const double> points, std::optional<distances::PointKernel> kernel,
                       std::span<const double> ridge, int threads)
    : points_(points),
      kernel_(kernel),
      ridge_(ridge),
      threads_(threads),
      columns_(points, kernel.value_or(distances::PointKernel{})) {}

std::vector<double> KernelRows::gathered(std::span<const ptrdiff_t> list) const {
  std::vector<double> out(checked_product("working memory", list.size(), points_.cols));
  for (std::size_t k = 0; k < list.size(); ++k) {
    std::copy_n(points_.row(list[k]), points_.cols, out.data() + static_cast<ptrdiff_t>(k) * points_.cols);
  }
  return out;
}

void KernelRows::rows(std::span<const ptrdiff_t> indices, double* out) {
  const auto n = points_.rows, d = points_.cols, count = std::ssize(indices);
  const auto chosen = gathered(indices);
  Monitor own(threads_);  // the solver needs rows in order to stop in good order
  parallel_for(count, 1, own, [&](ptrdiff_t begin, ptrdiff_t end) {
    if (kernel_) columns_.values({chosen.data(), count, d, d}, begin, end, out + begin * n, n);
    for (auto k = begin; k < end; ++k) {
      double* row = out + k * n;
      for (ptrdiff_t j = 0; !kernel_ && j < n; ++j) row[j] = inner(points_.row(j), chosen.data() + k * d, d);
      if (!ridge_.empty()) row[indices[at(k)]] += ridge_[at(indices[at(k)])];
    }
  });
}

void KernelRows::add_linear(std::span<const ptrdiff_t> list, const double* x, double* y) const {
  std::vector<double> sum(at(points_.cols), 0.0);
  for (const auto j : list) {
    for (ptrdiff_t k = 0; k < points_.cols; ++k) sum[at(k)] += x[j] * points_.row(j)[k];
  }
  for (ptrdiff_t i = 0; i < points_.rows; ++i) y[i] += inner(points_.row(i), sum.data(), points_.cols);
}

bool KernelRows::accumulate(std::span<const ptrdiff_t> list, const double* x, double* y, ptrdiff_t columns,
                            Monitor& monitor) {
  const auto n = points_.rows, m = std::ssize(list);
  if (kernel_) {
    const auto chosen = gathered(list);
    std::vector<double> v(checked_product("working memory", m, columns)),
        out(checked_product("working memory", n, columns));
    for (ptrdiff_t k = 0; k < m; ++k) {
      for (ptrdiff_t c = 0; c < columns; ++c) v[at(k * columns + c)] = x[c * n + list[at(k)]];
    }
    if (!distances::kernel_product(points_, {chosen.data(), m, points_.cols, points_.cols}, *kernel_,
                                   v.data(), columns, out.data(), monitor)) {
      return false;
    }
    for (ptrdiff_t i = 0; i < n; ++i) {
      for (ptrdiff_t c = 0; c < columns; ++c) y[c * n + i] += out[at(i * columns + c)];
    }
  }
  for (ptrdiff_t c = 0; c < columns; ++c) {
    if (!kernel_) add_linear(list, x + c * n, y + c * n);
    for (const auto j : list) y[c * n + j] += ridge_.empty() ? 0.0 : ridge_[at(j)] * x[c * n + j];
  }
  return !monitor.poll();
}

void KernelRows::fill_diagonal(std::span<double> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double* row = points_.row(static_cast<ptrdiff_t>(i));
    const double own =
        kernel_ ? (kernel_->kind == simd::Kernel::energy ? 0.0 : 1.0) : inner(row, row, points_.cols);
    out[i] = own + (ridge_.empty() ? 0.0 : ridge_[i]);
  }
}

}  // namespace steelyard::qp
