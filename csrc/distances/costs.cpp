#include "distances/costs.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "distances/panels.hpp"

namespace steelyard::distances {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t candidate_chunk = 64, tile_room = 4 * 64;

/// sum_j w_j max(0, b_j - c_j); one tile's row in Real without weights, else in double.
template <class Real>
double relu_sum(const Real* b, const Real* c, const double* w, ptrdiff_t count) {
  if (w != nullptr) {
    double sum = 0.0;
    for (ptrdiff_t j = 0; j < count; ++j) {
      const Real gap = b[j] - c[j];
      sum += w[j] * static_cast<double>(gap > Real{0} ? gap : Real{0});
    }
    return sum;
  }
  Real lanes[8] = {};
  ptrdiff_t j = 0;
  for (; j + 8 <= count; j += 8)
    for (ptrdiff_t l = 0; l < 8; ++l) {
      const Real gap = b[j + l] - c[j + l];
      lanes[l] += gap > Real{0} ? gap : Real{0};
    }
  for (; j < count; ++j) lanes[0] += std::max(Real{0}, b[j] - c[j]);
  double sum = 0.0;
  for (const Real lane : lanes) sum += static_cast<double>(lane);
  return sum;
}

/// A panel's worth of columns at a time, as for points.
template <class Real>
double row_gain(const Real* row, std::span<const double> w, std::span<const Real> b) {
  const auto n = std::ssize(b);
  double sum = 0.0;
  for (ptrdiff_t j = 0; j < n; j += 64) {
    sum +=
        relu_sum(b.data() + j, row + j, w.empty() ? nullptr : w.data() + j, std::min<ptrdiff_t>(64, n - j));
  }
  return sum;
}

}  // namespace

template <class Real>
Costs<Real> Costs<Real>::of_points(MatrixView<const Real> points, double power, Monitor& monitor) {
  Costs costs(points, power, false);
  costs.packed_ = pack<Real>(points, tile_of<Real>().cols, monitor);
  return costs;
}

template <class Real>
Costs<Real> Costs<Real>::of_matrix(MatrixView<const Real> matrix) {
  return Costs(matrix, 1.0, true);
}

template <class Real>
void Costs<Real>::tile(const Real* x_panel, ptrdiff_t panel, Real* out) const {
  const auto& kernel = tile_of<Real>();
  const Real* y = packed_.data() + panel * kernel.cols * given_.cols;
  if (power_ == 1.0) {
    kernel.distances[static_cast<int>(simd::Metric::euclidean)](x_panel, y, given_.cols, Real{1}, out);
    return;
  }
  kernel.squared_distances(x_panel, y, given_.cols, out);
  if (power_ == 2.0) return;
  for (ptrdiff_t j = 0; j < kernel.rows * kernel.cols; ++j)
    out[j] = static_cast<Real>(std::pow(static_cast<double>(out[j]), 0.5 * power_));
}

template <class Real>
void Costs<Real>::pack_candidates(std::span<const std::int64_t> candidates, std::vector<Real>& panels) const {
  const ptrdiff_t width = tile_of<Real>().rows, d = given_.cols, count = std::ssize(candidates);
  panels.assign(checked_product("working memory", (count + width - 1) / width, width, d), Real{0});
  for (ptrdiff_t r = 0; r < count; ++r) {
    Real* to = panels.data() + r / width * width * d + r % width;
    const Real* row = given_.row(static_cast<ptrdiff_t>(candidates[at(r)]));
    for (ptrdiff_t k = 0; k < d; ++k) to[k * width] = row[k];
  }
}

template <class Real>
bool Costs<Real>::rows(std::span<const std::int64_t> candidates, Real* out, Monitor& monitor) const {
  const ptrdiff_t n = size(), count = std::ssize(candidates);
  if (matrix_) {
    for (ptrdiff_t r = 0; r < count; ++r)
      std::copy_n(given_.row(static_cast<ptrdiff_t>(candidates[at(r)])), n, out + r * n);
    return !monitor.poll();
  }
  const auto& kernel = tile_of<Real>();
  std::vector<Real> x;
  pack_candidates(candidates, x);
  const ptrdiff_t panels = (n + kernel.cols - 1) / kernel.cols,
                  groups = (count + kernel.rows - 1) / kernel.rows;
  const double per_panel = 0.1 * static_cast<double>(groups * kernel.rows * kernel.cols * (given_.cols + 4));
  return parallel_for(panels, grain_for(per_panel), monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    Real made[tile_room];
    for (auto p = begin; p < end; ++p) {
      if (monitor.poll()) return;
      const ptrdiff_t width = std::min(kernel.cols, n - p * kernel.cols);
      for (ptrdiff_t g = 0; g < groups; ++g) {
        tile(x.data() + g * kernel.rows * given_.cols, p, made);
        for (ptrdiff_t i = 0; i < std::min(kernel.rows, count - g * kernel.rows); ++i)
          std::copy_n(made + i * kernel.cols, width, out + (g * kernel.rows + i) * n + p * kernel.cols);
      }
    }
  });
}

template <class Real>
bool Costs<Real>::gains(std::span<const std::int64_t> candidates, std::span<const double> weights,
                        std::span<const Real> b, double* out, Monitor& monitor) const {
  const ptrdiff_t n = size(), count = std::ssize(candidates);
  if (matrix_) {
    return parallel_for(
        count, grain_for(static_cast<double>(n)), monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
          for (auto r = begin; r < end && !monitor.poll(); ++r)
            out[r] = row_gain(given_.row(static_cast<ptrdiff_t>(candidates[at(r)])), weights, b);
        });
  }
  const auto& kernel = tile_of<Real>();
  const ptrdiff_t panels = (n + kernel.cols - 1) / kernel.cols, d = given_.cols;
  const ptrdiff_t block = std::max<ptrdiff_t>(
      1, 256 * 1024 / (std::max<ptrdiff_t>(1, d) * kernel.cols * static_cast<ptrdiff_t>(sizeof(Real))));
  const ptrdiff_t chunk = std::clamp<ptrdiff_t>((count + 7) / 8, kernel.rows, candidate_chunk);
  return parallel_for(count, chunk, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    Real made[tile_room];
    std::vector<Real> x;
    pack_candidates(candidates.subspan(at(begin), at(end - begin)), x);
    std::fill(out + begin, out + end, 0.0);
    for (ptrdiff_t start = 0; start < panels; start += block) {
      for (auto first = begin; first < end; first += kernel.rows) {
        if (monitor.poll()) return;
        for (ptrdiff_t p = start; p < std::min(panels, start + block); ++p) {
          const ptrdiff_t from = p * kernel.cols, width = std::min(kernel.cols, n - from);
          tile(x.data() + (first - begin) * d, p, made);
          for (ptrdiff_t i = 0; i < std::min(kernel.rows, end - first); ++i) {
            out[first + i] += relu_sum(b.data() + from, made + i * kernel.cols,
                                       weights.empty() ? nullptr : weights.data() + from, width);
          }
        }
      }
    }
  });
}

template class Costs<float>;
template class Costs<double>;

}  // namespace steelyard::distances
