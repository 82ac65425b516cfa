// Stars: a centre that agrees with leaves which disagree with each other.
//
// Whatever the labels, a star with k leaves costs at least k - 1 pairs: with s
// leaves beside the centre, k - s spokes are paid for and s (s - 1) / 2 rims.
// Its triangles alone prove k / 2. (The inequalities of two parts, one of them
// a single item, of Groetschel & Wakabayashi, Math. Program. 45 (1989) 59;
// three leaves are the odd wheel of three.)
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "metric/clustering/signed_pairs.hpp"

namespace steelyard::metric {

class StarSearch {
 public:
  explicit StarSearch(const SignedPairs& pairs);

  /// A leaf, its spoke, and what joining the star adds to its price.
  struct Leaf {
    double price;
    std::int32_t node, spoke;
    bool operator<(const Leaf& other) const {
      return price != other.price ? price < other.price : node < other.node;
    }
  };

  /// Stars will be looked for around this node. price(pair) >= 0.
  template <class Price>
  void reset(std::int32_t centre, const Price& price);

  /// Is there a star whose prices sum to less than `share` of its right side?
  /// Greedily the cheapest next leaf, from the cheapest one that no star of
  /// this centre has had. O(leaves * candidates * log) time.
  template <class Price>
  bool find(double share, const Price& price);

  /// Spokes and then rims of the star found last: rims in the order (0, 1), (0,
  /// 2), ..., (1, 2), ...
  const std::vector<std::int32_t>& pairs() const { return found_; }
  /// Leaves less 1.
  std::int32_t right_side() const { return static_cast<std::int32_t>(std::ssize(star_)) - 1; }

 private:
  struct Arc {
    std::int32_t to, pair;
  };
  struct Rows {
    std::vector<std::int64_t> offsets;
    std::vector<Arc> arcs;

    Rows(const SignedPairs& pairs, std::int32_t begin, std::int32_t end);
    std::span<const Arc> row(std::int32_t node) const {
      const auto from = offsets[at(node)];
      return {arcs.data() + from, at(offsets[at(node) + 1] - from)};
    }
  };

  /// The disagreeing pair of two nodes, -1 if there is none.
  std::int32_t rim(std::int32_t a, std::int32_t b) const;
  void keep_cheapest();
  void list_pairs();

  static constexpr std::size_t most_candidates = 48, most_leaves = 16;
  static constexpr double dear = 0.9;

  Rows agreeing_, disagreeing_;
  std::vector<Leaf> candidates_, open_, star_;
  std::vector<std::int32_t> found_;
};

template <class Price>
void StarSearch::reset(std::int32_t centre, const Price& price) {
  candidates_.clear();
  for (const auto& arc : agreeing_.row(centre)) {
    if (const double z = price(arc.pair); z < dear) candidates_.push_back({z, arc.to, arc.pair});
  }
  keep_cheapest();
}

template <class Price>
bool StarSearch::find(double share, const Price& price) {
  open_ = candidates_;
  star_.clear();
  double sum = 0.0;
  while (!open_.empty() && star_.size() < most_leaves) {
    const auto next = std::min_element(open_.begin(), open_.end());
    if (next->price >= 1.0) break;
    const auto leaf = *next;
    open_.erase(next);
    sum += leaf.price;
    star_.push_back(leaf);
    std::erase_if(open_, [&](Leaf& other) {
      const auto pair = rim(leaf.node, other.node);
      if (pair >= 0) other.price += price(pair);
      return pair < 0;
    });
  }
  // Its leaves have had their turn.
  std::erase_if(candidates_, [&](const Leaf& own) {
    return std::any_of(star_.begin(), star_.end(), [&](const Leaf& leaf) { return leaf.node == own.node; });
  });
  if (star_.size() < 3 || sum >= share * static_cast<double>(right_side())) return false;
  list_pairs();
  return true;
}

}  // namespace steelyard::metric
