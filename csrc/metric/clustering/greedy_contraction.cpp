#include "metric/clustering/greedy_contraction.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

namespace steelyard::metric {
namespace {

using std::int32_t;
using std::size_t;
using std::uint64_t;

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
  Contraction(const SignedPairs& pairs, std::span<const double> weights)
      : sums_(weights.size()), neighbours_(at(pairs.nodes)), into_(at(pairs.nodes)) {
    std::iota(into_.begin(), into_.end(), 0);
    std::vector<int32_t> degree(at(pairs.nodes), 0);
    for (size_t e = 0; e < weights.size(); ++e) ++degree[at(pairs.left[e])], ++degree[at(pairs.right[e])];
    for (size_t v = 0; v < degree.size(); ++v) neighbours_[v].reserve(at(degree[v]));
    bool fresh = false;
    for (size_t e = 0; e < weights.size(); ++e) {
      const auto a = pairs.left[e], b = pairs.right[e];
      sums_.get(Sums::key(a, b), fresh) = weights[e];
      neighbours_[at(a)].push_back(b);
      neighbours_[at(b)].push_back(a);
      if (weights[e] > 0.0) queue_.push_back({weights[e], a, b});
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

}  // namespace

Labels contract_greedily(const SignedPairs& pairs, std::span<const double> weights, Monitor& monitor) {
  return Contraction(pairs, weights).run(monitor);
}

}  // namespace steelyard::metric
