// The grouped table of comparisons: one row per distinct (left, right, extra key), left < right.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/monitor.hpp"

namespace steelyard::rank {

/// Votes as they arrive. Absent columns are empty spans.
struct Votes {
  std::span<const std::int32_t> first, second;   ///< item codes in [0, items)
  std::span<const std::int8_t> outcome;          ///< +1 first won, -1 second won, 0 tie; empty: first won always
  std::span<const double> weight;                ///< sampling weight of one vote; empty: 1
  std::span<const double> count;                 ///< how often the row occurred; empty: 1
  std::span<const std::int8_t> home;             ///< +1 first at home, -1 second, 0 neutral; empty: 0
  std::span<const std::int64_t> extra;           ///< code of (cluster, time, covariates); empty: one group
};

/// Rows sorted by (left, right, home, extra). A vote given the other way round is turned, home with it.
struct Table {
  std::vector<std::int32_t> left, right;
  std::vector<double> left_wins, right_wins, ties;                     ///< sums of count * weight; ties empty if none
  std::vector<double> left_squared, right_squared, ties_squared;       ///< sums of count * weight^2; empty: all weights 1
  std::vector<std::int8_t> home;                                       ///< empty if absent
  std::vector<std::int64_t> extra;                                     ///< empty if absent
};

/// O(votes log(votes per item)) time, O(votes) memory; the same bits for any number of threads.
/// A direct table of counts is used where items^2 is small against the number of votes.
Table group(const Votes& votes, std::int32_t items, Monitor& monitor);

}  // namespace steelyard::rank
