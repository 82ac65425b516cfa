#include "simd/metric_inline.hpp"
#include "simd/table.hpp"

namespace steelyard::simd {
namespace {

constexpr std::ptrdiff_t tile_rows = 4;
#if defined(__AVX512F__)
constexpr std::ptrdiff_t tile_bytes = 128;
#else
constexpr std::ptrdiff_t tile_bytes = 64;
#endif

template <class Real>
constexpr std::ptrdiff_t tile_cols = tile_bytes / static_cast<std::ptrdiff_t>(sizeof(Real));

template <class Real>
constexpr std::ptrdiff_t tile_size = tile_rows * tile_cols<Real>;

/// 4 x cols sums in registers; the compiler makes vectors of the inner loop.
template <class Real, class Pair>
inline void pair_sums(const Real* x_panel, const Real* y_panel, std::ptrdiff_t d, Real power, Real* out) {
  constexpr std::ptrdiff_t cols = tile_cols<Real>;
  Real sum[std::size_t{tile_rows}][std::size_t{cols}] = {};
  for (std::ptrdiff_t k = 0; k < d; ++k) {
    for (std::ptrdiff_t i = 0; i < tile_rows; ++i) {
      const Real x = x_panel[k * tile_rows + i];
#pragma omp simd
      for (std::ptrdiff_t j = 0; j < cols; ++j) {
        sum[i][j] = Pair::step(sum[i][j], x - y_panel[k * cols + j], power);
      }
    }
  }
  for (std::ptrdiff_t i = 0; i < tile_rows; ++i) {
    for (std::ptrdiff_t j = 0; j < cols; ++j) out[i * cols + j] = sum[i][j];
  }
}

template <class Real, class Pair>
inline void distances(const Real* x_panel, const Real* y_panel, std::ptrdiff_t d, Real power, Real* out) {
  constexpr std::ptrdiff_t cols = tile_cols<Real>;
  pair_sums<Real, Pair>(x_panel, y_panel, d, power, out);
  if constexpr (Pair::has_norms) {
    for (std::ptrdiff_t i = 0; i < tile_rows; ++i) {
      const Real x_norm = x_panel[d * tile_rows + i];
#pragma omp simd
      for (std::ptrdiff_t j = 0; j < cols; ++j) {
        out[i * cols + j] = Pair::finish(out[i * cols + j], power, x_norm, y_panel[d * cols + j]);
      }
    }
  } else {
    // One long loop: four short ones are unrolled and then no longer made vectors of.
#pragma omp simd
    for (std::ptrdiff_t j = 0; j < tile_size<Real>; ++j) {
      out[j] = Pair::finish(out[j], power, Real{0}, Real{0});
    }
  }
}

template <class Real>
void squared_distances(const Real* x_panel, const Real* y_panel, std::ptrdiff_t d, Real* out) {
  pair_sums<Real, Squares<Real>>(x_panel, y_panel, d, Real{0}, out);
}

/// What one tile of distances adds to one pair of vectors, in both directions.
template <class Real, bool both>
inline void add_similarities(const Real* distance, Real scale, const Real* x_values, const Real* y_values,
                             Real* y_sums, Real* x_lanes) {
#pragma omp simd
  for (std::ptrdiff_t j = 0; j < tile_cols<Real>; ++j) {
    const Real y = y_values[j];
    Real down = both ? y_sums[j] : Real{0};
#pragma GCC unroll 4
    for (std::ptrdiff_t i = 0; i < tile_rows; ++i) {
      const Real z = exp_nonpositive(-scale * distance[i * tile_cols<Real> + j]);
      x_lanes[i * tile_cols<Real> + j] += z * y;
      if (both) down += z * x_values[i];
    }
    if (both) y_sums[j] = down;
  }
}

template <class Real, class Pair, bool both>
inline void products_over_panels(const PanelProduct<Real>& task) {
  const std::ptrdiff_t size = (task.d + (Pair::has_norms ? 1 : 0)) * tile_cols<Real>;
  for (std::ptrdiff_t panel = 0; panel < task.panels; ++panel) {
    Real distance[tile_size<Real>];
    distances<Real, Pair>(task.x_panel, task.y_panels + panel * size, task.d, task.power, distance);
    for (std::ptrdiff_t c = 0; c < task.columns; ++c) {
      const std::ptrdiff_t at = c * task.stride + panel * tile_cols<Real>;
      add_similarities<Real, both>(distance, task.scales[c], task.x_values + c * tile_rows,
                                   task.y_values + at, both ? task.y_sums + at : nullptr,
                                   task.x_lanes + c * tile_rows * tile_cols<Real>);
    }
  }
}

template <class Real, class Pair>
void products(const PanelProduct<Real>& task) {
  if (task.y_sums != nullptr) {
    products_over_panels<Real, Pair, true>(task);
  } else {
    products_over_panels<Real, Pair, false>(task);
  }
}

template <class Real>
constexpr Tile<Real> make_tile() {
  return {tile_rows,
          tile_cols<Real>,
          squared_distances<Real>,
          {distances<Real, Euclidean<Real>>, distances<Real, Cityblock<Real>>,
           distances<Real, Chebyshev<Real>>, distances<Real, Minkowski<Real>>, distances<Real, Cosine<Real>>,
           distances<Real, Angular<Real>>, distances<Real, Hamming<Real>>, distances<Real, Jaccard<Real>>},
          {products<Real, Euclidean<Real>>, products<Real, Cityblock<Real>>, products<Real, Chebyshev<Real>>,
           products<Real, Minkowski<Real>>, products<Real, Cosine<Real>>, products<Real, Angular<Real>>,
           products<Real, Hamming<Real>>, products<Real, Jaccard<Real>>}};
}

}  // namespace

extern const Tile<float> STEELYARD_FOR_ISA(tile_f32_);
extern const Tile<double> STEELYARD_FOR_ISA(tile_f64_);
const Tile<float> STEELYARD_FOR_ISA(tile_f32_) = make_tile<float>();
const Tile<double> STEELYARD_FOR_ISA(tile_f64_) = make_tile<double>();

}  // namespace steelyard::simd
