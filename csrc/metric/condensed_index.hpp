// Where an unordered pair of n points stands in condensed order: (0, 1), (0, 2), ..., (n - 2, n - 1).
#pragma once

#include <cstddef>

namespace steelyard::metric {

/// Number of unordered pairs of n points.
constexpr std::ptrdiff_t pair_count(std::ptrdiff_t n) { return n * (n - 1) / 2; }

/// Place of the pair (i, j), i < j.
constexpr std::ptrdiff_t condensed_index(std::ptrdiff_t n, std::ptrdiff_t i, std::ptrdiff_t j) {
  return i * (2 * n - i - 1) / 2 + (j - i - 1);
}

/// Place of the pair {i, j}, i != j.
constexpr std::ptrdiff_t unordered_index(std::ptrdiff_t n, std::ptrdiff_t i, std::ptrdiff_t j) {
  return i < j ? condensed_index(n, i, j) : condensed_index(n, j, i);
}

}  // namespace steelyard::metric
