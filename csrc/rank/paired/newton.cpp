#include "rank/paired/newton.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "core/pool.hpp"
#include "rank/newton_loop.hpp"
#include "rank/paired/existence.hpp"
#include "rank/paired/sweeps.hpp"
#include "rank/paired/tie_models.hpp"
#include "rank/scale.hpp"

namespace steelyard::rank {
namespace {

constexpr double longest_move = 5.0;
constexpr int suspicious_steps = 8;  // that do not shorten: is the optimum infinite?

/// A full step, or as much of it as keeps a positive tie parameter so.
double allowed_step(const Model& model, const Parameters& point, const NewtonDirection& d) {
  const bool towards_zero = tie_is_positive(model.ties) && d.extra[0] < 0.0;
  return towards_zero ? std::min(1.0, -0.9 * point.tie / d.extra[0]) : 1.0;
}

Parameters moved(const Model& model, const Parameters& from, const NewtonDirection& d, double step) {
  Parameters to = from;
  move_along(model, d, step, to);
  if (model.prior <= 0.0) centre(to.strengths);
  return to;
}

}  // namespace

NewtonSolver::NewtonSolver(const PairProblem& problem, Linear linear, Monitor& monitor)
    : problem_(problem), system_(problem.graph, problem.model, linear, monitor) {}

bool NewtonSolver::take_step(Parameters& point, double& length, Monitor& monitor) {
  const double allowed = allowed_step(problem_.model, point, direction_);
  const double largest = largest_change(problem_, direction_, monitor);
  const double cautious = largest > longest_move ? std::min(allowed, longest_move / largest) : allowed;
  length = problem_.model.covariates > 0 ? allowed : cautious;
  const double before = direction_.slope;
  for (int attempt = 0; attempt < 40; ++attempt) {
    Parameters next = moved(problem_.model, point, direction_, length);
    if (!evaluate(problem_, next, now_, monitor)) return false;
    const double after = slope_along(now_, direction_);
    // A long step may not pass the maximum: up to there the likelihood rises.
    if (std::isfinite(after) && after >= (length > cautious ? 0.0 : -0.5 * before)) {
      if (problem_.model.covariates > 0 && allowed == 1.0) lengthen(point, next, length, monitor);
      point = std::move(next);
      return !monitor.stopped();
    }
    length *= std::isfinite(after) ? std::clamp(before / (before - after), 0.1, 0.7) : 0.1;
  }
  return false;
}

void NewtonSolver::lengthen(const Parameters& from, Parameters& to, double& length, Monitor& monitor) {
  const double before = direction_.slope;
  while (slope_along(now_, direction_) > 0.5 * before && !monitor.poll()) {
    Parameters next = moved(problem_.model, from, direction_, 2.0 * length);
    if (tie_is_positive(problem_.model.ties) && !(next.tie > 0.1 * from.tie)) return;
    Derivatives there;
    if (!evaluate(problem_, next, there, monitor)) return;
    const double after = slope_along(there, direction_);
    if (!(after >= -0.5 * before)) return;
    now_ = std::move(there);
    to = std::move(next);
    length *= 2.0;
  }
}

bool NewtonSolver::find_direction(double accuracy, double tol, Monitor& monitor) {
  if (!system_.prepare(now_, monitor)) return false;
  for (int tries = 0; tries < 4; ++tries, accuracy *= 1e-3) {
    if (!system_.direction(now_, accuracy, direction_, monitor)) return false;
    const bool undecided = direction_.lower <= tol && direction_.decrement > tol;
    if (!undecided || system_.chosen() != Linear::cg) break;
  }
  return true;
}

bool NewtonSolver::recedes_along(Monitor& monitor) const {
  return problem_.model.covariates > 0 && largest_change(problem_, direction_, monitor) > 0.5 &&
         recedes(problem_, direction_, system_.chosen() == Linear::cg ? 1e-7 : 1e-11);
}

Info NewtonSolver::fit(Parameters& point, const FitOptions& options, Monitor& monitor) {
  class Run final : public NewtonMethod {
   public:
    Run(NewtonSolver& self, Parameters& point, const FitOptions& options, Monitor& monitor)
        : self_(self), at_(point), options_(options), monitor_(monitor) {}

    bool start() override {
      for (int k = 0; k < options_.warm_sweeps && !monitor_.poll(); ++k)
        sweep(Sweep::newman, self_.problem_, true, at_, monitor_);
      if (self_.problem_.model.prior <= 0.0) centre(at_.strengths);
      return evaluate(self_.problem_, at_, self_.now_, monitor_);
    }

    bool find_direction(double accuracy) override {
      const bool found = self_.find_direction(accuracy, options_.tol, monitor_);
      started_ = started_ || found;
      return found;
    }
    double decrement() const override { return self_.direction_.decrement; }
    double reach() const override { return largest_change(self_.problem_, self_.direction_, monitor_); }
    double rounding() override { return self_.system_.rounding(self_.problem_, at_, self_.now_, monitor_); }
    int passes() const override { return self_.direction_.cg_iterations; }
    bool take_step(double& length) override { return self_.take_step(at_, length, monitor_); }

    bool recover() override {
      if (!started_) {  // so far out that the Hessian vanishes; a sweep moves strengths alone
        for (double& value : at_.coefficients) value *= 0.5;
      }
      sweep(Sweep::newman, self_.problem_, true, at_, monitor_);
      return evaluate(self_.problem_, at_, self_.now_, monitor_);
    }

    bool hopeless(bool found, int iterations) override {
      self_.receded_ = found && iterations >= suspicious_steps && self_.recedes_along(monitor_);
      return self_.receded_;
    }

   private:
    NewtonSolver& self_;
    Parameters& at_;
    const FitOptions& options_;
    Monitor& monitor_;
    bool started_ = false;
  };

  receded_ = false;
  Run run(*this, point, options, monitor);
  auto info = newton_loop(run, options, monitor);
  info.solver = "newton (" + system_.describe() + ")";
  return info;
}

}  // namespace steelyard::rank
