#include "metric/clustering/signed_graph.hpp"

#include <algorithm>

#include "core/index.hpp"

namespace steelyard::metric {

using std::size_t;

double agreement(const SignedGraph& graph, std::span<const std::int32_t> labels) {
  const auto n = graph.nodes();
  double twice = 0.0;
  std::vector<double> total(at(n), 0.0);
  double squares = 0.0;
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    const auto own = labels[at(i)];
    for (auto k = graph.begin(i); k < graph.end(i); ++k) {
      if (labels[at(graph.neighbour(k))] == own) twice += graph.weight(k);
    }
    total[at(own)] += graph.size(i);
    squares += graph.size(i) * graph.size(i);
  }
  double together = -squares;
  for (const double s : total) together += s * s;
  return 0.5 * (twice - graph.background * together);
}

double cost_of(const SignedGraph& graph, std::span<const std::int32_t> labels) {
  const auto n = graph.nodes();
  double paid = 0.0, listed = 0.0, squares = 0.0;
  std::vector<double> total(at(n), 0.0);
  for (std::ptrdiff_t i = 0; i < n; ++i) {
    const auto own = labels[at(i)];
    total[at(own)] += graph.size(i);
    squares += graph.size(i) * graph.size(i);
    for (auto k = graph.begin(i); k < graph.end(i); ++k) {
      const auto j = graph.neighbour(k);
      if (j <= i) continue;
      const bool joined = labels[at(j)] == own;
      const double c = graph.signed_weight(i, k);
      if (joined) listed += graph.size(i) * graph.size(j);
      paid += joined ? std::max(-c, 0.0) : std::max(c, 0.0);
    }
  }
  if (graph.background == 0.0) return paid;
  double together = -squares;
  for (const double s : total) together += s * s;
  return paid + graph.background * std::max(0.0, 0.5 * together - listed);
}

std::int32_t renumber(Labels& labels) {
  std::int32_t top = -1;
  for (const auto label : labels) top = std::max(top, label);
  std::vector<std::int32_t> names(at(top + 1), -1);
  std::int32_t count = 0;
  for (auto& label : labels) {
    auto& name = names[at(label)];
    if (name < 0) name = count++;
    label = name;
  }
  return count;
}

}  // namespace steelyard::metric
