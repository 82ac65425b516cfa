#include "metric/clustering/triangle_packing.hpp"

#include <algorithm>

#include "core/index.hpp"
#include "core/infinity.hpp"

namespace steelyard::metric {
namespace {

using std::int32_t;
using std::ptrdiff_t;
using std::size_t;

/// Agreeing pairs with what is left of their weight; the two directions share one place.
struct Agreeing {
  std::vector<std::int64_t> offsets{0};
  std::vector<int32_t> neighbours;
  std::vector<std::int64_t> place;
  std::vector<double> left;

  explicit Agreeing(const SignedGraph& graph) {
    for (ptrdiff_t i = 0; i < graph.nodes(); ++i) {
      for (auto k = graph.begin(i); k < graph.end(i); ++k) {
        const double c = graph.signed_weight(i, k);
        if (c <= 0.0 || graph.is_forbidden(k)) continue;
        const auto j = graph.neighbour(k);
        neighbours.push_back(j);
        place.push_back(i < j ? std::ssize(left) : mirrored(j, static_cast<int32_t>(i)));
        if (i < j) left.push_back(c);
      }
      offsets.push_back(std::ssize(neighbours));
    }
  }

  /// Place of (i, j) with i < j in a row that is complete.
  std::int64_t mirrored(int32_t i, int32_t j) const {
    const auto begin = neighbours.begin() + offsets[at(i)], end = neighbours.begin() + offsets[at(i) + 1];
    return place[at(std::lower_bound(begin, end, j) - neighbours.begin())];
  }
};

}  // namespace

double pack_bad_triangles(const SignedGraph& graph, Monitor& monitor) {
  const auto n = graph.nodes();
  Agreeing agreeing(graph);
  std::vector<double> room(at(n), -1.0);  // what is left of |c| between i and each node; < 0: not yet known
  std::vector<int32_t> touched;
  double packed = 0.0;
  for (ptrdiff_t i = 0; i < n && !monitor.poll(); ++i) {
    touched.clear();
    for (auto k = graph.begin(i); k < graph.end(i); ++k) {
      const auto j = graph.neighbour(k);
      room[at(j)] = graph.is_forbidden(k) ? infinity : std::max(0.0, -graph.signed_weight(i, k));
      touched.push_back(j);
    }
    for (auto p = agreeing.offsets[at(i)]; p < agreeing.offsets[at(i) + 1]; ++p) {
      const auto middle = agreeing.neighbours[at(p)];
      double& first = agreeing.left[at(agreeing.place[at(p)])];
      for (auto q = agreeing.offsets[at(middle)]; q < agreeing.offsets[at(middle) + 1] && first > 0.0; ++q) {
        const auto j = agreeing.neighbours[at(q)];
        if (j <= i) continue;
        if (room[at(j)] < 0.0) {
          room[at(j)] = graph.background * graph.size(i) * graph.size(j);
          touched.push_back(j);
        }
        double& second = agreeing.left[at(agreeing.place[at(q)])];
        const double amount = std::min({first, second, room[at(j)]});
        first -= amount;
        second -= amount;
        room[at(j)] -= amount;
        packed += amount;
      }
    }
    for (const auto j : touched) room[at(j)] = -1.0;
  }
  return packed;
}

}  // namespace steelyard::metric
