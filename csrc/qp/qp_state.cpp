#include "qp/qp_state.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/index.hpp"
#include "core/infinity.hpp"

namespace steelyard::qp {
namespace {

using std::ptrdiff_t;

/// The bounds' nearest point to an even share: lower + t for one t, cut at upper, with the sum right.
std::vector<double> even_start(const QpProblem& problem) {
  const std::size_t n = problem.q.size();
  std::vector<double> p(problem.lower.begin(), problem.lower.end());
  if (!problem.total) return p;
  double rest = *problem.total - std::accumulate(p.begin(), p.end(), 0.0);
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto room = [&](std::size_t i) { return problem.upper[i] - problem.lower[i]; };
  std::stable_sort(order.begin(), order.end(), [&](auto i, auto j) { return room(i) < room(j); });
  for (std::size_t k = 0; k < n; ++k) {
    const auto i = order[k];
    const double share = std::min(room(i), std::max(rest, 0.0) / static_cast<double>(n - k));
    p[i] = share < room(i) ? problem.lower[i] + share : problem.upper[i];
    rest -= share;
  }
  return p;
}

}  // namespace

QpState::QpState(const QpProblem& given, const QpOptions& wanted, Monitor& watch)
    : problem(given),
      options(wanted),
      monitor(watch),
      rows(given.k, wanted.cache_bytes),
      n(given.k.size()),
      max_iter(wanted.max_iter > 0 ? wanted.max_iter : 1000 + 200 * n) {
  trace.columns = {"iteration", "objective", "gap"};
}

bool QpState::start() {
  p = even_start(problem);
  diagonal.assign(at(n), 0.0);
  shift.assign(at(n), 0.0);
  g.assign(problem.q.size(), 0.0);
  for (std::size_t i = 0; i < g.size(); ++i) g[i] = -problem.q[i];
  std::vector<ptrdiff_t> all(at(n));
  std::iota(all.begin(), all.end(), ptrdiff_t{0});
  std::vector<double> reference;
  const bool done = rows.for_each(all, monitor, [&](std::size_t j, const double* row) {
    diagonal[j] = row[j];
    if (j == 0) reference.assign(row, row + n);
    double sum = 0.0;
    for (ptrdiff_t i = 0; i < n; ++i) sum += row[i] * p[at(i)];
    g[j] += sum;
  });
  if (!done) return false;
  for (std::size_t i = 0; i < diagonal.size(); ++i) {
    kernel_scale = std::max({kernel_scale, std::fabs(diagonal[i]), std::fabs(reference[i])});
  }
  double mean = 0.0;
  const double corner = reference[0];
  for (std::size_t i = 0; i < diagonal.size(); ++i) {
    mean += summed() ? diagonal[i] + corner - 2.0 * reference[i] : diagonal[i];
  }
  mean = std::fabs(mean) / static_cast<double>(n);
  curvature_scale = mean > 0.0 ? mean : 1.0;
  for (std::size_t i = 0; summed() && i < shift.size(); ++i) {
    shift[i] = reference[i] - 0.5 * (corner + curvature_scale);
  }
  started = true;
  return true;
}

void QpState::restore_sum() {
  ptrdiff_t largest = -1;
  double size = 0.0;
  for (ptrdiff_t i = 0; i < n; ++i) {
    const double room = std::min(value(i) - low(i), high(i) - value(i));
    if (room > size) size = room, largest = i;
  }
  for (int k = 0; k < 3 && largest >= 0; ++k) {
    const double rest = missing();
    if (rest == 0.0 || std::fabs(rest) >= size) return;
    value(largest) = std::clamp(value(largest) + rest, low(largest), high(largest));
  }
}

bool QpState::refresh() {
  if (summed()) restore_sum();
  std::vector<ptrdiff_t> support;
  for (ptrdiff_t i = 0; i < n; ++i) {
    if (value(i) != 0.0) support.push_back(i);
  }
  std::vector<double> fresh(g.size());
  for (std::size_t i = 0; i < g.size(); ++i) fresh[i] = -problem.q[i];
  if (!rows.accumulate(support, p.data(), fresh.data(), 1, monitor)) return false;
  g = std::move(fresh);
  return true;
}

double QpState::missing() const {
  return summed() ? *problem.total - std::accumulate(p.begin(), p.end(), 0.0) : 0.0;
}

double QpState::fill_vertex() {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  double rest = *problem.total - std::accumulate(problem.lower.begin(), problem.lower.end(), 0.0);
  const auto steeper = [&](auto i, auto j) { return g[i] < g[j] || (g[i] == g[j] && i < j); };
  std::make_heap(order.begin(), order.end(), [&](auto i, auto j) { return steeper(j, i); });
  vertex.assign(problem.lower.begin(), problem.lower.end());
  double mu = order.empty() ? 0.0 : g[order.front()];
  for (auto end = order.end(); end != order.begin() && rest > 0.0; --end) {
    std::pop_heap(order.begin(), end, [&](auto i, auto j) { return steeper(j, i); });
    const auto i = *(end - 1);
    const double room = problem.upper[i] - problem.lower[i], part = std::min(rest, room);
    vertex[i] = part < room ? vertex[i] + part : problem.upper[i];
    mu = g[i];
    rest -= part;
  }
  return mu;
}

void QpState::cap_vertex(double widest, double noise) {
  vertex.assign(p.begin(), p.end());
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (g[i] > 0.0) {
      vertex[i] = problem.lower[i];
    } else if (g[i] < 0.0) {
      const bool endless = diagonal[i] <= 0.0 && -g[i] > noise;
      const double step = endless ? infinity : (diagonal[i] > 0.0 ? -g[i] / diagonal[i] : 0.0);
      const double cap = std::min(problem.upper[i], problem.lower[i] + 2.0 * widest + step);
      vertex[i] = std::max(cap, p[i]);
      reach += vertex[i] - p[i];
    }
  }
}

double QpState::gap_rounding(double mu) const {
  double sum = 0.0, shifts = 0.0, roots = 0.0;
  std::size_t support = 0;
  const auto root = [&](std::size_t i) { return std::sqrt(std::fabs(diagonal[i] - 2.0 * shift[i])); };
  for (std::size_t j = 0; j < p.size(); ++j) {
    const double size = std::fabs(p[j]);
    support += size > 0.0 ? 1 : 0;
    sum += size;
    shifts += std::fabs(shift[j]) * size;
    roots += root(j) * size;
  }
  const double unit = 0.5 * std::numeric_limits<double>::epsilon() * static_cast<double>(support + 8);
  double total = 0.0, moved = 0.0, deepest = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double row = std::fabs(shift[i]) * sum + shifts + root(i) * roots + std::fabs(problem.q[i]);
    const double error = unit * row, above = p[i] - problem.lower[i], filled = vertex[i] - problem.lower[i];
    if (summed()) {
      total += error * (above + filled);
      moved += above;
      if (problem.upper[i] > vertex[i]) deepest = std::max(deepest, mu - g[i] + error);
    } else {
      const bool sure = std::fabs(g[i]) > error;
      const double beyond = problem.upper[i] < 1e300 ? problem.upper[i] - p[i] : above;
      total +=
          sure ? error * std::fabs(p[i] - vertex[i]) : (std::fabs(g[i]) + error) * std::max(above, beyond);
    }
  }
  return total + moved * deepest;
}

void QpState::measure() {
  double gp = 0.0, qp = 0.0, size = 0.0, widest = 0.0, q_scale = 0.0;
  reach = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    gp += g[i] * p[i];
    qp += problem.q[i] * p[i];
    size += std::fabs(p[i]);
    reach += p[i] - problem.lower[i];
    widest = std::max(widest, p[i] - problem.lower[i]);
    q_scale = std::max(q_scale, std::fabs(problem.q[i]));
  }
  objective = 0.5 * (gp - qp);
  const double noise = 8.0 * std::numeric_limits<double>::epsilon() * (kernel_scale * size + q_scale);
  double mu = 0.0;
  if (summed()) {
    mu = fill_vertex();
  } else {
    cap_vertex(widest, noise);
  }
  gap = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (p[i] != vertex[i]) gap += (g[i] - mu) * (p[i] - vertex[i]);
  }
  gap = std::max(gap, 0.0);
  const double rounding =
      noise * (size + (std::isfinite(reach) ? reach : 0.0));  // alone leaves that: reached
  size_of_terms = 0.5 * std::fabs(gp + qp) + std::fabs(qp);
  scale = std::max(size_of_terms, rounding / options.tol);
  trace.add({static_cast<double>(iterations), objective, gap});
  if (gap < best_gap || best.empty()) {
    best = p;
    best_gap = gap;
    best_rounding = gap_rounding(mu);
    best_objective = objective;
    best_scale = scale;
    best_terms = size_of_terms;
  }
}

}  // namespace steelyard::qp
