#include "rank/pair_graph.hpp"

#include <limits>
#include <stdexcept>

namespace steelyard::rank {
namespace {

using std::size_t;

void add_to(std::vector<double>& sums, std::span<const double> column, size_t row, bool fresh) {
  if (column.empty()) return;
  if (fresh) sums.push_back(0.0);
  sums.back() += column[row];
}

/// Rows of one pair lie together; with a home column they are also sorted by it.
void merge_rows(const TableColumns& table, bool keep_home, PairGraph& graph) {
  const bool home = keep_home && !table.home.empty();
  graph.edge_of_row.resize(table.left.size());
  for (size_t row = 0; row < table.left.size(); ++row) {
    const bool fresh = graph.left.empty() || graph.left.back() != table.left[row] ||
                       graph.right.back() != table.right[row] || (home && graph.home.back() != table.home[row]);
    if (fresh) {
      graph.left.push_back(table.left[row]);
      graph.right.push_back(table.right[row]);
      if (home) graph.home.push_back(table.home[row]);
    }
    add_to(graph.wins, table.left_wins, row, fresh);
    add_to(graph.losses, table.right_wins, row, fresh);
    add_to(graph.ties, table.ties, row, fresh);
    add_to(graph.left_squared, table.left_squared, row, fresh);
    add_to(graph.right_squared, table.right_squared, row, fresh);
    add_to(graph.ties_squared, table.ties_squared, row, fresh);
    graph.edge_of_row[row] = static_cast<std::uint32_t>(graph.left.size() - 1);
  }
}

/// Lower neighbours come first in each row since edges are sorted by left.
void compress_rows(PairGraph& graph) {
  const auto items = static_cast<size_t>(graph.items);
  graph.offsets.assign(items + 1, 0);
  for (const auto i : graph.left) ++graph.offsets[static_cast<size_t>(i) + 1];
  for (const auto i : graph.right) ++graph.offsets[static_cast<size_t>(i) + 1];
  for (size_t i = 0; i < items; ++i) graph.offsets[i + 1] += graph.offsets[i];
  std::vector<std::int64_t> next(graph.offsets.begin(), graph.offsets.end() - 1);
  graph.neighbours.resize(2 * graph.left.size());
  graph.edge.resize(2 * graph.left.size());
  const auto place = [&](std::int32_t item, std::int32_t other, size_t e) {
    const auto k = static_cast<size_t>(next[static_cast<size_t>(item)]++);
    graph.neighbours[k] = other;
    graph.edge[k] = static_cast<std::uint32_t>(e);
  };
  for (size_t e = 0; e < graph.left.size(); ++e) place(graph.right[e], graph.left[e], e);
  for (size_t e = 0; e < graph.left.size(); ++e) place(graph.left[e], graph.right[e], e);
}

}  // namespace

PairGraph build_pair_graph(const TableColumns& table, std::int32_t items, bool keep_home) {
  if (table.left.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw std::length_error("steelyard: more than 2^32 - 1 rows of comparisons");
  }
  PairGraph graph;
  graph.items = items;
  merge_rows(table, keep_home, graph);
  compress_rows(graph);
  return graph;
}

}  // namespace steelyard::rank
