// Projections onto the constraints held: the dual ascent of Project and Forget.
//
// minimise 1/2 ||x - d||_W^2 subject to x_ij - x_ik - x_jk <= 0 (duals lambda >= 0) and x <= u (duals mu >=
// 0). x = d - W^-1 (A' lambda + mu) throughout. One step on row a takes theta = a'x / (a' W^-1 a), or what is
// left of the dual if that is less (Hildreth's method, Dykstra's for half-spaces): the exact maximum of the
// dual along that coordinate.
//
// Momentum and face steps: dual_ascent.hpp.
// Sonthalia & Gilbert, "Project and Forget", JMLR 23 (2022); Brickell et al., "The metric nearness problem",
// SIMAX 30 (2008).
#pragma once

#include "core/monitor.hpp"
#include "metric/nearness/active_triangles.hpp"
#include "metric/nearness/pair_tiles.hpp"

namespace steelyard::metric {

/// What the projections work on. Optional parts are empty: W = I, no upper bound.
struct ProjectionState {
  PairTiles target;   ///< d
  PairTiles inverse;  ///< 1 / w
  PairTiles x;
  PairTiles upper_dual;  ///< mu
  double upper = 0.0;    ///< u, where upper_dual is not empty
  ActiveTriangles active;
};

/// Cyclic passes over all constraints. Same bits for any threads.
void project(ProjectionState& state, std::ptrdiff_t passes, Monitor& monitor);

/// The same with momentum. 8 bytes a constraint and a pair (16 with an upper bound) for the call.
void project_with_momentum(ProjectionState& state, std::ptrdiff_t passes, Monitor& monitor);

/// A' lambda, anew from the duals.
PairTiles gradient(const ProjectionState& state, Monitor& monitor);

/// x <- d - W^-1 (A' lambda + mu). Returns A' lambda.
PairTiles restore(ProjectionState& state, Monitor& monitor);

/// A sum, and how far rounding may have put it off.
struct Rounded {
  double value = 0.0, error = 0.0;
};

/// The value of the dual, lambda'(A d) + mu'(d - u) - 1/2 ||A' lambda + mu||^2_(W^-1): no digits are lost where d is
/// nearly a metric. `pull` is A' lambda.
Rounded dual_value(const ProjectionState& state, const PairTiles& pull, Monitor& monitor);

/// One face step over the triangles, with at most `iterations` of conjugate gradients; the dual never falls.
void face_step(ProjectionState& state, int iterations, Monitor& monitor);

}  // namespace steelyard::metric
