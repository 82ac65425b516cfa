#include "metric/nearness/directed_triangles.hpp"

#include <algorithm>

#include "core/index.hpp"
#include "core/pool.hpp"
#include "simd/table.hpp"

namespace steelyard::metric {

using std::ptrdiff_t;

std::vector<double> transposed(MatrixView<const double> x) {
  std::vector<double> out(checked_product("working memory", x.rows, x.cols));
  for (ptrdiff_t i = 0; i < x.rows; ++i)
    for (ptrdiff_t j = 0; j < x.cols; ++j) out[at(j * x.rows + i)] = x.row(i)[j];
  return out;
}

DirectedTriangles find_directed_triangles(MatrixView<const double> x, double slack, int groups,
                                          Monitor& monitor) {
  const auto& kernel = *simd::kernels().min_plus_f64;
  const auto columns = transposed(x);
  const ptrdiff_t n = x.rows;
  std::vector<DirectedTriangles> rows(at(n));
  parallel_for(n, 4, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    for (auto i = begin; i < end; ++i) {
      auto& found = rows[at(i)];
      for (ptrdiff_t j = 0; j < n; ++j) {
        const double side = x.row(i)[j];
        for (ptrdiff_t g = 0; j != i && g < groups; ++g) {
          const ptrdiff_t first = n * g / groups, count = n * (g + 1) / groups - first;
          const double *a = x.row(i) + first, *b = columns.data() + j * n + first;
          double least = 0.0;
          if (kernel.count_below(a, b, count, side - slack, &least) == 0) continue;
          ptrdiff_t k = 0;
          while (k + 1 < count && a[k] + b[k] != least) ++k;
          for (const auto corner : {i, j, first + k})
            found.corners.push_back(static_cast<std::int32_t>(corner));
          found.worst = std::max(found.worst, side - least);
        }
      }
    }
  });
  DirectedTriangles all;
  for (const auto& row : rows) {
    all.corners.insert(all.corners.end(), row.corners.begin(), row.corners.end());
    all.worst = std::max(all.worst, row.worst);
  }
  return all;
}

std::vector<double> close_directed(MatrixView<const double> x, Monitor& monitor) {
  const ptrdiff_t n = x.rows;
  std::vector<double> out(checked_product("working memory", n, n)), pivot(at(n));
  for (ptrdiff_t i = 0; i < n; ++i)
    for (ptrdiff_t j = 0; j < n; ++j) out[at(i * n + j)] = i == j ? 0.0 : std::max(x.row(i)[j], 0.0);
  for (ptrdiff_t k = 0; k < n && !monitor.poll(); ++k) {
    std::copy_n(out.data() + k * n, n, pivot.data());
    parallel_for(n, 64, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto i = begin; i < end; ++i) {
        double* row = out.data() + i * n;
        const double leg = row[k];
        for (ptrdiff_t j = 0; j < n; ++j) row[j] = std::min(row[j], leg + pivot[at(j)]);
      }
    });
  }
  return out;
}

}  // namespace steelyard::metric
