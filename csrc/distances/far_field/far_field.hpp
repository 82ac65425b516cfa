// Products with Z_ij = exp(-scale |x_i - x_j|) of many points in one to three dimensions, in linear time.
//
// A tree of cells; between cells that do not touch the kernel is replaced by its interpolant at p^d Chebyshev
// points in either (Fong and Darve, "The black-box fast multipole method", J. Comput. Phys. 228 (2009)), near
// ones meet point by point. Z~ is symmetric as Z is. Cost of a product: about n (9 p^2 + 36 p^2) operations in
// two dimensions, n (27 p^3 + 216 p^3) in three; memory O(n) for all p. Sums are cut by the points and p
// alone: the same bits for any number of threads.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "core/monitor.hpp"
#include "core/views.hpp"
#include "distances/far_field/interactions.hpp"
#include "distances/far_field/tree.hpp"

namespace steelyard::distances {

/// How far Z~ v can be from Z v: |(Z~ v - Z v)_i| <= row_i, proven for interpolation, for what was left out
/// and for rounding.
struct FarFieldError {
  double rms = 0.0;       ///< of row_i
  double largest = 0.0;   ///< row_i
  double weighted = 0.0;  ///< sum_i |v_i| row_i
};

class FarField {
 public:
  /// One to three dimensions. Incomplete when stopped.
  FarField(MatrixView<const double> points, Monitor& monitor);

  const PointTree& tree() const { return tree_; }

  /// y_i <- (Z~ v)_i with p points a dimension; numbers of v and y lie `stride` apart. In float near pairs and
  /// translations run in single precision, totals are double. False when stopped.
  template <class Real>
  bool product(std::ptrdiff_t p, double scale, const double* v, double* y, std::ptrdiff_t stride,
               Monitor& monitor) const;

  /// What a product in double leaves open.
  FarFieldError error(std::ptrdiff_t p, double scale, const double* v, std::ptrdiff_t stride,
                      Monitor& monitor) const;

  /// The fewest points for which |row|_rms <= aim, or `most`.
  std::ptrdiff_t enough(double aim, double scale, const double* v, std::ptrdiff_t stride, std::ptrdiff_t most,
                        Monitor& monitor) const;

 private:
  template <class Real>
  class Pass;
  /// Null when stopped.
  const Interactions* interactions(std::ptrdiff_t p, Monitor& monitor) const;

  PointTree tree_;
  Offsets offsets_;
  mutable std::mutex mutex_;
  mutable std::map<std::ptrdiff_t, std::unique_ptr<const Interactions>> made_;
};

}  // namespace steelyard::distances
