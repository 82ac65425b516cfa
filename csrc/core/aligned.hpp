// Vectors that start on a cache line: 512-bit accesses then never cross one.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace steelyard {

template <class T>
struct CacheAligned {
  using value_type = T;
  static constexpr std::align_val_t line{64};

  CacheAligned() = default;
  template <class Other>
  CacheAligned(const CacheAligned<Other>&) noexcept {}

  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), line)); }
  void deallocate(T* p, std::size_t) noexcept { ::operator delete(p, line); }
  bool operator==(const CacheAligned&) const = default;
};

template <class T>
using AlignedVector = std::vector<T, CacheAligned<T>>;

}  // namespace steelyard
