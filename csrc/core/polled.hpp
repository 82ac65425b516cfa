// A long serial loop that answers Ctrl-C.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/monitor.hpp"

namespace steelyard {

/// body(0) ... body(n - 1); false if stopped on the way. No monitor: no questions.
template <class Body>
bool polled(std::size_t n, Monitor* monitor, const Body& body) {
  constexpr std::size_t chunk = std::size_t{1} << 18;  // some 10 ms where every step misses the cache
  for (std::size_t begin = 0; begin < n; begin += chunk) {
    if (monitor != nullptr && monitor->poll()) return false;
    const std::size_t end = std::min(begin + chunk, n);
    for (std::size_t k = begin; k < end; ++k) body(k);
  }
  return true;
}

}  // namespace steelyard
