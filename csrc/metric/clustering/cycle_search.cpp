#include "metric/clustering/cycle_search.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace steelyard::metric {

using std::int32_t;
using std::int64_t;
using std::ptrdiff_t;
using std::size_t;

OpenPairs::OpenPairs(const SignedPairs& pairs)
    : pairs_(pairs),
      offsets_(at(pairs.nodes) + 1, 0),
      arcs_(2 * at(pairs.agreeing)),
      degrees_(at(pairs.nodes), 0),
      places_(at(pairs.agreeing)) {
  for (size_t e = 0; e < at(pairs.agreeing); ++e) {
    ++offsets_[at(pairs.left[e]) + 1];
    ++offsets_[at(pairs.right[e]) + 1];
  }
  std::partial_sum(offsets_.begin(), offsets_.end(), offsets_.begin());
}

std::uint32_t OpenPairs::append(int32_t node, int32_t to, int32_t pair, float length) {
  const auto place = offsets_[at(node)] + degrees_[at(node)]++;
  arcs_[at(place)] = {to, pair, length};
  return static_cast<std::uint32_t>(place);
}

void OpenPairs::drop(int32_t pair) {
  auto& own = places_[at(pair)];
  if (own[0] == none) return;
  for (const int side : {0, 1}) {
    const auto node = side == 0 ? pairs_.left[at(pair)] : pairs_.right[at(pair)];
    const auto last = at(offsets_[at(node)] + --degrees_[at(node)]);
    const auto moved = arcs_[last];
    arcs_[at(own[at(side)])] = moved;
    auto& theirs = places_[at(moved.pair)];
    theirs[pairs_.left[at(moved.pair)] == node ? 0 : 1] = own[at(side)];
  }
  own = {none, none};
}

void OpenPairs::set_length(int32_t pair, float length) {
  const auto& own = places_[at(pair)];
  if (own[0] == none) return;
  arcs_[own[0]].length = length;
  arcs_[own[1]].length = length;
}

std::vector<int32_t> OpenPairs::components() const {
  std::vector<int32_t> root(at(nodes()));
  std::iota(root.begin(), root.end(), 0);
  const auto find = [&](int32_t x) {
    while (root[at(x)] != x) x = root[at(x)] = root[at(root[at(x)])];
    return x;
  };
  for (int32_t v = 0; v < nodes(); ++v) {
    for (const auto& arc : arcs(v)) {
      const auto x = find(v), y = find(arc.to);
      if (x != y) root[at(std::max(x, y))] = std::min(x, y);
    }
  }
  for (int32_t v = 0; v < nodes(); ++v) root[at(v)] = find(v);
  return root;
}

void PathSearch::begin() {
  if (++epoch_ < UINT32_MAX / 2) return;
  std::fill(stamps_.begin(), stamps_.end(), 0);
  std::fill(marks_.begin(), marks_.end(), Mark{});
  epoch_ = 1;
}

void PathSearch::follow(int32_t node, int32_t end, int side) {
  while (node != end) {
    const auto pair = by_[at(node)][at(side)];
    path_.push_back(pair);
    node = pairs_.other(pair, node);
  }
}

void PathSearch::trace(int32_t from, int32_t x, int32_t pair, int32_t y, int32_t to) {
  path_.clear();
  follow(x, from, 0);
  std::reverse(path_.begin(), path_.end());
  path_.push_back(pair);
  follow(y, to, 1);
}

Found PathSearch::fewest(const OpenPairs& open, int32_t from, int32_t to, int most, int64_t budget) {
  if (open.degree(from) == 0 || open.degree(to) == 0) return Found::none;
  begin();
  stamps_[at(from)] = 2 * epoch_;
  stamps_[at(to)] = 2 * epoch_ + 1;
  fronts_[0].assign(1, from);
  fronts_[1].assign(1, to);
  int64_t work[2] = {open.degree(from), open.degree(to)};
  for (int depth = 0; depth < most; ++depth) {
    const int side = work[0] <= work[1] ? 0 : 1;
    const auto own = 2 * epoch_ + static_cast<std::uint32_t>(side), other = own ^ 1U;
    const bool last = depth + 1 == most;  // nobody reached now will be asked again
    budget -= work[side];
    if (budget < 0) return Found::given_up;
    next_.clear();
    work[side] = 0;
    bool beyond = false;
    for (const auto v : fronts_[side]) {
      for (const auto& arc : open.arcs(v)) {
        auto& stamp = stamps_[at(arc.to)];
        if (stamp == other) {
          trace(from, side == 0 ? v : arc.to, arc.pair, side == 0 ? arc.to : v, to);
          return Found::path;
        }
        if (stamp == own) continue;
        beyond = true;
        if (last) continue;
        stamp = own;
        by_[at(arc.to)][at(side)] = arc.pair;
        next_.push_back(arc.to);
        work[side] += open.degree(arc.to);
      }
    }
    if (!beyond) return Found::none;
    std::swap(fronts_[side], next_);
  }
  return Found::none_so_short;
}

bool PathSearch::shortest(const OpenPairs& open, int32_t from, int32_t to, float limit, float hop, int pops,
                          int64_t budget) {
  if (open.degree(from) == 0 || open.degree(to) == 0) return false;
  begin();
  marks_[at(from)].seen[0] = marks_[at(to)].seen[1] = epoch_;
  marks_[at(from)].distance[0] = marks_[at(to)].distance[1] = 0.0F;
  heaps_[0].assign(1, {0.0F, from});
  heaps_[1].assign(1, {0.0F, to});
  float best = limit;
  int32_t middle = -1, ends[2] = {-1, -1};
  for (int popped = 0; popped < pops && !heaps_[0].empty() && !heaps_[1].empty();) {
    if (heaps_[0][0].distance + heaps_[1][0].distance >= best) break;
    const int side = heaps_[0].size() <= heaps_[1].size() ? 0 : 1;
    auto& heap = heaps_[side];
    const auto here = heap[0];
    std::pop_heap(heap.begin(), heap.end());
    heap.pop_back();
    if (here.distance > marks_[at(here.node)].distance[side]) continue;
    ++popped;
    budget -= open.degree(here.node);
    if (budget < 0) break;
    const float opposite = heaps_[1 - side][0].distance;
    for (const auto& arc : open.arcs(here.node)) {
      const float reach = here.distance + arc.length + hop;
      if (reach >= best) continue;
      auto& mark = marks_[at(arc.to)];
      const bool met = mark.seen[1 - side] == epoch_;
      if (met && reach + mark.distance[1 - side] < best) {
        best = reach + mark.distance[1 - side];
        middle = arc.pair;
        ends[side] = here.node, ends[1 - side] = arc.to;
      }
      if (!met && reach + opposite >= best) continue;
      if (mark.seen[side] == epoch_ && reach >= mark.distance[side]) continue;
      mark.seen[side] = epoch_;
      by_[at(arc.to)][at(side)] = arc.pair;
      mark.distance[side] = reach;
      heap.push_back({reach, arc.to});
      std::push_heap(heap.begin(), heap.end());
    }
    if (middle >= 0 && best < 0.5F * limit) break;
  }
  if (middle < 0) return false;
  trace(from, ends[0], middle, ends[1], to);
  return true;
}

std::unique_ptr<PathSearch> SearchShelf::take() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!free_.empty()) {
      auto search = std::move(free_.back());
      free_.pop_back();
      return search;
    }
  }
  return std::make_unique<PathSearch>(pairs_);
}

}  // namespace steelyard::metric
