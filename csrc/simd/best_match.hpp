// The centre with the largest x . y - offset, and how close the next one comes; or all centres that reach a
// threshold. Products are not stored.
#pragma once

#include <cstddef>
#include <cstdint>

namespace steelyard::simd {

/// An integer as wide as a lane.
template <class Real>
struct LaneNumber;
template <>
struct LaneNumber<float> {
  using type = std::int32_t;
};
template <>
struct LaneNumber<double> {
  using type = std::int64_t;
};

/// A row of an x panel, and a centre counted over all panels.
struct Reached {
  std::int32_t row, centre;
};

template <class Real>
struct BestMatch {
  std::ptrdiff_t rows;  ///< points of x in a panel, packed as d runs of `rows` numbers
  std::ptrdiff_t cols;  ///< centres in a panel, packed likewise
  /// One x panel against `panels` y panels that lie one after another, `offsets` (panels x cols) beside them.
  /// For each row and lane (rows x cols, row-major) keeps the largest number so far, the second largest, and
  /// the panel of the largest, the panels counted from `first`; the earlier of equals stays.
  void (*update)(const Real* x_panel, const Real* y_panels, const Real* offsets, std::ptrdiff_t panels,
                 std::ptrdiff_t d, std::ptrdiff_t first, Real* best, Real* second,
                 typename LaneNumber<Real>::type* panel);
  /// out <- the pairs with x . y - offset >= thresholds[row], panel by panel and row by row; `out` has room
  /// for panels x rows x cols. Returns how many.
  std::ptrdiff_t (*reaching)(const Real* x_panel, const Real* y_panels, const Real* offsets,
                             const Real* thresholds, std::ptrdiff_t panels, std::ptrdiff_t d,
                             std::ptrdiff_t first, Reached* out);
};

}  // namespace steelyard::simd
