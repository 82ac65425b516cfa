#include "metric/clustering/label_moves.hpp"

#include <algorithm>
#include <numeric>

#include "core/index.hpp"

namespace steelyard::metric {

using std::int32_t;
using std::size_t;

namespace {

/// Nodes ordered by label, with the place where each label starts.
struct Buckets {
  std::vector<std::int64_t> start;
  std::vector<int32_t> nodes;

  Buckets(std::span<const int32_t> labels, int32_t clusters)
      : start(at(clusters) + 1, 0), nodes(labels.size()) {
    for (const auto label : labels) ++start[at(label) + 1];
    std::partial_sum(start.begin(), start.end(), start.begin());
    auto next = start;
    for (size_t v = 0; v < labels.size(); ++v) nodes[at(next[at(labels[v])]++)] = static_cast<int32_t>(v);
  }
};

}  // namespace

OwnedGraph contract(const SignedGraph& graph, std::span<const int32_t> labels, int32_t clusters) {
  const Buckets buckets(labels, clusters);
  OwnedGraph out;
  out.background = graph.background;
  out.offsets.assign(1, 0);
  out.sizes.assign(at(clusters), 0.0);
  std::vector<double> sum(at(clusters), 0.0);
  std::vector<std::uint8_t> seen(at(clusters), 0);
  std::vector<int32_t> touched;
  for (int32_t c = 0; c < clusters; ++c) {
    touched.clear();
    for (auto b = buckets.start[at(c)]; b < buckets.start[at(c) + 1]; ++b) {
      const auto v = buckets.nodes[at(b)];
      out.sizes[at(c)] += graph.size(v);
      for (auto k = graph.begin(v); k < graph.end(v); ++k) {
        const auto other = labels[at(graph.neighbour(k))];
        if (other == c) continue;
        if (!seen[at(other)]) seen[at(other)] = 1, touched.push_back(other);
        sum[at(other)] += graph.weight(k);
      }
    }
    std::sort(touched.begin(), touched.end());
    for (const auto other : touched) {
      out.indices.push_back(other);
      out.weights.push_back(sum[at(other)]);
      sum[at(other)] = 0.0;
      seen[at(other)] = 0;
    }
    out.offsets.push_back(std::ssize(out.indices));
  }
  return out;
}

std::vector<int32_t> shuffled(std::ptrdiff_t n, Random& random) {
  std::vector<int32_t> order(at(n));
  std::iota(order.begin(), order.end(), 0);
  for (auto i = n - 1; i > 0; --i) std::swap(order[at(i)], order[at(random.below(i + 1))]);
  return order;
}

NodeMover::NodeMover(const SignedGraph& graph, Labels& labels, double least)
    : graph_(graph),
      labels_(labels),
      least_(least),
      total_(labels.size(), 0.0),
      members_(labels.size(), 0),
      pull_(labels.size(), 0.0),
      seen_(labels.size(), 0),
      queued_(labels.size(), 0) {
  for (size_t v = 0; v < labels.size(); ++v) {
    total_[at(labels[v])] += graph.sizes[v];
    ++members_[at(labels[v])];
  }
  for (auto c = static_cast<int32_t>(labels.size()) - 1; c >= 0; --c) {
    if (members_[at(c)] == 0) empty_.push_back(c);
  }
}

void NodeMover::gather(int32_t v) {
  touched_.clear();
  for (auto k = graph_.begin(v); k < graph_.end(v); ++k) {
    const auto c = labels_[at(graph_.neighbour(k))];
    if (!seen_[at(c)]) seen_[at(c)] = 1, touched_.push_back(c);
    pull_[at(c)] += graph_.weight(k);
  }
}

bool NodeMover::move(int32_t v) {
  gather(v);
  const auto own = labels_[at(v)];
  const double push = graph_.background * graph_.size(v);
  double best = pull_[at(own)] - push * (total_[at(own)] - graph_.size(v)) + least_;
  int32_t to = own;
  if (members_[at(own)] > 1 && best < 0.0) best = 0.0, to = empty_.back();
  for (const auto c : touched_) {
    const double gain = pull_[at(c)] - push * total_[at(c)];
    if (c != own && gain > best) best = gain, to = c;
  }
  for (const auto c : touched_) pull_[at(c)] = 0.0, seen_[at(c)] = 0;
  if (to == own) return false;
  place(v, to);
  return true;
}

void NodeMover::place(int32_t v, int32_t to) {
  const auto from = labels_[at(v)];
  if (members_[at(to)] == 0) empty_.pop_back();
  if (--members_[at(from)] == 0) empty_.push_back(from);
  total_[at(from)] = members_[at(from)] == 0 ? 0.0 : total_[at(from)] - graph_.size(v);
  ++members_[at(to)];
  total_[at(to)] += graph_.size(v);
  labels_[at(v)] = to;
  for (auto k = graph_.begin(v); k < graph_.end(v); ++k) {
    const auto u = graph_.neighbour(k);
    if (!queued_[at(u)] && labels_[at(u)] != to) queued_[at(u)] = 1, queue_.push_back(u);
  }
}

bool NodeMover::drain(Monitor& monitor) {
  bool moved = false;
  for (size_t head = 0; head < queue_.size(); ++head) {
    if (head % 256 == 0 && monitor.poll()) break;
    const auto v = queue_[head];
    queued_[at(v)] = 0;
    moved = move(v) || moved;
  }
  queue_.clear();
  return moved;
}

bool NodeMover::run(std::vector<int32_t> queue, Monitor& monitor) {
  queue_ = std::move(queue);
  for (const auto v : queue_) queued_[at(v)] = 1;
  bool moved = drain(monitor), again = true;
  // Sizes of clusters change for all their members, not only for neighbours of who moved.
  while (again && !monitor.stopped()) {
    again = false;
    for (int32_t v = 0; v < static_cast<int32_t>(labels_.size()) && !monitor.stopped(); ++v) {
      if (v % 256 == 0) monitor.poll();
      again = move(v) || again;
    }
    moved = drain(monitor) || again || moved;
  }
  return moved;
}

}  // namespace steelyard::metric
