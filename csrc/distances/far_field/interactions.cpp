#include "distances/far_field/interactions.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "core/index.hpp"

namespace steelyard::distances {
namespace {

using std::ptrdiff_t;

/// A pair of points costs about as much as this many multiplications of a translation.
constexpr ptrdiff_t pair_cost = 14;

struct Meeting {
  std::int32_t target, source;
};

Lists listed(const std::vector<Meeting>& meetings, std::size_t targets) {
  Lists lists;
  lists.starts.assign(targets + 1, 0);
  for (const auto& m : meetings) ++lists.starts[at(m.target) + 1];
  for (std::size_t t = 0; t < targets; ++t) lists.starts[t + 1] += lists.starts[t];
  lists.sources.resize(meetings.size());
  auto next = lists.starts;
  for (const auto& m : meetings) lists.sources[at(next[at(m.target)]++)] = m.source;
  return lists;
}

/// Goes down both trees at once.
class Walk {
 public:
  Walk(const PointTree& tree, const Offsets& offsets, const Interactions& all, ptrdiff_t nodes,
       Monitor& monitor)
      : tree_(tree), offsets_(offsets), all_(all), nodes_(nodes), monitor_(monitor) {}

  void run() {
    std::vector<Meeting> stack{{0, 0}};
    for (std::size_t step = 0; !stack.empty(); ++step) {
      if (step % 4096 == 0 && monitor_.poll()) return;
      const auto m = stack.back();
      stack.pop_back();
      meet(m, stack);
    }
  }

  std::vector<Translation> translations;
  std::vector<Meeting> near, near_nodes, node_points;

 private:
  const Box& box(std::int32_t b) const { return all_.boxes[at(b)]; }
  const Cell& cell(std::int32_t b) const { return tree_.cells()[at(box(b).cell)]; }

  /// Cells between two of any level, in sides of the smaller, exactly; the largest over the axes.
  std::int64_t gap(const Cell& a, const Cell& b) const {
    const Cell& small = a.level > b.level ? a : b;
    const Cell& large = a.level > b.level ? b : a;
    const int steps = small.level - large.level;
    std::int64_t most = -1;
    for (ptrdiff_t k = 0; k < tree_.dimensions(); ++k) {
      const std::int64_t low = std::int64_t{large.index[at(k)]} << steps,
                         high = low + (std::int64_t{1} << steps);
      const std::int64_t own = small.index[at(k)];
      most = std::max({most, low - own - 1, own - high});
    }
    return most;
  }

  void meet(Meeting m, std::vector<Meeting>& stack) {
    const Cell &a = cell(m.target), &b = cell(m.source);
    const bool leaf_a = box(m.target).children == 0, leaf_b = box(m.source).children == 0;
    const ptrdiff_t few = std::max<ptrdiff_t>(1, nodes_ * nodes_ / pair_cost);
    if (gap(a, b) >= 1) {
      if (a.level == b.level) {
        if (a.size() * b.size() <= few) return point_by_point(m.target, m.source);
        translations.push_back({m.target, m.source, offsets_.code(a, b)});
        return;
      }
      if (b.level > a.level) {
        if (b.size() <= nodes_) return point_by_point(m.target, m.source);
        near_nodes.push_back(m);
        return;
      }
      if (a.size() <= nodes_) return point_by_point(m.target, m.source);
      node_points.push_back(m);
      return;
    }
    if (leaf_a && leaf_b) return point_by_point(m.target, m.source);
    const auto &box_a = box(m.target), &box_b = box(m.source);
    if (leaf_a) {
      for (auto c = box_b.first_child; c < box_b.first_child + box_b.children; ++c)
        stack.push_back({m.target, c});
    } else if (leaf_b) {
      for (auto c = box_a.first_child; c < box_a.first_child + box_a.children; ++c)
        stack.push_back({c, m.source});
    } else {
      for (auto c = box_a.first_child; c < box_a.first_child + box_a.children; ++c)
        for (auto e = box_b.first_child; e < box_b.first_child + box_b.children; ++e) stack.push_back({c, e});
    }
  }

  /// Sources are any range of points; sums belong to the leaves.
  void point_by_point(std::int32_t target, std::int32_t source) {
    const Box& own = box(target);
    if (own.children == 0) near.push_back({target, source});
    for (auto c = own.first_child; c < own.first_child + own.children; ++c) point_by_point(c, source);
  }

  const PointTree& tree_;
  const Offsets& offsets_;
  const Interactions& all_;
  ptrdiff_t nodes_;
  Monitor& monitor_;
};

/// The cells down to those of at most `leaf` points.
void take_boxes(const PointTree& tree, ptrdiff_t leaf, Interactions& out) {
  out.boxes.push_back({0, 0, 0});
  out.levels.push_back(0);
  for (std::size_t b = 0; b < out.boxes.size(); ++b) {
    const Cell& cell = tree.cells()[at(out.boxes[b].cell)];
    if (cell.level == std::ssize(out.levels)) out.levels.push_back(static_cast<std::int32_t>(b));
    if (cell.children == 0 || cell.size() <= leaf) continue;
    out.boxes[b].first_child = static_cast<std::int32_t>(out.boxes.size());
    out.boxes[b].children = cell.children;
    for (std::int32_t c = 0; c < cell.children; ++c) out.boxes.push_back({cell.first_child + c, 0, 0});
  }
  out.levels.push_back(static_cast<std::int32_t>(out.boxes.size()));
}

/// Group after group, in it shape after shape.
void sort_translations(std::vector<Translation>& found, const Offsets& offsets, Interactions& out) {
  const ptrdiff_t levels = std::ssize(out.levels) - 1, shapes = offsets.shapes();
  std::vector<std::int32_t> group_of(out.boxes.size());
  std::int32_t groups = 0;
  for (ptrdiff_t l = 0; l < levels; ++l) {
    out.group_levels.push_back(groups);
    for (auto b = out.levels[at(l)]; b < out.levels[at(l + 1)]; ++b)
      group_of[at(b)] = groups + (b - out.levels[at(l)]) / static_cast<std::int32_t>(Interactions::group);
    groups = group_of[at(out.levels[at(l + 1)] - 1)] + 1;
  }
  out.group_levels.push_back(groups);
  std::vector<std::int64_t> starts(checked_product("working memory", groups, shapes) + 1, 0);
  const auto place = [&](const Translation& t) {
    return at(group_of[at(t.target)] * shapes + offsets.shape_of(t.code));
  };
  for (const auto& t : found) ++starts[place(t) + 1];
  for (std::size_t k = 1; k < starts.size(); ++k) starts[k] += starts[k - 1];
  for (std::int32_t g = 0; g <= groups; ++g) out.group_starts.push_back(starts[at(g * shapes)]);
  out.translations.resize(found.size());
  for (const auto& t : found) out.translations[at(starts[place(t)]++)] = t;
}

}  // namespace

Offsets::Offsets(ptrdiff_t d) : d_(d) {
  std::int32_t codes = 1;
  for (ptrdiff_t k = 0; k < d; ++k) codes *= side;
  for (std::int32_t code = 0; code < codes; ++code) {
    const auto moved = offset(code);
    const auto order = falling(code);
    std::array<std::int32_t, most_tree_dimensions> shape{};
    for (ptrdiff_t k = 0; k < d; ++k) shape[at(k)] = std::abs(moved[at(order[at(k)])]);
    auto known = std::find(shapes_.begin(), shapes_.end(), shape);
    if (shape[0] < 2) {  // cells that touch
      shape_of_.push_back(-1);
      continue;
    }
    if (known == shapes_.end()) known = shapes_.insert(known, shape);
    shape_of_.push_back(static_cast<std::int32_t>(known - shapes_.begin()));
  }
}

std::int32_t Offsets::code(const Cell& target, const Cell& source) const {
  std::int32_t code = 0;
  for (ptrdiff_t k = 0; k < d_; ++k)
    code = code * static_cast<std::int32_t>(side) + (target.index[at(k)] - source.index[at(k)]) +
           static_cast<std::int32_t>(reach);
  return code;
}

std::array<std::int32_t, most_tree_dimensions> Offsets::offset(std::int32_t code) const {
  std::array<std::int32_t, most_tree_dimensions> out{};
  for (auto k = d_; k-- > 0; code /= side) out[at(k)] = static_cast<std::int32_t>(code % side - reach);
  return out;
}

/// The axes by falling size of the offset.
std::array<ptrdiff_t, most_tree_dimensions> Offsets::falling(std::int32_t code) const {
  const auto moved = offset(code);
  std::array<ptrdiff_t, most_tree_dimensions> order{};
  for (ptrdiff_t k = 0; k < d_; ++k) order[at(k)] = k;
  std::stable_sort(order.begin(), order.begin() + d_,
                   [&](ptrdiff_t a, ptrdiff_t b) { return std::abs(moved[at(a)]) > std::abs(moved[at(b)]); });
  return order;
}

std::vector<std::int32_t> Offsets::places(std::int32_t code, ptrdiff_t count) const {
  const auto moved = offset(code);
  const auto order = falling(code);
  ptrdiff_t all = 1;
  for (ptrdiff_t k = 0; k < d_; ++k) all *= count;
  std::vector<std::int32_t> out(at(all));
  for (ptrdiff_t m = 0; m < all; ++m) {
    // Node m of the shape: its coordinate k is coordinate order[k] of the cell, mirrored where that is negative.
    std::array<ptrdiff_t, most_tree_dimensions> own{};
    auto rest = m;
    for (auto k = d_; k-- > 0; rest /= count) {
      const auto axis = order[at(k)];
      own[at(axis)] = moved[at(axis)] < 0 ? count - 1 - rest % count : rest % count;
    }
    ptrdiff_t place = 0;
    for (ptrdiff_t k = 0; k < d_; ++k) place = place * count + own[at(k)];
    out[at(m)] = static_cast<std::int32_t>(place);
  }
  return out;
}

Interactions::Interactions(const PointTree& tree, const Offsets& offsets, ptrdiff_t nodes, Monitor& monitor) {
  take_boxes(tree, nodes, *this);
  Walk walk(tree, offsets, *this, nodes, monitor);
  walk.run();
  if (monitor.stopped()) return;
  sort_translations(walk.translations, offsets, *this);
  near = listed(walk.near, boxes.size());
  near_nodes = listed(walk.near_nodes, boxes.size());
  node_points = listed(walk.node_points, boxes.size());
}

}  // namespace steelyard::distances
