// A fit of rankings by the solver that is asked for.
#pragma once

#include <vector>

#include "core/info.hpp"
#include "rank/options.hpp"
#include "rank/rankings/ranking_likelihood.hpp"

namespace steelyard::rank {

enum class RankingSolver { newton, newman, zermelo };

struct RankingFit {
  Info info;
  double log_likelihood = 0.0;  ///< where the fit ended, stopped or not
};

/// Improves `strengths` in place; `linear` is Newton's.
RankingFit fit_rankings(const RankingModel& model, RankingSolver solver, Linear linear,
                        std::vector<double>& strengths, const FitOptions& options, Monitor& monitor);

}  // namespace steelyard::rank
