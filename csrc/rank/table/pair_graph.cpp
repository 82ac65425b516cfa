#include "rank/table/pair_graph.hpp"

#include <limits>
#include <stdexcept>

#include "core/index.hpp"
#include "core/polled.hpp"

namespace steelyard::rank {
namespace {

using std::size_t;

/// Numbers the edges: rows of one pair lie together, and with a home column they are sorted by it.
void number_edges(const TableColumns& table, bool home, PairGraph& graph) {
  graph.edge_of_row.resize(table.left.size());
  std::uint32_t edge = 0;
  for (size_t row = 1; row < table.left.size(); ++row) {
    const bool fresh = !table.covariates.empty() || table.left[row] != table.left[row - 1] ||
                       table.right[row] != table.right[row - 1] ||
                       (home && table.home[row] != table.home[row - 1]);
    edge += fresh ? 1 : 0;
    graph.edge_of_row[row] = edge;
  }
}

template <class T>
Column<T> the_same(std::span<const T> column, const PairGraph& graph) {
  return graph.owner ? Column<T>(column) : Column<T>(std::vector<T>(column.begin(), column.end()));
}

template <class T>
Column<T> first_of_edges(std::span<const T> column, const PairGraph& graph, size_t edges) {
  if (column.size() == edges) return the_same(column, graph);
  std::vector<T> out(edges);
  for (size_t row = column.size(); row-- > 0;) out[graph.edge_of_row[row]] = column[row];
  return out;
}

Column<double> summed(std::span<const double> column, const PairGraph& graph, size_t edges) {
  if (column.empty()) return {};
  if (column.size() == edges) return the_same(column, graph);
  std::vector<double> out(edges, 0.0);
  for (size_t row = 0; row < column.size(); ++row) out[graph.edge_of_row[row]] += column[row];
  return out;
}

void merge_rows(const TableColumns& table, bool keep_home, PairGraph& graph) {
  if (table.left.empty()) return;
  const bool home = keep_home && !table.home.empty();
  number_edges(table, home, graph);
  const auto edges = at(graph.edge_of_row.back()) + 1;
  graph.left = first_of_edges(table.left, graph, edges);
  graph.right = first_of_edges(table.right, graph, edges);
  if (home) graph.home = first_of_edges(table.home, graph, edges);
  graph.covariates = the_same(table.covariates, graph);
  graph.wins = summed(table.left_wins, graph, edges);
  graph.losses = summed(table.right_wins, graph, edges);
  graph.ties = summed(table.ties, graph, edges);
  graph.left_squared = summed(table.left_squared, graph, edges);
  graph.right_squared = summed(table.right_squared, graph, edges);
  graph.ties_squared = summed(table.ties_squared, graph, edges);
}

/// Lower neighbours come first in each row since edges are sorted by left.
void compress_rows(PairGraph& graph, Monitor* monitor) {
  const auto items = at(graph.items);
  graph.offsets.assign(items + 1, 0);
  for (const auto i : graph.left) ++graph.offsets[at(i) + 1];
  for (const auto i : graph.right) ++graph.offsets[at(i) + 1];
  for (size_t i = 0; i < items; ++i) graph.offsets[i + 1] += graph.offsets[i];
  std::vector<std::int64_t> next(graph.offsets.begin(), graph.offsets.end() - 1);
  graph.neighbours.resize(2 * graph.left.size());
  graph.edge.resize(2 * graph.left.size());
  const auto place = [&](std::int32_t item, std::int32_t other, size_t e) {
    const auto k = at(next[at(item)]++);
    graph.neighbours[k] = other;
    graph.edge[k] = static_cast<std::uint32_t>(e);
  };
  polled(graph.left.size(), monitor, [&](size_t e) { place(graph.right[e], graph.left[e], e); });
  polled(graph.left.size(), monitor, [&](size_t e) { place(graph.left[e], graph.right[e], e); });
}

}  // namespace

PairGraph build_pair_graph(const TableColumns& table, std::int32_t items, bool keep_home, Monitor* monitor,
                           std::shared_ptr<const void> owner) {
  if (table.left.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw std::length_error("steelyard: more than 2^32 - 1 rows of comparisons");
  }
  PairGraph graph;
  graph.items = items;
  graph.owner = std::move(owner);
  merge_rows(table, keep_home, graph);
  compress_rows(graph, monitor);
  return graph;
}

}  // namespace steelyard::rank
