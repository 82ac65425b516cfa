// IEEE half precision as stored by NumPy's float16: read, never computed with.
#pragma once

#include <bit>
#include <cstdint>

namespace steelyard {

struct Half {
  std::uint16_t bits = 0;

  explicit operator float() const {
    const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
    const std::uint32_t exponent = (bits >> 10) & 0x1Fu, fraction = bits & 0x3FFu;
    if (exponent == 0x1Fu) return std::bit_cast<float>(sign | 0x7F800000u | fraction << 13);
    if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112u) << 23 | fraction << 13);
    const float tiny = static_cast<float>(fraction) * 0x1p-24f;  // subnormal
    return sign != 0 ? -tiny : tiny;
  }
};

}  // namespace steelyard
