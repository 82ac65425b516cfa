// Sparse rows a'x <= b with a dual each; equal rows are the same constraint.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/index.hpp"

namespace steelyard::metric {

class ConstraintList {
 public:
  /// The row's number; a row that is held already keeps its dual. `indices` ascend and don't repeat.
  std::ptrdiff_t add(std::span<const std::int32_t> indices, std::span<const double> values, double bound);
  /// Drops the rows whose dual is 0, in order.
  void forget();

  std::ptrdiff_t count() const { return std::ssize(bounds); }
  std::span<const std::int32_t> indices_of(std::ptrdiff_t row) const {
    return {indices.data() + begin(row), end(row) - begin(row)};
  }
  std::span<const double> values_of(std::ptrdiff_t row) const {
    return {values.data() + begin(row), end(row) - begin(row)};
  }

  std::vector<std::int64_t> starts{0};
  std::vector<std::int32_t> indices;
  std::vector<double> values, bounds, duals;

 private:
  std::size_t begin(std::ptrdiff_t row) const { return at(starts[at(row)]); }
  std::size_t end(std::ptrdiff_t row) const { return begin(row + 1); }

  std::unordered_multimap<std::uint64_t, std::ptrdiff_t> places_;
};

}  // namespace steelyard::metric
