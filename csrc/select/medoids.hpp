// k points that stand for all, and how far from the best k they can be.
//
//   cost(S) = sum_j w_j min_{i in S} c_ij        (medoids)
//   f(S)    = sum_j w_j (s - min(s, min_{i in S} c_ij))   (facility location with a start s that all have)
//
// Everything rests on gain(i; b) = sum_j w_j max(0, b_j - c_ij) (distances/costs.hpp), n^2 d flops for all i:
//   greedy   b = costs now; stale gains are upper bounds, since gains only fall (Minoux, 1978);
//   bound    L(b) = sum_j w_j b_j - (the k largest gains at b) <= optimum, for every b: the Lagrangian dual of
//            k-median (Cornuejols, Fisher & Nemhauser, Management Science 23, 1977). Subgradient steps with
//            Polyak's length from a solution. At b = costs now it is the bound of submodular greedy.
// Swaps are eager (Schubert & Rousseeuw, "Fast and eager k-medoids clustering", Information Systems 101, 2021):
// a candidate's change against all k medoids in O(n). O(n (k + candidates in hand)) memory, never n^2.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/monitor.hpp"
#include "distances/costs.hpp"

namespace steelyard::select {

struct Medoids {
  std::vector<std::int64_t> indices;
  std::vector<std::int64_t> labels;  ///< position in `indices` of the cheapest
  double cost = 0.0;
  std::int64_t swaps = 0, tried = 0;
  bool optimal = false;  ///< no single swap lowers the cost
};

/// Swaps from `start` until none helps or `most` candidates were tried. What there is when stopped.
template <class Real>
Medoids swap_medoids(const distances::Costs<Real>& costs, std::span<const double> weights,
                     std::vector<std::int64_t> start, std::int64_t most, Monitor& monitor);

struct Chosen {
  std::vector<std::int64_t> indices;
  std::vector<double> gains;  ///< in the order of the choice
  std::vector<std::int64_t> labels;
  double value = 0.0, bound = 0.0;  ///< f, and what no set of k exceeds, by the stale gains
};

/// Points of `start` first, then each time the one that gains most, the lowest of equals.
template <class Real>
Chosen greedy_location(const distances::Costs<Real>& costs, std::span<const double> weights, Real ceiling,
                       std::vector<std::int64_t> start, std::ptrdiff_t k, Monitor& monitor);

/// L(b) after each of at most `passes` passes, best so far; b never exceeds `ceiling`. What rounding can have
/// added to a sum is taken off; that of the costs is not. Fewer when stopped or when no more can be gained.
template <class Real>
std::vector<double> lower_bounds(const distances::Costs<Real>& costs, std::span<const double> weights,
                                 std::span<const std::int64_t> medoids, double cost, Real ceiling,
                                 std::ptrdiff_t passes, Monitor& monitor);

}  // namespace steelyard::select
