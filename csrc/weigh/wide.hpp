// The weighting where float64 does not determine it: distances, similarities and a factor in 106 bits.
//
// Kernels that are smooth at 0 (cosine) and spaces with points close to one another have a Z whose smallest
// eigenvalues lie below the rounding of float64, so that no residual and no w'Zw in float64 means anything.
// Here Z = L L' by Cholesky with the largest pivot first, columns made when they are asked for. It ends where
// the pivots left are rounding: then the weighting of the r points that were taken is that of a subset, and
// its sum a lower bound. The bound is that of weights in 106 bits; the residual is that of the weights as they
// are handed over, in double.
//
// Time: n r (d + r / 2) operations of some 30 flops. Memory: 16 n r bytes. Same bits for any number of
// threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/double_double.hpp"
#include "core/monitor.hpp"
#include "core/views.hpp"
#include "simd/tile.hpp"

namespace steelyard::weigh {

/// Rows of points as sums of two doubles, or (`given`) distances.
struct WideSpace {
  MatrixView<const double> high, low;  ///< `low` may be empty
  std::span<const double> pole;  ///< of cosine and angular: what was taken from the unit vectors; or empty
  simd::Metric metric = simd::Metric::euclidean;
  double power = 2.0;
  bool given = false;

  std::ptrdiff_t size() const { return high.rows; }
  Wide distance(std::ptrdiff_t i, std::ptrdiff_t j) const;
};

struct WideWeighting {
  std::vector<double> weights;  ///< 0 for points that were not taken
  std::ptrdiff_t rank = 0;
  double residual = 0.0;        ///< |1 - Zw|_2 / |1|_2 of the weights as given, over all points
  double magnitude = 0.0;       ///< 2 * 1'w - w'Zw of the weights in 106 bits
  double lower_bound = 0.0;     ///< that less what rounding can have added
  double error_estimate = 0.0;  ///< of |X| - lower_bound; where all points were taken
  double weight_error = 0.0;    ///< |w - Z^{-1} 1|_2, likewise
  double smallest_pivot = 0.0;  ///< of Z: an upper bound of its smallest eigenvalue
  bool indefinite = false;      ///< a pivot is negative beyond rounding
  bool stopped = false;
};

/// At most `most` points are taken.
WideWeighting solve_wide(const WideSpace& space, double scale, std::ptrdiff_t most, Monitor& monitor);

/// Rows divided by their lengths, less `pole` (cols numbers): high + low. Rows are finite and not zero, their
/// largest entries near 1.
void unit_rows(MatrixView<const double> rows, std::span<const double> pole, MatrixView<double> high,
               MatrixView<double> low, Monitor& monitor);

}  // namespace steelyard::weigh
