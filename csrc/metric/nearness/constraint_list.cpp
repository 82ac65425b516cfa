#include "metric/nearness/constraint_list.hpp"

#include <algorithm>
#include <bit>

#include "core/index.hpp"

namespace steelyard::metric {
namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash ^= word;
  hash *= 0xff51afd7ed558ccdULL;
  return hash ^ (hash >> 32);
}

/// 0.0 and -0.0 are equal, so they must hash alike.
std::uint64_t word_of(double value) { return std::bit_cast<std::uint64_t>(value + 0.0); }

std::uint64_t hash_of(std::span<const std::int32_t> indices, std::span<const double> values, double bound) {
  std::uint64_t hash = mix(indices.size(), word_of(bound));
  for (std::size_t k = 0; k < indices.size(); ++k)
    hash = mix(mix(hash, static_cast<std::uint64_t>(indices[k])), word_of(values[k]));
  return hash;
}

}  // namespace

std::ptrdiff_t ConstraintList::add(std::span<const std::int32_t> new_indices,
                                   std::span<const double> new_values, double bound) {
  const auto hash = hash_of(new_indices, new_values, bound);
  const auto [first, last] = places_.equal_range(hash);
  for (auto place = first; place != last; ++place) {
    const auto row = place->second;
    if (bounds[at(row)] == bound && std::ranges::equal(indices_of(row), new_indices) &&
        std::ranges::equal(values_of(row), new_values))
      return row;
  }
  const auto row = count();
  indices.insert(indices.end(), new_indices.begin(), new_indices.end());
  values.insert(values.end(), new_values.begin(), new_values.end());
  starts.push_back(std::ssize(indices));
  bounds.push_back(bound);
  duals.push_back(0.0);
  places_.emplace(hash, row);
  return row;
}

void ConstraintList::forget() {
  ConstraintList kept;
  for (std::ptrdiff_t row = 0; row < count(); ++row) {
    const auto place = at(row);
    if (duals[place] == 0.0) continue;
    kept.add(indices_of(row), values_of(row), bounds[place]);
    kept.duals.back() = duals[place];
  }
  *this = std::move(kept);
}

}  // namespace steelyard::metric
