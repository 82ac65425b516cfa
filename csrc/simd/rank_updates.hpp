// Products and updates of a symmetric matrix with eight vectors at a time.
//
// Eight vectors side by side are `size` rows of eight numbers, one of each vector. Matrices are size x size,
// row-major without gaps, `size` a multiple of 8. Of symmetric ones the lower triangle is read, together with
// the upper one of the 8 x 8 squares on the diagonal, and those are what an update leaves right.
#pragma once

#include <cstddef>

namespace steelyard::simd {

inline constexpr std::ptrdiff_t lanes = 8;

struct RankUpdates {
  /// V, the eight vectors first[b] - second[b] of d <= size numbers, zeros behind.
  void (*differences)(const double* const* first, const double* const* second, std::ptrdiff_t d,
                      std::ptrdiff_t size, double* v);
  /// Y = A V, A symmetric.
  void (*multiply)(const double* a, std::ptrdiff_t size, const double* v, double* y);
  /// Y = L V, L lower triangular with zeros above the diagonal.
  void (*multiply_lower)(const double* l, std::ptrdiff_t size, const double* v, double* y);
  /// G = V'Y, 8 x 8.
  void (*products)(const double* v, const double* y, std::ptrdiff_t size, double* g);
  /// A += Z diag(factors) Z', A symmetric, Z the first `count` columns of Y U, U 8 x 8. `scratch` has room
  /// for 16 size.
  void (*update)(double* a, std::ptrdiff_t size, const double* y, const double* u, const double* factors,
                 std::ptrdiff_t count, double* scratch);
};

extern const RankUpdates rank_updates_base, rank_updates_v3, rank_updates_v4;

}  // namespace steelyard::simd
