#include "metric/clustering/signed_pairs.hpp"

#include <algorithm>
#include <numeric>

#include "core/random.hpp"

namespace steelyard::metric {
namespace {

using std::int32_t;
using std::ptrdiff_t;
using std::size_t;

constexpr double exact = 9007199254740992.0;  // 2^53
constexpr double few_steps = 2e7;

/// Puts agreeing pairs first; both parts keep their order.
SignedPairs split(ptrdiff_t nodes, const std::vector<int32_t>& left, const std::vector<int32_t>& right,
                  const std::vector<double>& weights) {
  SignedPairs out;
  out.nodes = nodes;
  const auto agreeing = std::count_if(weights.begin(), weights.end(), [](double c) { return c > 0.0; });
  const auto kept =
      agreeing + std::count_if(weights.begin(), weights.end(), [](double c) { return c < 0.0; });
  out.left.resize(at(kept)), out.right.resize(at(kept)), out.weights.resize(at(kept));
  out.agreeing = static_cast<int32_t>(agreeing);
  size_t places[2] = {0, at(agreeing)};
  double total = 0.0;
  for (size_t k = 0; k < weights.size(); ++k) {
    const double c = weights[k];
    if (c == 0.0) continue;
    const auto to = places[c < 0.0]++;
    out.left[to] = left[k], out.right[to] = right[k], out.weights[to] = c;
    total += std::fabs(c);
    out.whole = out.whole && c == std::floor(c);
  }
  out.whole = out.whole && total < exact;
  return out;
}

/// Unlisted partners at two agreeing steps from a node, each once.
class Partners {
 public:
  Partners(const SignedGraph& graph) : graph_(graph), seen_(at(graph.nodes()), -1) {}

  /// Walks of two agreeing pairs, at most.
  double steps() const {
    double total = 0.0;
    for (ptrdiff_t i = 0; i < graph_.nodes(); ++i) {
      const auto entries = static_cast<double>(length(i));
      total += entries * entries;
    }
    return total;
  }

  /// Partners behind `node` in the order of numbers. Gives up the complete list beyond `most` steps.
  bool find(ptrdiff_t node, double most, std::vector<int32_t>& found, Random& random) {
    found.clear();
    const auto i = static_cast<int32_t>(node);
    seen_[at(i)] = i;
    double steps = 0.0;
    for (auto k = graph_.begin(i); k < graph_.end(i); ++k) {
      seen_[at(graph_.neighbour(k))] = i;
      if (agrees(i, k)) steps += static_cast<double>(length(graph_.neighbour(k)));
    }
    const bool all = steps <= most;
    for (auto k = graph_.begin(i); k < graph_.end(i); ++k) {
      const auto middle = graph_.neighbour(k);
      if (!agrees(i, k)) continue;
      if (all) {
        for (auto q = graph_.begin(middle); q < graph_.end(middle); ++q) list(i, middle, q, found);
        continue;
      }
      // As many draws as its share of the steps: a hub's entries are not walked through once a neighbour.
      const double share = most * static_cast<double>(length(middle)) / steps;
      const auto draws = static_cast<ptrdiff_t>(share + random.uniform());
      for (ptrdiff_t d = 0; d < draws; ++d)
        list(i, middle, graph_.begin(middle) + random.below(length(middle)), found);
    }
    return all;
  }

 private:
  void list(int32_t i, int32_t middle, std::int64_t q, std::vector<int32_t>& found) {
    const auto j = graph_.neighbour(q);
    if (j <= i || seen_[at(j)] == i || !agrees(middle, q)) return;
    seen_[at(j)] = i;
    found.push_back(j);
  }

  ptrdiff_t length(ptrdiff_t i) const { return graph_.end(i) - graph_.begin(i); }
  bool agrees(ptrdiff_t i, std::int64_t k) const {
    return !graph_.is_forbidden(k) && graph_.signed_weight(i, k) > 0.0;
  }

  const SignedGraph& graph_;
  std::vector<int32_t> seen_;
};

}  // namespace

SignedPairs select_pairs(const SignedGraph& graph, const PairLimits& limits, bool& complete,
                         Monitor& monitor) {
  std::vector<int32_t> left, right, found;
  std::vector<double> weights;
  const auto entries = static_cast<double>(std::ssize(graph.weights)) / 2.0;
  const auto n = graph.nodes();
  Partners partners(graph);
  Random random(limits.seed, limits.stream);
  complete = true;
  // What rich nodes may list is what poor ones leave. Where the graph has few steps in all, every pair is listed.
  double room = limits.per_entry * entries;
  const double steps = partners.steps();
  const bool all = steps <= std::min(8.0 * room, few_steps);
  for (ptrdiff_t i = 0; i < n; ++i) {
    if (i % 64 == 0 && monitor.poll()) break;
    for (auto k = graph.begin(i); k < graph.end(i); ++k) {
      const auto j = graph.neighbour(k);
      if (j <= i) continue;
      const double c = graph.is_forbidden(k) ? -graph.forbidden : graph.signed_weight(i, k);
      left.push_back(static_cast<int32_t>(i)), right.push_back(j), weights.push_back(c);
    }
    if (graph.background <= 0.0) continue;
    const double share = 4.0 * room / static_cast<double>(n - i);
    complete = partners.find(i, all ? steps : std::max(share, 1.0), found, random) && complete;
    std::sort(found.begin(), found.end());
    room = std::max(0.0, room - static_cast<double>(found.size()));
    for (const auto j : found) {
      left.push_back(static_cast<int32_t>(i)), right.push_back(j);
      weights.push_back(-graph.background * graph.size(i) * graph.size(j));
    }
  }
  // Unlisted partners stand behind a node's listed ones: sort the rows.
  if (graph.background > 0.0) {
    auto merged = merge_pairs(n, left, right, weights);
    return split(n, merged.left, merged.right, merged.sums);
  }
  return split(n, left, right, weights);
}

MergedPairs merge_pairs(ptrdiff_t nodes, std::span<const int32_t> u, std::span<const int32_t> v,
                        std::span<const double> weights) {
  const auto m = u.size();
  // Two passes of counting: by the higher, then by the lower end; equal pairs keep their order.
  std::vector<int32_t> order(m), next(m);
  std::vector<std::int64_t> start(at(nodes) + 1);
  const auto pass = [&](auto key, const std::vector<int32_t>* from, std::vector<int32_t>& to) {
    std::fill(start.begin(), start.end(), 0);
    for (size_t k = 0; k < m; ++k) ++start[at(key(k)) + 1];
    std::partial_sum(start.begin(), start.end(), start.begin());
    for (size_t k = 0; k < m; ++k) {
      const auto e = from ? at((*from)[k]) : k;
      to[at(start[at(key(e))]++)] = static_cast<int32_t>(e);
    }
  };
  pass([&](size_t k) { return std::max(u[k], v[k]); }, nullptr, next);
  pass([&](size_t k) { return std::min(u[k], v[k]); }, &next, order);
  next = {};
  MergedPairs out;
  out.left.reserve(m), out.right.reserve(m), out.sums.reserve(m);
  for (const auto e : order) {
    const auto i = std::min(u[at(e)], v[at(e)]), j = std::max(u[at(e)], v[at(e)]);
    if (!out.left.empty() && out.left.back() == i && out.right.back() == j) {
      out.sums.back() += weights[at(e)];
    } else {
      out.left.push_back(i), out.right.push_back(j), out.sums.push_back(weights[at(e)]);
    }
  }
  return out;
}

OwnedGraph symmetric_rows(ptrdiff_t nodes, std::span<const int32_t> left, std::span<const int32_t> right,
                          std::span<const double> weights) {
  OwnedGraph out;
  out.offsets.assign(at(nodes) + 1, 0);
  for (const auto ends : {left, right})
    for (const auto v : ends) ++out.offsets[at(v) + 1];
  std::partial_sum(out.offsets.begin(), out.offsets.end(), out.offsets.begin());
  auto next = out.offsets;
  out.indices.resize(2 * weights.size());
  out.weights.resize(2 * weights.size());
  const auto put = [&](int32_t from, int32_t to, double c) {
    const auto place = at(next[at(from)]++);
    out.indices[place] = to;
    out.weights[place] = c;
  };
  // In order of both ends: of each node first the smaller neighbours, then the larger ones.
  for (size_t e = 0; e < weights.size(); ++e) {
    put(left[e], right[e], weights[e]);
    put(right[e], left[e], weights[e]);
  }
  return out;
}

}  // namespace steelyard::metric
