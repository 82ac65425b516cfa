// Kernels of points: values, and products with vectors that never store the matrix.
//
// K(x, y) is a function of the Euclidean distance (simd::Kernel), from differences of coordinates: no
// cancellation. A value is off by (d + 12) u (|K| + 1) at most, u the rounding unit of Real, and for `energy`
// by (d + 12) u |K|. A product sums over at most 64 points in Real, and over those in double, in two levels:
// `sum_chain` bounds the additions that one term goes through.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/monitor.hpp"
#include "core/views.hpp"
#include "simd/tile.hpp"

namespace steelyard::distances {

struct PointKernel {
  simd::Kernel kind = simd::Kernel::energy;
  double scale = 1.0;  ///< of distances; energy has none

  double rate() const;  ///< of simd::Kernel
};

/// Points in panels of so many, coordinate after coordinate, less `shift` (empty: none), which double never
/// needs and float32 does where points lie far from zero.
template <class Real>
class PointPanels {
 public:
  PointPanels(MatrixView<const double> points, std::ptrdiff_t width, std::span<const double> shift = {});

  std::ptrdiff_t size() const { return n_; }
  std::ptrdiff_t coordinates() const { return d_; }  ///< at least one: zeros where points have none
  std::ptrdiff_t panels() const { return (n_ + width_ - 1) / width_; }
  const Real* panel(std::ptrdiff_t number) const { return packed_.data() + number * width_ * d_; }
  /// Points i, ... of x in a panel of `height`, up to `end`, the last repeated.
  void pack(MatrixView<const double> x, std::ptrdiff_t i, std::ptrdiff_t end, std::ptrdiff_t height,
            Real* panel) const;

 private:
  std::ptrdiff_t n_, d_, width_;
  std::vector<double> shift_;
  std::vector<Real> packed_;
};

/// Points as the columns of K, for its values.
template <class Real>
class KernelColumns {
 public:
  KernelColumns(MatrixView<const double> points, PointKernel kernel, std::span<const double> shift = {});

  /// out (end - begin rows, `width` apart) <- K(x_i, y_j). One thread.
  void values(MatrixView<const double> x, std::ptrdiff_t begin, std::ptrdiff_t end, double* out,
              std::ptrdiff_t width) const;

 private:
  simd::Kernel kind_;
  Real rate_;
  PointPanels<Real> points_;
};

/// Points as the columns of K, for products. Rows of K lie in lanes: nothing is added up across a register.
template <class Real>
class KernelSums {
 public:
  KernelSums(MatrixView<const double> points, PointKernel kernel, std::span<const double> shift = {});

  std::ptrdiff_t stride() const { return stride_; }  ///< length of a vector, padded with zeros

  /// sums[c x (end - begin) + i - begin] = sum_j K(x_i, y_j) v[c x stride + j] for begin <= i < end. One
  /// thread.
  void products(MatrixView<const double> x, std::ptrdiff_t begin, std::ptrdiff_t end, const Real* v,
                std::ptrdiff_t columns, double* sums) const;

 private:
  simd::Kernel kind_;
  Real rate_;
  PointPanels<Real> points_;
  std::ptrdiff_t stride_;
};

/// Longest chain of additions behind a number of kernel_product, of so many columns.
std::ptrdiff_t sum_chain(std::ptrdiff_t points);

/// out (x.rows x columns) <- K(x, y) v, v y.rows x columns, in double. Same bits for any number of threads.
/// False when stopped.
bool kernel_product(MatrixView<const double> x, MatrixView<const double> y, PointKernel kernel,
                    const double* v, std::ptrdiff_t columns, double* out, Monitor& monitor);

/// out (x.rows x y.rows) <- K(x, y).
bool kernel_matrix(MatrixView<const double> x, MatrixView<const double> y, PointKernel kernel,
                   MatrixView<double> out, Monitor& monitor);

}  // namespace steelyard::distances
