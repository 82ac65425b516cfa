// Distances between all rows of X (n x d) and all rows of Y (m x d), consumed tile by tile as they are made.
//
// Squared distances in the direct form sum_k (x_ik - y_jk)^2: no cancellation far from the origin, zero for
// equal rows. Cost: 3 n m d flops in packed tiles (simd/tile.hpp); memory O(m d + n), never n m. Rows of X
// are shared out over the pool in chunks that depend on n, m, d alone: same bits for any number of threads.
// float stays float within a tile; sums over j are taken in double. All return false when the monitor stopped
// them: the output is then incomplete.
#pragma once

#include <cstdint>
#include <span>

#include "core/monitor.hpp"
#include "core/views.hpp"

namespace steelyard::distances {

/// out(i, j) <- |x_i - y_j|^2
template <class Real>
bool squared_distances(MatrixView<const Real> x, MatrixView<const Real> y, MatrixView<Real> out,
                       Monitor& monitor);

/// sums[i] <- sum_j exp(-t |x_i - y_j|), t >= 0
template <class Real>
bool exp_distance_sums(MatrixView<const Real> x, MatrixView<const Real> y, double t, std::span<double> sums,
                       Monitor& monitor);

/// sums[i] <- sum_j |x_i - y_j|^2
template <class Real>
bool squared_distance_sums(MatrixView<const Real> x, MatrixView<const Real> y, std::span<double> sums,
                           Monitor& monitor);

}  // namespace steelyard::distances
