#include "rank/paired/separation.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "core/index.hpp"

namespace steelyard::rank {
namespace {

using std::size_t;

/// (u, eta), a direction; or (b, a), the coefficients of a cycle's sum.
struct Plane {
  std::int64_t u = 0, eta = 0;
};

std::int64_t inner(const Plane& p, const Plane& q) { return p.u * q.u + p.eta * q.eta; }
std::int64_t cross(const Plane& p, const Plane& q) { return p.u * q.eta - p.eta * q.u; }

/// ds_to <= ds_from + u * tie + eta * home
struct Constraint {
  std::int32_t from, to;
  std::int8_t tie, home;
};

std::vector<Constraint> constraints(const PairProblem& problem) {
  const auto& [graph, counts, model] = problem;
  const bool tie = model.ties != Ties::none;
  const std::int8_t win = tie ? -1 : 0;
  std::vector<Constraint> out;
  for (size_t k = 0; k < graph.left.size(); ++k) {
    const bool held = model.prior > 0.0;
    const std::int32_t i = held ? 0 : graph.left[k], j = held ? 0 : graph.right[k];
    const std::int8_t e = model.home && !graph.home.empty() ? graph.home[k] : std::int8_t{0};
    const auto minus_e = static_cast<std::int8_t>(-e);
    if (counts.wins()[k] > 0.0) out.push_back({i, j, win, e});
    if (counts.losses()[k] > 0.0) out.push_back({j, i, win, minus_e});
    if (counts.ties_of(k) > 0.0) {
      out.push_back({i, j, 1, e});
      out.push_back({j, i, 1, minus_e});
    }
  }
  return out;
}

/// Bellman and Ford's method from a source before all items.
class CycleFinder {
 public:
  CycleFinder(std::vector<Constraint> constraints, std::int32_t items)
      : constraints_(std::move(constraints)), potential_(at(items)), reason_(at(items)), colour_(at(items)) {}

  /// Coefficients of a cycle that excludes the direction; empty if there is none.
  std::optional<Plane> negative_cycle(const Plane& direction, Monitor& monitor) {
    std::fill(potential_.begin(), potential_.end(), 0);
    std::fill(reason_.begin(), reason_.end(), -1);
    while (relax(direction) && !monitor.poll()) {
      if (const auto cycle = cycle_of_reasons()) return cycle;
    }
    return std::nullopt;
  }

 private:
  bool relax(const Plane& direction) {
    bool changed = false;
    for (size_t k = 0; k < constraints_.size(); ++k) {
      const auto& c = constraints_[k];
      const auto limit = potential_[at(c.from)] + c.tie * direction.u + c.home * direction.eta;
      if (limit < potential_[at(c.to)]) {
        potential_[at(c.to)] = limit;
        reason_[at(c.to)] = static_cast<std::int64_t>(k);
        changed = true;
      }
    }
    return changed;
  }

  const Constraint* reason(std::int32_t item) const {
    const auto k = reason_[at(item)];
    return k < 0 ? nullptr : &constraints_[at(k)];
  }

  /// A cycle among the constraints that last lowered each item has a negative sum.
  std::optional<Plane> cycle_of_reasons() {
    std::fill(colour_.begin(), colour_.end(), -1);
    const auto items = static_cast<std::int32_t>(reason_.size());
    for (std::int32_t start = 0; start < items; ++start) {
      std::int32_t point = start;
      while (colour_[at(point)] < 0 && reason(point) != nullptr) {
        colour_[at(point)] = start;
        point = reason(point)->from;
      }
      if (colour_[at(point)] == start && reason(point) != nullptr) return sum_of_cycle(point);
    }
    return std::nullopt;
  }

  Plane sum_of_cycle(std::int32_t start) const {
    Plane sum;
    std::int32_t point = start;
    do {
      sum.u += reason(point)->tie;
      sum.eta += reason(point)->home;
      point = reason(point)->from;
    } while (point != start);
    return sum;
  }

  std::vector<Constraint> constraints_;
  std::vector<std::int64_t> potential_, reason_;
  std::vector<std::int32_t> colour_;
};

/// The first direction after `from`, turning towards eta > 0, that the cycle allows.
Plane turned_past(const Plane& from, const Plane& cycle) {
  const auto divisor = std::gcd(cycle.u, cycle.eta);
  const Plane next{-cycle.eta / divisor, cycle.u / divisor};
  return cross(from, next) > 0 ? next : Plane{-next.u, -next.eta};
}

/// A direction between `first` and `last` (turning from one to the other by at most half a turn) that no
/// cycle excludes.
std::optional<Plane> free_direction(CycleFinder& finder, Plane first, const Plane& last, Monitor& monitor) {
  for (;;) {
    const auto cycle = finder.negative_cycle(first, monitor);
    if (monitor.stopped()) return std::nullopt;
    if (!cycle) return first;
    if (cross(first, last) == 0 && inner(first, last) > 0) return std::nullopt;
    const Plane next = turned_past(first, *cycle);
    if (cross(next, last) < 0) return std::nullopt;
    first = next;
  }
}

}  // namespace

std::optional<Separation> find_separation(const PairProblem& problem, Monitor& monitor) {
  const bool tie = problem.model.ties != Ties::none;
  if (!tie && !problem.model.home) return std::nullopt;
  CycleFinder finder(constraints(problem), problem.model.prior > 0.0 ? 1 : problem.graph.items);
  constexpr Plane up{0, 1}, down{0, -1}, wider{1, 0};
  if (!problem.model.home) {
    if (finder.negative_cycle(wider, monitor) || monitor.stopped()) return std::nullopt;
    return Separation{true, false, false};
  }
  // Without a tie parameter only the two ends of the half plane u >= 0 are directions.
  std::optional<Plane> found;
  if (tie) {
    found = free_direction(finder, down, up, monitor);
  } else {
    if (!finder.negative_cycle(down, monitor)) found = down;
    if (!found && !finder.negative_cycle(up, monitor)) found = up;
  }
  if (!found || monitor.stopped()) return std::nullopt;
  const bool flat = found->u == 0 && found->eta < 0 && !finder.negative_cycle(up, monitor);
  return Separation{found->u != 0, found->eta != 0, flat};
}

}  // namespace steelyard::rank
