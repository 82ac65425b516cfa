// The pairs that a sparse clustering problem lists, those that agree first.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "core/index.hpp"
#include "core/monitor.hpp"
#include "metric/clustering/label_moves.hpp"
#include "metric/clustering/signed_graph.hpp"

namespace steelyard::metric {

/// Pairs left < right with weight c != 0: numbers 0 .. agreeing - 1 have c > 0, the rest c < 0; in either part
/// they are sorted. A pair that is forbidden weighs -forbidden, more than all others together.
struct SignedPairs {
  std::ptrdiff_t nodes = 0;
  std::vector<std::int32_t> left, right;
  std::vector<double> weights;
  std::int32_t agreeing = 0;
  bool whole = true;  ///< all c are whole numbers below 2^53 in sum

  std::int32_t count() const { return static_cast<std::int32_t>(std::ssize(weights)); }
  double capacity(std::int32_t pair) const { return std::fabs(weights[at(pair)]); }
  std::int32_t other(std::int32_t pair, std::int32_t node) const {
    return left[at(pair)] == node ? right[at(pair)] : left[at(pair)];
  }
};

struct PairLimits {
  double per_entry = 20.0;  ///< at most so many unlisted pairs an entry of the graph
  std::uint64_t seed = 0, stream = 0;
};

/// The listed pairs of a graph and, where it has a background, unlisted pairs that two agreeing pairs connect:
/// labels that disagree about fewer pairs cost less, so that a bound for any selection holds. Of nodes with
/// more partners than the limit allows, a random selection. `complete` tells whether none was left out.
SignedPairs select_pairs(const SignedGraph& graph, const PairLimits& limits, bool& complete,
                         Monitor& monitor);

/// Pairs left < right in order, each once.
struct MergedPairs {
  std::vector<std::int32_t> left, right;
  std::vector<double> sums;
};

/// Adds up parallel pairs (u, v), in the order in which they come. No loops. O(m + n).
MergedPairs merge_pairs(std::ptrdiff_t nodes, std::span<const std::int32_t> u,
                        std::span<const std::int32_t> v, std::span<const double> weights);

/// Both directions of merged pairs in sorted rows. O(m + n).
OwnedGraph symmetric_rows(std::ptrdiff_t nodes, std::span<const std::int32_t> left,
                          std::span<const std::int32_t> right, std::span<const double> weights);

}  // namespace steelyard::metric
