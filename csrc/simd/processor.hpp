// Which level of x86-64 the processor and the system offer; 0 elsewhere.
//
// An own test, since __builtin_cpu_supports knows the levels by name in GCC alone: clang and zig answer no.
#pragma once

#include <initializer_list>

#if defined(__x86_64__) || defined(_M_X64)
#include <cpuid.h>
#define STEELYARD_X86_64
#endif

namespace steelyard::simd {

struct Registers {
  unsigned a = 0, b = 0, c = 0, d = 0;
};

constexpr bool has_all(unsigned word, std::initializer_list<int> bits) {
  for (const int bit : bits) {
    if ((word >> bit & 1U) == 0) return false;
  }
  return true;
}

/// 2: x86-64-v4, 1: x86-64-v3, 0: neither. `one`, `seven` and `extended` are leaves 1, 7 and 0x80000001 of
/// cpuid, `saved` the register states that the system saves (XCR0; zero where it cannot be asked).
constexpr int x86_level(const Registers& one, const Registers& seven, const Registers& extended,
                        unsigned saved) {
  // SSE3, SSSE3, FMA, CMPXCHG16B, SSE4.1, SSE4.2, MOVBE, POPCNT, OSXSAVE, AVX, F16C
  const bool first = has_all(one.c, {0, 9, 12, 13, 19, 20, 22, 23, 27, 28, 29});
  // BMI1, AVX2, BMI2; LAHF, LZCNT; XMM and YMM are saved
  const bool v3 =
      first && has_all(seven.b, {3, 5, 8}) && has_all(extended.c, {0, 5}) && has_all(saved, {1, 2});
  // AVX-512 F, DQ, CD, BW, VL; masks and both parts of ZMM are saved
  const bool v4 = v3 && has_all(seven.b, {16, 17, 28, 30, 31}) && has_all(saved, {5, 6, 7});
  return v4 ? 2 : (v3 ? 1 : 0);
}

#if defined(STEELYARD_X86_64)
inline int processor_level() {
  Registers one, seven, extended;
  if (__get_cpuid(1, &one.a, &one.b, &one.c, &one.d) == 0) return 0;
  if (__get_cpuid_count(7, 0, &seven.a, &seven.b, &seven.c, &seven.d) == 0) return 0;
  if (__get_cpuid(0x80000001U, &extended.a, &extended.b, &extended.c, &extended.d) == 0) return 0;
  unsigned saved = 0;
  if (has_all(one.c, {27})) {  // else xgetbv itself is not there
    unsigned high = 0;
    __asm__("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
  }
  return x86_level(one, seven, extended, saved);
}
#else
inline int processor_level() { return 0; }
#endif

}  // namespace steelyard::simd
