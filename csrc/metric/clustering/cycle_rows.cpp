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

[[noreturn]] void refuse() { throw std::logic_error("a row is no cycle with one disagreeing pair"); }

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

/// What the multipliers may be scaled by, at most 1.
double feasible_scale(const SignedPairs& pairs, const CycleRows& rows) {
  std::vector<double> load(at(pairs.count()), 0.0);
  std::vector<int32_t> terms(at(pairs.count()), 0);
  for (ptrdiff_t k = 0; k < rows.count(); ++k) {
    if (!(rows.multipliers[at(k)] >= 0.0)) refuse();
    const auto row = rows.row(k);
    check_walk(pairs, row);
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
  for (const double y : rows.multipliers) sum += y < least_normal ? 0.0 : y * scale;
  return sum * (1.0 - (static_cast<double>(rows.count()) + 4.0) * eps);
}

}  // namespace

void CycleRows::add(int32_t disagreeing, std::span<const int32_t> path, double multiplier) {
  pairs.push_back(disagreeing);
  pairs.insert(pairs.end(), path.begin(), path.end());
  starts.push_back(std::ssize(pairs));
  multipliers.push_back(multiplier);
}

void CycleRows::truncate(ptrdiff_t rows) {
  multipliers.resize(at(rows));
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
    multipliers[kept++] = multipliers[at(k)];
    starts[kept] = to;
  }
  multipliers.resize(kept);
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

double certify(const SignedPairs& pairs, CycleRows& rows) {
  const double scale = feasible_scale(pairs, rows);
  for (double& y : rows.multipliers) y = y < least_normal ? 0.0 : y * scale;
  return rounded_sum(rows, 1.0);
}

double certified_bound(const SignedPairs& pairs, const CycleRows& rows) {
  return rounded_sum(rows, feasible_scale(pairs, rows));
}

std::vector<int32_t> walks(const SignedPairs& pairs, const CycleRows& rows) {
  std::vector<int32_t> nodes;
  nodes.reserve(rows.pairs.size());
  for (ptrdiff_t k = 0; k < rows.count(); ++k) {
    const auto row = rows.row(k);
    auto here = pairs.left[at(row[0])];
    nodes.push_back(here);
    for (const auto e : row.subspan(1)) nodes.push_back(here = pairs.other(e, here));
  }
  return nodes;
}

}  // namespace steelyard::metric
