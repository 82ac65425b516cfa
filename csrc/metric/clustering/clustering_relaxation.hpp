// The linear relaxation of correlation clustering as a weighted L1 projection.
//
// With x_ij = 0 for pairs that share a cluster and 1 for those that do not, labels cost sum |c_ij| |x_ij -
// d_ij|, d = 0 where c > 0 and 1 elsewhere; x of labels is a metric. The relaxation asks for any metric in
// [0, 1]: its value is a lower bound, and what l1_relaxation.hpp solves. Pairs without weight get d = 1, so
// that they are touched only where a triangle needs them. Memory: 17 bytes a pair for the problem.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "metric/clustering/signed_graph.hpp"
#include "metric/nearness/l1_relaxation.hpp"

namespace steelyard::metric {

/// `costs` holds a_ij for each entry of the graph as it is paid for: the graph's own weights differ from it
/// where a pair is forbidden.
L1Solution relax_clustering(const SignedGraph& graph, std::span<const double> costs, const L1Options& options,
                            Monitor& monitor);

}  // namespace steelyard::metric
