#include "rank/paired/graded.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "core/logistic.hpp"
#include "core/pool.hpp"
#include "rank/scale.hpp"

namespace steelyard::rank {
namespace {

constexpr std::ptrdiff_t graded_cells_per_chunk = 4096;

double log_logistic(double y) { return std::min(y, 0.0) - std::log1p(std::exp(-std::fabs(y))); }

/// What a chunk of cells adds by the border's parameters.
struct GradedSums {
  explicit GradedSums(int extra)
      : gradient(at(extra), 0.0), magnitudes(at(extra), 0.0), hessian(at(extra * extra), 0.0) {}

  void operator+=(const GradedSums& other) {
    for (std::size_t k = 0; k < gradient.size(); ++k) {
      gradient[k] += other.gradient[k];
      magnitudes[k] += other.magnitudes[k];
    }
    for (std::size_t k = 0; k < hessian.size(); ++k) hessian[k] += other.hessian[k];
    log_likelihood += other.log_likelihood;
  }

  std::vector<double> gradient, magnitudes, hessian;
  double log_likelihood = 0.0;
};

double argument(const GradedProblem& problem, const GradedPoint& point, std::size_t cell) {
  double x = point.strengths[at(problem.graph.left[cell])] - point.strengths[at(problem.graph.right[cell])];
  for (int k = 0; k < problem.effects(); ++k) x += problem.effect(cell, k) * point.effects[at(k)];
  return x;
}

void add_cell(const GradedProblem& problem, std::size_t cell, const std::vector<GradeTerms>& terms,
              GradedSums& sums, GradedDerivatives& all) {
  auto& out = all.all;
  const auto m = at(problem.free()), extra = at(problem.extra());
  double gradient = 0.0, curvature = 0.0, absolute = 0.0;
  double* cross = out.cell_cross.data() + cell * m;
  std::fill(cross, cross + m, 0.0);
  for (std::size_t k = 0; k < terms.size(); ++k) {
    const double count = problem.counts[cell * terms.size() + k];
    if (count == 0.0) continue;
    const auto& t = terms[k];
    sums.log_likelihood += count * t.log_chance;
    gradient += count * t.by_x;
    absolute += count * t.terms;
    curvature += count * t.curvature;
    for (std::size_t a = 0; a < m; ++a) {
      sums.gradient[a] += count * t.by_threshold[a];
      sums.magnitudes[a] += count * std::fabs(t.by_threshold[a]);
      cross[a] += count * t.cross[a];
      for (std::size_t b = 0; b < m; ++b) sums.hessian[a * extra + b] += count * t.hessian[a * m + b];
    }
  }
  out.cell_gradient[cell] = gradient;
  out.cell_curvature[cell] = curvature;
  all.cell_terms[cell] = absolute;
  for (int k = 0; k < problem.effects(); ++k) {
    const double e = problem.effect(cell, k);
    if (e == 0.0) continue;
    const auto own = m + at(k);
    sums.gradient[own] += e * gradient;
    sums.magnitudes[own] += std::fabs(e) * absolute;
    for (int l = 0; l <= k; ++l)
      sums.hessian[own * extra + m + at(l)] += e * problem.effect(cell, l) * curvature;
    for (std::size_t a = 0; a < m; ++a) sums.hessian[own * extra + a] += e * cross[a];
  }
}

/// Gathers the cells of one item.
void gather_row(const GradedProblem& problem, const GradedPoint& point, std::ptrdiff_t i, Derivatives& out) {
  const auto& graph = problem.graph;
  const auto m = at(problem.free()), extra = at(problem.extra());
  double gradient = 0.0, diagonal = 0.0;
  double* border = out.border.data() + at(i) * extra;
  std::fill(border, border + extra, 0.0);
  for (auto k = graph.offsets[at(i)]; k < graph.offsets[at(i) + 1]; ++k) {
    const auto cell = at(static_cast<std::ptrdiff_t>(graph.edge[at(k)]));
    const double side = graph.neighbours[at(k)] > i ? 1.0 : -1.0;
    gradient += side * out.cell_gradient[cell];
    diagonal += out.cell_curvature[cell];
    for (std::size_t a = 0; a < m; ++a) border[a] += side * out.cell_cross[cell * m + a];
    for (int e = 0; e < problem.effects(); ++e)
      border[m + at(e)] += side * problem.effect(cell, e) * out.cell_curvature[cell];
  }
  if (problem.prior > 0.0) {
    const auto prior = logistic_prior(problem.prior, point.strengths[at(i)]);
    gradient -= prior.gradient;
    diagonal += prior.curvature;
    out.prior_curvature[at(i)] = prior.curvature;
  }
  out.gradient[at(i)] = gradient;
  out.diagonal[at(i)] = diagonal;
}

}  // namespace

double GradedProblem::effect(std::size_t cell, int k) const {
  if (home && k-- == 0) return graph.home.empty() ? 0.0 : static_cast<double>(graph.home[cell]);
  return graph.covariates[cell * at(covariates) + at(k)];
}

GradeLaw::GradeLaw(GradeLink link, int grades, std::vector<double> thresholds)
    : link_(link), grades_(grades), thresholds_(std::move(thresholds)) {}

GradeLaw::Boundary GradeLaw::boundary(int j) const {
  if (2 * j == grades_) return {};
  const bool above = 2 * j > grades_;
  const int index = (above ? j : grades_ - j) - grades_ / 2 - 1;
  const double sign = above ? 1.0 : -1.0;
  return {sign * thresholds_[steelyard::at(index)], sign, index};
}

void GradeLaw::at(double x, std::vector<GradeTerms>& out) const {
  const auto m = thresholds_.size();
  out.resize(steelyard::at(grades_));
  for (auto& t : out) {
    t.by_threshold.assign(m, 0.0);
    t.cross.assign(m, 0.0);
    t.hessian.assign(checked_product("thresholds", m, m), 0.0);
  }
  link_ == GradeLink::cumulative ? cumulative(x, out) : adjacent(x, out);
}

void GradeLaw::cumulative(double x, std::vector<GradeTerms>& out) const {
  const auto m = thresholds_.size();
  for (int k = 0; k < grades_; ++k) {
    auto& t = out[steelyard::at(k)];
    const bool has_lower = k > 0, has_upper = k + 1 < grades_;
    const auto lower = has_lower ? boundary(k) : Boundary{}, upper = has_upper ? boundary(k + 1) : Boundary{};
    const Logistic below(lower.at - x), above(upper.at - x);
    double rest = 0.0, pull = 0.0;  // 1 / (e^d - 1); e^d / (e^d - 1)^2
    t.log_chance = t.by_x = t.curvature = t.terms = 0.0;
    if (has_lower && has_upper) {
      const double d = upper.at - lower.at, shrunk = -std::expm1(-d);
      rest = std::exp(-d) / shrunk;
      pull = std::exp(-d) / (shrunk * shrunk);
      t.log_chance += std::log(shrunk);
    }
    const auto add = [&](const Boundary& b, const Logistic& f, double first, double sign) {
      const double v = f.yes * f.no;
      t.curvature += v;
      t.by_x -= sign * first;
      t.terms += first;
      if (b.index < 0) return;
      const auto a = steelyard::at(b.index);
      t.by_threshold[a] += b.sign * sign * (first + rest);
      t.cross[a] -= b.sign * v;
      t.hessian[a * m + a] += v + pull;
    };
    if (has_upper) {
      t.log_chance += log_logistic(upper.at - x);
      add(upper, above, above.no, 1.0);
    }
    if (has_lower) {
      t.log_chance += log_logistic(x - lower.at);
      add(lower, below, below.yes, -1.0);
    }
    if (has_lower && has_upper && lower.index >= 0 && upper.index >= 0) {
      const auto a = steelyard::at(lower.index), b = steelyard::at(upper.index);
      const double both = -pull * lower.sign * upper.sign;
      t.hessian[a * m + b] += both;
      t.hessian[b * m + a] += both;
    }
  }
}

void GradeLaw::adjacent(double x, std::vector<GradeTerms>& out) const {
  const auto m = thresholds_.size();
  const auto fold = [&](int k) { return std::min(k, grades_ - 1 - k) - 1; };
  const auto score = [&](int k) { return static_cast<double>(k) / (grades_ - 1) - 0.5; };
  double highest = -infinity;
  for (int k = 0; k < grades_; ++k) {
    const int f = fold(k);
    out[steelyard::at(k)].log_chance = score(k) * x + (f < 0 ? 0.0 : thresholds_[steelyard::at(f)]);
    highest = std::max(highest, out[steelyard::at(k)].log_chance);
  }
  double total = 0.0;
  for (const auto& t : out) total += std::exp(t.log_chance - highest);
  const double log_total = highest + std::log(total);
  double mean = 0.0;
  std::vector<double> share(m, 0.0), others(m, 0.0), cross(m, 0.0), hessian(m * m, 0.0);
  std::vector<double> chance(out.size());
  for (int k = 0; k < grades_; ++k) {
    auto& t = out[steelyard::at(k)];
    t.log_chance -= log_total;
    const double p = std::exp(t.log_chance);
    chance[steelyard::at(k)] = p;
    mean += p * score(k);
    for (std::size_t a = 0; a < m; ++a) (fold(k) == static_cast<int>(a) ? share : others)[a] += p;
  }
  double variance = 0.0;
  for (int k = 0; k < grades_; ++k) {
    const double p = chance[steelyard::at(k)], off = score(k) - mean;
    variance += p * off * off;
    if (fold(k) >= 0) cross[steelyard::at(fold(k))] += p * off;
  }
  for (std::size_t a = 0; a < m; ++a)
    for (std::size_t b = 0; b < m; ++b)
      hessian[a * m + b] = a == b ? share[a] * others[a] : -share[a] * share[b];
  for (int k = 0; k < grades_; ++k) {
    auto& t = out[steelyard::at(k)];
    // Differences of scores, not of a score and the mean: those cancel where one grade is nearly sure.
    t.by_x = t.terms = 0.0;
    for (int j = 0; j < grades_; ++j) {
      const double part = chance[steelyard::at(j)] * (k - j) / (grades_ - 1);
      t.by_x += part;
      t.terms += std::fabs(part);
    }
    t.curvature = variance;
    for (std::size_t a = 0; a < m; ++a)
      t.by_threshold[a] = fold(k) == static_cast<int>(a) ? others[a] : -share[a];
    t.cross = cross;
    t.hessian = hessian;
  }
}

bool evaluate(const GradedProblem& problem, const GradedPoint& point, GradedDerivatives& out,
              Monitor& monitor) {
  const auto& graph = problem.graph;
  auto& d = out.all;
  const auto cells = graph.left.size(), items = at(graph.items);
  d.extra = problem.extra();
  d.cell_gradient.resize(cells);
  d.cell_curvature.resize(cells);
  out.cell_terms.resize(cells);
  d.cell_cross.resize(checked_product("working memory", cells, problem.free()));
  d.gradient.resize(items);
  d.diagonal.resize(items);
  d.prior_curvature.resize(problem.prior > 0.0 ? items : 0);
  d.border.resize(checked_product("working memory", items, d.extra));
  const GradeLaw law(problem.link, problem.grades, point.thresholds);
  const auto n_cells = std::ssize(graph.left);
  std::vector<GradedSums> parts(at((n_cells + graded_cells_per_chunk - 1) / graded_cells_per_chunk),
                                GradedSums(d.extra));
  bool complete =
      parallel_for(n_cells, graded_cells_per_chunk, monitor, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
        std::vector<GradeTerms> terms;
        for (auto k = begin; k < end; ++k) {
          law.at(argument(problem, point, at(k)), terms);
          add_cell(problem, at(k), terms, parts[at(begin / graded_cells_per_chunk)], out);
        }
      });
  GradedSums sums(d.extra);
  for (const auto& part : parts) sums += part;
  d.extra_gradient = std::move(sums.gradient);
  const auto extra = at(d.extra), own = at(problem.free());
  for (std::size_t a = own; a < extra; ++a)  // rows of effects hold the lower triangle
    for (std::size_t b = 0; b < a; ++b) sums.hessian[b * extra + a] = sums.hessian[a * extra + b];
  d.extra_hessian = std::move(sums.hessian);
  out.magnitudes = std::move(sums.magnitudes);
  out.log_likelihood = sums.log_likelihood;
  complete = complete && parallel_for(graph.items, 256, monitor, [&](auto begin, auto end) {
               for (auto i = begin; i < end; ++i) gather_row(problem, point, i, d);
             });
  return complete;
}

}  // namespace steelyard::rank
