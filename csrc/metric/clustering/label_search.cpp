#include "metric/clustering/label_search.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/index.hpp"
#include "core/pool.hpp"
#include "metric/clustering/label_moves.hpp"

namespace steelyard::metric {
namespace {

using std::int32_t;
using std::ptrdiff_t;
using std::size_t;

constexpr ptrdiff_t batch = 8;        // perturbed runs between two comparisons
constexpr ptrdiff_t from_above = 16;  // runs from few large clusters, the first from a single one

Labels all_apart(ptrdiff_t n) {
  Labels labels(at(n));
  std::iota(labels.begin(), labels.end(), 0);
  return labels;
}

/// Merges clusters, level upon level. True if any merged.
bool merge_clusters(const SignedGraph& graph, Labels& labels, double least, Random& random,
                    Monitor& monitor) {
  bool merged = false;
  auto clusters = renumber(labels);
  auto level = contract(graph, labels, clusters);
  while (!monitor.stopped()) {
    Labels upper = all_apart(clusters);
    const auto view = level.view();
    if (!NodeMover(view, upper, least).run(shuffled(clusters, random), monitor)) break;
    merged = true;
    const auto fewer = renumber(upper);
    for (auto& label : labels) label = upper[at(label)];
    level = contract(view, upper, fewer);
    clusters = fewer;
  }
  return merged;
}

}  // namespace

double least_gain(const SignedGraph& graph) {
  double largest = graph.background;
  for (ptrdiff_t k = 0; k < std::ssize(graph.weights); ++k) {
    if (!graph.is_forbidden(k)) largest = std::max(largest, std::fabs(graph.weight(k)));
  }
  return 1e-10 * largest;
}

void improve_labels(const SignedGraph& graph, Labels& labels, std::vector<int32_t> queue, double least,
                    Random& random, Monitor& monitor) {
  NodeMover(graph, labels, least).run(std::move(queue), monitor);
  while (!monitor.stopped() && merge_clusters(graph, labels, least, random, monitor)) {
    if (!NodeMover(graph, labels, least).run(shuffled(graph.nodes(), random), monitor)) break;
  }
  renumber(labels);
}

namespace {

/// Makes all_apart of some nodes that lie close together; returns them.
std::vector<int32_t> scatter(const SignedGraph& graph, Labels& labels, Random& random) {
  const auto n = graph.nodes();
  const ptrdiff_t wanted = 2 + random.below(std::max<ptrdiff_t>(2, std::min<ptrdiff_t>(n / 4, 200)));
  std::vector<std::uint8_t> seen(at(n), 0);
  std::vector<int32_t> chosen{static_cast<int32_t>(random.below(n))};
  seen[at(chosen[0])] = 1;
  for (size_t head = 0; head < chosen.size() && std::ssize(chosen) < wanted; ++head) {
    const auto v = chosen[head];
    for (auto k = graph.begin(v); k < graph.end(v) && std::ssize(chosen) < wanted; ++k) {
      const auto u = graph.neighbour(k);
      if (seen[at(u)] || graph.weight(k) <= 0.0 || random.uniform() < 0.3) continue;
      seen[at(u)] = 1;
      chosen.push_back(u);
    }
  }
  std::vector<std::uint8_t> used(at(n), 0);
  for (size_t v = 0; v < labels.size(); ++v) {
    if (!seen[v]) used[at(labels[v])] = 1;
  }
  int32_t next = 0;
  for (const auto v : chosen) {
    while (used[at(next)]) ++next;
    labels[at(v)] = next++;
  }
  return chosen;
}

/// Up to `most` clusters at random.
Labels few_clusters(ptrdiff_t n, ptrdiff_t most, Random& random) {
  Labels labels(at(n));
  for (auto& label : labels) label = static_cast<int32_t>(random.below(most));
  return labels;
}

struct Candidate {
  Labels labels;
  double agreement = 0.0;
};

class Search {
 public:
  Search(const SignedGraph& graph, const std::vector<Labels>& starts, const SearchOptions& options,
         Monitor& monitor)
      : graph_(graph), starts_(starts), options_(options), monitor_(monitor), least_(least_gain(graph)) {}

  SearchResult run() {
    best_ = {all_apart(graph_.nodes()), 0.0};
    for (const auto& start : starts_) take({start, agreement(graph_, start)});
    const auto first = std::ssize(starts_) + options_.restarts;
    const double total = static_cast<double>(first + batch * options_.rounds + from_above);
    compare(first, [&](ptrdiff_t r, Random& random, Labels& labels) {
      const bool given = r < std::ssize(starts_);
      labels = given ? starts_[at(r)] : all_apart(graph_.nodes());
      return shuffled(graph_.nodes(), random);
    });
    for (ptrdiff_t round = 0; round < options_.rounds && !monitor_.stopped(); ++round) {
      monitor_.progress(static_cast<double>(runs_), total);
      compare(batch, [&](ptrdiff_t, Random& random, Labels& labels) {
        labels = best_.labels;
        return scatter(graph_, labels, random);
      });
    }
    if (options_.restarts > 0) start_from_above();
    renumber(best_.labels);
    return {std::move(best_.labels), best_.agreement, runs_};
  }

 private:
  /// Moves of single items hardly ever grow the few large clusters that strong agreement wants.
  void start_from_above() {
    const auto n = graph_.nodes();
    const double before = best_.agreement;
    compare(from_above, [&](ptrdiff_t r, Random& random, Labels& labels) {
      labels = few_clusters(n, std::min(n, 1 + (r + 2) / 3), random);
      return shuffled(n, random);
    });
    for (ptrdiff_t round = 0; best_.agreement > before && round < 2 && !monitor_.stopped(); ++round) {
      compare(batch, [&](ptrdiff_t, Random& random, Labels& labels) {
        labels = best_.labels;
        return scatter(graph_, labels, random);
      });
    }
  }

  void take(Candidate candidate) {
    if (candidate.agreement > best_.agreement + least_) best_ = std::move(candidate);
  }

  /// Runs `count` searches, each from what start(run, random, labels) makes, and keeps the best.
  template <class Start>
  void compare(ptrdiff_t count, const Start& start) {
    std::vector<Candidate> found(at(count));
    parallel_for(count, 1, monitor_, [&](ptrdiff_t r, ptrdiff_t) {
      Monitor inner = Monitor::inside(monitor_);
      Random random(options_.seed, options_.stream + static_cast<std::uint64_t>(runs_ + r));
      auto& own = found[at(r)];
      auto queue = start(r, random, own.labels);
      improve_labels(graph_, own.labels, std::move(queue), least_, random, inner);
      own.agreement = agreement(graph_, own.labels);
    });
    runs_ += count;
    // After an interrupt some have got half-way, and some not begun.
    for (auto& candidate : found)
      if (!candidate.labels.empty()) take(std::move(candidate));
  }

  const SignedGraph& graph_;
  const std::vector<Labels>& starts_;
  const SearchOptions& options_;
  Monitor& monitor_;
  double least_;
  Candidate best_;
  std::int64_t runs_ = 0;
};

}  // namespace

SearchResult search_labels(const SignedGraph& graph, const std::vector<Labels>& starts,
                           const SearchOptions& options, Monitor& monitor) {
  if (graph.nodes() == 0) return {};
  return Search(graph, starts, options, monitor).run();
}

}  // namespace steelyard::metric
