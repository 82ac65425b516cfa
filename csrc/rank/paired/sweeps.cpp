#include "rank/paired/sweeps.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/pool.hpp"
#include "rank/scale.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

std::size_t at_index(ptrdiff_t i) { return static_cast<std::size_t>(i); }

/// One cell as one of its two items sees it: d ll / dx = plus - minus, and kept + minus is the expected
/// score.
struct Share {
  double score = 0.0;  ///< observed
  double plus =
      0.0;  ///< observed score, each part weighed by the probability that it might not have happened
  double minus = 0.0;  ///< the opponent's likewise
  double kept = 0.0;

  void operator+=(const Share& other) {
    score += other.score;
    plus += other.plus;
    minus += other.minus;
    kept += other.kept;
  }
};

/// sigma(y) and sigma(-y).
struct Logistic {
  explicit Logistic(double y) {
    const double e = std::exp(-std::fabs(y)), v = 1.0 / (1.0 + e);
    yes = y < 0.0 ? e * v : v;
    no = y < 0.0 ? v : e * v;
  }
  double yes, no;
};

/// The model's tie parameter in the form that a cell needs.
struct CellModel {
  CellModel(const Model& model, const Parameters& at)
      : rao_kupper(model.ties == Ties::rao_kupper),
        delta(rao_kupper ? at.tie : 0.0),
        nu(model.ties == Ties::davidson ? std::exp(at.tie) : 0.0) {}

  double p_tie(double x) const {
    const double e = std::exp(-0.5 * std::fabs(x));
    return nu * e / (1.0 + e * e + nu * e);
  }

  Share share(double x, double w, double l, double t) const {
    if (rao_kupper) {
      const Logistic win(x - delta), loss(-x - delta);
      return {w + t, (w + t) * win.no, (l + t) * loss.no, (w + t) * win.yes};
    }
    const double up = w + 0.5 * t, down = l + 0.5 * t;
    const double e = std::exp(-0.5 * std::fabs(x)), v = 1.0 / (1.0 + e * e + nu * e);
    const double strong = v * (1.0 + 0.5 * nu * e), weak = v * e * (e + 0.5 * nu);
    const double q = x < 0.0 ? weak : strong, not_q = x < 0.0 ? strong : weak;
    return {up, up * not_q, down * q, up * q};
  }

  bool rao_kupper;
  double delta, nu;
};

/// log(a / b) that stays finite where a sum underflows far from the optimum.
double log_ratio(double a, double b) { return std::log(std::max(a, 1e-300) / std::max(b, 1e-300)); }

double ties_of(const Counts& counts, std::size_t cell) {
  return counts.ties.empty() ? 0.0 : counts.ties[cell];
}

Share gather(const PairGraph& graph, const Counts& counts, const CellModel& cell_model,
             const Effects& effects, const Parameters& at, ptrdiff_t i) {
  Share sum;
  const double own = at.strengths[at_index(i)];
  for (auto k = graph.offsets[at_index(i)]; k < graph.offsets[at_index(i) + 1]; ++k) {
    const auto cell = static_cast<std::size_t>(graph.edge[at_index(k)]);
    const auto j = graph.neighbours[at_index(k)];
    const bool left = j > i;
    double x = own - at.strengths[at_index(j)];
    if (effects.count() > 0) x += left ? effects.shift(cell, at) : -effects.shift(cell, at);
    const double w = counts.wins[cell], l = counts.losses[cell];
    sum += cell_model.share(x, left ? w : l, left ? l : w, ties_of(counts, cell));
  }
  return sum;
}

double update(Sweep kind, const Share& sum, double prior, double s) {
  const Logistic against_zero(s);
  if (kind == Sweep::zermelo)
    return log_ratio(sum.score + prior, sum.kept + sum.minus + 2.0 * prior * against_zero.yes);
  return log_ratio(sum.plus + prior * against_zero.no, sum.minus + prior * against_zero.yes);
}

/// Sums over all cells that the updates of the tie and home parameters need.
struct GlobalSums {
  Share home;                                    ///< over cells with a home side, as that side sees them
  double ties = 0.0, tie_kept = 0.0;             ///< ties; ties weighed by 1 - p_tie
  double tie_expected = 0.0, tie_against = 0.0;  ///< n p_tie; (w + l) p_tie
  double both_plus = 0.0;                        ///< plus + minus: theta S of Rao-Kupper

  void operator+=(const GlobalSums& other) {
    home += other.home;
    ties += other.ties;
    tie_kept += other.tie_kept;
    tie_expected += other.tie_expected;
    tie_against += other.tie_against;
    both_plus += other.both_plus;
  }
};

GlobalSums global_sums(const PairGraph& graph, const Counts& counts, const Model& model, const Parameters& at,
                       Monitor& monitor) {
  constexpr ptrdiff_t grain = 8192;
  const CellModel cell_model(model, at);
  const Effects effects(graph, model);
  const auto cells = std::ssize(graph.left);
  std::vector<GlobalSums> parts(at_index((cells + grain - 1) / grain));
  parallel_for(cells, grain, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    GlobalSums sum;
    for (auto k = begin; k < end; ++k) {
      const auto c = at_index(k);
      const int sign = graph.home.empty() ? 0 : graph.home[c];
      const double x = at.strengths[at_index(graph.left[c])] - at.strengths[at_index(graph.right[c])] +
                       effects.shift(c, at);
      const double w = counts.wins[c], l = counts.losses[c], t = ties_of(counts, c);
      const Share left = cell_model.share(x, w, l, t);
      if (sign > 0) sum.home += left;
      if (sign < 0) sum.home += cell_model.share(-x, l, w, t);
      sum.both_plus += left.plus + left.minus;
      sum.ties += t;
      if (model.ties == Ties::davidson) {
        const double p = cell_model.p_tie(x);
        sum.tie_kept += t * (1.0 - p);
        sum.tie_expected += (w + l + t) * p;
        sum.tie_against += (w + l) * p;
      }
    }
    parts[at_index(begin / grain)] = sum;
  });
  GlobalSums total;
  for (const auto& part : parts) total += part;
  return total;
}

void update_home(Sweep kind, const PairGraph& graph, const Counts& counts, const Model& model, Parameters& at,
                 Monitor& monitor) {
  const auto sums = global_sums(graph, counts, model, at, monitor);
  at.home += update(kind, sums.home, 0.0, 0.0);
}

void update_tie(Sweep kind, const PairGraph& graph, const Counts& counts, const Model& model, Parameters& at,
                Monitor& monitor) {
  const auto sums = global_sums(graph, counts, model, at, monitor);
  if (model.ties == Ties::rao_kupper) {
    const double ratio = sums.ties * std::exp(at.tie) / std::max(sums.both_plus, 1e-300);  // T / S
    at.tie = std::asinh(ratio);  // log of the fixed point
  } else if (kind == Sweep::zermelo) {
    at.tie += log_ratio(sums.ties, sums.tie_expected);
  } else {
    at.tie += log_ratio(sums.tie_kept, sums.tie_against);
  }
}

double scaled_gradient(const Derivatives& d) {
  double largest = 0.0;
  for (std::size_t i = 0; i < d.gradient.size(); ++i) {
    if (d.diagonal[i] > 0.0)
      largest = std::max(largest, std::fabs(d.gradient[i]) / std::sqrt(d.diagonal[i]));
    else if (d.gradient[i] != 0.0)
      return std::numeric_limits<double>::infinity();
  }
  for (int c = 0; c < d.extra; ++c) {
    const double curvature = d.extra_hessian[at_index(c * d.extra + c)];
    largest = std::max(largest, std::fabs(d.extra_gradient[at_index(c)]) / std::sqrt(curvature));
  }
  return largest;
}

}  // namespace

double sweep(Sweep kind, const PairGraph& graph, const Counts& counts, const Model& model, bool exact_shift,
             Parameters& at, Monitor& monitor) {
  const std::vector<double> before = at.strengths;
  const CellModel cell_model(model, at);
  const Effects effects(graph, model);
  if (kind == Sweep::zermelo) {
    Parameters old = at;
    parallel_for(graph.items, 256, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto i = begin; i < end; ++i) {
        const auto sum = gather(graph, counts, cell_model, effects, old, i);
        at.strengths[at_index(i)] += update(kind, sum, model.prior, old.strengths[at_index(i)]);
      }
    });
  } else {
    for (ptrdiff_t i = 0; i < graph.items; ++i) {
      if (i % 4096 == 0 && monitor.poll()) break;
      const auto sum = gather(graph, counts, cell_model, effects, at, i);
      at.strengths[at_index(i)] += update(kind, sum, model.prior, at.strengths[at_index(i)]);
    }
  }
  set_scale(model.prior, exact_shift, at.strengths);
  if (model.home) update_home(kind, graph, counts, model, at, monitor);
  if (model.ties != Ties::none) update_tie(kind, graph, counts, model, at, monitor);
  double change = 0.0;
  for (std::size_t i = 0; i < before.size(); ++i)
    change = std::max(change, std::fabs(at.strengths[i] - before[i]));
  return change;
}

Info fit_by_sweeps(Sweep kind, const PairGraph& graph, const Counts& counts, const Model& model,
                   bool exact_shift, Parameters& at, const FitOptions& options, Monitor& monitor) {
  const Stopwatch watch;
  Info info;
  info.tol = options.tol;
  info.error_kind = ErrorKind::asymptotic;
  info.error_bound = std::numeric_limits<double>::infinity();
  info.solver = kind == Sweep::zermelo             ? "zermelo"
                : exact_shift && model.prior > 0.0 ? "newman (exact shift)"
                                                   : "newman";
  info.trace.columns = {"iteration", "newton_decrement", "largest_change", "scaled_gradient", "seconds"};
  std::optional<StrengthSystem> system;
  Derivatives d;
  NewtonDirection direction;
  const auto certify = [&] {
    if (!system) system.emplace(graph, model, Linear::automatic, monitor);
    if (system->prepare(d, monitor) && system->direction(d, 1e-4, direction, monitor)) {
      info.error_bound = direction.decrement;
    }
    info.converged = info.error_bound <= options.tol;
  };
  set_scale(model.prior, false, at.strengths);
  int next_check = 1;
  while (info.iterations < options.max_iter && !info.converged && !monitor.poll()) {
    const double change = sweep(kind, graph, counts, model, exact_shift, at, monitor);
    ++info.iterations;
    double scaled = std::numeric_limits<double>::quiet_NaN();
    const bool last = info.iterations == options.max_iter;
    if (info.iterations >= next_check || last) {
      if (!evaluate(graph, counts, model, at, d, monitor)) break;
      scaled = scaled_gradient(d);
      if (scaled <= options.tol || last) certify();
      next_check = info.iterations + std::max(1, info.iterations / 20);
    }
    info.trace.add(
        {static_cast<double>(info.iterations),
         std::isnan(scaled) ? scaled : (scaled <= options.tol || last ? info.error_bound : std::nan("")),
         change, scaled, watch.seconds()});
    monitor.progress(info.iterations, options.max_iter);
  }
  info.interrupted = monitor.stopped();
  info.seconds = watch.seconds();
  return info;
}

}  // namespace steelyard::rank
