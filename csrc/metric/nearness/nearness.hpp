// The nearest metric in weighted least squares, with a certificate.
//
//   minimise 1/2 sum_e w_e (x_e - d_e)^2  over x with  x_ij <= x_ik + x_jk for all i, j, k  (and x <= u, if
//   asked for).
//
// For n >= 3 the triangles imply x >= 0; for n = 2 the answer is max(d, 0). With g = A' lambda + mu and
// lambda, mu >= 0, x = d - W^-1 g, every point of the dual gives a lower bound L = lambda'(A d) + mu'(d - u) -
// 1/2 g' W^-1 g; what rounding may have added is taken off. The upper bound P is the value of closure(min(x,
// u)), which is a metric to rounding. Optimal iff P = L.
//
// Rounds of: oracle (most violated triangle a pair) -> merge -> passes of projections, many and with momentum
// once the search finds little new [-> face step] -> forget. Stops when (P - L) / max(P, 1e-12 ||d||_W^2) and
// the largest violation, in units of rms(d), are both at most tol, or where both are rounding and four times
// the rounds have not halved the gap. Memory: 8 bytes a pair for each of x, d,
// the closure, (w, mu); 4 n^2 or 8 n^2 for the oracle; 14 bytes a constraint; with momentum 8 more a pair and
// a constraint. Sonthalia & Gilbert, JMLR 23 (2022).
#pragma once

#include <span>
#include <vector>

#include "core/info.hpp"
#include "core/monitor.hpp"
#include "metric/nearness/projection.hpp"

namespace steelyard::metric {

struct NearnessOptions {
  double tol = 1e-6;
  int max_rounds = 1000;
  int groups = 4;  ///< of the oracle
  int passes = 8;  ///< of projections a round
  /// From this round on, and where no violation exceeds late_below, passes have momentum and are twice as
  /// many as in the round before, up to late_passes: by then the search finds little new.
  int late_from = 12;
  int late_passes = 64;
  double late_below = 0.1;
  int face_iterations = 60;  ///< 0: no face steps; taken from face_from on where none exceeds face_below
  int face_from = 30;
  double face_below = 1e-4;
};

class Nearness {
 public:
  /// `target` condensed; `weights` condensed and positive, or empty; `upper` > 0, or infinite.
  Nearness(std::ptrdiff_t n, std::span<const double> target, std::span<const double> weights, double upper);

  /// Another d: duals stay.
  void set_target(std::span<const double> target, Monitor& monitor);
  /// Duals of an earlier result. Corners must be in range, i < j, k neither.
  void load(std::span<const std::int32_t> corners, std::span<const double> duals, Monitor& monitor);

  /// Rounds until both measures are at most tol. Info::error_bound is the relative gap.
  Info solve(const NearnessOptions& options, Monitor& monitor);

  std::vector<double> solution() const { return state_.x.condensed(scale_); }
  std::vector<double> feasible() const { return best_.condensed(scale_); }  ///< of the last certificate
  std::vector<double> pull(Monitor& monitor) const;                         ///< A' lambda, condensed
  HeldTriangles held() const { return state_.active.held(scale_); }
  double primal() const { return primal_ * scale_ * scale_; }
  double dual() const { return dual_ * scale_ * scale_; }
  double violation() const { return violation_; }
  std::ptrdiff_t active() const { return state_.active.count(); }

 private:
  void certify(Monitor& monitor);
  double gap() const;
  void round(const NearnessOptions& options, int number, Monitor& monitor);

  ProjectionState state_;
  PairTiles best_;
  double scale_ = 1.0, squares_ = 0.0;  ///< squares_ = ||d||_W^2 in units of scale_^2
  double primal_, dual_, violation_;
  int passes_ = 0;  ///< of the round before
};

}  // namespace steelyard::metric
