#include "simd/exp_inline.hpp"
#include "simd/table.hpp"

namespace steelyard::simd {
namespace {

void exp_f64(double* x, std::ptrdiff_t n) {
#pragma omp simd
  for (std::ptrdiff_t i = 0; i < n; ++i) x[i] = exp_inline(x[i]);
}

void exp_f32(float* x, std::ptrdiff_t n) {
#pragma omp simd
  for (std::ptrdiff_t i = 0; i < n; ++i) x[i] = exp_inline(x[i]);
}

void exp_minus_root_f64(double* x, std::ptrdiff_t n, double t) {
#pragma omp simd
  for (std::ptrdiff_t i = 0; i < n; ++i) x[i] = exp_inline(-t * __builtin_sqrt(x[i]));
}

void exp_minus_root_f32(float* x, std::ptrdiff_t n, float t) {
#pragma omp simd
  for (std::ptrdiff_t i = 0; i < n; ++i) x[i] = exp_inline(-t * __builtin_sqrtf(x[i]));
}

}  // namespace

extern const VectorMath STEELYARD_FOR_ISA(vector_math_);
const VectorMath STEELYARD_FOR_ISA(vector_math_){exp_f64, exp_f32, exp_minus_root_f64, exp_minus_root_f32};

}  // namespace steelyard::simd
