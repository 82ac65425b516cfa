// Products in the (min, +) algebra of square blocks: the inner loop of shortest paths and of the search for
// violated triangle inequalities.
#pragma once

#include <cstddef>
#include <cstdint>

namespace steelyard::simd {

/// Rows and columns of a block; blocks are stored row after row.
inline constexpr std::ptrdiff_t block_size = 64;
inline constexpr std::ptrdiff_t block_area = block_size * block_size;

template <class Real>
struct MinPlus {
  /// c_ij <- min(c_ij, min_k a_ik + b_kj)
  void (*product)(Real* c, const Real* a, const Real* b);
  /// The same, and which_ij <- tag wherever c_ij fell.
  void (*tagged_product)(Real* c, std::int32_t* which, std::int32_t tag, const Real* a, const Real* b);
  /// The same as `product` for k = 0, 1, ... in turn, so that c may be b (and a): one step of Floyd and
  /// Warshall.
  void (*closing_product)(Real* c, const Real* a, const Real* b);
  /// The least k with a_k + b_k == sum, over one row of two blocks; block_size if there is none.
  std::ptrdiff_t (*find_sum)(const Real* a, const Real* b, Real sum);
  /// How many of the n sums a_k + b_k lie below `limit`; *least becomes the smallest sum.
  std::int64_t (*count_below)(const Real* a, const Real* b, std::ptrdiff_t n, Real limit, Real* least);
};

}  // namespace steelyard::simd
