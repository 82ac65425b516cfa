#include "simd/table.hpp"

namespace steelyard::simd {
namespace {

#if defined(__AVX512F__)
constexpr std::ptrdiff_t vector_bytes = 64, most_sums = 24;
#elif defined(__AVX2__)
constexpr std::ptrdiff_t vector_bytes = 32, most_sums = 12;
#else
constexpr std::ptrdiff_t vector_bytes = 16, most_sums = 12;
#endif

constexpr std::ptrdiff_t step = 8;  // columns

/// Rows whose sums of `columns` columns stay in registers.
template <class Real>
constexpr std::ptrdiff_t rows_at_once(std::ptrdiff_t columns) {
  const std::ptrdiff_t vectors =
      (columns * static_cast<std::ptrdiff_t>(sizeof(Real)) + vector_bytes - 1) / vector_bytes;
  return vectors * 4 <= most_sums ? 4 : vectors * 2 <= most_sums ? 2 : 1;
}

/// sum_k[c] += x_k(j) a[j * stride + c] over j < count, for the columns of one block and `rows` vectors.
template <std::ptrdiff_t rows, std::ptrdiff_t columns, class Real, class At>
inline void add_block(const Real* a, std::ptrdiff_t stride, std::ptrdiff_t count, const At& x,
                      Real (&sum)[std::size_t{rows}][std::size_t{columns}]) {
  for (std::ptrdiff_t j = 0; j < count; ++j) {
    const Real* row = a + j * stride;
#pragma GCC unroll 4
    for (std::ptrdiff_t k = 0; k < rows; ++k) {
      const Real factor = x(k, j);
#pragma omp simd
      for (std::ptrdiff_t c = 0; c < columns; ++c) sum[k][c] += factor * row[c];
    }
  }
}

template <std::ptrdiff_t rows, std::ptrdiff_t columns, class Real>
inline void reduce_block(const Real* a, std::ptrdiff_t count, std::ptrdiff_t width, const std::int32_t* place,
                         const Real* const* x, Real* y) {
  Real sum[std::size_t{rows}][std::size_t{columns}] = {};
  add_block<rows, columns>(
      a, width, count, [&](std::ptrdiff_t k, std::ptrdiff_t j) { return x[k][place[j]]; }, sum);
  for (std::ptrdiff_t k = 0; k < rows; ++k) {
#pragma omp simd
    for (std::ptrdiff_t c = 0; c < columns; ++c) y[k * width + c] = sum[k][c];
  }
}

template <std::ptrdiff_t rows, std::ptrdiff_t columns, class Real>
inline void expand_block(const Real* b, std::ptrdiff_t width, std::ptrdiff_t count, const Real* x,
                         Real* const* y, std::ptrdiff_t first) {
  Real sum[std::size_t{rows}][std::size_t{columns}];
  for (std::ptrdiff_t k = 0; k < rows; ++k) {
#pragma omp simd
    for (std::ptrdiff_t c = 0; c < columns; ++c) sum[k][c] = y[k][first + c];
  }
  add_block<rows, columns>(
      b + first, count, width, [&](std::ptrdiff_t k, std::ptrdiff_t r) { return x[k * width + r]; }, sum);
  for (std::ptrdiff_t k = 0; k < rows; ++k) {
#pragma omp simd
    for (std::ptrdiff_t c = 0; c < columns; ++c) y[k][first + c] = sum[k][c];
  }
}

template <std::ptrdiff_t columns, class Real>
inline void reduce_columns(const Real* a, std::ptrdiff_t count, std::ptrdiff_t width,
                           const std::int32_t* place, const Real* const* x, std::ptrdiff_t n, Real* y) {
  constexpr std::ptrdiff_t rows = rows_at_once<Real>(columns);
  std::ptrdiff_t k = 0;
  for (; k + rows <= n; k += rows) reduce_block<rows, columns>(a, count, width, place, x + k, y + k * width);
  for (; k < n; ++k) reduce_block<1, columns>(a, count, width, place, x + k, y + k * width);
}

template <std::ptrdiff_t columns, class Real>
inline void expand_columns(const Real* b, std::ptrdiff_t width, std::ptrdiff_t count, const Real* x,
                           std::ptrdiff_t n, Real* const* y, std::ptrdiff_t first) {
  constexpr std::ptrdiff_t rows = rows_at_once<Real>(columns);
  std::ptrdiff_t k = 0;
  for (; k + rows <= n; k += rows) expand_block<rows, columns>(b, width, count, x + k * width, y + k, first);
  for (; k < n; ++k) expand_block<1, columns>(b, width, count, x + k * width, y + k, first);
}

template <class Real>
void reduce(const Real* a, std::ptrdiff_t count, std::ptrdiff_t width, const std::int32_t* place,
            const Real* const* x, std::ptrdiff_t n, Real* y) {
  std::ptrdiff_t c = 0;
  for (; width - c >= 3 * step; c += 3 * step)
    reduce_columns<3 * step>(a + c, count, width, place, x, n, y + c);
  if (width - c == 2 * step) reduce_columns<2 * step>(a + c, count, width, place, x, n, y + c);
  if (width - c == step) reduce_columns<step>(a + c, count, width, place, x, n, y + c);
}

template <class Real>
void expand(const Real* b, std::ptrdiff_t width, std::ptrdiff_t count, const Real* x, std::ptrdiff_t n,
            Real* const* y) {
  std::ptrdiff_t c = 0;
  for (; count - c >= 3 * step; c += 3 * step) expand_columns<3 * step>(b, width, count, x, n, y, c);
  if (count - c >= 2 * step) {
    expand_columns<2 * step>(b, width, count, x, n, y, c);
    c += 2 * step;
  }
  if (count - c >= step) {
    expand_columns<step>(b, width, count, x, n, y, c);
    c += step;
  }
  for (; c < count; ++c) expand_columns<1>(b, width, count, x, n, y, c);
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
  return {reduce<Real>, expand<Real>, polynomials<Real>, moments<Real>, values<Real>};
}

}  // namespace

extern const Interpolation<float> STEELYARD_FOR_ISA(interpolation_f32_);
extern const Interpolation<double> STEELYARD_FOR_ISA(interpolation_f64_);
const Interpolation<float> STEELYARD_FOR_ISA(interpolation_f32_) = make_interpolation<float>();
const Interpolation<double> STEELYARD_FOR_ISA(interpolation_f64_) = make_interpolation<double>();

}  // namespace steelyard::simd
