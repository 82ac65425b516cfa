// Integer labels to codes 0 .. items - 1.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/monitor.hpp"

namespace steelyard::rank {

struct Encoded {
  std::vector<std::int64_t> items;          ///< sorted, unique
  std::vector<std::int32_t> first, second;  ///< positions in `items`
};

/// A table of presence where the labels' range is small against their number, hashing otherwise; O(labels)
/// time but for the sort of the distinct ones. Unfinished if stopped.
Encoded encode_integers(std::span<const std::int64_t> first, std::span<const std::int64_t> second,
                        Monitor& monitor);

}  // namespace steelyard::rank
