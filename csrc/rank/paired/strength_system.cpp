#include "rank/paired/strength_system.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "linalg/cholesky.hpp"
#include "rank/rounding_probe.hpp"
#include "rank/scale.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

std::int32_t busiest_item(const PairGraph& graph) {
  std::int32_t best = 0;
  const auto degree = [&](std::int32_t i) { return graph.offsets[at(i) + 1] - graph.offsets[at(i)]; };
  for (std::int32_t i = 1; i < graph.items; ++i) {
    if (degree(i) > degree(best)) best = i;
  }
  return best;
}

/// Is n^3/3 flops at BLAS speed cheaper than some sixty passes of conjugate gradients over the graph?
bool dense_pays(const PairGraph& graph) {
  const double n = graph.items, entries = static_cast<double>(graph.neighbours.size());
  return graph.items <= linalg::own_cholesky_limit || (n <= 6000 && n * n * n / 3.0 / 2e10 < entries * 9e-8);
}

/// Breadth-first levels from `start`, and an item of the last one.
struct Levels {
  int count = 0;
  std::int32_t last = 0;
};

Levels levels_from(const PairGraph& graph, std::int32_t start) {
  std::vector<bool> seen(at(graph.items), false);
  std::vector<std::int32_t> level{start}, next;
  seen[at(start)] = true;
  Levels out;
  for (; !level.empty(); level.swap(next)) {
    ++out.count;
    out.last = level.back();
    next.clear();
    for (const auto i : level) {
      for (auto k = graph.offsets[at(i)]; k < graph.offsets[at(i) + 1]; ++k) {
        const auto j = at(graph.neighbours[at(k)]);
        if (!seen[j]) next.push_back(graph.neighbours[at(k)]);
        seen[j] = true;
      }
    }
  }
  return out;
}

/// What a sparse factorisation may cost. In a small world conjugate gradients need some sixty passes over the
/// graph and elimination fills in; where items lie far apart (a ladder) they need thousands of passes and
/// elimination is cheap.
double sparse_budget(const PairGraph& graph, std::int32_t start) {
  const double entries = static_cast<double>(graph.neighbours.size());
  const int levels = levels_from(graph, levels_from(graph, start).last).count;
  const bool far_apart = levels > 2.0 * std::log2(static_cast<double>(graph.items));
  return far_apart ? std::max(5e8, 3000.0 * entries) : std::max(2e6, 20.0 * entries);
}

}  // namespace

StrengthSystem::StrengthSystem(const PairGraph& graph, const Model& model, Linear wanted, Monitor& monitor)
    : graph_(graph), model_(model), chosen_(wanted), ground_(busiest_item(graph)) {
  const bool any = wanted == Linear::automatic;
  if (any && graph.items <= linalg::own_cholesky_limit) chosen_ = Linear::dense;
  if (chosen_ == Linear::automatic || chosen_ == Linear::sparse) {
    const double budget = any ? sparse_budget(graph, ground_) : infinity;
    sparse_ = linalg::SparseCholesky::analyse(CsrPattern{graph.offsets, graph.neighbours}, budget, monitor);
    chosen_ = sparse_ ? Linear::sparse : (any && dense_pays(graph) ? Linear::dense : Linear::cg);
  }
}

std::string StrengthSystem::describe() const {
  switch (chosen_) {
    case Linear::dense:
      return "dense Cholesky";
    case Linear::sparse:
      return "sparse Cholesky, " + std::to_string(sparse_->entries()) + " entries";
    default:
      return "preconditioned conjugate gradients";
  }
}

bool StrengthSystem::prepare(const Derivatives& d, Monitor& monitor) {
  if (chosen_ != Linear::dense) spread_to_rows(graph_, d.cell_curvature, row_curvature_, monitor);
  if (chosen_ == Linear::cg) {
    if (model_.prior <= 0.0) grow_tree(d);
    return !monitor.stopped();
  }
  // Without a prior L 1 = 0. Adding to the ground item's diagonal makes it definite and leaves the solution
  // for consistent right-hand sides, with that item at zero.
  const auto ground = at(ground_);
  const double anchor = model_.prior > 0.0 ? 0.0 : d.diagonal[ground];
  if (chosen_ == Linear::sparse) {
    scratch_b_.assign(d.diagonal.begin(), d.diagonal.end());
    scratch_b_[ground] += anchor;
    for (double& c : row_curvature_) c = -c;
    return sparse_->factor(scratch_b_, row_curvature_, monitor);
  }
  const ptrdiff_t n = graph_.items;
  dense_.assign(checked_product("working memory", n, n), 0.0);
  for (ptrdiff_t i = 0; i < n; ++i) dense_[at(i * n + i)] = d.diagonal[at(i)];
  dense_[ground * at(n) + ground] += anchor;
  for (std::size_t k = 0; k < graph_.left.size(); ++k) {
    dense_[at(graph_.right[k] * n + graph_.left[k])] -= d.cell_curvature[k];  // left < right: lower triangle
  }
  return linalg::cholesky(dense_.data(), n, n, monitor);
}

bool StrengthSystem::solve(const Derivatives& d, const double* b, double* x, ptrdiff_t columns,
                           double accuracy, Monitor& monitor) {
  const ptrdiff_t n = graph_.items;
  last_iterations_ = 0;
  if (chosen_ != Linear::cg) {
    std::copy(b, b + n * columns, x);
    if (chosen_ == Linear::sparse) {
      sparse_->solve(x, columns);
    } else {
      linalg::cholesky_solve(dense_.data(), n, n, x, columns, columns);
    }
    if (model_.prior > 0.0) return true;
    for (ptrdiff_t c = 0; c < columns; ++c) centre(x + c, n, columns);
    return true;
  }
  linalg::CgOptions options;
  options.tol = accuracy;
  options.max_iter = 20000;
  options.project_mean = model_.prior <= 0.0;
  std::fill(x, x + n * columns, 0.0);
  const auto apply = [&](const double* in, double* out, ptrdiff_t m) {
    multiply_hessian(graph_, d, row_curvature_, in, out, m, monitor);
  };
  const auto jacobi = [&](const double* in, double* out, ptrdiff_t m) {
    for (ptrdiff_t i = 0; i < n; ++i) {
      const double scale = 1.0 / d.diagonal[at(i)];
      for (ptrdiff_t c = 0; c < m; ++c) out[i * m + c] = scale * in[i * m + c];
    }
  };
  const auto result = linalg::conjugate_gradients(n, columns, apply, jacobi, b, x, options, monitor);
  last_iterations_ = result.iterations;
  return !result.interrupted;
}

bool StrengthSystem::direction(const Derivatives& d, double accuracy, NewtonDirection& out,
                               Monitor& monitor) {
  BorderedSystem system(d);
  if (!solve(d, system.right.data(), system.solved.data(), system.columns, accuracy, monitor)) return false;
  if (!system.combine(d, out)) return false;
  out.cg_iterations = last_iterations_;
  if (chosen_ != Linear::cg) return std::isfinite(out.decrement);
  system.bound(
      d,
      [&](const double* x, double* y) {
        multiply_hessian(graph_, d, row_curvature_, x, y, system.columns, monitor);
      },
      [&](const double* residual, ptrdiff_t stride) { return tree_energy(d, residual, stride); }, out);
  return true;
}

bool StrengthSystem::solve_all(const Derivatives& d, const MatrixView<const double>& b, double* x,
                               double accuracy, Monitor& monitor) {
  const ptrdiff_t n = graph_.items, m = b.cols, extra = d.extra, all = m + extra;
  std::vector<double> right(checked_product("working memory", n, all)), left(at(n * all));
  for (ptrdiff_t i = 0; i < n; ++i) {
    std::copy(b.row(i), b.row(i) + m, &right[at(i * all)]);
    for (ptrdiff_t e = 0; e < extra; ++e) right[at(i * all + m + e)] = d.border[at(i * extra + e)];
  }
  if (!solve(d, right.data(), left.data(), all, accuracy, monitor)) return false;
  const auto border_dot = [&](ptrdiff_t e, ptrdiff_t column) {
    return dot(&right[at(m + e)], &left[at(column)], n, all, all);
  };
  auto schur = schur_complement(d, right.data() + m, left.data() + m, n, all);
  if (!schur.factor()) return false;
  std::vector<double> delta(at(extra));
  for (ptrdiff_t c = 0; c < m; ++c) {
    for (ptrdiff_t e = 0; e < extra; ++e) delta[at(e)] = b.row(n + e)[c] - border_dot(e, c);
    schur.solve(delta.data());
    for (ptrdiff_t i = 0; i < n; ++i) {
      double value = left[at(i * all + c)];
      for (ptrdiff_t e = 0; e < extra; ++e) value -= left[at(i * all + m + e)] * delta[at(e)];
      x[i * m + c] = value;
    }
    for (ptrdiff_t e = 0; e < extra; ++e) x[(n + e) * m + c] = delta[at(e)];
  }
  return true;
}

double StrengthSystem::rounding(const PairProblem& problem, const Parameters& point, const Derivatives& d,
                                Monitor& monitor) {
  const auto errors = rounding_of_sums(problem, point, d);
  const auto solve = [&](const std::vector<double>& b, std::vector<double>& x) {
    const MatrixView<const double> right{b.data(), std::ssize(errors), probes, probes};
    return solve_all(d, right, x.data(), 1e-2, monitor);
  };
  const double sums = probe_rounding(errors, graph_.items, model_.prior <= 0.0, solve);
  const double cells = rank::rounding(problem, point, d);
  return std::sqrt(cells * cells + sums * sums);
}

void StrengthSystem::grow_tree(const Derivatives& d) {
  // Breadth first from the busiest item; each item hangs on the strongest edge to an earlier level.
  const auto n = at(graph_.items);
  tree_parent_.assign(n, -1);
  tree_curvature_.assign(n, 0.0);
  tree_order_.clear();
  std::vector<std::int32_t> level(n, -1);
  tree_order_.push_back(ground_);
  level[at(ground_)] = 0;
  for (std::size_t next = 0; next < tree_order_.size(); ++next) {
    const auto i = tree_order_[next];
    for (auto k = graph_.offsets[at(i)]; k < graph_.offsets[at(i) + 1]; ++k) {
      const auto j = graph_.neighbours[at(k)];
      const double curvature = d.cell_curvature[graph_.edge[at(k)]];
      if (level[at(j)] < 0) {
        level[at(j)] = level[at(i)] + 1;
        tree_order_.push_back(j);
      }
      if (level[at(j)] == level[at(i)] + 1 && curvature > tree_curvature_[at(j)]) {
        tree_curvature_[at(j)] = curvature;
        tree_parent_[at(j)] = i;
      }
    }
  }
}

double StrengthSystem::tree_energy(const Derivatives& d, const double* residual, ptrdiff_t stride) {
  double energy = 0.0;
  if (model_.prior > 0.0) {
    for (ptrdiff_t i = 0; i < graph_.items; ++i) {
      const double r = residual[i * stride];
      if (r != 0.0) energy += r * r / d.prior_curvature[at(i)];
    }
    return energy;
  }
  scratch_b_.resize(at(graph_.items));
  for (ptrdiff_t i = 0; i < graph_.items; ++i) scratch_b_[at(i)] = residual[i * stride];
  for (auto k = tree_order_.size(); k-- > 1;) {
    const auto i = at(tree_order_[k]);
    const double flow = scratch_b_[i];
    if (flow == 0.0) continue;
    energy += flow * flow / tree_curvature_[i];
    if (tree_parent_[i] >= 0) scratch_b_[at(tree_parent_[i])] += flow;
  }
  return energy;
}

}  // namespace steelyard::rank
