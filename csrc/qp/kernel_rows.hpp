// The rows of a kernel of points, with a ridge, made on demand and never held.
#pragma once

#include <optional>
#include <span>

#include "core/views.hpp"
#include "distances/kernels.hpp"
#include "qp/symmetric_rows.hpp"

namespace steelyard::qp {

/// K(x_i, x_j) + ridge_i [i = j]; without a kernel x_i'x_j. Products with K go by the rows: O(n d) for x'y,
/// fused tiles else.
class KernelRows final : public SymmetricRows {
 public:
  KernelRows(MatrixView<const double> points, std::optional<distances::PointKernel> kernel,
             std::span<const double> ridge, int threads);

  std::ptrdiff_t size() const override { return points_.rows; }
  void rows(std::span<const std::ptrdiff_t> indices, double* out) override;
  bool multiplies() const override { return true; }
  bool accumulate(std::span<const std::ptrdiff_t> list, const double* x, double* y, std::ptrdiff_t columns,
                  Monitor& monitor) override;
  void fill_diagonal(std::span<double> out) override;
  double rounding() const override { return static_cast<double>(2 * points_.cols + 12); }

 private:
  std::vector<double> gathered(std::span<const std::ptrdiff_t> list) const;
  void add_linear(std::span<const std::ptrdiff_t> list, const double* x, double* y) const;

  MatrixView<const double> points_;
  std::optional<distances::PointKernel> kernel_;
  std::span<const double> ridge_;
  int threads_;
  distances::KernelColumns<double> columns_;
};

}  // namespace steelyard::qp
