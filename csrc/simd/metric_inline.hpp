// The metrics as a step over one coordinate and a map at the end, for the *_kernels.cpp files.
//
// Everything here is in an anonymous namespace: each instruction set must keep its own copy.
#pragma once

#include <cstdint>
#include <cstring>

#include "simd/exp_inline.hpp"
#include "simd/tile.hpp"

namespace steelyard::simd {
namespace {

inline float square_root(float x) { return __builtin_sqrtf(x); }
inline double square_root(double x) { return __builtin_sqrt(x); }
template <class Real>
inline Real magnitude_of(Real x) {
  return x < Real{0} ? -x : x;
}

/// ln x for normal x > 0: x = 2^e m with m in [2/3, 4/3), ln m = 2 artanh((m - 1) / (m + 1)).
inline double log_inline(double x) {
  std::int64_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  constexpr std::int64_t two_thirds = 0x3FE5555555555555;
  const std::int64_t exponent = (bits - two_thirds) >> 52;
  bits -= static_cast<std::int64_t>(static_cast<std::uint64_t>(exponent) << 52);
  double m;
  std::memcpy(&m, &bits, sizeof(m));
  const double s = (m - 1.0) / (m + 1.0), s2 = s * s;
  double sum = 1.0 / 25.0;
#pragma GCC unroll 12
  for (int k = 23; k >= 1; k -= 2) sum = sum * s2 + 1.0 / k;
  return static_cast<double>(exponent) * 0.69314718055994530942 + 2.0 * s * sum;
}

/// x^p for x >= 0, p > 0; 0 below 1e-300.
inline double power_inline(double x, double p) {
  const double safe = x < 1e-300 ? 1e-300 : x;
  const double result = exp_inline(p * log_inline(safe));
  return x < 1e-300 ? 0.0 : result;
}
inline float power_inline(float x, float p) {
  return static_cast<float>(power_inline(static_cast<double>(x), static_cast<double>(p)));
}

/// arcsin x for 0 <= x <= 1/2: the series x sum_k binom(2k, k) x^2k / (4^k (2k + 1)).
inline double arcsin_small(double x) {
  constexpr int terms = 24;
  double ratio[terms];  // of one coefficient to the one before
  for (int k = 1; k < terms; ++k) {
    ratio[k] = (2.0 * k - 1.0) * (2.0 * k - 1.0) / (2.0 * k * (2.0 * k + 1.0));
  }
  const double x2 = x * x;
  double sum = 1.0;
#pragma GCC unroll 24
  for (int k = terms - 1; k >= 1; --k) sum = 1.0 + sum * ratio[k] * x2;
  return x * sum;
}

inline double arcsin_inline(double x) {
  const bool large = x > 0.5;
  const double clipped = x > 1.0 ? 1.0 : x;
  const double small = large ? square_root(0.5 * (1.0 - clipped)) : clipped;
  const double angle = arcsin_small(small);
  return large ? 1.57079632679489661923 - 2.0 * angle : angle;
}

template <class Real>
struct Squares {
  static constexpr bool has_norms = false;
  static Real step(Real sum, Real difference, Real) { return sum + difference * difference; }
};

template <class Real>
struct Euclidean : Squares<Real> {
  static Real finish(Real sum, Real, Real, Real) { return square_root(sum); }
};

template <class Real>
struct Cityblock {
  static constexpr bool has_norms = false;
  static Real step(Real sum, Real difference, Real) { return sum + magnitude_of(difference); }
  static Real finish(Real sum, Real, Real, Real) { return sum; }
};

template <class Real>
struct Chebyshev {
  static constexpr bool has_norms = false;
  static Real step(Real sum, Real difference, Real) {
    const Real size = magnitude_of(difference);
    return size > sum ? size : sum;
  }
  static Real finish(Real sum, Real, Real, Real) { return sum; }
};

template <class Real>
struct Minkowski {
  static constexpr bool has_norms = false;
  static Real step(Real sum, Real difference, Real power) {
    return sum + power_inline(magnitude_of(difference), power);
  }
  static Real finish(Real sum, Real power, Real, Real) { return power_inline(sum, Real{1} / power); }
};

template <class Real>
struct Cosine : Squares<Real> {
  static Real finish(Real sum, Real, Real, Real) { return Real{0.5} * sum; }
};

template <class Real>
struct Angular : Squares<Real> {
  /// Squared difference beyond which the angle comes from the sum: the difference tells nothing near pi.
  static constexpr Real obtuse = 3;
  static Real finish(Real sum, Real, Real, Real) {
    return static_cast<Real>(2.0 * arcsin_inline(0.5 * square_root(static_cast<double>(sum))));
  }
  static Real finish_obtuse(Real sum) {
    return static_cast<Real>(3.14159265358979323846 -
                             2.0 * arcsin_inline(0.5 * square_root(static_cast<double>(sum))));
  }
};

template <class Real>
struct Hamming {
  static constexpr bool has_norms = false;
  static Real step(Real sum, Real difference, Real) {
    return sum + (difference != Real{0} ? Real{1} : Real{0});
  }
  static Real finish(Real sum, Real inverse_d, Real, Real) { return sum * inverse_d; }
};

/// |A xor B| / |A or B|, where |A or B| = (|A| + |B| + |A xor B|) / 2.
template <class Real>
struct Jaccard : Squares<Real> {
  static constexpr bool has_norms = true;
  static Real finish(Real sum, Real, Real x_norm, Real y_norm) {
    const Real whole = x_norm + y_norm + sum;
    return whole > Real{0} ? Real{2} * sum / whole : Real{0};
  }
};

/// Kernels of a squared distance; beyond `far_away` they are nothing beside 1.
template <class Real>
inline Real decay(Real s) {
  return exp2_nonpositive(s * static_cast<Real>(-1.4426950408889634));
}
template <class Real>
inline Real rated_distance(Real squared, Real rate) {
  constexpr Real far_away = 1000;
  const Real s = rate * square_root(squared);
  return s < far_away ? s : far_away;
}

template <class Real>
struct EnergyKernel {
  static Real value(Real squared, Real) { return -square_root(squared); }
};

template <class Real>
struct LaplacianKernel {
  static Real value(Real squared, Real rate) { return decay(rate * square_root(squared)); }
};

template <class Real>
struct GaussianKernel {
  static Real value(Real squared, Real rate) { return decay(rate * rate * squared); }
};

template <class Real>
struct Matern32Kernel {
  static Real value(Real squared, Real rate) {
    const Real s = rated_distance(squared, rate);
    return (Real{1} + s) * decay(s);
  }
};

template <class Real>
struct Matern52Kernel {
  static Real value(Real squared, Real rate) {
    const Real s = rated_distance(squared, rate);
    return (Real{1} + s + s * s * static_cast<Real>(1.0 / 3.0)) * decay(s);
  }
};

}  // namespace
}  // namespace steelyard::simd
