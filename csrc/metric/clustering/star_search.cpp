#include "metric/clustering/star_search.hpp"

#include <algorithm>
#include <numeric>

namespace steelyard::metric {

using std::int32_t;
using std::size_t;

StarSearch::Rows::Rows(const SignedPairs& pairs, int32_t begin, int32_t end)
    : offsets(at(pairs.nodes) + 1, 0), arcs(2 * at(end - begin)) {
  for (auto e = begin; e < end; ++e)
    ++offsets[at(pairs.left[at(e)]) + 1], ++offsets[at(pairs.right[at(e)]) + 1];
  std::partial_sum(offsets.begin(), offsets.end(), offsets.begin());
  auto next = offsets;
  // Pairs are sorted, so that each row is: first the smaller neighbours, then
  // the larger ones.
  for (auto e = begin; e < end; ++e) {
    const auto a = pairs.left[at(e)], b = pairs.right[at(e)];
    arcs[at(next[at(a)]++)] = {b, e};
    arcs[at(next[at(b)]++)] = {a, e};
  }
}

StarSearch::StarSearch(const SignedPairs& pairs)
    : agreeing_(pairs, 0, pairs.agreeing), disagreeing_(pairs, pairs.agreeing, pairs.count()) {}

int32_t StarSearch::rim(int32_t a, int32_t b) const {
  auto row = disagreeing_.row(a);
  if (const auto other = disagreeing_.row(b); other.size() < row.size()) row = other, b = a;
  const auto place =
      std::lower_bound(row.begin(), row.end(), b, [](const Arc& arc, int32_t node) { return arc.to < node; });
  return place != row.end() && place->to == b ? place->pair : -1;
}

void StarSearch::keep_cheapest() {
  const auto kept = std::min(candidates_.size(), most_candidates);
  std::partial_sort(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(kept),
                    candidates_.end());
  candidates_.resize(kept);
}

void StarSearch::list_pairs() {
  found_.clear();
  for (const auto& leaf : star_) found_.push_back(leaf.spoke);
  for (size_t a = 0; a < star_.size(); ++a)
    for (size_t b = a + 1; b < star_.size(); ++b) found_.push_back(rim(star_[a].node, star_[b].node));
}

}  // namespace steelyard::metric
