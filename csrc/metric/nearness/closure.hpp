// The metric closure of a dissimilarity: lengths of shortest paths on the complete graph.
//
// closure(x)_ij = min over paths i .. j of the sum of max(x, 0): the largest pseudometric below max(x, 0)
// (Floyd and Warshall in blocks, upper triangle only). O(n^3 / 2) operations, 8 n bytes a block row beside x.
#pragma once

#include "core/monitor.hpp"
#include "metric/nearness/pair_tiles.hpp"

namespace steelyard::metric {

/// In place. Same bits for any number of threads. False if stopped.
bool close_metric(PairTiles& x, Monitor& monitor);

}  // namespace steelyard::metric
