#include "simd/table.hpp"

namespace steelyard::simd {
namespace {

// A strip of c that stays in registers: 4 rows of 4 vectors (2 where there are but 16 registers).
constexpr std::ptrdiff_t strip_rows = 4;
#if defined(__AVX512F__)
constexpr std::ptrdiff_t strip_bytes = 256;
#elif defined(__AVX__) || defined(__aarch64__)
constexpr std::ptrdiff_t strip_bytes = 64;
#else
constexpr std::ptrdiff_t strip_bytes = 32;
#endif

template <class Real>
constexpr std::ptrdiff_t strip_cols = strip_bytes / static_cast<std::ptrdiff_t>(sizeof(Real));

#if defined(__aarch64__)
// One instruction; a comparison and a choice are two. No number here is NaN.
inline float smaller(float a, float b) { return __builtin_fminf(a, b); }
inline double smaller(double a, double b) { return __builtin_fmin(a, b); }
#else
template <class Real>
inline Real smaller(Real a, Real b) {
  return a < b ? a : b;
}
#endif

template <class Real, bool tagged>
inline void strip(Real* c, std::int32_t* which, std::int32_t tag, const Real* a, const Real* b) {
  constexpr std::ptrdiff_t cols = strip_cols<Real>;
  Real least[std::size_t{strip_rows}][std::size_t{cols}];
  for (std::ptrdiff_t i = 0; i < strip_rows; ++i) {
#pragma omp simd
    for (std::ptrdiff_t j = 0; j < cols; ++j) least[i][j] = c[i * block_size + j];
  }
  for (std::ptrdiff_t k = 0; k < block_size; ++k) {
    for (std::ptrdiff_t i = 0; i < strip_rows; ++i) {
      const Real leg = a[i * block_size + k];
#pragma omp simd
      for (std::ptrdiff_t j = 0; j < cols; ++j)
        least[i][j] = smaller(leg + b[k * block_size + j], least[i][j]);
    }
  }
  for (std::ptrdiff_t i = 0; i < strip_rows; ++i) {
    if constexpr (tagged) {
#pragma omp simd
      for (std::ptrdiff_t j = 0; j < cols; ++j) {
        const std::ptrdiff_t at = i * block_size + j;
        which[at] = least[i][j] < c[at] ? tag : which[at];
      }
    }
#pragma omp simd
    for (std::ptrdiff_t j = 0; j < cols; ++j) c[i * block_size + j] = least[i][j];
  }
}

template <class Real, bool tagged>
inline void all_strips(Real* c, std::int32_t* which, std::int32_t tag, const Real* a, const Real* b) {
  for (std::ptrdiff_t j = 0; j < block_size; j += strip_cols<Real>) {
    for (std::ptrdiff_t i = 0; i < block_size; i += strip_rows) {
      const std::ptrdiff_t at = i * block_size + j;
      strip<Real, tagged>(c + at, tagged ? which + at : which, tag, a + i * block_size, b + j);
    }
  }
}

template <class Real>
void product(Real* c, const Real* a, const Real* b) {
  all_strips<Real, false>(c, nullptr, 0, a, b);
}

template <class Real>
void tagged_product(Real* c, std::int32_t* which, std::int32_t tag, const Real* a, const Real* b) {
  all_strips<Real, true>(c, which, tag, a, b);
}

template <class Real>
void closing_product(Real* c, const Real* a, const Real* b) {
  for (std::ptrdiff_t k = 0; k < block_size; ++k) {
    Real row[std::size_t{block_size}];  // of b as it stands now: c may be b
    for (std::ptrdiff_t j = 0; j < block_size; ++j) row[j] = b[k * block_size + j];
    for (std::ptrdiff_t i = 0; i < block_size; ++i) {
      const Real leg = a[i * block_size + k];
      Real* out = c + i * block_size;
#pragma omp simd
      for (std::ptrdiff_t j = 0; j < block_size; ++j) out[j] = smaller(leg + row[j], out[j]);
    }
  }
}

template <class Real>
std::ptrdiff_t find_sum(const Real* a, const Real* b, Real sum) {
  std::int32_t found = block_size;
#pragma omp simd reduction(min : found)
  for (std::int32_t k = 0; k < block_size; ++k) {
    const std::int32_t here = a[k] + b[k] == sum ? k : static_cast<std::int32_t>(block_size);
    found = here < found ? here : found;
  }
  return found;
}

template <class Real>
std::int64_t count_below(const Real* a, const Real* b, std::ptrdiff_t n, Real limit, Real* least) {
  std::int64_t count = 0;
  Real smallest = a[0] + b[0];
#pragma omp simd reduction(+ : count) reduction(min : smallest)
  for (std::ptrdiff_t k = 0; k < n; ++k) {
    const Real sum = a[k] + b[k];
    count += sum < limit ? 1 : 0;
    smallest = sum < smallest ? sum : smallest;
  }
  *least = smallest;
  return count;
}

}  // namespace

extern const MinPlus<float> STEELYARD_FOR_ISA(min_plus_f32_);
const MinPlus<float> STEELYARD_FOR_ISA(min_plus_f32_){
    product<float>, tagged_product<float>, closing_product<float>, find_sum<float>, count_below<float>};
extern const MinPlus<double> STEELYARD_FOR_ISA(min_plus_f64_);
const MinPlus<double> STEELYARD_FOR_ISA(min_plus_f64_){
    product<double>, tagged_product<double>, closing_product<double>, find_sum<double>, count_below<double>};

}  // namespace steelyard::simd
