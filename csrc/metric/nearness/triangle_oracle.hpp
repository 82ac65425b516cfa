// The oracle: which triangle inequalities does x break worst?
//
// For each pair (i, j) and each of `groups` ranges of k, the k with the largest x_ij - x_ik - x_jk, if that
// exceeds `threshold`. Screened by (min, +) products of blocks in float32, n^3 / 2 operations; what is found
// is computed again in float64. Where float32 can't resolve the threshold the products are made in float64. 4
// n^2 (8 n^2) bytes for the call.
#pragma once

#include "core/monitor.hpp"
#include "metric/nearness/active_triangles.hpp"
#include "metric/nearness/pair_tiles.hpp"

namespace steelyard::metric {

/// Adds what it finds to `active`. Returns the largest violation: exact where `exact`, else up to float32
/// rounding of the largest |x|. Same result for any number of threads.
double find_triangles(const PairTiles& x, double threshold, int groups, bool exact, ActiveTriangles& active,
                      Monitor& monitor);

}  // namespace steelyard::metric
