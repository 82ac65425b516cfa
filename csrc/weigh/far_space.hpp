// Points in one to three dimensions whose products with Z = exp(-scale D) go through a far field.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "distances/far_field/far_field.hpp"
#include "weigh/space.hpp"

namespace steelyard::weigh {

/// Euclidean. Products approximate Z by one matrix Z~ for each precision, symmetric, about 1e-6 and 1e-8 of |v|
/// off; `careful_product` says how far. Where `by_all_pairs`, that one goes over all pairs in double, which
/// proves a residual in three dimensions.
class FarSpace final : public PointSpace {
 public:
  FarSpace(MatrixView<const double> points, bool by_all_pairs, Monitor& monitor);
  FarSpace(std::vector<double>&& owned, std::ptrdiff_t d, bool by_all_pairs, Monitor& monitor);

  bool product(Precision precision, std::span<const double> scales, const double* v, double* y,
               Monitor& monitor) const override;
  bool careful_product(std::span<const double> scales, double aim, const double* v, double* y,
                       std::span<Deviation> deviations, Monitor& monitor) const override;
  bool approximates() const override { return true; }
  std::unique_ptr<const Space> reordered(std::span<const std::int32_t> order,
                                         Monitor& monitor) const override;
  std::vector<std::int32_t> grouped(Monitor& monitor) const override;
  std::vector<std::int32_t> nets() const override { return distances::nets(field_.tree()); }
  bool earlier_neighbours(std::span<const std::int32_t> rank, std::ptrdiff_t k,
                          std::vector<std::int32_t>& out, Monitor& monitor) const override;
  double smallest_distance(Monitor& monitor) const override;

 private:
  bool by_all_pairs_;
  distances::FarField field_;
};

}  // namespace steelyard::weigh
