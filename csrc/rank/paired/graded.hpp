// Paired comparisons whose outcome is one of K grades, from "right is much better" (0) to "left is much better"
// (K - 1), symmetric: swapping the sides reverses the order.
//
// With x = s_i - s_j + e h + z . b as in model.hpp and m = (K - 1) / 2 (rounded down) free thresholds:
//   cumulative  P(grade < j) = sigma(t_j - x), t_j = -t_{K-j}, 0 < t rising above the middle (0 for j = K / 2).
//               With d = u - l the width of a grade between l = t_k - x and u = t_{k+1} - x,
//                   log p = log sigma(u) + log sigma(-l) + log(1 - e^{-d}),
//               where d does not depend on x. K = 3 is Rao and Kupper's model, t = log theta.
//   adjacent    log p_k = (k / (K - 1) - 1/2) x + b_k - log Z, b_k = b_{K-1-k}, 0 for the outermost grades:
//               p_{K-1} / p_0 = e^x. K = 3 is Davidson's model, b = log nu.
// K = 2 is Bradley and Terry's in both. The log-likelihood is concave in (s, t, h, b): Pratt, "Concavity of the log
// likelihood", JASA 76 (1981); Agresti, "Analysis of ordinal paired comparison data", Appl. Statist. 41 (1992).
// Counts may be fractions. One evaluation is O(cells K), memory O(cells m), parallel over fixed chunks.
#pragma once

#include <span>
#include <vector>

#include "core/info.hpp"
#include "core/monitor.hpp"
#include "rank/options.hpp"
#include "rank/paired/strength_system.hpp"

namespace steelyard::rank {

enum class GradeLink { cumulative, adjacent };
inline constexpr int most_grades = 32;

/// Log chance of a grade and its derivatives; second ones negated.
struct GradeTerms {
  double log_chance = 0.0, by_x = 0.0, curvature = 0.0;
  double terms = 0.0;                                ///< sum of the absolute terms of by_x
  std::vector<double> by_threshold, cross, hessian;  ///< m, m, m x m
};

class GradeLaw {
 public:
  GradeLaw(GradeLink link, int grades, std::vector<double> thresholds);

  int grades() const { return grades_; }
  int free() const { return static_cast<int>(thresholds_.size()); }
  /// Of every grade at x.
  void at(double x, std::vector<GradeTerms>& out) const;

 private:
  struct Boundary {
    double at = 0.0, sign = 0.0;  ///< t, and its derivative by thresholds_[index]
    int index = -1;
  };
  Boundary boundary(int j) const;  ///< 1 <= j < K
  void cumulative(double x, std::vector<GradeTerms>& out) const;
  void adjacent(double x, std::vector<GradeTerms>& out) const;

  GradeLink link_;
  int grades_;
  std::vector<double> thresholds_;
};

/// The graph and the counts (edges x grades, of the left item) are the caller's.
struct GradedProblem {
  const PairGraph& graph;
  std::span<const double> counts;
  int grades = 2;
  GradeLink link = GradeLink::cumulative;
  bool home = false;
  double prior = 0.0;
  int covariates = 0;

  int free() const { return (grades - 1) / 2; }
  int effects() const { return covariates + (home ? 1 : 0); }
  int extra() const { return free() + effects(); }
  /// What the linear solvers ask: the prior.
  Model model() const { return {Ties::none, home, prior, 0}; }
  /// What an effect, home first, is multiplied by in a cell.
  double effect(std::size_t cell, int k) const;
};

struct GradedPoint {
  std::vector<double> strengths, thresholds, effects;  ///< effects: home if fitted, then coefficients
};

struct GradedDerivatives {
  Derivatives all;                 ///< border: thresholds first, then effects
  std::vector<double> magnitudes;  ///< of the border's gradients: sums of absolute terms
  std::vector<double> cell_terms;  ///< likewise of each cell's gradient by x
  double log_likelihood = 0.0;     ///< without the prior
};

/// False when stopped.
bool evaluate(const GradedProblem& problem, const GradedPoint& point, GradedDerivatives& out,
              Monitor& monitor);

struct GradedFit {
  Info info;
  GradedPoint point;
  double log_likelihood = 0.0;
  double reach = 0.0;  ///< of the last direction: near 1 where the optimum is at infinity
};

/// Newton's method (newton_loop.hpp) with the linear solvers of strength_system.hpp. Where the decrement meets tol
/// but the step still changes an argument by more than 1/2, the maximum is not there: not converged.
GradedFit fit_graded(const GradedProblem& problem, const GradedPoint& start, const FitOptions& options,
                     Monitor& monitor);

}  // namespace steelyard::rank
