// One number for each pair of n items, in square blocks of the upper triangle.
//
// Block (I, J), I <= J, holds the pairs with i in block I and j in block J, row after row; of a diagonal
// block only i < j counts. What a pair does not reach (padding, the rest of a diagonal block) keeps the fill.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/index.hpp"
#include "core/monitor.hpp"
#include "core/pool.hpp"
#include "simd/min_plus.hpp"

namespace steelyard::metric {

using simd::block_area;
using simd::block_size;

inline std::ptrdiff_t blocks_of(std::ptrdiff_t n) { return (n + block_size - 1) / block_size; }
inline std::ptrdiff_t tile_number(std::ptrdiff_t I, std::ptrdiff_t J) { return J * (J + 1) / 2 + I; }

class PairTiles {
 public:
  PairTiles() = default;
  PairTiles(std::ptrdiff_t n, double fill)
      : n_(n), blocks_(blocks_of(n)), values_(at(tiles() * block_area), fill) {}

  std::ptrdiff_t items() const { return n_; }
  std::ptrdiff_t blocks() const { return blocks_; }
  std::ptrdiff_t tiles() const { return blocks_ * (blocks_ + 1) / 2; }
  std::ptrdiff_t size() const { return std::ssize(values_); }
  bool empty() const { return values_.empty(); }

  double* tile(std::ptrdiff_t number) { return values_.data() + number * block_area; }
  const double* tile(std::ptrdiff_t number) const { return values_.data() + number * block_area; }
  double* tile(std::ptrdiff_t I, std::ptrdiff_t J) { return tile(tile_number(I, J)); }
  const double* tile(std::ptrdiff_t I, std::ptrdiff_t J) const { return tile(tile_number(I, J)); }
  double& operator[](std::ptrdiff_t place) { return values_[at(place)]; }
  double operator[](std::ptrdiff_t place) const { return values_[at(place)]; }

  /// Rows i < j in the order of SciPy's condensed distances: (0, 1), (0, 2), ...
  void set(std::span<const double> condensed, double factor);
  std::vector<double> condensed(double factor) const;

 private:
  template <class Visit>
  void runs(const Visit& visit) const;

  std::ptrdiff_t n_ = 0, blocks_ = 0;
  std::vector<double> values_;
};

/// body(number of the tile, its first entry) for all tiles, in parallel.
template <class Body>
void for_tiles(const PairTiles& tiles, Monitor& monitor, const Body& body) {
  parallel_for(tiles.tiles(), 8, monitor, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (auto place = begin * block_area; place < end * block_area; ++place) body(place);
  });
}

/// Sum of term(entry), in an order that does not depend on the threads.
template <class Term>
double sum_tiles(const PairTiles& tiles, Monitor& monitor, const Term& term) {
  return parallel_sum(tiles.tiles(), 8, monitor, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    double sum = 0.0;
    for (auto place = begin * block_area; place < end * block_area; ++place) sum += term(place);
    return sum;
  });
}

}  // namespace steelyard::metric
