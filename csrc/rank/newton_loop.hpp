// Newton's method to a Newton decrement of at most tol, whatever is fitted.
//
// Directions are found as accurately as the last decrement asks. What is stated is the decrement as computed and
// the one that rounding alone can make: a gradient that cancels to nothing proves no more than that. The loop ends
// as well where the decrement no longer falls: near that floor.
#pragma once

#include <cmath>

#include "core/infinity.hpp"
#include "core/info.hpp"
#include "core/monitor.hpp"
#include "rank/options.hpp"

namespace steelyard::rank {

/// One fit on its way: it holds the point.
class NewtonMethod {
 public:
  virtual ~NewtonMethod() = default;

  /// Takes the derivatives at the starting point. This and the following: false when failed or stopped.
  virtual bool start() = 0;
  /// `accuracy`: relative, of a solver that iterates.
  virtual bool find_direction(double accuracy) = 0;
  virtual double decrement() const = 0;  ///< of that direction, from above
  virtual int passes() const = 0;        ///< that it took
  virtual double rounding() = 0;         ///< the decrement that rounding alone can make at this point
  virtual double reach() const = 0;  ///< largest change of an argument of a logistic function by that step
  /// Moves along it by `length`.
  virtual bool take_step(double& length) = 0;
  /// Moves in another way, where there is no direction (`found` is false) or no step along it helps.
  virtual bool recover() { return false; }
  /// Is there no maximum to be reached? Asked once a direction is known or has failed.
  virtual bool hopeless(bool found, int iterations) {
    static_cast<void>(found), static_cast<void>(iterations);
    return false;
  }

  double finest = 1e-8;  ///< accuracy of a direction
  bool recovers = true;  ///< else a direction that fails is the end
};

/// What is stated of a point: no contrast is further from the optimum than so many of its standard errors there.
/// Over a step that changes no argument of a logistic function by more than m, curvatures change by a factor of at
/// most e^m (Bach, "Self-concordant analysis for logistic regression", EJS 4 (2010)): nothing near the optimum, and
/// too much far from it for anything to be stated.
inline double stated_decrement(double decrement, double rounding, double reach) {
  constexpr double farthest = 30.0;
  return reach <= farthest ? (decrement + rounding) * std::exp(reach) : infinity;
}

/// `solver` of the Info is the caller's to fill in.
Info newton_loop(NewtonMethod& method, const FitOptions& options, Monitor& monitor);

}  // namespace steelyard::rank
