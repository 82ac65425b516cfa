#include "rank/paired/border.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/index.hpp"
#include "core/pool.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

double dot(const double* a, const double* b, ptrdiff_t n, ptrdiff_t a_stride, ptrdiff_t b_stride) {
  double sum = 0.0;
  for (ptrdiff_t i = 0; i < n; ++i) sum += a[i * a_stride] * b[i * b_stride];
  return sum;
}

/// A lower bound of the smallest l with det(A - l B) = 0, exact for one row; 0 unless A is positive definite.
double least_share(Small a, const Small& b) {
  if (!a.factor()) return 0.0;
  double trace = 0.0;
  std::vector<double> column(at(b.size()));
  for (int j = 0; j < b.size(); ++j) {
    for (int i = 0; i < b.size(); ++i) column[at(i)] = b.at(i, j);
    a.solve(column.data());
    trace += column[at(j)];
  }
  return 1.0 / trace;
}

}  // namespace

bool Small::factor() {
  for (int j = 0; j < size_; ++j) {
    for (int k = 0; k < j; ++k) at(j, j) -= at(j, k) * at(j, k);
    if (!(at(j, j) > 0.0)) return false;
    at(j, j) = std::sqrt(at(j, j));
    for (int i = j + 1; i < size_; ++i) {
      for (int k = 0; k < j; ++k) at(i, j) -= at(i, k) * at(j, k);
      at(i, j) /= at(j, j);
    }
  }
  return true;
}

void Small::solve_lower(double* x) const {
  for (int i = 0; i < size_; ++i) {
    for (int k = 0; k < i; ++k) x[i] -= at(i, k) * x[k];
    x[i] /= at(i, i);
  }
}

void Small::solve_transposed(double* x) const {
  for (int i = size_; i-- > 0;) {
    for (int k = i + 1; k < size_; ++k) x[i] -= at(k, i) * x[k];
    x[i] /= at(i, i);
  }
}

void Small::solve(double* x) const {
  solve_lower(x);
  solve_transposed(x);
}

double Small::log_determinant() const {
  double sum = 0.0;
  for (int i = 0; i < size_; ++i) sum += 2.0 * std::log(at(i, i));
  return sum;
}

double slope_along(const Derivatives& d, const NewtonDirection& direction) {
  return dot(d.gradient.data(), direction.strengths.data(), std::ssize(direction.strengths), 1, 1) +
         dot(d.extra_gradient.data(), direction.extra.data(), d.extra, 1, 1);
}

double largest_change(const PairProblem& problem, const NewtonDirection& d, Monitor& monitor) {
  constexpr std::ptrdiff_t grain = 32768;
  const auto& graph = problem.graph;
  const auto& model = problem.model;
  const Effects effects(problem);
  const double* by_effect = d.extra.data() + model.tie_columns();
  const auto edges = std::ssize(graph.left);
  std::vector<double> parts(at((edges + grain - 1) / grain), 0.0);
  parallel_for(edges, grain, monitor, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    double largest = 0.0;
    for (auto k = at(begin); k < at(end); ++k) {
      double change = d.strengths[at(graph.left[k])] - d.strengths[at(graph.right[k])];
      for (int c = 0; c < effects.count(); ++c) change += effects.of(k, c) * by_effect[c];
      largest = std::max(largest, std::fabs(change));
    }
    parts[at(begin / grain)] = largest;
  });
  double largest = model.tie_columns() > 0 ? std::fabs(d.extra[0]) : 0.0;
  for (const double part : parts) largest = std::max(largest, part);
  if (model.prior > 0.0) {
    for (const double move : d.strengths) largest = std::max(largest, std::fabs(move));
  }
  return largest;
}

void move_along(const Model& model, const NewtonDirection& direction, double step, Parameters& point) {
  for (std::size_t i = 0; i < point.strengths.size(); ++i)
    point.strengths[i] += step * direction.strengths[i];
  const double* extra = direction.extra.data();
  if (model.ties != Ties::none) point.tie += step * *extra++;
  if (model.home) point.home += step * *extra++;
  for (double& value : point.coefficients) value += step * *extra++;
}

Small schur_complement(const Derivatives& d, const double* border, const double* solved, ptrdiff_t n,
                       ptrdiff_t stride) {
  Small schur(d.extra);
  for (int c = 0; c < d.extra; ++c) {
    for (int e = 0; e < d.extra; ++e) {
      schur.at(c, e) =
          d.extra_hessian[at(c * d.extra + e)] - 0.5 * (dot(border + c, solved + e, n, stride, stride) +
                                                        dot(border + e, solved + c, n, stride, stride));
    }
  }
  return schur;
}

BorderedSystem::BorderedSystem(const Derivatives& d)
    : n(std::ssize(d.gradient)), columns(1 + d.extra), right(at(n * columns)), solved(at(n * columns)) {
  for (ptrdiff_t i = 0; i < n; ++i) {
    right[at(i * columns)] = d.gradient[at(i)];
    for (ptrdiff_t c = 1; c < columns; ++c) right[at(i * columns + c)] = d.border[at(i * d.extra + c - 1)];
  }
}

bool BorderedSystem::combine(const Derivatives& d, NewtonDirection& out) {
  auto schur = schur_complement(d, right.data() + 1, solved.data() + 1, n, columns);
  if (!schur.factor()) return false;
  auto& extra = out.extra;
  extra.resize(at(d.extra));
  for (int c = 0; c < d.extra; ++c)
    extra[at(c)] = d.extra_gradient[at(c)] - dot(&right[at(c + 1)], solved.data(), n, columns, columns);
  schur.solve(extra.data());
  out.strengths.resize(at(n));
  for (ptrdiff_t i = 0; i < n; ++i) {
    double step = solved[at(i * columns)];
    for (int c = 0; c < d.extra; ++c) step -= solved[at(i * columns + c + 1)] * extra[at(c)];
    out.strengths[at(i)] = step;
  }
  out.slope = slope_along(d, out);
  out.decrement = out.lower = std::sqrt(std::max(0.0, out.slope));
  return true;
}

void BorderedSystem::bound(const Derivatives& d, const std::function<void(const double*, double*)>& multiply,
                           const std::function<double(const double*, ptrdiff_t)>& energy,
                           NewtonDirection& out) const {
  // Residuals: first of the direction itself, then of the border's columns.
  const ptrdiff_t m = columns;
  std::vector<double> point(at(n * m)), residual(at(n * m));
  for (ptrdiff_t i = 0; i < n; ++i) {
    point[at(i * m)] = out.strengths[at(i)];
    for (ptrdiff_t c = 1; c < m; ++c) point[at(i * m + c)] = solved[at(i * m + c)];
  }
  multiply(point.data(), residual.data());
  for (ptrdiff_t i = 0; i < n; ++i) {
    double target = right[at(i * m)];
    for (int c = 0; c < d.extra; ++c) target -= right[at(i * m + c + 1)] * out.extra[at(c)];
    residual[at(i * m)] = target - residual[at(i * m)];
    for (ptrdiff_t c = 1; c < m; ++c)
      residual[at(i * m + c)] = right[at(i * m + c)] - residual[at(i * m + c)];
  }
  const double below = out.slope + dot(out.strengths.data(), residual.data(), n, 1, m);
  const double rest = energy(residual.data(), m);
  double share = 1.0;  // 1 - rho^2
  if (d.extra > 0) {
    Small remaining(d.extra);
    const Small block(d.extra, d.extra_hessian);
    double slack = 0.0;
    for (int c = 0; c < d.extra; ++c) slack += energy(&residual[at(c + 1)], m);
    for (int c = 0; c < d.extra; ++c) {
      for (int e = 0; e < d.extra; ++e) {
        const auto term = [&](int p, int q) {
          return dot(&right[at(p + 1)], &solved[at(q + 1)], n, m, m) +
                 dot(&solved[at(p + 1)], &residual[at(q + 1)], n, m, m);
        };
        remaining.at(c, e) = block.at(c, e) - 0.5 * (term(c, e) + term(e, c)) - (c == e ? slack : 0.0);
      }
    }
    share = least_share(std::move(remaining), block);
  }
  out.lower = std::sqrt(std::max(0.0, below));
  out.decrement =
      share > 0.0 ? std::sqrt(std::max(0.0, below) + rest / share) : std::numeric_limits<double>::infinity();
}

}  // namespace steelyard::rank
