#include "rank/rankings/ranking_newton.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/index.hpp"
#include "rank/newton_loop.hpp"
#include "rank/rankings/ranking_sweeps.hpp"
#include "rank/scale.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

constexpr double longest_move = 5.0;

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
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
  const double before = direction.slope, largest = largest_change(model, direction.strengths, longest_move);
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
  double reach() const override { return largest_change(model_, direction_.strengths, 0.0); }
  double rounding() override { return system_.rounding(now_, strengths_, monitor_); }
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
