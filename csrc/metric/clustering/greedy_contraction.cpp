#include "metric/clustering/greedy_contraction.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

#include "metric/clustering/label_moves.hpp"

namespace steelyard::metric {
namespace {

using std::int32_t;
using std::size_t;
using std::uint64_t;

constexpr std::ptrdiff_t few = 20'000;  // nodes that are joined one by one
constexpr std::ptrdiff_t hub = 64;      // neighbours; beside hubs the order of joins decides too much
constexpr double as_heavy = 0.5;        // of a couple's weight: that of who joins it at once

/// Sums of weights by pair of clusters: open addressing, linear probes, deletion by shifting back.
class Sums {
 public:
  explicit Sums(size_t pairs)
      : mask_(std::bit_ceil(2 * pairs + 16) - 1),
        shift_(64 - static_cast<int>(std::bit_width(mask_))),
        slots_(mask_ + 1) {}

  static uint64_t key(int32_t a, int32_t b) {
    return uint64_t{static_cast<std::uint32_t>(std::min(a, b))} << 32 |
           static_cast<std::uint32_t>(std::max(a, b));
  }

  double* find(uint64_t key) {
    for (auto i = home(key);; i = (i + 1) & mask_) {
      if (slots_[i].key == key) return &slots_[i].sum;
      if (slots_[i].key == nobody) return nullptr;
    }
  }

  /// The sum of a pair, 0 if it is new; `fresh` tells.
  double& get(uint64_t key, bool& fresh) {
    auto i = home(key);
    while (slots_[i].key != key && slots_[i].key != nobody) i = (i + 1) & mask_;
    fresh = slots_[i].key == nobody;
    if (fresh) slots_[i] = {key, 0.0};
    return slots_[i].sum;
  }

  void erase(uint64_t key) {
    auto hole = home(key);
    while (slots_[hole].key != key) hole = (hole + 1) & mask_;
    for (auto i = (hole + 1) & mask_; slots_[i].key != nobody; i = (i + 1) & mask_) {
      if (((i - home(slots_[i].key)) & mask_) < ((i - hole) & mask_)) continue;
      slots_[hole] = slots_[i];
      hole = i;
    }
    slots_[hole].key = nobody;
  }

 private:
  static constexpr uint64_t nobody = UINT64_MAX;
  struct Slot {
    uint64_t key = nobody;
    double sum = 0.0;
  };

  size_t home(uint64_t key) const { return (key * 0x9FB21C651E98DF25U) >> shift_; }

  size_t mask_;
  int shift_;
  std::vector<Slot> slots_;
};

struct Join {
  double sum;
  int32_t a, b;
  /// Equal sums by number: the same order on every machine.
  bool operator<(const Join& other) const {
    if (sum != other.sum) return sum < other.sum;
    return std::pair(a, b) > std::pair(other.a, other.b);
  }
};

class Contraction {
 public:
  explicit Contraction(const SignedGraph& graph)
      : sums_(graph.weights.size() / 2), neighbours_(at(graph.nodes())), into_(at(graph.nodes())) {
    std::iota(into_.begin(), into_.end(), 0);
    bool fresh = false;
    for (int32_t a = 0; a < static_cast<int32_t>(graph.nodes()); ++a) {
      auto& own = neighbours_[at(a)];
      own.reserve(at(graph.end(a) - graph.begin(a)));
      for (auto k = graph.begin(a); k < graph.end(a); ++k) {
        const auto b = graph.neighbour(k);
        own.push_back(b);
        if (b < a) continue;
        sums_.get(Sums::key(a, b), fresh) = graph.weight(k);
        if (graph.weight(k) > 0.0) queue_.push_back({graph.weight(k), a, b});
      }
    }
    std::make_heap(queue_.begin(), queue_.end());
  }

  Labels run(Monitor& monitor) {
    for (size_t k = 0; !queue_.empty(); ++k) {
      if (k % 1024 == 0 && monitor.poll()) break;
      const auto join = queue_.front();
      std::pop_heap(queue_.begin(), queue_.end());
      queue_.pop_back();
      if (into_[at(join.a)] != join.a || into_[at(join.b)] != join.b) continue;
      auto* sum = sums_.find(Sums::key(join.a, join.b));
      if (sum == nullptr || *sum != join.sum) continue;
      sums_.erase(Sums::key(join.a, join.b));
      const bool larger = neighbours_[at(join.a)].size() >= neighbours_[at(join.b)].size();
      merge(larger ? join.a : join.b, larger ? join.b : join.a);
    }
    Labels labels(into_.size());
    for (size_t v = 0; v < labels.size(); ++v) labels[v] = root(static_cast<int32_t>(v));
    renumber(labels);
    return labels;
  }

 private:
  int32_t root(int32_t x) {
    while (into_[at(x)] != x) x = into_[at(x)] = into_[at(into_[at(x)])];
    return x;
  }

  /// b becomes a. Lists keep stale names: their pairs are no longer in the table.
  void merge(int32_t a, int32_t b) {
    into_[at(b)] = a;
    for (const auto u : neighbours_[at(b)]) {
      auto* old = into_[at(u)] == u && u != a ? sums_.find(Sums::key(b, u)) : nullptr;
      if (old == nullptr) continue;
      const double weight = *old;
      sums_.erase(Sums::key(b, u));
      bool fresh = false;
      auto& sum = sums_.get(Sums::key(a, u), fresh);
      sum += weight;
      if (fresh) {
        neighbours_[at(a)].push_back(u);
        neighbours_[at(u)].push_back(a);
      }
      if (sum > 0.0) {
        queue_.push_back({sum, a, u});
        std::push_heap(queue_.begin(), queue_.end());
      }
    }
    neighbours_[at(b)] = {};
  }

  Sums sums_;
  std::vector<std::vector<int32_t>> neighbours_;
  std::vector<int32_t> into_;
  std::vector<Join> queue_;
};

/// Of equal weights the one that a scramble of its ends puts first: by number, chains would form.
struct Best {
  double weight = 0.0;
  uint64_t tie = 0;
  int32_t to = -1;
};

/// Joins each two nodes that are each other's heaviest neighbour, and who is nearly as heavy a neighbour of one; returns
/// how many are left.
int32_t join_couples(const SignedGraph& graph, Labels& labels) {
  const auto n = static_cast<int32_t>(graph.nodes());
  std::vector<Best> best(at(n));
  for (int32_t v = 0; v < n; ++v) {
    for (auto k = graph.begin(v); k < graph.end(v); ++k) {
      const double weight = graph.weight(k);
      if (weight <= 0.0 || weight < best[at(v)].weight) continue;
      const auto tie = Sums::key(v, graph.neighbour(k)) * 0x9FB21C651E98DF25U;
      if (weight > best[at(v)].weight || tie > best[at(v)].tie)
        best[at(v)] = {weight, tie, graph.neighbour(k)};
    }
  }
  // A couple takes the name of its first.
  const auto coupled = [&](int32_t v) { return best[at(v)].to >= 0 && best[at(best[at(v)].to)].to == v; };
  const auto name = [&](int32_t v) { return coupled(v) ? std::min(v, best[at(v)].to) : v; };
  labels.assign(at(n), -1);
  int32_t left = 0;
  for (int32_t v = 0; v < n; ++v) {
    const auto u = best[at(v)].to;
    const bool joins =
        !coupled(v) && u >= 0 && coupled(u) && best[at(v)].weight > as_heavy * best[at(u)].weight;
    const auto first = name(joins ? u : v);
    if (labels[at(first)] < 0) labels[at(first)] = left++;
    labels[at(v)] = labels[at(first)];
  }
  return left;
}

std::int64_t largest_degree(const OwnedGraph& graph) {
  std::int64_t most = 0;
  for (size_t v = 0; v + 1 < graph.offsets.size(); ++v)
    most = std::max(most, graph.offsets[v + 1] - graph.offsets[v]);
  return most;
}

}  // namespace

Labels contract_greedily(const SignedPairs& pairs, std::span<const double> weights, Monitor& monitor) {
  Labels labels(at(pairs.nodes)), upper;
  std::iota(labels.begin(), labels.end(), 0);
  auto graph = symmetric_rows(pairs.nodes, pairs.left, pairs.right, weights);
  graph.sizes.assign(at(pairs.nodes), 1.0);
  const bool hubs = largest_degree(graph) > hub;
  while (!hubs && std::ssize(graph.sizes) > few && !monitor.poll()) {
    const auto left = join_couples(graph.view(), upper);
    if (std::ssize(graph.sizes) - left < std::ssize(graph.sizes) / 16) break;
    for (auto& label : labels) label = upper[at(label)];
    graph = contract(graph.view(), upper, left);
  }
  upper = Contraction(graph.view()).run(monitor);
  for (auto& label : labels) label = upper[at(label)];
  renumber(labels);
  return labels;
}

}  // namespace steelyard::metric
