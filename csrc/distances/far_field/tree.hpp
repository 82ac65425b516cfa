// A tree of cubes over points in few dimensions: each cube that holds many points is cut into 2^d.
//
// Points are kept in the order of the cubes, so that those of any cube are a range. O(n depth) time, O(n d)
// memory. Cells of a level lie together, children of a cell too.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/index.hpp"
#include "core/monitor.hpp"
#include "core/views.hpp"

namespace steelyard::distances {

constexpr std::ptrdiff_t most_tree_dimensions = 4;

struct Cell {
  std::int32_t begin, end;             ///< of its points
  std::int32_t first_child, children;  ///< none: a leaf
  std::int32_t level;
  std::array<std::int32_t, most_tree_dimensions> index;  ///< which cube of its level, a coordinate each

  std::ptrdiff_t size() const { return end - begin; }
};

class PointTree {
 public:
  /// Up to four dimensions, at least one point. Incomplete when stopped.
  PointTree(MatrixView<const double> points, Monitor& monitor);

  std::ptrdiff_t size() const { return std::ssize(order_); }
  std::ptrdiff_t dimensions() const { return d_; }
  std::span<const std::int32_t> order() const { return order_; }  ///< the number of each point as given
  const double* coordinates(std::ptrdiff_t k) const { return x_.data() + k * size(); }
  std::span<const Cell> cells() const { return cells_; }
  double half(std::ptrdiff_t level) const { return halves_[at(level)]; }
  double centre(const Cell& cell, std::ptrdiff_t k) const {
    return low_[at(k)] + (2.0 * cell.index[at(k)] + 1.0) * half(cell.level);
  }

 private:
  void cut(std::size_t number, std::vector<std::int32_t>& order, std::vector<unsigned char>& parts,
           MatrixView<const double> points);

  std::ptrdiff_t d_;
  std::vector<double> halves_;  ///< of the sides of cubes, the one that holds all first
  std::array<double, most_tree_dimensions> low_{};
  std::vector<std::int32_t> order_;
  std::vector<double> x_;
  std::vector<Cell> cells_;
};

/// The points in an order of ever finer nets: one a cell, level after level, each level shuffled; then those left
/// over in leaves, likewise.
std::vector<std::int32_t> nets(const PointTree& tree);

/// The k nearest of each point among those of lower `rank` (a permutation): n x k numbers of points, nearest
/// first, -1 where there are fewer. Points and ranks in the order in which the tree was given them. O(n k log
/// n) where points are not too oddly spread.
std::vector<std::int32_t> earlier_neighbours(const PointTree& tree, std::span<const std::int32_t> rank,
                                             std::ptrdiff_t k, Monitor& monitor);

/// Smallest distance between two points; infinite of one.
double smallest_distance(const PointTree& tree, Monitor& monitor);

}  // namespace steelyard::distances
