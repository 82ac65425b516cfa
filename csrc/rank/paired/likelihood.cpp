#include "rank/paired/likelihood.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/index.hpp"
#include "core/logistic.hpp"
#include "core/pool.hpp"
#include "rank/paired/tie_models.hpp"
#include "simd/table.hpp"

namespace steelyard::rank {
namespace {

constexpr std::ptrdiff_t cells_per_chunk = 16384;
constexpr std::ptrdiff_t cells_per_block = 512;

/// What a chunk of cells adds to the derivatives by the border's parameters; of the Hessian the upper half.
struct ExtraSums {
  explicit ExtraSums(int size) : extra(at(size)), gradient(extra, 0.0), hessian(extra * extra, 0.0) {}

  double& by(std::size_t row, std::size_t column) { return hessian[row * extra + column]; }

  void operator+=(const ExtraSums& other) {
    for (std::size_t k = 0; k < gradient.size(); ++k) gradient[k] += other.gradient[k];
    for (std::size_t k = 0; k < hessian.size(); ++k) hessian[k] += other.hessian[k];
  }

  std::size_t extra;
  std::vector<double> gradient, hessian;
};

void fill_differences(const PairGraph& graph, const Parameters& point, const Effects& effects,
                      std::ptrdiff_t begin, std::ptrdiff_t end, double* x) {
  const double* s = point.strengths.data();
  for (auto k = begin; k < end; ++k) x[k - begin] = s[graph.left[at(k)]] - s[graph.right[at(k)]];
  if (effects.count() == 0) return;
  for (auto k = begin; k < end; ++k) x[k - begin] += effects.shift(at(k), point);
}

/// The effects' terms of one cell; `cross` where there is a tie column before them.
void add_effects(const Effects& effects, const Derivatives& d, std::size_t cell, bool cross,
                 ExtraSums& sums) {
  const std::size_t first = cross ? 1 : 0;
  for (int c = 0; c < effects.count(); ++c) {
    const double value = effects.of(cell, c);
    if (value == 0.0) continue;
    const auto row = first + at(c);
    sums.gradient[row] += value * d.cell_gradient[cell];
    if (cross) sums.by(0, row) += value * d.cell_cross[cell];
    const double curvature = value * d.cell_curvature[cell];
    for (int e = c; e < effects.count(); ++e) sums.by(row, first + at(e)) += curvature * effects.of(cell, e);
  }
}

ExtraSums evaluate_cells(const PairProblem& problem, const Parameters& point, std::ptrdiff_t begin,
                         std::ptrdiff_t end, Derivatives& out) {
  const auto& terms = *simd::kernels().pair_terms;
  const auto [terms_of, tie] = with_ties(problem.model.ties, point.tie, [&](const auto& law) {
    return std::pair(law.terms(terms), law.kernel_parameter());
  });
  const bool cross = problem.model.tie_columns() > 0;
  const double* ties = problem.counts.ties().empty() ? nullptr : problem.counts.ties().data();
  const Effects effects(problem);
  double x[cells_per_block];
  ExtraSums sums(problem.model.extra());
  for (auto b = begin; b < end; b += cells_per_block) {
    const auto e = std::min(b + cells_per_block, end);
    fill_differences(problem.graph, point, effects, b, e, x);
    const auto part = terms_of(x, problem.counts.wins().data() + b, problem.counts.losses().data() + b,
                               ties ? ties + b : nullptr, e - b, tie, out.cell_gradient.data() + b,
                               out.cell_curvature.data() + b, cross ? out.cell_cross.data() + b : nullptr);
    if (!cross) continue;
    sums.gradient[0] += part.gradient;
    sums.by(0, 0) += part.curvature;
  }
  if (effects.count() > 0) {
    for (auto k = begin; k < end; ++k) add_effects(effects, out, at(k), cross, sums);
  }
  return sums;
}

/// What all ties together say of the tie parameter.
void add_threshold(const PairProblem& problem, const Parameters& point, ExtraSums& sums) {
  double ties = 0.0;
  for (const double t : problem.counts.ties()) ties += t;
  const auto [gradient, curvature] =
      with_ties(problem.model.ties, point.tie, [&](const auto& law) { return law.threshold(ties); });
  sums.gradient[0] += gradient;
  sums.by(0, 0) += curvature;
}

void store_extra(ExtraSums& sums, Derivatives& out) {
  for (std::size_t i = 0; i < sums.extra; ++i)
    for (std::size_t j = 0; j < i; ++j) sums.by(i, j) = sums.by(j, i);
  out.extra_gradient = std::move(sums.gradient);
  out.extra_hessian = std::move(sums.hessian);
}

/// Gathers the cells of one item: gradient, diagonal and its row of the border.
void gather_row(const PairGraph& graph, const Effects& effects, std::ptrdiff_t i, Derivatives& out) {
  double gradient = 0.0, diagonal = 0.0;
  const int tie = out.extra - effects.count();
  double* border = out.border.data() + i * out.extra;
  std::fill(border, border + out.extra, 0.0);
  for (auto k = graph.offsets[at(i)]; k < graph.offsets[at(i) + 1]; ++k) {
    const auto cell = static_cast<std::ptrdiff_t>(graph.edge[at(k)]);
    const double side = graph.neighbours[at(k)] > i ? 1.0 : -1.0;
    gradient += side * out.cell_gradient[at(cell)];
    diagonal += out.cell_curvature[at(cell)];
    if (tie > 0) border[0] += side * out.cell_cross[at(cell)];
    for (int c = 0; c < effects.count(); ++c)
      border[tie + c] += side * effects.of(at(cell), c) * out.cell_curvature[at(cell)];
  }
  out.gradient[at(i)] = gradient;
  out.diagonal[at(i)] = diagonal;
}

void add_prior(const Model& model, const Parameters& point, std::ptrdiff_t i, Derivatives& out) {
  const auto prior = logistic_prior(model.prior, point.strengths[at(i)]);
  out.gradient[at(i)] -= prior.gradient;
  out.prior_curvature[at(i)] = prior.curvature;
  out.diagonal[at(i)] += prior.curvature;
}

void resize(const PairGraph& graph, const Model& model, Derivatives& out) {
  const auto cells = graph.left.size();
  const auto items = at(graph.items);
  out.extra = model.extra();
  out.cell_gradient.resize(cells);
  out.cell_curvature.resize(cells);
  out.cell_cross.resize(model.ties != Ties::none ? cells : 0);
  out.gradient.resize(items);
  out.diagonal.resize(items);
  out.prior_curvature.resize(model.prior > 0.0 ? items : 0);
  out.border.resize(items * at(out.extra));
}

std::ptrdiff_t row_grain(const PairGraph& graph, double nanoseconds_an_entry) {
  const double entries = static_cast<double>(graph.neighbours.size()) / std::max(1, graph.items);
  return grain_for(nanoseconds_an_entry * entries + 5.0);
}

}  // namespace

bool evaluate(const PairProblem& problem, const Parameters& point, Derivatives& out, Monitor& monitor) {
  resize(problem.graph, problem.model, out);
  const auto cells = std::ssize(problem.graph.left);
  std::vector<ExtraSums> parts(at((cells + cells_per_chunk - 1) / cells_per_chunk),
                               ExtraSums(problem.model.extra()));
  bool complete =
      parallel_for(cells, cells_per_chunk, monitor, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
        parts[at(begin / cells_per_chunk)] = evaluate_cells(problem, point, begin, end, out);
      });
  ExtraSums sums(problem.model.extra());
  for (const auto& part : parts) sums += part;
  if (problem.model.tie_columns() > 0) add_threshold(problem, point, sums);
  store_extra(sums, out);
  const Effects effects(problem);
  complete = complete && parallel_for(problem.graph.items, row_grain(problem.graph, 2.5), monitor,
                                      [&](auto begin, auto end) {
                                        for (auto i = begin; i < end; ++i) {
                                          gather_row(problem.graph, effects, i, out);
                                          if (problem.model.prior > 0.0)
                                            add_prior(problem.model, point, i, out);
                                        }
                                      });
  return complete;
}

void spread_to_rows(const PairGraph& graph, const std::vector<double>& cell_values,
                    std::vector<double>& row_values, Monitor& monitor) {
  row_values.resize(graph.edge.size());
  parallel_for(std::ssize(graph.edge), 65536, monitor, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    for (auto k = begin; k < end; ++k) row_values[at(k)] = cell_values[graph.edge[at(k)]];
  });
}

namespace {

template <int columns>
void multiply_rows(const PairGraph& graph, const Derivatives& d, const double* weights, const double* x,
                   double* y, std::ptrdiff_t begin, std::ptrdiff_t end) {
  for (auto i = begin; i < end; ++i) {
    double sum[std::size_t{columns}];
    for (int c = 0; c < columns; ++c) sum[c] = d.diagonal[at(i)] * x[i * columns + c];
    const auto last = graph.offsets[at(i) + 1];
    for (auto k = graph.offsets[at(i)]; k < last; ++k) {
      const double* other = x + static_cast<std::ptrdiff_t>(graph.neighbours[at(k)]) * columns;
      for (int c = 0; c < columns; ++c) sum[c] -= weights[k] * other[c];
    }
    for (int c = 0; c < columns; ++c) y[i * columns + c] = sum[c];
  }
}

void multiply_rows_any(const PairGraph& graph, const Derivatives& d, const double* weights, const double* x,
                       double* y, std::ptrdiff_t columns, std::ptrdiff_t begin, std::ptrdiff_t end) {
  for (auto i = begin; i < end; ++i) {
    double* out = y + i * columns;
    for (std::ptrdiff_t c = 0; c < columns; ++c) out[c] = d.diagonal[at(i)] * x[i * columns + c];
    for (auto k = graph.offsets[at(i)]; k < graph.offsets[at(i) + 1]; ++k) {
      const double* other = x + static_cast<std::ptrdiff_t>(graph.neighbours[at(k)]) * columns;
      for (std::ptrdiff_t c = 0; c < columns; ++c) out[c] -= weights[k] * other[c];
    }
  }
}

}  // namespace

void multiply_hessian(const PairGraph& graph, const Derivatives& d, const std::vector<double>& weights,
                      const double* x, double* y, std::ptrdiff_t columns, Monitor& monitor) {
  const double* w = weights.data();
  parallel_for(graph.items, row_grain(graph, 1.5 * static_cast<double>(columns)), monitor,
               [&](auto begin, auto end) {
                 switch (columns) {
                   case 1:
                     return multiply_rows<1>(graph, d, w, x, y, begin, end);
                   case 2:
                     return multiply_rows<2>(graph, d, w, x, y, begin, end);
                   case 3:
                     return multiply_rows<3>(graph, d, w, x, y, begin, end);
                   default:
                     return multiply_rows_any(graph, d, w, x, y, columns, begin, end);
                 }
               });
}

double rounding(const PairProblem& problem, const Parameters& point, const Derivatives& d) {
  const auto& graph = problem.graph;
  const Effects effects(problem);
  const auto square = [](double x) { return x * x; };
  double energy = 0.0;
  for (std::size_t k = 0; k < graph.left.size(); ++k) {
    const auto i = at(graph.left[k]), j = at(graph.right[k]);
    const double size = std::fabs(point.strengths[i]) + std::fabs(point.strengths[j]) +
                        std::fabs(effects.count() > 0 ? effects.shift(k, point) : 0.0);
    const double g = d.cell_gradient[k], around = std::min(d.diagonal[i], d.diagonal[j]);
    energy += d.cell_curvature[k] * square(4.0 + size);
    if (around > 0.0) energy += 2.0 * g * g / around;
  }
  for (std::size_t i = 0; i < d.prior_curvature.size(); ++i)
    energy += d.prior_curvature[i] * square(4.0 + std::fabs(point.strengths[i]));
  if (problem.model.tie_columns() > 0) energy += d.extra_hessian[0] * square(4.0 + std::fabs(point.tie));
  return 2.0 * std::numeric_limits<double>::epsilon() * std::sqrt(energy);
}

std::vector<double> rounding_of_sums(const PairProblem& problem, const Parameters& point,
                                     const Derivatives& d) {
  constexpr double eps = 2.0 * std::numeric_limits<double>::epsilon();
  const auto& graph = problem.graph;
  const Effects effects(problem);
  const auto n = d.gradient.size();
  const auto tie = at(problem.model.tie_columns());
  std::vector<double> errors(n + at(d.extra), 0.0);
  for (std::size_t k = 0; k < graph.left.size(); ++k) {
    const double error = eps * std::fabs(d.cell_gradient[k]);
    errors[at(graph.left[k])] += error;
    errors[at(graph.right[k])] += error;
    for (int c = 0; c < effects.count(); ++c) errors[n + tie + at(c)] += std::fabs(effects.of(k, c)) * error;
  }
  if (tie > 0) {
    double ties = 0.0;
    for (const double t : problem.counts.ties()) ties += t;
    const auto threshold =
        with_ties(problem.model.ties, point.tie, [&](const auto& law) { return law.threshold(ties); });
    errors[n] = eps * (2.0 * ties + std::fabs(threshold.first));
  }
  return errors;
}

double log_likelihood(const PairProblem& problem, const Parameters& point, Monitor& monitor) {
  const auto& graph = problem.graph;
  const auto& counts = problem.counts;
  const Effects effects(problem);
  return with_ties(problem.model.ties, point.tie, [&](const auto& law) {
    return parallel_sum(
        std::ssize(graph.left), cells_per_chunk, monitor, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
          double sum = 0.0;
          for (auto k = begin; k < end; ++k) {
            const auto c = at(k);
            const double x = point.strengths[at(graph.left[c])] - point.strengths[at(graph.right[c])] +
                             effects.shift(c, point);
            sum += law.log_likelihood(x, counts.wins()[c], counts.losses()[c], counts.ties_of(c));
          }
          return sum;
        });
  });
}

}  // namespace steelyard::rank
