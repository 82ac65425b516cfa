// The logistic prior of a strength.
#pragma once

#include <cmath>

namespace steelyard {

/// Of -a [log sigma(s) + log sigma(-s)]; a wins and a losses against strength 0.
struct LogisticPrior {
  double gradient;   ///< a (2 sigma(s) - 1)
  double curvature;  ///< 2 a sigma(s) sigma(-s)
};

inline LogisticPrior logistic_prior(double a, double s) {
  const double e = std::exp(-std::fabs(s)), tanh_half = (1.0 - e) / (1.0 + e);
  return {a * (s < 0.0 ? -tanh_half : tanh_half), 2.0 * a * e / ((1.0 + e) * (1.0 + e))};
}

}  // namespace steelyard
