#include "distances/pairwise.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "core/index.hpp"
#include "distances/tiles.hpp"

namespace steelyard::distances {
namespace {

using std::ptrdiff_t;

template <class Real>
struct CopySink {
  MatrixView<Real> out;
  ptrdiff_t first;

  void tile(ptrdiff_t row, ptrdiff_t rows, ptrdiff_t col, ptrdiff_t cols, const Real* numbers) const {
    for (ptrdiff_t i = 0; i < rows; ++i) {
      std::copy_n(numbers + i * tile_of<Real>().cols, cols, out.row(first + row + i) + col);
    }
  }
  void finish() const {}
};

/// Sums in double, one a lane, of what `transform` makes of a tile; lanes are added in order at the end.
template <class Real, class Transform>
class SumSink {
 public:
  SumSink(std::span<double> sums, const Transform& transform)
      : sums_(sums), transform_(transform), lanes_(sums.size() * at(width_), 0.0) {}

  void tile(ptrdiff_t row, ptrdiff_t rows, ptrdiff_t, ptrdiff_t cols, Real* numbers) {
    transform_(numbers, rows * width_);
    for (ptrdiff_t i = 0; i < rows; ++i) {
      double* sum = lanes_.data() + (row + i) * width_;
      const Real* from = numbers + i * width_;
      for (ptrdiff_t j = 0; j < cols; ++j) sum[j] += static_cast<double>(from[j]);
    }
  }

  void finish() {
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      double total = 0.0;
      for (ptrdiff_t j = 0; j < width_; ++j) total += lanes_[i * at(width_) + at(j)];
      sums_[i] = total;
    }
  }

 private:
  ptrdiff_t width_ = tile_of<Real>().cols;
  std::span<double> sums_;
  const Transform& transform_;
  std::vector<double> lanes_;
};

template <class Real, class Transform>
bool transformed_sums(MatrixView<const Real> x, MatrixView<const Real> y, std::span<double> sums,
                      Monitor& monitor, const Transform& transform) {
  return for_each_tile<Real>(x, y, monitor, [&](ptrdiff_t first, ptrdiff_t rows) {
    return SumSink<Real, Transform>(sums.subspan(at(first), at(rows)), transform);
  });
}

void decay(double* x, ptrdiff_t n, double t) { simd::kernels().vector_math->exp_minus_root(x, n, t); }
void decay(float* x, ptrdiff_t n, double t) {
  simd::kernels().vector_math->exp_minus_root_f32(x, n, static_cast<float>(t));
}

}  // namespace

template <class Real>
bool squared_distances(MatrixView<const Real> x, MatrixView<const Real> y, MatrixView<Real> out,
                       Monitor& monitor) {
  return for_each_tile<Real>(x, y, monitor,
                             [&](ptrdiff_t first, ptrdiff_t) { return CopySink<Real>{out, first}; });
}

template <class Real>
bool exp_distance_sums(MatrixView<const Real> x, MatrixView<const Real> y, double t, std::span<double> sums,
                       Monitor& monitor) {
  return transformed_sums<Real>(x, y, sums, monitor,
                                [t](Real* numbers, ptrdiff_t n) { decay(numbers, n, t); });
}

template <class Real>
bool squared_distance_sums(MatrixView<const Real> x, MatrixView<const Real> y, std::span<double> sums,
                           Monitor& monitor) {
  return transformed_sums<Real>(x, y, sums, monitor, [](Real*, ptrdiff_t) {});
}

#define STEELYARD_PAIRWISE(Real)                                                                             \
  template bool squared_distances(MatrixView<const Real>, MatrixView<const Real>, MatrixView<Real>,          \
                                  Monitor&);                                                                 \
  template bool exp_distance_sums(MatrixView<const Real>, MatrixView<const Real>, double, std::span<double>, \
                                  Monitor&);                                                                 \
  template bool squared_distance_sums(MatrixView<const Real>, MatrixView<const Real>, std::span<double>,     \
                                      Monitor&)

STEELYARD_PAIRWISE(float);
STEELYARD_PAIRWISE(double);
#undef STEELYARD_PAIRWISE

}  // namespace steelyard::distances
