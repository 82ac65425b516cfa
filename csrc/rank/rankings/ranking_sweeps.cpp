#include "rank/rankings/ranking_sweeps.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "core/logistic.hpp"
#include "rank/newton_loop.hpp"
#include "rank/scale.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

constexpr double longest_change = 600.0;  // exp of it is finite

constexpr std::int64_t between_polls = 500'000;  // places: a few milliseconds
constexpr std::size_t ahead = 6;                 // standings whose shares are on their way

double log_change(double a, double b) { return std::clamp(log_ratio(a, b), -longest_change, longest_change); }

/// The sum behind the places before `place`, r_{u-1} C_{u-1}.
double carried_to(const Share* chain, ptrdiff_t place) {
  double carried = 0.0;
  for (ptrdiff_t v = 0; v < place; ++v) carried = chain[v].others * (1.0 + carried);
  return carried;
}

/// What follows the first `place` places has grown by `factor`.
void pass_on(Share* chain, ptrdiff_t place, double factor) {
  for (auto v = place; v-- > 0;) {
    const double grown = chain[v].own + chain[v].others * factor, inverse = 1.0 / grown;
    chain[v].own *= inverse;
    chain[v].others *= factor * inverse;
    factor = grown;
  }
}

}  // namespace

RankingSweeps::RankingSweeps(const RankingModel& model) : model_(model) {
  const auto& rankings = model.rankings;
  chosen_.assign(at(rankings.items), 0.0);
  for (ptrdiff_t r = 0; r < rankings.count(); ++r) {
    const auto begin = rankings.starts[at(r)];
    for (auto place = begin; place < begin + rankings.stages[at(r)]; ++place)
      chosen_[at(rankings.codes[at(place)])] += model.weight_of(r);
  }
}

double RankingSweeps::sweep(Sweep kind, std::vector<double>& strengths, Monitor& monitor) {
  before_ = strengths;
  if (kind == Sweep::zermelo)
    zermelo(strengths, monitor);
  else
    newman(strengths, monitor);
  set_scale(model_.prior, kind == Sweep::newman, strengths);
  double change = 0.0;
  for (std::size_t i = 0; i < before_.size(); ++i)
    change = std::max(change, std::fabs(strengths[i] - before_[i]));
  return change;
}

void RankingSweeps::zermelo(std::vector<double>& strengths, Monitor& monitor) {
  if (!expected_choices(model_, strengths, now_, expected_, monitor)) return;
  const double a = model_.prior;
  for (std::size_t i = 0; i < strengths.size(); ++i)
    strengths[i] += log_change(chosen_[i] + a, expected_[i] + 2.0 * a * logistic(strengths[i]));
}

void RankingSweeps::newman(std::vector<double>& strengths, Monitor& monitor) {
  if (!find_shares(model_.rankings, strengths, now_.shares, monitor)) return;
  gather_tails();
  for (std::int32_t i = 0; i < model_.rankings.items; ++i) {
    const double change = change_of(i, strengths[at(i)], monitor);
    if (monitor.stopped()) return;
    strengths[at(i)] += change;
    multiply(i, std::exp(change));
  }
}

/// Places of unknown order share one sum: their `own` becomes the part of it, so that an update need not
/// touch the others of them.
void RankingSweeps::gather_tails() {
  const auto& rankings = model_.rankings;
  tails_.assign(at(rankings.count()), 1.0);
  for (ptrdiff_t r = 0; r < rankings.count(); ++r) {
    double reach = 1.0;
    for (auto place = rankings.starts[at(r)] + rankings.stages[at(r)]; place < rankings.starts[at(r) + 1];
         ++place) {
      auto& share = now_.shares[at(place)];
      share.own *= reach;
      reach *= share.others;
    }
  }
}

double RankingSweeps::change_of(std::int32_t item, double strength, Monitor& monitor) {
  const auto standings = model_.rankings.of_item(item);
  double plus = model_.prior * logistic(-strength), minus = model_.prior * logistic(strength);
  for (std::size_t k = 0; k < standings.size(); ++k) {
    const auto& standing = standings[k];
    if ((work_ += standing.offset + 1) > between_polls) {
      work_ = 0;
      if (monitor.poll()) break;
    }
    if (k + ahead < standings.size()) fetch(standings[k + ahead]);
    const Share* chain = &now_.shares[at(standing.first)];
    const Share& own = chain[standing.offset];
    const double weight = model_.weight_of(standing.ranking);
    if (standing.known) {
      plus += weight * own.others;
      minus += weight * own.own * carried_to(chain, standing.offset);
    } else {
      const auto r = at(standing.ranking);
      minus += weight * (own.own / tails_[r]) * carried_to(chain, model_.rankings.stages[r]);
    }
  }
  return log_change(plus, minus);
}

void RankingSweeps::fetch(const Standing& standing) const {
#if defined(__GNUC__)
  __builtin_prefetch(&now_.shares[at(standing.first)]);
  __builtin_prefetch(&now_.shares[at(standing.first + standing.offset)]);
#else
  static_cast<void>(standing);
#endif
}

/// exp(s) of the item times `factor`, in the shares of its rankings. No cancellation: only the sum of a tail
/// can lose digits, and is made anew before it does.
void RankingSweeps::multiply(std::int32_t item, double factor) {
  for (const auto& standing : model_.rankings.of_item(item)) {
    Share* chain = &now_.shares[at(standing.first)];
    Share& own = chain[standing.offset];
    if (standing.known) {
      const double grown = own.others + own.own * factor;
      own = {own.own * factor / grown, own.others / grown};
      pass_on(chain, standing.offset, grown);
    } else {
      const auto r = at(standing.ranking);
      const double old = tails_[r], sum = old + own.own * (factor - 1.0);
      own.own *= factor;
      tails_[r] = std::max(sum < 1e-3 * old ? sum_of_tail(r) : sum, 1e-300);
      pass_on(chain, model_.rankings.stages[r], tails_[r] / old);
    }
  }
}

double RankingSweeps::sum_of_tail(std::size_t ranking) const {
  const auto& rankings = model_.rankings;
  double sum = 0.0;
  for (auto place = rankings.starts[ranking] + rankings.stages[ranking]; place < rankings.starts[ranking + 1];
       ++place)
    sum += now_.shares[at(place)].own;
  return sum;
}

Info fit_rankings_by_sweeps(Sweep kind, const RankingModel& model, std::vector<double>& strengths,
                            const FitOptions& options, Monitor& monitor) {
  const Stopwatch watch;
  Info info;
  info.tol = options.tol;
  info.error_kind = ErrorKind::asymptotic;
  info.error_bound = infinity;
  info.solver = kind == Sweep::zermelo ? "zermelo" : model.prior > 0.0 ? "newman (exact shift)" : "newman";
  info.trace.columns = {"iteration", "newton_decrement", "largest_change", "lower_bound", "seconds"};
  RankingSweeps sweeps(model);
  RankingSystem system(model, Linear::automatic);
  RankingDerivatives d;
  RankingDirection direction;
  set_scale(model.prior, false, strengths);
  int next_check = 1;
  while (info.iterations < options.max_iter && !info.converged && !monitor.poll()) {
    const double change = sweeps.sweep(kind, strengths, monitor);
    ++info.iterations;
    double lower = std::numeric_limits<double>::quiet_NaN(), decrement = lower;
    const bool last = info.iterations == options.max_iter;
    if (info.iterations >= next_check || last) {
      if (!differentiate(model, strengths, d, monitor)) break;
      lower = least_decrement(d);
      if (lower <= options.tol || last) {
        if (system.direction(d, 1e-3, options.tol, direction, monitor)) {
          decrement = stated_decrement(direction.decrement, system.rounding(d, strengths, monitor),
                                       largest_change(model, direction.strengths, 0.0));
        }
        if (monitor.stopped()) break;
        info.error_bound = std::isnan(decrement) ? infinity : decrement;
        info.converged = info.error_bound <= options.tol;
      }
      next_check = info.iterations + std::max(1, info.iterations / 20);
    }
    info.trace.add({static_cast<double>(info.iterations), decrement, change, lower, watch.seconds()});
    monitor.progress(info.iterations, options.max_iter);
  }
  info.interrupted = monitor.stopped();
  info.seconds = watch.seconds();
  return info;
}

}  // namespace steelyard::rank
