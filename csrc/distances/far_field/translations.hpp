// From the moments of one cell's points to a series in another: a radial kernel between two cells, of low rank.
//
// K(x, y) is interpolated at p Chebyshev points a dimension in either cell, as a double series of Chebyshev
// polynomials, sum_jk c_jk T_j(x) T_k(y). Coefficients that are next to nothing are left out, and what is left is
// factored: with s_k = (-1)^(k1 + ... + kd), c_jk s_k is a symmetric matrix, which diagonal pivoting (Bunch and
// Parlett, SIAM J. Numer. Anal. 8 (1971)) reduces to a few columns. So Z~ stays symmetric, and reflections of a
// cell are signs. One matrix a level and shape of offset, rank 10 of 49 in two dimensions, 20 of 216 in three.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/monitor.hpp"
#include "distances/far_field/interactions.hpp"
#include "distances/far_field/tree.hpp"
#include "simd/tile.hpp"

namespace steelyard::distances {

/// A simd::Kernel of rate times the distance.
struct RadialKernel {
  simd::Kernel kind = simd::Kernel::laplacian;
  double rate = 1.0;

  /// x <- values at these squared distances.
  void values(double* x, std::ptrdiff_t n) const;
  /// Whether it is below exp(-cut) from this distance on.
  bool vanishes(double distance, double cut) const;
  bool operator==(const RadialKernel&) const = default;
};

std::ptrdiff_t integer_power(std::ptrdiff_t base, std::ptrdiff_t exponent);

/// A p x p matrix and its transpose.
template <class Real>
struct Both {
  const Real *matrix, *transpose;
};

/// values (p^axes) <- the p x p matrix of each axis applied along it.
template <class Real, class MatrixOf>
void along_axes(std::vector<Real>& values, std::vector<Real>& work, std::ptrdiff_t axes, std::ptrdiff_t p,
                const MatrixOf& matrix_of) {
  const auto size = static_cast<std::ptrdiff_t>(values.size());
  std::ptrdiff_t stride = size / p;
  for (std::ptrdiff_t k = 0; k < axes; ++k, stride /= p) {
    const Both<Real> both = matrix_of(k);
    std::fill(work.begin(), work.end(), Real{0});
    for (std::ptrdiff_t outer = 0; outer < size; outer += stride * p) {
      const Real* from = values.data() + outer;
      Real* to = work.data() + outer;
      if (stride == 1) {  // the long loop inside
        for (std::ptrdiff_t c = 0; c < p; ++c)
          for (std::ptrdiff_t r = 0; r < p; ++r) to[r] += both.transpose[c * p + r] * from[c];
        continue;
      }
      for (std::ptrdiff_t r = 0; r < p; ++r) {
        for (std::ptrdiff_t c = 0; c < p; ++c) {
          const Real factor = both.matrix[r * p + c];
          for (std::ptrdiff_t i = 0; i < stride; ++i) to[r * stride + i] += factor * from[c * stride + i];
        }
      }
    }
    values.swap(work);
  }
}

/// Chebyshev series of degree below p on [-1, 1], and on its halves.
template <class Real>
struct ChebyshevBasis {
  explicit ChebyshevBasis(std::ptrdiff_t p);

  std::vector<double> x;              ///< the nodes
  std::vector<Real> to_coefficients;  ///< p x p: from values at the nodes
  std::vector<Real> to_weights;       ///< its transpose: from moments to weights of the nodes
  std::array<std::vector<Real>, 2> to_parent, to_child;  ///< moments up, series down; lower and upper half
  double most_moved;                                     ///< largest sum of moduli in a row of to_parent
};

template <class Real>
struct ShapeTranslation {
  std::vector<std::int32_t> kept;  ///< coefficients, as the shape counts them
  std::ptrdiff_t width = 0;        ///< the rank, or the number of `kept`: up to the next multiple of 8
  std::vector<Real> in;            ///< kept x width: of the source
  std::vector<Real> out;           ///< width x kept: to the target; none: `in` is all
  double left_out = 0.0;           ///< how far a value of the series can be off for what was left out
  double weight = 0.0;             ///< sum of moduli that rounding acts on
};

template <class Real>
class Translations {
 public:
  /// For the levels and shapes that `all` has and that do not vanish. Incomplete when stopped.
  Translations(const PointTree& tree, const Offsets& offsets, const Interactions& all, std::ptrdiff_t p,
               RadialKernel kernel, double cut, Monitor& monitor);

  /// Null: nothing to be done.
  const ShapeTranslation<Real>* of(std::ptrdiff_t level, std::ptrdiff_t shape) const {
    const auto& found = all_[at(level * shapes_ + shape)];
    return found.kept.empty() ? nullptr : &found;
  }

 private:
  std::ptrdiff_t shapes_;
  std::vector<ShapeTranslation<Real>> all_;
};

}  // namespace steelyard::distances
