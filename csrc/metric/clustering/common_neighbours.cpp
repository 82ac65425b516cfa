#include "metric/clustering/common_neighbours.hpp"

#include <algorithm>

#include "core/index.hpp"
#include "core/pool.hpp"

namespace steelyard::metric {
namespace {

using std::int32_t;
using std::ptrdiff_t;
using std::size_t;

constexpr ptrdiff_t chunk = 64;  // rows

/// Counts of the common neighbours of one node with all later ones.
class Row {
 public:
  explicit Row(const CsrPattern& graph) : graph_(graph), count_(at(graph.rows()), 0) {}

  void append(ptrdiff_t i, CommonNeighbours& out) {
    later_.clear();
    for (auto k = begin(i); k < begin(i + 1); ++k) {
      const auto middle = neighbour(k);
      for (auto q = begin(middle); q < begin(middle + 1); ++q) {
        const auto j = neighbour(q);
        if (j > i && count_[at(j)]++ == 0) later_.push_back(j);
      }
    }
    std::sort(later_.begin(), later_.end());
    for (const auto j : later_) {
      const auto common = count_[at(j)];
      count_[at(j)] = 0;
      out.left.push_back(static_cast<int32_t>(i));
      out.right.push_back(j);
      out.jaccard.push_back(static_cast<double>(common) /
                            static_cast<double>(degree(i) + degree(j) - common));
    }
  }

 private:
  std::int64_t begin(ptrdiff_t i) const { return graph_.offsets[at(i)]; }
  int32_t neighbour(std::int64_t k) const { return graph_.indices[at(k)]; }
  std::int64_t degree(ptrdiff_t i) const { return begin(i + 1) - begin(i); }

  const CsrPattern& graph_;
  std::vector<std::int64_t> count_;
  std::vector<int32_t> later_;
};

}  // namespace

CommonNeighbours common_neighbours(const CsrPattern& adjacency, Monitor& monitor) {
  const auto n = adjacency.rows();
  std::vector<CommonNeighbours> parts(at((n + chunk - 1) / chunk));
  parallel_for(n, chunk, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    Row row(adjacency);
    for (auto i = begin; i < end && !monitor.poll(); ++i) row.append(i, parts[at(begin / chunk)]);
  });
  CommonNeighbours out;
  for (const auto& part : parts) {
    out.left.insert(out.left.end(), part.left.begin(), part.left.end());
    out.right.insert(out.right.end(), part.right.begin(), part.right.end());
    out.jaccard.insert(out.jaccard.end(), part.jaccard.begin(), part.jaccard.end());
  }
  return out;
}

}  // namespace steelyard::metric
