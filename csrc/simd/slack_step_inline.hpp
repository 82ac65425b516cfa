// The step on one constraint of information-theoretic metric learning, for metric/itml.cpp and the
// *_kernels.cpp files.
//
// Everything here is in an anonymous namespace: each instruction set must keep its own copy.
#pragma once

#include "simd/rank_updates.hpp"

namespace steelyard::simd {
namespace {

/// The step of metric/itml.hpp on a constraint of the squared distance p > 0, its 1 / xi given. Returns beta,
/// 0 where nothing moves; `moved` becomes at least |alpha| p. In terms of alpha p and p / xi, so that beta
/// waits for one division alone.
inline double slack_step(double s, double share, double inverse_xi, double p, double& lambda, double& moved) {
  const double all = lambda * p, whole = s * share * (1.0 - p * inverse_xi);
  const double step = whole < all ? whole : all;
  if (step == 0.0) return 0.0;
  const double left = lambda - step / p;
  lambda = whole < all ? left : 0.0;
  const double size = step < 0.0 ? -step : step;
  moved = moved < size ? size : moved;
  return s * step / (p * (1.0 - s * step));
}

/// 1 / xi of a constraint, s = 1 of a similar pair, -1 of a dissimilar one.
inline double inverse_slack(const SlackRule& rule, double s, double lambda) {
  return (s > 0.0 ? rule.inverse_near : rule.inverse_far) - s * lambda * rule.inverse_gamma;
}

}  // namespace
}  // namespace steelyard::simd
