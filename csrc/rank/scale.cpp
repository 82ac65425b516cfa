#include "rank/scale.hpp"

#include <algorithm>
#include <cmath>

#include "core/logistic.hpp"

namespace steelyard::rank {

void centre(double* x, std::ptrdiff_t n, std::ptrdiff_t stride) {
  double mean = 0.0;
  for (std::ptrdiff_t i = 0; i < n; ++i) mean += x[i * stride];
  mean /= static_cast<double>(n);
  for (std::ptrdiff_t i = 0; i < n; ++i) x[i * stride] -= mean;
}

void centre(std::vector<double>& s) { centre(s.data(), std::ssize(s)); }

double best_shift(const std::vector<double>& strengths) {
  // The sum falls in c and changes sign between -max s and -min s: Newton kept inside that bracket.
  const auto [least, most] = std::minmax_element(strengths.begin(), strengths.end());
  double low = -*most, high = -*least, c = std::clamp(0.0, low, high);
  for (int step = 0; step < 100 && high - low > 1e-15 * (1.0 + std::fabs(c)); ++step) {
    double value = 0.0, slope = 0.0;
    for (const double s : strengths) {
      const auto pull = logistic_prior(1.0, s + c);
      value -= pull.gradient;
      slope += pull.curvature;
    }
    (value > 0.0 ? low : high) = c;
    double next = slope > 0.0 ? c + value / slope : 0.5 * (low + high);
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (std::fabs(next - c) <= 1e-15 * (1.0 + std::fabs(c))) return next;
    c = next;
  }
  return c;
}

void set_scale(double prior, bool exact_shift, std::vector<double>& strengths) {
  if (prior <= 0.0) return centre(strengths);
  if (!exact_shift) return;
  const double shift = best_shift(strengths);
  for (double& value : strengths) value += shift;
}

}  // namespace steelyard::rank
