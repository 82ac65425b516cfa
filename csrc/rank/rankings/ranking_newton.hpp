// Newton's method on rankings, certified by the Newton decrement as in newton.hpp.
//
// A step changes no two strengths of one ranking by more than 5 against each other, and is kept when the
// slope along it has not turned by more than it was; where the Hessian is singular to rounding a Newman sweep
// replaces it.
#pragma once

#include "core/info.hpp"
#include "rank/options.hpp"
#include "rank/rankings/ranking_system.hpp"

namespace steelyard::rank {

/// Improves `strengths` in place; they are centred only without a prior.
Info fit_rankings_by_newton(const RankingModel& model, Linear linear, std::vector<double>& strengths,
                            const FitOptions& options, Monitor& monitor);

}  // namespace steelyard::rank
