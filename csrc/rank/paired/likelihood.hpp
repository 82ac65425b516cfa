// Log-likelihood, gradient and Hessian of a paired comparison model.
//
// With B the incidence of the cells, C = diag(curvature) and columns for the tie parameter and the effects
// (home, covariates), the negative Hessian is
//   [ B' C B + diag(prior)   K ;  K'   M ],
// a graph Laplacian with a thin border. One evaluation: one exp a cell (two for Rao-Kupper), O(cells) memory,
// parallel over fixed chunks.
#pragma once

#include <vector>

#include "core/index.hpp"
#include "core/monitor.hpp"
#include "rank/paired/pair_problem.hpp"

namespace steelyard::rank {

/// The columns that shift x by a parameter each: home first, then the covariates.
class Effects {
 public:
  explicit Effects(const PairProblem& problem)
      : graph_(problem.graph), home_(problem.model.home ? 1 : 0), covariates_(problem.model.covariates) {}

  int count() const { return home_ + covariates_; }

  double of(std::size_t edge, int column) const {
    if (column < home_) return graph_.home.empty() ? 0.0 : static_cast<double>(graph_.home[edge]);
    return graph_.covariates[edge * at(covariates_) + at(column - home_)];
  }

  /// What they add to an edge's x.
  double shift(std::size_t edge, const Parameters& point) const {
    double sum = home_ > 0 ? of(edge, 0) * point.home : 0.0;
    for (int c = 0; c < covariates_; ++c) sum += of(edge, home_ + c) * point.coefficients[at(c)];
    return sum;
  }

 private:
  const PairGraph& graph_;
  int home_, covariates_;
};

/// The border's columns: tie first (if the model has one), then the effects.
struct Derivatives {
  std::vector<double> cell_gradient, cell_curvature, cell_cross;  ///< by x; cross: by x and tie (negated)
  std::vector<double> gradient;                                   ///< by strength, prior included
  std::vector<double> diagonal;                                   ///< of the Hessian's strength block
  std::vector<double> prior_curvature;                            ///< empty without a prior
  int extra = 0;                                                  ///< columns of the border
  std::vector<double> border;                                     ///< K, items x extra, row-major
  std::vector<double> extra_gradient;
  std::vector<double> extra_hessian;  ///< M, extra x extra
};

/// False when stopped.
bool evaluate(const PairProblem& problem, const Parameters& point, Derivatives& out, Monitor& monitor);

/// y <- (B' C B + diag(prior)) x for `columns` interleaved vectors; one pass over the graph.
void multiply_hessian(const PairGraph& graph, const Derivatives& d, const std::vector<double>& weights,
                      const double* x, double* y, std::ptrdiff_t columns, Monitor& monitor);

/// Curvatures in the order of the graph's compressed rows: what multiply_hessian and the sparse factor read.
void spread_to_rows(const PairGraph& graph, const std::vector<double>& cell_values,
                    std::vector<double>& row_values, Monitor& monitor);

/// The decrement that rounding within the cells can make at this point, to a small factor. A cell's x is off by
/// eps (|s_i| + |s_j| + |shift|), and each term of its gradient by eps of itself. The terms come to at most
/// |g_k| + 4 c_k, so that the cell adds an error e_k <= eps [|g_k| + c_k (4 + |s_i| + |s_j| + |shift|)] to the
/// gradient along its own edge: by Thomson's principle e_k^2 / c_k at most to g' H^+ g, where g_k's share may
/// as well run through the other edges of i and j.
double rounding(const PairProblem& problem, const Parameters& point, const Derivatives& d);

/// How far the sums over cells can be off, a parameter (strengths, then the border): see rounding_probe.hpp.
std::vector<double> rounding_of_sums(const PairProblem& problem, const Parameters& point,
                                     const Derivatives& d);

/// Log-likelihood of the data (the prior's term left out).
double log_likelihood(const PairProblem& problem, const Parameters& point, Monitor& monitor);

}  // namespace steelyard::rank
