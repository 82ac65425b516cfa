// The graph that the solvers walk: one edge per unordered pair of items (and home sign, if the model has it;
// with covariates, one per row of the table).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/monitor.hpp"

namespace steelyard::rank {

/// Edges sorted by (left, right, home), left < right. Compressed rows hold each edge twice, once a side; in
/// row i the own side is `left` where neighbour > i.
struct PairGraph {
  std::int32_t items = 0;
  std::vector<std::int32_t> left, right;
  std::vector<double> wins, losses, ties;  ///< of left; ties empty if there are none
  std::vector<double> left_squared, right_squared,
      ties_squared;                   ///< sums of squared weights; empty: all weights 1
  std::vector<std::int8_t> home;      ///< +1 left at home, -1 right; empty: no home
  std::vector<double> covariates;     ///< edges x number of them, row-major; empty: none
  std::vector<std::int64_t> offsets;  ///< items + 1
  std::vector<std::int32_t> neighbours;
  std::vector<std::uint32_t> edge;         ///< of each entry
  std::vector<std::uint32_t> edge_of_row;  ///< of each row of the table
};

/// The columns of a table of comparisons, sorted by (left, right, home); empty spans where absent.
struct TableColumns {
  std::span<const std::int32_t> left, right;
  std::span<const double> left_wins, right_wins, ties, left_squared, right_squared, ties_squared;
  std::span<const std::int8_t> home;
  std::span<const double> covariates = {};  ///< rows x number of them, row-major
};

/// Merges rows of the same edge (none where there are covariates) and builds the compressed rows; O(rows +
/// items) time and memory. Unfinished if stopped.
PairGraph build_pair_graph(const TableColumns& table, std::int32_t items, bool keep_home,
                           Monitor* monitor = nullptr);

}  // namespace steelyard::rank
