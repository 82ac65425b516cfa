#include "rank/table/labels.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <numeric>
#include <stdexcept>

#include "core/index.hpp"
#include "core/polled.hpp"
#include "core/pool.hpp"

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
  if (items > at(std::numeric_limits<std::int32_t>::max() / 2)) {
    throw std::length_error("steelyard: more than 2^30 items");
  }
}

/// body(0) ... body(n - 1) in any order on several threads; false if stopped on the way.
template <class Body>
bool in_chunks(size_t n, Monitor& monitor, const Body& body) {
  return parallel_for(static_cast<std::ptrdiff_t>(n), 1 << 16, monitor,
                      [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
                        for (auto k = at(begin); k < at(end); ++k) body(k);
                      });
}

/// Lowest and highest label.
bool find_range(std::span<const std::int64_t> values, Monitor& monitor, Range& range) {
  constexpr std::ptrdiff_t grain = 1 << 16;
  std::vector<Range> parts(values.size() / grain + 1);
  const bool done =
      parallel_for(std::ssize(values), grain, monitor, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
        parts[at(begin / grain)].include(values.subspan(at(begin), at(end - begin)));
      });
  for (const auto& part : parts) {
    range.low = std::min(range.low, part.low);
    range.high = std::max(range.high, part.high);
  }
  return done;
}

Encoded encode_by_table(std::span<const std::int64_t> first, std::span<const std::int64_t> second,
                        Range range, Monitor& monitor) {
  Encoded out;
  std::vector<std::int32_t> code(range.width(), 0);
  const auto slot = [&](std::int64_t v) {
    return at(static_cast<std::uint64_t>(v) - static_cast<std::uint64_t>(range.low));
  };
  const auto mark = [&](std::span<const std::int64_t> values) {
    return in_chunks(values.size(), monitor, [&](size_t k) {
      const std::atomic_ref<std::int32_t> seen(code[slot(values[k])]);
      if (seen.load(std::memory_order_relaxed) == 0) seen.store(1, std::memory_order_relaxed);
    });
  };
  if (!mark(first) || !mark(second)) return {};
  for (size_t k = 0; k < code.size(); ++k) {
    if (code[k] == 0) continue;
    code[k] = static_cast<std::int32_t>(out.items.size());
    out.items.push_back(range.low + static_cast<std::int64_t>(k));
  }
  check_count(out.items.size());
  const auto encode = [&](std::span<const std::int64_t> values, std::vector<std::int32_t>& codes) {
    codes.resize(values.size());
    in_chunks(values.size(), monitor, [&](size_t k) { codes[k] = code[slot(values[k])]; });
  };
  encode(first, out.first);
  encode(second, out.second);
  return out;
}

/// Numbers distinct values by first occurrence: a hash table with open addressing, at most half full.
class Numbering {
 public:
  std::int32_t operator()(std::int64_t value) {
    size_t k = slot(value);
    while (number_[k] >= 0 && values_[at(number_[k])] != value) k = (k + 1) & mask();
    if (number_[k] >= 0) return number_[k];
    number_[k] = static_cast<std::int32_t>(values_.size());
    values_.push_back(value);
    if (2 * values_.size() > number_.size()) grow();
    return static_cast<std::int32_t>(values_.size() - 1);
  }

  const std::vector<std::int64_t>& values() const { return values_; }

 private:
  size_t mask() const { return number_.size() - 1; }

  /// The finaliser of splitmix64.
  size_t slot(std::int64_t value) const {
    auto x = static_cast<std::uint64_t>(value);
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return at(x ^ (x >> 31)) & mask();
  }

  void grow() {
    check_count(values_.size());
    number_.assign(2 * number_.size(), -1);
    for (size_t k = 0; k < values_.size(); ++k) {
      size_t at = slot(values_[k]);
      while (number_[at] >= 0) at = (at + 1) & mask();
      number_[at] = static_cast<std::int32_t>(k);
    }
  }

  std::vector<std::int32_t> number_ = std::vector<std::int32_t>(1024, -1);
  std::vector<std::int64_t> values_;
};

Encoded encode_by_hashing(std::span<const std::int64_t> first, std::span<const std::int64_t> second,
                          Monitor& monitor) {
  Encoded out;
  Numbering number;
  const auto encode = [&](std::span<const std::int64_t> values, std::vector<std::int32_t>& codes) {
    codes.resize(values.size());
    return polled(values.size(), &monitor, [&](size_t k) { codes[k] = number(values[k]); });
  };
  if (!encode(first, out.first) || !encode(second, out.second)) return {};
  const auto& values = number.values();
  std::vector<std::int32_t> order(values.size()), place(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::int32_t a, std::int32_t b) { return values[at(a)] < values[at(b)]; });
  out.items.reserve(order.size());
  for (const auto k : order) {
    place[at(k)] = static_cast<std::int32_t>(out.items.size());
    out.items.push_back(values[at(k)]);
  }
  const auto sort = [&](std::vector<std::int32_t>& codes) {
    polled(codes.size(), &monitor, [&](size_t k) { codes[k] = place[at(codes[k])]; });
  };
  sort(out.first);
  sort(out.second);
  return out;
}

}  // namespace

Encoded encode_integers(std::span<const std::int64_t> first, std::span<const std::int64_t> second,
                        Monitor& monitor) {
  Range range;
  if (!find_range(first, monitor, range) || !find_range(second, monitor, range)) return {};
  if (first.empty() && second.empty()) return {};
  const bool narrow = range.width() <= 4 * (first.size() + second.size()) + 1024;
  return narrow ? encode_by_table(first, second, range, monitor) : encode_by_hashing(first, second, monitor);
}

}  // namespace steelyard::rank
