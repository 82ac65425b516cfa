#include "simd/metric_inline.hpp"
#include "simd/product_inline.hpp"
#include "simd/table.hpp"

namespace steelyard::simd {
namespace {

constexpr std::ptrdiff_t tile_rows = 4;
#if defined(__AVX512F__)
constexpr std::ptrdiff_t tile_bytes = 128, expanded_from = 8;
constexpr std::ptrdiff_t expanded_panels = 2;  // their sums take 16 of 32 registers
#elif defined(__AVX2__)
constexpr std::ptrdiff_t tile_bytes = 64, expanded_from = 12, expanded_panels = 1;
#else
constexpr std::ptrdiff_t tile_bytes = 64, expanded_from = 32, expanded_panels = 1;
#endif

template <class Real>
constexpr Real smallest_normal = static_cast<Real>(sizeof(Real) == sizeof(float) ? 0x1p-126 : 0x1p-1022);

template <class Real>
constexpr std::ptrdiff_t tile_cols = tile_bytes / static_cast<std::ptrdiff_t>(sizeof(Real));

template <class Real>
constexpr std::ptrdiff_t tile_size = tile_rows * tile_cols<Real>;

/// 4 x cols sums over differences, or sums (`plus`), in registers; the compiler makes vectors of the inner
/// loop.
template <class Real, class Pair, bool plus = false>
inline void pair_sums(const Real* x_panel, const Real* y_panel, std::ptrdiff_t d, Real power, Real* out) {
  constexpr std::ptrdiff_t cols = tile_cols<Real>;
  Real sum[std::size_t{tile_rows}][std::size_t{cols}] = {};
  for (std::ptrdiff_t k = 0; k < d; ++k) {
    for (std::ptrdiff_t i = 0; i < tile_rows; ++i) {
      const Real x = x_panel[k * tile_rows + i];
#pragma omp simd
      for (std::ptrdiff_t j = 0; j < cols; ++j) {
        const Real y = y_panel[k * cols + j];
        sum[i][j] = Pair::step(sum[i][j], plus ? x + y : x - y, power);
      }
    }
  }
  for (std::ptrdiff_t i = 0; i < tile_rows; ++i) {
    for (std::ptrdiff_t j = 0; j < cols; ++j) out[i * cols + j] = sum[i][j];
  }
}

/// Angles of a tile with an obtuse pair; `out` holds the squared differences. Rows are of unit length here.
template <class Real, class Pair>
inline void obtuse_angles(const Real* x_panel, const Real* y_panel, std::ptrdiff_t d, Real* out) {
  Real sums[tile_size<Real>];
  pair_sums<Real, Pair, true>(x_panel, y_panel, d, Real{0}, sums);
#pragma omp simd
  for (std::ptrdiff_t j = 0; j < tile_size<Real>; ++j) {
    const Real near = Pair::finish(out[j], Real{0}, Real{0}, Real{0}), far = Pair::finish_obtuse(sums[j]);
    out[j] = out[j] > Pair::obtuse ? far : near;
  }
}

/// Not inline: three copies of every metric were half of what this file took to compile, and a call a tile is
/// nothing beside the tile.
template <class Real, class Pair>
[[gnu::noinline]] void distances(const Real* x_panel, const Real* y_panel, std::ptrdiff_t d, Real power,
                                 Real* out) {
  constexpr std::ptrdiff_t cols = tile_cols<Real>;
  pair_sums<Real, Pair>(x_panel, y_panel, d, power, out);
  if constexpr (requires { Pair::obtuse; }) {
    Real largest = 0;
#pragma omp simd reduction(max : largest)
    for (std::ptrdiff_t j = 0; j < tile_size<Real>; ++j) largest = out[j] > largest ? out[j] : largest;
    if (largest > Pair::obtuse) {
      obtuse_angles<Real, Pair>(x_panel, y_panel, d, out);
      return;
    }
  }
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

template <class Real>
struct Finished {
  static Real finish(Real distance, Real, Real, Real) { return distance; }
};

/// What one tile of distances finish(sums) adds to one pair of vectors, in both directions.
template <class Real, class Pair, bool both, std::ptrdiff_t rows>
inline void add_similarities(const Real* sums, Real scale, const Real* x_values, const Real* y_values,
                             Real* y_sums, Real* x_lanes) {
  const Real rate = -scale * static_cast<Real>(1.4426950408889634);  // exp(-scale x) = 2^(rate x)
#pragma omp simd
  for (std::ptrdiff_t j = 0; j < tile_cols<Real>; ++j) {
    const Real y = y_values[j];
    Real down = both ? y_sums[j] : Real{0};
#pragma GCC unroll 8
    for (std::ptrdiff_t i = 0; i < rows; ++i) {
      const Real z =
          exp2_nonpositive(rate * Pair::finish(sums[i * tile_cols<Real> + j], Real{0}, Real{0}, Real{0}));
      x_lanes[i * tile_cols<Real> + j] += z * y;
      if (both) down += z * x_values[i];
    }
    if (both) y_sums[j] = down;
  }
}

/// What a tile adds to every pair of vectors. Roots are taken on the way: they are slow, but wait for
/// nothing.
template <class Real, class Pair, bool both, std::ptrdiff_t rows>
inline void add_tile(const PanelProduct<Real>& task, std::ptrdiff_t panel, const Real* sums) {
  for (std::ptrdiff_t c = 0; c < task.columns; ++c) {
    const std::ptrdiff_t at = c * task.stride + panel * tile_cols<Real>;
    add_similarities<Real, Pair, both, rows>(sums, task.scales[c], task.x_values + c * rows,
                                             task.y_values + at, both ? task.y_sums + at : nullptr,
                                             task.x_lanes + c * rows * tile_cols<Real>);
  }
}

template <class Real, class Pair, bool both>
inline void products_over_panels(const PanelProduct<Real>& task) {
  const std::ptrdiff_t size = (task.d + (Pair::has_norms ? 1 : 0)) * tile_cols<Real>;
  for (std::ptrdiff_t panel = 0; panel < task.panels; ++panel) {
    Real distance[tile_size<Real>];
    distances<Real, Pair>(task.x_panel, task.y_panels + panel * size, task.d, task.power, distance);
    add_tile<Real, Finished<Real>, both, tile_rows>(task, panel, distance);
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

constexpr std::ptrdiff_t expanded_rows = expanded_panels * tile_rows;

/// Squared distances of a tile, from products.
template <class Real>
inline void expand(const Real* x, const Real* y, const Real* x_halves, const Real* y_halves, std::ptrdiff_t d,
                   Real* out) {
  constexpr std::ptrdiff_t cols = tile_cols<Real>;
  Real sum[std::size_t{expanded_rows}][std::size_t{cols}];
  for (std::ptrdiff_t i = 0; i < expanded_rows; ++i) {
#pragma omp simd
    for (std::ptrdiff_t j = 0; j < cols; ++j) sum[i][j] = -(x_halves[i] + y_halves[j]);
  }
  add_products<tile_rows>(x, y, d, sum);
  for (std::ptrdiff_t i = 0; i < expanded_rows; ++i) {
    for (std::ptrdiff_t j = 0; j < cols; ++j) out[i * cols + j] = Real{-2} * sum[i][j];
  }
}

template <class Real>
inline void differences(const Real* x, const Real* y, std::ptrdiff_t d, Real* out) {
  for (std::ptrdiff_t p = 0; p < expanded_panels; ++p)
    squared_distances(x + p * tile_rows * d, y, d, out + p * tile_size<Real>);
}

/// Whether some pair is so near that products would have cancelled; `least` stands for what underflows.
template <class Real>
inline bool any_near(const Real* squared, const Real* x_halves, const Real* y_halves, Real least) {
  constexpr std::ptrdiff_t cols = tile_cols<Real>;
  constexpr Real share = Real{2} / near_share;
  Real margin[std::size_t{cols}];
  for (std::ptrdiff_t j = 0; j < cols; ++j) margin[j] = least;
  for (std::ptrdiff_t i = 0; i < expanded_rows; ++i) {
#pragma omp simd
    for (std::ptrdiff_t j = 0; j < cols; ++j) {
      const Real now = squared[i * cols + j] - share * (x_halves[i] + y_halves[j]);
      margin[j] = now < margin[j] ? now : margin[j];
    }
  }
  int near = 0;
#pragma omp simd reduction(| : near)
  for (std::ptrdiff_t j = 0; j < cols; ++j) near |= margin[j] < least ? 1 : 0;
  return near != 0;
}

/// Near pairs come in runs where points are sorted and everywhere where groups are tight: after a tile with
/// one, differences are tried first.
template <class Real, class Pair, bool both>
inline void expanded_over_panels(const PanelProduct<Real>& task) {
  constexpr std::ptrdiff_t cols = tile_cols<Real>;
  const Real least = static_cast<Real>(task.d) * smallest_normal<Real>;
  bool near = false;
  for (std::ptrdiff_t panel = 0; panel < task.panels; ++panel) {
    const Real* y = task.y_panels + panel * task.d * cols;
    const Real* y_halves = task.y_halves + panel * cols;
    Real squared[std::size_t{expanded_rows * cols}];
    const bool direct = near;
    if (direct) {
      differences(task.x_panel, y, task.d, squared);
    } else {
      expand(task.x_panel, y, task.x_halves, y_halves, task.d, squared);
    }
    near = any_near(squared, task.x_halves, y_halves, least);
    if (near && !direct) differences(task.x_panel, y, task.d, squared);
    if (task.columns == 1) {
      add_tile<Real, Pair, both, expanded_rows>(task, panel, squared);
      continue;
    }
#pragma omp simd
    for (std::ptrdiff_t j = 0; j < expanded_rows * cols; ++j)
      squared[j] = Pair::finish(squared[j], Real{0}, Real{0}, Real{0});
    add_tile<Real, Finished<Real>, both, expanded_rows>(task, panel, squared);
  }
}

template <class Real, class Pair>
void expanded(const PanelProduct<Real>& task) {
  if (task.y_sums != nullptr) {
    expanded_over_panels<Real, Pair, true>(task);
  } else {
    expanded_over_panels<Real, Pair, false>(task);
  }
}

template <class Real, class Map>
void kernel_values(const Real* x_panel, const Real* y_panel, std::ptrdiff_t d, Real rate, Real* out) {
  pair_sums<Real, Squares<Real>>(x_panel, y_panel, d, Real{0}, out);
#pragma omp simd
  for (std::ptrdiff_t j = 0; j < tile_size<Real>; ++j) out[j] = Map::value(out[j], rate);
}

template <class Real, class Map, bool both>
inline void kernel_products_over_panels(const PanelProduct<Real>& task) {
  constexpr std::ptrdiff_t cols = tile_cols<Real>;
  if (task.d < 1) __builtin_unreachable();  // else one of eight roots is taken number by number
  for (std::ptrdiff_t panel = 0; panel < task.panels; ++panel) {
    Real z[std::size_t{tile_size<Real>}];
    kernel_values<Real, Map>(task.x_panel, task.y_panels + panel * task.d * cols, task.d, task.power, z);
    for (std::ptrdiff_t c = 0; c < task.columns; ++c) {
      const std::ptrdiff_t at = c * task.stride + panel * cols;
      const Real *y_values = task.y_values + at, *x_values = both ? task.x_values + c * tile_rows : nullptr;
      Real *lanes = task.x_lanes + c * tile_size<Real>, *y_sums = both ? task.y_sums + at : nullptr;
#pragma omp simd
      for (std::ptrdiff_t j = 0; j < cols; ++j) {
        const Real y = y_values[j];
        Real down = both ? y_sums[j] : Real{0};
#pragma GCC unroll 4
        for (std::ptrdiff_t i = 0; i < tile_rows; ++i) {
          lanes[i * cols + j] += z[i * cols + j] * y;
          if (both) down += z[i * cols + j] * x_values[i];
        }
        if (both) y_sums[j] = down;
      }
    }
  }
}

template <class Real, class Map>
void kernel_products(const PanelProduct<Real>& task) {
  if (task.y_sums != nullptr) {
    kernel_products_over_panels<Real, Map, true>(task);
  } else {
    kernel_products_over_panels<Real, Map, false>(task);
  }
}

template <class Real, class Map>
void kernel_sums(const PanelProduct<Real>& task) {
  constexpr std::ptrdiff_t cols = tile_cols<Real>;
  if (task.d < 1) __builtin_unreachable();
  for (std::ptrdiff_t panel = 0; panel < task.panels; ++panel) {
    Real z[std::size_t{tile_size<Real>}];
    kernel_values<Real, Map>(task.x_panel + panel * task.d * tile_rows, task.y_panels, task.d, task.power, z);
    for (std::ptrdiff_t c = 0; c < task.columns; ++c) {
      const Real* v = task.x_values + c * task.stride + panel * tile_rows;
      Real* sums = task.y_sums + c * cols;
#pragma omp simd
      for (std::ptrdiff_t j = 0; j < cols; ++j) {
        Real sum = sums[j];
#pragma GCC unroll 4
        for (std::ptrdiff_t i = 0; i < tile_rows; ++i) sum += z[i * cols + j] * v[i];
        sums[j] = sum;
      }
    }
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
           products<Real, Hamming<Real>>, products<Real, Jaccard<Real>>},
          {kernel_values<Real, EnergyKernel<Real>>, kernel_values<Real, LaplacianKernel<Real>>,
           kernel_values<Real, GaussianKernel<Real>>, kernel_values<Real, Matern32Kernel<Real>>,
           kernel_values<Real, Matern52Kernel<Real>>},
          {kernel_products<Real, EnergyKernel<Real>>, kernel_products<Real, LaplacianKernel<Real>>,
           kernel_products<Real, GaussianKernel<Real>>, kernel_products<Real, Matern32Kernel<Real>>,
           kernel_products<Real, Matern52Kernel<Real>>},
          {kernel_sums<Real, EnergyKernel<Real>>, kernel_sums<Real, LaplacianKernel<Real>>,
           kernel_sums<Real, GaussianKernel<Real>>, kernel_sums<Real, Matern32Kernel<Real>>,
           kernel_sums<Real, Matern52Kernel<Real>>},
          expanded_panels,
          expanded_from,
          {expanded<Real, Euclidean<Real>>, nullptr, nullptr, nullptr, expanded<Real, Cosine<Real>>, nullptr,
           nullptr, nullptr}};
}

}  // namespace

extern const Tile<float> STEELYARD_FOR_ISA(tile_f32_);
extern const Tile<double> STEELYARD_FOR_ISA(tile_f64_);
const Tile<float> STEELYARD_FOR_ISA(tile_f32_) = make_tile<float>();
const Tile<double> STEELYARD_FOR_ISA(tile_f64_) = make_tile<double>();

}  // namespace steelyard::simd
