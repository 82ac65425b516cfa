#include "metric/nearness/pair_tiles.hpp"

#include <algorithm>

#include "core/index.hpp"

namespace steelyard::metric {

/// visit(entry in the tiles, place in the condensed order, length) for each run of neighbouring pairs.
template <class Visit>
void PairTiles::runs(const Visit& visit) const {
  std::ptrdiff_t place = 0;
  for (std::ptrdiff_t i = 0; i < n_; ++i) {
    for (std::ptrdiff_t j = i + 1; j < n_;) {
      const std::ptrdiff_t end = std::min(n_, (j / block_size + 1) * block_size);
      visit(tile_number(i / block_size, j / block_size) * block_area + i % block_size * block_size +
                j % block_size,
            place, end - j);
      place += end - j;
      j = end;
    }
  }
}

void PairTiles::set(std::span<const double> condensed, double factor) {
  runs([&](std::ptrdiff_t tiled, std::ptrdiff_t place, std::ptrdiff_t length) {
    for (std::ptrdiff_t k = 0; k < length; ++k) (*this)[tiled + k] = factor * condensed[at(place + k)];
  });
}

std::vector<double> PairTiles::condensed(double factor) const {
  std::vector<double> out(checked_product("working memory", n_, n_ - 1) / 2);
  runs([&](std::ptrdiff_t tiled, std::ptrdiff_t place, std::ptrdiff_t length) {
    for (std::ptrdiff_t k = 0; k < length; ++k) out[at(place + k)] = factor * (*this)[tiled + k];
  });
  return out;
}

}  // namespace steelyard::metric
