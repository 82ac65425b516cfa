// The iterate that the parts of the quadratic solver (simplex_qp.hpp) hand to each other.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "qp/simplex_qp.hpp"

namespace steelyard::qp {

enum class QpEnd { converged, budget, stalled, indefinite, too_large, unbounded, stopped };

struct QpState {
  QpState(const QpProblem& given, const QpOptions& options, Monitor& watch);

  const QpProblem& problem;
  const QpOptions& options;
  Monitor& monitor;
  RowCache rows;
  std::ptrdiff_t n;
  std::vector<std::vector<std::ptrdiff_t>> members;  ///< of each group; none where there is but one
  std::vector<double> p, g;                          ///< g = K p - q
  std::vector<double> diagonal;                      ///< of K
  std::vector<double> shift;  ///< a in K_ij - a_i - a_j; zeros without a sum constraint
  double kernel_scale = 0.0, curvature_scale = 1.0;
  std::int64_t iterations = 0, max_iter = 0;
  bool convex = true, started = false;

  // Set by measure():
  double objective = 0.0, gap = 0.0, scale = 0.0, reach = 0.0;
  double size_of_terms = 0.0;  ///< 1/2 p'Kp + |q'p|; `scale` is no less than what rounding can tell
  std::vector<double> best;    ///< the p of the smallest gap so far
  double best_gap = infinity, best_objective = 0.0, best_scale = 0.0;
  double best_rounding = 0.0, best_terms = 0.0;
  Trace trace;

  bool summed() const { return !problem.totals.empty(); }
  std::size_t sums() const { return problem.totals.size(); }
  /// Of coordinate i; 0 without groups, and without sums.
  std::size_t group(std::ptrdiff_t i) const { return problem.groups.empty() ? 0 : at(problem.groups[at(i)]); }
  /// visit(i) for the coordinates of a group, in their order.
  template <class Visit>
  void each(std::size_t group, const Visit& visit) const {
    if (problem.groups.empty()) {
      for (std::ptrdiff_t i = 0; i < n; ++i) visit(i);
    } else {
      for (const auto i : members[group]) visit(i);
    }
  }
  double low(std::ptrdiff_t i) const { return problem.lower[at(i)]; }
  double high(std::ptrdiff_t i) const { return problem.upper[at(i)]; }
  double& value(std::ptrdiff_t i) { return p[at(i)]; }
  double slope(std::ptrdiff_t i) const { return g[at(i)]; }
  bool can_rise(std::ptrdiff_t i) { return value(i) < high(i); }
  bool can_fall(std::ptrdiff_t i) { return value(i) > low(i); }

  bool start();        ///< p, g, diagonal, shift by one pass over K; false when stopped
  void restore_sum();  ///< takes rounding's share of the sum from the largest coordinate inside its bounds
  bool refresh();      ///< g afresh from p, its sum restored; false when stopped
  void measure();      ///< objective, gap and their scale from p and g; keeps the best
  double enough() const { return std::max(options.tol * scale, options.gap_tol); }
  bool good() const { return gap <= enough(); }
  double missing(std::size_t group) const;  ///< its total - its sum of p

  /// nu, one a sum, that gives -x_0 - sum_g nu_g x_g the sums that are missing; x (free x (1 + sums)) holds
  /// solutions for a right side and for each group's ones.
  std::vector<double> multipliers(const std::vector<std::ptrdiff_t>& free,
                                  const std::vector<double>& x) const;

 private:
  void fill_vertex(std::size_t group);           ///< s of a group with a sum, and its mu
  void cap_vertex(double widest, double noise);  ///< s without sums
  double gap_rounding() const;                   ///< how far `gap` can be from the gap of p

  std::vector<double> vertex;  ///< s
  std::vector<double> mu;      ///< one a group; 0 without sums
};

/// Decomposition steps until the KKT violation is at most `violation` or `budget` steps were made.
QpEnd descend(QpState& state, double violation, std::int64_t budget);

/// Active-set method with an updated factor.
QpEnd polish(QpState& state);

/// Projected Newton steps by conjugate gradients.
QpEnd project_newton(QpState& state);

}  // namespace steelyard::qp
