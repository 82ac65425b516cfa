#include "simd/table.hpp"

namespace steelyard::simd {
namespace {

// Sums are of vector type, not arrays: compilers then keep all of them in registers.
#if !defined(__GNUC__)
using Vector = double;
#elif defined(__AVX512F__)
using Vector = double __attribute__((vector_size(64), aligned(8), may_alias));
#elif defined(__AVX__)
using Vector = double __attribute__((vector_size(32), aligned(8), may_alias));
#else
using Vector = double __attribute__((vector_size(16), aligned(8), may_alias));
#endif
constexpr std::ptrdiff_t width = sizeof(Vector) / sizeof(double);
constexpr std::ptrdiff_t parts = lanes / width;
constexpr std::ptrdiff_t strip = width < 2 ? 2 : width;  ///< rows of sums at a time: eight vectors

inline const Vector& read(const double* p) { return *reinterpret_cast<const Vector*>(p); }
inline Vector& write(double* p) { return *reinterpret_cast<Vector*>(p); }

#if defined(__AVX__) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define STEELYARD_HAVE_SHUFFLE
#endif
#endif

#if defined(STEELYARD_HAVE_SHUFFLE)
using Four = double __attribute__((vector_size(32), aligned(8), may_alias));

inline const Four& four(const double* p) { return *reinterpret_cast<const Four*>(p); }
inline Four& four(double* p) { return *reinterpret_cast<Four*>(p); }

/// Stores the transpose of four rows of four. Compilers make scalar moves of a plain loop.
inline void store_transposed(const Four (&r)[4], double* out, std::ptrdiff_t stride) {
  const Four even0 = __builtin_shufflevector(r[0], r[1], 0, 4, 2, 6);
  const Four odd0 = __builtin_shufflevector(r[0], r[1], 1, 5, 3, 7);
  const Four even1 = __builtin_shufflevector(r[2], r[3], 0, 4, 2, 6);
  const Four odd1 = __builtin_shufflevector(r[2], r[3], 1, 5, 3, 7);
  four(out) = __builtin_shufflevector(even0, even1, 0, 1, 4, 5);
  four(out + stride) = __builtin_shufflevector(odd0, odd1, 0, 1, 4, 5);
  four(out + 2 * stride) = __builtin_shufflevector(even0, even1, 2, 3, 6, 7);
  four(out + 3 * stride) = __builtin_shufflevector(odd0, odd1, 2, 3, 6, 7);
}
#endif

/// out = in' for 8 x 8 numbers.
inline void transpose(const double* in, std::ptrdiff_t in_stride, double* out, std::ptrdiff_t out_stride) {
#if defined(STEELYARD_HAVE_SHUFFLE)
  for (std::ptrdiff_t i = 0; i < lanes; i += 4)
    for (std::ptrdiff_t j = 0; j < lanes; j += 4) {
      const double* at = in + i * in_stride + j;
      const Four rows[4] = {four(at), four(at + in_stride), four(at + 2 * in_stride),
                            four(at + 3 * in_stride)};
      store_transposed(rows, out + j * out_stride + i, out_stride);
    }
#else
  for (std::ptrdiff_t i = 0; i < lanes; ++i)
    for (std::ptrdiff_t j = 0; j < lanes; ++j) out[j * out_stride + i] = in[i * in_stride + j];
#endif
}

void differences(const double* const* first, const double* const* second, std::ptrdiff_t d,
                 std::ptrdiff_t size, double* v) {
  std::ptrdiff_t k = 0;
#if defined(STEELYARD_HAVE_SHUFFLE)
  for (; k + 4 <= d; k += 4)
    for (std::ptrdiff_t b = 0; b < lanes; b += 4) {
      const Four rows[4] = {
          four(first[b] + k) - four(second[b] + k), four(first[b + 1] + k) - four(second[b + 1] + k),
          four(first[b + 2] + k) - four(second[b + 2] + k), four(first[b + 3] + k) - four(second[b + 3] + k)};
      store_transposed(rows, v + k * lanes + b, lanes);
    }
#endif
  for (; k < d; ++k)
    for (std::ptrdiff_t b = 0; b < lanes; ++b) v[k * lanes + b] = first[b][k] - second[b][k];
  for (; k < size; ++k)
    for (std::ptrdiff_t b = 0; b < lanes; ++b) v[k * lanes + b] = 0.0;
}

/// The sums over k of factors[k * step + r * row_step] times row k of `rows`, for all r of a strip.
struct Strip {
  Vector sum[strip][parts];

  inline void fill(const double* factors, std::ptrdiff_t step, std::ptrdiff_t row_step, std::ptrdiff_t count,
                   const double* rows, std::ptrdiff_t rows_stride) {
    for (std::ptrdiff_t r = 0; r < strip; ++r)
      for (std::ptrdiff_t q = 0; q < parts; ++q) sum[r][q] = Vector{};
    for (std::ptrdiff_t k = 0; k < count; ++k) {
#pragma GCC unroll 8
      for (std::ptrdiff_t r = 0; r < strip; ++r) {
        const double factor = factors[k * step + r * row_step];
#pragma GCC unroll 8
        for (std::ptrdiff_t q = 0; q < parts; ++q)
          sum[r][q] += factor * read(rows + k * rows_stride + q * width);
      }
    }
  }
};

inline void store(const Strip& s, double* rows) {
  for (std::ptrdiff_t r = 0; r < strip; ++r)
    for (std::ptrdiff_t q = 0; q < parts; ++q) write(rows + r * lanes + q * width) = s.sum[r][q];
}

/// Each element left of the diagonal is read once and used for both triangles.
void multiply(const double* a, std::ptrdiff_t size, const double* v, double* y) {
  for (std::ptrdiff_t i = 0; i < size; i += strip) {
    Strip s;
    s.fill(a + i * size + i, 1, size, strip, v + i * lanes, lanes);
    for (std::ptrdiff_t j = 0; j < i; ++j) {
      Vector here[parts], other[parts];
      for (std::ptrdiff_t q = 0; q < parts; ++q) {
        here[q] = read(v + j * lanes + q * width);
        other[q] = read(y + j * lanes + q * width);
      }
#pragma GCC unroll 8
      for (std::ptrdiff_t r = 0; r < strip; ++r) {
        const double factor = a[(i + r) * size + j];
#pragma GCC unroll 8
        for (std::ptrdiff_t q = 0; q < parts; ++q) {
          s.sum[r][q] += factor * here[q];
          other[q] += factor * read(v + (i + r) * lanes + q * width);
        }
      }
      for (std::ptrdiff_t q = 0; q < parts; ++q) write(y + j * lanes + q * width) = other[q];
    }
    store(s, y + i * lanes);
  }
}

void multiply_lower(const double* l, std::ptrdiff_t size, const double* v, double* y) {
  for (std::ptrdiff_t i = 0; i < size; i += strip) {
    Strip s;
    s.fill(l + i * size, 1, size, i + strip, v, lanes);
    store(s, y + i * lanes);
  }
}

void products(const double* v, const double* y, std::ptrdiff_t size, double* g) {
  for (std::ptrdiff_t i = 0; i < lanes; i += strip) {
    Strip s;
    s.fill(v + i, lanes, 1, size, y, lanes);
    store(s, g + i * lanes);
  }
}

/// Z = Y U: in rows times the factors, and transposed.
inline void combine(const double* y, std::ptrdiff_t size, const double* u, const double* factors, double* zf,
                    double* zt) {
  for (std::ptrdiff_t k = 0; k < size; k += lanes) {
    double z[lanes * lanes];
    for (std::ptrdiff_t i = 0; i < lanes; i += strip) {
      Strip s;
      s.fill(y + (k + i) * lanes, 1, lanes, lanes, u, lanes);
      for (std::ptrdiff_t r = 0; r < strip; ++r)
        for (std::ptrdiff_t q = 0; q < parts; ++q) {
          write(z + (i + r) * lanes + q * width) = s.sum[r][q];
          write(zf + (k + i + r) * lanes + q * width) = read(factors + q * width) * s.sum[r][q];
        }
    }
    transpose(z, lanes, zt + k, size);
  }
}

void update(double* a, std::ptrdiff_t size, const double* y, const double* u, const double* factors,
            std::ptrdiff_t count, double* scratch) {
  double *zf = scratch, *zt = scratch + lanes * size;
  combine(y, size, u, factors, zf, zt);
  for (std::ptrdiff_t i = 0; i < size; i += strip)
    for (std::ptrdiff_t j = 0; j < i + strip; j += lanes) {
      Strip s;
      s.fill(zf + i * lanes, 1, lanes, count, zt + j, size);
      for (std::ptrdiff_t r = 0; r < strip; ++r)
        for (std::ptrdiff_t q = 0; q < parts; ++q) write(a + (i + r) * size + j + q * width) += s.sum[r][q];
    }
}

}  // namespace

extern const RankUpdates STEELYARD_FOR_ISA(rank_updates_);
const RankUpdates STEELYARD_FOR_ISA(rank_updates_){differences, multiply, multiply_lower, products, update};

}  // namespace steelyard::simd
