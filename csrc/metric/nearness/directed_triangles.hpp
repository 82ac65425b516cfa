// Triangles of directed distances: x_ij <= x_ik + x_kj for different i, j, k, where x_ij and x_ji may differ.
//
// Search and closure read x by rows and, for the second leg, its transposed copy: 2 n^3 additions each, 8 n^2
// bytes. Same bits for any number of threads.
#pragma once

#include <cstdint>
#include <vector>

#include "core/monitor.hpp"
#include "core/views.hpp"

namespace steelyard::metric {

/// The transposed copy of a square matrix, row after row.
std::vector<double> transposed(MatrixView<const double> x);

struct DirectedTriangles {
  std::vector<std::int32_t> corners;  ///< i, j, k of each, by i and j
  double worst = 0.0;                 ///< largest x_ij - x_ik - x_kj found
};

/// For each i, j and each of `groups` ranges of k the triangle with the largest excess, where this is above
/// `slack`. x has a zero diagonal.
DirectedTriangles find_directed_triangles(MatrixView<const double> x, double slack, int groups,
                                          Monitor& monitor);

/// Lengths of shortest paths for legs max(x, 0), n x n: the largest directed pseudometric below (Floyd, Warshall).
std::vector<double> close_directed(MatrixView<const double> x, Monitor& monitor);

}  // namespace steelyard::metric
