// Numbers of several vectors side by side, in registers, for the *_kernels.cpp files.
//
// Everything here is in an anonymous namespace: each instruction set must keep its own copy.
#pragma once

#include "simd/rank_updates.hpp"

namespace steelyard::simd {
namespace {

// Sums are of vector type, not arrays: compilers then keep all of them in registers.
#if defined(__AVX512F__)
#define STEELYARD_VECTOR_BYTES 64
#elif defined(__AVX__)
#define STEELYARD_VECTOR_BYTES 32
#else
#define STEELYARD_VECTOR_BYTES 16
#endif
template <class Real>
struct VectorOf {
  using type = Real;
};
#if defined(__GNUC__)
template <>
struct VectorOf<float> {
  using type = float __attribute__((vector_size(STEELYARD_VECTOR_BYTES), aligned(4), may_alias));
};
template <>
struct VectorOf<double> {
  using type = double __attribute__((vector_size(STEELYARD_VECTOR_BYTES), aligned(8), may_alias));
};
#endif
template <class Real>
using Vector = typename VectorOf<Real>::type;

template <class Real>
constexpr auto width = static_cast<std::ptrdiff_t>(sizeof(Vector<Real>) / sizeof(Real));
template <class Real>
constexpr std::ptrdiff_t parts = side_by_side<Real> / width<Real>;
/// Rows of sums at a time: eight vectors.
template <class Real>
constexpr std::ptrdiff_t strip = parts<Real> < 8 ? 8 / parts<Real> : 1;

/// The numbers 0 .. n - 1 as a type.
template <std::ptrdiff_t... lane>
struct Lanes {};
template <std::ptrdiff_t n, std::ptrdiff_t... lane>
struct MakeLanes : MakeLanes<n - 1, n - 1, lane...> {};
template <std::ptrdiff_t... lane>
struct MakeLanes<0, lane...> {
  using type = Lanes<lane...>;
};
template <std::ptrdiff_t n>
using LanesOf = typename MakeLanes<n>::type;

template <class Real>
inline const Vector<Real>& read(const Real* p) {
  return *reinterpret_cast<const Vector<Real>*>(p);
}
template <class Real>
inline Vector<Real>& write(Real* p) {
  return *reinterpret_cast<Vector<Real>*>(p);
}

#if defined(__AVX__) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define STEELYARD_HAVE_SHUFFLE
#endif
#endif

#if defined(STEELYARD_HAVE_SHUFFLE)
/// Lanes with the bit in their number come from b, the others from a, where they stand or one bit away.
template <std::ptrdiff_t bit, bool upper, class Real, std::ptrdiff_t... lane>
inline Vector<Real> exchanged(const Vector<Real>& a, const Vector<Real>& b, Lanes<lane...>) {
  constexpr std::ptrdiff_t n = width<Real>;
  return __builtin_shufflevector(
      a, b, ((lane & bit) != 0 ? n + (upper ? lane : lane - bit) : (upper ? lane + bit : lane))...);
}

/// The transpose of a square of rows, by exchanging halves of halves. Compilers make scalar moves of a loop.
template <class Real, std::ptrdiff_t bit = 1>
inline void transpose_square(Vector<Real>* row) {
  constexpr std::ptrdiff_t n = width<Real>;
  if constexpr (bit < n) {
#pragma GCC unroll 16
    for (std::ptrdiff_t i = 0; i < n; ++i) {
      if ((i & bit) != 0) continue;
      const Vector<Real> a = row[i], b = row[i + bit];
      row[i] = exchanged<bit, false, Real>(a, b, LanesOf<n>{});
      row[i + bit] = exchanged<bit, true, Real>(a, b, LanesOf<n>{});
    }
    transpose_square<Real, 2 * bit>(row);
  }
}
#endif

/// out[j][i] <- value(i, j .. j + width - 1) for side_by_side rows i and `count` numbers j of each, a
/// multiple of that.
template <class Real, class Value>
inline void store_transposed(std::ptrdiff_t count, const Value& value, Real* out, std::ptrdiff_t stride) {
  constexpr std::ptrdiff_t n = side_by_side<Real>, w = width<Real>;
  for (std::ptrdiff_t j = 0; j < count; j += w)
    for (std::ptrdiff_t i = 0; i < n; i += w) {
      Vector<Real> square[std::size_t{w}];
#pragma GCC unroll 16
      for (std::ptrdiff_t r = 0; r < w; ++r) square[r] = value(i + r, j);
#if defined(STEELYARD_HAVE_SHUFFLE)
      transpose_square<Real>(square);
#pragma GCC unroll 16
      for (std::ptrdiff_t r = 0; r < w; ++r) write(out + (j + r) * stride + i) = square[r];
#else
      for (std::ptrdiff_t r = 0; r < w; ++r)
        for (std::ptrdiff_t l = 0; l < w; ++l)
          out[(j + l) * stride + i + r] = reinterpret_cast<const Real*>(square + r)[l];
#endif
    }
}

/// out = in' for a square of side_by_side numbers.
template <class Real>
inline void transpose(const Real* in, std::ptrdiff_t in_stride, Real* out, std::ptrdiff_t out_stride) {
  store_transposed(
      side_by_side<Real>, [=](std::ptrdiff_t i, std::ptrdiff_t j) { return read(in + i * in_stride + j); },
      out, out_stride);
}

/// The sums over k of factors[k * step + r * row_step] times row k of `rows`, for all r of a strip.
template <class Real>
struct Strip {
  Vector<Real> sum[std::size_t{strip<Real>}][std::size_t{parts<Real>}];

  inline void fill(const Real* factors, std::ptrdiff_t step, std::ptrdiff_t row_step, std::ptrdiff_t count,
                   const Real* rows, std::ptrdiff_t rows_stride) {
    for (std::ptrdiff_t r = 0; r < strip<Real>; ++r)
      for (std::ptrdiff_t q = 0; q < parts<Real>; ++q) sum[r][q] = Vector<Real>{};
    add(factors, step, row_step, count, rows, rows_stride);
  }

  inline void add(const Real* factors, std::ptrdiff_t step, std::ptrdiff_t row_step, std::ptrdiff_t count,
                  const Real* rows, std::ptrdiff_t rows_stride) {
    for (std::ptrdiff_t k = 0; k < count; ++k) {
#pragma GCC unroll 8
      for (std::ptrdiff_t r = 0; r < strip<Real>; ++r) {
        const Real factor = factors[k * step + r * row_step];
#pragma GCC unroll 8
        for (std::ptrdiff_t q = 0; q < parts<Real>; ++q)
          sum[r][q] += factor * read(rows + k * rows_stride + q * width<Real>);
      }
    }
  }

  inline void load(const Real* rows) {
    for (std::ptrdiff_t r = 0; r < strip<Real>; ++r)
      for (std::ptrdiff_t q = 0; q < parts<Real>; ++q)
        sum[r][q] = read(rows + r * side_by_side<Real> + q * width<Real>);
  }

  inline void store(Real* rows, std::ptrdiff_t stride = side_by_side<Real>) const {
    for (std::ptrdiff_t r = 0; r < strip<Real>; ++r)
      for (std::ptrdiff_t q = 0; q < parts<Real>; ++q) write(rows + r * stride + q * width<Real>) = sum[r][q];
  }

  inline void add_to(Real* rows, std::ptrdiff_t stride) const {
    for (std::ptrdiff_t r = 0; r < strip<Real>; ++r)
      for (std::ptrdiff_t q = 0; q < parts<Real>; ++q)
        write(rows + r * stride + q * width<Real>) += sum[r][q];
  }
};

/// Y = A V, A symmetric: each element left of the diagonal is read once and used for both triangles.
template <class Real>
void multiply(const Real* a, std::ptrdiff_t size, const Real* v, Real* y) {
  constexpr std::ptrdiff_t n = side_by_side<Real>, w = width<Real>, p = parts<Real>, rows = strip<Real>;
  for (std::ptrdiff_t i = 0; i < size; i += rows) {
    Strip<Real> s, own;
    s.fill(a + i * size + i, 1, size, rows, v + i * n, n);
    own.load(v + i * n);
    for (std::ptrdiff_t j = 0; j < i; ++j) {
      Vector<Real> here[std::size_t{p}],
          other[2][std::size_t{p}];  // two sums, which do not wait for each other
      for (std::ptrdiff_t q = 0; q < p; ++q) {
        here[q] = read(v + j * n + q * w);
        other[0][q] = read(y + j * n + q * w);
        other[1][q] = Vector<Real>{};
      }
#pragma GCC unroll 8
      for (std::ptrdiff_t r = 0; r < rows; ++r) {
        const Real factor = a[(i + r) * size + j];
#pragma GCC unroll 8
        for (std::ptrdiff_t q = 0; q < p; ++q) {
          s.sum[r][q] += factor * here[q];
          other[r % 2][q] += factor * own.sum[r][q];
        }
      }
      for (std::ptrdiff_t q = 0; q < p; ++q) write(y + j * n + q * w) = other[0][q] + other[1][q];
    }
    s.store(y + i * n);
  }
}

/// G = V'Y.
template <class Real>
void products(const Real* v, const Real* y, std::ptrdiff_t size, Real* g, std::ptrdiff_t stride) {
  constexpr std::ptrdiff_t n = side_by_side<Real>;
  for (std::ptrdiff_t i = 0; i < n; i += strip<Real>) {
    Strip<Real> s;
    s.fill(v + i, n, 1, size, y, n);
    s.store(g + i * stride, stride);
  }
}

}  // namespace
}  // namespace steelyard::simd
