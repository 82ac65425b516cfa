// For each of a set of centres, the points that lie nearer to it than a bound of their own.
//
// Of all products x . y - |y|^2 / 2, only those are looked at again that reach (|x|^2 - bound) / 2 but for a
// bound of the rounding error (distances/shifted_panels.hpp); differences decide, so the answer is that of the
// direct form.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/half.hpp"
#include "core/monitor.hpp"
#include "core/views.hpp"

namespace steelyard::distances {

/// Points near one centre, in ascending order, with their squared distances.
template <class Real>
struct Near {
  std::vector<std::int64_t> rows;
  std::vector<Real> squared;
};

/// near[j] <- the rows i of X with |x_i - y_j|^2 < bounds[i]. 2 n m d flops, and d for each pair found;
/// memory of these pairs, 12 or 16 bytes each in the end and twice that at the peak, and O(m d). The same for
/// any number of threads. Incomplete when stopped.
template <class Real, class From>
std::vector<Near<Real>> nearer_pairs(MatrixView<const From> x, MatrixView<const Real> y,
                                     std::span<const Real> bounds, Monitor& monitor);

}  // namespace steelyard::distances
