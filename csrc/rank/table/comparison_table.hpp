// The grouped table of comparisons: one row per distinct (left, right, home, extra key), left < right.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/monitor.hpp"

namespace steelyard::rank {

/// Votes as they arrive, or rows that were counted before. Absent columns are empty spans.
struct Votes {
  std::span<const std::int32_t> first, second;  ///< item codes in [0, items), items <= 2^30; first != second
  std::span<const std::int8_t> home;            ///< +1 first at home, -1 second, 0 neutral; empty: 0
  std::span<const std::int64_t> extra;          ///< code of (cluster, time, ...); empty: one group
  std::span<const double> covariates;           ///< votes x number of them, of left, row-major; never -0.0

  // one outcome a vote ...
  std::span<const std::int8_t> outcome;  ///< +1 first won, -1 second won, 0 tie; empty: first won always
  std::span<const double> weight;        ///< sampling weight of one vote; empty: 1
  std::span<const double> count;         ///< how often the vote occurred; empty: 1

  // ... or, if `wins` is not empty, sums of first
  std::span<const double> wins, losses, ties;                          ///< ties empty: none
  std::span<const double> wins_squared, losses_squared, ties_squared;  ///< empty: all weights 1
};

/// Rows sorted by (left, right, home, extra, covariates). A vote given the other way round is turned, home with it
/// (covariates are turned already).
struct Table {
  std::vector<std::int32_t> left, right;
  std::vector<double> left_wins, right_wins, ties;  ///< sums of count * weight; ties empty if none
  std::vector<double> left_squared, right_squared,
      ties_squared;                  ///< of count * weight^2; empty: all weights 1
  std::vector<std::int8_t> home;     ///< empty if absent
  std::vector<std::int64_t> source;  ///< first vote of each row; empty without `extra` or covariates
};

/// O(votes log(votes per item)) time, 8 bytes a vote beside the table, 24 a vote of one item; sums run in the order of the votes, so
/// that they have the same bits for any number of threads. A direct table of counters is used where it is no
/// larger than the votes themselves. An empty table if stopped.
Table group(const Votes& votes, std::int32_t items, Monitor& monitor);

}  // namespace steelyard::rank
