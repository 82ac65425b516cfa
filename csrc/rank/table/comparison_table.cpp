#include "rank/table/comparison_table.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>

#include "core/index.hpp"
#include "core/polled.hpp"
#include "core/pool.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;
using std::size_t;

bool is_turned(const Votes& votes, size_t k) { return votes.first[k] > votes.second[k]; }
std::int32_t left_of(const Votes& votes, size_t k) { return std::min(votes.first[k], votes.second[k]); }
std::int32_t right_of(const Votes& votes, size_t k) { return std::max(votes.first[k], votes.second[k]); }

/// home + 1 as left sees it.
std::uint32_t home_code(const Votes& votes, size_t k) {
  if (votes.home.empty()) return 1;
  return static_cast<std::uint32_t>((is_turned(votes, k) ? -votes.home[k] : votes.home[k]) + 1);
}

/// 0 left won, 1 right won, 2 tie.
size_t outcome_code(const Votes& votes, size_t k) {
  const int outcome = votes.outcome.empty() ? 1 : votes.outcome[k];
  if (outcome == 0) return 2;
  return (outcome > 0) == is_turned(votes, k) ? 1 : 0;
}

bool are_split(const Votes& votes) { return !votes.extra.empty() || !votes.covariates.empty(); }
bool are_counted(const Votes& votes) { return !votes.wins.empty(); }
bool are_weighted(const Votes& votes) { return !votes.weight.empty() || !votes.wins_squared.empty(); }
bool have_ties(const Votes& votes) {
  return !votes.ties.empty() ||
         std::find(votes.outcome.begin(), votes.outcome.end(), 0) != votes.outcome.end();
}

/// Sums of one row: left wins, right wins, ties.
struct Sums {
  std::array<double, 3> weight{}, squared{};

  void add_vote(const Votes& votes, size_t k) {
    const double count = votes.count.empty() ? 1.0 : votes.count[k];
    const double one = votes.weight.empty() ? 1.0 : votes.weight[k];
    const size_t outcome = outcome_code(votes, k);
    weight[outcome] += count * one;
    squared[outcome] += count * one * one;
  }

  void add_counted(const Votes& votes, size_t k) {
    const size_t first = is_turned(votes, k) ? 1 : 0;
    weight[first] += votes.wins[k];
    weight[1 - first] += votes.losses[k];
    if (!votes.ties.empty()) weight[2] += votes.ties[k];
    if (votes.wins_squared.empty()) return;
    squared[first] += votes.wins_squared[k];
    squared[1 - first] += votes.losses_squared[k];
    if (!votes.ties_squared.empty()) squared[2] += votes.ties_squared[k];
  }
};

void resize(Table& table, size_t rows, const Votes& votes) {
  const bool ties = have_ties(votes), weighted = are_weighted(votes);
  table.left.resize(rows);
  table.right.resize(rows);
  table.left_wins.resize(rows);
  table.right_wins.resize(rows);
  table.ties.resize(ties ? rows : 0);
  table.left_squared.resize(weighted ? rows : 0);
  table.right_squared.resize(weighted ? rows : 0);
  table.ties_squared.resize(weighted && ties ? rows : 0);
  table.home.resize(votes.home.empty() ? 0 : rows);
  table.source.resize(are_split(votes) ? rows : 0);
}

void set_row(Table& table, size_t row, std::int32_t left, std::int32_t right, std::uint32_t home,
             const Sums& sums) {
  table.left[row] = left;
  table.right[row] = right;
  table.left_wins[row] = sums.weight[0];
  table.right_wins[row] = sums.weight[1];
  if (!table.ties.empty()) table.ties[row] = sums.weight[2];
  if (!table.left_squared.empty()) {
    table.left_squared[row] = sums.squared[0];
    table.right_squared[row] = sums.squared[1];
  }
  if (!table.ties_squared.empty()) table.ties_squared[row] = sums.squared[2];
  if (!table.home.empty()) table.home[row] = static_cast<std::int8_t>(static_cast<int>(home) - 1);
}

void drop_empty_ties(Table& table) {
  if (std::all_of(table.ties.begin(), table.ties.end(), [](double t) { return t == 0.0; })) {
    table.ties = {};
    table.ties_squared = {};
  }
}

/// Few items, many votes: counters for every ordered pair (and home sign), without a branch on the data.
class DirectTable {
 public:
  static bool suits(const Votes& votes, std::int32_t items) {
    if (!votes.weight.empty() || !votes.count.empty() || are_split(votes) || are_counted(votes)) return false;
    return cells_of(votes, items) <= 4 * votes.first.size();
  }

  DirectTable(const Votes& votes, std::int32_t items)
      : votes_(votes),
        items_(at(items)),
        signs_(signs(votes)),
        cells_(cells_of(votes, items)),
        parts_(8 * cells_ <= votes.first.size() ? 4 : 1),
        counts_(parts_ * cells_) {}

  Table count(Monitor& monitor) {
    const auto votes = std::ssize(votes_.first), parts = static_cast<ptrdiff_t>(parts_);
    const ptrdiff_t length = (votes + parts - 1) / parts;
    const bool done = parallel_for(parts, 1, monitor, [&](ptrdiff_t part, ptrdiff_t) {
      const auto begin = std::min(part * length, votes), end = std::min(begin + length, votes);
      count_part(&counts_[at(part) * cells_], at(begin), at(end), monitor);
    });
    if (!done || monitor.stopped()) return {};
    for (size_t part = 1; part < parts_; ++part) {
      for (size_t k = 0; k < cells_; ++k) {
        for (size_t o = 0; o < 3; ++o) counts_[k][o] += counts_[part * cells_ + k][o];
      }
    }
    return table();
  }

 private:
  using Cell = std::array<std::uint32_t, 3>;  ///< second won, tie, first won

  static size_t signs(const Votes& votes) { return votes.home.empty() ? 1 : 3; }
  static size_t cells_of(const Votes& votes, std::int32_t items) {
    return at(items) * at(items) * signs(votes);
  }
  static bool is_used(const Sums& sums) { return sums.weight[0] + sums.weight[1] + sums.weight[2] > 0.0; }

  void count_part(Cell* counts, size_t begin, size_t end, Monitor& monitor) const {
    polled(end - begin, &monitor, [&](size_t offset) {
      const size_t k = begin + offset;
      size_t cell = at(votes_.first[k]) * items_ + at(votes_.second[k]);
      if (signs_ > 1) cell = cell * 3 + at(votes_.home[k] + 1);
      ++counts[cell][votes_.outcome.empty() ? 2 : at(votes_.outcome[k] + 1)];
    });
  }

  /// Both orders of a pair together.
  Sums sums(size_t left, size_t right, size_t sign) const {
    const Cell& forth = counts_[(left * items_ + right) * signs_ + sign];
    const Cell& back = counts_[(right * items_ + left) * signs_ + signs_ - 1 - sign];
    Sums out;
    for (size_t o = 0; o < 3; ++o) out.weight[o == 1 ? 2 : o == 2 ? 0 : 1] = forth[o] + back[2 - o];
    return out;
  }

  template <class Body>
  void for_each_row(const Body& body) const {
    for (size_t left = 0; left < items_; ++left) {
      for (size_t right = left + 1; right < items_; ++right) {
        for (size_t sign = 0; sign < signs_; ++sign) {
          const Sums row = sums(left, right, sign);
          if (is_used(row)) body(left, right, sign, row);
        }
      }
    }
  }

  Table table() const {
    size_t rows = 0;
    for_each_row([&](size_t, size_t, size_t, const Sums&) { ++rows; });
    Table out;
    resize(out, rows, votes_);
    size_t row = 0;
    for_each_row([&](size_t left, size_t right, size_t sign, const Sums& sums) {
      set_row(out, row++, static_cast<std::int32_t>(left), static_cast<std::int32_t>(right),
              static_cast<std::uint32_t>(sign), sums);
    });
    return out;
  }

  const Votes& votes_;
  size_t items_, signs_, cells_, parts_;
  std::vector<Cell> counts_;
};

/// Votes bucketed by left item and sorted inside each bucket.
class SortedVotes {
 public:
  SortedVotes(const Votes& votes, std::int32_t items)
      : votes_(votes),
        items_(items),
        width_(votes.first.empty() ? 0 : votes.covariates.size() / votes.first.size()),
        begin_(at(items) + 1, 0),
        keys_(votes.first.size()) {}

  Table count(Monitor& monitor) {
    if (!bucket(monitor)) return {};
    std::vector<size_t> rows(begin_.size(), 0);
    const auto sort = [&](size_t item) { rows[item + 1] = sort_bucket(item); };
    if (!for_each_item(monitor, sort)) return {};
    for (size_t i = 1; i < rows.size(); ++i) rows[i] += rows[i - 1];
    Table table;
    resize(table, rows.back(), votes_);
    const auto fill = [&](size_t item) { fill_rows(item, rows[item], table); };
    return for_each_item(monitor, fill) ? std::move(table) : Table{};
  }

 private:
  /// right (30 bits), home + 1 (2 bits), vote (32 bits): sorting keys sorts rows, and votes inside a row.
  using Key = std::uint64_t;
  static size_t vote_of(Key key) { return at(key & 0xffffffffU); }

  bool bucket(Monitor& monitor) {
    const auto votes = votes_.first.size();
    const auto count = [&](size_t k) { ++begin_[at(left_of(votes_, k)) + 1]; };
    if (!polled(votes, &monitor, count)) return false;
    for (size_t i = 1; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
    std::vector<size_t> next(begin_.begin(), begin_.end() - 1);
    return polled(votes, &monitor, [&](size_t k) {
      const Key right = static_cast<Key>(right_of(votes_, k)) << 34;
      const Key key = right | static_cast<Key>(home_code(votes_, k)) << 32 | k;
      keys_[next[at(left_of(votes_, k))]++] = key;
    });
  }

  template <class Body>
  bool for_each_item(Monitor& monitor, const Body& body) const {
    return parallel_for(items_, std::max(1, items_ / 256), monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto i = begin; i < end; ++i) body(at(i));
    });
  }

  /// A vote with what most often tells it from others, together so that sorting reads little else.
  struct Entry {
    Key key;
    std::int64_t extra;
    double covariate;
  };

  const double* covariates_of(Key key) const { return votes_.covariates.data() + vote_of(key) * width_; }

  Entry entry(Key key) const {
    return {key, votes_.extra.empty() ? 0 : votes_.extra[vote_of(key)],
            width_ == 0 ? 0.0 : *covariates_of(key)};
  }

  bool before(const Entry& a, const Entry& b) const {
    if (a.key >> 32 != b.key >> 32) return a.key < b.key;
    if (a.extra != b.extra) return a.extra < b.extra;
    if (a.covariate != b.covariate) return a.covariate < b.covariate;
    if (width_ > 1) {
      const double *x = covariates_of(a.key), *y = covariates_of(b.key);
      const auto [p, q] = std::mismatch(x + 1, x + width_, y + 1);
      if (p != x + width_) return *p < *q;
    }
    return a.key < b.key;
  }

  bool same_row(Key a, Key b) const {
    if (a >> 32 != b >> 32) return false;
    if (!votes_.extra.empty() && votes_.extra[vote_of(a)] != votes_.extra[vote_of(b)]) return false;
    return width_ == 0 || std::equal(covariates_of(a), covariates_of(a) + width_, covariates_of(b));
  }

  /// Returns the number of rows.
  size_t sort_bucket(size_t item) {
    const auto begin = keys_.begin() + static_cast<ptrdiff_t>(begin_[item]);
    const auto end = keys_.begin() + static_cast<ptrdiff_t>(begin_[item + 1]);
    if (!are_split(votes_)) {
      std::sort(begin, end);
    } else {
      std::vector<Entry> entries(at(end - begin));
      std::transform(begin, end, entries.begin(), [&](Key key) { return entry(key); });
      std::sort(entries.begin(), entries.end(), [&](const Entry& a, const Entry& b) { return before(a, b); });
      std::transform(entries.begin(), entries.end(), begin, [](const Entry& e) { return e.key; });
    }
    size_t rows = 0;
    for (auto key = begin; key != end; ++key) rows += key == begin || !same_row(*(key - 1), *key);
    return rows;
  }

  void fill_rows(size_t item, size_t row, Table& table) const {
    for (size_t k = begin_[item]; k < begin_[item + 1]; ++row) {
      const Key first = keys_[k];
      Sums sums;
      for (; k < begin_[item + 1] && same_row(first, keys_[k]); ++k) {
        if (are_counted(votes_)) {
          sums.add_counted(votes_, vote_of(keys_[k]));
        } else {
          sums.add_vote(votes_, vote_of(keys_[k]));
        }
      }
      const auto home = static_cast<std::uint32_t>(first >> 32 & 3);
      set_row(table, row, static_cast<std::int32_t>(item), static_cast<std::int32_t>(first >> 34), home,
              sums);
      if (!table.source.empty()) table.source[row] = static_cast<std::int64_t>(vote_of(first));
    }
  }

  const Votes& votes_;
  std::int32_t items_;
  size_t width_;  ///< covariates of a vote
  std::vector<size_t> begin_;
  std::vector<Key> keys_;
};

}  // namespace

Table group(const Votes& votes, std::int32_t items, Monitor& monitor) {
  if (votes.first.size() > std::numeric_limits<std::uint32_t>::max()) {
    throw std::length_error("steelyard: more than 2^32 - 1 comparisons in one call; add up several tables");
  }
  Table table = DirectTable::suits(votes, items) ? DirectTable(votes, items).count(monitor)
                                                 : SortedVotes(votes, items).count(monitor);
  drop_empty_ties(table);
  return table;
}

}  // namespace steelyard::rank
