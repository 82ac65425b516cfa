#include "weigh/ensembles/label_free.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>

#include "core/index.hpp"
#include "core/pool.hpp"

namespace steelyard::weigh {
namespace {

using std::ptrdiff_t;

constexpr double negligible = 1e-25;
constexpr ptrdiff_t leaf_rows = 64;
constexpr std::size_t rows_a_poll = 4096;

void trim(CountLaw& law) {
  auto& chances = law.chances;
  double lost = 0.0;
  while (chances.size() > 1 && (lost += chances.back()) < negligible) chances.pop_back();
  lost = 0.0;
  std::size_t low = 0;
  while (low + 1 < chances.size() && (lost += chances[low]) < negligible) ++low;
  chances.erase(chances.begin(), chances.begin() + static_cast<ptrdiff_t>(low));
  law.first += static_cast<ptrdiff_t>(low);
}

CountLaw law_of_few(std::span<const double> p) {
  CountLaw law{0, {1.0}};
  for (const double x : p) {
    auto& c = law.chances;
    c.push_back(0.0);
    for (auto k = c.size() - 1; k > 0; --k) c[k] = c[k] * (1.0 - x) + c[k - 1] * x;
    c[0] *= 1.0 - x;
  }
  trim(law);
  return law;
}

CountLaw convolved(const CountLaw& a, const CountLaw& b, Monitor& monitor) {
  CountLaw law{a.first + b.first, std::vector<double>(a.chances.size() + b.chances.size() - 1, 0.0)};
  for (std::size_t i = 0; i < a.chances.size() && !monitor.poll(); ++i) {
    const double factor = a.chances[i];
    double* out = law.chances.data() + i;
    for (std::size_t j = 0; j < b.chances.size(); ++j) out[j] += factor * b.chances[j];
  }
  trim(law);
  return law;
}

struct ScoredRow {
  double score, p;
};

/// An integer that is as much larger as the score is.
std::uint64_t rank_bits(double score) {
  const auto bits = std::bit_cast<std::uint64_t>(score);
  return bits >> 63 != 0 ? ~bits : bits | (std::uint64_t{1} << 63);
}

/// From the lowest score up; equal ones as they came. By digits of eleven bits of the upper 33, then by
/// comparison where those are the same.
std::vector<ScoredRow> in_order(std::span<const double> p, std::span<const double> scores) {
  constexpr int digit = 11, digits = 3, low = 31;
  constexpr std::uint64_t mask = (1U << digit) - 1;
  std::vector<ScoredRow> rows(p.size()), other(p.size());
  std::vector<std::size_t> counts(at(digits << digit), 0);
  for (std::size_t i = 0; i < p.size(); ++i) {
    rows[i] = {scores[i], p[i]};
    const auto bits = rank_bits(scores[i]) >> low;
    for (int d = 0; d < digits; ++d) ++counts[(at(d) << digit) + ((bits >> (d * digit)) & mask)];
  }
  for (int d = 0; d < digits; ++d) {
    std::size_t* place = counts.data() + (at(d) << digit);
    if (std::find(place, place + mask + 1, p.size()) != place + mask + 1) continue;  // all the same
    std::exclusive_scan(place, place + mask + 1, place, std::size_t{0});
    for (const auto& row : rows) other[place[(rank_bits(row.score) >> (low + d * digit)) & mask]++] = row;
    rows.swap(other);
  }
  const auto before = [](const ScoredRow& a, const ScoredRow& b) {
    return rank_bits(a.score) < rank_bits(b.score);
  };
  for (std::size_t begin = 0; begin < rows.size();) {
    auto end = begin + 1;
    bool sorted = true;
    while (end < rows.size() && rank_bits(rows[end].score) >> low == rank_bits(rows[begin].score) >> low) {
      sorted &= !before(rows[end], rows[end - 1]);
      ++end;
    }
    if (!sorted) {
      std::stable_sort(rows.begin() + static_cast<ptrdiff_t>(begin),
                       rows.begin() + static_cast<ptrdiff_t>(end), before);
    }
    begin = end;
  }
  return rows;
}

std::size_t end_of_ties(const std::vector<ScoredRow>& rows, std::size_t begin) {
  auto end = begin + 1;
  while (end < rows.size() && rows[end].score == rows[begin].score) ++end;
  return end;
}

/// Chance of each number of positives so far, and with it mean and mean square of the ordered pairs.
class PairMoments {
 public:
  /// `share`: of positives among the tied rows. All else follows.
  void add(const CountLaw& tied, ptrdiff_t rows, Monitor& monitor) {
    const auto width = chance_.size() + tied.chances.size() - 1;
    std::vector<double> chance(width, 0.0), mean(width, 0.0), square(width, 0.0);
    for (std::size_t h = 0; h < tied.chances.size() && !monitor.poll(); ++h) {
      const auto own = static_cast<double>(tied.first) + static_cast<double>(h);
      const double share = tied.chances[h], among = 0.5 * own * (static_cast<double>(rows) - own);
      for (std::size_t c = 0; c < chance_.size(); ++c) {
        const double positive = static_cast<double>(first_) + static_cast<double>(c);
        const double more = (static_cast<double>(seen_) - positive) * own + among;
        chance[c + h] += share * chance_[c];
        mean[c + h] += share * (mean_[c] + more * chance_[c]);
        square[c + h] += share * (square_[c] + more * (2.0 * mean_[c] + more * chance_[c]));
      }
    }
    chance_ = std::move(chance);
    mean_ = std::move(mean);
    square_ = std::move(square);
    first_ += tied.first;
    seen_ += rows;
    cut();
  }

  ExpectedAuc auc() const {
    double both = 0.0, mean = 0.0, square = 0.0;
    for (std::size_t c = 0; c < chance_.size(); ++c) {
      const double positive = static_cast<double>(first_) + static_cast<double>(c);
      const double pairs = positive * (static_cast<double>(seen_) - positive);
      if (pairs == 0.0) continue;
      both += chance_[c];
      mean += mean_[c] / pairs;
      square += square_[c] / pairs / pairs;
    }
    mean /= both;  // NaN where one class alone can occur
    square /= both;
    return {mean, std::sqrt(std::max(square - mean * mean, both > 0.0 ? 0.0 : mean)), true};
  }

 private:
  void cut() {
    std::size_t low = 0, high = chance_.size();
    while (high > low + 1 && chance_[high - 1] < negligible * negligible) --high;
    while (low + 1 < high && chance_[low] < negligible * negligible) ++low;
    for (auto* column : {&chance_, &mean_, &square_}) {
      column->resize(high);
      column->erase(column->begin(), column->begin() + static_cast<ptrdiff_t>(low));
    }
    first_ += static_cast<ptrdiff_t>(low);
  }

  std::vector<double> chance_{1.0}, mean_{0.0}, square_{0.0};
  ptrdiff_t first_ = 0, seen_ = 0;
};

ExpectedAuc auc_by_ratio(const std::vector<ScoredRow>& rows, Monitor& monitor) {
  double positives = 0.0, negatives = 0.0, own = 0.0, pairs = 0.0, below = 0.0;
  for (const auto& row : rows) {
    positives += row.p;
    negatives += 1.0 - row.p;
    own += row.p * (1.0 - row.p);
  }
  const auto visit = [&](const auto& use) {
    below = 0.0;
    double under = 0.0;  // positives below
    std::size_t polled = 0;
    for (std::size_t begin = 0; begin < rows.size();) {
      if (begin >= polled) {
        if (monitor.poll()) return;
        polled = begin + rows_a_poll;
      }
      const auto end = end_of_ties(rows, begin);
      double p = 0.0, q = 0.0;
      for (auto i = begin; i < end; ++i) p += rows[i].p, q += 1.0 - rows[i].p;
      for (auto i = begin; i < end; ++i) use(rows[i].p, below, under, p, q);
      below += q;
      under += p;
      begin = end;
    }
  };
  visit([&](double p, double q_below, double, double, double q_tied) {
    pairs += p * (q_below + 0.5 * (q_tied - (1.0 - p)));
  });
  const double all = positives * negatives - own, value = pairs / all;
  double variance = 0.0;
  visit([&](double p, double q_below, double p_below, double p_tied, double q_tied) {
    const double as_positive = q_below + 0.5 * (q_tied - (1.0 - p));
    const double as_negative = positives - p_below - p_tied + 0.5 * (p_tied - p);
    const double others = (negatives - (1.0 - p)) - (positives - p);
    const double slope = (as_positive - as_negative - value * others) / all;
    variance += p * (1.0 - p) * slope * slope;
  });
  return {value, std::sqrt(variance), false};
}

}  // namespace

CountLaw count_law(std::span<const double> p, Monitor& monitor) {
  const auto n = std::ssize(p);
  std::vector<CountLaw> laws(at(std::max<ptrdiff_t>((n + leaf_rows - 1) / leaf_rows, 1)), CountLaw{0, {1.0}});
  parallel_for(n > 0 ? std::ssize(laws) : 0, 16, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    for (auto k = begin; k < end && !monitor.poll(); ++k) {
      laws[at(k)] = law_of_few(p.subspan(at(k * leaf_rows), at(std::min(leaf_rows, n - k * leaf_rows))));
    }
  });
  while (laws.size() > 1 && !monitor.poll()) {
    const auto pairs = std::ssize(laws) / 2;
    std::vector<CountLaw> next(at((std::ssize(laws) + 1) / 2));
    parallel_for(pairs, 1, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto k = begin; k < end; ++k)
        next[at(k)] = convolved(laws[at(2 * k)], laws[at(2 * k + 1)], monitor);
    });
    if (laws.size() % 2 == 1) next.back() = std::move(laws.back());
    laws = std::move(next);
  }
  return std::move(laws.front());
}

ExpectedAuc expected_auc(std::span<const double> p, std::span<const double> scores, ptrdiff_t exact_limit,
                         Monitor& monitor) {
  const auto rows = in_order(p, scores);
  if (std::ssize(rows) > exact_limit) return auc_by_ratio(rows, monitor);
  PairMoments moments;
  std::vector<double> tied;
  for (std::size_t begin = 0; begin < rows.size() && !monitor.poll();) {
    const auto end = end_of_ties(rows, begin);
    tied.clear();
    for (auto i = begin; i < end; ++i) tied.push_back(rows[i].p);
    Monitor inner = Monitor::inside(monitor);
    moments.add(count_law(tied, inner), static_cast<ptrdiff_t>(end - begin), monitor);
    begin = end;
  }
  return moments.auc();
}

void pool_neighbours(std::span<double> values, std::span<const double> weights) {
  struct Pool {
    double mean, weight;
    std::size_t count;
  };
  std::vector<Pool> pools;
  for (std::size_t i = 0; i < values.size(); ++i) {
    pools.push_back({values[i], weights[i], 1});
    while (pools.size() > 1 && pools[pools.size() - 2].mean >= pools.back().mean) {
      const Pool last = pools.back();
      pools.pop_back();
      Pool& before = pools.back();
      before.mean += (last.mean - before.mean) * (last.weight / (before.weight + last.weight));
      before.weight += last.weight;
      before.count += last.count;
    }
  }
  std::size_t i = 0;
  for (const auto& pool : pools) {
    for (std::size_t k = 0; k < pool.count; ++k) values[i++] = pool.mean;
  }
}

}  // namespace steelyard::weigh
