// How far interpolation at p Chebyshev points a dimension can be from exp(-scale r) between two cells: proven.
//
// A function that is analytic within the ellipse with foci -1, 1 and half axes (rho +- 1 / rho) / 2, and at most M
// there, is off by 4 M rho^(1-p) / (rho - 1) from its interpolant at p Chebyshev points (Trefethen, "Approximation
// theory and approximation practice", theorem 8.2 with aliasing), which is at most L = 2 ln(p) / pi + 1 times as
// large as what it interpolates. Interpolating one coordinate after another adds the error of each, times L for
// each that came before. With one coordinate in the ellipse and the others real, r^2 has a real part of at least
// q, so Re r >= sqrt q and |exp(-scale r)| <= exp(-scale sqrt q); less its value at the least r it is at most
// scale R exp(-scale sqrt q), for r^2 <= R^2 in modulus, and constants are interpolated exactly.
#pragma once

#include <cstddef>
#include <vector>

#include "core/monitor.hpp"
#include "distances/far_field/interactions.hpp"
#include "distances/far_field/translations.hpp"
#include "distances/far_field/tree.hpp"

namespace steelyard::distances {

/// Of one value of the interpolant in both cells; `rate` is scale times half their side.
double interpolation_error(const Offsets& offsets, std::ptrdiff_t shape, std::ptrdiff_t p, double rate);

/// The same for interpolation in one cell, the other point at least its side away.
double one_sided_error(std::ptrdiff_t d, std::ptrdiff_t p, double rate);

/// For each leaf a bound of |(Z~ v - Z v)_i| for its points: interpolation, similarities beyond the cut, and the
/// rounding of double. v in the order in which the tree was given its points. Without translations made: but for
/// what their factors leave out.
std::vector<double> interpolation_errors(const PointTree& tree, const Offsets& offsets,
                                         const Interactions& all, const Translations<double>* made,
                                         std::ptrdiff_t p, double scale, double cut, const double* v,
                                         std::ptrdiff_t stride, Monitor& monitor);

}  // namespace steelyard::distances
