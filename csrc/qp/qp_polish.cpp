// Primal active-set method on the free coordinates F, with a factor of K_FF that follows F.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "linalg/updated_cholesky.hpp"
#include "qp/qp_state.hpp"

namespace steelyard::qp {
namespace {

using std::ptrdiff_t;

constexpr double smallest_proximal = 1e-14, largest_proximal = 1e-6;  // of the curvature's scale
constexpr double endless = 1e12;  // coordinates that large: f falls without end

class ActiveSet {
 public:
  explicit ActiveSet(QpState& state) : s_(state) {}

  QpEnd run() {
    for (ptrdiff_t i = 0; i < s_.n; ++i) {
      if (s_.can_rise(i) && s_.can_fall(i)) free_.push_back(i);
    }
    if (std::ssize(free_) > s_.options.factor_limit) return QpEnd::too_large;
    proximal_ = smallest_proximal * std::max(10.0, static_cast<double>(free_.size()));
    if (!s_.refresh()) return QpEnd::stopped;
    if (const auto end = refactor(); end != QpEnd::converged) return end;
    const std::int64_t patience = 60 + 4 * s_.n;
    int idle = 0;
    double lowest = infinity;
    for (std::int64_t round = 0; round < patience; ++round) {
      if (const auto end = minimise(); end != QpEnd::converged) return end;
      if (!s_.refresh()) return QpEnd::stopped;
      s_.measure();
      if (s_.good()) return QpEnd::converged;
      if (s_.iterations >= s_.max_iter) return QpEnd::budget;
      // Degenerate vertices can make a batch idle; one coordinate at a time can't cycle but through rounding.
      const bool fell = s_.objective < lowest - 1e-16 * s_.scale;
      lowest = std::min(lowest, s_.objective);
      idle = fell ? 0 : idle + 1;
      if (idle > 30) return QpEnd::stalled;
      const auto batch = idle > 3 ? std::size_t{1} : std::max<std::size_t>(8, free_.size() / 4);
      if (const auto end = admit(batch); end != QpEnd::converged) return end;
    }
    return QpEnd::stalled;
  }

 private:
  double entry(const double* row, ptrdiff_t i, ptrdiff_t j) const {
    return row[j] - s_.shift[at(i)] - s_.shift[at(j)];
  }
  double delta() const { return proximal_ * s_.curvature_scale; }

  /// Factors K_FF + delta I afresh, with the smallest delta that makes it positive definite.
  QpEnd refactor() {
    const auto m = std::ssize(free_);
    std::vector<double> a(checked_product("working memory", m, m)), pivots(at(m));
    const bool done = s_.rows.for_each(free_, s_.monitor, [&](std::size_t k, const double* row) {
      double* out = a.data() + static_cast<ptrdiff_t>(k) * m;
      for (ptrdiff_t c = 0; c < m; ++c) out[c] = entry(row, free_[k], free_[at(c)]);
      pivots[k] = out[k];
    });
    if (!done) return QpEnd::stopped;
    for (;; proximal_ *= 30.0) {
      if (proximal_ > largest_proximal) {
        s_.convex = false;
        return QpEnd::indefinite;
      }
      for (ptrdiff_t i = 0; i < m; ++i) {
        a[at(i * m + i)] = pivots[at(i)] + delta();
        for (ptrdiff_t j = 0; j < i; ++j) a[at(i * m + j)] = a[at(j * m + i)];
      }
      if (factor_.factor(std::move(a), m, s_.monitor)) return QpEnd::converged;
      if (s_.monitor.stopped()) return QpEnd::stopped;
      a = std::move(factor_.matrix());  // its upper triangle is still that of A
    }
  }

  /// f to its minimum over the free coordinates, dropping those that meet a bound on the way.
  QpEnd minimise() {
    std::vector<double> system;
    while (!free_.empty()) {
      if (s_.monitor.poll()) return QpEnd::stopped;
      const std::size_t m = free_.size(), columns = s_.sums() + 1;
      system.assign(checked_product("working memory", columns, m), 0.0);
      const auto mu = levels();  // what the slopes have in common only costs digits
      for (std::size_t k = 0; k < m; ++k) {
        const auto own = s_.group(free_[k]);
        system[k * columns] = s_.slope(free_[k]) - mu[own];
        if (s_.summed()) system[k * columns + 1 + own] = 1.0;
      }
      factor_.solve(system.data(), static_cast<ptrdiff_t>(columns));
      auto nu = s_.multipliers(free_, system);
      direction_.resize(m);
      for (std::size_t k = 0; k < m; ++k) {
        direction_[k] = -system[k * columns];
        for (std::size_t c = 0; c < nu.size(); ++c) direction_[k] -= nu[c] * system[k * columns + 1 + c];
      }
      ++s_.iterations;
      const double length = longest_step();
      if (length < 1.0 && s_.iterations < s_.max_iter) {
        const auto end = meet_many(mu);
        if (end == QpEnd::converged) continue;
        if (end != QpEnd::budget) return end;
      }
      nu.resize(mu.size(), 0.0);
      for (std::size_t c = 0; c < nu.size(); ++c) nu[c] -= mu[c];
      step(length, nu);
      if (length >= 1.0) break;
      if (s_.iterations >= s_.max_iter) break;
    }
    return unbounded() ? QpEnd::unbounded : QpEnd::converged;
  }

  /// As far along the direction, cut at the bounds, as meets `many_` bounds, if f falls enough on the way.
  /// `budget` where it does not, or for few: then fewer are tried next time.
  QpEnd meet_many(const std::vector<double>& mu) {
    const std::size_t m = free_.size();
    many_ = std::min(many_ * 1.02, 0.5 * static_cast<double>(m));
    if (many_ < 4.0) return QpEnd::budget;
    std::vector<double> target(m), moved(m), product(m);
    for (std::size_t k = 0; k < m; ++k) moved[k] = room(k);
    const auto last = moved.begin() + static_cast<ptrdiff_t>(many_);
    std::nth_element(moved.begin(), last, moved.end());
    const double length = std::min(1.0, *last);
    for (std::size_t k = 0; k < m; ++k) target[k] = s_.value(free_[k]) + length * direction_[k];
    for (std::size_t group = 0; group < mu.size(); ++group) project(group, target);
    double slope = 0.0, curvature = 0.0;
    for (std::size_t k = 0; k < m; ++k) {
      moved[k] = target[k] - s_.value(free_[k]);
      slope += (s_.slope(free_[k]) - mu[s_.group(free_[k])]) * moved[k];
    }
    factor_.multiply(moved.data(), product.data());
    for (std::size_t k = 0; k < m; ++k) curvature += moved[k] * product[k];
    many_ *= 0.9 * slope + 0.5 * curvature < 0.0 ? 2.0 : 0.25;
    if (!(0.9 * slope + 0.5 * curvature < 0.0)) return QpEnd::budget;
    std::vector<std::size_t> met;
    for (std::size_t k = 0; k < m; ++k) {
      const auto i = free_[k];
      s_.value(i) = target[k];
      s_.g[at(i)] += product[k] - delta() * moved[k];
      if (target[k] == s_.low(i) || target[k] == s_.high(i)) met.push_back(k);
    }
    return leave(met);
  }

  /// The free coordinates of a group, cut at their bounds, less what keeps their sum.
  void project(std::size_t group, std::vector<double>& target) {
    double sum = 0.0, low = 0.0, high = 0.0;
    std::vector<std::size_t> own;
    for (std::size_t k = 0; k < free_.size(); ++k) {
      const auto i = free_[k];
      if (s_.group(i) != group) continue;
      own.push_back(k);
      sum += s_.value(i);
      low = std::min(low, target[k] - s_.high(i));
      high = std::max(high, target[k] - s_.low(i));
    }
    const auto cut = [&](std::size_t k, double by) {
      return std::clamp(target[k] - by, s_.low(free_[k]), s_.high(free_[k]));
    };
    double by = 0.0;
    if (s_.summed()) {
      low = std::isfinite(low) ? low : 0.0;  // without upper bounds only what is cut below has to be made up
      for (int round = 0; round < 100 && low < high; ++round) {
        by = 0.5 * (low + high);
        double total = 0.0;
        for (const auto k : own) total += cut(k, by);
        if (by == low || by == high || total == sum) break;
        (total > sum ? low : high) = by;
      }
    }
    for (const auto k : own) target[k] = cut(k, by);
  }

  /// Those at the positions `met` (ascending) are no longer free.
  QpEnd leave(const std::vector<std::size_t>& met) {
    const bool afresh = 3 * met.size() > free_.size();
    for (auto k = met.rbegin(); k != met.rend(); ++k) {
      if (!afresh) factor_.remove(static_cast<ptrdiff_t>(*k));
      free_.erase(free_.begin() + static_cast<ptrdiff_t>(*k));
    }
    return afresh && !free_.empty() ? refactor() : QpEnd::converged;
  }

  /// Up to 1, or to the first bound.
  double longest_step() {
    double length = 1.0;
    for (std::size_t k = 0; k < free_.size(); ++k) length = std::min(length, room(k));
    return length;
  }

  double room(std::size_t k) {
    const auto i = free_[k];
    const double d = direction_[k];
    if (d == 0.0) return infinity;
    return std::max(0.0, (d > 0.0 ? s_.high(i) - s_.value(i) : s_.low(i) - s_.value(i)) / d);
  }

  void step(double length, const std::vector<double>& nu) {
    std::vector<std::size_t> met;
    for (std::size_t k = 0; k < free_.size(); ++k) {
      const auto i = free_[k];
      const double d = direction_[k];
      if (room(k) <= length * (1.0 + 1e-13)) {
        met.push_back(k);
        s_.value(i) = d > 0.0 ? s_.high(i) : s_.low(i);
      } else {
        s_.value(i) = std::clamp(s_.value(i) + length * d, s_.low(i), s_.high(i));
      }
      // K_FF d = -(g_F + nu 1) - delta d, up to a multiple of 1 that the sum constraints make void.
      auto& slope = s_.g[at(i)];
      slope -= length * (slope + nu[s_.group(i)] + delta() * d);
    }
    for (auto k = met.rbegin(); k != met.rend(); ++k) {
      factor_.remove(static_cast<ptrdiff_t>(*k));
      free_.erase(free_.begin() + static_cast<ptrdiff_t>(*k));
    }
  }

  bool unbounded() const {
    if (s_.summed()) return false;
    double size = 0.0, most = 0.0;
    for (const double v : s_.p) size = std::max(size, std::fabs(v));
    for (std::size_t i = 0; i < s_.p.size(); ++i) {
      most =
          std::max({most, std::fabs(s_.problem.lower[i]), std::fabs(s_.problem.q[i]) / s_.curvature_scale});
      if (std::isfinite(s_.problem.upper[i])) most = std::max(most, std::fabs(s_.problem.upper[i]));
    }
    return size > endless * most;
  }

  /// The multipliers that the free coordinates of each group agree on; a zero without sums.
  std::vector<double> levels() {
    std::vector<double> mu(std::max<std::size_t>(1, s_.sums()), 0.0);
    if (!s_.summed()) return mu;
    count_free();
    for (const auto i : free_) mu[s_.group(i)] += s_.slope(i);
    for (std::size_t k = 0; k < mu.size(); ++k) {
      if (free_of_[k] > 0) {
        mu[k] /= static_cast<double>(free_of_[k]);
        continue;
      }
      double lowest = infinity, highest = -lowest;
      s_.each(k, [&](ptrdiff_t i) {
        if (s_.can_rise(i)) lowest = std::min(lowest, s_.slope(i));
        if (s_.can_fall(i)) highest = std::max(highest, s_.slope(i));
      });
      mu[k] = 0.5 * (lowest + highest);
    }
    return mu;
  }

  void count_free() {
    free_of_.assign(std::max<std::size_t>(1, s_.sums()), 0);
    for (const auto i : free_) ++free_of_[s_.group(i)];
  }

  /// Frees the coordinates at a bound that pull inwards most.
  QpEnd admit(std::size_t most) {
    const auto mu = levels();
    const double enough = 0.25 * s_.enough() / std::max(s_.reach, 1e-300);
    std::vector<std::pair<double, ptrdiff_t>> pull;
    std::vector<char> is_free(at(s_.n), 0);
    for (const auto i : free_) is_free[at(i)] = 1;
    for (ptrdiff_t i = 0; i < s_.n; ++i) {
      if (is_free[at(i)] || s_.low(i) == s_.high(i)) continue;
      const double inwards = s_.can_rise(i) ? mu[s_.group(i)] - s_.slope(i) : s_.slope(i) - mu[s_.group(i)];
      if (inwards > enough) pull.emplace_back(-inwards, i);
    }
    count_free();
    if (std::find(free_of_.begin(), free_of_.end(), 0) != free_of_.end()) {
      most = pull.size();  // a sum constraint needs a partner
    }
    if (pull.size() > most) {
      std::nth_element(pull.begin(), pull.begin() + static_cast<ptrdiff_t>(most), pull.end());
      pull.resize(most);
    }
    std::sort(pull.begin(), pull.end());
    if (std::ssize(free_) + std::ssize(pull) > s_.options.factor_limit) return QpEnd::too_large;
    const bool spoilt = !append(pull);
    if (s_.monitor.stopped()) return QpEnd::stopped;
    for (const auto& one : pull) free_.push_back(one.second);
    s_.iterations += std::ssize(pull);
    return spoilt ? refactor() : QpEnd::converged;
  }

  /// The factor, these coordinates after the free ones; false where it has to be made afresh (or stopped).
  bool append(const std::vector<std::pair<double, ptrdiff_t>>& pull) {
    const std::size_t m = free_.size(), count = pull.size();
    std::vector<double> columns(checked_product("working memory", count, m)),
        corner(checked_product("working memory", count, count));
    for (std::size_t r = 0; r < count; ++r) {
      if (s_.monitor.poll()) return false;
      const auto i = pull[r].second;
      const double* row = s_.rows.row(i);
      for (std::size_t k = 0; k < m; ++k) columns[r * m + k] = entry(row, i, free_[k]);
      for (std::size_t c = 0; c < count; ++c) corner[r * count + c] = entry(row, i, pull[c].second);
      corner[r * count + r] += delta();
    }
    return count == 0 || factor_.append(columns.data(), corner.data(), static_cast<ptrdiff_t>(count));
  }

  QpState& s_;
  std::vector<ptrdiff_t> free_;
  std::vector<ptrdiff_t> free_of_;  ///< how many a group
  std::vector<double> direction_;
  linalg::UpdatedCholesky factor_;
  double proximal_ = smallest_proximal;
  double many_ = 1e9;  ///< bounds that a step tries to meet at once
};

}  // namespace

QpEnd polish(QpState& state) { return ActiveSet(state).run(); }

}  // namespace steelyard::qp
