// From distances, or from signs alone, to clusters: nodes in random order become pivots, and each takes some
// of the nodes that are still free.
//
//   pivot      without distances: all that agree with the pivot, expected cost at most 3 times the optimum on
//              unweighted complete instances (Ailon, Charikar & Newman, J. ACM 55, 2008). With distances x of
//              the linear relaxation: node u with probability 1 - f(x_vu), f(x) = x for pairs that disagree,
//              and 0 below .19, ((x - .19) / .3195)^2 in between, 1 above .5095 for those that agree: 2.06
//              times (Chawla, Makarychev, Schramm & Yaroslavtsev, STOC 2015).
//   threshold  all nodes nearer than a radius; trial r takes a radius of .1, .15, ..., .85.
//
// A node that may not share a cluster with one that the pivot took already stays free.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/monitor.hpp"
#include "metric/clustering/signed_graph.hpp"

namespace steelyard::metric {

enum class Rounding { pivot, threshold };

struct RoundingOptions {
  Rounding rule = Rounding::pivot;
  std::ptrdiff_t trials = 50;
  std::ptrdiff_t keep = 3;  ///< how many of the best to return
  std::uint64_t seed = 0, stream = 0;
};

/// The best labels of all trials, best first. `x` holds condensed distances, or nothing for plain pivots.
/// O(trials * clusters * n) time with distances, O(trials * entries) without; the same for any threads.
std::vector<Labels> round_labels(const SignedGraph& graph, std::span<const double> x,
                                 const RoundingOptions& options, Monitor& monitor);

}  // namespace steelyard::metric
