#include "rank/paired/sweeps.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/index.hpp"
#include "core/logistic.hpp"
#include "core/pool.hpp"
#include "rank/newton_loop.hpp"
#include "rank/paired/tie_models.hpp"
#include "rank/scale.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

template <class Law>
CellShare gather(const PairProblem& problem, const Law& law, const Effects& effects, const Parameters& point,
                 ptrdiff_t i) {
  const auto& graph = problem.graph;
  const auto wins = problem.counts.wins(), losses = problem.counts.losses();
  CellShare sum;
  const double own = point.strengths[at(i)];
  for (auto k = graph.offsets[at(i)]; k < graph.offsets[at(i) + 1]; ++k) {
    const auto cell = at(graph.edge[at(k)]);
    const auto j = graph.neighbours[at(k)];
    const bool left = j > i;
    double x = own - point.strengths[at(j)];
    if (effects.count() > 0) x += left ? effects.shift(cell, point) : -effects.shift(cell, point);
    const double w = wins[cell], l = losses[cell];
    sum += law.share(x, left ? w : l, left ? l : w, problem.counts.ties_of(cell));
  }
  return sum;
}

double update(Sweep kind, const CellShare& sum, double prior, double s) {
  const Logistic against_zero(s);
  if (kind == Sweep::zermelo)
    return log_ratio(sum.score + prior, sum.kept + sum.minus + 2.0 * prior * against_zero.yes);
  return log_ratio(sum.plus + prior * against_zero.no, sum.minus + prior * against_zero.yes);
}

/// Sums over all cells that the updates of the tie and home parameters need.
struct GlobalSums {
  CellShare home;  ///< over cells with a home side, as that side sees them
  TieTotals tie;

  void operator+=(const GlobalSums& other) {
    home += other.home;
    tie += other.tie;
  }
};

template <class Law>
GlobalSums global_sums(const PairProblem& problem, const Law& law, const Parameters& point,
                       Monitor& monitor) {
  constexpr ptrdiff_t grain = 8192;
  const auto& graph = problem.graph;
  const Effects effects(problem);
  const auto cells = std::ssize(graph.left);
  std::vector<GlobalSums> parts(at((cells + grain - 1) / grain));
  parallel_for(cells, grain, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    GlobalSums sum;
    for (auto k = begin; k < end; ++k) {
      const auto c = at(k);
      const int sign = graph.home.empty() ? 0 : graph.home[c];
      const double x =
          point.strengths[at(graph.left[c])] - point.strengths[at(graph.right[c])] + effects.shift(c, point);
      const double w = problem.counts.wins()[c], l = problem.counts.losses()[c];
      const double t = problem.counts.ties_of(c);
      const CellShare left = law.share(x, w, l, t);
      if (sign > 0) sum.home += left;
      if (sign < 0) sum.home += law.share(-x, l, w, t);
      law.add_to(sum.tie, x, w, l, t, left);
    }
    parts[at(begin / grain)] = sum;
  });
  GlobalSums total;
  for (const auto& part : parts) total += part;
  return total;
}

/// Each with the other as it then is.
void update_border(Sweep kind, const PairProblem& problem, Parameters& point, Monitor& monitor) {
  const auto sums_there = [&](const auto& law) { return global_sums(problem, law, point, monitor); };
  if (problem.model.home)
    point.home += update(kind, with_ties(problem.model.ties, point.tie, sums_there).home, 0.0, 0.0);
  if (problem.model.ties != Ties::none)
    point.tie = with_ties(problem.model.ties, point.tie, [&](const auto& law) {
      return law.updated(kind == Sweep::newman, sums_there(law).tie);
    });
}

template <class Law>
void move_strengths(Sweep kind, const PairProblem& problem, const Law& law, Parameters& point,
                    Monitor& monitor) {
  const Effects effects(problem);
  const double prior = problem.model.prior;
  if (kind == Sweep::zermelo) {
    const Parameters old = point;
    parallel_for(problem.graph.items, 256, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto i = begin; i < end; ++i) {
        const auto sum = gather(problem, law, effects, old, i);
        point.strengths[at(i)] += update(kind, sum, prior, old.strengths[at(i)]);
      }
    });
    return;
  }
  for (ptrdiff_t i = 0; i < problem.graph.items; ++i) {
    if (i % 4096 == 0 && monitor.poll()) break;
    const auto sum = gather(problem, law, effects, point, i);
    point.strengths[at(i)] += update(kind, sum, prior, point.strengths[at(i)]);
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
    const double curvature = d.extra_hessian[at(c * d.extra + c)];
    largest = std::max(largest, std::fabs(d.extra_gradient[at(c)]) / std::sqrt(curvature));
  }
  return largest;
}

}  // namespace

double sweep(Sweep kind, const PairProblem& problem, bool exact_shift, Parameters& point, Monitor& monitor) {
  const std::vector<double> before = point.strengths;
  with_ties(problem.model.ties, point.tie,
            [&](const auto& law) { move_strengths(kind, problem, law, point, monitor); });
  set_scale(problem.model.prior, exact_shift, point.strengths);
  update_border(kind, problem, point, monitor);
  double change = 0.0;
  for (std::size_t i = 0; i < before.size(); ++i)
    change = std::max(change, std::fabs(point.strengths[i] - before[i]));
  return change;
}

Info fit_by_sweeps(Sweep kind, const PairProblem& problem, bool exact_shift, Parameters& point,
                   const FitOptions& options, Monitor& monitor) {
  const Stopwatch watch;
  Info info;
  info.tol = options.tol;
  info.error_kind = ErrorKind::asymptotic;
  info.error_bound = std::numeric_limits<double>::infinity();
  info.solver = kind == Sweep::zermelo                     ? "zermelo"
                : exact_shift && problem.model.prior > 0.0 ? "newman (exact shift)"
                                                           : "newman";
  info.trace.columns = {"iteration", "newton_decrement", "largest_change", "scaled_gradient", "seconds"};
  std::optional<StrengthSystem> system;
  Derivatives d;
  NewtonDirection direction;
  const auto certify = [&] {
    if (!system) system.emplace(problem.graph, problem.model, Linear::automatic, monitor);
    if (system->prepare(d, monitor) && system->direction(d, 1e-4, direction, monitor)) {
      info.error_bound = stated_decrement(direction.decrement, system->rounding(problem, point, d, monitor),
                                          largest_change(problem, direction, monitor));
    }
    info.converged = info.error_bound <= options.tol;
  };
  set_scale(problem.model.prior, false, point.strengths);
  int next_check = 1;
  while (info.iterations < options.max_iter && !info.converged && !monitor.poll()) {
    const double change = sweep(kind, problem, exact_shift, point, monitor);
    ++info.iterations;
    double scaled = std::numeric_limits<double>::quiet_NaN();
    const bool last = info.iterations == options.max_iter;
    if (info.iterations >= next_check || last) {
      if (!evaluate(problem, point, d, monitor)) break;
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
