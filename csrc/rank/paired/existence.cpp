#include "rank/paired/existence.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "core/logistic.hpp"
#include "rank/paired/tie_models.hpp"
#include "rank/table/components.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

/// As dependent_column, of a prepared system. True in `known` if it could be told.
std::optional<int> dependent_of(const Derivatives& d, StrengthSystem& system, bool& known, Monitor& monitor) {
  const auto items = std::ssize(d.gradient);
  std::vector<double> solved(d.border.size());
  known = system.solve(d, d.border.data(), solved.data(), d.extra, 1e-10, monitor);
  if (!known) return std::nullopt;
  Small left = schur_complement(d, d.border.data(), solved.data(), items, d.extra);
  for (int j = 0; j < d.extra && !monitor.poll(); ++j) {
    const double pivot = left.at(j, j);
    if (!(pivot > 1e-9 * d.extra_hessian[at(j * d.extra + j)])) return j;
    for (int i = j + 1; i < d.extra; ++i)
      for (int k = j + 1; k < d.extra; ++k) left.at(i, k) -= left.at(i, j) * left.at(j, k) / pivot;
  }
  return std::nullopt;
}

/// The counts without the cells whose m is below `least`.
struct Kept {
  std::vector<double> wins, losses, ties, games;
  bool all = true;

  Counts counts() const { return {wins, losses, ties}; }
};

/// visit(cell, m) for every cell.
template <class Visit>
void each_modulus(const PairProblem& problem, const Parameters& point, const Visit& visit) {
  const auto& graph = problem.graph;
  const auto& counts = problem.counts;
  const Effects effects(problem);
  with_ties(problem.model.ties, point.tie, [&](const auto& law) {
    for (std::size_t k = 0; k < graph.left.size(); ++k) {
      const double x =
          point.strengths[at(graph.left[k])] - point.strengths[at(graph.right[k])] + effects.shift(k, point);
      visit(k, law.modulus(x, counts.wins()[k], counts.losses()[k], counts.ties_of(k)));
    }
  });
}

Kept without_certain(const PairProblem& problem, const Parameters& point, double least) {
  const auto column = [](std::span<const double> from) { return std::vector(from.begin(), from.end()); };
  const auto& counts = problem.counts;
  Kept kept{column(counts.wins()), column(counts.losses()), column(counts.ties()), {}};
  kept.games.resize(kept.wins.size());
  each_modulus(problem, point, [&](std::size_t k, double modulus) {
    if (modulus < least) {
      kept.wins[k] = kept.losses[k] = 0.0;
      if (!kept.ties.empty()) kept.ties[k] = 0.0;
      kept.all = false;
    }
    kept.games[k] = kept.wins[k] + kept.losses[k] + (kept.ties.empty() ? 0.0 : kept.ties[k]);
  });
  return kept;
}

}  // namespace

std::optional<int> dependent_column(const PairProblem& problem, const Parameters& point, Linear linear,
                                    Monitor& monitor) {
  Derivatives d;
  StrengthSystem system(problem.graph, problem.model, linear, monitor);
  if (!evaluate(problem, point, d, monitor) || !system.prepare(d, monitor)) return std::nullopt;
  bool known = false;
  return dependent_of(d, system, known, monitor);
}

double proving_decrement(const PairProblem& problem, const Parameters& point) {
  const auto& model = problem.model;
  double least = infinity, ties = 0.0;
  each_modulus(problem, point, [&](std::size_t, double modulus) { least = std::min(least, modulus); });
  for (const double t : problem.counts.ties()) ties += t;
  least = std::min(
      least, with_ties(model.ties, point.tie, [&](const auto& law) { return law.threshold_modulus(ties); }));
  if (model.prior > 0.0) {
    for (const double s : point.strengths) least = std::min(least, 2.0 * model.prior * logistic_variance(s));
  }
  return std::sqrt(least);
}

bool proves_finite(const PairProblem& problem, const Parameters& point, double decrement, Linear linear,
                   Monitor& monitor) {
  if (decrement < proving_decrement(problem, point)) return true;
  const double least = std::max(1e4 * decrement * decrement, 1e-24);
  const auto kept = without_certain(problem, point, least);
  if (kept.all || !std::isfinite(least)) return false;
  if (problem.model.prior <= 0.0 && strong_components(problem.graph.left, problem.graph.right, kept.games,
                                                      kept.games, problem.graph.items, &monitor)
                                            .count != 1)
    return false;
  Derivatives all, d;
  if (!evaluate(problem, point, all, monitor) || !evaluate(problem.with(kept.counts()), point, d, monitor))
    return false;
  d.gradient = all.gradient;
  d.extra_gradient = all.extra_gradient;
  StrengthSystem system(problem.graph, problem.model, linear, monitor);
  NewtonDirection direction;
  bool known = false;
  return system.prepare(d, monitor) && !dependent_of(d, system, known, monitor) && known &&
         system.direction(d, 1e-8, direction, monitor) &&
         direction.decrement < proving_decrement(problem.with(kept.counts()), point);
}

bool recedes(const PairProblem& problem, const NewtonDirection& direction, double rest) {
  const auto& graph = problem.graph;
  const auto& counts = problem.counts;
  const auto& model = problem.model;
  const Effects effects(problem);
  const double* by_effect = direction.extra.data() + model.tie_columns();
  // What each outcome asks of (dx, u), as separation.hpp has it.
  const double u = model.tie_columns() == 0 ? 0.0 : tie_width(model.ties) * direction.extra[0];
  double most = 0.0;
  const auto change_of = [&](std::size_t k, double& parts) {
    const double left = direction.strengths[at(graph.left[k])];
    const double right = direction.strengths[at(graph.right[k])];
    double dx = left - right;
    parts = std::fabs(left) + std::fabs(right) + std::fabs(u);
    for (int c = 0; c < effects.count(); ++c) {
      const double part = effects.of(k, c) * by_effect[c];
      dx += part;
      parts += std::fabs(part);
    }
    return dx;
  };
  double parts = 0.0;
  for (std::size_t k = 0; k < graph.left.size(); ++k)
    most = std::max({most, std::fabs(change_of(k, parts)), std::fabs(u)});
  if (!(most > 0.0)) return false;
  for (std::size_t k = 0; k < graph.left.size(); ++k) {
    const double dx = change_of(k, parts), least = -1e-6 * parts - rest * most;
    if (counts.wins()[k] > 0.0 && !(dx - u >= least)) return false;
    if (counts.losses()[k] > 0.0 && !(-dx - u >= least)) return false;
    if (counts.ties_of(k) > 0.0 && !(u - std::fabs(dx) >= least)) return false;
  }
  if (model.prior > 0.0) {
    for (const double move : direction.strengths)
      if (!(std::fabs(move) <= rest * most)) return false;
  }
  return true;
}

}  // namespace steelyard::rank
