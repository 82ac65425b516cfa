#include "rank/rankings/ranking_fit.hpp"

#include "rank/rankings/ranking_newton.hpp"
#include "rank/rankings/ranking_sweeps.hpp"

namespace steelyard::rank {

RankingFit fit_rankings(const RankingModel& model, RankingSolver solver, Linear linear,
                        std::vector<double>& strengths, const FitOptions& options, Monitor& monitor) {
  RankingFit fit;
  if (solver == RankingSolver::newton) {
    fit.info = fit_rankings_by_newton(model, linear, strengths, options, monitor);
  } else {
    const auto kind = solver == RankingSolver::zermelo ? Sweep::zermelo : Sweep::newman;
    fit.info = fit_rankings_by_sweeps(kind, model, strengths, options, monitor);
  }
  Monitor last(monitor.threads());
  fit.log_likelihood = log_likelihood(model, strengths, last);
  return fit;
}

}  // namespace steelyard::rank
