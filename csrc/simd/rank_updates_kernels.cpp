#include "simd/slack_step_inline.hpp"
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
    add(factors, step, row_step, count, rows, rows_stride);
  }

  inline void add(const double* factors, std::ptrdiff_t step, std::ptrdiff_t row_step, std::ptrdiff_t count,
                  const double* rows, std::ptrdiff_t rows_stride) {
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

inline void store(const Strip& s, double* rows, std::ptrdiff_t stride = lanes) {
  for (std::ptrdiff_t r = 0; r < strip; ++r)
    for (std::ptrdiff_t q = 0; q < parts; ++q) write(rows + r * stride + q * width) = s.sum[r][q];
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

void products(const double* v, const double* y, std::ptrdiff_t size, double* g, std::ptrdiff_t stride) {
  for (std::ptrdiff_t i = 0; i < lanes; i += strip) {
    Strip s;
    s.fill(v + i, lanes, 1, size, y, lanes);
    store(s, g + i * stride, stride);
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

constexpr std::ptrdiff_t points = PairBlock::points, row_length = 2 * points, row_parts = row_length / width;

/// Below this share of the products that it is a difference of, a squared distance has lost half its digits.
constexpr double lost = 1e-8;

/// A v of the steps in terms of Y, and that times beta.
struct Steps {
  alignas(64) double direction[PairBlock::pairs * points];
  alignas(64) double scaled[PairBlock::pairs * points];
};

/// The step on the pair i < j. Rows before `first` are done and need not feel it.
inline void pair_step(const SlackRule& rule, PairBlock& block, std::ptrdiff_t i, std::ptrdiff_t j,
                      std::ptrdiff_t first, double scale, Steps& done) {
  const double *a = block.rows + i * row_length, *b = block.rows + j * row_length;
  const double squares = a[i] + b[j], p = squares - 2.0 * a[j], least = lost * (scale + squares);
  const std::ptrdiff_t place = i * points + j;
  const double s = block.sign[place];
  double& dual = block.duals[place];
  if (!(p > least)) {
    const bool satisfied = s > 0.0 && dual == 0.0 && least * rule.inverse_near < 1.0;
    if (!satisfied) block.near[block.near_count++] = static_cast<std::int16_t>(place);
    return;
  }
  const double beta = slack_step(s, rule.share, inverse_slack(rule, s, dual), p, dual, block.movement);
  if (beta == 0.0) return;
  double* direction = done.direction + block.moved_count * points;
  double* scaled = done.scaled + block.moved_count * points;
  block.moved[block.moved_count++] = static_cast<std::int16_t>(place);
  Vector row[row_parts];
  alignas(64) double factors[points];
#pragma GCC unroll 16
  for (std::ptrdiff_t q = 0; q < row_parts; ++q) row[q] = read(a + q * width) - read(b + q * width);
#pragma GCC unroll 8
  for (std::ptrdiff_t q = 0; q < row_parts / 2; ++q) {
    write(factors + q * width) = beta * row[q];
    write(direction + q * width) = row[row_parts / 2 + q];
    write(scaled + q * width) = beta * row[row_parts / 2 + q];
  }
  for (std::ptrdiff_t l = first; l < points; ++l) {
    double* out = block.rows + l * row_length;
#pragma GCC unroll 16
    for (std::ptrdiff_t q = 0; q < row_parts; ++q) write(out + q * width) += factors[l] * row[q];
  }
}

void block_steps(const SlackRule& rule, bool inside, PairBlock& block) {
  block.moved_count = block.near_count = 0;
  block.movement = 0.0;
  const std::ptrdiff_t middle = block.first_count, last = lanes + block.second_count;
  Steps done;
  double scale = 0.0;
  for (std::ptrdiff_t i = 0; i < points; ++i) {
    const double square = block.rows[i * row_length + i];
    if (square > scale) scale = square;
  }
  for (std::ptrdiff_t i = 0; i < points; ++i) {
    for (std::ptrdiff_t j = 0; j < points; ++j) block.rows[i * row_length + points + j] = 0.0;
    block.rows[i * row_length + points + i] = 1.0;
  }
  transpose(block.rows + lanes, row_length, block.rows + lanes * row_length, row_length);
  if (inside) {
    for (std::ptrdiff_t i = 0; i < middle; ++i)
      for (std::ptrdiff_t j = i + 1; j < middle; ++j) pair_step(rule, block, i, j, 0, scale, done);
    for (std::ptrdiff_t i = lanes; i < last; ++i)
      for (std::ptrdiff_t j = i + 1; j < last; ++j) pair_step(rule, block, i, j, 0, scale, done);
  }
  for (std::ptrdiff_t i = 0; i < middle; ++i)
    for (std::ptrdiff_t j = lanes; j < last; ++j) pair_step(rule, block, i, j, i, scale, done);
  for (std::ptrdiff_t i = 0; i < points; i += strip)
    for (std::ptrdiff_t j = 0; j < points; j += lanes) {
      Strip sum;
      sum.fill(done.scaled + i, points, 1, block.moved_count, done.direction + j, points);
      store(sum, block.coefficients + i * points + j, points);
    }
}

void block_update(double* a, std::ptrdiff_t size, const double* first, const double* second, const double* b,
                  double* scratch) {
  const std::ptrdiff_t half = lanes * size;
  double *z = scratch, *t = scratch + 2 * half;  // Y B and Y', each in two halves
  for (std::ptrdiff_t k = 0; k < size; k += lanes) {
    for (std::ptrdiff_t h = 0; h < 2; ++h)
      for (std::ptrdiff_t i = k; i < k + lanes; i += strip) {
        Strip s;
        s.fill(first + i * lanes, 1, lanes, lanes, b + h * lanes, points);
        s.add(second + i * lanes, 1, lanes, lanes, b + lanes * points + h * lanes, points);
        store(s, z + h * half + i * lanes);
      }
    transpose(first + k * lanes, lanes, t + k, size);
    transpose(second + k * lanes, lanes, t + half + k, size);
  }
  for (std::ptrdiff_t i = 0; i < size; i += strip)
    for (std::ptrdiff_t j = 0; j < i + strip; j += lanes) {
      Strip s;
      s.fill(z + i * lanes, 1, lanes, lanes, t + j, size);
      s.add(z + half + i * lanes, 1, lanes, lanes, t + half + j, size);
      for (std::ptrdiff_t r = 0; r < strip; ++r)
        for (std::ptrdiff_t q = 0; q < parts; ++q) write(a + (i + r) * size + j + q * width) += s.sum[r][q];
    }
}

void pull(const double* x, const double* other, std::ptrdiff_t size, const double* weights, double* out) {
  for (std::ptrdiff_t k = 0; k < size; ++k)
    for (std::ptrdiff_t q = 0; q < lanes; q += width) {
      const Vector here = read(x + k * lanes + q);
      Vector sum[2] = {};
#pragma GCC unroll 8
      for (std::ptrdiff_t j = 0; j < lanes; ++j)
        sum[j % 2] += read(weights + j * points + q) * (here - other[k * lanes + j]);
      write(out + k * lanes + q) += sum[0] + sum[1];
    }
}

void distances(const double* x, const double* other, std::ptrdiff_t size, double* out) {
  for (std::ptrdiff_t j = 0; j < lanes; j += strip) {
    Vector sum[strip][parts] = {};
    for (std::ptrdiff_t k = 0; k < size; ++k)
#pragma GCC unroll 8
      for (std::ptrdiff_t r = 0; r < strip; ++r)
#pragma GCC unroll 8
        for (std::ptrdiff_t q = 0; q < parts; ++q) {
          const Vector apart = read(x + k * lanes + q * width) - other[k * lanes + j + r];
          sum[r][q] += apart * apart;
        }
    for (std::ptrdiff_t r = 0; r < strip; ++r)
      for (std::ptrdiff_t q = 0; q < parts; ++q) write(out + (j + r) * points + q * width) = sum[r][q];
  }
}

}  // namespace

extern const RankUpdates STEELYARD_FOR_ISA(rank_updates_);
const RankUpdates STEELYARD_FOR_ISA(rank_updates_){
    differences, multiply, multiply_lower, products, update, block_steps, block_update, pull, distances};

}  // namespace steelyard::simd
