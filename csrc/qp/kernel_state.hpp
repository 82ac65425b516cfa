// What the parts of the kernel program (kernel_qp.hpp) hand to each other.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "core/index.hpp"
#include "qp/kernel_qp.hpp"

namespace steelyard::qp {

struct GapBound {
  double gap = 0.0, rounding = 0.0, objective = 0.0, terms = 0.0;
};

/// An iterate of before.
struct Past {
  std::vector<double> w;
  std::vector<std::vector<double>> kw;
};

/// An iterate with its slopes.
struct KernelState {
  KernelState(const KernelProblem& given, const KernelOptions& wanted, Monitor& watch);

  const KernelProblem& problem;
  const KernelOptions& options;
  Monitor& monitor;
  std::ptrdiff_t n;
  std::size_t groups;
  std::vector<std::vector<std::ptrdiff_t>> members;
  std::vector<double> middle;           ///< of the points: single precision is taken about it
  std::vector<double> w, slope;         ///< slope = sum of products + ridge w + linear
  std::vector<std::vector<double>> kw;  ///< K w of each group's part
  double kernel_size = 0.0;             ///< of an entry of K, about
  double drift = 0.0;                   ///< what single precision may have left in a slope
  double chain = 0.0;                   ///< additions behind a slope made in double
  std::vector<Past> past;               ///< iterates of before, the oldest first
  bool capped = false;                  ///< some upper bound is finite
  double enough = 0.0;                  ///< of the gap, as `tol` and `gap_tol` ask for

  std::size_t group(std::ptrdiff_t i) const { return problem.groups.empty() ? 0 : at(problem.groups[at(i)]); }
  double ridge(std::ptrdiff_t i) const { return problem.ridge.empty() ? 0.0 : problem.ridge[at(i)]; }

  void start();          ///< w from init, or evenly
  bool refresh();        ///< kw and slope in double, the sums restored; false when stopped
  bool rough_refresh();  ///< in single precision
  void restore_sums();
  void add_up();           ///< slope from kw
  GapBound bound() const;  ///< the gap at w, of slopes that are off by rounding and `drift`
  /// w += length step, with products of the step, one array a group.
  void move(const std::vector<double>& step, const std::vector<std::vector<double>>& product, double length);
  /// The length, at most `most`, of the exact line search along it.
  double best_length(const std::vector<double>& step, const std::vector<std::vector<double>>& product,
                     double most) const;
};

/// The gap of weights from slopes in 106 bits, kernel values and all: what is left is how far the weights are
/// from the least, not what float64 can tell of it. Infinite where it can't be had, or stopped. About 60 ns a
/// pair of a point and one with weight, a microsecond with exponentials.
double wide_gap(const KernelProblem& problem, const std::vector<double>& w, Monitor& monitor);

/// One leaf of a kd split.
struct Leaf {
  std::vector<std::ptrdiff_t> points;  ///< ascending
  std::size_t group = 0;
};

/// Each group cut into leaves of at most `most` points, neighbours next to one another.
std::vector<Leaf> random_leaves(const KernelState& state, std::ptrdiff_t most, std::uint64_t sweep);

}  // namespace steelyard::qp
