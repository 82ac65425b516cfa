// Costs c_ij of letting point i stand for point j, a few candidates i against all points at a time.
//
// Powers of distances between points, or a matrix that lies in memory. Nothing of n x n is made: distances come
// tile by tile (simd/tile.hpp), in the direct form, so that the computed square is off by (d + 2) u of itself
// at most, u the rounding unit of Real.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/monitor.hpp"
#include "core/views.hpp"

namespace steelyard::distances {

template <class Real>
class Costs {
 public:
  /// c_ij = |x_i - x_j|^power. Keeps a packed copy of the points.
  static Costs of_points(MatrixView<const Real> points, double power, Monitor& monitor);
  /// c_ij as given.
  static Costs of_matrix(MatrixView<const Real> matrix);

  std::ptrdiff_t size() const { return given_.rows; }

  /// out (candidates x n) <- costs; false when stopped.
  bool rows(std::span<const std::int64_t> candidates, Real* out, Monitor& monitor) const;

  /// out[r] <- sum_j w_j max(0, b_j - c(candidates[r], j)); `weights` may be empty. Off by at most 40 u +
  /// 2 n 2^-53 of itself. The same for any number of threads; false when stopped.
  bool gains(std::span<const std::int64_t> candidates, std::span<const double> weights,
             std::span<const Real> b, double* out, Monitor& monitor) const;

 private:
  explicit Costs(MatrixView<const Real> given, double power, bool matrix)
      : given_(given), power_(power), matrix_(matrix) {}
  void tile(const Real* x_panel, std::ptrdiff_t panel, Real* out) const;
  void pack_candidates(std::span<const std::int64_t> candidates, std::vector<Real>& panels) const;

  MatrixView<const Real> given_;
  double power_;
  bool matrix_;
  std::vector<Real> packed_;
};

}  // namespace steelyard::distances
