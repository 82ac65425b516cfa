// Paths of agreeing pairs between the ends of a disagreeing one: by number of pairs, or by length.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "metric/clustering/signed_pairs.hpp"

namespace steelyard::metric {

/// The agreeing pairs in compressed rows. Pairs can be left out when it is filled, be dropped later in O(1), and
/// carry a length beside each arc, so that a search reads memory in order.
///
/// Nodes have places of their own, those with many pairs first: in a network with hubs most steps of a search
/// then stay in the same few cache lines.
class OpenPairs {
 public:
  struct Arc {
    std::int32_t to;  ///< place
    float length;
  };

  explicit OpenPairs(const SignedPairs& pairs);

  /// Keeps the agreeing pairs with keep(pair); their lengths are length(pair).
  template <class Keep, class Length>
  void fill(const Keep& keep, const Length& length) {
    for (auto& row : rows_) row.degree = 0;
    for (std::int32_t e = 0; e < std::ssize(ends_); ++e) {
      arcs_of_[at(e)] = {none, none};
      if (!keep(e)) continue;
      const auto x = static_cast<float>(length(e));
      const auto [a, b] = ends_[at(e)];
      arcs_of_[at(e)] = {append(a, b, e, x), append(b, a, e, x)};
    }
  }

  void drop(std::int32_t pair);
  void set_length(std::int32_t pair, float length);

  std::int32_t place(std::int32_t node) const { return place_[at(node)]; }
  std::int32_t degree(std::int32_t place) const { return rows_[at(place)].degree; }
  std::uint32_t begin(std::int32_t place) const { return rows_[at(place)].begin; }
  std::uint32_t end(std::int32_t place) const {
    const auto row = rows_[at(place)];
    return row.begin + static_cast<std::uint32_t>(row.degree);
  }
  /// Where the arcs of a place begin, and what they lead to, is soon to be read.
  void prefetch(std::int32_t place) const { __builtin_prefetch(&arcs_[rows_[at(place)].begin]); }
  const Arc& arc(std::uint32_t k) const { return arcs_[k]; }
  std::int32_t pair(std::uint32_t k) const { return names_[k]; }
  /// The place from which an arc leads.
  std::int32_t source(std::uint32_t k) const {
    const auto& ends = ends_[at(names_[k])];
    return ends[0] == arcs_[k].to ? ends[1] : ends[0];
  }
  std::ptrdiff_t nodes() const { return std::ssize(rows_); }
  /// The component of each node, by its least node.
  std::vector<std::int32_t> components() const;

 private:
  using Two = std::array<std::uint32_t, 2>;
  static constexpr std::uint32_t none = UINT32_MAX;

  struct Row {
    std::uint32_t begin = 0;
    std::int32_t degree = 0;
  };

  std::uint32_t append(std::int32_t from, std::int32_t to, std::int32_t pair, float length) {
    auto& row = rows_[at(from)];
    const auto k = row.begin + static_cast<std::uint32_t>(row.degree++);
    arcs_[k] = {to, length};
    names_[k] = pair;
    return k;
  }

  std::vector<std::int32_t> place_;                // of each node
  std::vector<std::array<std::int32_t, 2>> ends_;  // of each agreeing pair, by place
  std::vector<Row> rows_;
  std::vector<Arc> arcs_;
  std::vector<std::int32_t> names_;  // the pair of each arc
  std::vector<Two> arcs_of_;         // both arcs of a pair, that of its first end first
};

enum class Found { path, none_so_short, none, given_up };

/// The scratch of one search at a time: O(n).
class PathSearch {
 public:
  static constexpr int most_paths = 3;  ///< of one search by length

  explicit PathSearch(std::ptrdiff_t nodes)
      : stamps_(at(nodes), 0), reached_(at(nodes), {far, far}), by_(at(nodes)) {}

  /// A path of at most `most` pairs between two nodes, from both ends at once, the cheaper side first. `none`: not
  /// connected. Gives up before it looks at more than `budget` arcs.
  Found fewest(const OpenPairs& open, std::int32_t from, std::int32_t to, int most, std::int64_t budget);

  /// A few paths of summed length + `hop` a pair below `limit`, by Dijkstra's search from both ends, the shortest
  /// first; stops after `pops` settled nodes, or when all are below half of the limit. They are written over
  /// `paths`; returns how many.
  int shortest(const OpenPairs& open, std::int32_t from, std::int32_t to, float limit, float hop, int pops,
               std::int64_t budget, std::array<std::vector<std::int32_t>, most_paths>& paths);

  /// The pairs of the path that `fewest` found last, from `from` to `to`.
  const std::vector<std::int32_t>& path() const { return path_; }

 private:
  struct Reached {
    float distance;
    std::int32_t place;
    bool operator<(const Reached& other) const { return distance > other.distance; }
  };
  struct Meeting {
    float length;
    std::uint32_t arc;
    std::int32_t ends[2];  // where each side comes from
  };
  /// The shortest few so far, the longest last.
  struct Meetings {
    float limit;
    int count = 0;
    std::array<Meeting, most_paths> kept{};

    /// Longer ones are of no use.
    float worth() const { return count < most_paths ? limit : kept[most_paths - 1].length; }
    bool done() const { return count == most_paths && kept[most_paths - 1].length < 0.5F * limit; }
    void offer(const Meeting& meeting);
  };
  static constexpr float far = std::numeric_limits<float>::max();

  void begin();
  std::int64_t settle(const OpenPairs& open, int side, std::int32_t place, float hop, Meetings& best);
  bool turns_back(const OpenPairs& open, std::int32_t from, const Meeting& met, std::int32_t to);
  void trace(const OpenPairs& open, std::int32_t from, const Meeting& met, std::int32_t to);
  void follow(const OpenPairs& open, std::int32_t place, std::int32_t end, int side);

  std::vector<std::uint8_t> stamps_;              // 2 epoch + side: who reached a place by breadth
  std::vector<std::array<float, 2>> reached_;     // distances of Dijkstra's search; `far` between searches
  std::vector<std::array<std::uint32_t, 2>> by_;  // the arc that led to a place
  std::uint8_t epoch_ = 0;
  std::vector<std::int32_t> fronts_[2], next_, path_, touched_;
  std::vector<Reached> heaps_[2];
};

/// Searches for chunks of work that run at once: each takes one and gives it back.
class SearchShelf {
 public:
  explicit SearchShelf(std::ptrdiff_t nodes) : nodes_(nodes) {}

  template <class Work>
  void with(const Work& work) {
    auto search = take();
    work(*search);
    const std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(std::move(search));
  }

 private:
  std::unique_ptr<PathSearch> take();

  std::ptrdiff_t nodes_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<PathSearch>> free_;
};

}  // namespace steelyard::metric
