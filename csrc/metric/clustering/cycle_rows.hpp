// A lower bound on the cost of any labels, as anyone can check it.
//
// In a cycle with exactly one disagreeing pair, one pair at least must be paid for: either the disagreeing pair
// is joined, or one of the agreeing ones is separated. In a star, whose centre agrees with k leaves that disagree
// with each other, k - 1 at least (star_search.hpp). Multipliers y >= 0 of such rows, of right sides b, with
//
//     sum of y over the rows through a pair  <=  |c| of that pair,  for every pair,
//
// prove that labels cost at least sum b y: cost = sum |c| d >= sum_R y_R sum_{pair in R} d >= sum_R b_R y_R, where
// d is 1 for pairs that are paid for. (Cycles alone: the dual of the cycle relaxation of multicut.)
//
// Rounding. Loads are sums of up to k multipliers, exact to a factor 1 + k eps: load (1 + (k + 2) eps) bounds
// them. All multipliers are scaled by the least |c| / load, where this is below 1, and by 1 - 4 eps, so that
// the rounded products are feasible in exact arithmetic. Their rounded sum times 1 - (rows + 6) eps is below
// the exact one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/monitor.hpp"
#include "metric/clustering/signed_pairs.hpp"

namespace steelyard::metric {

/// Rows with their multipliers, one after the other. A cycle, of right side 1: a disagreeing pair, then the agreeing
/// pairs from its left to its right end. A star, of right side b > 1: the spokes of b + 1 leaves, then the rims (0, 1),
/// (0, 2), ..., (1, 2), ...
struct CycleRows {
  std::vector<std::int64_t> starts{0};
  std::vector<std::int32_t> pairs;
  std::vector<double> multipliers;
  std::vector<std::int32_t> right_sides;

  std::ptrdiff_t count() const { return std::ssize(multipliers); }
  std::span<const std::int32_t> row(std::ptrdiff_t k) const {
    return {pairs.data() + starts[at(k)], at(starts[at(k) + 1] - starts[at(k)])};
  }
  void add(std::int32_t disagreeing, std::span<const std::int32_t> path, double multiplier);
  void add_star(std::span<const std::int32_t> star, std::int32_t right_side);
  void truncate(std::ptrdiff_t rows);
  /// Forgets the rows whose multiplier is at most `least`.
  void forget(double least);
  /// Sum of right sides by multipliers.
  double value() const;

 private:
  void close(double multiplier, std::int32_t right_side);
};

/// What is left of each pair's |c|; rounding may leave it a little below 0.
std::vector<double> residuals(const SignedPairs& pairs, const CycleRows& rows);

/// Lowers the multipliers of each row that goes through a pair with more than |c|, by the largest such share.
void fit_in(const SignedPairs& pairs, CycleRows& rows);

/// Checks every row, walk by walk and sign by sign, and scales the multipliers as above: afterwards they are a
/// proof in exact arithmetic. Returns the bound; std::logic_error for rows that are neither.
double certify(const SignedPairs& pairs, CycleRows& rows);

/// The bound alone, without the scaling of `rows`.
double certified_bound(const SignedPairs& pairs, const CycleRows& rows);

/// The nodes of each row: from the left to the right end of a disagreeing pair; or a centre and its leaves.
struct Walks {
  std::vector<std::int64_t> starts{0};
  std::vector<std::int32_t> nodes;
};
Walks walks(const SignedPairs& pairs, const CycleRows& rows);

}  // namespace steelyard::metric
