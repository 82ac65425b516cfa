#include "rank/table/components.hpp"

#include <algorithm>
#include <numeric>

#include "core/index.hpp"
#include "core/polled.hpp"

namespace steelyard::rank {
namespace {

using std::size_t;

/// Numbers arbitrary labels by first occurrence.
Components numbered(const std::vector<std::int32_t>& raw) {
  Components out;
  out.label.resize(raw.size());
  std::vector<std::int32_t> name(raw.size(), -1);
  for (size_t i = 0; i < raw.size(); ++i) {
    auto& label = name[at(raw[i])];
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
  out.offsets.assign(at(items) + 1, 0);
  for (size_t k = 0; k < left.size(); ++k) {
    if (forward[k] > 0.0) ++out.offsets[at(left[k]) + 1];
    if (backward[k] > 0.0) ++out.offsets[at(right[k]) + 1];
  }
  std::partial_sum(out.offsets.begin(), out.offsets.end(), out.offsets.begin());
  out.target.resize(at(out.offsets.back()));
  std::vector<std::int64_t> next(out.offsets.begin(), out.offsets.end() - 1);
  polled(left.size(), monitor, [&](size_t k) {
    if (forward[k] > 0.0) out.target[at(next[at(left[k])]++)] = right[k];
    if (backward[k] > 0.0) out.target[at(next[at(right[k])]++)] = left[k];
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
    order_[at(v)] = low_[at(v)] = clock_++;
    path_.push_back(v);
    open_.push_back(v);
  }

  void visit(std::int32_t root) {
    open(root);
    while (!path_.empty() && !stopped_) {
      const auto v = path_.back();
      auto& k = next_[at(v)];
      if (k < graph_.offsets[at(v) + 1]) {
        const auto w = graph_.target[at(k++)];
        if (order_[at(w)] < 0)
          open(w);
        else if (label_[at(w)] < 0)
          low_[at(v)] = std::min(low_[at(v)], order_[at(w)]);
        continue;
      }
      path_.pop_back();
      if (!path_.empty()) low_[at(path_.back())] = std::min(low_[at(path_.back())], low_[at(v)]);
      if (low_[at(v)] == order_[at(v)]) close(v);
    }
  }

  void close(std::int32_t root) {
    for (std::int32_t w = -1; w != root;) {
      w = open_.back();
      open_.pop_back();
      label_[at(w)] = components_;
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
  while (parent[at(i)] != i) i = parent[at(i)] = parent[at(parent[at(i)])];
  return i;
}

}  // namespace

Components weak_components(std::span<const std::int32_t> a, std::span<const std::int32_t> b,
                           std::int32_t items, Monitor* monitor) {
  std::vector<std::int32_t> parent(at(items));
  std::iota(parent.begin(), parent.end(), 0);
  polled(a.size(), monitor, [&](size_t k) {
    const auto p = find(parent, a[k]), q = find(parent, b[k]);
    parent[at(std::max(p, q))] = std::min(p, q);
  });
  for (std::int32_t i = 0; i < items; ++i) parent[at(i)] = find(parent, i);
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
