// The logistic function sigma(y) = 1 / (1 + exp(-y)), without overflow or cancellation.
#pragma once

#include <algorithm>
#include <cmath>

namespace steelyard {

/// sigma(y) and sigma(-y).
struct Logistic {
  explicit Logistic(double y) {
    const double e = std::exp(-std::fabs(y)), v = 1.0 / (1.0 + e);
    yes = y < 0.0 ? e * v : v;
    no = y < 0.0 ? v : e * v;
  }
  double yes, no;
};

/// sigma(y), rounded once less than Logistic's.
inline double logistic(double y) {
  const double e = std::exp(-std::fabs(y));
  return (y < 0.0 ? e : 1.0) / (1.0 + e);
}

/// sigma(y) sigma(-y)
inline double logistic_variance(double y) {
  const double e = std::exp(-std::fabs(y));
  return e / ((1.0 + e) * (1.0 + e));
}

/// log(a / b) that stays finite where a sum underflows far from the optimum.
inline double log_ratio(double a, double b) { return std::log(std::max(a, 1e-300) / std::max(b, 1e-300)); }

/// Of -a [log sigma(s) + log sigma(-s)]: a wins and a losses against strength 0.
struct LogisticPrior {
  double gradient;   ///< a (2 sigma(s) - 1)
  double curvature;  ///< 2 a sigma(s) sigma(-s)
};

inline LogisticPrior logistic_prior(double a, double s) {
  const double e = std::exp(-std::fabs(s)), tanh_half = (1.0 - e) / (1.0 + e);
  return {a * (s < 0.0 ? -tanh_half : tanh_half), 2.0 * a * e / ((1.0 + e) * (1.0 + e))};
}

}  // namespace steelyard
