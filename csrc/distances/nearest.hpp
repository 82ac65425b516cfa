// The nearest of a set of centres for every point, without storing distances.
//
// argmin_j |x - y_j|^2 = argmax_j x . y_j - |y_j|^2 / 2, one multiplication an element instead of a
// difference and a product, taken about the middle of most centres. Rounding can blur that: where the best
// and the second best lie closer than a bound of its error, (d + 3) u |x| |y| on each, the point's distances
// are taken again from differences. |y| is that of the longest centre that can be the nearest, by the
// triangle inequality, so that a few far centres do not put all points in doubt. So the answer is that of the
// direct form, far from the origin and for duplicates too. Distances to the winner are always taken from
// differences.
#pragma once

#include <cstdint>
#include <span>

#include "core/half.hpp"
#include "core/monitor.hpp"
#include "core/views.hpp"

namespace steelyard::distances {

/// index[i] <- the row of Y nearest to x_i (the lowest of equals; -1 without rows), squared[i] <- |x_i -
/// y_index|^2. 2 n m d flops, O(m d + n) memory; the same bits for any number of threads. False when stopped:
/// the output is then incomplete. X may be in half precision; it is read as Real a panel at a time.
template <class Real, class From>
bool nearest(MatrixView<const From> x, MatrixView<const Real> y, std::span<std::int64_t> index,
             std::span<Real> squared, Monitor& monitor);

}  // namespace steelyard::distances
