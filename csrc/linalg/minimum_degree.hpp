// Approximate minimum degree elimination of a symmetric pattern (Amestoy, Davis, Duff, SIAM J. Matrix Anal.
// Appl. 17, 1996).
//
// On the quotient graph: an eliminated pivot becomes an element whose variables are a clique. Variables with
// the same neighbours are merged into one supervariable, so that each pivot eliminates several columns at
// once.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/monitor.hpp"
#include "core/views.hpp"

namespace steelyard::linalg {

/// Supernodes in order of elimination: a front holds its pivots and the rows that they reach later.
struct Elimination {
  struct Front {
    std::vector<std::int32_t> pivots, rows;  ///< original variables
    std::int32_t parent = -1;                ///< front that takes this one's update; -1: none
  };
  std::vector<Front> fronts;
  double flops = 0.0;  ///< sum of squared column counts
};

/// nullopt as soon as the factor is sure to cost more than max_flops, or the elimination as many steps, or
/// when stopped. Repeated indices are allowed.
std::optional<Elimination> eliminate(const CsrPattern& pattern, double max_flops, Monitor& monitor);

}  // namespace steelyard::linalg
