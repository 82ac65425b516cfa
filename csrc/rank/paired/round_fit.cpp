#include "rank/paired/round_fit.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "linalg/cholesky.hpp"
#include "rank/paired/existence.hpp"
#include "rank/paired/separation.hpp"
#include "rank/paired/tie_models.hpp"
#include "rank/table/components.hpp"

namespace steelyard::rank {
namespace {

using std::size_t;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

double total(std::span<const double> column) { return std::accumulate(column.begin(), column.end(), 0.0); }

RoundState give_up(Parameters& point, Info& info) {
  info.error_bound = 0.0;  // nothing is left to be off by it
  std::fill(point.strengths.begin(), point.strengths.end(), nan);
  point.tie = point.home = nan;
  std::fill(point.coefficients.begin(), point.coefficients.end(), nan);
  return RoundState::infinite;
}

/// Coefficients of covariates without a finite optimum, or that these votes do not determine, are seen by
/// the fit alone.
bool ran_away(const NewtonSolver& solver, const PairProblem& problem, const Parameters& point,
              const Info& info, Linear linear, Monitor& monitor) {
  if (problem.model.covariates == 0) return false;
  if (solver.receded()) return true;
  return info.converged ? !proves_finite(problem, point, info.error_bound, linear, monitor)
                        : dependent_column(problem, point, linear, monitor).has_value();
}

/// Who won against whom, by a win or a tie.
struct Arrows {
  const PairGraph& graph;
  std::vector<double> forward, backward;

  explicit Arrows(const PairProblem& problem)
      : graph(problem.graph),
        forward(problem.counts.wins().begin(), problem.counts.wins().end()),
        backward(problem.counts.losses().begin(), problem.counts.losses().end()) {
    const auto ties = problem.counts.ties();
    for (size_t k = 0; k < ties.size(); ++k) {
      forward[k] += ties[k];
      backward[k] += ties[k];
    }
  }

  Components strong() const {
    return strong_components(graph.left, graph.right, forward, backward, graph.items);
  }

  /// Spreads `mark` from the core along wins (`down`) or against them.
  std::vector<bool> reached(const std::vector<bool>& core, bool down) const {
    std::vector<bool> mark = core;
    std::vector<std::int32_t> queue;
    for (std::int32_t i = 0; i < graph.items; ++i) {
      if (core[at(i)]) queue.push_back(i);
    }
    while (!queue.empty()) {
      const auto i = queue.back();
      queue.pop_back();
      for (auto p = graph.offsets[at(i)]; p < graph.offsets[at(i) + 1]; ++p) {
        const auto j = graph.neighbours[at(p)];
        const auto k = graph.edge[at(p)];
        const double won = j > i ? forward[k] : backward[k], lost = j > i ? backward[k] : forward[k];
        if ((down ? won : lost) > 0.0 && !mark[at(j)]) {
          mark[at(j)] = true;
          queue.push_back(j);
        }
      }
    }
    return mark;
  }
};

/// The cells among the items that have a code.
PairGraph part_of(const PairProblem& problem, const std::vector<std::int32_t>& code, std::int32_t items) {
  const auto& graph = problem.graph;
  const auto width = at(problem.model.covariates);
  std::vector<std::int32_t> left, right;
  std::vector<std::int8_t> home;
  std::vector<double> wins, losses, ties, covariates;
  for (size_t k = 0; k < graph.left.size(); ++k) {
    const auto i = code[at(graph.left[k])], j = code[at(graph.right[k])];
    if (i < 0 || j < 0) continue;
    left.push_back(i);
    right.push_back(j);
    wins.push_back(problem.counts.wins()[k]);
    losses.push_back(problem.counts.losses()[k]);
    if (!problem.counts.ties().empty()) ties.push_back(problem.counts.ties()[k]);
    if (!graph.home.empty()) home.push_back(graph.home[k]);
    for (size_t c = 0; c < width; ++c) covariates.push_back(graph.covariates[k * width + c]);
  }
  if (total(ties) <= 0.0) ties.clear();
  return build_pair_graph({left, right, wins, losses, ties, {}, {}, {}, home, covariates}, items, true);
}

/// Fits the items that have a code; false where a parameter has no finite optimum.
bool fit_part(const PairProblem& problem, const std::vector<std::int32_t>& code, Parameters& point,
              const FitOptions& options, Info& info, Monitor& monitor) {
  const auto graph = part_of(problem, code, static_cast<std::int32_t>(point.strengths.size()));
  PairProblem part{graph, {graph.wins, graph.losses, graph.ties}, problem.model};
  if (graph.ties.empty()) part.model.ties = Ties::none;
  if (part.model.extra() > 0 && find_separation(part, monitor)) return false;
  const Linear linear = graph.items <= linalg::own_cholesky_limit ? Linear::dense : Linear::cg;
  NewtonSolver solver(part, linear, monitor);
  info = solver.fit(point, options, monitor);
  return !ran_away(solver, part, point, info, linear, monitor);
}

RoundState fit_core(const PairProblem& problem, const Arrows& arrows, const Components& components,
                    Parameters& point, const FitOptions& options, Info& info, Monitor& monitor) {
  const auto items = at(problem.graph.items);
  std::vector<std::int64_t> size(at(components.count), 0);
  for (const auto label : components.label) ++size[at(label)];
  const auto largest = static_cast<std::int32_t>(std::max_element(size.begin(), size.end()) - size.begin());
  std::vector<bool> core(items);
  std::vector<std::int32_t> code(items, -1);
  Parameters inner{{}, point.tie, point.home, point.coefficients};
  double mean = 0.0;
  for (size_t i = 0; i < items; ++i) {
    core[i] = components.label[i] == largest;
    if (!core[i]) continue;
    code[i] = static_cast<std::int32_t>(inner.strengths.size());
    inner.strengths.push_back(point.strengths[i]);
    mean += point.strengths[i];
  }
  mean /= static_cast<double>(inner.strengths.size());
  const bool alone = inner.strengths.size() == 1;
  if (!alone && !fit_part(problem, code, inner, options, info, monitor)) return give_up(point, info);
  const auto below = arrows.reached(core, true), above = arrows.reached(core, false);
  for (size_t i = 0; i < items; ++i) {
    point.strengths[i] = core[i]    ? (alone ? 0.0 : inner.strengths[at(code[i])]) + mean
                         : above[i] ? infinity
                         : below[i] ? -infinity
                                    : nan;
  }
  if (alone) {
    point.tie = point.home = nan;
    std::fill(point.coefficients.begin(), point.coefficients.end(), nan);
  } else {
    point.tie = inner.tie;
    point.home = inner.home;
    point.coefficients = inner.coefficients;
  }
  return RoundState::infinite;
}

}  // namespace

RoundFit::RoundFit(const PairProblem& problem, Linear linear, Monitor& outer)
    : problem_(problem), linear_(linear), solver_([&] {
        Monitor monitor = Monitor::inside(outer);
        return NewtonSolver(problem, linear, monitor);
      }()) {}

RoundState RoundFit::run(NewtonSolver& solver, const PairProblem& problem, Parameters& point,
                         const FitOptions& options, Info& info, Monitor& monitor) const {
  solver.take(problem.counts);
  info = solver.fit(point, options, monitor);
  if (ran_away(solver, problem, point, info, linear_, monitor)) return give_up(point, info);
  return info.converged ? RoundState::converged : RoundState::unconverged;
}

RoundState RoundFit::fit(const Counts& counts, bool may_separate, Parameters& point,
                         const FitOptions& options, Info& info, Monitor& outer) {
  Monitor monitor = Monitor::inside(outer);
  PairProblem round = problem_.with(counts);
  const bool whole = round.model.ties == Ties::none || total(counts.ties()) > 0.0;
  if (!whole) {
    point.tie = tie_is_positive(round.model.ties) ? 0.0 : -infinity;
    round.model.ties = Ties::none;
  }
  if (!may_separate) return run(solver_, round, point, options, info, monitor);
  if (round.model.prior <= 0.0) {
    const Arrows arrows(round);
    const auto components = arrows.strong();
    if (components.count > 1) return fit_core(round, arrows, components, point, options, info, monitor);
  }
  if (round.model.ties == Ties::none) round.counts = counts.decided();
  if (round.model.extra() > 0 && find_separation(round, monitor)) return give_up(point, info);
  if (whole) return run(solver_, round, point, options, info, monitor);
  NewtonSolver simpler(round, linear_, monitor);
  return run(simpler, round, point, options, info, monitor);
}

}  // namespace steelyard::rank
