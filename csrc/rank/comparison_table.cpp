#include "rank/comparison_table.hpp"

#include <algorithm>
#include <array>

#include "core/pool.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;
using std::size_t;

/// One vote turned so that left < right.
struct Vote {
  std::int32_t left, right;
  std::int8_t outcome;  ///< +1 left won
  std::int8_t home;
};

Vote turned(const Votes& votes, size_t k) {
  Vote v{votes.first[k], votes.second[k], votes.outcome.empty() ? std::int8_t{1} : votes.outcome[k],
         votes.home.empty() ? std::int8_t{0} : votes.home[k]};
  if (v.left > v.right) {
    std::swap(v.left, v.right);
    v.outcome = static_cast<std::int8_t>(-v.outcome);
    v.home = static_cast<std::int8_t>(-v.home);
  }
  return v;
}

/// Sums of one row: left wins, right wins, ties.
struct Sums {
  std::array<double, 3> weight{}, squared{};

  void add(std::int8_t outcome, double weight_of_one, double count) {
    const size_t k = outcome > 0 ? 0 : outcome < 0 ? 1 : 2;
    weight[k] += count * weight_of_one;
    squared[k] += count * weight_of_one * weight_of_one;
  }
};

void push_row(Table& table, std::int32_t left, std::int32_t right, const Sums& sums, bool weighted) {
  table.left.push_back(left);
  table.right.push_back(right);
  table.left_wins.push_back(sums.weight[0]);
  table.right_wins.push_back(sums.weight[1]);
  table.ties.push_back(sums.weight[2]);
  if (!weighted) return;
  table.left_squared.push_back(sums.squared[0]);
  table.right_squared.push_back(sums.squared[1]);
  table.ties_squared.push_back(sums.squared[2]);
}

void drop_empty_ties(Table& table) {
  if (std::all_of(table.ties.begin(), table.ties.end(), [](double t) { return t == 0.0; })) {
    table.ties = {};
    table.ties_squared = {};
  }
}

/// Few items, many votes: a direct table of items^2 counters, no larger than the votes themselves.
Table count_directly(const Votes& votes, std::int32_t items, Monitor& monitor) {
  const auto n = static_cast<size_t>(items);
  std::vector<std::uint32_t> wins(n * n, 0), ties(n * n, 0);  // of first over second, as voted
  for (size_t k = 0; k < votes.first.size(); ++k) {
    if (k % 1048576 == 0 && monitor.poll()) return {};
    const size_t a = static_cast<size_t>(votes.first[k]), b = static_cast<size_t>(votes.second[k]);
    const int outcome = votes.outcome.empty() ? 1 : votes.outcome[k];
    if (outcome == 0) ++ties[a * n + b];
    else ++wins[outcome > 0 ? a * n + b : b * n + a];
  }
  Table table;
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = i + 1; j < n; ++j) {
      Sums sums;
      sums.weight = {static_cast<double>(wins[i * n + j]), static_cast<double>(wins[j * n + i]),
                     static_cast<double>(ties[i * n + j]) + static_cast<double>(ties[j * n + i])};
      if (sums.weight[0] + sums.weight[1] + sums.weight[2] > 0.0) {
        push_row(table, static_cast<std::int32_t>(i), static_cast<std::int32_t>(j), sums, false);
      }
    }
  }
  return table;
}

/// A vote in the bucket of its left item: (right, home) sort first, the index last, so that sums run in vote order.
struct Key {
  std::uint64_t order;  ///< right << 2 | home + 1
  std::uint32_t vote;
};

/// Votes bucketed by left item and sorted inside each bucket.
class SortedVotes {
 public:
  SortedVotes(const Votes& votes, std::int32_t items, Monitor& monitor)
      : votes_(votes), offsets_(static_cast<size_t>(items) + 1, 0), keys_(votes.first.size()) {
    for (size_t k = 0; k < votes.first.size(); ++k) {
      ++offsets_[static_cast<size_t>(std::min(votes.first[k], votes.second[k])) + 1];
    }
    for (size_t i = 1; i < offsets_.size(); ++i) offsets_[i] += offsets_[i - 1];
    std::vector<size_t> next(offsets_.begin(), offsets_.end() - 1);
    for (size_t k = 0; k < votes.first.size(); ++k) {
      const Vote v = turned(votes, k);
      const auto order = static_cast<std::uint64_t>(v.right) << 2 | static_cast<std::uint64_t>(v.home + 1);
      keys_[next[static_cast<size_t>(v.left)]++] = {order, static_cast<std::uint32_t>(k)};
    }
    const ptrdiff_t grain = std::max<ptrdiff_t>(1, items / 256);
    complete_ = parallel_for(items, grain, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto i = begin; i < end; ++i) sort_bucket(static_cast<size_t>(i));
    });
  }

  bool complete() const { return complete_; }
  std::span<const Key> bucket(size_t left) const {
    return {keys_.data() + offsets_[left], offsets_[left + 1] - offsets_[left]};
  }

  bool same_row(const Key& a, const Key& b) const {
    return a.order == b.order && (votes_.extra.empty() || votes_.extra[a.vote] == votes_.extra[b.vote]);
  }

 private:
  void sort_bucket(size_t left) {
    std::sort(keys_.begin() + static_cast<ptrdiff_t>(offsets_[left]),
              keys_.begin() + static_cast<ptrdiff_t>(offsets_[left + 1]), [&](const Key& a, const Key& b) {
                if (a.order != b.order) return a.order < b.order;
                if (!votes_.extra.empty() && votes_.extra[a.vote] != votes_.extra[b.vote]) {
                  return votes_.extra[a.vote] < votes_.extra[b.vote];
                }
                return a.vote < b.vote;
              });
  }

  const Votes& votes_;
  std::vector<size_t> offsets_;
  std::vector<Key> keys_;
  bool complete_ = false;
};

void add_vote(const Votes& votes, std::uint32_t k, Sums& sums) {
  sums.add(turned(votes, k).outcome, votes.weight.empty() ? 1.0 : votes.weight[k],
           votes.count.empty() ? 1.0 : votes.count[k]);
}

Table count_by_sorting(const Votes& votes, std::int32_t items, Monitor& monitor) {
  const SortedVotes sorted(votes, items, monitor);
  Table table;
  if (!sorted.complete()) return table;
  const bool weighted = !votes.weight.empty();
  for (std::int32_t left = 0; left < items; ++left) {
    const auto bucket = sorted.bucket(static_cast<size_t>(left));
    for (size_t k = 0; k < bucket.size();) {
      Sums sums;
      const Key& first = bucket[k];
      for (; k < bucket.size() && sorted.same_row(first, bucket[k]); ++k) add_vote(votes, bucket[k].vote, sums);
      push_row(table, left, static_cast<std::int32_t>(first.order >> 2), sums, weighted);
      if (!votes.home.empty()) table.home.push_back(static_cast<std::int8_t>(static_cast<int>(first.order & 3) - 1));
      if (!votes.extra.empty()) table.extra.push_back(votes.extra[first.vote]);
    }
  }
  return table;
}

}  // namespace

Table group(const Votes& votes, std::int32_t items, Monitor& monitor) {
  const auto n = static_cast<size_t>(items);
  const bool plain = votes.weight.empty() && votes.count.empty() && votes.home.empty() && votes.extra.empty();
  Table table = plain && n * n <= 4 * votes.first.size() ? count_directly(votes, items, monitor)
                                                        : count_by_sorting(votes, items, monitor);
  drop_empty_ties(table);
  return table;
}

}  // namespace steelyard::rank
