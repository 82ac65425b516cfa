#include "simd/best_match.hpp"
#include "simd/product_inline.hpp"
#include "simd/table.hpp"

namespace steelyard::simd {
namespace {

// The sums of a tile stay in registers: 16 of 32 with AVX-512, 12 of 16 else.
#if defined(__AVX512F__)
constexpr std::ptrdiff_t match_rows = 8, match_bytes = 128;
#elif defined(__AVX2__)
constexpr std::ptrdiff_t match_rows = 6, match_bytes = 64;
#else
constexpr std::ptrdiff_t match_rows = 6, match_bytes = 32;
#endif

template <class Real>
constexpr std::ptrdiff_t match_cols = match_bytes / static_cast<std::ptrdiff_t>(sizeof(Real));

template <class Real>
using Sums = Real[std::size_t{match_rows}][std::size_t{match_cols<Real>}];

template <class Real>
[[gnu::always_inline]] inline void products(const Real* x_panel, const Real* y, const Real* offset,
                                            std::ptrdiff_t d, Sums<Real>& sum) {
  constexpr std::ptrdiff_t cols = match_cols<Real>;
  for (std::ptrdiff_t i = 0; i < match_rows; ++i) {
#pragma omp simd
    for (std::ptrdiff_t j = 0; j < cols; ++j) sum[i][j] = -offset[j];
  }
  add_products<match_rows>(x_panel, y, d, sum);
}

template <class Real>
void update(const Real* x_panel, const Real* y_panels, const Real* offsets, std::ptrdiff_t panels,
            std::ptrdiff_t d, std::ptrdiff_t first, Real* best, Real* second,
            typename LaneNumber<Real>::type* panel) {
  constexpr std::ptrdiff_t cols = match_cols<Real>;
  using Number = typename LaneNumber<Real>::type;
  for (std::ptrdiff_t p = 0; p < panels; ++p) {
    const auto number = static_cast<Number>(first + p);
    Sums<Real> sum;
    products(x_panel, y_panels + p * d * cols, offsets + p * cols, d, sum);
    for (std::ptrdiff_t i = 0; i < match_rows; ++i) {
      Real* row_best = best + i * cols;
      Real* row_second = second + i * cols;
      Number* row_panel = panel + i * cols;
#pragma omp simd
      for (std::ptrdiff_t j = 0; j < cols; ++j) {
        const Real now = sum[i][j], old = row_best[j];
        const Real low = now < old ? now : old;
        row_second[j] = row_second[j] < low ? low : row_second[j];
        row_best[j] = old < now ? now : old;
        row_panel[j] = old < now ? number : row_panel[j];
      }
    }
  }
}

template <class Real>
std::ptrdiff_t reaching(const Real* x_panel, const Real* y_panels, const Real* offsets,
                        const Real* thresholds, std::ptrdiff_t panels, std::ptrdiff_t d, std::ptrdiff_t first,
                        Reached* out) {
  constexpr std::ptrdiff_t cols = match_cols<Real>;
  using Number = typename LaneNumber<Real>::type;
  std::ptrdiff_t count = 0;
  for (std::ptrdiff_t p = 0; p < panels; ++p) {
    Sums<Real> sum;
    products(x_panel, y_panels + p * d * cols, offsets + p * cols, d, sum);
    for (std::ptrdiff_t i = 0; i < match_rows; ++i) {
      const Real threshold = thresholds[i];
      Number any = 0;
#pragma omp simd reduction(| : any)
      for (std::ptrdiff_t j = 0; j < cols; ++j) any |= sum[i][j] >= threshold ? Number{1} : Number{0};
      if (any == 0) continue;
      for (std::ptrdiff_t j = 0; j < cols; ++j)
        if (sum[i][j] >= threshold)
          out[count++] = {static_cast<std::int32_t>(i), static_cast<std::int32_t>((first + p) * cols + j)};
    }
  }
  return count;
}

}  // namespace

extern const BestMatch<float> STEELYARD_FOR_ISA(best_match_f32_);
extern const BestMatch<double> STEELYARD_FOR_ISA(best_match_f64_);
const BestMatch<float> STEELYARD_FOR_ISA(best_match_f32_) = {match_rows, match_cols<float>, update<float>,
                                                             reaching<float>};
const BestMatch<double> STEELYARD_FOR_ISA(best_match_f64_) = {match_rows, match_cols<double>, update<double>,
                                                              reaching<double>};

}  // namespace steelyard::simd
