#include "metric/nearness/active_triangles.hpp"

#include <algorithm>
#include <numeric>

#include "core/index.hpp"

namespace steelyard::metric {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t serial_below = 40'000;  // constraints a round: threads cost more than they bring

ptrdiff_t ordered_tile(ptrdiff_t I, ptrdiff_t J) { return I <= J ? tile_number(I, J) : tile_number(J, I); }

bool same(const Triangle& a, const Triangle& b) { return a.ij == b.ij && a.ik == b.ik && a.jk == b.jk; }

}  // namespace

ActiveTriangles::ActiveTriangles(ptrdiff_t n) : n_(n), blocks_(blocks_of(n)) {
  lists_.resize(checked_product("working memory", blocks_, blocks_ + 1, blocks_) / 2);
  tiles_.resize(lists_.size());
  for (ptrdiff_t J = 0; J < blocks_; ++J)
    for (ptrdiff_t I = 0; I <= J; ++I)
      for (ptrdiff_t K = 0; K < blocks_; ++K)
        tiles_[at(tile_number(I, J) * blocks_ + K)] = {tile_number(I, J), ordered_tile(I, K),
                                                       ordered_tile(J, K)};
  // Below this there would be too few tasks for several threads.
  const ptrdiff_t side = blocks_ >= 16 ? 2 : 1, groups = (blocks_ + side - 1) / side;
  task_starts_.push_back(0);
  for (ptrdiff_t r = 0; r < groups; ++r) {
    phase_starts_.push_back(std::ssize(task_starts_) - 1);
    for (ptrdiff_t A = 0; A < groups; ++A)
      for (ptrdiff_t B = A; B < groups; ++B) {
        const ptrdiff_t C = (r - A - B + 2 * groups) % groups;
        if (C >= B) add_task(A * side, B * side, C * side, side);
      }
  }
}

/// The lists of all {I, J, K}, I <= J <= K, in three ranges of `side` blocks.
void ActiveTriangles::add_task(ptrdiff_t I0, ptrdiff_t J0, ptrdiff_t K0, ptrdiff_t side) {
  const auto end = [&](ptrdiff_t first) { return std::min(first + side, blocks_); };
  const auto add = [&](ptrdiff_t I, ptrdiff_t J, ptrdiff_t K) {
    task_lists_.push_back(tile_number(I, J) * blocks_ + K);
  };
  for (ptrdiff_t I = I0; I < end(I0); ++I)
    for (ptrdiff_t J = std::max(I, J0); J < end(J0); ++J)
      for (ptrdiff_t K = std::max(J, K0); K < end(K0); ++K) {
        add(I, J, K);
        if (J != K) add(I, K, J);
        if (I != J) add(J, K, I);
      }
  task_starts_.push_back(std::ssize(task_lists_));
}

ptrdiff_t ActiveTriangles::count() const {
  return std::transform_reduce(lists_.begin(), lists_.end(), ptrdiff_t{0}, std::plus<>(),
                               [](const TriangleList& list) { return std::ssize(list.dual); });
}

void ActiveTriangles::merge(ptrdiff_t I, ptrdiff_t J, ptrdiff_t K, std::span<const Triangle> found) {
  auto& old = list(I, J, K);
  TriangleList all;
  all.where.reserve(old.where.size() + found.size());
  all.dual.reserve(all.where.capacity());
  std::size_t k = 0;
  const auto keep = [&] {
    all.where.push_back(old.where[k]);
    all.dual.push_back(old.dual[k++]);
  };
  for (const auto& triangle : found) {
    bool known = false;
    while (k < old.where.size() && old.where[k].ij <= triangle.ij) {
      known = known || same(old.where[k], triangle);
      keep();
    }
    if (known) continue;
    all.where.push_back(triangle);
    all.dual.push_back(0.0);
  }
  while (k < old.where.size()) keep();
  old = std::move(all);
}

void ActiveTriangles::forget(Monitor& monitor) {
  parallel_for(std::ssize(lists_), 64, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    for (auto l = begin; l < end; ++l) {
      auto& list = lists_[at(l)];
      std::size_t kept = 0;
      for (std::size_t k = 0; k < list.dual.size(); ++k) {
        if (!(list.dual[k] > 0.0)) continue;
        list.where[kept] = list.where[k];
        list.dual[kept++] = list.dual[k];
      }
      list.where.resize(kept);
      list.dual.resize(kept);
    }
  });
}

HeldTriangles ActiveTriangles::held(double factor) const {
  HeldTriangles out;
  out.duals.reserve(at(count()));
  out.corners.reserve(at(3 * count()));
  for (ptrdiff_t J = 0; J < blocks_; ++J)
    for (ptrdiff_t I = 0; I <= J; ++I)
      for (ptrdiff_t K = 0; K < blocks_; ++K) {
        const auto& list = lists_[at(tile_number(I, J) * blocks_ + K)];
        for (std::size_t s = 0; s < list.dual.size(); ++s) {
          const auto& t = list.where[s];
          const ptrdiff_t i = t.ij / block_size, j = t.ij % block_size;
          // Inside one block the smaller of i and k is the row.
          const bool first = K > I || (K == I && t.ik / block_size == i);
          const ptrdiff_t k = first ? t.ik % block_size : t.ik / block_size;
          for (const ptrdiff_t corner : {I * block_size + i, J * block_size + j, K * block_size + k})
            out.corners.push_back(static_cast<std::int32_t>(corner));
          out.duals.push_back(factor * list.dual[s]);
        }
      }
  return out;
}

void ActiveTriangles::load(std::span<const std::int32_t> corners, std::span<const double> duals,
                           double factor) {
  std::vector<std::size_t> order(duals.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto pair = [&](std::size_t t) {
    return static_cast<std::int64_t>(corners[3 * t]) * n_ + corners[3 * t + 1];
  };
  const auto place = [](ptrdiff_t a, ptrdiff_t b) {
    return place_of(a / block_size, a % block_size, b / block_size, b % block_size);
  };
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return pair(a) < pair(b); });
  for (const auto t : order) {
    if (!(duals[t] > 0.0)) continue;
    const ptrdiff_t i = corners[3 * t], j = corners[3 * t + 1], k = corners[3 * t + 2];
    auto& target = list(i / block_size, j / block_size, k / block_size);
    target.where.push_back({place(i, j), place(i, k), place(j, k)});
    target.dual.push_back(factor * duals[t]);
  }
}

bool ActiveTriangles::sweep(ptrdiff_t rounds, Monitor& monitor, const std::function<void(ptrdiff_t)>& visit,
                            const std::function<void(ptrdiff_t)>& last) const {
  auto starts = phase_starts_;
  const ptrdiff_t tasks = std::ssize(task_starts_) - 1;
  starts.push_back(tasks);
  if (last) starts.push_back(tasks + blocks_ * (blocks_ + 1) / 2);
  const auto body = [&](ptrdiff_t task) {
    if (task >= tasks) return last(task - tasks);
    for (auto k = task_starts_[at(task)]; k < task_starts_[at(task + 1)]; ++k) visit(task_lists_[at(k)]);
  };
  if (count() >= serial_below) return parallel_phases(starts, rounds, monitor, body);
  for (ptrdiff_t round = 0; round < rounds; ++round) {
    for (ptrdiff_t task = 0; task < starts.back(); ++task) body(task);
    if (monitor.poll()) return false;
  }
  return true;
}

}  // namespace steelyard::metric
