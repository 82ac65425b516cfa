#include "metric/clustering/cycle_search.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace steelyard::metric {

using std::int32_t;
using std::int64_t;
using std::ptrdiff_t;
using std::size_t;

namespace {

constexpr int32_t much = 8;           // times the mean: a degree that makes places worth sorting
constexpr std::uint32_t ahead = 8;    // arcs whose ends are asked of the memory early
constexpr size_t early = 4;           // places of a front whose arcs are
constexpr unsigned last_epoch = 127;  // two sides in a byte

/// Places of nodes, by falling length of their degrees in bits where some are hubs.
std::vector<int32_t> places(const std::vector<int32_t>& degrees) {
  std::vector<int32_t> out(degrees.size());
  std::iota(out.begin(), out.end(), 0);
  const double sum = std::accumulate(degrees.begin(), degrees.end(), 0.0);
  const auto most = degrees.empty() ? 0 : *std::max_element(degrees.begin(), degrees.end());
  if (static_cast<double>(most) * static_cast<double>(degrees.size()) < much * sum) return out;
  const auto bits = [&](size_t v) { return at(std::bit_width(static_cast<std::uint32_t>(degrees[v]))); };
  std::array<int32_t, 34> first{};
  for (size_t v = 0; v < degrees.size(); ++v) ++first[32 - bits(v) + 1];
  std::partial_sum(first.begin(), first.end(), first.begin());
  for (size_t v = 0; v < degrees.size(); ++v) out[v] = first[32 - bits(v)]++;
  return out;
}

}  // namespace

OpenPairs::OpenPairs(const SignedPairs& pairs) {
  const auto n = at(pairs.nodes), m = at(pairs.agreeing);
  if (pairs.agreeing >= (1 << 30)) throw std::length_error("at most 2^30 pairs may agree");
  std::vector<int32_t> degrees(n, 0);
  for (size_t e = 0; e < m; ++e) ++degrees[at(pairs.left[e])], ++degrees[at(pairs.right[e])];
  place_ = places(degrees);
  rows_.resize(n);
  for (size_t v = 0; v < n; ++v) rows_[at(place_[v])].degree = degrees[v];
  std::uint32_t begin = 0;
  for (auto& row : rows_) row.begin = std::exchange(begin, begin + static_cast<std::uint32_t>(row.degree));
  ends_.resize(m);
  for (size_t e = 0; e < m; ++e) ends_[e] = {place(pairs.left[e]), place(pairs.right[e])};
  arcs_.resize(2 * m), names_.resize(2 * m), arcs_of_.resize(m);
}

void OpenPairs::drop(int32_t pair) {
  auto& own = arcs_of_[at(pair)];
  if (own[0] == none) return;
  for (const size_t side : {size_t{0}, size_t{1}}) {
    const auto from = ends_[at(pair)][side];
    auto& row = rows_[at(from)];
    const auto last = row.begin + static_cast<std::uint32_t>(--row.degree);
    const auto moved = names_[last];
    arcs_[own[side]] = arcs_[last];
    names_[own[side]] = moved;
    arcs_of_[at(moved)][ends_[at(moved)][0] == from ? 0 : 1] = own[side];
  }
  own = {none, none};
}

void OpenPairs::set_length(int32_t pair, float length) {
  const auto& own = arcs_of_[at(pair)];
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
  for (int32_t v = 0; v < static_cast<int32_t>(nodes()); ++v) {
    for (auto k = begin(v); k < end(v); ++k) {
      const auto x = find(v), y = find(arcs_[k].to);
      if (x != y) root[at(std::max(x, y))] = std::min(x, y);
    }
  }
  std::vector<int32_t> least(root.size(), -1), out(root.size());
  for (size_t v = 0; v < out.size(); ++v) {
    auto& name = least[at(find(place_[v]))];
    if (name < 0) name = static_cast<int32_t>(v);
    out[v] = name;
  }
  return out;
}

void PathSearch::begin() {
  if (++epoch_ <= last_epoch) return;
  std::fill(stamps_.begin(), stamps_.end(), std::uint8_t{0});
  epoch_ = 1;
}

void PathSearch::follow(const OpenPairs& open, int32_t place, int32_t end, int side) {
  while (place != end) {
    const auto k = by_[at(place)][at(side)];
    path_.push_back(open.pair(k));
    place = open.source(k);
  }
}

/// Does the path from one side pass a place of the other side's?
bool PathSearch::turns_back(const OpenPairs& open, int32_t from, const Meeting& met, int32_t to) {
  touched_.assign(1, met.ends[0]);
  for (auto place = met.ends[0]; place != from;) touched_.push_back(place = open.source(by_[at(place)][0]));
  const auto passed = [&](int32_t place) {
    return std::find(touched_.begin(), touched_.end(), place) != touched_.end();
  };
  auto place = met.ends[1];
  while (place != to && !passed(place)) place = open.source(by_[at(place)][1]);
  return passed(place);
}

void PathSearch::trace(const OpenPairs& open, int32_t from, const Meeting& met, int32_t to) {
  path_.clear();
  follow(open, met.ends[0], from, 0);
  std::reverse(path_.begin(), path_.end());
  path_.push_back(open.pair(met.arc));
  follow(open, met.ends[1], to, 1);
}

Found PathSearch::fewest(const OpenPairs& open, int32_t from, int32_t to, int most, int64_t budget) {
  from = open.place(from), to = open.place(to);
  if (open.degree(from) == 0 || open.degree(to) == 0) return Found::none;
  begin();
  const auto twice = static_cast<std::uint8_t>(2 * epoch_);
  stamps_[at(from)] = twice;
  stamps_[at(to)] = twice + 1;
  fronts_[0].assign(1, from);
  fronts_[1].assign(1, to);
  int64_t work[2] = {open.degree(from), open.degree(to)};
  for (int depth = 0; depth < most; ++depth) {
    const int side = work[0] <= work[1] ? 0 : 1;
    const auto own = static_cast<std::uint8_t>(twice + side), other = static_cast<std::uint8_t>(own ^ 1U);
    const bool last = depth + 1 == most;  // nobody reached now will be asked again
    budget -= work[side];
    if (budget < 0) return Found::given_up;
    next_.clear();
    work[side] = 0;
    bool beyond = false;
    const auto& front = fronts_[side];
    for (size_t i = 0; i < front.size(); ++i) {
      const auto v = front[i];
      if (i + early < front.size()) open.prefetch(front[i + early]);
      const auto end = open.end(v);
      for (auto k = open.begin(v); k < end; ++k) {
        if (k + ahead < end) __builtin_prefetch(&stamps_[at(open.arc(k + ahead).to)]);
        const auto u = open.arc(k).to;
        auto& stamp = stamps_[at(u)];
        if (stamp == other) {
          trace(open, from, {0.0F, k, {side == 0 ? v : u, side == 0 ? u : v}}, to);
          return Found::path;
        }
        if (stamp == own) continue;
        beyond = true;
        if (last) continue;
        stamp = own;
        by_[at(u)][at(side)] = k;
        next_.push_back(u);
        work[side] += open.degree(u);
      }
    }
    if (!beyond) return Found::none;
    std::swap(fronts_[side], next_);
  }
  return Found::none_so_short;
}

void PathSearch::Meetings::offer(const Meeting& meeting) {
  for (int k = 0; k < count; ++k)
    if (kept[at(k)].ends[0] == meeting.ends[0] && kept[at(k)].ends[1] == meeting.ends[1]) return;
  auto k = count < most_paths ? count++ : most_paths - 1;
  for (; k > 0 && meeting.length < kept[at(k - 1)].length; --k) kept[at(k)] = kept[at(k - 1)];
  kept[at(k)] = meeting;
}

/// Looks at the arcs from a place, and where both sides meet; returns how many.
int64_t PathSearch::settle(const OpenPairs& open, int side, int32_t place, float hop, Meetings& best) {
  const float distance = reached_[at(place)][at(side)] + hop;
  const float opposite = heaps_[1 - side].empty() ? 0.0F : heaps_[1 - side][0].distance;
  auto& heap = heaps_[side];
  const auto begin = open.begin(place), end = open.end(place);
  for (auto k = begin; k < end; ++k) {
    if (k + ahead < end) __builtin_prefetch(&reached_[at(open.arc(k + ahead).to)]);
    const auto [to, length] = open.arc(k);
    const float reach = distance + length;
    if (reach >= best.worth()) continue;
    auto& reached = reached_[at(to)];
    const float across = reached[at(1 - side)];
    if (across == far) {
      if (reach + opposite >= best.worth()) continue;
    } else if (reach + across < best.worth()) {
      best.offer({reach + across, k, {side == 0 ? place : to, side == 0 ? to : place}});
      if (best.done()) return k - begin;
    }
    if (reach >= reached[at(side)]) continue;
    if (across == far && reached[at(side)] == far) touched_.push_back(to);
    reached[at(side)] = reach;
    by_[at(to)][at(side)] = k;
    heap.push_back({reach, to});
    std::push_heap(heap.begin(), heap.end());
  }
  return end - begin;
}

int PathSearch::shortest(const OpenPairs& open, int32_t from, int32_t to, float limit, float hop, int pops,
                         int64_t budget, std::array<std::vector<int32_t>, most_paths>& paths) {
  from = open.place(from), to = open.place(to);
  if (open.degree(from) == 0 || open.degree(to) == 0) return 0;
  Meetings best{limit};
  touched_.assign({from, to});
  reached_[at(from)][0] = reached_[at(to)][1] = 0.0F;
  heaps_[0].assign(1, {0.0F, from});
  heaps_[1].assign(1, {0.0F, to});
  for (int popped = 0; popped < pops && budget > 0 && !best.done();) {
    if (heaps_[0].empty() || heaps_[1].empty()) break;
    if (heaps_[0][0].distance + heaps_[1][0].distance >= best.worth()) break;
    const int side = heaps_[0].size() <= heaps_[1].size() ? 0 : 1;
    auto& heap = heaps_[side];
    const auto here = heap[0];
    std::pop_heap(heap.begin(), heap.end());
    heap.pop_back();
    if (!heap.empty()) open.prefetch(heap[0].place);
    if (here.distance > reached_[at(here.place)][at(side)]) continue;
    ++popped;
    budget -= settle(open, side, here.place, hop, best);
  }
  for (const auto v : touched_) reached_[at(v)] = {far, far};
  int found = 0;
  for (int k = 0; k < best.count; ++k) {
    if (turns_back(open, from, best.kept[at(k)], to)) continue;
    trace(open, from, best.kept[at(k)], to);
    paths[at(found++)] = path_;
  }
  return found;
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
  return std::make_unique<PathSearch>(nodes_);
}

}  // namespace steelyard::metric
