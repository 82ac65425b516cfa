// Products with the similarity matrix Z_ij = exp(-scale d(x_i, x_j)) of n points, without storing it.
//
// Each pair of points is met once and serves both directions, y_i += z_ij v_j and y_j += z_ij v_i; several
// vectors, each with a scale of its own, share one pass over the distances. Cost of a pass: n^2 / 2 (2 d + 25
// c) flops for c vectors in d dimensions; memory 2 n d numbers and a few n c per task (at most 128 MB in
// all). Rows are cut into tasks by n and c alone and their sums are added in order: same bits for any number
// of threads. float sums stay within blocks of at most 2048 points; what crosses blocks is added in double.
// From about 10 dimensions on Euclidean and cosine distances come from products of centred points where that
// does not cancel (simd/tile.hpp): n^2 / 2 (d + 25 c) flops then.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/monitor.hpp"
#include "core/views.hpp"
#include "simd/tile.hpp"

namespace steelyard::distances {

template <class Real>
class PackedPoints {
 public:
  /// Coordinates in single precision should be centred first; Euclidean and cosine ones are, about the middle
  /// of most points. `power` is Minkowski's p.
  PackedPoints(MatrixView<const double> points, simd::Metric metric, double power, Monitor& monitor);

  /// Whether products serve. They do so best where points that lie near one another come together.
  static bool expands(simd::Metric metric, std::ptrdiff_t d);

  std::ptrdiff_t size() const { return n_; }

  /// Y <- Z V, both n x columns row-major; column c has the scale scales[c]. False when stopped.
  bool product(std::span<const double> scales, const double* v, double* y, Monitor& monitor,
               bool tell = false) const;

  /// out (rows x stride) <- distances of points first .. first + rows - 1 to points start .. stop - 1, where
  /// start is a multiple of 64. One thread.
  void distances(std::ptrdiff_t first, std::ptrdiff_t rows, std::ptrdiff_t start, std::ptrdiff_t stop,
                 Real* out, std::ptrdiff_t stride) const;

 private:
  struct Vectors;
  class Task;
  void pack_moved(MatrixView<const double> points, Monitor& monitor);

  std::ptrdiff_t n_, d_, runs_, height_;  ///< rows that a product takes at once
  simd::Metric metric_;
  Real power_;
  std::vector<Real> x_, y_;   ///< the points as row panels and as column panels
  std::vector<Real> halves_;  ///< half the squared lengths, where products serve
};

/// out (x.rows x y.rows) <- d(x_i, y_j); jaccard wants 0/1, cosine and angular rows of unit length.
bool cross_distances(MatrixView<const double> x, MatrixView<const double> y, simd::Metric metric,
                     double power, MatrixView<double> out, Monitor& monitor);

/// The few distances that a preconditioner asks for: out (rows x cols, row-major) between chosen points.
/// `scratch` is resized as needed. One thread.
void chosen_distances(MatrixView<const double> points, simd::Metric metric, double power,
                      std::span<const std::int32_t> rows, std::span<const std::int32_t> cols, double* out,
                      std::vector<double>& scratch);

}  // namespace steelyard::distances
