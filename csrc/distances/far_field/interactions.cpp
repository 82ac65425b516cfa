#include "distances/far_field/interactions.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "core/index.hpp"

namespace steelyard::distances {
namespace {

using std::ptrdiff_t;

/// Pairs of points up to which two cells meet one by one, for each node: about what a translation costs.
constexpr ptrdiff_t pairs_a_node = 4;

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
  std::vector<Meeting> near, near_nodes;

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

  /// Each pair of boxes once, in either order.
  void meet(Meeting m, std::vector<Meeting>& stack) {
    const Cell &a = cell(m.target), &b = cell(m.source);
    const auto &box_a = box(m.target), &box_b = box(m.source);
    const bool leaf_a = box_a.children == 0, leaf_b = box_b.children == 0;
    if (gap(a, b) >= 1) return meet_apart(m);
    if (leaf_a && leaf_b) {
      if (m.target != m.source) point_by_point(m.target, m.source);
    } else if (leaf_a) {
      for (auto c = box_b.first_child; c < box_b.first_child + box_b.children; ++c)
        stack.push_back({m.target, c});
    } else if (leaf_b) {
      for (auto c = box_a.first_child; c < box_a.first_child + box_a.children; ++c)
        stack.push_back({c, m.source});
    } else {
      for (auto c = box_a.first_child; c < box_a.first_child + box_a.children; ++c) {
        const auto first = m.target == m.source ? c : box_b.first_child;
        for (auto e = first; e < box_b.first_child + box_b.children; ++e) stack.push_back({c, e});
      }
    }
  }

  void meet_apart(Meeting m) {
    const Cell &a = cell(m.target), &b = cell(m.source);
    if (a.level == b.level) {
      if (a.size() * b.size() <= pairs_a_node * nodes_) return point_by_point(m.target, m.source);
      translations.push_back({m.target, m.source, offsets_.code(a, b)});
      translations.push_back({m.source, m.target, offsets_.code(b, a)});
      return;
    }
    if (b.level < a.level) std::swap(m.target, m.source);  // the larger is a leaf
    if (cell(m.source).size() <= nodes_) return point_by_point(m.target, m.source);
    near_nodes.push_back(m);
  }

  /// Sources are any range of points; sums belong to the leaves.
  void point_by_point(std::int32_t target, std::int32_t source) {
    if (box(target).children != 0 && box(source).children == 0) std::swap(target, source);
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

/// Group after group, in it code after code.
void sort_translations(std::vector<Translation>& found, const Offsets& offsets, Interactions& out) {
  const ptrdiff_t levels = std::ssize(out.levels) - 1, codes = offsets.codes();
  std::vector<std::int32_t> group_of(out.boxes.size());
  std::int32_t groups = 0;
  for (ptrdiff_t l = 0; l < levels; ++l) {
    out.group_levels.push_back(groups);
    for (auto b = out.levels[at(l)]; b < out.levels[at(l + 1)]; ++b)
      group_of[at(b)] = groups + (b - out.levels[at(l)]) / static_cast<std::int32_t>(Interactions::group);
    groups = group_of[at(out.levels[at(l + 1)] - 1)] + 1;
  }
  out.group_levels.push_back(groups);
  std::vector<std::int64_t> starts(checked_product("working memory", groups, codes) + 1, 0);
  const auto place = [&](const Translation& t) { return at(group_of[at(t.target)] * codes + t.code); };
  for (const auto& t : found) ++starts[place(t) + 1];
  for (std::size_t k = 1; k < starts.size(); ++k) starts[k] += starts[k - 1];
  for (std::int32_t g = 0; g <= groups; ++g) out.group_starts.push_back(starts[at(g * codes)]);
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
  for (auto k = d_; k-- > 0; code = static_cast<std::int32_t>(code / side))
    out[at(k)] = static_cast<std::int32_t>(code % side - reach);
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

double Offsets::least_gap(ptrdiff_t shape) const {
  double sum = 0.0;
  for (ptrdiff_t k = 0; k < d_; ++k) {
    const double gap = std::max(0.0, 2.0 * shapes_[at(shape)][at(k)] - 2.0);
    sum += gap * gap;
  }
  return std::sqrt(sum);
}

Offsets::Places Offsets::places(std::int32_t code, ptrdiff_t count) const {
  const auto moved = offset(code);
  const auto order = falling(code);
  ptrdiff_t all = 1;
  for (ptrdiff_t k = 0; k < d_; ++k) all *= count;
  Places out{std::vector<std::int32_t>(at(all)), std::vector<float>(at(all))};
  for (ptrdiff_t m = 0; m < all; ++m) {
    // Coefficient m of the shape: its degree k is degree order[k] of the cell; odd ones change sign where the axis
    // is mirrored.
    std::array<ptrdiff_t, most_tree_dimensions> own{};
    ptrdiff_t odd = 0, rest = m;
    for (auto k = d_; k-- > 0; rest /= count) {
      const auto axis = order[at(k)];
      own[at(axis)] = rest % count;
      if (moved[at(axis)] < 0) odd += rest % count;
    }
    ptrdiff_t place = 0;
    for (ptrdiff_t k = 0; k < d_; ++k) place = place * count + own[at(k)];
    out.place[at(m)] = static_cast<std::int32_t>(place);
    out.sign[at(m)] = odd % 2 == 0 ? 1.0F : -1.0F;
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
  near_starts.assign(1, 0);
  for (ptrdiff_t b = 0; b < std::ssize(boxes); ++b) {
    near_starts.push_back(near_starts.back());
    for (const auto s : near.of(b)) near_starts.back() += tree.cells()[at(boxes[at(s)].cell)].size();
  }
}

}  // namespace steelyard::distances
