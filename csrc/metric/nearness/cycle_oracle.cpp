#include "metric/nearness/cycle_oracle.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "core/pool.hpp"

namespace steelyard::metric {
namespace {

using std::size_t;

struct Arc {
  double length;
  std::int32_t to, edge;
};

/// Arcs of each node, the short ones first: a search then leaves a node at the first that leads too far.
std::vector<Arc> sorted_arcs(const MeasuredGraph& graph, std::span<const double> x) {
  std::vector<Arc> arcs(graph.neighbours.size());
  for (size_t k = 0; k < arcs.size(); ++k) {
    const auto edge = graph.edge_numbers[k];
    arcs[k] = {std::max(0.0, x[at(edge)]), graph.neighbours[k], edge};
  }
  const auto shorter = [](const Arc& a, const Arc& b) {
    return std::pair(a.length, a.edge) < std::pair(b.length, b.edge);
  };
  for (size_t v = 0; v + 1 < graph.starts.size(); ++v)
    std::sort(arcs.begin() + graph.starts[v], arcs.begin() + graph.starts[v + 1], shorter);
  return arcs;
}

/// Rows found from one source: lengths and edges.
struct Found {
  std::vector<std::int32_t> lengths, edges;
};

constexpr size_t most_ways = 4;  // 16 saved a quarter of the rounds more for three times as many rows

/// Dijkstra from one node at a time. Settles every node nearer than the cut.
class ShortestPaths {
 public:
  ShortestPaths(const MeasuredGraph& graph, const std::vector<Arc>& arcs)
      : graph_(graph),
        arcs_(arcs),
        distance(at(graph.nodes)),
        parent(distance.size()),
        parent_edge(distance.size()) {}

  /// Rows for the shortest ways to `target` below `limit` that end in different edges, beside `edge` itself.
  void add_ways(std::int32_t source, std::int32_t target, std::int32_t edge, double limit, Found& found) {
    const auto begin = at(graph_.starts[at(target)]);
    const auto end = at(graph_.starts[at(target) + 1]);
    ways_.clear();
    for (size_t k = begin; k < end && arcs_[k].length < limit; ++k) {
      const double way = distance[at(arcs_[k].to)] + arcs_[k].length;
      if (way < limit && arcs_[k].edge != edge) ways_.emplace_back(way, k);
    }
    std::ranges::sort(ways_);
    size_t added = 0;
    for (const auto& [way, k] : ways_)
      if (added < most_ways && add_way(source, target, edge, arcs_[k], found)) ++added;
  }

  void run(std::int32_t source, double cut) {
    std::ranges::fill(distance, infinity);
    queue_.clear();
    distance[at(source)] = 0.0;
    queue_.emplace_back(0.0, source);
    while (!queue_.empty()) {
      std::ranges::pop_heap(queue_, std::greater<>());
      const auto [length, node] = queue_.back();
      queue_.pop_back();
      if (length > distance[at(node)]) continue;
      if (length >= cut) return;
      relax(node, length, cut);
    }
  }

 private:
  /// False where the way crosses its target.
  bool add_way(std::int32_t source, std::int32_t target, std::int32_t edge, const Arc& last, Found& found) {
    const auto before = found.edges.size();
    found.edges.push_back(edge);
    found.edges.push_back(last.edge);
    for (auto node = last.to; node != source; node = parent[at(node)]) {
      if (node == target) {
        found.edges.resize(before);
        return false;
      }
      found.edges.push_back(parent_edge[at(node)]);
    }
    found.lengths.push_back(static_cast<std::int32_t>(found.edges.size() - before));
    return true;
  }

  void relax(std::int32_t node, double length, double cut) {
    const auto begin = at(graph_.starts[at(node)]);
    const auto end = at(graph_.starts[at(node) + 1]);
    for (size_t k = begin; k < end; ++k) {
      const Arc& arc = arcs_[k];
      const auto next = at(arc.to);
      const double there = length + arc.length;
      if (there > cut) return;
      if (there >= distance[next]) continue;
      distance[next] = there;
      parent[next] = node;
      parent_edge[next] = arc.edge;
      queue_.emplace_back(there, arc.to);
      std::ranges::push_heap(queue_, std::greater<>());
    }
  }

  using Entry = std::pair<double, std::int32_t>;
  const MeasuredGraph& graph_;
  const std::vector<Arc>& arcs_;
  std::vector<Entry> queue_;
  std::vector<std::pair<double, size_t>> ways_;  // length and last arc

 public:
  std::vector<double> distance;
  std::vector<std::int32_t> parent, parent_edge;
};

std::ptrdiff_t grain(const MeasuredGraph& graph) {
  return grain_for(20.0 * static_cast<double>(graph.nodes + 2 * graph.edges));
}

void search(std::int32_t source, const MeasuredGraph& graph, std::span<const double> x, double slack,
            ShortestPaths& paths, std::vector<double>& closed, Found& found) {
  const auto begin = at(graph.starts[at(source)]);
  const auto end = at(graph.starts[at(source) + 1]);
  double longest = 0.0;
  for (size_t k = begin; k < end; ++k)
    if (graph.neighbours[k] > source) longest = std::max(longest, x[at(graph.edge_numbers[k])]);
  if (longest > 0.0) paths.run(source, longest);
  for (size_t k = begin; k < end; ++k) {
    if (graph.neighbours[k] < source) continue;
    const auto edge = graph.edge_numbers[k];
    const double length = x[at(edge)];
    auto& best = closed[at(edge)];
    best = std::max(0.0, length);
    if (length < -slack) {
      found.lengths.push_back(1);
      found.edges.push_back(edge);
    }
    const double path = longest > 0.0 ? paths.distance[at(graph.neighbours[k])] : infinity;
    best = std::min(best, path);
    if (path >= length - slack) continue;
    paths.add_ways(source, graph.neighbours[k], edge, length - slack, found);
  }
}

}  // namespace

MeasuredGraph::MeasuredGraph(std::ptrdiff_t n, std::span<const std::int32_t> left,
                             std::span<const std::int32_t> right)
    : nodes(n),
      edges(std::ssize(left)),
      starts(at(n) + 1, 0),
      neighbours(2 * left.size()),
      edge_numbers(2 * left.size()) {
  for (size_t e = 0; e < left.size(); ++e) {
    ++starts[at(left[e]) + 1];
    ++starts[at(right[e]) + 1];
  }
  for (size_t v = 1; v < starts.size(); ++v) starts[v] += starts[v - 1];
  auto free = starts;
  for (size_t e = 0; e < left.size(); ++e) {
    for (const auto& [from, to] : {std::pair{left[e], right[e]}, std::pair{right[e], left[e]}}) {
      const auto place = at(free[at(from)]++);
      neighbours[place] = to;
      edge_numbers[place] = static_cast<std::int32_t>(e);
    }
  }
}

BrokenCycles find_cycles(const MeasuredGraph& graph, std::span<const double> x, double slack,
                         Monitor& monitor) {
  BrokenCycles out;
  out.closed.resize(x.size());
  const auto arcs = sorted_arcs(graph, x);
  std::vector<Found> found(at(graph.nodes));
  parallel_for(graph.nodes, grain(graph), monitor, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    ShortestPaths paths(graph, arcs);
    for (auto source = begin; source < end && !monitor.poll(); ++source)
      search(static_cast<std::int32_t>(source), graph, x, slack, paths, out.closed, found[at(source)]);
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
  const auto n = at(graph.nodes);
  const auto arcs = sorted_arcs(graph, x);
  std::vector<double> out(checked_product("working memory", n, n));
  parallel_for(graph.nodes, grain(graph), monitor, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    ShortestPaths paths(graph, arcs);
    for (auto source = begin; source < end && !monitor.poll(); ++source) {
      paths.run(static_cast<std::int32_t>(source), infinity);
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
