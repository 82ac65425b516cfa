// Kernels of points: values, and products with vectors that never store the matrix.
//
// K(x, y) is a function of the Euclidean distance (simd::Kernel), from differences of coordinates: no
// cancellation. A value is off by (d + 12) u (|K| + 1) at most, u the rounding unit of Real, and for `energy`
// by (d + 12) u |K|. A product sums in lanes over at most 2048 points, and over those in double: `sum_chain`
// bounds the additions that one term goes through.
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

/// Points as the columns of K, packed.
template <class Real>
class KernelColumns {
 public:
  /// Less `shift` (empty: none), which double never needs and float32 does where points lie far from zero.
  KernelColumns(MatrixView<const double> points, PointKernel kernel, std::span<const double> shift = {});

  std::ptrdiff_t size() const { return n_; }
  std::ptrdiff_t stride() const { return stride_; }  ///< length of a vector, padded with zeros

  /// sums[(i - begin) x columns + c] = sum_j K(x_i, y_j) v[c x stride + j] for begin <= i < end. One thread.
  void products(MatrixView<const double> x, std::ptrdiff_t begin, std::ptrdiff_t end, const Real* v,
                std::ptrdiff_t columns, double* sums) const;

  /// out (end - begin rows, `width` apart) <- K(x_i, y_j). One thread.
  void values(MatrixView<const double> x, std::ptrdiff_t begin, std::ptrdiff_t end, double* out,
              std::ptrdiff_t width) const;

 private:
  const Real* pack_rows(MatrixView<const double> x, std::ptrdiff_t i, std::ptrdiff_t end, Real* panel) const;

  std::ptrdiff_t n_, d_, stride_;
  simd::Kernel kind_;
  Real rate_;
  std::vector<double> shift_;
  std::vector<Real> packed_;
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
