#include "weigh/far_space.hpp"

#include <algorithm>
#include <utility>

#include "core/index.hpp"

namespace steelyard::weigh {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t most_proven = 26;  // points a dimension up to which a proof is tried, in two dimensions

ptrdiff_t single_nodes(ptrdiff_t d) { return d == 3 ? 6 : 7; }
ptrdiff_t full_nodes(ptrdiff_t d) { return d == 3 ? 8 : 10; }

/// Where nothing is proven: errors are about 1e-8 of |v| with 8 points in three dimensions, 1e-10 with 10.
ptrdiff_t unproven_nodes(ptrdiff_t d, double aim) { return d < 3 ? 14 : aim >= 1e-8 ? 8 : 10; }

}  // namespace

FarSpace::FarSpace(MatrixView<const double> points, Monitor& monitor)
    : near_(points, simd::Metric::euclidean, 2.0), points_(points), field_(points_, monitor) {}

bool FarSpace::product(Precision precision, std::span<const double> scales, const double* v, double* y,
                       Monitor& monitor) const {
  const ptrdiff_t d = points_.cols, columns = std::ssize(scales);
  for (ptrdiff_t c = 0; c < columns; ++c) {
    const double scale = scales[at(c)];
    if (precision == Precision::single
            ? !field_.product<float>(single_nodes(d), scale, v + c, y + c, columns, monitor)
            : !field_.product<double>(full_nodes(d), scale, v + c, y + c, columns, monitor))
      return false;
  }
  return true;
}

bool FarSpace::careful_product(std::span<const double> scales, double aim, const double* v, double* y,
                               std::span<Deviation> deviations, Monitor& monitor) const {
  const ptrdiff_t d = points_.cols, columns = std::ssize(scales);
  for (ptrdiff_t c = 0; c < columns; ++c) {
    const double scale = scales[at(c)];
    auto& deviation = deviations[at(c)];
    deviation = {0.0, 0.0, false};
    auto p = unproven_nodes(d, aim);
    if (d <= 2) {
      const auto tried = field_.enough(aim, scale, v + c, columns, most_proven, monitor);
      const auto error = field_.error(tried, scale, v + c, columns, monitor);
      if (error.rms <= aim) {
        p = tried;
        deviation = {error.rms, error.weighted, true};
      }
    }
    if (!field_.product<double>(p, scale, v + c, y + c, columns, monitor)) return false;
  }
  return true;
}

void FarSpace::chosen(std::span<const std::int32_t> rows, std::span<const std::int32_t> cols, double* out,
                      std::vector<double>& scratch) const {
  near_.chosen(rows, cols, out, scratch);
}

void FarSpace::rows(ptrdiff_t first, ptrdiff_t rows, ptrdiff_t start, ptrdiff_t stop, double* out) const {
  near_.rows(first, rows, start, stop, out);
}

void FarSpace::rows(ptrdiff_t first, ptrdiff_t rows, ptrdiff_t start, ptrdiff_t stop, float* out) const {
  near_.rows(first, rows, start, stop, out);
}

std::unique_ptr<const Space> FarSpace::reordered(std::span<const std::int32_t> order,
                                                 Monitor& monitor) const {
  std::vector<double> moved(checked_product("working memory", order.size(), points_.cols));
  for (std::size_t i = 0; i < order.size(); ++i)
    std::copy_n(points_.row(order[i]), points_.cols,
                moved.begin() + static_cast<ptrdiff_t>(i) * points_.cols);
  return std::make_unique<FarSpace>(std::move(moved), points_.cols, monitor);
}

FarSpace::FarSpace(std::vector<double>&& owned, ptrdiff_t d, Monitor& monitor)
    : owned_(std::move(owned)),
      near_({owned_.data(), std::ssize(owned_) / d, d, d}, simd::Metric::euclidean, 2.0),
      points_{owned_.data(), std::ssize(owned_) / d, d, d},
      field_(points_, monitor) {}

std::vector<std::int32_t> FarSpace::grouped(Monitor&) const {
  const auto order = field_.tree().order();
  return {order.begin(), order.end()};
}

bool FarSpace::earlier_neighbours(std::span<const std::int32_t> rank, ptrdiff_t k,
                                  std::vector<std::int32_t>& out, Monitor& monitor) const {
  out = distances::earlier_neighbours(field_.tree(), rank, k, monitor);
  return true;
}

double FarSpace::smallest_distance(Monitor& monitor) const {
  return distances::smallest_distance(field_.tree(), monitor);
}

}  // namespace steelyard::weigh
