#include <algorithm>
#include <cmath>
#include <limits>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "core/pool.hpp"
#include "linalg/cg.hpp"
#include "linalg/cholesky.hpp"
#include "rank/paired/group_system.hpp"
#include "rank/paired/teams.hpp"
#include "rank/scale.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

constexpr double most_meetings = 4e6;  // of items within games, that a sparse factor reads

/// Ordered pairs of items within games.
double meetings(const CsrPattern& rows) {
  double sum = 0.0;
  for (ptrdiff_t g = 0; g < rows.rows(); ++g) {
    const auto size = static_cast<double>(rows.offsets[at(g) + 1] - rows.offsets[at(g)]);
    sum += size * (size - 1.0);
  }
  return sum;
}

std::int32_t busiest(const CsrPattern& columns) {
  std::int32_t best = 0;
  const auto games = [&](std::int32_t i) { return columns.offsets[at(i) + 1] - columns.offsets[at(i)]; };
  for (std::int32_t i = 1; i < columns.rows(); ++i) {
    if (games(i) > games(best)) best = i;
  }
  return best;
}

/// Is n^3/3 flops at BLAS speed cheaper than some sixty passes of conjugate gradients over the games?
bool factor_pays(const SideMatrix& sides) {
  const double n = static_cast<double>(sides.items()), entries = static_cast<double>(sides.rows.entries());
  return n <= 6000 && n * n * n / 3.0 / 2e10 < entries * 2e-7;
}

}  // namespace

TeamSystem::TeamSystem(const TeamProblem& problem, Linear wanted, Monitor& monitor)
    : problem_(problem), chosen_(wanted) {
  const auto& sides = problem.sides;
  const bool any = wanted == Linear::automatic;
  if (any && GroupSystem::pays(problem)) {
    groups_ = std::make_unique<GroupSystem>(problem);
    chosen_ = Linear::dense;
    return;
  }
  if (sides.items() > 0) ground_ = busiest(sides.columns);
  if (sides.items() == 0 || (any && sides.items() <= linalg::own_cholesky_limit)) chosen_ = Linear::dense;
  const double met = meetings(sides.rows);
  if (chosen_ == Linear::sparse || (chosen_ == Linear::automatic && met <= most_meetings)) {
    met_offsets_.assign(1, 0);
    met_.reserve(at(static_cast<ptrdiff_t>(met)));
    for (ptrdiff_t i = 0; i < sides.items(); ++i) {
      for (auto k = sides.columns.offsets[at(i)]; k < sides.columns.offsets[at(i) + 1]; ++k) {
        const auto game = at(sides.columns.indices[at(k)]);
        for (auto e = sides.rows.offsets[game]; e < sides.rows.offsets[game + 1]; ++e)
          if (sides.rows.indices[at(e)] != i) met_.push_back(sides.rows.indices[at(e)]);
      }
      met_offsets_.push_back(std::ssize(met_));
    }
    const double budget = any ? std::max(5e8, 300.0 * met) : infinity;
    sparse_ = linalg::SparseCholesky::analyse(CsrPattern{met_offsets_, met_}, budget, monitor);
    if (sparse_) chosen_ = Linear::sparse;
  }
  if (chosen_ == Linear::automatic || (chosen_ == Linear::sparse && !sparse_))
    chosen_ = factor_pays(sides) ? Linear::dense : Linear::cg;
}

TeamSystem::~TeamSystem() = default;

std::string TeamSystem::describe() const {
  if (groups_) return "blocks of groups, Schur complement of " + std::to_string(groups_->whole());
  switch (chosen_) {
    case Linear::dense:
      return "dense Cholesky";
    case Linear::sparse:
      return "sparse Cholesky, " + std::to_string(sparse_->entries()) + " entries";
    default:
      return "preconditioned conjugate gradients";
  }
}

bool TeamSystem::prepare(const Derivatives& d, Monitor& monitor) {
  if (groups_) return groups_->factor(d, monitor);
  if (problem_.sides.items() == 0 || chosen_ == Linear::cg) return !monitor.stopped();
  return chosen_ == Linear::sparse ? fill_sparse(d, monitor) : fill_dense(d, monitor);
}

bool TeamSystem::fill_dense(const Derivatives& d, Monitor& monitor) {
  const auto& sides = problem_.sides;
  const auto n = sides.items();
  dense_.assign(checked_product("working memory", n, n), 0.0);
  const double games = static_cast<double>(sides.columns.entries()) / static_cast<double>(n);
  const double width = static_cast<double>(sides.rows.entries()) / static_cast<double>(sides.games());
  parallel_for(n, grain_for(1.5 * games * width + 5.0), monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    for (auto i = begin; i < end; ++i) {
      double* row = &dense_[at(i * n)];
      for (auto k = sides.columns.offsets[at(i)]; k < sides.columns.offsets[at(i) + 1]; ++k) {
        const auto game = at(sides.columns.indices[at(k)]);
        const double a = sides.column_values[at(k)] * d.cell_curvature[game];
        for (auto e = sides.rows.offsets[game]; e < sides.rows.offsets[game + 1]; ++e)
          if (sides.rows.indices[at(e)] < i) row[sides.rows.indices[at(e)]] += a * sides.row_values[at(e)];
      }
      row[i] = d.diagonal[at(i)];
    }
  });
  if (problem_.centred) dense_[at(ground_ * n + ground_)] += d.diagonal[at(ground_)];
  return linalg::cholesky(dense_.data(), n, n, monitor);
}

bool TeamSystem::fill_sparse(const Derivatives& d, Monitor& monitor) {
  const auto& sides = problem_.sides;
  std::vector<double> values(met_.size()), diagonal(d.diagonal);
  parallel_for(sides.items(), 1024, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    for (auto i = begin; i < end; ++i) {
      auto next = at(met_offsets_[at(i)]);
      for (auto k = sides.columns.offsets[at(i)]; k < sides.columns.offsets[at(i) + 1]; ++k) {
        const auto game = at(sides.columns.indices[at(k)]);
        const double c = d.cell_curvature[game], a = sides.column_values[at(k)];
        // The product of the two weights first: both halves then have the same bits.
        for (auto e = sides.rows.offsets[game]; e < sides.rows.offsets[game + 1]; ++e)
          if (sides.rows.indices[at(e)] != i) values[next++] = c * (a * sides.row_values[at(e)]);
      }
    }
  });
  if (problem_.centred) diagonal[at(ground_)] *= 2.0;
  return sparse_->factor(diagonal, values, monitor);
}

void TeamSystem::multiply(const Derivatives& d, const double* x, double* y, ptrdiff_t columns,
                          Monitor& monitor) {
  const auto n = problem_.sides.items();
  multiply_gram(problem_.sides, d.cell_curvature, x, y, columns, by_game_, monitor);
  if (d.prior_curvature.empty()) return;
  for (ptrdiff_t i = 0; i < n; ++i)
    for (ptrdiff_t c = 0; c < columns; ++c)
      y[i * columns + c] += d.prior_curvature[at(i)] * x[i * columns + c];
}

bool TeamSystem::solve(const Derivatives& d, const double* b, double* x, ptrdiff_t columns, double accuracy,
                       Monitor& monitor) {
  const auto n = problem_.sides.items();
  last_iterations_ = 0;
  if (n == 0) return true;
  if (groups_) {
    groups_->solve(b, x, columns, monitor);
    return !monitor.stopped();
  }
  if (chosen_ != Linear::cg) {
    std::copy(b, b + n * columns, x);
    if (chosen_ == Linear::sparse) {
      sparse_->solve(x, columns);
    } else {
      linalg::cholesky_solve(dense_.data(), n, n, x, columns, columns);
    }
    for (ptrdiff_t c = 0; problem_.centred && c < columns; ++c) centre(x + c, n, columns);
    return true;
  }
  linalg::CgOptions options;
  options.tol = accuracy;
  options.max_iter = 20000;
  options.project_mean = problem_.centred;
  std::fill(x, x + n * columns, 0.0);
  const auto apply = [&](const double* in, double* out, ptrdiff_t m) { multiply(d, in, out, m, monitor); };
  const auto jacobi = [&](const double* in, double* out, ptrdiff_t m) {
    for (ptrdiff_t i = 0; i < n; ++i) {
      const double scale = 1.0 / d.diagonal[at(i)];
      for (ptrdiff_t c = 0; c < m; ++c) out[i * m + c] = scale * in[i * m + c];
    }
  };
  const auto result = linalg::conjugate_gradients(n, columns, apply, jacobi, b, x, options, monitor);
  last_iterations_ = result.iterations;
  smallest_ = infinity;
  for (const auto& column : result.columns)
    if (column.iterations > 0) smallest_ = std::min(smallest_, column.lanczos_smallest);
  return !result.interrupted;
}

double TeamSystem::energy(const Derivatives& d, const double* residual, ptrdiff_t stride) const {
  double sum = 0.0;
  for (ptrdiff_t i = 0; i < problem_.sides.items(); ++i) {
    const double r = residual[i * stride];
    if (r != 0.0) sum += r * r / (problem_.prior > 0.0 ? d.prior_curvature[at(i)] : d.diagonal[at(i)]);
  }
  return problem_.prior > 0.0 || sum == 0.0 ? sum : sum / (0.5 * smallest_);
}

bool TeamSystem::direction(const Derivatives& d, double accuracy, NewtonDirection& out, Monitor& monitor) {
  BorderedSystem system(d);
  if (!solve(d, system.right.data(), system.solved.data(), system.columns, accuracy, monitor)) return false;
  if (!system.combine(d, out)) return false;
  out.cg_iterations = last_iterations_;
  if (chosen_ != Linear::cg) return std::isfinite(out.decrement);
  system.bound(
      d, [&](const double* x, double* y) { multiply(d, x, y, system.columns, monitor); },
      [&](const double* residual, ptrdiff_t stride) { return energy(d, residual, stride); }, out);
  return true;
}

double TeamSystem::log_determinant(const Derivatives& d, Monitor& monitor) {
  if (!groups_) return std::numeric_limits<double>::quiet_NaN();
  if (d.extra == 0) return groups_->log_determinant();
  std::vector<double> solved(d.border.size());
  groups_->solve(d.border.data(), solved.data(), d.extra, monitor);
  auto schur = schur_complement(d, d.border.data(), solved.data(), problem_.sides.items(), d.extra);
  return schur.factor() ? groups_->log_determinant() + schur.log_determinant()
                        : std::numeric_limits<double>::quiet_NaN();
}

bool TeamSystem::solve_all(const Derivatives& d, const MatrixView<const double>& b, double* x,
                           double accuracy, Monitor& monitor) {
  const ptrdiff_t n = problem_.sides.items(), m = b.cols, extra = d.extra, all = m + extra;
  std::vector<double> right(checked_product("working memory", n, all)), left(at(n * all));
  for (ptrdiff_t i = 0; i < n; ++i) {
    std::copy(b.row(i), b.row(i) + m, &right[at(i * all)]);
    for (ptrdiff_t e = 0; e < extra; ++e) right[at(i * all + m + e)] = d.border[at(i * extra + e)];
  }
  if (!solve(d, right.data(), left.data(), all, accuracy, monitor)) return false;
  auto schur = schur_complement(d, right.data() + m, left.data() + m, n, all);
  if (!schur.factor()) return false;
  std::vector<double> delta(at(extra));
  for (ptrdiff_t c = 0; c < m; ++c) {
    for (ptrdiff_t e = 0; e < extra; ++e)
      delta[at(e)] = b.row(n + e)[c] - dot(right.data() + m + e, left.data() + c, n, all, all);
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

}  // namespace steelyard::rank
