// Distances between packed panels of points, and products with exp(-scale * distance) that never store it.
//
// Every metric here is finish(sum_k step(x_k - y_k)): one loop over the coordinates in registers, then one
// map. Differences are taken before anything else: no cancellation, zero for equal points.
//
// `expanded` takes squared distances as 2 (h_i + h_j - x_i . y_j) with h = |x|^2 / 2 instead: one operation a
// coordinate, not two. With H = h_i + h_j and u the rounding unit, |x . y| <= H keeps partial sums within
// 2 H, so that rounding moves a squared distance by 4 (d + 2) u H at most (to first order). A tile with one
// below 2 H / near_share is made anew from differences. So the relative error of a distance is at most
// near_share (d + 2) u, 2 near_share times that of differences (in practice both are a few u), and
// exp(-scale distance) is off by 1 / e of that at most.
#pragma once

#include <cstddef>

namespace steelyard::simd {

enum class Metric : int { euclidean, cityblock, chebyshev, minkowski, cosine, angular, hamming, jaccard };
inline constexpr int metric_count = 8;
inline constexpr int near_share = 8;

/// Of the Euclidean distance r, s = rate r: -r, e^-s, e^(-s^2), (1 + s) e^-s, (1 + s + s^2 / 3) e^-s.
enum class Kernel : int { energy, laplacian, gaussian, matern32, matern52 };
inline constexpr int kernel_count = 5;

/// One x panel against `panels` y panels that lie one after another; z_ij = exp(-scale distance_ij), for each
/// of `columns` pairs of vectors with its own scale.
template <class Real>
struct PanelProduct {
  const Real* x_panel;  ///< `expanded`: expanded_panels of them, and as many times the rows below
  const Real* y_panels;
  std::ptrdiff_t panels;
  std::ptrdiff_t d;  ///< coordinates
  Real power;        ///< of the Minkowski metric
  std::ptrdiff_t columns;
  const Real* scales;
  const Real* x_values;  ///< columns x rows; zero for padding
  const Real* y_values;  ///< columns x stride
  Real* y_sums;          ///< columns x stride: y_sums[j] += sum_i z_ij x_values[i]; null: not wanted
  std::ptrdiff_t stride;
  Real* x_lanes;                   ///< columns x rows x cols: lane j mod cols of row i += z_ij y_values[j]
  const Real* x_halves = nullptr;  ///< half the squared lengths of x and of y: `expanded` alone
  const Real* y_halves = nullptr;
};

template <class Real>
struct Tile {
  std::ptrdiff_t rows;  ///< points of x in a panel; a panel is packed as d runs of `rows` numbers
  std::ptrdiff_t cols;  ///< points of y in a panel, packed likewise
  /// out (rows x cols, row-major) <- squared distances of the two panels.
  void (*squared_distances)(const Real* x_panel, const Real* y_panel, std::ptrdiff_t d, Real* out);
  /// The same for each Metric. Cosine and angular want rows of unit length, or such
  /// rows less one vector where none differ by more than the root of 3; Jaccard wants 0/1 coordinates
  /// and, as run d of a panel, their sums.
  void (*distances[metric_count])(const Real* x_panel, const Real* y_panel, std::ptrdiff_t d, Real power,
                                  Real* out);
  void (*products[metric_count])(const PanelProduct<Real>& task);
  /// out (rows x cols) <- values of each Kernel.
  void (*kernel_values[kernel_count])(const Real* x_panel, const Real* y_panel, std::ptrdiff_t d, Real rate,
                                      Real* out);
  /// The same times vectors; `power` is the rate, `scales` are not read.
  void (*kernel_products[kernel_count])(const PanelProduct<Real>& task);
  /// The same times vectors, many x panels against one y panel, whose points are the lanes:
  /// y_sums[c x cols + j] += sum_i z_ij x_values[c x stride + i]; `power` is the rate.
  void (*kernel_sums[kernel_count])(const PanelProduct<Real>& task);
  std::ptrdiff_t expanded_panels;
  std::ptrdiff_t expanded_from;  ///< dimensions from which on it is faster, near pairs or not
  void (*expanded[metric_count])(const PanelProduct<Real>& task);  ///< null where it does not pay
};

}  // namespace steelyard::simd
