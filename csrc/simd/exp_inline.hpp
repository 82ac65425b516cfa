// exp for the *_kernels.cpp files: Cody-Waite reduction and a polynomial, so that the compiler can vectorise
// it.
//
// Everything here is in an anonymous namespace: each instruction set must keep its own copy.
#pragma once

#include <cstdint>
#include <cstring>

namespace steelyard::simd {
namespace {

/// e^r for |r| <= ln(2) / 2.
inline double exp_polynomial(double r) {
  double p = 1.6059043836821613e-10;  // 1 / 13!
  p = p * r + 2.0876756987868099e-09;
  p = p * r + 2.5052108385441720e-08;
  p = p * r + 2.7557319223985888e-07;
  p = p * r + 2.7557319223985893e-06;
  p = p * r + 2.4801587301587302e-05;
  p = p * r + 1.9841269841269841e-04;
  p = p * r + 1.3888888888888889e-03;
  p = p * r + 8.3333333333333332e-03;
  p = p * r + 4.1666666666666664e-02;
  p = p * r + 1.6666666666666666e-01;
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  return p;
}

inline float exp_polynomial(float r) {
  float p = 1.98412698e-4F;  // 1 / 7!
  p = p * r + 1.38888889e-3F;
  p = p * r + 8.33333333e-3F;
  p = p * r + 4.16666667e-2F;
  p = p * r + 1.66666667e-1F;
  p = p * r + 0.5F;
  p = p * r + 1.0F;
  p = p * r + 1.0F;
  return p;
}

/// e^x, relative error about 1 ulp; inf above 709.78, 0 below -708.39 (no denormals), NaN stays NaN.
inline double exp_inline(double x) {
  constexpr double round_magic = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer
  const double clamped = x < -708.39 ? -708.39 : (x > 709.78 ? 709.78 : x);
  double shifted = clamped * 1.4426950408889634 + round_magic;
  std::int64_t exponent;
  std::memcpy(&exponent, &shifted, sizeof(exponent));
  shifted -= round_magic;
  double r = clamped - shifted * 6.93147180369123816490e-01;  // ln 2 in two parts
  r -= shifted * 1.90821492927058770002e-10;
  double p = exp_polynomial(r);
  std::int64_t bits;
  std::memcpy(&bits, &p, sizeof(bits));
  bits += static_cast<std::int64_t>(static_cast<std::uint64_t>(exponent) << 52);
  double y;
  std::memcpy(&y, &bits, sizeof(y));
  y = x < -708.39 ? 0.0 : y;
  y = x > 709.78 ? __builtin_huge_val() : y;
  return x == x ? y : x;
}

/// The same in single precision: inf above 88.72, 0 below -87.33.
inline float exp_inline(float x) {
  constexpr float round_magic = 12582912.0F;  // 1.5 * 2^23
  const float clamped = x < -87.33F ? -87.33F : (x > 88.72F ? 88.72F : x);
  float shifted = clamped * 1.44269504F + round_magic;
  std::int32_t exponent;
  std::memcpy(&exponent, &shifted, sizeof(exponent));
  shifted -= round_magic;
  float r = clamped - shifted * 0.693359375F;
  r += shifted * 2.12194440e-4F;
  float p = exp_polynomial(r);
  std::int32_t bits;
  std::memcpy(&bits, &p, sizeof(bits));
  bits += static_cast<std::int32_t>(static_cast<std::uint32_t>(exponent) << 23);
  float y;
  std::memcpy(&y, &bits, sizeof(y));
  y = x < -87.33F ? 0.0F : y;
  y = x > 88.72F ? __builtin_huge_valf() : y;
  return x == x ? y : x;
}

/// 2^r for |r| <= 1/2: (2^r - 1) / r at Chebyshev's points.
inline double exp2_polynomial(double r) {
  double p = 4.4549605981865186e-10;
  p = p * r + 7.0725859492692234e-09;
  p = p * r + 1.0178062445845774e-07;
  p = p * r + 1.3215442587921689e-06;
  p = p * r + 1.5252733829836119e-05;
  p = p * r + 1.5403530441736050e-04;
  p = p * r + 1.3333558146416936e-03;
  p = p * r + 9.6181291076068882e-03;
  p = p * r + 5.5504108664821597e-02;
  p = p * r + 2.4022650695910097e-01;
  p = p * r + 6.9314718055994529e-01;
  p = p * r + 1.0;
  return p;
}

/// The least relative error of all whose coefficients are float and whose first is 1.
inline float exp2_polynomial(float r) {
  float p = 1.53264715e-4F;
  p = p * r + 1.33908063e-3F;
  p = p * r + 9.61850584e-3F;
  p = p * r + 5.55035993e-2F;
  p = p * r + 2.40226477e-1F;
  p = p * r + 6.93147182e-1F;
  p = p * r + 1.0F;
  return p;
}

/// 2^x for x <= 0, relative error about 1 ulp, without the checks that an argument of any sign needs. Never
/// below 2^-256 (2^-64): nothing beside 1, and products with it do not become denormal, which is slow. NaN
/// becomes that too.
inline double exp2_nonpositive(double x) {
  constexpr double round_magic = 6755399441055744.0;  // 1.5 * 2^52
  x = x > -256.0 ? x : -256.0;
  double shifted = x + round_magic;
  std::int64_t exponent;
  std::memcpy(&exponent, &shifted, sizeof(exponent));
  shifted -= round_magic;
  double p = exp2_polynomial(x - shifted);
  std::int64_t bits;
  std::memcpy(&bits, &p, sizeof(bits));
  bits += static_cast<std::int64_t>(static_cast<std::uint64_t>(exponent) << 52);
  std::memcpy(&p, &bits, sizeof(p));
  return p;
}

inline float exp2_nonpositive(float x) {
  constexpr float round_magic = 12582912.0F;  // 1.5 * 2^23
  x = x > -64.0F ? x : -64.0F;
  float shifted = x + round_magic;
  std::int32_t exponent;
  std::memcpy(&exponent, &shifted, sizeof(exponent));
  shifted -= round_magic;
  float p = exp2_polynomial(x - shifted);
  std::int32_t bits;
  std::memcpy(&bits, &p, sizeof(bits));
  bits += static_cast<std::int32_t>(static_cast<std::uint32_t>(exponent) << 23);
  std::memcpy(&p, &bits, sizeof(p));
  return p;
}

}  // namespace
}  // namespace steelyard::simd
