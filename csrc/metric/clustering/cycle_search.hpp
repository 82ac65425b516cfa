// Paths of agreeing pairs between the ends of a disagreeing one: by number of pairs, or by length.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "metric/clustering/signed_pairs.hpp"

namespace steelyard::metric {

/// The agreeing pairs in compressed rows. Pairs can be left out when it is filled, be dropped later in O(1), and
/// carry a length beside each arc, so that a search reads memory in order.
class OpenPairs {
 public:
  struct Arc {
    std::int32_t to, pair;
    float length;
  };

  explicit OpenPairs(const SignedPairs& pairs);

  /// Keeps the agreeing pairs with keep(pair); their lengths are length(pair).
  template <class Keep, class Length>
  void fill(const Keep& keep, const Length& length) {
    std::fill(degrees_.begin(), degrees_.end(), 0);
    for (std::int32_t e = 0; e < pairs_.agreeing; ++e) {
      places_[at(e)] = {none, none};
      if (!keep(e)) continue;
      const auto x = static_cast<float>(length(e));
      places_[at(e)] = {append(pairs_.left[at(e)], pairs_.right[at(e)], e, x),
                        append(pairs_.right[at(e)], pairs_.left[at(e)], e, x)};
    }
  }

  void drop(std::int32_t pair);
  void set_length(std::int32_t pair, float length);

  std::span<const Arc> arcs(std::int32_t node) const {
    return {arcs_.data() + offsets_[at(node)], at(degrees_[at(node)])};
  }
  std::int32_t degree(std::int32_t node) const { return degrees_[at(node)]; }
  std::ptrdiff_t nodes() const { return std::ssize(degrees_); }
  /// The component of each node, by its least node.
  std::vector<std::int32_t> components() const;

 private:
  using Places = std::array<std::uint32_t, 2>;
  static constexpr std::uint32_t none = UINT32_MAX;

  std::uint32_t append(std::int32_t node, std::int32_t to, std::int32_t pair, float length);

  const SignedPairs& pairs_;
  std::vector<std::int64_t> offsets_;
  std::vector<Arc> arcs_;
  std::vector<std::int32_t> degrees_;
  std::vector<Places> places_;  // of both arcs of a pair, left end first
};

enum class Found { path, none_so_short, none, given_up };

/// The scratch of one search at a time: O(n).
class PathSearch {
 public:
  explicit PathSearch(const SignedPairs& pairs)
      : pairs_(pairs), stamps_(at(pairs.nodes), 0), marks_(at(pairs.nodes)), by_(at(pairs.nodes)) {}

  /// A path of at most `most` pairs from both ends at once, the cheaper side first. `none`: not connected.
  /// Gives up before it looks at more than `budget` arcs.
  Found fewest(const OpenPairs& open, std::int32_t from, std::int32_t to, int most, std::int64_t budget);

  /// A path of summed length + `hop` a pair below `limit`, by Dijkstra's search from both ends; gives up after
  /// `pops` settled nodes. Stops at the first path below half of the limit: it need not be the shortest.
  bool shortest(const OpenPairs& open, std::int32_t from, std::int32_t to, float limit, float hop, int pops,
                std::int64_t budget);

  /// The pairs of the path found last, from `from` to `to`.
  const std::vector<std::int32_t>& path() const { return path_; }

 private:
  struct Mark {
    std::uint32_t seen[2] = {0, 0};
    float distance[2];
  };
  struct Reached {
    float distance;
    std::int32_t node;
    bool operator<(const Reached& other) const { return distance > other.distance; }
  };

  void begin();
  void trace(std::int32_t from, std::int32_t x, std::int32_t pair, std::int32_t y, std::int32_t to);
  void follow(std::int32_t node, std::int32_t end, int side);

  const SignedPairs& pairs_;
  std::vector<std::uint32_t> stamps_;  // 2 epoch + side: who reached a node by breadth
  std::vector<Mark> marks_;            // by Dijkstra's search
  std::vector<std::array<std::int32_t, 2>> by_;
  std::uint32_t epoch_ = 0;
  std::vector<std::int32_t> fronts_[2], next_, path_;
  std::vector<Reached> heaps_[2];
};

/// Searches for chunks of work that run at once: each takes one and gives it back.
class SearchShelf {
 public:
  explicit SearchShelf(const SignedPairs& pairs) : pairs_(pairs) {}

  template <class Work>
  void with(const Work& work) {
    auto search = take();
    work(*search);
    const std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(std::move(search));
  }

 private:
  std::unique_ptr<PathSearch> take();

  const SignedPairs& pairs_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<PathSearch>> free_;
};

}  // namespace steelyard::metric
