// Sizes and places: the one cast to std::size_t, and products that don't wrap.
#pragma once

#include <cassert>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace steelyard {

/// A place in, or the length of, a standard container: never negative.
template <std::integral Index>
constexpr std::size_t at(Index i) noexcept {
  if constexpr (std::signed_integral<Index>) assert(i >= 0);
  return static_cast<std::size_t>(i);
}

/// The product of nonnegative sizes; std::length_error, which names `what` (an argument), where it is more
/// than any array could hold. Sums of a few such products stay within 64 bits, in bytes too.
template <std::integral... Sizes>
std::size_t checked_product(const char* what, Sizes... sizes) {
  constexpr std::size_t most = std::size_t{PTRDIFF_MAX} / 64;
  std::size_t product = 1;
  bool fits = true, zero = false;
  const auto take = [&](auto size) {
    if constexpr (std::signed_integral<decltype(size)>) fits = fits && size >= 0;
    const auto factor = static_cast<std::size_t>(size);
    zero = zero || factor == 0;
    if (fits && factor != 0) fits = product <= most / factor;
    if (fits && factor != 0) product *= factor;
  };
  (take(sizes), ...);
  if (fits) return zero ? 0 : product;
  std::string text;
  ((text += (text.empty() ? "" : " x ") + std::to_string(sizes)), ...);
  throw std::length_error(std::string(what) + " is too large: " + text + " numbers can't be counted");
}

}  // namespace steelyard
