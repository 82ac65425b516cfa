#include "qp/qp_state.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/index.hpp"
#include "core/infinity.hpp"

namespace steelyard::qp {
namespace {

using std::ptrdiff_t;

/// p + t for one t, cut at upper, so that `rest` is shared out among `part`.
void share_out(const QpProblem& problem, double rest, std::vector<std::size_t> part, std::vector<double>& p) {
  const auto room = [&](std::size_t i) { return problem.upper[i] - p[i]; };
  std::stable_sort(part.begin(), part.end(), [&](auto i, auto j) { return room(i) < room(j); });
  for (std::size_t k = 0; k < part.size(); ++k) {
    const auto i = part[k];
    const double share = std::min(room(i), std::max(rest, 0.0) / static_cast<double>(part.size() - k));
    p[i] = share < room(i) ? p[i] + share : problem.upper[i];
    rest -= share;
  }
}

/// The bounds' nearest point to an even share; or to `init`, shrunk towards the lower bounds where its sum is
/// too large.
void first_point(const QpState& s, std::vector<double>& p) {
  const auto& problem = s.problem;
  p.assign(problem.lower.begin(), problem.lower.end());
  for (std::size_t i = 0; i < problem.init.size(); ++i) {
    p[i] = std::clamp(problem.init[i], problem.lower[i], problem.upper[i]);
  }
  for (std::size_t group = 0; group < s.sums(); ++group) {
    std::vector<std::size_t> part;
    double sum = 0.0, least = 0.0;
    s.each(group, [&](ptrdiff_t i) {
      part.push_back(at(i));
      sum += p[at(i)];
      least += problem.lower[at(i)];
    });
    const double total = problem.totals[group];
    if (sum > total && sum > least) {
      const double shrink = std::clamp((total - least) / (sum - least), 0.0, 1.0);
      for (const auto i : part) p[i] = problem.lower[i] + shrink * (p[i] - problem.lower[i]);
    } else {
      share_out(problem, total - sum, std::move(part), p);
    }
  }
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
  if (problem.groups.empty()) return;
  members.resize(sums());
  for (ptrdiff_t i = 0; i < n; ++i) members[group(i)].push_back(i);
}

bool QpState::start() {
  first_point(*this, p);
  diagonal.assign(at(n), 0.0);
  shift.assign(at(n), 0.0);
  g.assign(problem.q.size(), 0.0);
  for (std::size_t i = 0; i < g.size(); ++i) g[i] = -problem.q[i];
  std::vector<double> reference;
  if (rows.multiplies()) {
    rows.fill_diagonal(diagonal);
    reference.assign(rows.row(0), rows.row(0) + n);
    if (!refresh()) return false;
  } else {
    std::vector<ptrdiff_t> all(at(n));
    std::iota(all.begin(), all.end(), ptrdiff_t{0});
    const bool done = rows.for_each(all, monitor, [&](std::size_t j, const double* row) {
      diagonal[j] = row[j];
      if (j == 0) reference.assign(row, row + n);
      double sum = 0.0;
      for (ptrdiff_t i = 0; i < n; ++i) sum += row[i] * p[at(i)];
      g[j] += sum;
    });
    if (!done) return false;
  }
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
  for (std::size_t k = 0; k < sums(); ++k) {
    ptrdiff_t largest = -1;
    double size = 0.0;
    each(k, [&](ptrdiff_t i) {
      const double room = std::min(value(i) - low(i), high(i) - value(i));
      if (room > size) size = room, largest = i;
    });
    for (int round = 0; round < 3 && largest >= 0; ++round) {
      const double rest = missing(k);
      if (rest == 0.0 || std::fabs(rest) >= size) break;
      value(largest) = std::clamp(value(largest) + rest, low(largest), high(largest));
    }
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

double QpState::missing(std::size_t k) const {
  double sum = 0.0;
  each(k, [&](ptrdiff_t i) { sum += p[at(i)]; });
  return problem.totals[k] - sum;
}

std::vector<double> QpState::multipliers(const std::vector<ptrdiff_t>& free,
                                         const std::vector<double>& x) const {
  const std::size_t k = sums(), columns = k + 1;
  if (k == 0) return {};
  std::vector<double> nu(k, 0.0), w(checked_product("working memory", k, k), 0.0);
  for (std::size_t f = 0; f < free.size(); ++f) {
    const double* row = x.data() + f * columns;
    const auto own = group(free[f]);
    nu[own] += row[0];
    for (std::size_t c = 0; c < k; ++c) w[own * k + c] += row[1 + c];
  }
  for (std::size_t r = 0; r < k; ++r) nu[r] = -(missing(r) + nu[r]);
  // Positive definite but for groups without a free coordinate, whose rows are zero: no pivoting.
  for (std::size_t r = 0; r < k; ++r) {
    for (std::size_t c = r + 1; c < k && w[r * k + r] != 0.0; ++c) {
      const double factor = w[c * k + r] / w[r * k + r];
      for (std::size_t j = r; j < k; ++j) w[c * k + j] -= factor * w[r * k + j];
      nu[c] -= factor * nu[r];
    }
  }
  for (std::size_t r = k; r-- > 0;) {
    for (std::size_t c = r + 1; c < k; ++c) nu[r] -= w[r * k + c] * nu[c];
    nu[r] = w[r * k + r] != 0.0 ? nu[r] / w[r * k + r] : 0.0;
  }
  return nu;
}

void QpState::fill_vertex(std::size_t k) {
  std::vector<std::size_t> order;
  double rest = problem.totals[k];
  each(k, [&](ptrdiff_t i) {
    order.push_back(at(i));
    rest -= problem.lower[at(i)];
  });
  const auto steeper = [&](auto i, auto j) { return g[i] < g[j] || (g[i] == g[j] && i < j); };
  std::make_heap(order.begin(), order.end(), [&](auto i, auto j) { return steeper(j, i); });
  if (!order.empty()) mu[k] = g[order.front()];
  for (auto end = order.end(); end != order.begin() && rest > 0.0; --end) {
    std::pop_heap(order.begin(), end, [&](auto i, auto j) { return steeper(j, i); });
    const auto i = *(end - 1);
    const double room = problem.upper[i] - problem.lower[i], part = std::min(rest, room);
    vertex[i] = part < room ? vertex[i] + part : problem.upper[i];
    mu[k] = g[i];
    rest -= part;
  }
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

double QpState::gap_rounding() const {
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
  const double unit =
      0.5 * std::numeric_limits<double>::epsilon() * (static_cast<double>(support + 8) + rows.rounding());
  double total = 0.0;
  std::vector<double> moved(std::max<std::size_t>(1, sums()), 0.0), deepest(moved.size(), 0.0);
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double row = std::fabs(shift[i]) * sum + shifts + root(i) * roots + std::fabs(problem.q[i]);
    const double error = unit * row, above = p[i] - problem.lower[i], filled = vertex[i] - problem.lower[i];
    if (summed()) {
      total += error * (above + filled);
      const auto own = group(static_cast<ptrdiff_t>(i));
      moved[own] += above;
      if (problem.upper[i] > vertex[i]) deepest[own] = std::max(deepest[own], mu[own] - g[i] + error);
    } else {
      const bool sure = std::fabs(g[i]) > error;
      const double beyond = problem.upper[i] < 1e300 ? problem.upper[i] - p[i] : above;
      total +=
          sure ? error * std::fabs(p[i] - vertex[i]) : (std::fabs(g[i]) + error) * std::max(above, beyond);
    }
  }
  for (std::size_t k = 0; k < moved.size(); ++k) total += moved[k] * deepest[k];
  return total;
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
  mu.assign(std::max<std::size_t>(1, sums()), 0.0);
  if (summed()) {
    vertex.assign(problem.lower.begin(), problem.lower.end());
    for (std::size_t k = 0; k < sums(); ++k) fill_vertex(k);
  } else {
    cap_vertex(widest, noise);
  }
  gap = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (p[i] != vertex[i]) gap += (g[i] - mu[group(static_cast<ptrdiff_t>(i))]) * (p[i] - vertex[i]);
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
    best_rounding = gap_rounding();
    best_objective = objective;
    best_scale = scale;
    best_terms = size_of_terms;
  }
}

}  // namespace steelyard::qp
