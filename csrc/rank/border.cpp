#include "rank/border.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

std::size_t at_index(ptrdiff_t i) { return static_cast<std::size_t>(i); }

double dot(const double* a, const double* b, ptrdiff_t n, ptrdiff_t a_stride, ptrdiff_t b_stride) {
  double sum = 0.0;
  for (ptrdiff_t i = 0; i < n; ++i) sum += a[i * a_stride] * b[i * b_stride];
  return sum;
}

/// Smallest l with det(A - l B) = 0 for B positive definite.
double smallest_generalised_eigenvalue(const Small& a, const Small& b) {
  if (a.size == 1) return a.a[0] / b.a[0];
  const double qa = b.a[0] * b.a[3] - b.a[1] * b.a[1];
  const double qb = -(a.a[0] * b.a[3] + a.a[3] * b.a[0] - 2.0 * a.a[1] * b.a[1]);
  const double qc = a.a[0] * a.a[3] - a.a[1] * a.a[1];
  if (!(qa > 0.0)) return 0.0;
  return (-qb - std::sqrt(std::max(0.0, qb * qb - 4.0 * qa * qc))) / (2.0 * qa);
}

}  // namespace

bool Small::solve(const std::array<double, 2>& b, std::array<double, 2>& x) const {
  if (size == 0) return true;
  if (!(a[0] > 0.0)) return false;
  if (size == 1) {
    x[0] = b[0] / a[0];
    return true;
  }
  const double schur = a[3] - a[1] * a[1] / a[0];
  if (!(schur > 0.0)) return false;
  x[1] = (b[1] - a[1] * b[0] / a[0]) / schur;
  x[0] = (b[0] - a[1] * x[1]) / a[0];
  return true;
}

Small schur_complement(const Derivatives& d, const double* border, const double* solved, ptrdiff_t n,
                       ptrdiff_t stride) {
  Small schur{d.extra, {}};
  for (int c = 0; c < d.extra; ++c) {
    for (int e = 0; e < d.extra; ++e) {
      schur.at(c, e) =
          d.extra_hessian[at_index(c * d.extra + e)] - 0.5 * (dot(border + c, solved + e, n, stride, stride) +
                                                              dot(border + e, solved + c, n, stride, stride));
    }
  }
  return schur;
}

BorderedSystem::BorderedSystem(const Derivatives& d)
    : n(std::ssize(d.gradient)),
      columns(1 + d.extra),
      right(at_index(n * columns)),
      solved(at_index(n * columns)) {
  for (ptrdiff_t i = 0; i < n; ++i) {
    right[at_index(i * columns)] = d.gradient[at_index(i)];
    for (ptrdiff_t c = 1; c < columns; ++c)
      right[at_index(i * columns + c)] = d.border[at_index(i * d.extra + c - 1)];
  }
}

bool BorderedSystem::combine(const Derivatives& d, const Model& model, NewtonDirection& out) {
  const auto schur = schur_complement(d, right.data() + 1, solved.data() + 1, n, columns);
  std::array<double, 2> rest{};
  for (int c = 0; c < d.extra; ++c)
    rest[at_index(c)] =
        d.extra_gradient[at_index(c)] - dot(&right[at_index(c + 1)], solved.data(), n, columns, columns);
  extra = {};
  if (!schur.solve(rest, extra)) return false;
  out.strengths.resize(at_index(n));
  for (ptrdiff_t i = 0; i < n; ++i) {
    double step = solved[at_index(i * columns)];
    for (int c = 0; c < d.extra; ++c) step -= solved[at_index(i * columns + c + 1)] * extra[at_index(c)];
    out.strengths[at_index(i)] = step;
  }
  int next = 0;
  out.tie = model.ties != Ties::none ? extra[at_index(next++)] : 0.0;
  out.home = model.home ? extra[at_index(next)] : 0.0;
  out.slope = dot(d.gradient.data(), out.strengths.data(), n, 1, 1);
  for (int c = 0; c < d.extra; ++c) out.slope += d.extra_gradient[at_index(c)] * extra[at_index(c)];
  out.decrement = out.lower = std::sqrt(std::max(0.0, out.slope));
  return true;
}

void BorderedSystem::bound(const Derivatives& d, const std::function<void(const double*, double*)>& multiply,
                           const std::function<double(const double*, ptrdiff_t)>& energy,
                           NewtonDirection& out) const {
  // Residuals: first of the direction itself, then of the border's columns.
  const ptrdiff_t m = columns;
  std::vector<double> point(at_index(n * m)), residual(at_index(n * m));
  for (ptrdiff_t i = 0; i < n; ++i) {
    point[at_index(i * m)] = out.strengths[at_index(i)];
    for (ptrdiff_t c = 1; c < m; ++c) point[at_index(i * m + c)] = solved[at_index(i * m + c)];
  }
  multiply(point.data(), residual.data());
  for (ptrdiff_t i = 0; i < n; ++i) {
    double target = right[at_index(i * m)];
    for (int c = 0; c < d.extra; ++c) target -= right[at_index(i * m + c + 1)] * extra[at_index(c)];
    residual[at_index(i * m)] = target - residual[at_index(i * m)];
    for (ptrdiff_t c = 1; c < m; ++c)
      residual[at_index(i * m + c)] = right[at_index(i * m + c)] - residual[at_index(i * m + c)];
  }
  const double below = out.slope + dot(out.strengths.data(), residual.data(), n, 1, m);
  const double rest = energy(residual.data(), m);
  double share = 1.0;  // 1 - rho^2
  if (d.extra > 0) {
    Small remaining{d.extra, {}};
    const Small block{d.extra, d.extra_hessian};
    double slack = 0.0;
    for (int c = 0; c < d.extra; ++c) slack += energy(&residual[at_index(c + 1)], m);
    for (int c = 0; c < d.extra; ++c) {
      for (int e = 0; e < d.extra; ++e) {
        const auto term = [&](int p, int q) {
          return dot(&right[at_index(p + 1)], &solved[at_index(q + 1)], n, m, m) +
                 dot(&solved[at_index(p + 1)], &residual[at_index(q + 1)], n, m, m);
        };
        remaining.at(c, e) = block.at(c, e) - 0.5 * (term(c, e) + term(e, c)) - (c == e ? slack : 0.0);
      }
    }
    share = smallest_generalised_eigenvalue(remaining, block);
  }
  out.lower = std::sqrt(std::max(0.0, below));
  out.decrement =
      share > 0.0 ? std::sqrt(std::max(0.0, below) + rest / share) : std::numeric_limits<double>::infinity();
}

}  // namespace steelyard::rank
