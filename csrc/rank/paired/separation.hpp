// Does the tie parameter or the home advantage have a finite, unique optimum?
//
// The log-likelihood is concave, so it has one unless it never falls along some direction (ds, u, eta) != 0,
// where u is the direction of 2 log nu (Davidson) or log theta (Rao-Kupper) and eta that of h. With
// dx = ds_i - ds_j + e eta the outcomes of a cell ask for
//   i beat j: dx >= u      j beat i: -dx >= u      ties: |dx| <= u
// (u = 0 throughout if there is no tie parameter). For given (u, eta) these are difference constraints on ds:
// they hold for some ds unless a cycle of them has a negative sum, and a cycle's sum is b u + a eta with
// integers a, b. The directions (u, eta) that survive every cycle form a cone in the plane; it is searched
// from one side by cutting planes, each from a negative cycle found by Bellman and Ford's method. Directions
// of ds alone are excluded by strong connectivity, which the caller checks, or by a prior, which holds all ds
// at zero.
//
// Cost: O(cells) where outcomes of both kinds meet, O(items cells) at worst.
#pragma once

#include <optional>

#include "core/monitor.hpp"
#include "rank/paired/pair_problem.hpp"

namespace steelyard::rank {

struct Separation {
  bool tie = false;   ///< the tie parameter runs away
  bool home = false;  ///< the home advantage does
  bool flat = false;  ///< both ways: the data does not determine it
};

/// Empty if the optimum is finite and unique (or the work was stopped).
std::optional<Separation> find_separation(const PairProblem& problem, Monitor& monitor);

}  // namespace steelyard::rank
