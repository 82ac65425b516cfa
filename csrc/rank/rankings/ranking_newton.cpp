#include "rank/rankings/ranking_newton.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "rank/newton_loop.hpp"
#include "rank/rankings/ranking_sweeps.hpp"
#include "rank/scale.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

constexpr double longest_move = 5.0;

/// Largest change of a difference within a ranking, or of a strength itself where the prior holds it.
double largest_change(const RankingModel& model, const std::vector<double>& direction) {
  const auto [least, most] = std::minmax_element(direction.begin(), direction.end());
  const double apart = model.prior > 0.0 ? std::max(*most, -*least) : *most - *least;
  if (apart <= longest_move || model.prior > 0.0) return apart;
  const auto& rankings = model.rankings;
  double largest = 0.0;
  for (ptrdiff_t r = 0; r < rankings.count(); ++r) {
    double low = infinity, high = -infinity;
    for (auto place = rankings.starts[at(r)]; place < rankings.starts[at(r) + 1]; ++place) {
      const double move = direction[at(rankings.codes[at(place)])];
      low = std::min(low, move);
      high = std::max(high, move);
    }
    largest = std::max(largest, high - low);
  }
  return largest;
}

std::vector<double> moved(const RankingModel& model, const std::vector<double>& from,
                          const std::vector<double>& direction, double step) {
  std::vector<double> to(from.size());
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = from[i] + step * direction[i];
  if (model.prior <= 0.0) centre(to);
  return to;
}

/// `now` becomes that of the new point. False: no step helps, or stopped.
bool take_step(const RankingModel& model, const RankingDirection& direction, std::vector<double>& strengths,
               RankingDerivatives& now, double& length, Monitor& monitor) {
  const double before = direction.slope, largest = largest_change(model, direction.strengths);
  length = largest > longest_move ? longest_move / largest : 1.0;
  for (int attempt = 0; attempt < 40; ++attempt) {
    auto next = moved(model, strengths, direction.strengths, length);
    if (!differentiate(model, next, now, monitor)) return false;
    const double after = dot(now.gradient, direction.strengths);
    if (std::isfinite(after) && after >= -0.5 * before) {
      strengths = std::move(next);
      return true;
    }
    length *= std::isfinite(after) ? std::clamp(before / (before - after), 0.1, 0.7) : 0.1;
  }
  return false;
}

class RankingNewton final : public NewtonMethod {
 public:
  RankingNewton(const RankingModel& model, Linear linear, std::vector<double>& strengths,
                const FitOptions& options, Monitor& monitor)
      : model_(model),
        system_(model, linear),
        sweeps_(model),
        strengths_(strengths),
        options_(options),
        monitor_(monitor) {}

  bool start() override {
    for (int k = 0; k < options_.warm_sweeps && !monitor_.poll(); ++k)
      sweeps_.sweep(Sweep::newman, strengths_, monitor_);
    if (model_.prior <= 0.0) centre(strengths_);
    return differentiate(model_, strengths_, now_, monitor_);
  }

  bool find_direction(double accuracy) override {
    found_ = system_.direction(now_, accuracy, options_.tol, direction_, monitor_);
    return found_;
  }
  double decrement() const override { return direction_.decrement; }
  int passes() const override { return found_ ? direction_.cg_iterations : 0; }
  bool take_step(double& length) override {
    return rank::take_step(model_, direction_, strengths_, now_, length, monitor_);
  }

  bool recover() override {
    sweeps_.sweep(Sweep::newman, strengths_, monitor_);
    return differentiate(model_, strengths_, now_, monitor_);
  }

  std::string describe() const { return system_.describe(); }

 private:
  const RankingModel& model_;
  RankingSystem system_;
  RankingSweeps sweeps_;
  RankingDerivatives now_;
  RankingDirection direction_;
  std::vector<double>& strengths_;
  const FitOptions& options_;
  Monitor& monitor_;
  bool found_ = false;
};

}  // namespace

Info fit_rankings_by_newton(const RankingModel& model, Linear linear, std::vector<double>& strengths,
                            const FitOptions& options, Monitor& monitor) {
  RankingNewton run(model, linear, strengths, options, monitor);
  auto info = newton_loop(run, options, monitor);
  info.solver = "newton (" + run.describe() + ")";
  return info;
}

}  // namespace steelyard::rank
