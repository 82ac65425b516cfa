#include "metric/clustering/cycle_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

namespace steelyard::metric {
namespace {

using std::int32_t;
using std::ptrdiff_t;
using std::size_t;

constexpr double eps = std::numeric_limits<double>::epsilon();
constexpr double least_normal = 1e-290;  // products of smaller multipliers lose digits

[[noreturn]] void refuse() {
  throw std::logic_error("a row is neither a cycle with one disagreeing pair nor a star");
}

/// Is it a disagreeing pair and a walk of agreeing pairs from its left to its right end?
void check_walk(const SignedPairs& pairs, std::span<const int32_t> row) {
  if (row.size() < 3 || row[0] < pairs.agreeing || row[0] >= pairs.count()) refuse();
  auto here = pairs.left[at(row[0])];
  for (const auto e : row.subspan(1)) {
    if (e < 0 || e >= pairs.agreeing) refuse();
    if (pairs.left[at(e)] != here && pairs.right[at(e)] != here) refuse();
    here = pairs.other(e, here);
  }
  if (here != pairs.right[at(row[0])]) refuse();
}

/// The node that two pairs share.
int32_t common(const SignedPairs& pairs, int32_t e, int32_t f) {
  const auto a = pairs.left[at(e)], b = pairs.right[at(e)];
  if (a == pairs.left[at(f)] || a == pairs.right[at(f)]) return a;
  if (b != pairs.left[at(f)] && b != pairs.right[at(f)]) refuse();
  return b;
}

/// Are these agreeing pairs of one centre, and then disagreeing pairs of all their other ends?
void check_star(const SignedPairs& pairs, std::span<const int32_t> row, int32_t right_side) {
  const auto leaves = at(right_side) + 1;
  if (leaves < 3 || row.size() != leaves * (leaves + 1) / 2) refuse();
  const auto centre = common(pairs, row[0], row[1]);
  size_t rim = leaves;
  for (size_t i = 0; i < leaves; ++i) {
    if (row[i] < 0 || row[i] >= pairs.agreeing) refuse();
    if (pairs.left[at(row[i])] != centre && pairs.right[at(row[i])] != centre) refuse();
    const auto a = pairs.other(row[i], centre);
    for (size_t j = i + 1; j < leaves; ++j, ++rim) {
      const auto e = row[rim], b = pairs.other(row[j], centre);
      if (a == b || e < pairs.agreeing || e >= pairs.count()) refuse();
      if (std::minmax(a, b) != std::minmax(pairs.left[at(e)], pairs.right[at(e)])) refuse();
    }
  }
}

/// What the multipliers may be scaled by, at most 1.
double feasible_scale(const SignedPairs& pairs, const CycleRows& rows) {
  std::vector<double> load(at(pairs.count()), 0.0);
  std::vector<int32_t> terms(at(pairs.count()), 0);
  for (ptrdiff_t k = 0; k < rows.count(); ++k) {
    if (!(rows.multipliers[at(k)] >= 0.0)) refuse();
    const auto row = rows.row(k);
    if (rows.right_sides[at(k)] == 1)
      check_walk(pairs, row);
    else
      check_star(pairs, row, rows.right_sides[at(k)]);
    for (const auto e : row) load[at(e)] += rows.multipliers[at(k)], ++terms[at(e)];
  }
  double scale = 1.0;
  for (int32_t e = 0; e < pairs.count(); ++e) {
    const double above = load[at(e)] * (1.0 + (terms[at(e)] + 2.0) * eps);
    if (above > pairs.capacity(e)) scale = std::min(scale, pairs.capacity(e) / above);
  }
  return scale * (1.0 - 4.0 * eps);
}

double rounded_sum(const CycleRows& rows, double scale) {
  double sum = 0.0;
  for (size_t k = 0; k < rows.multipliers.size(); ++k) {
    const double y = rows.multipliers[k];
    sum += y < least_normal ? 0.0 : y * scale * rows.right_sides[k];
  }
  return sum * (1.0 - (static_cast<double>(rows.count()) + 6.0) * eps);
}

}  // namespace

void CycleRows::close(double multiplier, int32_t right_side) {
  starts.push_back(std::ssize(pairs));
  multipliers.push_back(multiplier);
  right_sides.push_back(right_side);
}

void CycleRows::add(int32_t disagreeing, std::span<const int32_t> path, double multiplier) {
  pairs.push_back(disagreeing);
  pairs.insert(pairs.end(), path.begin(), path.end());
  close(multiplier, 1);
}

void CycleRows::add_star(std::span<const int32_t> star, int32_t right_side) {
  pairs.insert(pairs.end(), star.begin(), star.end());
  close(0.0, right_side);
}

double CycleRows::value() const {
  double sum = 0.0;
  for (size_t k = 0; k < multipliers.size(); ++k) sum += multipliers[k] * right_sides[k];
  return sum;
}

void CycleRows::truncate(ptrdiff_t rows) {
  multipliers.resize(at(rows));
  right_sides.resize(at(rows));
  starts.resize(at(rows) + 1);
  pairs.resize(at(starts.back()));
}

void CycleRows::forget(double least) {
  std::int64_t to = 0;
  size_t kept = 0;
  for (ptrdiff_t k = 0; k < count(); ++k) {
    if (multipliers[at(k)] <= least) continue;
    const auto begin = starts[at(k)], end = starts[at(k) + 1];
    std::copy(pairs.begin() + begin, pairs.begin() + end, pairs.begin() + to);
    to += end - begin;
    right_sides[kept] = right_sides[at(k)];
    multipliers[kept++] = multipliers[at(k)];
    starts[kept] = to;
  }
  multipliers.resize(kept);
  right_sides.resize(kept);
  starts.resize(kept + 1);
  pairs.resize(at(to));
}

std::vector<double> residuals(const SignedPairs& pairs, const CycleRows& rows) {
  std::vector<double> left(at(pairs.count()));
  for (int32_t e = 0; e < pairs.count(); ++e) left[at(e)] = pairs.capacity(e);
  for (ptrdiff_t k = 0; k < rows.count(); ++k) {
    for (const auto e : rows.row(k)) left[at(e)] -= rows.multipliers[at(k)];
  }
  return left;
}

void fit_in(const SignedPairs& pairs, CycleRows& rows) {
  const auto left = residuals(pairs, rows);
  for (ptrdiff_t k = 0; k < rows.count(); ++k) {
    double share = 1.0;
    for (const auto e : rows.row(k)) {
      const double c = pairs.capacity(e);
      if (left[at(e)] < 0.0) share = std::min(share, c / (c - left[at(e)]));
    }
    rows.multipliers[at(k)] *= share;
  }
}

double certify(const SignedPairs& pairs, CycleRows& rows) {
  const double scale = feasible_scale(pairs, rows);
  for (double& y : rows.multipliers) y = y < least_normal ? 0.0 : y * scale;
  return rounded_sum(rows, 1.0);
}

double certified_bound(const SignedPairs& pairs, const CycleRows& rows) {
  return rounded_sum(rows, feasible_scale(pairs, rows));
}

Walks walks(const SignedPairs& pairs, const CycleRows& rows) {
  Walks out;
  out.nodes.reserve(rows.pairs.size());
  for (ptrdiff_t k = 0; k < rows.count(); ++k) {
    const auto row = rows.row(k);
    if (const auto side = rows.right_sides[at(k)]; side == 1) {
      auto here = pairs.left[at(row[0])];
      out.nodes.push_back(here);
      for (const auto e : row.subspan(1)) out.nodes.push_back(here = pairs.other(e, here));
    } else {
      const auto centre = common(pairs, row[0], row[1]);
      out.nodes.push_back(centre);
      for (const auto e : row.first(at(side) + 1)) out.nodes.push_back(pairs.other(e, centre));
    }
    out.starts.push_back(std::ssize(out.nodes));
  }
  return out;
}

}  // namespace steelyard::metric
