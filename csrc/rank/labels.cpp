#include "rank/labels.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace steelyard::rank {
namespace {

using std::size_t;

struct Range {
  std::int64_t low = std::numeric_limits<std::int64_t>::max();
  std::int64_t high = std::numeric_limits<std::int64_t>::min();

  void include(std::span<const std::int64_t> values) {
    for (const auto v : values) {
      low = std::min(low, v);
      high = std::max(high, v);
    }
  }
  /// high - low + 1, saturated.
  std::uint64_t width() const {
    const auto span = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
    return span == std::numeric_limits<std::uint64_t>::max() ? span : span + 1;
  }
};

void check_count(size_t items) {
  if (items > static_cast<size_t>(std::numeric_limits<std::int32_t>::max() / 2)) {
    throw std::length_error("steelyard: more than 2^30 items");
  }
}

Encoded encode_by_table(std::span<const std::int64_t> first, std::span<const std::int64_t> second,
                        Range range) {
  Encoded out;
  std::vector<std::int32_t> code(range.width(), 0);
  const auto slot = [&](std::int64_t v) {
    return static_cast<size_t>(static_cast<std::uint64_t>(v) - static_cast<std::uint64_t>(range.low));
  };
  for (const auto v : first) code[slot(v)] = 1;
  for (const auto v : second) code[slot(v)] = 1;
  for (size_t k = 0; k < code.size(); ++k) {
    if (code[k] == 0) continue;
    code[k] = static_cast<std::int32_t>(out.items.size());
    out.items.push_back(range.low + static_cast<std::int64_t>(k));
  }
  check_count(out.items.size());
  const auto encode = [&](std::span<const std::int64_t> values, std::vector<std::int32_t>& codes) {
    codes.resize(values.size());
    for (size_t k = 0; k < values.size(); ++k) codes[k] = code[slot(values[k])];
  };
  encode(first, out.first);
  encode(second, out.second);
  return out;
}

Encoded encode_by_sorting(std::span<const std::int64_t> first, std::span<const std::int64_t> second) {
  Encoded out;
  out.items.assign(first.begin(), first.end());
  out.items.insert(out.items.end(), second.begin(), second.end());
  std::sort(out.items.begin(), out.items.end());
  out.items.erase(std::unique(out.items.begin(), out.items.end()), out.items.end());
  check_count(out.items.size());
  const auto encode = [&](std::span<const std::int64_t> values, std::vector<std::int32_t>& codes) {
    codes.resize(values.size());
    for (size_t k = 0; k < values.size(); ++k) {
      const auto at = std::lower_bound(out.items.begin(), out.items.end(), values[k]);
      codes[k] = static_cast<std::int32_t>(at - out.items.begin());
    }
  };
  encode(first, out.first);
  encode(second, out.second);
  return out;
}

}  // namespace

Encoded encode_integers(std::span<const std::int64_t> first, std::span<const std::int64_t> second) {
  Range range;
  range.include(first);
  range.include(second);
  if (first.empty() && second.empty()) return {};
  const bool narrow = range.width() <= 4 * (first.size() + second.size()) + 1024;
  return narrow ? encode_by_table(first, second, range) : encode_by_sorting(first, second);
}

}  // namespace steelyard::rank
