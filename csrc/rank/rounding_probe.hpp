// What errors of known size and unknown sign in a gradient can make of its Newton decrement.
//
// With signs drawn at random, e' H^+ e is of the order of its mean sum_i e_i^2 (H^+)_ii: it sees a bridge that
// hardly holds, or a shift that only a weak prior holds, and costs one solve for a few draws.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/index.hpp"
#include "core/random.hpp"

namespace steelyard::rank {

constexpr std::ptrdiff_t probes = 4;

/// The largest sqrt(e' H^+ e) of some draws of signs; 0 where the solve fails. `solve(b, x)`: X <- H^+ B, a row a
/// parameter, `probes` columns. `centred`: strengths, the first `n`, whose errors have no part in a common shift.
template <class Solve>
double probe_rounding(const std::vector<double>& errors, std::ptrdiff_t n, bool centred, const Solve& solve) {
  const auto size = std::ssize(errors);
  std::vector<double> b(checked_product("working memory", size, probes)), x(b.size());
  Random signs(1, 0);
  for (std::ptrdiff_t i = 0; i < size; ++i) {
    const auto bits = signs.bits();
    for (std::ptrdiff_t c = 0; c < probes; ++c)
      b[at(i * probes + c)] = (bits >> c & 1) != 0 ? errors[at(i)] : -errors[at(i)];
  }
  for (std::ptrdiff_t c = 0; centred && c < probes; ++c) {
    double mean = 0.0;
    for (std::ptrdiff_t i = 0; i < n; ++i) mean += b[at(i * probes + c)] / static_cast<double>(n);
    for (std::ptrdiff_t i = 0; i < n; ++i) b[at(i * probes + c)] -= mean;
  }
  if (!solve(b, x)) return 0.0;
  double largest = 0.0;
  for (std::ptrdiff_t c = 0; c < probes; ++c) {
    double energy = 0.0;
    for (std::ptrdiff_t i = 0; i < size; ++i) energy += b[at(i * probes + c)] * x[at(i * probes + c)];
    largest = std::max(largest, energy);
  }
  return std::sqrt(largest);
}

}  // namespace steelyard::rank
