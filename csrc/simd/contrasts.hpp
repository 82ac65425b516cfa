// The inner loop of simultaneous contrasts.
#pragma once

#include <cstddef>

namespace steelyard::simd {

struct Contrasts {
  static constexpr std::ptrdiff_t draws = 16;  ///< handled side by side

  /// best[k] <- max(best[k], max_j |own[k] - z[16 j + k]| scale[j]) for j < n.
  void (*maxima)(const double* own, const double* z, const double* scale, std::ptrdiff_t n, double* best);
};

}  // namespace steelyard::simd
