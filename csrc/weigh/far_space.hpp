// Points in one to three dimensions whose products with Z = exp(-scale D) go through a far field.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "distances/far_field/far_field.hpp"
#include "weigh/space.hpp"

namespace steelyard::weigh {

/// Euclidean. `points` must outlive it. Products approximate Z by one matrix Z~ for each precision, symmetric,
/// about 1e-6 and 1e-8 of |v| off; `careful_product` says how far.
class FarSpace final : public Space {
 public:
  FarSpace(MatrixView<const double> points, Monitor& monitor);
  FarSpace(std::vector<double>&& owned, std::ptrdiff_t d, Monitor& monitor);

  std::ptrdiff_t size() const override { return points_.rows; }
  bool product(Precision precision, std::span<const double> scales, const double* v, double* y,
               Monitor& monitor) const override;
  bool careful_product(std::span<const double> scales, double aim, const double* v, double* y,
                       std::span<Deviation> deviations, Monitor& monitor) const override;
  bool approximates() const override { return true; }
  void chosen(std::span<const std::int32_t> rows, std::span<const std::int32_t> cols, double* out,
              std::vector<double>& scratch) const override;
  void rows(std::ptrdiff_t first, std::ptrdiff_t rows, std::ptrdiff_t start, std::ptrdiff_t stop,
            double* out) const override;
  void rows(std::ptrdiff_t first, std::ptrdiff_t rows, std::ptrdiff_t start, std::ptrdiff_t stop,
            float* out) const override;
  std::unique_ptr<const Space> reordered(std::span<const std::int32_t> order,
                                         Monitor& monitor) const override;
  std::vector<std::int32_t> grouped(Monitor& monitor) const override;
  bool earlier_neighbours(std::span<const std::int32_t> rank, std::ptrdiff_t k,
                          std::vector<std::int32_t>& out, Monitor& monitor) const override;
  double smallest_distance(Monitor& monitor) const override;

 private:
  std::vector<double> owned_;
  PointSpace near_;
  MatrixView<const double> points_;
  distances::FarField field_;
};

}  // namespace steelyard::weigh
