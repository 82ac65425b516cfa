#include "rank/table/components.hpp"

#include <algorithm>
#include <numeric>

#include "core/polled.hpp"

namespace steelyard::rank {
namespace {

using std::size_t;

size_t at_index(std::int64_t i) { return static_cast<size_t>(i); }

/// Numbers arbitrary labels by first occurrence.
Components numbered(const std::vector<std::int32_t>& raw) {
  Components out;
  out.label.resize(raw.size());
  std::vector<std::int32_t> name(raw.size(), -1);
  for (size_t i = 0; i < raw.size(); ++i) {
    auto& label = name[at_index(raw[i])];
    if (label < 0) label = out.count++;
    out.label[i] = label;
  }
  return out;
}

/// Edges by source, in compressed rows.
struct Successors {
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> target;
};

Successors successors(std::span<const std::int32_t> left, std::span<const std::int32_t> right,
                      std::span<const double> forward, std::span<const double> backward, std::int32_t items,
                      Monitor* monitor) {
  Successors out;
  out.offsets.assign(at_index(items) + 1, 0);
  for (size_t k = 0; k < left.size(); ++k) {
    if (forward[k] > 0.0) ++out.offsets[at_index(left[k]) + 1];
    if (backward[k] > 0.0) ++out.offsets[at_index(right[k]) + 1];
  }
  std::partial_sum(out.offsets.begin(), out.offsets.end(), out.offsets.begin());
  out.target.resize(at_index(out.offsets.back()));
  std::vector<std::int64_t> next(out.offsets.begin(), out.offsets.end() - 1);
  polled(left.size(), monitor, [&](size_t k) {
    if (forward[k] > 0.0) out.target[at_index(next[at_index(left[k])]++)] = right[k];
    if (backward[k] > 0.0) out.target[at_index(next[at_index(right[k])]++)] = left[k];
  });
  return out;
}

/// Tarjan's algorithm with its recursion on a stack of its own.
class Tarjan {
 public:
  Tarjan(const Successors& graph, Monitor* monitor)
      : graph_(graph),
        monitor_(monitor),
        n_(graph.offsets.size() - 1),
        order_(n_, -1),
        low_(n_, 0),
        label_(n_, -1),
        next_(graph.offsets.begin(), graph.offsets.end() - 1) {}

  std::vector<std::int32_t> run() {
    for (size_t root = 0; root < n_ && !stopped_; ++root) {
      if (order_[root] < 0) visit(static_cast<std::int32_t>(root));
    }
    return std::move(label_);
  }

 private:
  void open(std::int32_t v) {
    if (monitor_ != nullptr && clock_ % 4096 == 0) stopped_ = monitor_->poll();
    order_[at_index(v)] = low_[at_index(v)] = clock_++;
    path_.push_back(v);
    open_.push_back(v);
  }

  void visit(std::int32_t root) {
    open(root);
    while (!path_.empty() && !stopped_) {
      const auto v = path_.back();
      auto& k = next_[at_index(v)];
      if (k < graph_.offsets[at_index(v) + 1]) {
        const auto w = graph_.target[at_index(k++)];
        if (order_[at_index(w)] < 0)
          open(w);
        else if (label_[at_index(w)] < 0)
          low_[at_index(v)] = std::min(low_[at_index(v)], order_[at_index(w)]);
        continue;
      }
      path_.pop_back();
      if (!path_.empty())
        low_[at_index(path_.back())] = std::min(low_[at_index(path_.back())], low_[at_index(v)]);
      if (low_[at_index(v)] == order_[at_index(v)]) close(v);
    }
  }

  void close(std::int32_t root) {
    for (std::int32_t w = -1; w != root;) {
      w = open_.back();
      open_.pop_back();
      label_[at_index(w)] = components_;
    }
    ++components_;
  }

  const Successors& graph_;
  Monitor* monitor_;
  size_t n_;
  std::vector<std::int32_t> order_, low_, label_;
  std::vector<std::int64_t> next_;
  std::vector<std::int32_t> path_, open_;
  std::int32_t clock_ = 0, components_ = 0;
  bool stopped_ = false;
};

std::int32_t find(std::vector<std::int32_t>& parent, std::int32_t i) {
  while (parent[at_index(i)] != i) i = parent[at_index(i)] = parent[at_index(parent[at_index(i)])];
  return i;
}

}  // namespace

Components weak_components(std::span<const std::int32_t> a, std::span<const std::int32_t> b,
                           std::int32_t items, Monitor* monitor) {
  std::vector<std::int32_t> parent(at_index(items));
  std::iota(parent.begin(), parent.end(), 0);
  polled(a.size(), monitor, [&](size_t k) {
    const auto p = find(parent, a[k]), q = find(parent, b[k]);
    parent[at_index(std::max(p, q))] = std::min(p, q);
  });
  for (std::int32_t i = 0; i < items; ++i) parent[at_index(i)] = find(parent, i);
  return numbered(parent);
}

Components strong_components(std::span<const std::int32_t> left, std::span<const std::int32_t> right,
                             std::span<const double> forward, std::span<const double> backward,
                             std::int32_t items, Monitor* monitor) {
  const auto graph = successors(left, right, forward, backward, items, monitor);
  if (monitor != nullptr && monitor->stopped()) return {};
  const auto labels = Tarjan(graph, monitor).run();
  if (monitor != nullptr && monitor->stopped()) return {};  // some have no label yet
  return numbered(labels);
}

}  // namespace steelyard::rank
