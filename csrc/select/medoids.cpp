#include "select/medoids.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <queue>

#include "core/index.hpp"
#include "core/pool.hpp"

namespace steelyard::select {
namespace {

using std::ptrdiff_t;
using Index = std::int64_t;

constexpr ptrdiff_t in_hand = 32;  ///< candidates whose costs are made at once

double weight_of(std::span<const double> w, ptrdiff_t j) { return w.empty() ? 1.0 : w[at(j)]; }

/// The state of eager swaps: nearest and second nearest of each point, and what each medoid saves.
template <class Real>
class Swaps {
 public:
  Swaps(const distances::Costs<Real>& costs, std::span<const double> w, std::vector<Index> medoids)
      : costs_(costs), w_(w), n_(costs.size()), k_(std::ssize(medoids)), medoids_(std::move(medoids)) {
    table_.resize(checked_product("k", k_, n_));
    const auto size = at(n_);
    first_.assign(size, 0);
    second_.assign(size, 0);
    near_.assign(size, Real{0});
    next_.assign(size, Real{0});
    taken_.assign(size, false);
    for (const auto i : medoids_) taken_[at(i)] = true;
  }

  bool begin(Monitor& monitor) {
    if (!costs_.rows(medoids_, table_.data(), monitor)) return false;
    for (ptrdiff_t j = 0; j < n_; ++j) look(j);
    savings();
    return true;
  }

  bool taken(Index i) const { return taken_[at(i)]; }

  struct Change {
    double by;
    ptrdiff_t medoid;
  };

  /// The best medoid to give up for a candidate of these costs.
  Change change(const Real* c) const {
    if (k_ == 1) {
      double by = 0.0;
      for (ptrdiff_t j = 0; j < n_; ++j)
        by += weight_of(w_, j) * (static_cast<double>(c[j]) - static_cast<double>(near_[at(j)]));
      return {by, 0};
    }
    std::vector<double> lost = savings_;
    double gained = 0.0;
    constexpr ptrdiff_t width = 16;
    for (ptrdiff_t from = 0; from < n_; from += width) {
      const ptrdiff_t to = std::min(n_, from + width);
      if (to == from + width && !any_below(c + from, next_.data() + from)) continue;
      for (ptrdiff_t j = from; j < to; ++j) {
        if (c[j] >= next_[at(j)]) continue;
        const double w = weight_of(w_, j), now = near_[at(j)], then = next_[at(j)], own = c[j];
        if (own < now) gained += w * (own - now);
        lost[at(first_[at(j)])] += w * (std::max(own, now) - then);
      }
    }
    const auto least = std::min_element(lost.begin(), lost.end());
    return {*least + gained, least - lost.begin()};
  }

  void swap(ptrdiff_t medoid, Index candidate, const Real* c) {
    taken_[at(medoids_[at(medoid)])] = false;
    taken_[at(candidate)] = true;
    medoids_[at(medoid)] = candidate;
    std::copy_n(c, n_, table_.data() + medoid * n_);
    const auto a = static_cast<std::int32_t>(medoid);
    for (ptrdiff_t j = 0; j < n_; ++j) {
      const auto s = at(j);
      if (first_[s] == a || second_[s] == a) {
        look(j);
      } else if (c[j] < near_[s]) {
        next_[s] = near_[s];
        second_[s] = first_[s];
        near_[s] = c[j];
        first_[s] = a;
      } else if (c[j] < next_[s]) {
        next_[s] = c[j];
        second_[s] = a;
      }
    }
    savings();
  }

  /// What rounding can make of a change that is none: of a copy of a medoid, say, where nothing costs anything.
  double noise() const {
    const double most = *std::max_element(savings_.begin(), savings_.end());
    return 4.0 * static_cast<double>(n_) * std::numeric_limits<double>::epsilon() * most;
  }

  double cost() const {
    double sum = 0.0;
    for (ptrdiff_t j = 0; j < n_; ++j) sum += weight_of(w_, j) * static_cast<double>(near_[at(j)]);
    return sum;
  }

  void result(Medoids& out) {
    out.cost = cost();
    out.labels.assign(first_.begin(), first_.end());
    out.indices = std::move(medoids_);
  }

 private:
  /// Whether some of 16 costs are below the second nearest: of most no one is.
  static bool any_below(const Real* c, const Real* next) {
    int any = 0;
#pragma omp simd reduction(| : any)
    for (ptrdiff_t j = 0; j < 16; ++j) any |= c[j] < next[j] ? 1 : 0;
    return any != 0;
  }

  void look(ptrdiff_t j) {
    Real near = std::numeric_limits<Real>::infinity(), next = near;
    std::int32_t first = 0, second = -1;
    for (ptrdiff_t a = 0; a < k_; ++a) {
      const Real now = table_[at(a * n_ + j)];
      if (now < near) {
        next = near;
        second = first;
        near = now;
        first = static_cast<std::int32_t>(a);
      } else if (now < next) {
        next = now;
        second = static_cast<std::int32_t>(a);
      }
    }
    near_[at(j)] = near;
    next_[at(j)] = next;
    first_[at(j)] = first;
    second_[at(j)] = second;
  }

  void savings() {
    savings_.assign(at(k_), 0.0);
    if (k_ == 1) return;
    for (ptrdiff_t j = 0; j < n_; ++j)
      savings_[at(first_[at(j)])] +=
          weight_of(w_, j) * (static_cast<double>(next_[at(j)]) - static_cast<double>(near_[at(j)]));
  }

  const distances::Costs<Real>& costs_;
  std::span<const double> w_;
  ptrdiff_t n_, k_;
  std::vector<Index> medoids_;
  std::vector<Real> table_, near_, next_;
  std::vector<std::int32_t> first_, second_;
  std::vector<bool> taken_;
  std::vector<double> savings_;
};

double top(std::vector<double> gains, ptrdiff_t k) {
  std::nth_element(gains.begin(), gains.begin() + (k - 1), gains.end(), std::greater<>());
  return std::accumulate(gains.begin(), gains.begin() + k, 0.0);
}

/// What rounding can have done to gains and their sum, as a share (distances/costs.hpp).
template <class Real>
double gain_error(ptrdiff_t n) {
  return 20.0 * static_cast<double>(std::numeric_limits<Real>::epsilon()) +
         4.0 * static_cast<double>(n) * std::numeric_limits<double>::epsilon();
}

struct Promise {
  double gain;
  Index point;
  bool operator<(const Promise& other) const {
    return gain != other.gain ? gain < other.gain : point > other.point;
  }
};

}  // namespace

template <class Real>
Medoids swap_medoids(const distances::Costs<Real>& costs, std::span<const double> weights,
                     std::vector<Index> start, Index most, Monitor& monitor) {
  const ptrdiff_t n = costs.size();
  Medoids out;
  Swaps<Real> state(costs, weights, std::move(start));
  if (!state.begin(monitor)) return out;
  std::vector<Real> made(checked_product("working memory", in_hand, n));
  std::vector<Index> hand(at(in_hand));
  double least = std::max(1e-10 * state.cost(), state.noise());  // that a swap must gain
  for (Index since = 0; since < n && out.tried < most;) {
    for (ptrdiff_t r = 0; r < in_hand; ++r) hand[at(r)] = (out.tried + r) % n;
    if (!costs.rows(hand, made.data(), monitor)) break;
    std::vector<typename Swaps<Real>::Change> change(at(in_hand));
    ptrdiff_t known = 0, window = 1;  // changes are known up to here, of the state as it is
    for (ptrdiff_t r = 0; r < in_hand && since < n && out.tried < most; ++r, ++out.tried, ++since) {
      if (r >= known) {
        known = std::min(in_hand, r + window);
        window *= 2;
        parallel_for(known - r, grain_for(static_cast<double>(n)), monitor, [&](ptrdiff_t b, ptrdiff_t e) {
          for (auto s = r + b; s < r + e; ++s) change[at(s)] = state.change(made.data() + s * n);
        });
        if (monitor.poll()) break;
      }
      if (state.taken(hand[at(r)]) || change[at(r)].by >= -least) continue;
      state.swap(change[at(r)].medoid, hand[at(r)], made.data() + r * n);
      least = std::max(1e-10 * state.cost(), state.noise());
      ++out.swaps;
      since = -1;
      known = r + 1;
      window = 1;
    }
    if (monitor.poll()) break;
    monitor.progress(static_cast<double>(since), static_cast<double>(n));
    out.optimal = since >= n;
  }
  state.result(out);
  return out;
}

template <class Real>
Chosen greedy_location(const distances::Costs<Real>& costs, std::span<const double> weights, Real ceiling,
                       std::vector<Index> start, ptrdiff_t k, Monitor& monitor) {
  const ptrdiff_t n = costs.size();
  Chosen out;
  std::vector<Real> b(at(n), ceiling), row(at(n));
  std::vector<double> gain(at(n)), fresh(at(in_hand));
  std::vector<Index> all(at(n));
  std::vector<ptrdiff_t> age(at(n), 0);
  out.labels.assign(at(n), -1);
  std::iota(all.begin(), all.end(), Index{0});
  const auto take = [&](Index i) {
    if (!costs.rows(std::span(&i, 1), row.data(), monitor)) return false;
    double gained = 0.0;
    for (ptrdiff_t j = 0; j < n; ++j) {
      if (!(row[at(j)] < b[at(j)])) continue;
      gained += weight_of(weights, j) * (static_cast<double>(b[at(j)]) - static_cast<double>(row[at(j)]));
      b[at(j)] = row[at(j)];
      out.labels[at(j)] = std::ssize(out.indices);
    }
    out.indices.push_back(i);
    out.gains.push_back(gained);
    out.value += gained;
    gain[at(i)] = 0.0;
    age[at(i)] = n + 1;
    monitor.progress(static_cast<double>(out.indices.size()), static_cast<double>(k));
    return true;
  };
  const auto bound = [&] {  // f(S) + the k largest gains, for every S on the way
    out.bound = std::min(out.bound, out.value + top(gain, k) * (1.0 + gain_error<Real>(n)));
  };
  out.bound = std::numeric_limits<double>::infinity();
  for (const auto i : start)
    if (!take(i)) return out;
  if (!costs.gains(all, weights, b, gain.data(), monitor)) return out;
  std::priority_queue<Promise> queue;
  for (const auto i : all)
    if (age[at(i)] <= n) queue.push({gain[at(i)], i});
  for (ptrdiff_t step = 0; std::ssize(out.indices) < k; ++step) {
    while (age[at(queue.top().point)] != step) {
      std::vector<Index> stale;
      std::vector<Promise> kept;
      while (std::ssize(stale) < in_hand && !queue.empty()) {
        const auto best = queue.top();
        queue.pop();
        if (age[at(best.point)] == step) {
          kept.push_back(best);
        } else {
          stale.push_back(best.point);
        }
      }
      if (!costs.gains(stale, weights, b, fresh.data(), monitor)) return out;
      for (ptrdiff_t r = 0; r < std::ssize(stale); ++r) {
        const auto i = stale[at(r)];
        gain[at(i)] = fresh[at(r)];
        age[at(i)] = step;
        queue.push({fresh[at(r)], i});
      }
      for (const auto& one : kept) queue.push(one);
    }
    bound();
    const auto best = queue.top().point;
    queue.pop();
    if (!take(best)) return out;
  }
  bound();
  return out;
}

template <class Real>
std::vector<double> lower_bounds(const distances::Costs<Real>& costs, std::span<const double> weights,
                                 std::span<const Index> medoids, double cost, Real ceiling, ptrdiff_t passes,
                                 Monitor& monitor) {
  const ptrdiff_t n = costs.size(), k = std::ssize(medoids);
  std::vector<Real> table(checked_product("k", k, n)), b(at(n)), best_b;
  std::vector<Index> all(at(n)), chosen(medoids.begin(), medoids.end());
  std::vector<double> gain(at(n)), direction(at(n), 0.0), found;
  std::iota(all.begin(), all.end(), Index{0});
  if (!costs.rows(chosen, table.data(), monitor)) return found;
  for (ptrdiff_t j = 0; j < n; ++j) {
    Real near = ceiling, next = ceiling;
    for (ptrdiff_t a = 0; a < k; ++a) {
      const Real now = table[at(a * n + j)];
      next = std::min(next, std::max(now, near));
      near = std::min(near, now);
    }
    b[at(j)] = std::isfinite(next) ? near + Real{0.25} * (next - near) : near;
  }
  double best = -std::numeric_limits<double>::infinity(), share = 1.0;
  int stalled = 0;
  for (ptrdiff_t pass = 0; pass < passes; ++pass) {
    if (!costs.gains(all, weights, b, gain.data(), monitor)) return found;
    double sum = 0.0, size = 0.0;
    for (ptrdiff_t j = 0; j < n; ++j) {
      const double term = weight_of(weights, j) * static_cast<double>(b[at(j)]);
      sum += term;
      size += std::abs(term);
    }
    const double most = top(gain, k);
    const double now =
        sum - most -
        gain_error<Real>(n) * (most + size * static_cast<double>(std::numeric_limits<Real>::epsilon()));
    stalled = now > best && now - best >= 1e-4 * std::abs(cost) ? 0 : stalled + 1;
    if (now > best) {
      best = now;
      best_b = b;
    }
    if (stalled >= 3) {
      share *= 0.6;
      stalled = 0;
      b = best_b;
    }
    found.push_back(best);
    monitor.progress(static_cast<double>(pass + 1), static_cast<double>(passes));
    if (cost - best <= 1e-6 * std::abs(cost) || pass + 1 == passes) break;
    std::nth_element(all.begin(), all.begin() + k, all.end(), [&](Index p, Index q) {
      return gain[at(p)] != gain[at(q)] ? gain[at(p)] > gain[at(q)] : p < q;
    });
    std::copy_n(all.begin(), k, chosen.begin());
    std::sort(all.begin(), all.end());
    if (!costs.rows(chosen, table.data(), monitor)) return found;
    double length = 0.0;
    for (ptrdiff_t j = 0; j < n; ++j) {
      int served = 0;
      for (ptrdiff_t a = 0; a < k; ++a) served += table[at(a * n + j)] < b[at(j)] ? 1 : 0;
      direction[at(j)] = 0.7 * (1 - served) + 0.3 * direction[at(j)];
      length += weight_of(weights, j) * direction[at(j)] * direction[at(j)];
    }
    if (!(length > 0.0)) break;
    const double step = share * (cost - now) / length;
    for (ptrdiff_t j = 0; j < n; ++j)
      b[at(j)] =
          std::min(ceiling, static_cast<Real>(static_cast<double>(b[at(j)]) + step * direction[at(j)]));
  }
  return found;
}

#define STEELYARD_MEDOIDS(Real)                                                                             \
  template Medoids swap_medoids(const distances::Costs<Real>&, std::span<const double>, std::vector<Index>, \
                                Index, Monitor&);                                                           \
  template Chosen greedy_location(const distances::Costs<Real>&, std::span<const double>, Real,             \
                                  std::vector<Index>, ptrdiff_t, Monitor&);                                 \
  template std::vector<double> lower_bounds(const distances::Costs<Real>&, std::span<const double>,         \
                                            std::span<const Index>, double, Real, ptrdiff_t, Monitor&)

STEELYARD_MEDOIDS(float);
STEELYARD_MEDOIDS(double);
#undef STEELYARD_MEDOIDS

}  // namespace steelyard::select
