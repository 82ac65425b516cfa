// How far interpolation at p Chebyshev points a dimension can be from exp(-scale r) between two cells: proven, in
// two ways, in units of half the cells' side, where `rate` is scale times that half.
//
// By ellipses. A function that is analytic within the ellipse with foci -1, 1 and half axes (rho +- 1 / rho) / 2 =
// a, b, and at most M there, is off by 4 M rho^(1-p) / (rho - 1) from its interpolant at p Chebyshev points
// (Trefethen, "Approximation theory and approximation practice", theorem 8.2 with aliasing), which is at most L =
// 2 ln(p) / pi + 1 times as large as what it interpolates. Interpolating one coordinate after another adds the
// error of each, times L for each that came before. With one coordinate in the ellipse and the others real, r^2
// has a real part of at least q, so Re r >= sqrt q and |exp(-rate r)| <= exp(-rate sqrt q). Constants are
// interpolated exactly: less its value r0 away, at the middle of the ellipse, it is at most rate |r - r0|
// exp(-rate sqrt q), and |r - r0| = |r^2 - r0^2| / |r + r0| <= a (2 + a / r0).
//
// By the series in the differences. The kernel is a function of u = x - y, x and y in [-1, 1]^d. Its interpolant at
// N^d Chebyshev points of [-2, 2]^d is sum_m a_m T_m1(u_1 / 2) ... T_md(u_d / 2). Interpolation in x and y is
// exact in each coordinate with m < p. Else T_m((x - y) / 2) = sum c_jk T_j(x) T_k(y) over j + k <= m; where j or
// k is p or more, T_j T_k is replaced by a product that is no larger than 1 either, so delta_m = 2 sum |c_jk| over
// these bounds the error: c is next to nothing there, which a supremum does not see. Products over the coordinates
// are off by (1 + delta_m1) ... (1 + delta_md) - 1. What the kernel differs from its interpolant, by ellipses, is
// made (1 + L^2d) times as large. Rounding of a and c is added; a is made in extended precision where there is one.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "core/monitor.hpp"
#include "distances/far_field/interactions.hpp"
#include "distances/far_field/translations.hpp"
#include "distances/far_field/tree.hpp"

namespace steelyard::distances {

/// Of one value of the interpolant in both cells, by ellipses.
double interpolation_error(const Offsets& offsets, std::ptrdiff_t shape, std::ptrdiff_t p, double rate);

constexpr std::ptrdiff_t most_series_points = 32;

/// The same by the series, in one or two dimensions: for 0, 1, ..., most_series_points points a dimension.
std::vector<double> series_errors(const Offsets& offsets, std::ptrdiff_t shape, double rate);

/// What has been made of them for one scale.
class SeriesErrors {
 public:
  SeriesErrors(const PointTree& tree, const Offsets& offsets, double scale)
      : tree_(tree), offsets_(offsets), scale_(scale) {}

  /// Infinite where there is none.
  double of(std::ptrdiff_t level, std::ptrdiff_t shape, std::ptrdiff_t p) const;

 private:
  const PointTree& tree_;
  const Offsets& offsets_;
  double scale_;
  mutable std::mutex mutex_;
  mutable std::map<std::pair<std::ptrdiff_t, std::ptrdiff_t>, std::vector<double>> made_;
};

/// By ellipses for interpolation in one cell, the other point at least its side away.
double one_sided_error(std::ptrdiff_t d, std::ptrdiff_t p, double rate);

/// For each leaf a bound of |(Z~ v - Z v)_i| for its points: interpolation, similarities beyond the cut, and the
/// rounding of double. v in the order in which the tree was given its points. Without translations made: but for
/// what their factors leave out.
std::vector<double> interpolation_errors(const PointTree& tree, const Offsets& offsets,
                                         const Interactions& all, const Translations<double>* made,
                                         const SeriesErrors& series, std::ptrdiff_t p, double scale,
                                         double cut, const double* v, std::ptrdiff_t stride,
                                         Monitor& monitor);

}  // namespace steelyard::distances
