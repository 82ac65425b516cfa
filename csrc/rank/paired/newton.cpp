#include "rank/paired/newton.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/pool.hpp"
#include "rank/paired/existence.hpp"
#include "rank/paired/sweeps.hpp"
#include "rank/scale.hpp"

namespace steelyard::rank {
namespace {

constexpr double longest_move = 5.0;
constexpr int suspicious_steps = 8;  // that do not shorten: is the optimum infinite?

/// Largest change that a full step makes to the argument of a logistic function: an edge's x, or a strength
/// itself where the prior holds it.
double largest_change(const PairGraph& graph, const Model& model, const NewtonDirection& d,
                      Monitor& monitor) {
  constexpr std::ptrdiff_t grain = 32768;
  const Effects effects(graph, model);
  const double* by_effect = d.extra.data() + model.tie_columns();
  const auto edges = std::ssize(graph.left);
  std::vector<double> parts(static_cast<std::size_t>((edges + grain - 1) / grain), 0.0);
  parallel_for(edges, grain, monitor, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    double largest = 0.0;
    for (auto k = static_cast<std::size_t>(begin); k < static_cast<std::size_t>(end); ++k) {
      double change = d.strengths[static_cast<std::size_t>(graph.left[k])] -
                      d.strengths[static_cast<std::size_t>(graph.right[k])];
      for (int c = 0; c < effects.count(); ++c) change += effects.at(k, c) * by_effect[c];
      largest = std::max(largest, std::fabs(change));
    }
    parts[static_cast<std::size_t>(begin / grain)] = largest;
  });
  double largest = model.tie_columns() > 0 ? std::fabs(d.extra[0]) : 0.0;
  for (const double part : parts) largest = std::max(largest, part);
  if (model.prior > 0.0) {
    for (const double move : d.strengths) largest = std::max(largest, std::fabs(move));
  }
  return largest;
}

/// A full step, or as much of it as keeps delta > 0.
double allowed_step(const Model& model, const Parameters& at, const NewtonDirection& d) {
  const bool towards_zero = model.ties == Ties::rao_kupper && d.extra[0] < 0.0;
  return towards_zero ? std::min(1.0, -0.9 * at.tie / d.extra[0]) : 1.0;
}

Parameters moved(const Model& model, const Parameters& from, const NewtonDirection& d, double step) {
  Parameters to = from;
  move_along(model, d, step, to);
  if (model.prior <= 0.0) centre(to.strengths);
  return to;
}

}  // namespace

NewtonSolver::NewtonSolver(const PairGraph& graph, const Model& model, Linear linear, Monitor& monitor)
    : graph_(graph), model_(model), system_(graph, model, linear, monitor) {}

bool NewtonSolver::take_step(const Counts& counts, Parameters& at, double& length, Monitor& monitor) {
  const double allowed = allowed_step(model_, at, direction_);
  const double largest = largest_change(graph_, model_, direction_, monitor);
  const double cautious = largest > longest_move ? std::min(allowed, longest_move / largest) : allowed;
  length = model_.covariates > 0 ? allowed : cautious;
  const double before = direction_.slope;
  for (int attempt = 0; attempt < 40; ++attempt) {
    Parameters next = moved(model_, at, direction_, length);
    if (!evaluate(graph_, counts, model_, next, now_, monitor)) return false;
    const double after = slope_along(now_, direction_);
    // A long step may not pass the maximum: up to there the likelihood rises.
    if (std::isfinite(after) && after >= (length > cautious ? 0.0 : -0.5 * before)) {
      if (model_.covariates > 0 && allowed == 1.0) lengthen(counts, at, next, length, monitor);
      at = std::move(next);
      return !monitor.stopped();
    }
    length *= std::isfinite(after) ? std::clamp(before / (before - after), 0.1, 0.7) : 0.1;
  }
  return false;
}

void NewtonSolver::lengthen(const Counts& counts, const Parameters& from, Parameters& to, double& length,
                            Monitor& monitor) {
  const double before = direction_.slope;
  while (slope_along(now_, direction_) > 0.5 * before && !monitor.poll()) {
    Parameters next = moved(model_, from, direction_, 2.0 * length);
    if (model_.ties == Ties::rao_kupper && !(next.tie > 0.1 * from.tie)) return;
    Derivatives there;
    if (!evaluate(graph_, counts, model_, next, there, monitor)) return;
    const double after = slope_along(there, direction_);
    if (!(after >= -0.5 * before)) return;
    now_ = std::move(there);
    to = std::move(next);
    length *= 2.0;
  }
}

bool NewtonSolver::find_direction(double accuracy, double tol, Monitor& monitor) {
  if (!system_.prepare(now_, monitor)) return false;
  for (int tries = 0; tries < 4; ++tries, accuracy *= 1e-3) {
    if (!system_.direction(now_, accuracy, direction_, monitor)) return false;
    const bool undecided = direction_.lower <= tol && direction_.decrement > tol;
    if (!undecided || system_.chosen() != Linear::cg) break;
  }
  return true;
}

Info NewtonSolver::fit(const Counts& counts, Parameters& at, const FitOptions& options, Monitor& monitor) {
  const Stopwatch watch;
  receded_ = false;
  Info info;
  info.tol = options.tol;
  info.error_kind = ErrorKind::asymptotic;
  info.error_bound = std::numeric_limits<double>::infinity();
  info.solver = "newton (" + system_.describe() + ")";
  if (options.keep_trace)
    info.trace.columns = {"iteration", "newton_decrement", "step", "cg_iterations", "seconds"};
  for (int k = 0; k < options.warm_sweeps && !monitor.poll(); ++k) {
    sweep(Sweep::newman, graph_, counts, model_, true, at, monitor);
  }
  if (model_.prior <= 0.0) centre(at.strengths);
  bool ready = evaluate(graph_, counts, model_, at, now_, monitor);
  double accuracy = 0.1, best = std::numeric_limits<double>::infinity();
  int stalled = 0;
  bool started = false;
  while (ready && !monitor.poll()) {
    double length = 0.0;
    const bool found = find_direction(accuracy, options.tol, monitor);
    if (monitor.stopped()) break;
    started = started || found;
    info.error_bound = found ? direction_.decrement : std::numeric_limits<double>::infinity();
    info.converged = found && direction_.decrement <= options.tol;
    receded_ = model_.covariates > 0 && found && info.iterations >= suspicious_steps &&
               largest_change(graph_, model_, direction_, monitor) > 0.5 &&
               recedes(graph_, counts, model_, direction_, system_.chosen() == Linear::cg ? 1e-7 : 1e-11);
    if (receded_) info.converged = false;
    // Near the floor of rounding the decrement no longer falls.
    stalled = info.error_bound < 0.5 * best ? 0 : stalled + 1;
    best = std::min(best, info.error_bound);
    const bool floor = stalled >= 4 && best < 1e-6;
    if (!info.converged && !floor && !receded_ && info.iterations < options.max_iter) {
      ++info.iterations;
      if (!found || !take_step(counts, at, length, monitor)) {
        if (!started) {  // so far out that the Hessian vanishes; a sweep moves strengths alone
          for (double& value : at.coefficients) value *= 0.5;
        }
        sweep(Sweep::newman, graph_, counts, model_, true, at, monitor);
        ready = evaluate(graph_, counts, model_, at, now_, monitor);
      }
      accuracy = std::clamp(0.1 * info.error_bound, 1e-8, 0.1);
    } else {
      ready = false;
    }
    if (options.keep_trace) {
      info.trace.add({static_cast<double>(info.iterations), info.error_bound, length,
                      static_cast<double>(direction_.cg_iterations), watch.seconds()});
    }
    monitor.progress(info.iterations, options.max_iter);
  }
  info.interrupted = monitor.stopped();
  info.seconds = watch.seconds();
  return info;
}

}  // namespace steelyard::rank
