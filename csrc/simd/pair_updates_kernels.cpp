#include "simd/side_by_side_inline.hpp"
#include "simd/slack_step_inline.hpp"
#include "simd/table.hpp"

namespace steelyard::simd {
namespace {

template <class Real>
void differences(const double* const* first, const double* const* second, std::ptrdiff_t d,
                 std::ptrdiff_t size, Real* v) {
  constexpr std::ptrdiff_t n = side_by_side<Real>, w = width<Real>;
  const std::ptrdiff_t whole = d / w * w;
  store_transposed(
      whole,
      [=](std::ptrdiff_t i, std::ptrdiff_t j) {
        Vector<Real> out;
        Real* to = reinterpret_cast<Real*>(&out);
        const double *a = first[i] + j, *b = second[i] + j;
#pragma omp simd
        for (std::ptrdiff_t l = 0; l < w; ++l) to[l] = static_cast<Real>(a[l] - b[l]);
        return out;
      },
      v, n);
  for (std::ptrdiff_t k = whole; k < d; ++k)
    for (std::ptrdiff_t b = 0; b < n; ++b) v[k * n + b] = static_cast<Real>(first[b][k] - second[b][k]);
  for (std::ptrdiff_t k = d * n; k < size * n; ++k) v[k] = 0;
}

/// The squared length of each vector.
template <class Real>
inline void squares(const Real* v, std::ptrdiff_t size, Real* out) {
  constexpr std::ptrdiff_t n = side_by_side<Real>;
  Vector<Real> sum[2][std::size_t{parts<Real>}] = {};
  for (std::ptrdiff_t k = 0; k < size; k += 2)
    for (std::ptrdiff_t h = 0; h < 2; ++h)
      for (std::ptrdiff_t q = 0; q < parts<Real>; ++q) {
        const Vector<Real> here = read(v + (k + h) * n + q * width<Real>);
        sum[h][q] += here * here;
      }
  for (std::ptrdiff_t q = 0; q < parts<Real>; ++q) write(out + q * width<Real>) = sum[0][q] + sum[1][q];
}

/// With G = V'Y, the steps before it turn row b of G into g_b = (v_b' A v_c)_c and y_b into Y w_b:
///
///   g_b <- g_b + sum_m (beta_m g_m[b]) g_m,   w_b = e_b + sum_m (beta_m g_m[b]) w_m,
///
/// so that p_b = g_b[b] comes without A.
template <class Real>
void steps(const SlackRule& rule, const Real* v, const Real* y, std::ptrdiff_t size, PairBatch<Real>& batch) {
  constexpr std::ptrdiff_t n = side_by_side<Real>, p = parts<Real>;
  constexpr std::size_t many = PairBatch<Real>::pairs;
  alignas(64) Real g[many * many], square[many], done[2 * many * many];  // g_m and w_m of those that moved
  alignas(64) Real unit[many * many] = {};
  products(v, y, size, g, n);
  for (std::ptrdiff_t b = 0; b < n; ++b) unit[b * n + b] = 1;
  if constexpr (sizeof(Real) == 4) squares(v, size, square);
  batch.moved = 0;
  batch.refused = 0;
  batch.movement = 0.0;
  for (std::ptrdiff_t b = 0; b < batch.count; ++b) {
    Vector<Real> row[std::size_t{2 * p}];
#pragma GCC unroll 8
    for (std::ptrdiff_t q = 0; q < p; ++q) {
      row[q] = read(g + b * n + q * width<Real>);
      row[p + q] = read(unit + b * n + q * width<Real>);
    }
    for (std::ptrdiff_t m = 0; m < batch.moved; ++m) {
      const Real factor = batch.factors[m] * done[m * 2 * n + b];
#pragma GCC unroll 16
      for (std::ptrdiff_t q = 0; q < 2 * p; ++q) row[q] += factor * read(done + m * 2 * n + q * width<Real>);
    }
    Real* own = done + batch.moved * 2 * n;
#pragma GCC unroll 16
    for (std::ptrdiff_t q = 0; q < 2 * p; ++q) write(own + q * width<Real>) = row[q];
    const double distance = static_cast<double>(own[b]);
    double least = batch.smallest;
    if constexpr (sizeof(Real) == 4) least *= static_cast<double>(square[b]);
    if (!(distance > least) || distance - distance != 0.0) {
      batch.refused |= std::uint32_t{1} << b;
      continue;
    }
    double& dual = *batch.duals[b];
    const double s = batch.sign[b];
    const double beta =
        slack_step(s, rule.share, inverse_slack(rule, s, dual), distance, dual, batch.movement);
    if (beta == 0.0) continue;
    batch.factors[batch.moved] = static_cast<Real>(beta);
    ++batch.moved;
  }
  store_transposed(
      n,
      [&](std::ptrdiff_t i, std::ptrdiff_t j) {
        return i < batch.moved ? read(done + i * 2 * n + n + j) : Vector<Real>{};
      },
      batch.columns, n);
}

/// Z = Y U: in rows times the factors, and transposed.
template <class Real>
inline void combine(const Real* y, std::ptrdiff_t size, const Real* u, const Real* factors, Real* zf,
                    Real* zt) {
  constexpr std::ptrdiff_t n = side_by_side<Real>;
  for (std::ptrdiff_t k = 0; k < size; k += n) {
    alignas(64) Real z[PairBatch<Real>::pairs * PairBatch<Real>::pairs];
    for (std::ptrdiff_t i = 0; i < n; i += strip<Real>) {
      Strip<Real> s;
      s.fill(y + (k + i) * n, 1, n, n, u, n);
      s.store(z + i * n);
      for (std::ptrdiff_t r = 0; r < strip<Real>; ++r)
        for (std::ptrdiff_t q = 0; q < parts<Real>; ++q)
          write(zf + (k + i + r) * n + q * width<Real>) = read(factors + q * width<Real>) * s.sum[r][q];
    }
    transpose(z, n, zt + k, size);
  }
}

template <class Real>
void update(Real* a, std::ptrdiff_t size, const Real* y, const Real* u, const Real* factors,
            std::ptrdiff_t count, Real* scratch) {
  constexpr std::ptrdiff_t n = side_by_side<Real>;
  Real *zf = scratch, *zt = scratch + n * size;
  combine(y, size, u, factors, zf, zt);
  for (std::ptrdiff_t i = 0; i < size; i += strip<Real>)
    for (std::ptrdiff_t j = 0; j < i + strip<Real>; j += n) {
      Strip<Real> s;
      s.fill(zf + i * n, 1, n, count, zt + j, size);
      s.add_to(a + i * size + j, size);
    }
}

}  // namespace

extern const PairUpdates<float> STEELYARD_FOR_ISA(pair_updates_f32_);
extern const PairUpdates<double> STEELYARD_FOR_ISA(pair_updates_f64_);
const PairUpdates<float> STEELYARD_FOR_ISA(pair_updates_f32_){differences<float>, multiply<float>,
                                                              steps<float>, update<float>};
const PairUpdates<double> STEELYARD_FOR_ISA(pair_updates_f64_){differences<double>, multiply<double>,
                                                               steps<double>, update<double>};

}  // namespace steelyard::simd
