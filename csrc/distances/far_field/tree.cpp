#include "distances/far_field/tree.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "core/pool.hpp"
#include "core/random.hpp"

namespace steelyard::distances {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t leaf_points = 16;
constexpr std::int32_t deepest = 30;
constexpr std::uint64_t net_seed = 20260102;

/// Squared distance of a point from a cell.
double squared_distance_of(const PointTree& tree, const Cell& cell, const double* x) {
  double sum = 0.0;
  const double half = tree.half(cell.level);
  for (ptrdiff_t k = 0; k < tree.dimensions(); ++k) {
    const double gap = std::abs(x[k] - tree.centre(cell, k)) - half;
    // Cells deep down are known to the rounding of coordinates alone.
    if (gap > 0.0) sum += gap * gap * (1.0 - 1e-9);
  }
  return sum;
}

/// One point's search for its nearest, going down the tree nearest cell first.
class Search {
 public:
  Search(const PointTree& tree, std::span<const std::int32_t> rank, std::span<const std::int32_t> least,
         ptrdiff_t k)
      : tree_(tree), rank_(rank), least_(least), k_(at(k)) {}

  const std::vector<std::pair<double, std::int32_t>>& run(ptrdiff_t i) {
    for (ptrdiff_t c = 0; c < tree_.dimensions(); ++c) x_[at(c)] = tree_.coordinates(c)[i];
    own_ = rank_[at(i)];
    heap_.clear();
    stack_.assign(1, {0.0, 0});
    while (!stack_.empty()) {
      const auto [gap, number] = stack_.back();
      stack_.pop_back();
      if (gap < limit() && least_[at(number)] < own_) visit(tree_.cells()[at(number)]);
    }
    std::sort_heap(heap_.begin(), heap_.end());
    return heap_;
  }

 private:
  double limit() const { return heap_.size() == k_ ? heap_.front().first : infinity; }

  void visit(const Cell& cell) {
    if (cell.children == 0) {
      for (auto j = cell.begin; j < cell.end; ++j)
        if (rank_[at(j)] < own_) offer(j);
      return;
    }
    const auto first = std::ssize(stack_);
    for (auto c = cell.first_child; c < cell.first_child + cell.children; ++c) {
      const double gap = squared_distance_of(tree_, tree_.cells()[at(c)], x_.data());
      if (gap < limit() && least_[at(c)] < own_) stack_.emplace_back(gap, c);
    }
    std::sort(stack_.begin() + first, stack_.end(), [](const auto& a, const auto& b) { return a > b; });
  }

  void offer(std::int32_t j) {
    double sum = 0.0;
    for (ptrdiff_t c = 0; c < tree_.dimensions(); ++c) {
      const double gap = x_[at(c)] - tree_.coordinates(c)[j];
      sum += gap * gap;
    }
    if (!(sum < limit())) return;
    if (heap_.size() == k_) {
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.pop_back();
    }
    heap_.emplace_back(sum, j);
    std::push_heap(heap_.begin(), heap_.end());
  }

  const PointTree& tree_;
  std::span<const std::int32_t> rank_, least_;
  std::size_t k_;
  std::int32_t own_ = 0;
  std::array<double, most_tree_dimensions> x_{};
  std::vector<std::pair<double, std::int32_t>> heap_, stack_;
};

/// The least rank in each cell.
std::vector<std::int32_t> least_ranks(const PointTree& tree, std::span<const std::int32_t> rank) {
  const auto cells = tree.cells();
  std::vector<std::int32_t> least(cells.size());
  for (auto c = cells.size(); c-- > 0;) {
    const Cell& cell = cells[c];
    auto best = rank[at(cell.begin)];
    if (cell.children == 0) {
      for (auto i = cell.begin; i < cell.end; ++i) best = std::min(best, rank[at(i)]);
    } else {
      best = *std::min_element(least.begin() + cell.first_child,
                               least.begin() + cell.first_child + cell.children);
    }
    least[c] = best;
  }
  return least;
}

/// visit(i, neighbours) for each point in the tree's order, found among those of lower rank there.
template <class Visit>
bool for_each_neighbourhood(const PointTree& tree, std::span<const std::int32_t> rank, ptrdiff_t k,
                            Monitor& monitor, const Visit& visit) {
  const auto least = least_ranks(tree, rank);
  return parallel_for(tree.size(), 256, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    if (monitor.poll()) return;
    Search search(tree, rank, least, k);
    for (auto i = begin; i < end; ++i) visit(i, search.run(i));
  });
}

}  // namespace

PointTree::PointTree(MatrixView<const double> points, Monitor& monitor)
    : d_(points.cols), order_(at(points.rows)) {
  std::iota(order_.begin(), order_.end(), 0);
  double half = 0.0;
  for (ptrdiff_t k = 0; k < d_; ++k) {
    double low = infinity, high = -infinity;
    for (ptrdiff_t i = 0; i < points.rows; ++i) {
      low = std::min(low, points.row(i)[k]);
      high = std::max(high, points.row(i)[k]);
    }
    low_[at(k)] = low;
    half = std::max(half, 0.5 * high - 0.5 * low);
  }
  for (int level = 0; level <= deepest; ++level) halves_.push_back(std::ldexp(half, -level));
  cells_.push_back({0, static_cast<std::int32_t>(points.rows), 0, 0, 0, {}});
  std::vector<std::int32_t> order(order_.size());
  std::vector<unsigned char> parts(order_.size());
  for (std::size_t number = 0; number < cells_.size(); ++number) {
    if (number % 64 == 0 && monitor.poll()) return;
    if (cells_[number].size() > leaf_points && cells_[number].level < deepest && half > 0.0)
      cut(number, order, parts, points);
  }
  x_.resize(checked_product("working memory", d_, points.rows));
  for (ptrdiff_t k = 0; k < d_; ++k)
    for (ptrdiff_t i = 0; i < size(); ++i) x_[at(k * size() + i)] = points.row(order_[at(i)])[k];
}

/// Into its children, stably: points in the order of a tree stay in it.
void PointTree::cut(std::size_t number, std::vector<std::int32_t>& order, std::vector<unsigned char>& parts,
                    MatrixView<const double> points) {
  constexpr std::size_t most_parts = std::size_t{1} << most_tree_dimensions;
  const Cell cell = cells_[number];
  std::array<std::int32_t, most_parts + 1> starts{};
  std::array<double, most_tree_dimensions> centres{};
  for (ptrdiff_t k = 0; k < d_; ++k) centres[at(k)] = centre(cell, k);
  for (auto i = cell.begin; i < cell.end; ++i) {
    const double* row = points.row(order_[at(i)]);
    unsigned part = 0;
    for (ptrdiff_t k = 0; k < d_; ++k) part = 2 * part + (row[k] >= centres[at(k)] ? 1U : 0U);
    parts[at(i)] = static_cast<unsigned char>(part);
    ++starts[part + 1];
  }
  starts[0] = cell.begin;
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  cells_[number].first_child = static_cast<std::int32_t>(cells_.size());
  for (std::size_t part = 0; part < std::size_t{1} << d_; ++part) {
    if (starts[part] == starts[part + 1]) continue;
    Cell child{starts[part], starts[part + 1], 0, 0, cell.level + 1, {}};
    for (ptrdiff_t k = 0; k < d_; ++k)
      child.index[at(k)] = 2 * cell.index[at(k)] + static_cast<std::int32_t>(part >> (d_ - 1 - k) & 1U);
    cells_.push_back(child);
    ++cells_[number].children;
  }
  auto next = starts;
  for (auto i = cell.begin; i < cell.end; ++i) order[at(next[parts[at(i)]]++)] = order_[at(i)];
  std::copy(order.begin() + cell.begin, order.begin() + cell.end, order_.begin() + cell.begin);
}

std::vector<std::int32_t> nets(const PointTree& tree) {
  const auto cells = tree.cells();
  Random random(net_seed, 0);
  std::vector<std::int32_t> chosen(cells.size(), -1), out;
  std::vector<char> taken(at(tree.size()), 0);
  out.reserve(taken.size());
  const auto shuffle_from = [&](ptrdiff_t first) {
    for (auto j = std::ssize(out) - 1; j > first; --j)
      std::swap(out[at(j)], out[at(first + random.below(j - first + 1))]);
  };
  const auto take = [&](std::int32_t i) {
    taken[at(i)] = 1;
    out.push_back(tree.order()[at(i)]);
  };
  ptrdiff_t first = 0;
  for (std::size_t c = 0; c < cells.size(); ++c) {
    if (c > 0 && cells[c].level != cells[c - 1].level) {
      shuffle_from(first);
      first = std::ssize(out);
    }
    auto& own = chosen[c];
    if (own < 0) take(own = cells[c].begin + static_cast<std::int32_t>(random.below(cells[c].size())));
    for (auto child = cells[c].first_child; child < cells[c].first_child + cells[c].children; ++child)
      if (own >= cells[at(child)].begin && own < cells[at(child)].end) chosen[at(child)] = own;
  }
  shuffle_from(first);
  first = std::ssize(out);
  for (ptrdiff_t i = 0; i < tree.size(); ++i)
    if (taken[at(i)] == 0) out.push_back(tree.order()[at(i)]);
  shuffle_from(first);
  return out;
}

std::vector<std::int32_t> earlier_neighbours(const PointTree& tree, std::span<const std::int32_t> rank,
                                             ptrdiff_t k, Monitor& monitor) {
  std::vector<std::int32_t> out(checked_product("working memory", tree.size(), k), -1);
  std::vector<std::int32_t> own(rank.size());
  for (std::size_t i = 0; i < own.size(); ++i) own[i] = rank[at(tree.order()[i])];
  if (k == 0) return out;
  for_each_neighbourhood(tree, own, k, monitor, [&](ptrdiff_t i, const auto& found) {
    auto* row = out.data() + tree.order()[at(i)] * k;
    for (const auto& one : found) *row++ = tree.order()[at(one.second)];
  });
  return out;
}

double smallest_distance(const PointTree& tree, Monitor& monitor) {
  std::vector<std::int32_t> rank(at(tree.size()));
  std::iota(rank.begin(), rank.end(), 0);
  std::vector<double> least(rank.size(), infinity);
  for_each_neighbourhood(tree, rank, 1, monitor, [&](ptrdiff_t i, const auto& found) {
    if (!found.empty()) least[at(i)] = found.front().first;
  });
  return std::sqrt(*std::min_element(least.begin(), least.end()));
}

}  // namespace steelyard::distances
