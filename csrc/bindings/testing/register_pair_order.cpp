// The order in which metric learning visits pairs.
#include "bindings/arrays.hpp"
#include "bindings/register.hpp"
#include "core/random.hpp"
#include "metric/itml/point_groups.hpp"

namespace steelyard::bindings {
namespace {

/// Row by row the pairs that sweeps over all pairs of n points visit.
py::array_t<std::int32_t> pair_order(std::ptrdiff_t n, int sweeps,
                                     std::pair<std::uint64_t, std::uint64_t> seed) {
  Random random(seed.first, seed.second);
  metric::PointGroups groups({nullptr, n, 0, 0}, 0);
  metric::BlockPairs read;
  std::vector<std::int32_t> out;
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    groups.shuffle(random);
    for (std::ptrdiff_t k = 0; k < groups.blocks(); ++k) {
      groups.read(k, read);
      for (std::ptrdiff_t r = 0; r < read.pairs; ++r) {
        const std::ptrdiff_t place = read.place[at(r)];
        for (const std::ptrdiff_t lane :
             {place / metric::BlockPairs::points, place % metric::BlockPairs::points})
          out.push_back(static_cast<std::int32_t>(read.point[at(lane)]));
      }
    }
  }
  const auto rows = std::ssize(out) / 2;
  return take(std::move(out), rows, 2);
}

}  // namespace

void register_pair_order(py::module_& m) {
  m.def("_metric_pair_order", &pair_order, "n"_a, "sweeps"_a, "seed"_a);
}

}  // namespace steelyard::bindings
