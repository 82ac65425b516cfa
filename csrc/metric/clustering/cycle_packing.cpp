#include "metric/clustering/cycle_packing.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/infinity.hpp"
#include "core/pool.hpp"

namespace steelyard::metric {

using std::int32_t;
using std::ptrdiff_t;
using std::size_t;

namespace {

constexpr float full = 0.97F;               // prices of a cycle worth adding sum to less
constexpr double closed = 0.9;              // a pair with a higher price is not looked at
constexpr float hop = 0.02F;                // prefers short cycles
constexpr double spent = 1e-12;             // of |c|: what is left below this is rounding
constexpr std::int64_t most_arcs = 20'000;  // of one of Dijkstra's searches
constexpr int stars_of_a_node = 3;          // searches a round
constexpr double flat = 1e-8;               // sweeps that change the sum by less are not worth another
constexpr ptrdiff_t largest_batch = 1024, grain = 16;

/// How many searches see the same prices: few enough that their paths seldom collide.
ptrdiff_t batch_size(size_t searches) {
  return std::clamp<ptrdiff_t>(static_cast<ptrdiff_t>(searches) / 64, 32, largest_batch);
}

}  // namespace

CyclePacking::CyclePacking(const SignedPairs& pairs, bool stars, std::uint64_t seed, std::uint64_t stream)
    : pairs_(pairs),
      open_(pairs),
      shelf_(pairs.nodes),
      stars_(stars ? std::make_unique<StarSearch>(pairs) : nullptr),
      random_(seed, stream),
      fails_(at(pairs.count() - pairs.agreeing), 0),
      waits_(fails_.size(), 0),
      paths_(at(largest_batch)) {}

std::vector<double> CyclePacking::fit_in() {
  auto before = rows_.multipliers;
  if (stars_) metric::fit_in(pairs_, rows_);
  return before;
}

void CyclePacking::restore(std::vector<double> multipliers) {
  rows_.truncate(std::ssize(multipliers));
  rows_.multipliers = std::move(multipliers);
}

// ---- levels

/// Takes what all pairs of a cycle have left; false if another cycle took it meanwhile.
bool CyclePacking::pack(int32_t disagreeing, const std::vector<int32_t>& path, std::vector<double>& left,
                        double& total) {
  double most = left[at(disagreeing)];
  for (const auto e : path) {
    if (left[at(e)] <= spent * pairs_.capacity(e)) return false;
    most = std::min(most, left[at(e)]);
  }
  left[at(disagreeing)] -= most;
  for (const auto e : path) {
    left[at(e)] -= most;
    if (left[at(e)] <= spent * pairs_.capacity(e)) open_.drop(e);
  }
  total += most;
  rows_.add(disagreeing, path, most);
  return true;
}

/// Packs paths of at most `most` pairs; returns the disagreeing pairs that longer ones may serve.
std::vector<int32_t> CyclePacking::pack_level(std::vector<int32_t> pending, int most,
                                              std::vector<double>& left, double& total, Monitor& monitor) {
  std::vector<int32_t> rest, batch, again;
  std::array<Found, largest_batch> found{};
  const auto wanted = batch_size(pending.size());
  for (size_t next = 0; (next < pending.size() || !again.empty()) && !monitor.poll();) {
    batch.swap(again);
    again.clear();
    while (std::ssize(batch) < wanted && next < pending.size()) batch.push_back(pending[next++]);
    parallel_for(std::ssize(batch), grain, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
      shelf_.with([&](PathSearch& search) {
        for (auto k = begin; k < end; ++k) {
          const auto f = batch[at(k)];
          found[at(k)] = search.fewest(open_, pairs_.left[at(f)], pairs_.right[at(f)], most, budget_);
          if (found[at(k)] == Found::path) paths_[at(k)][0] = search.path();
        }
      });
    });
    if (monitor.stopped()) break;
    for (size_t k = 0; k < batch.size(); ++k) {
      const auto f = batch[k];
      if (found[k] == Found::none_so_short) rest.push_back(f);
      if (found[k] != Found::path) continue;
      pack(f, paths_[k][0], left, total);
      if (left[at(f)] > spent * pairs_.capacity(f)) again.push_back(f);
    }
    batch.clear();
  }
  return rest;
}

double CyclePacking::fill(int longest, std::int64_t budget, Monitor& monitor) {
  budget_ = budget;
  auto left = residuals(pairs_, rows_);
  const auto is_open = [&](int32_t e) { return left[at(e)] > spent * pairs_.capacity(e); };
  open_.fill(is_open, [](int32_t) { return 1.0F; });
  std::vector<int32_t> pending;
  for (int32_t e = pairs_.agreeing; e < pairs_.count(); ++e)
    if (is_open(e)) pending.push_back(e);
  double total = 0.0;
  const auto degree = [&](int32_t e) {
    return std::min(open_.degree(open_.place(pairs_.left[at(e)])),
                    open_.degree(open_.place(pairs_.right[at(e)])));
  };
  std::vector<std::pair<int32_t, int32_t>> order;
  for (int most = 2; most <= longest && !pending.empty() && !monitor.stopped(); most += 1 + most / 8) {
    if (most != 3) {
      const auto part = open_.components();
      std::erase_if(pending,
                    [&](int32_t e) { return part[at(pairs_.left[at(e)])] != part[at(pairs_.right[at(e)])]; });
    }
    order.clear();
    for (const auto e : pending) order.emplace_back(degree(e), e);
    std::sort(order.begin(), order.end());
    std::transform(order.begin(), order.end(), pending.begin(), [](const auto& p) { return p.second; });
    pending = pack_level(std::move(pending), most, left, total, monitor);
  }
  return total;
}

// ---- ascent

void CyclePacking::set_temperature(double mu) {
  mu_ = mu;
  fit_in();
  star_fails_ = star_waits_ = 0;
  const auto left = residuals(pairs_, rows_);
  prices_.resize(left.size());
  for (int32_t e = 0; e < pairs_.count(); ++e) {
    const double c = pairs_.capacity(e);
    prices_[at(e)] = {std::exp(-std::max(0.0, left[at(e)]) / (c * mu)), c};
  }
  std::fill(waits_.begin(), waits_.end(), std::uint8_t{0});
  std::fill(fails_.begin(), fails_.end(), std::uint8_t{0});
}

/// All |c| are the same: one step is exact.
double CyclePacking::raise_evenly(std::span<const int32_t> row, double sum, double capacity, double y) {
  double change = -mu_ * capacity * std::log(sum), factor = 1.0 / sum;
  if (change < -y) change = -y, factor = std::exp(change / (mu_ * capacity));
  for (const auto e : row) prices_[at(e)].z *= factor;
  return change;
}

/// Two steps that stay on the safe side: rising, no price grows by more than side / sum.
double CyclePacking::raise_unevenly(std::span<const int32_t> row, double sum, double side, double least,
                                    double y) {
  double total = 0.0;
  for (int step = 0; step < 2; ++step) {
    const double change = std::max(-mu_ * least * std::log(sum / side), -(y + total));
    if (std::fabs(change) < 1e-12 * least) break;
    total += change;
    sum = 0.0;
    for (const auto e : row) {
      auto& price = prices_[at(e)];
      sum += price.z *= std::exp(change / (mu_ * price.capacity));
    }
    if (std::fabs(change) < 1e-3 * mu_ * least) break;
  }
  return total;
}

/// Moves one multiplier until the prices of its row sum to its right side. Returns what that adds.
double CyclePacking::raise(ptrdiff_t k) {
  const auto row = rows_.row(k);
  double sum = 0.0, least = infinity, most = 0.0;
  for (const auto e : row) {
    const auto& price = prices_[at(e)];
    sum += price.z;
    least = std::min(least, price.capacity);
    most = std::max(most, price.capacity);
  }
  auto& y = rows_.multipliers[at(k)];
  const double side = rows_.right_sides[at(k)];
  const double change =
      least == most ? raise_evenly(row, sum / side, least, y) : raise_unevenly(row, sum, side, least, y);
  y = change <= -y ? 0.0 : y + change;
  return side * change;
}

double CyclePacking::sweep(int times, Monitor& monitor) {
  double sum = rows_.value();
  for (int t = 0; t < times && !monitor.stopped(); ++t) {
    double gain = 0.0;
    for (ptrdiff_t k = 0; k < rows_.count(); ++k) {
      if (k % 4096 == 0 && monitor.poll()) break;
      gain += raise(k);
    }
    sum += gain;
    if (std::fabs(gain) < flat * sum) break;
  }
  rows_.forget(0.0);
  return sum;
}

void CyclePacking::commit(int32_t disagreeing, const std::vector<int32_t>& path, Separated& count) {
  double sum = price(disagreeing);
  for (const auto e : path) sum += price(e);
  if (sum >= full) return;
  rows_.add(disagreeing, path, 0.0);
  raise(rows_.count() - 1);
  for (const auto e : path) open_.set_length(e, static_cast<float>(price(e)));
  ++count.added;
}

CyclePacking::Separated CyclePacking::separate(int pops, Monitor& monitor) {
  Separated count;
  std::vector<int32_t> pending;
  for (int32_t e = pairs_.agreeing; e < pairs_.count(); ++e) {
    if (price(e) >= closed) continue;
    auto& wait = waits_[at(e - pairs_.agreeing)];
    if (wait > 0)
      --wait;
    else
      pending.push_back(e);
  }
  for (auto i = std::ssize(pending) - 1; i > 0; --i)
    std::swap(pending[at(i)], pending[at(random_.below(i + 1))]);
  open_.fill([&](int32_t e) { return price(e) < closed; }, [&](int32_t e) { return price(e); });
  std::array<int, largest_batch> found{};
  const auto wanted = batch_size(pending.size());
  for (ptrdiff_t next = 0; next < std::ssize(pending) && !monitor.poll(); next += wanted) {
    const auto size = std::min(wanted, std::ssize(pending) - next);
    parallel_for(size, grain, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
      shelf_.with([&](PathSearch& search) {
        for (auto k = begin; k < end; ++k) {
          const auto f = pending[at(next + k)];
          const auto limit = full - static_cast<float>(price(f));
          found[at(k)] = search.shortest(open_, pairs_.left[at(f)], pairs_.right[at(f)], limit, hop, pops,
                                         most_arcs, paths_[at(k)]);
        }
      });
    });
    if (monitor.stopped()) break;
    for (ptrdiff_t k = 0; k < size; ++k) {
      const auto f = pending[at(next + k)];
      const auto before = count.added;
      for (int j = 0; j < found[at(k)]; ++j) commit(f, paths_[at(k)][at(j)], count);
      auto& fails = fails_[at(f - pairs_.agreeing)];
      fails = count.added > before ? std::uint8_t{0} : static_cast<std::uint8_t>(std::min(fails + 1, 5));
      waits_[at(f - pairs_.agreeing)] = static_cast<std::uint8_t>((1 << fails) - 1);
    }
    count.searched += size;
  }
  return count;
}

std::int64_t CyclePacking::separate_stars(Monitor& monitor) {
  if (!stars_ || star_waits_-- > 0) return 0;
  const auto price_of = [&](int32_t e) { return price(e); };
  std::int64_t added = 0;
  for (int32_t v = 0; v < static_cast<int32_t>(pairs_.nodes); ++v) {
    if (v % 64 == 0 && monitor.poll()) break;
    stars_->reset(v, price_of);
    for (int k = 0; k < stars_of_a_node; ++k) {
      if (!stars_->find(full, price_of)) continue;
      rows_.add_star(stars_->pairs(), stars_->right_side());
      raise(rows_.count() - 1);
      ++added;
    }
  }
  star_fails_ = added > pairs_.nodes / 1000 ? 0 : std::min(star_fails_ + 1, 4);
  star_waits_ = (1 << star_fails_) - 1;
  return added;
}

}  // namespace steelyard::metric
