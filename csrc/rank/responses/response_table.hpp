// Answers of persons to items, and where on the line of ability each person's likelihood is summed.
//
// Abilities are standard normal. The integral over them is a trapezoid sum on a lattice t = k step: for a posterior of
// standard deviation s its relative error is about 2 exp(-2 pi^2 s^2 / step^2), 4e-8 at step = 1.1 s. Short tests have
// one lattice for all persons ("fixed"). In a long one each person has 16 nodes of a lattice of its own step, a power of
// 1 / sqrt(2), around the own posterior ("windows"); persons with the same window form a group.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/monitor.hpp"

namespace steelyard::rank {

inline constexpr std::uint8_t no_answer = 2;

/// Either `codes` (persons x items, one byte each) or a list a person: the caller's.
struct ResponseTable {
  std::ptrdiff_t persons = 0, items = 0;
  std::span<const std::uint8_t> codes;
  std::span<const std::int64_t> offsets;
  std::span<const std::int32_t> listed;  ///< rising within a person
  std::span<const std::uint8_t> values;

  bool dense() const { return offsets.empty(); }
};

/// Persons order[begin .. end) at nodes (first + q) step.
struct NodeGroup {
  std::ptrdiff_t begin = 0, end = 0, first = 0;
  double step = 0.0;
};

struct Nodes {
  std::ptrdiff_t width = 0;
  std::vector<std::ptrdiff_t> order;
  std::vector<NodeGroup> groups;  ///< at most 256 persons each

  bool windows = false;
  double finest() const;
};

/// Where a person's posterior lies.
struct Place {
  double mean = 0.0, sd = 1.0;
};

/// One lattice from -reach to reach or a little beyond.
Nodes fixed_nodes(std::ptrdiff_t persons, double step, double reach = 5.5);
/// 16 nodes a person.
Nodes window_nodes(const std::vector<Place>& places);
/// Half the step, over the same stretches.
Nodes doubled(const Nodes& nodes);
/// Do the nodes reach 4.26 standard deviations to both sides, at a step of at most 1.15 of them?
bool suffice(const Nodes& nodes, const std::vector<Place>& places);

}  // namespace steelyard::rank
