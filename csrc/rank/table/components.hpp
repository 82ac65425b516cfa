// Which items can be compared: weak and strong components of the graph of wins.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/monitor.hpp"

namespace steelyard::rank {

/// label[i] in [0, count), numbered by first occurrence in item order. Without meaning if stopped.
struct Components {
  std::vector<std::int32_t> label;
  std::int32_t count = 0;
};

/// Edges (a[k], b[k]) taken both ways. Union-find, O(edges).
Components weak_components(std::span<const std::int32_t> a, std::span<const std::int32_t> b,
                           std::int32_t items, Monitor* monitor = nullptr);

/// Strong components of the graph with an edge left -> right where forward[k] > 0 and right -> left where
/// backward[k] > 0. Iterative Tarjan, O(items + edges), no recursion.
Components strong_components(std::span<const std::int32_t> left, std::span<const std::int32_t> right,
                             std::span<const double> forward, std::span<const double> backward,
                             std::int32_t items, Monitor* monitor = nullptr);

}  // namespace steelyard::rank
