#include "metric/clustering/clustering_relaxation.hpp"

#include <cmath>

#include "core/index.hpp"
#include "metric/condensed_index.hpp"

namespace steelyard::metric {

L1Solution relax_clustering(const SignedGraph& graph, std::span<const double> costs, const L1Options& options,
                            Monitor& monitor) {
  const auto n = graph.nodes();
  const auto pairs = at(pair_count(n));
  std::vector<double> target(pairs, 1.0), weights(pairs);
  std::vector<std::uint8_t> fixed(graph.forbidden > 0.0 ? pairs : 0, 0);
  std::size_t e = 0;
  for (std::ptrdiff_t i = 0; i < n; ++i)
    for (auto j = i + 1; j < n; ++j) weights[e++] = graph.background * graph.size(i) * graph.size(j);
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    for (auto k = graph.begin(i); k < graph.end(i); ++k) {
      const auto j = static_cast<std::ptrdiff_t>(graph.neighbour(k));
      if (j < i) continue;
      const auto place = at(condensed_index(n, i, j));
      const double c = costs[at(k)] - weights[place];
      weights[place] = std::fabs(c);
      target[place] = c > 0.0 ? 0.0 : 1.0;
      if (graph.is_forbidden(k)) fixed[place] = 1;
    }
  }
  return solve_l1({n, target, weights, fixed, 1.0}, options, monitor);
}

}  // namespace steelyard::metric
