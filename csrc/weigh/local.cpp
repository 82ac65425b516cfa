#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "core/pool.hpp"
#include "linalg/cholesky.hpp"
#include "simd/table.hpp"
#include "weigh/weighting.hpp"

namespace steelyard::weigh {
namespace {

using std::ptrdiff_t;

/// The last component of Z^{-1} 1, or NaN where Z is not positive definite. With Z = L L' it is y_q / l_qq, L
/// y = 1.
double last_weight(std::vector<double>& z, ptrdiff_t q) {
  if (!linalg::cholesky_own(z.data(), q, q)) return std::nan("");
  std::vector<double> y(at(q));
  for (ptrdiff_t i = 0; i < q; ++i) {
    double sum = 1.0;
    for (ptrdiff_t k = 0; k < i; ++k) sum -= z[at(i * q + k)] * y[at(k)];
    y[at(i)] = sum / z[at(i * q + i)];
  }
  return y.back() / z.back();
}

}  // namespace

bool local_weights(const Space& space, double scale, ptrdiff_t first,
                   std::span<const std::int32_t> neighbours, ptrdiff_t k, std::span<double> out,
                   Monitor& monitor) {
  const double cost = 0.1 * static_cast<double>(k * k * k);
  return parallel_for(std::ssize(out), grain_for(cost), monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    std::vector<double> z, scratch;
    std::vector<std::int32_t> points;
    for (auto i = begin; i < end && !monitor.poll(); ++i) {
      const auto* near = neighbours.data() + i * k;
      points.assign(near, std::find(near, near + k, -1));
      points.push_back(static_cast<std::int32_t>(first + i));
      const auto q = std::ssize(points);
      z.resize(checked_product("working memory", q, q));
      space.chosen(points, points, z.data(), scratch);
      for (double& value : z) value *= -scale;
      simd::kernels().vector_math->exp(z.data(), q * q);
      out[at(i)] = last_weight(z, q);
    }
  });
}

bool chosen_products(const Space& space, double scale, std::span<const std::int32_t> rows, const double* v,
                     std::span<double> out, Monitor& monitor) {
  constexpr ptrdiff_t strip = 4, block = 2048;
  const ptrdiff_t n = space.size();
  return parallel_for(std::ssize(rows), strip, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    std::vector<std::int32_t> columns;
    std::vector<double> z, scratch;
    const auto own = rows.subspan(at(begin), at(end - begin));
    std::fill(out.begin() + begin, out.begin() + end, 0.0);
    for (ptrdiff_t start = 0; start < n && !monitor.poll(); start += block) {
      columns.clear();
      for (auto j = start; j < std::min(start + block, n); ++j)
        columns.push_back(static_cast<std::int32_t>(j));
      const auto width = std::ssize(columns);
      z.resize(checked_product("working memory", end - begin, width));
      space.chosen(own, columns, z.data(), scratch);
      for (double& value : z) value *= -scale;
      simd::kernels().vector_math->exp(z.data(), std::ssize(z));
      for (auto i = begin; i < end; ++i) {
        for (ptrdiff_t j = 0; j < width; ++j) out[at(i)] += z[at((i - begin) * width + j)] * v[start + j];
      }
    }
  });
}

void line_weights(std::span<const double> sorted, double scale, std::span<double> out) {
  double left = 1.0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const double right = i + 1 < sorted.size() ? std::tanh(0.5 * scale * (sorted[i + 1] - sorted[i])) : 1.0;
    out[i] = 0.5 * (left + right);
    left = right;
  }
}

}  // namespace steelyard::weigh
