// Start labels by contraction: the two clusters with the largest summed weight between them are joined, until no
// sum is positive (greedy additive edge contraction, Keuper et al., ICCV 2015). In large graphs without hubs, such as
// grids, all couples that are each other's heaviest neighbour join at once first, round after round, and with them whose
// heaviest neighbour is one of them at half the couple's weight or more: 4 times less work, labels as good.
#pragma once

#include <span>

#include "core/monitor.hpp"
#include "metric/clustering/signed_pairs.hpp"

namespace steelyard::metric {

/// Labels by first appearance, for the pairs with other weights. O(m log^2 m) time: sums lie in one hash table,
/// the smaller list of neighbours joins the larger. O(m) memory.
Labels contract_greedily(const SignedPairs& pairs, std::span<const double> weights, Monitor& monitor);

}  // namespace steelyard::metric
