// Newton's method on all parameters at once, certified by the Newton decrement.
//
// Stops when sqrt(g' H^+ g) <= tol: to first order, no contrast of the parameters is then further from the
// optimum than tol of its inverse-Hessian standard errors. A step is shortened to change no difference of met
// items by more than 5 and kept when the slope along it has not turned by more than it was; where the Hessian
// is singular to rounding (start far out) a Newman sweep replaces the step.
// With covariates one row of outlying z would let such steps hardly move the others, and curves the
// likelihood near the start only: steps may be longer if they do not pass the maximum, and double while the
// slope stays above half of what it was.
#pragma once

#include "core/info.hpp"
#include "rank/paired/strength_system.hpp"

namespace steelyard::rank {

class NewtonSolver {
 public:
  NewtonSolver(const PairProblem& problem, Linear linear, Monitor& monitor);

  /// From now on with these (a bootstrap round's); the analysis of the graph is kept.
  void take(const Counts& counts) { problem_.counts = counts; }

  /// Improves `point` in place. Strengths are left as they are in scale: centred only without a prior.
  Info fit(Parameters& point, const FitOptions& options, Monitor& monitor);

  const Derivatives& derivatives() const { return now_; }  ///< at the last point that `fit` looked at
  StrengthSystem& system() { return system_; }
  const NewtonDirection& direction() const { return direction_; }  ///< the last one found
  /// With covariates: the likelihood rises, or stays, along `direction` for ever, so that `fit` gave up.
  bool receded() const { return receded_; }

 private:
  /// Does the likelihood never fall along the direction?
  bool recedes_along(Monitor& monitor) const;
  bool find_direction(double accuracy, double tol, Monitor& monitor);
  bool take_step(Parameters& point, double& length, Monitor& monitor);
  void lengthen(const Parameters& from, Parameters& to, double& length, Monitor& monitor);

  PairProblem problem_;
  StrengthSystem system_;
  Derivatives now_;
  NewtonDirection direction_;
  bool receded_ = false;
};

}  // namespace steelyard::rank
