#include "metric/cycle_oracle.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <queue>
#include <utility>

#include "core/pool.hpp"

namespace steelyard::metric {
namespace {

using std::size_t;
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Dijkstra from one node at a time. Settles every node nearer than the cut.
class ShortestPaths {
 public:
  explicit ShortestPaths(const MeasuredGraph& graph)
      : graph_(graph),
        distance(static_cast<size_t>(graph.nodes)),
        parent(distance.size()),
        parent_edge(distance.size()) {}

  void run(std::int32_t source, std::span<const double> x, double cut) {
    std::ranges::fill(distance, infinity);
    queue_ = {};
    distance[static_cast<size_t>(source)] = 0.0;
    queue_.emplace(0.0, source);
    while (!queue_.empty()) {
      const auto [length, node] = queue_.top();
      queue_.pop();
      if (length > distance[static_cast<size_t>(node)]) continue;
      if (length >= cut) return;
      relax(node, length, x, cut);
    }
  }

 private:
  void relax(std::int32_t node, double length, std::span<const double> x, double cut) {
    const auto begin = static_cast<size_t>(graph_.starts[static_cast<size_t>(node)]);
    const auto end = static_cast<size_t>(graph_.starts[static_cast<size_t>(node) + 1]);
    for (size_t k = begin; k < end; ++k) {
      const auto edge = graph_.edge_numbers[k];
      const auto next = static_cast<size_t>(graph_.neighbours[k]);
      const double there = length + std::max(0.0, x[static_cast<size_t>(edge)]);
      if (there >= distance[next] || there > cut) continue;
      distance[next] = there;
      parent[next] = node;
      parent_edge[next] = edge;
      queue_.emplace(there, graph_.neighbours[k]);
    }
  }

  using Entry = std::pair<double, std::int32_t>;
  const MeasuredGraph& graph_;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue_;

 public:
  std::vector<double> distance;
  std::vector<std::int32_t> parent, parent_edge;
};

std::ptrdiff_t grain(const MeasuredGraph& graph) {
  return grain_for(20.0 * static_cast<double>(graph.nodes + 2 * graph.edges));
}

/// Rows found from one source: lengths and edges.
struct Found {
  std::vector<std::int32_t> lengths, edges;
};

void search(std::int32_t source, const MeasuredGraph& graph, std::span<const double> x, double slack,
            ShortestPaths& paths, std::vector<double>& closed, Found& found) {
  const auto begin = static_cast<size_t>(graph.starts[static_cast<size_t>(source)]);
  const auto end = static_cast<size_t>(graph.starts[static_cast<size_t>(source) + 1]);
  double longest = 0.0;
  for (size_t k = begin; k < end; ++k)
    if (graph.neighbours[k] > source)
      longest = std::max(longest, x[static_cast<size_t>(graph.edge_numbers[k])]);
  if (longest > 0.0) paths.run(source, x, longest);
  for (size_t k = begin; k < end; ++k) {
    if (graph.neighbours[k] < source) continue;
    const auto edge = graph.edge_numbers[k];
    const double length = x[static_cast<size_t>(edge)];
    auto& best = closed[static_cast<size_t>(edge)];
    best = std::max(0.0, length);
    if (length < -slack) {
      found.lengths.push_back(1);
      found.edges.push_back(edge);
    }
    const double path = longest > 0.0 ? paths.distance[static_cast<size_t>(graph.neighbours[k])] : infinity;
    best = std::min(best, path);
    if (path >= length - slack) continue;
    std::int32_t steps = 1;
    found.edges.push_back(edge);
    for (auto node = graph.neighbours[k]; node != source; node = paths.parent[static_cast<size_t>(node)]) {
      found.edges.push_back(paths.parent_edge[static_cast<size_t>(node)]);
      ++steps;
    }
    found.lengths.push_back(steps);
  }
}

}  // namespace

MeasuredGraph::MeasuredGraph(std::ptrdiff_t n, std::span<const std::int32_t> left,
                             std::span<const std::int32_t> right)
    : nodes(n),
      edges(std::ssize(left)),
      starts(static_cast<size_t>(n) + 1, 0),
      neighbours(2 * left.size()),
      edge_numbers(2 * left.size()) {
  for (size_t e = 0; e < left.size(); ++e) {
    ++starts[static_cast<size_t>(left[e]) + 1];
    ++starts[static_cast<size_t>(right[e]) + 1];
  }
  for (size_t v = 1; v < starts.size(); ++v) starts[v] += starts[v - 1];
  auto free = starts;
  for (size_t e = 0; e < left.size(); ++e) {
    for (const auto& [from, to] : {std::pair{left[e], right[e]}, std::pair{right[e], left[e]}}) {
      const auto at = static_cast<size_t>(free[static_cast<size_t>(from)]++);
      neighbours[at] = to;
      edge_numbers[at] = static_cast<std::int32_t>(e);
    }
  }
}

BrokenCycles find_cycles(const MeasuredGraph& graph, std::span<const double> x, double slack,
                         Monitor& monitor) {
  BrokenCycles out;
  out.closed.resize(x.size());
  std::vector<Found> found(static_cast<size_t>(graph.nodes));
  parallel_for(graph.nodes, grain(graph), monitor, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    ShortestPaths paths(graph);
    for (auto source = begin; source < end && !monitor.poll(); ++source)
      search(static_cast<std::int32_t>(source), graph, x, slack, paths, out.closed,
             found[static_cast<size_t>(source)]);
  });
  for (const auto& part : found) {
    out.edges.insert(out.edges.end(), part.edges.begin(), part.edges.end());
    for (const auto length : part.lengths) out.starts.push_back(out.starts.back() + length);
  }
  for (size_t e = 0; e < x.size(); ++e)
    out.violation = std::max({out.violation, x[e] - out.closed[e], -x[e]});
  return out;
}

std::vector<double> all_shortest_paths(const MeasuredGraph& graph, std::span<const double> x,
                                       Monitor& monitor) {
  const auto n = static_cast<size_t>(graph.nodes);
  std::vector<double> out(n * n);
  parallel_for(graph.nodes, grain(graph), monitor, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    ShortestPaths paths(graph);
    for (auto source = begin; source < end && !monitor.poll(); ++source) {
      paths.run(static_cast<std::int32_t>(source), x, infinity);
      std::ranges::copy(paths.distance, out.begin() + source * graph.nodes);
    }
  });
  // Two directions of one path may differ by rounding.
  for (size_t i = 0; i < n; ++i)
    for (size_t j = i + 1; j < n; ++j)
      out[j * n + i] = out[i * n + j] = std::min(out[i * n + j], out[j * n + i]);
  return out;
}

}  // namespace steelyard::metric
