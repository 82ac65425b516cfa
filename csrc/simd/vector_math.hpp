// Element-wise functions over arrays.
#pragma once

#include <cstddef>

namespace steelyard::simd {

struct VectorMath {
  /// x[i] <- exp(x[i]); relative error below 2.3e-16, overflow to inf above 709.78, underflow to 0 below
  /// -708.39.
  void (*exp)(double* x, std::ptrdiff_t n);
  /// The same in single precision; relative error below 1.2e-7.
  void (*exp_f32)(float* x, std::ptrdiff_t n);
  /// x[i] <- exp(-t sqrt(x[i])): similarities from squared distances.
  void (*exp_minus_root)(double* x, std::ptrdiff_t n, double t);
  void (*exp_minus_root_f32)(float* x, std::ptrdiff_t n, float t);
};

}  // namespace steelyard::simd
