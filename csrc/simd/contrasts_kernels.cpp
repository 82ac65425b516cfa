#include "simd/table.hpp"

namespace steelyard::simd {
namespace {

constexpr std::ptrdiff_t width = Contrasts::draws;

void maxima(const double* own, const double* z, const double* scale, std::ptrdiff_t n, double* best) {
  double top[width], mine[width];
  for (std::ptrdiff_t k = 0; k < width; ++k) {
    top[k] = best[k];
    mine[k] = own[k];
  }
  for (std::ptrdiff_t j = 0; j < n; ++j) {
    const double s = scale[j];
    const double* other = z + j * width;
#pragma omp simd
    for (std::ptrdiff_t k = 0; k < width; ++k) {
      const double t = __builtin_fabs(mine[k] - other[k]) * s;
      top[k] = t > top[k] ? t : top[k];
    }
  }
  for (std::ptrdiff_t k = 0; k < width; ++k) best[k] = top[k];
}

}  // namespace

extern const Contrasts STEELYARD_FOR_ISA(contrasts_);
const Contrasts STEELYARD_FOR_ISA(contrasts_){maxima};

}  // namespace steelyard::simd
