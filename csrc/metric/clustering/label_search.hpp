// Local search for correlation clustering: move single nodes, then merge whole clusters, then move again.
//
// One run moves nodes to the neighbouring cluster (or an empty one) that raises the agreement most until no
// move helps, contracts clusters to nodes, repeats, and refines at the finest level until neither helps. The
// first runs start from singletons in random orders and from given labels; later ones perturb the best found
// by scattering a random neighbourhood (iterated local search); the last start from all in one and from a few
// large clusters at random. Moves in the manner of Blondel et al., J. Stat. Mech. (2008) P10008, and Traag,
// Waltman & van Eck, Sci. Rep. 9 (2019) 5233.
//
// O(runs * sweeps * entries) time, O(entries) memory a thread. Run r has random numbers of its own and
// results are compared in order: the same labels for any number of threads.
#pragma once

#include <cstdint>
#include <vector>

#include "core/monitor.hpp"
#include "core/random.hpp"
#include "metric/clustering/signed_graph.hpp"

namespace steelyard::metric {

struct SearchOptions {
  std::ptrdiff_t restarts = 24;  ///< runs from singletons
  std::ptrdiff_t rounds = 12;    ///< of eight perturbed runs each
  std::uint64_t seed = 0, stream = 0;
};

struct SearchResult {
  Labels labels;  ///< 0 .. clusters - 1
  double agreement = 0.0;
  std::int64_t runs = 0;
};

/// Gains in agreement below this are rounding.
double least_gain(const SignedGraph& graph);

/// Moves and merges until neither helps; the first moves are those of `queue`.
void improve_labels(const SignedGraph& graph, Labels& labels, std::vector<std::int32_t> queue, double least,
                    Random& random, Monitor& monitor);

/// The best labels found, never worse than the best of `starts`; the best so far after an interrupt.
SearchResult search_labels(const SignedGraph& graph, const std::vector<Labels>& starts,
                           const SearchOptions& options, Monitor& monitor);

}  // namespace steelyard::metric
