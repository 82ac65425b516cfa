// The two steps of the local search: moving nodes between clusters, contracting clusters to nodes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/monitor.hpp"
#include "core/random.hpp"
#include "metric/clustering/signed_graph.hpp"

namespace steelyard::metric {

/// A signed graph that owns its arrays.
struct OwnedGraph {
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> indices;
  std::vector<double> weights, sizes;
  double background = 0.0;

  SignedGraph view() const { return {{offsets, indices}, weights, sizes, background, 0.0}; }
};

/// One node a label 0 .. clusters - 1; weights between clusters add up, those within vanish.
OwnedGraph contract(const SignedGraph& graph, std::span<const std::int32_t> labels, std::int32_t clusters);

/// Moves nodes while a move raises the agreement by more than `least`. Labels lie in 0 .. n - 1.
class NodeMover {
 public:
  NodeMover(const SignedGraph& graph, Labels& labels, double least);

  /// Visits `queue`, then whoever a move touches, then everybody until nobody moves. True if any node moved.
  bool run(std::vector<std::int32_t> queue, Monitor& monitor);

 private:
  bool move(std::int32_t v);
  void gather(std::int32_t v);
  void place(std::int32_t v, std::int32_t to);
  bool drain(Monitor& monitor);

  const SignedGraph& graph_;
  Labels& labels_;
  double least_;
  std::vector<double> total_;          // size of each cluster
  std::vector<std::int32_t> members_;  // nodes of each cluster
  std::vector<std::int32_t> empty_;    // unused labels
  std::vector<double> pull_;           // a between the visited node and each cluster
  std::vector<std::int32_t> touched_;
  std::vector<std::uint8_t> seen_, queued_;
  std::vector<std::int32_t> queue_;
};

/// 0 .. n - 1 in random order.
std::vector<std::int32_t> shuffled(std::ptrdiff_t n, Random& random);

}  // namespace steelyard::metric
