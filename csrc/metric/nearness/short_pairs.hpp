// Oracle and closure for metrics with an upper bound: a triangle can only be violated if both its legs are
// shorter than the bound, so that sparse rows of such pairs are all that has to be looked at.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/monitor.hpp"

namespace steelyard::metric {

/// x_ij <= x_ik + x_jk, i < j, as (i n + j) n + k; `violation` when it was found.
struct FoundTriangle {
  std::uint64_t key = 0;
  double violation = 0.0;
};

/// Pairs shorter than the bound, both directions, rows sorted.
class ShortPairs {
 public:
  ShortPairs(std::ptrdiff_t n, std::span<const double> x, double bound);

  /// The most violated triangle of each pair that is violated by more than `tol`, sorted by key.
  std::vector<FoundTriangle> violated(std::span<const double> x, double tol, Monitor& monitor) const;

  /// x_ij <- min(x_ij, x_ik + x_kj), all from the values that the rows were made of. Returns the largest
  /// fall.
  double relax(std::span<double> x, Monitor& monitor) const;

  /// Pairs of legs that share a point: what each of the two costs.
  double work() const;

 private:
  std::ptrdiff_t n_;
  std::vector<std::int64_t> offsets_;
  std::vector<std::int32_t> indices_;
  std::vector<double> values_;
};

/// Makes a metric of x in place: shortest paths, then, for what `rounds` of them left, the remaining
/// violation is added to every pair. 0 <= x <= bound on entry and on return. False if it was stopped, or
/// given up since paths shorten so many pairs that it would cost over thirty times a search for violated
/// triangles.
bool close_bounded(std::ptrdiff_t n, std::span<double> x, double bound, int rounds, Monitor& monitor);

}  // namespace steelyard::metric
