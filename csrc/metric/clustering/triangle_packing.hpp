// A lower bound of the cost of correlation clustering without the linear relaxation.
//
// In a bad triangle (pairs ij and jk agree, ik disagrees) one pair must be paid for. Triangles packed so that
// no pair is asked for more than its |c| are a feasible dual solution, and their sum adds to the cost that no
// clustering avoids. Greedy, in a fixed order; for an unweighted graph this packs edge-disjoint open wedges,
// as in Veldt, "Correlation clustering via strong triadic closure labeling", ICML 2022.
#pragma once

#include "core/monitor.hpp"
#include "metric/clustering/signed_graph.hpp"

namespace steelyard::metric {

/// Sum of the packed triangles: no labels cost less. Pairs that are forbidden count with unlimited capacity.
/// O(sum of squared degrees in the graph of agreeing pairs) time, O(entries) memory.
double pack_bad_triangles(const SignedGraph& graph, Monitor& monitor);

}  // namespace steelyard::metric
