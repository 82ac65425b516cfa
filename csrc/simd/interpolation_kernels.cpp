#include "simd/table.hpp"

namespace steelyard::simd {
namespace {

#if defined(__AVX512F__)
constexpr std::ptrdiff_t vector_bytes = 64, most_rows = 8;
#elif defined(__AVX2__)
constexpr std::ptrdiff_t vector_bytes = 32, most_rows = 4;
#else
constexpr std::ptrdiff_t vector_bytes = 16, most_rows = 4;
#endif

/// Three vectors: with four (eight) rows their sums fill the registers, but for a row and a factor.
template <class Real>
constexpr std::ptrdiff_t panel_width = 3 * vector_bytes / static_cast<std::ptrdiff_t>(sizeof(Real));

template <std::ptrdiff_t rows, class Real>
inline void translate_rows(const Real* k, std::ptrdiff_t n, const Real* x, Real* y) {
  constexpr std::ptrdiff_t width = panel_width<Real>;
  Real sum[std::size_t{rows}][std::size_t{width}] = {};
  for (std::ptrdiff_t l = 0; l < n; ++l) {
#pragma GCC unroll 8
    for (std::ptrdiff_t i = 0; i < rows; ++i) {
      const Real factor = k[i * n + l];
#pragma omp simd
      for (std::ptrdiff_t j = 0; j < width; ++j) sum[i][j] += factor * x[l * width + j];
    }
  }
  for (std::ptrdiff_t i = 0; i < rows; ++i) {
#pragma omp simd
    for (std::ptrdiff_t j = 0; j < width; ++j) y[i * width + j] = sum[i][j];
  }
}

template <class Real>
void translate(const Real* k, std::ptrdiff_t m, std::ptrdiff_t n, const Real* x, Real* y) {
  std::ptrdiff_t i = 0;
  for (; i + most_rows <= m; i += most_rows)
    translate_rows<most_rows>(k + i * n, n, x, y + i * panel_width<Real>);
  for (; i < m; ++i) translate_rows<1>(k + i * n, n, x, y + i * panel_width<Real>);
}

template <class Real>
void polynomials(const Real* z, std::ptrdiff_t n, std::ptrdiff_t count, std::ptrdiff_t stride, Real* out) {
  for (std::ptrdiff_t i = 0; i < n; ++i) out[i] = Real{1};
  if (count == 1) return;
  for (std::ptrdiff_t i = 0; i < n; ++i) out[stride + i] = z[i];
  for (std::ptrdiff_t j = 2; j < count; ++j) {
    const Real *one = out + (j - 1) * stride, *two = one - stride;
    Real* next = out + j * stride;
#pragma omp simd
    for (std::ptrdiff_t i = 0; i < n; ++i) next[i] = Real{2} * z[i] * one[i] - two[i];
  }
}

template <class Real>
inline Real sum_of_products(const Real* a, const Real* b, std::ptrdiff_t n) {
  Real sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::ptrdiff_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

template <class Real>
void moments(const Real* rows, std::ptrdiff_t d, std::ptrdiff_t count, std::ptrdiff_t n,
             std::ptrdiff_t stride, const Real* v, Real* scratch, Real* out) {
  if (d == 1) {
    for (std::ptrdiff_t j = 0; j < count; ++j) out[j] = sum_of_products(rows + j * stride, v, n);
    return;
  }
  std::ptrdiff_t inner = 1;
  for (std::ptrdiff_t k = 1; k < d; ++k) inner *= count;
  for (std::ptrdiff_t j = 0; j < count; ++j) {
    const Real* row = rows + j * stride;
#pragma omp simd
    for (std::ptrdiff_t i = 0; i < n; ++i) scratch[i] = v[i] * row[i];
    moments(rows + count * stride, d - 1, count, n, stride, scratch, scratch + stride, out + j * inner);
  }
}

template <class Real>
void values(const Real* rows, std::ptrdiff_t d, std::ptrdiff_t count, std::ptrdiff_t n, std::ptrdiff_t stride,
            const Real* c, Real* scratch, Real* out) {
  if (d == 1) {
    for (std::ptrdiff_t i = 0; i < n; ++i) out[i] = Real{0};
    for (std::ptrdiff_t j = 0; j < count; ++j) {
      const Real* row = rows + j * stride;
      const Real factor = c[j];
#pragma omp simd
      for (std::ptrdiff_t i = 0; i < n; ++i) out[i] += factor * row[i];
    }
    return;
  }
  std::ptrdiff_t inner = 1;
  for (std::ptrdiff_t k = 1; k < d; ++k) inner *= count;
  for (std::ptrdiff_t i = 0; i < n; ++i) out[i] = Real{0};
  for (std::ptrdiff_t j = 0; j < count; ++j) {
    const Real* row = rows + j * stride;
    values(rows + count * stride, d - 1, count, n, stride, c + j * inner, scratch + stride, scratch);
#pragma omp simd
    for (std::ptrdiff_t i = 0; i < n; ++i) out[i] += row[i] * scratch[i];
  }
}

template <class Real>
constexpr Interpolation<Real> make_interpolation() {
  return {panel_width<Real>, translate<Real>, polynomials<Real>, moments<Real>, values<Real>};
}

}  // namespace

extern const Interpolation<float> STEELYARD_FOR_ISA(interpolation_f32_);
extern const Interpolation<double> STEELYARD_FOR_ISA(interpolation_f64_);
const Interpolation<float> STEELYARD_FOR_ISA(interpolation_f32_) = make_interpolation<float>();
const Interpolation<double> STEELYARD_FOR_ISA(interpolation_f64_) = make_interpolation<double>();

}  // namespace steelyard::simd
