// Points in random groups of eight, and the blocks of two groups that hold every pair of points once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/aligned.hpp"
#include "core/index.hpp"
#include "core/random.hpp"
#include "core/views.hpp"

namespace steelyard::metric {

/// The pairs of a block: all across its two groups; all within them too where the groups belong together, so
/// that no block is much smaller than another.
struct BlockPairs {
  static constexpr std::ptrdiff_t lanes = 8, points = 2 * lanes;

  std::array<std::ptrdiff_t, 2> group, count;  ///< points there are in each group
  bool inside;
  std::array<std::ptrdiff_t, points> point;  ///< lane by lane
  std::ptrdiff_t pairs;
  std::array<std::int16_t, points * points> place;    ///< i * points + j of each pair of lanes i < j
  std::array<std::ptrdiff_t, points * points> index;  ///< condensed index of the pair at each place
};

class PointGroups {
 public:
  static constexpr std::ptrdiff_t lanes = BlockPairs::lanes;

  PointGroups() = default;
  /// `size`: rows of a group, the d features and zeros behind.
  PointGroups(MatrixView<const double> points, std::ptrdiff_t size);

  /// Draws new groups, and the order of the blocks.
  void shuffle(Random& random);

  std::ptrdiff_t groups() const { return groups_; }
  std::ptrdiff_t blocks() const { return std::ssize(blocks_); }
  /// Points of a group about the mean of all, side by side: `size` rows of eight.
  const double* side_by_side(std::ptrdiff_t group) const {
    return values_.data() + at(group * lanes * size_);
  }
  double square_about_mean(const double* point) const;
  void read(std::ptrdiff_t block, BlockPairs& out) const;

 private:
  MatrixView<const double> points_{};
  std::ptrdiff_t size_ = 0, groups_ = 0;  // an even number of groups
  std::vector<double> mean_;
  std::vector<std::ptrdiff_t> order_, start_;  // start_[i] + j: the pair i < j
  std::vector<std::array<std::int32_t, 2>> blocks_;
  AlignedVector<double> values_;
};

}  // namespace steelyard::metric
