// Products with K_ij = k(|x_i - x_j|) of many points in one to four dimensions, in linear time.
//
// A tree of cells; between cells that do not touch the kernel is replaced by its interpolant at p^d Chebyshev
// points in either (Fong and Darve, "The black-box fast multipole method", J. Comput. Phys. 228 (2009)), of low
// rank (translations.hpp); near ones meet point by point, each pair once. K~ is symmetric as K is. Memory O(n)
// for all p. Sums are cut by the points and p alone: the same bits for any number of threads.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "core/monitor.hpp"
#include "core/views.hpp"
#include "distances/far_field/interactions.hpp"
#include "distances/far_field/interpolation_error.hpp"
#include "distances/far_field/translations.hpp"
#include "distances/far_field/tree.hpp"

namespace steelyard::distances {

/// How far Z~ v can be from Z v: |(Z~ v - Z v)_i| <= row_i, proven for interpolation, for what was left out
/// and for rounding.
struct FarFieldError {
  double rms = 0.0;       ///< of row_i
  double largest = 0.0;   ///< row_i
  double weighted = 0.0;  ///< sum_i |v_i| row_i
};

class FarField {
 public:
  /// One to four dimensions. Incomplete when stopped.
  FarField(MatrixView<const double> points, Monitor& monitor);

  const PointTree& tree() const { return tree_; }

  /// y_i <- (K~ v)_i with p points a dimension; numbers of v and y lie `stride` apart. In float near pairs and
  /// translations run in single precision, totals are double. False when stopped.
  template <class Real>
  bool product(std::ptrdiff_t p, RadialKernel kernel, const double* v, double* y, std::ptrdiff_t stride,
               Monitor& monitor) const;

  /// What a product in double with exp(-scale r) leaves open.
  FarFieldError error(std::ptrdiff_t p, double scale, const double* v, std::ptrdiff_t stride,
                      Monitor& monitor) const;

  /// The fewest points for which |row|_rms <= aim, or those up to `most` for which it is least.
  std::ptrdiff_t enough(double aim, double scale, const double* v, std::ptrdiff_t stride, std::ptrdiff_t most,
                        Monitor& monitor) const;

 private:
  template <class Real>
  class Pass;
  template <class Real>
  using Made = std::vector<
      std::pair<std::pair<std::ptrdiff_t, RadialKernel>, std::shared_ptr<const Translations<Real>>>>;

  /// Null when stopped.
  const Interactions* interactions(std::ptrdiff_t p, Monitor& monitor) const;
  /// The last few are kept. Null when stopped.
  template <class Real>
  std::shared_ptr<const Translations<Real>> translations(const Interactions& all, std::ptrdiff_t p,
                                                         RadialKernel kernel, Monitor& monitor) const;
  /// The last few are kept.
  std::shared_ptr<const SeriesErrors> series(double scale) const;
  template <class Real>
  Made<Real>& made() const {
    if constexpr (sizeof(Real) == sizeof(float)) {
      return single_;
    } else {
      return full_;
    }
  }
  FarFieldError summed_error(const Interactions& all, const Translations<double>* made, std::ptrdiff_t p,
                             double scale, const double* v, std::ptrdiff_t stride, Monitor& monitor) const;

  PointTree tree_;
  Offsets offsets_;
  mutable std::mutex mutex_;
  mutable std::map<std::ptrdiff_t, std::unique_ptr<const Interactions>> met_;
  mutable Made<float> single_;
  mutable Made<double> full_;
  mutable std::vector<std::pair<double, std::shared_ptr<const SeriesErrors>>> series_;
};

}  // namespace steelyard::distances
