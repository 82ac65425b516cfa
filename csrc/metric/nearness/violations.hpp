// Which triangle inequalities does a dissimilarity break, and by how much?
//
// (i, j; k), i < j, is broken if d_ik + d_jk < d_ij - tol, all in float64. n^3 / 2 additions by rows of the
// square matrix, no memory beyond one row's worst pairs.
#pragma once

#include <cstdint>
#include <vector>

#include "core/monitor.hpp"
#include "core/views.hpp"

namespace steelyard::metric {

struct BrokenPair {
  std::int32_t i, j, k;  ///< k: where d_ik + d_jk is least
  double excess;         ///< d_ij - d_ik - d_jk
};

struct Violations {
  std::int64_t triangles = 0;     ///< broken inequalities
  std::int64_t pairs = 0;         ///< pairs i < j with at least one
  double total = 0.0;             ///< sum of the largest excess of each such pair
  std::vector<BrokenPair> worst;  ///< by falling excess, then i and j
  bool interrupted = false;
};

/// `distances` square with a zero diagonal, and symmetric unless `directed`: then (i, j) and (j, i) are two pairs,
/// broken if d_ik + d_kj < d_ij - tol; 8 n^2 bytes more. Same result for any number of threads.
Violations find_violations(MatrixView<const double> distances, bool directed, double tol, std::ptrdiff_t top,
                           Monitor& monitor);

}  // namespace steelyard::metric
