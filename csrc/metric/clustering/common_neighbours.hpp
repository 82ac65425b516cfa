// Signed weights of a graph's pairs from their common neighbours.
//
// J is the Jaccard similarity of the open neighbourhoods of two nodes; a pair with a common neighbour has
//
//     C = log((1 + J - delta) / (1 - J + delta)),  moved away from 0 by eps,
//
// any other pair log((1 - delta) / (1 + delta)). Wang, Xu, Chen & Wang, "Scalable correlation clustering by
// learning-based sampling" as used by Veldt, Gleich, Wirth & Saunderson, SIAM J. Math. Data Sci. 1 (2019),
// and by Sonthalia & Gilbert, JMLR 23(326), 2022, with delta = .05, eps = .01.
#pragma once

#include <cstdint>
#include <vector>

#include "core/monitor.hpp"
#include "core/views.hpp"

namespace steelyard::metric {

/// Pairs i < j with a common neighbour, in condensed order, and their J.
struct CommonNeighbours {
  std::vector<std::int32_t> left, right;
  std::vector<double> jaccard;
};

/// `adjacency` is symmetric, sorted, without a diagonal. O(sum of squared degrees) time, O(pairs) memory.
CommonNeighbours common_neighbours(const CsrPattern& adjacency, Monitor& monitor);

}  // namespace steelyard::metric
