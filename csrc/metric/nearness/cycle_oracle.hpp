// Shortest paths among measured pairs: which cycle inequalities break, and the nearest lengths that break
// none.
//
// Lengths below 0 count as 0 on paths. Cost: one Dijkstra a node, O(n (m + n) log n) at worst, cut at the
// longest edge of its source; O(m + n) memory and the rows found.
//
// A search costs far more than a row, so that each broken edge brings up to four: the shortest ways around it
// that differ in their last edge. With one row an edge three times as many rounds were needed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/monitor.hpp"

namespace steelyard::metric {

/// Edges e = (left[e], right[e]) as neighbours of each node, ascending in e.
struct MeasuredGraph {
  MeasuredGraph(std::ptrdiff_t n, std::span<const std::int32_t> left, std::span<const std::int32_t> right);

  std::ptrdiff_t nodes, edges;
  std::vector<std::int64_t> starts;
  std::vector<std::int32_t> neighbours, edge_numbers;
};

struct BrokenCycles {
  std::vector<std::int64_t> starts{0};
  std::vector<std::int32_t> edges;  ///< of each row: the edge that is too long, then a shorter way
  std::vector<double> closed;       ///< an edge each: shortest path of max(x, 0)
  double violation = 0.0;           ///< largest x_e - path length, or -x_e
};

/// Rows broken by more than `slack`, the most broken of each edge first, and a row of one edge where x_e <
/// -slack.
BrokenCycles find_cycles(const MeasuredGraph& graph, std::span<const double> x, double slack,
                         Monitor& monitor);

/// n x n shortest paths, infinite where there is none.
std::vector<double> all_shortest_paths(const MeasuredGraph& graph, std::span<const double> x,
                                       Monitor& monitor);

}  // namespace steelyard::metric
