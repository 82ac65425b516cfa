#include "weigh/far_space.hpp"

#include <algorithm>
#include <utility>

#include "core/index.hpp"

namespace steelyard::weigh {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t most_proven = 26;  // points a dimension up to which a proof is tried, in two dimensions
constexpr double of_use = 2.0;  // times what was aimed at, for a proof where rounding is all that is left

ptrdiff_t single_nodes(ptrdiff_t d) { return d == 3 ? 6 : 8; }
ptrdiff_t full_nodes(ptrdiff_t d) { return d == 3 ? 8 : 10; }

/// Where nothing is proven: errors are about 1e-8 of |v| with 8 points in three dimensions, 1e-10 with 10.
ptrdiff_t unproven_nodes(ptrdiff_t d, double aim) { return d < 3 ? 14 : aim >= 1e-8 ? 8 : 10; }

distances::RadialKernel laplacian(double scale) { return {simd::Kernel::laplacian, scale}; }

}  // namespace

FarSpace::FarSpace(MatrixView<const double> points, bool by_all_pairs, Monitor& monitor)
    : PointSpace(points, simd::Metric::euclidean, 2.0),
      by_all_pairs_(by_all_pairs),
      field_(this->points(), monitor) {}

FarSpace::FarSpace(std::vector<double>&& owned, ptrdiff_t d, bool by_all_pairs, Monitor& monitor)
    : PointSpace(std::move(owned), d, simd::Metric::euclidean, 2.0),
      by_all_pairs_(by_all_pairs),
      field_(points(), monitor) {}

bool FarSpace::product(Precision precision, std::span<const double> scales, const double* v, double* y,
                       Monitor& monitor) const {
  const ptrdiff_t d = points().cols, columns = std::ssize(scales);
  for (ptrdiff_t c = 0; c < columns; ++c) {
    const double scale = scales[at(c)];
    if (precision == Precision::single
            ? !field_.product<float>(single_nodes(d), laplacian(scale), v + c, y + c, columns, monitor)
            : !field_.product<double>(full_nodes(d), laplacian(scale), v + c, y + c, columns, monitor))
      return false;
  }
  return true;
}

bool FarSpace::careful_product(std::span<const double> scales, double aim, const double* v, double* y,
                               std::span<Deviation> deviations, Monitor& monitor) const {
  const ptrdiff_t d = points().cols, columns = std::ssize(scales);
  if (by_all_pairs_) {
    std::fill(deviations.begin(), deviations.end(), Deviation{});
    return PointSpace::product(Precision::full, scales, v, y, monitor);
  }
  for (ptrdiff_t c = 0; c < columns; ++c) {
    const double scale = scales[at(c)];
    auto& deviation = deviations[at(c)];
    deviation = {0.0, 0.0, false};
    auto p = unproven_nodes(d, aim);
    if (d <= 2) {
      const auto tried = field_.enough(aim, scale, v + c, columns, most_proven, monitor);
      const auto error = field_.error(tried, scale, v + c, columns, monitor);
      if (error.rms <= of_use * aim) {
        p = tried;
        deviation = {error.rms, error.weighted, true};
      }
    }
    if (!field_.product<double>(p, laplacian(scale), v + c, y + c, columns, monitor)) return false;
  }
  return true;
}

std::unique_ptr<const Space> FarSpace::reordered(std::span<const std::int32_t> order,
                                                 Monitor& monitor) const {
  return std::make_unique<FarSpace>(moved(order), points().cols, by_all_pairs_, monitor);
}

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
