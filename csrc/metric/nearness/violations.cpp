#include "metric/nearness/violations.hpp"

#include <algorithm>

#include "core/index.hpp"
#include "core/pool.hpp"
#include "metric/nearness/directed_triangles.hpp"
#include "simd/table.hpp"

namespace steelyard::metric {
namespace {

using std::ptrdiff_t;

bool worse(const BrokenPair& a, const BrokenPair& b) {
  if (a.excess != b.excess) return a.excess > b.excess;
  return a.i != b.i ? a.i < b.i : a.j < b.j;
}

void keep_worst(std::vector<BrokenPair>& pairs, ptrdiff_t top) {
  const auto count = std::min(top, std::ssize(pairs));
  std::partial_sort(pairs.begin(), pairs.begin() + count, pairs.end(), worse);
  pairs.resize(at(count));
}

std::int32_t third_point(const double* a, const double* b, ptrdiff_t n, double sum) {
  ptrdiff_t k = 0;
  while (k + 1 < n && a[k] + b[k] != sum) ++k;
  return static_cast<std::int32_t>(k);
}

/// `columns`: the rows of the transposed matrix, which of a symmetric one are its own.
Violations of_row(MatrixView<const double> d, MatrixView<const double> columns, ptrdiff_t i, ptrdiff_t first,
                  double tol, ptrdiff_t top) {
  const auto& kernel = *simd::kernels().min_plus_f64;
  Violations row;
  for (ptrdiff_t j = first; j < d.rows; ++j) {
    if (j == i) continue;
    const double side = d.row(i)[j];
    double least = 0.0;
    const auto broken = kernel.count_below(d.row(i), columns.row(j), d.rows, side - tol, &least);
    if (broken == 0) continue;
    row.triangles += broken;
    ++row.pairs;
    row.total += side - least;
    row.worst.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(j), 0, side - least});
    if (std::ssize(row.worst) > 4 * top + 64) keep_worst(row.worst, top);
  }
  keep_worst(row.worst, top);
  return row;
}

}  // namespace

Violations find_violations(MatrixView<const double> distances, bool directed, double tol, ptrdiff_t top,
                           Monitor& monitor) {
  const auto copy = directed ? transposed(distances) : std::vector<double>();
  const MatrixView<const double> turned{copy.data(), distances.rows, distances.rows, distances.rows};
  const auto columns = directed ? turned : distances;
  std::vector<Violations> rows(at(distances.rows));
  const auto total = static_cast<double>(distances.rows);
  parallel_for(distances.rows, 1, monitor, [&](ptrdiff_t i, ptrdiff_t) {
    rows[at(i)] = of_row(distances, columns, i, directed ? 0 : i + 1, tol, top);
    monitor.progress(static_cast<double>(i), total);
  });
  monitor.progress(total, total);
  Violations all;
  for (const auto& row : rows) {
    all.triangles += row.triangles;
    all.pairs += row.pairs;
    all.total += row.total;
    all.worst.insert(all.worst.end(), row.worst.begin(), row.worst.end());
    if (std::ssize(all.worst) > 4 * top + 64) keep_worst(all.worst, top);
  }
  keep_worst(all.worst, top);
  for (auto& pair : all.worst) {
    const double *a = distances.row(pair.i), *b = columns.row(pair.j);
    double least = 0.0;
    simd::kernels().min_plus_f64->count_below(a, b, distances.rows, 0.0, &least);
    pair.k = third_point(a, b, distances.rows, least);
  }
  all.interrupted = monitor.stopped();
  return all;
}

}  // namespace steelyard::metric
