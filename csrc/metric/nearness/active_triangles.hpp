// The triangle inequalities x_ij <= x_ik + x_jk that a solver holds at present, with their duals >= 0.
//
// Lists are kept by (block of i, block of j; block of k), so that the three pairs of a constraint lie in
// three known tiles and two bytes name a pair: 14 bytes a constraint. Triangles of the blocks {I, J, K} touch
// the tiles IJ, IK and JK alone. Of all {I, J, K} with I + J + K = r (mod number of blocks) no two share a
// tile, since two blocks of three fix the third: such a class can be worked on by several threads, in an
// order that does not depend on their number. Where there are many blocks the classes are made of squares of
// 2 x 2 tiles: a tile that was fetched is used twice as often before the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "core/index.hpp"
#include "core/monitor.hpp"
#include "metric/nearness/pair_tiles.hpp"

namespace steelyard::metric {

/// Places of the pairs ij, ik and jk in their tiles.
struct Triangle {
  std::uint16_t ij, ik, jk;
};

struct TriangleList {
  std::vector<Triangle> where;  ///< by ij, of equal ij in order of arrival
  std::vector<double> dual;
};

/// i, j, k and the dual, for the outside world.
struct HeldTriangles {
  std::vector<std::int32_t> corners;  ///< three a triangle: the long pair i < j, then k
  std::vector<double> duals;
};

/// The numbers of the tiles of one list.
struct ListTiles {
  std::ptrdiff_t ij, ik, jk;
};

class ActiveTriangles {
 public:
  explicit ActiveTriangles(std::ptrdiff_t n);

  std::ptrdiff_t blocks() const { return blocks_; }
  std::ptrdiff_t count() const;

  TriangleList& list(std::ptrdiff_t I, std::ptrdiff_t J, std::ptrdiff_t K) {
    return lists_[at(tile_number(I, J) * blocks_ + K)];
  }
  const std::vector<TriangleList>& lists() const { return lists_; }
  std::vector<TriangleList>& lists() { return lists_; }
  ListTiles tiles_of(std::ptrdiff_t list) const { return tiles_[at(list)]; }

  /// `found` by rising ij, at most one triangle each; those held already keep their dual.
  void merge(std::ptrdiff_t I, std::ptrdiff_t J, std::ptrdiff_t K, std::span<const Triangle> found);
  /// Drops what has no dual.
  void forget(Monitor& monitor);

  HeldTriangles held(double factor) const;
  void load(std::span<const std::int32_t> corners, std::span<const double> duals, double factor);

  /// visit(number of the list) for all lists, `rounds` times: threads share what is free of conflicts.
  /// After each round, last(number of a tile) for all tiles, if given. False if stopped.
  bool sweep(std::ptrdiff_t rounds, Monitor& monitor, const std::function<void(std::ptrdiff_t)>& visit,
             const std::function<void(std::ptrdiff_t)>& last = {}) const;

 private:
  void add_task(std::ptrdiff_t I0, std::ptrdiff_t J0, std::ptrdiff_t K0, std::ptrdiff_t side);

  std::ptrdiff_t n_, blocks_;
  std::vector<TriangleList> lists_;
  std::vector<ListTiles> tiles_;
  std::vector<std::ptrdiff_t> task_lists_;    ///< the lists of all tasks, one task after the other
  std::vector<std::ptrdiff_t> task_starts_;   ///< of the lists of each task, and the end
  std::vector<std::ptrdiff_t> phase_starts_;  ///< of the tasks of each class
};

/// Where the pair of item i of block I and item k of block K lies: the entry in its tile.
inline std::uint16_t place_of(std::ptrdiff_t I, std::ptrdiff_t i, std::ptrdiff_t K, std::ptrdiff_t k) {
  const bool ordered = I < K || (I == K && i < k);
  return static_cast<std::uint16_t>(ordered ? i * block_size + k : k * block_size + i);
}

}  // namespace steelyard::metric
