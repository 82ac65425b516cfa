#include "rank/paired/existence.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "rank/table/components.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

std::size_t at_index(ptrdiff_t i) { return static_cast<std::size_t>(i); }

/// sigma(y) sigma(-y)
double logistic_variance(double y) {
  const double e = std::exp(-std::fabs(y));
  return e / ((1.0 + e) * (1.0 + e));
}

/// m of one cell; infinite if it says nothing.
double modulus(const Model& model, const Parameters& at, double x, double w, double l, double t) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (model.ties == Ties::rao_kupper) {
    const double up = w + t, down = l + t;
    return std::min(up > 0.0 ? up * logistic_variance(x - at.tie) : infinity,
                    down > 0.0 ? down * logistic_variance(-x - at.tie) : infinity);
  }
  const double games = w + l + t;
  if (!(games > 0.0)) return infinity;
  if (model.ties == Ties::none) return games * logistic_variance(x);
  const double e = std::exp(-0.5 * std::fabs(x)), nu = std::exp(at.tie);
  return 0.5 * games * e * std::min(e, nu) / (1.0 + e * e + nu * e);
}

double ties_of(const Counts& counts, std::size_t cell) {
  return counts.ties.empty() ? 0.0 : counts.ties[cell];
}

/// As dependent_column, of a prepared system. True in `known` if it could be told.
std::optional<int> dependent_of(const Derivatives& d, StrengthSystem& system, bool& known, Monitor& monitor) {
  const auto items = std::ssize(d.gradient);
  std::vector<double> solved(d.border.size());
  known = system.solve(d, d.border.data(), solved.data(), d.extra, 1e-10, monitor);
  if (!known) return std::nullopt;
  Small left = schur_complement(d, d.border.data(), solved.data(), items, d.extra);
  for (int j = 0; j < d.extra && !monitor.poll(); ++j) {
    const double pivot = left.at(j, j);
    if (!(pivot > 1e-9 * d.extra_hessian[at_index(j * d.extra + j)])) return j;
    for (int i = j + 1; i < d.extra; ++i)
      for (int k = j + 1; k < d.extra; ++k) left.at(i, k) -= left.at(i, j) * left.at(j, k) / pivot;
  }
  return std::nullopt;
}

/// x of one edge.
double difference(const PairGraph& graph, const Effects& effects, const Parameters& at, std::size_t k) {
  return at.strengths[at_index(graph.left[k])] - at.strengths[at_index(graph.right[k])] +
         effects.shift(k, at);
}

/// The counts without the cells whose m is below `least`.
struct Kept {
  std::vector<double> wins, losses, ties, games;
  bool all = true;

  Counts counts() const { return {wins, losses, ties}; }
};

Kept without_certain(const PairGraph& graph, const Counts& counts, const Model& model, const Parameters& at,
                     double least) {
  const Effects effects(graph, model);
  Kept kept{{counts.wins.begin(), counts.wins.end()},
            {counts.losses.begin(), counts.losses.end()},
            {counts.ties.begin(), counts.ties.end()},
            {}};
  kept.games.resize(kept.wins.size());
  for (std::size_t k = 0; k < kept.wins.size(); ++k) {
    const double x = difference(graph, effects, at, k), t = ties_of(counts, k);
    if (modulus(model, at, x, counts.wins[k], counts.losses[k], t) < least) {
      kept.wins[k] = kept.losses[k] = 0.0;
      if (!kept.ties.empty()) kept.ties[k] = 0.0;
      kept.all = false;
    }
    kept.games[k] = kept.wins[k] + kept.losses[k] + (kept.ties.empty() ? 0.0 : kept.ties[k]);
  }
  return kept;
}

}  // namespace

std::optional<int> dependent_column(const PairGraph& graph, const Counts& counts, const Model& model,
                                    const Parameters& at, Linear linear, Monitor& monitor) {
  Derivatives d;
  StrengthSystem system(graph, model, linear, monitor);
  if (!evaluate(graph, counts, model, at, d, monitor) || !system.prepare(d, monitor)) return std::nullopt;
  bool known = false;
  return dependent_of(d, system, known, monitor);
}

double proving_decrement(const PairGraph& graph, const Counts& counts, const Model& model,
                         const Parameters& at) {
  const Effects effects(graph, model);
  double least = std::numeric_limits<double>::infinity(), ties = 0.0;
  for (std::size_t k = 0; k < graph.left.size(); ++k) {
    const double t = ties_of(counts, k);
    ties += t;
    least = std::min(
        least, modulus(model, at, difference(graph, effects, at, k), counts.wins[k], counts.losses[k], t));
  }
  if (model.ties == Ties::rao_kupper && ties > 0.0) {
    const double cosh = std::cosh(at.tie);
    least = std::min(least, ties / (4.0 * cosh * cosh));
  }
  if (model.prior > 0.0) {
    for (const double s : at.strengths) least = std::min(least, 2.0 * model.prior * logistic_variance(s));
  }
  return std::sqrt(least);
}

bool proves_finite(const PairGraph& graph, const Counts& counts, const Model& model, const Parameters& at,
                   double decrement, Linear linear, Monitor& monitor) {
  if (decrement < proving_decrement(graph, counts, model, at)) return true;
  const double least = std::max(1e4 * decrement * decrement, 1e-24);
  const auto kept = without_certain(graph, counts, model, at, least);
  if (kept.all || !std::isfinite(least)) return false;
  if (model.prior <= 0.0 &&
      strong_components(graph.left, graph.right, kept.games, kept.games, graph.items, &monitor).count != 1)
    return false;
  Derivatives all, d;
  if (!evaluate(graph, counts, model, at, all, monitor) ||
      !evaluate(graph, kept.counts(), model, at, d, monitor))
    return false;
  d.gradient = all.gradient;
  d.extra_gradient = all.extra_gradient;
  StrengthSystem system(graph, model, linear, monitor);
  NewtonDirection direction;
  bool known = false;
  return system.prepare(d, monitor) && !dependent_of(d, system, known, monitor) && known &&
         system.direction(d, 1e-8, direction, monitor) &&
         direction.decrement < proving_decrement(graph, kept.counts(), model, at);
}

bool recedes(const PairGraph& graph, const Counts& counts, const Model& model,
             const NewtonDirection& direction, double rest) {
  const Effects effects(graph, model);
  const double* by_effect = direction.extra.data() + model.tie_columns();
  // What each outcome asks of (dx, u), as separation.hpp has it: u = 2 d log nu, or d delta.
  const double u = model.tie_columns() == 0         ? 0.0
                   : model.ties == Ties::rao_kupper ? direction.extra[0]
                                                    : 2.0 * direction.extra[0];
  double most = 0.0;
  const auto change_of = [&](std::size_t k, double& parts) {
    const double left = direction.strengths[at_index(graph.left[k])];
    const double right = direction.strengths[at_index(graph.right[k])];
    double dx = left - right;
    parts = std::fabs(left) + std::fabs(right) + std::fabs(u);
    for (int c = 0; c < effects.count(); ++c) {
      const double part = effects.at(k, c) * by_effect[c];
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
    if (counts.wins[k] > 0.0 && !(dx - u >= least)) return false;
    if (counts.losses[k] > 0.0 && !(-dx - u >= least)) return false;
    if (ties_of(counts, k) > 0.0 && !(u - std::fabs(dx) >= least)) return false;
  }
  if (model.prior > 0.0) {
    for (const double move : direction.strengths)
      if (!(std::fabs(move) <= rest * most)) return false;
  }
  return true;
}

}  // namespace steelyard::rank
