#include "rank/rankings.hpp"

#include <algorithm>
#include <cmath>

namespace steelyard::rank {
namespace {

std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }

/// What the recurrences of one ranking leave behind; sized for the longest.
struct Places {
  std::vector<double> q, r, gradient, e;

  explicit Places(std::size_t most) : q(most), r(most), gradient(most), e(most) {}
};

/// Fills `places`, returns log P.
double walk(std::span<const std::int32_t> items, std::int32_t stages, std::span<const double> s,
            Places& places) {
  const auto m = items.size();
  double log_sum = s[at(items[m - 1])], log_p = 0.0;
  places.q[m - 1] = 1.0;
  for (std::size_t u = m - 1; u-- > 0;) {
    const double own = s[at(items[u])], high = std::max(own, log_sum);
    const double next = high + std::log1p(std::exp(std::min(own, log_sum) - high));
    places.q[u] = std::exp(own - next);
    places.r[u] = std::exp(log_sum - next);
    if (u < at(stages)) log_p += own - next;
    log_sum = next;
  }
  double c = 0.0, e = 0.0;
  for (std::size_t u = 0; u < m; ++u) {
    const double on = u < at(stages) ? 1.0 : 0.0, carry = u > 0 ? places.r[u - 1] : 0.0;
    c = on + carry * c;
    e = on + carry * carry * e;
    places.gradient[u] = on - places.q[u] * c;
    places.e[u] = e;
  }
  return log_p;
}

/// Both triangles of the curvature of one ranking. q C = on - gradient.
void add_curvature(std::span<const std::int32_t> items, std::int32_t stages, double weight,
                   const Places& places, std::ptrdiff_t n, double* curvature) {
  for (std::size_t a = 0; a < items.size(); ++a) {
    const double on = a < at(stages) ? 1.0 : 0.0, q = places.q[a];
    double* row = curvature + items[a] * n;
    row[items[a]] += weight * (on - places.gradient[a] - q * q * places.e[a]);
    double reach = weight * q * places.e[a];
    for (std::size_t b = a + 1; b < items.size(); ++b) {
      reach *= places.r[b - 1];
      const double value = reach * places.q[b];
      row[items[b]] -= value;
      curvature[items[b] * n + items[a]] -= value;
    }
  }
}

void add_outer(std::span<const std::int32_t> items, double weight, const Places& places, std::ptrdiff_t n,
               double* outer) {
  for (std::size_t a = 0; a < items.size(); ++a)
    for (std::size_t b = 0; b < items.size(); ++b)
      outer[items[a] * n + items[b]] += weight * weight * places.gradient[a] * places.gradient[b];
}

}  // namespace

RankingDerivatives differentiate(const Rankings& rankings, std::span<const double> strengths, bool curvature,
                                 bool outer, Monitor& monitor) {
  const auto n = std::ssize(strengths), count = std::ssize(rankings.starts) - 1;
  RankingDerivatives out;
  out.gradient.assign(at(n), 0.0);
  if (curvature) out.curvature.assign(at(n * n), 0.0);
  if (outer) out.outer.assign(at(n * n), 0.0);
  std::int64_t most = 0;
  for (std::ptrdiff_t r = 0; r < count; ++r)
    most = std::max(most, rankings.starts[at(r) + 1] - rankings.starts[at(r)]);
  Places places(at(most));
  for (std::ptrdiff_t r = 0; r < count; ++r) {
    if (r % 256 == 0 && monitor.poll()) break;
    const auto begin = at(rankings.starts[at(r)]), length = at(rankings.starts[at(r) + 1]) - begin;
    const auto items = rankings.items.subspan(begin, length);
    const double weight = rankings.weight.empty() ? 1.0 : rankings.weight[at(r)];
    const auto stages = rankings.stages[at(r)];
    out.log_likelihood += weight * walk(items, stages, strengths, places);
    for (std::size_t u = 0; u < length; ++u) out.gradient[at(items[u])] += weight * places.gradient[u];
    if (curvature) add_curvature(items, stages, weight, places, n, out.curvature.data());
    if (outer) add_outer(items, weight, places, n, out.outer.data());
  }
  return out;
}

}  // namespace steelyard::rank
