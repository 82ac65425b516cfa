// Which cells of a tree meet each other how, for products with a radial kernel.
//
// Two cells of one level that do not touch meet by interpolation in both, where they hold points enough; the
// translation depends on their offset in cells alone, and up to reflections and permutations of the axes on
// its sorted absolute values: the shape (7 in two dimensions, 16 in three). Leaves that touch meet point by
// point; a leaf and a smaller cell at least its own side away by interpolation in the latter. Both stand once,
// for either way: the product is symmetric. Scales play no role here. O(n) for n points.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/index.hpp"
#include "core/monitor.hpp"
#include "distances/far_field/tree.hpp"

namespace steelyard::distances {

/// Offsets of cells that meet by interpolation: at most three cells either way.
class Offsets {
 public:
  static constexpr std::ptrdiff_t reach = 3, side = 2 * reach + 1;

  explicit Offsets(std::ptrdiff_t d);

  std::ptrdiff_t dimensions() const { return d_; }
  std::ptrdiff_t shapes() const { return std::ssize(shapes_); }
  std::ptrdiff_t codes() const { return std::ssize(shape_of_); }
  /// Falling, a coordinate each.
  const std::array<std::int32_t, most_tree_dimensions>& shape(std::ptrdiff_t number) const {
    return shapes_[at(number)];
  }
  std::int32_t code(const Cell& target, const Cell& source) const;
  std::int32_t shape_of(std::int32_t code) const { return shape_of_[at(code)]; }
  /// Distance between two cells of a shape, in halves of their side.
  double least_gap(std::ptrdiff_t shape) const;
  /// Place, and sign under reflection, of each of count^d coefficients of a cell as the shape counts them.
  struct Places {
    std::vector<std::int32_t> place;
    std::vector<float> sign;
  };
  Places places(std::int32_t code, std::ptrdiff_t count) const;

 private:
  std::array<std::int32_t, most_tree_dimensions> offset(std::int32_t code) const;
  std::array<std::ptrdiff_t, most_tree_dimensions> falling(std::int32_t code) const;

  std::ptrdiff_t d_;
  std::vector<std::array<std::int32_t, most_tree_dimensions>> shapes_;
  std::vector<std::int32_t> shape_of_;
};

struct Box {
  std::int32_t cell;
  std::int32_t first_child, children;  ///< boxes; none: a leaf here
};

/// Two boxes of a level that meet by interpolation.
struct Translation {
  std::int32_t target, source, code;
};

/// Lists of boxes, one a target.
struct Lists {
  std::vector<std::int64_t> starts;  ///< targets + 1
  std::vector<std::int32_t> sources;

  std::span<const std::int32_t> of(std::ptrdiff_t target) const {
    const auto begin = starts[at(target)], end = starts[at(target) + 1];
    return std::span(sources).subspan(at(begin), at(end - begin));
  }
};

struct Interactions {
  static constexpr std::ptrdiff_t group = 64;  ///< boxes whose translations are made together

  /// For `nodes` interpolation nodes a cell, which settles how many points pay. Incomplete when stopped.
  Interactions(const PointTree& tree, const Offsets& offsets, std::ptrdiff_t nodes, Monitor& monitor);

  /// visit(leaf, source, first number of the source's points in a list of all near points)
  template <class Visit>
  void for_near(const PointTree& tree, const Visit& visit) const {
    for (std::ptrdiff_t b = 0; b < std::ssize(boxes); ++b) {
      auto first = near_starts[at(b)];
      for (const auto s : near.of(b)) {
        visit(b, s, first);
        first += tree.cells()[at(boxes[at(s)].cell)].size();
      }
    }
  }

  std::vector<Box> boxes;                  ///< level after level
  std::vector<std::int32_t> levels;        ///< first box of each, and the end
  std::vector<Translation> translations;   ///< group after group, in it code after code
  std::vector<std::int64_t> group_starts;  ///< of translations: groups + 1
  std::vector<std::int32_t> group_levels;  ///< groups of each level begin here, and the end
  Lists near;        ///< leaves: other boxes whose points meet theirs one by one, each pair once
  Lists near_nodes;  ///< leaves: smaller cells whose nodes meet their points
  std::vector<std::int64_t> near_starts;  ///< points of sources in `near` before each box, and all
};

}  // namespace steelyard::distances
