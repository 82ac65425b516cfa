// Dual-corrected projections onto held constraints, for f(x) = 1/2 sum_e w_e (x_e - x0_e)^2.
//
// With duals z >= 0 and g = A'z:  x = x0 - W^-1 g, and  L = z'(A x0 - b) - 1/2 g' W^-1 g  bounds the optimum of
// f over A x <= b from below. A projection takes theta = (a'x - b) / (a' W^-1 a), steps by
// max(theta, -z) and adds that to z: exact ascent of L in one dual. Momentum and face steps: dual_ascent.hpp.
// Sonthalia & Gilbert, JMLR 23 (2022); Hildreth (1957).
#pragma once

#include <span>
#include <vector>

#include "core/monitor.hpp"
#include "metric/nearness/constraint_list.hpp"

namespace steelyard::metric {

class BregmanState {
 public:
  /// `weights` positive, or empty for 1.
  BregmanState(std::span<const double> start, std::span<const double> weights);

  /// Rows must have indices within x, ascending, and finite values that are not all 0.
  void add(std::span<const std::int32_t> indices, std::span<const double> values, double bound, double dual);
  /// Passes over all rows, back and forth in the order of arrival. Serial: each step needs the one before.
  void project(int passes, Monitor& monitor);
  /// The same with momentum. 16 bytes a row and 8 an entry of x for the call.
  void project_with_momentum(int passes, Monitor& monitor);
  /// Forgets, then one face step of at most `iterations` of conjugate gradients. False if L did not rise.
  bool face_step(int iterations, Monitor& monitor);
  void forget() { rows_.forget(); }
  /// x anew from the duals, free of drift; returns L less what rounding may have added to it.
  double restore();
  /// Largest (a'x - b) / max|a| over the rows held, at least 0.
  double violation() const;

  const std::vector<double>& x() const { return x_; }
  const ConstraintList& rows() const { return rows_; }

 private:
  class Passes;
  class Face;

  double excess_at(std::ptrdiff_t row, const std::vector<double>& x) const;
  double norm_of(std::ptrdiff_t row) const;
  void step(std::ptrdiff_t row, double start);
  void move_to_duals();

  std::vector<double> start_, inverse_, x_;
  ConstraintList rows_;
};

}  // namespace steelyard::metric
