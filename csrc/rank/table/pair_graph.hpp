// The graph that the solvers walk: one edge per unordered pair of items (and home sign, if the model has it;
// with covariates, one per row of the table).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/monitor.hpp"

namespace steelyard::rank {

/// Numbers of its own, or a view of a table's.
template <class T>
class Column {
 public:
  Column() = default;
  Column(std::vector<T> values) : own_(std::move(values)), view_(own_) {}
  explicit Column(std::span<const T> others) : view_(others) {}
  Column(Column&& other) noexcept { *this = std::move(other); }
  Column& operator=(Column&& other) noexcept {  // the numbers of a vector stay where they are
    own_ = std::move(other.own_);
    view_ = std::exchange(other.view_, {});
    return *this;
  }

  operator std::span<const T>() const { return view_; }
  const T& operator[](std::size_t k) const { return view_[k]; }
  std::size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }
  const T* data() const { return view_.data(); }
  auto begin() const { return view_.begin(); }
  auto end() const { return view_.end(); }

 private:
  std::vector<T> own_;
  std::span<const T> view_;
};

/// Edges sorted by (left, right, home), left < right. Compressed rows hold each edge twice, once a side; in
/// row i the own side is `left` where neighbour > i.
struct PairGraph {
  std::int32_t items = 0;
  Column<std::int32_t> left, right;
  Column<double> wins, losses, ties;  ///< of left; ties empty if there are none
  Column<double> left_squared, right_squared,
      ties_squared;                   ///< sums of squared weights; empty: all weights 1
  Column<std::int8_t> home;           ///< +1 left at home, -1 right; empty: no home
  Column<double> covariates;          ///< edges x number of them, row-major; empty: none
  std::vector<std::int64_t> offsets;  ///< items + 1
  std::vector<std::int32_t> neighbours;
  std::vector<std::uint32_t> edge;         ///< of each entry
  std::vector<std::uint32_t> edge_of_row;  ///< of each row of the table
  std::shared_ptr<const void> owner;       ///< of the columns that are viewed
};

/// The columns of a table of comparisons, sorted by (left, right, home); empty spans where absent.
struct TableColumns {
  std::span<const std::int32_t> left, right;
  std::span<const double> left_wins, right_wins, ties, left_squared, right_squared, ties_squared;
  std::span<const std::int8_t> home;
  std::span<const double> covariates = {};  ///< rows x number of them, row-major
};

/// Merges rows of the same edge (none where there are covariates) and builds the compressed rows; O(rows +
/// items) time and memory. Unfinished if stopped. Where `owner` keeps the table, columns that are the edges' own
/// are viewed: with many covariates they are most of the memory.
PairGraph build_pair_graph(const TableColumns& table, std::int32_t items, bool keep_home,
                           Monitor* monitor = nullptr, std::shared_ptr<const void> owner = nullptr);

}  // namespace steelyard::rank
