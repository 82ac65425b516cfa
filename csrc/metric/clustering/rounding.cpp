#include "metric/clustering/rounding.hpp"

#include <algorithm>
#include <numeric>

#include "core/index.hpp"
#include "core/pool.hpp"
#include "core/random.hpp"
#include "metric/clustering/label_moves.hpp"
#include "metric/condensed_index.hpp"

namespace steelyard::metric {
namespace {

using std::int32_t;
using std::ptrdiff_t;
using std::size_t;

double keep_apart(double x, bool agree) {
  if (!agree) return x;
  constexpr double low = 0.19, high = 0.5095;
  if (x < low) return 0.0;
  if (x > high) return 1.0;
  const double part = (x - low) / (high - low);
  return part * part;
}

class Trial {
 public:
  Trial(const SignedGraph& graph, std::span<const double> x, Random random, Monitor& monitor)
      : graph_(graph),
        x_(x),
        random_(std::move(random)),
        monitor_(monitor),
        labels_(at(graph.nodes()), -1),
        blocked_(at(graph.nodes()), -1),
        agree_(at(graph.nodes()), 0) {}

  /// `radius` < 0: by pivots.
  Labels run(double radius) {
    const auto order = shuffled(graph_.nodes(), random_);
    free_ = order;
    int32_t cluster = 0;
    for (const auto pivot : order) {
      if (labels_[at(pivot)] >= 0) continue;
      if (monitor_.poll()) break;
      take(pivot, cluster);
      if (x_.empty()) {
        take_agreeing(pivot, cluster);
      } else {
        take_near(pivot, cluster, radius);
      }
      ++cluster;
    }
    return std::move(labels_);
  }

 private:
  void take(int32_t v, int32_t cluster) {
    labels_[at(v)] = cluster;
    if (graph_.forbidden <= 0.0) return;
    for (auto k = graph_.begin(v); k < graph_.end(v); ++k) {
      if (graph_.is_forbidden(k)) blocked_[at(graph_.neighbour(k))] = cluster;
    }
  }

  bool can_take(int32_t u, int32_t cluster) const { return labels_[at(u)] < 0 && blocked_[at(u)] != cluster; }

  void take_agreeing(int32_t pivot, int32_t cluster) {
    for (auto k = graph_.begin(pivot); k < graph_.end(pivot); ++k) {
      const auto u = graph_.neighbour(k);
      if (graph_.signed_weight(pivot, k) > 0.0 && can_take(u, cluster)) take(u, cluster);
    }
  }

  void take_near(int32_t pivot, int32_t cluster, double radius) {
    mark(pivot, 1);
    size_t kept = 0;
    for (const auto u : free_) {
      if (labels_[at(u)] >= 0) continue;
      const double x = x_[at(unordered_index(graph_.nodes(), pivot, u))];
      const bool near =
          radius >= 0.0 ? x < radius : x < 1.0 && random_.uniform() >= keep_apart(x, agree_[at(u)]);
      if (near && can_take(u, cluster)) {
        take(u, cluster);
      } else {
        free_[kept++] = u;
      }
    }
    free_.resize(kept);
    mark(pivot, 0);
  }

  void mark(int32_t pivot, std::uint8_t value) {
    for (auto k = graph_.begin(pivot); k < graph_.end(pivot); ++k) {
      if (graph_.signed_weight(pivot, k) > 0.0) agree_[at(graph_.neighbour(k))] = value;
    }
  }

  const SignedGraph& graph_;
  std::span<const double> x_;
  Random random_;
  Monitor& monitor_;
  Labels labels_;
  std::vector<int32_t> blocked_;  // the last cluster that may not have this node
  std::vector<std::uint8_t> agree_;
  std::vector<int32_t> free_;
};

}  // namespace

std::vector<Labels> round_labels(const SignedGraph& graph, std::span<const double> x,
                                 const RoundingOptions& options, Monitor& monitor) {
  const auto trials = at(options.trials);
  std::vector<Labels> found(trials);
  std::vector<double> value(trials, 0.0);
  std::vector<std::uint8_t> done(trials, 0);
  parallel_for(options.trials, 1, monitor, [&](ptrdiff_t r, ptrdiff_t) {
    Monitor inner = Monitor::inside(monitor);
    Random random(options.seed, options.stream + static_cast<std::uint64_t>(r));
    const double radius =
        options.rule == Rounding::threshold ? 0.1 + 0.05 * static_cast<double>(r % 16) : -1.0;
    auto labels = Trial(graph, x, random, inner).run(radius);
    if (inner.stopped()) return;
    value[at(r)] = agreement(graph, labels);
    found[at(r)] = std::move(labels);
    done[at(r)] = 1;
  });
  std::vector<size_t> order;
  for (size_t r = 0; r < trials; ++r) {
    if (done[r]) order.push_back(r);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return value[a] > value[b]; });
  std::vector<Labels> best;
  for (size_t k = 0; k < std::min(order.size(), at(options.keep)); ++k)
    best.push_back(std::move(found[order[k]]));
  return best;
}

}  // namespace steelyard::metric
