// Strengths that change over time (Whole-History Rating, Coulom 2008), all items and dates found together.
//
// A node is one item on one date on which it was compared; an item's nodes are a chain in order of time.
// Maximise over the nodes' strengths s, and the tie and home parameters,
//   sum_cells log p(cell | s_left - s_right + e h)  -  1/2 sum_links precision_k (s_k - s_{k-1})^2
//   + sum_items prior [log sigma(s_first) + log sigma(-s_first)]
//   - 1/2 sum_items first_precision (s_first - first_mean)^2
// with link precision 1 / (volatility^2 dt): a Wiener process seen on those dates. Held nodes keep their
// strength. Concave, with one maximum where the gradient vanishes if the first law is proper.
//
// Newton's H = [A K; K' M] as in border.hpp. A = B'CB (the cells' Laplacian) + chains: conjugate gradients
// preconditioned by A's blocks along the chains, each tridiagonal and solved exactly.
// Certificate: A >= C, the links and first laws alone, so that r'A^{-1}r <= r'C^{-1}r, one tridiagonal solve.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/index.hpp"
#include "core/info.hpp"
#include "linalg/sparse_cholesky.hpp"
#include "rank/options.hpp"
#include "rank/paired/border.hpp"

namespace steelyard::rank {

struct Timelines {
  std::span<const std::int64_t> starts;  ///< items + 1: the nodes of item i are starts[i] .. starts[i + 1]
  std::span<const double> precision;     ///< of the link to the node before; not read at a start
  std::span<const std::int8_t> held;     ///< one a node; empty: none
  double prior = 0.0;                    ///< wins and losses against strength 0 on the first date
  double first_mean = 0.0, first_precision = 0.0;  ///< normal law of the first strength; 0: none

  bool is_held(std::ptrdiff_t node) const { return !held.empty() && held[at(node)] != 0; }
  std::ptrdiff_t items() const { return std::ssize(starts) - 1; }

  /// visit(item, first, last) for the chain of each of some items, nodes first .. last - 1; none that is empty.
  template <class Visit>
  void each_chain(std::ptrdiff_t begin, std::ptrdiff_t end, const Visit& visit) const {
    for (auto item = begin; item < end; ++item) {
      const auto i = at(item);
      const std::ptrdiff_t first = starts[i], last = starts[i + 1];
      if (first < last) visit(item, first, last);
    }
  }
  template <class Visit>
  void each_chain(const Visit& visit) const {
    each_chain(0, items(), visit);
  }
};

/// Games between nodes, and the laws along their chains. The games' own prior is 0.
struct HistoryProblem {
  PairProblem games;
  Timelines lines;
};

/// The problem at one point.
class HistorySystem {
 public:
  explicit HistorySystem(const HistoryProblem& problem);

  /// Gradient and the Hessian's diagonal and border there. False when stopped.
  bool differentiate(const Parameters& at, Monitor& monitor);

  /// Up to a constant.
  double log_posterior(const Parameters& at, Monitor& monitor) const;

  /// `differentiate`, and what the directions need.
  bool evaluate(const Parameters& at, Monitor& monitor);
  /// First laws with the slope of their secant through 0, from above, instead of their curvature.
  void take_secants(bool secant) { secant_ = secant; }
  bool secant() const { return secant_; }
  const Derivatives& derivatives() const { return d_; }
  /// The decrement that rounding alone can make there: of the games, the links and the first laws, which alone
  /// hold a common shift against the rounding of sums.
  double rounding(const Parameters& at) const;
  const std::vector<double>& row_curvature() const { return weights_; }  ///< of the graph's row entries

  /// g'd for the gradient of the last `evaluate`.
  double slope_along(const NewtonDirection& direction) const;

  /// A with these curvatures instead: of the cells, and of the items' first laws.
  void take_curvatures(const std::vector<double>& cells, const std::vector<double>& laws, Monitor& monitor);

  /// x <- A^{-1} b on the nodes that are not held, 0 there on entry; `accuracy` relative in M^{-1}'s norm.
  /// False when failed or stopped.
  bool solve(const double* b, double* x, double accuracy, int& iterations, Monitor& monitor) const;

  /// Certified; `accuracy` is relative, of the conjugate gradients. False: failed or stopped.
  bool direction(double accuracy, NewtonDirection& out, Monitor& monitor);

 private:
  void multiply(const double* x, double* y, std::ptrdiff_t columns, Monitor& monitor) const;
  void factor_chains(Monitor& monitor);
  void solve_chains(const double* b, double* x, std::ptrdiff_t columns, Monitor& monitor) const;
  double link_energy(const double* residual, std::ptrdiff_t stride) const;
  void add_laws(const Parameters& at);
  void hold();

  PairProblem games_;
  Timelines lines_;
  Derivatives d_;
  bool secant_ = false;
  std::vector<double> weights_;        ///< curvatures in row order
  std::vector<double> law_curvature_;  ///< of each node's first law, 0 elsewhere
  std::vector<double> pivot_, ratio_;  ///< of the chain blocks: x_k += ratio * x_{k-1} forward
};

/// Newton from `at` until the decrement's bound is at most tol.
Info fit_history(const HistoryProblem& problem, Parameters& at, const FitOptions& options, Monitor& monitor);

/// The normal law at the optimum (Laplace): covariance H^{-1}, opponents not held fixed.
class HistoryPosterior {
 public:
  struct Limits {
    double flops = 1e15;
    double bytes = 4e9;  ///< of the factor and the fronts beside it, about
  };
  struct Marginals {
    std::vector<double> variance;         ///< one a node
    std::vector<double> link_covariance;  ///< with the node before; 0 at a start
  };

  /// nullopt when over the limits (then `needed_bytes` says how much, 0 where only the flops are too many),
  /// not positive definite, or stopped.
  static std::optional<HistoryPosterior> find(const HistoryProblem& problem, const Parameters& parameters,
                                              const Limits& limits, double& needed_bytes, Monitor& monitor);

  /// False when stopped.
  bool marginals(Marginals& out, Monitor& monitor) const;

  /// X <- H^{-1} B over nodes, tie, home: (nodes + extra) x columns, row-major.
  void solve(double* b, std::ptrdiff_t columns) const;

  /// theta <- T xi with T T' = H^{-1}: standard normal numbers become a draw about the mode. One column.
  void spread(const double* xi, double* theta) const;
  /// out <- T' gradient.
  void gather(const double* gradient, double* out) const;

  double log_determinant() const;                              ///< of H
  std::int64_t entries() const { return factor_->entries(); }  ///< of A's factor
  std::ptrdiff_t size() const { return nodes_ + border_.size(); }

 private:
  bool is_held(std::ptrdiff_t k) const { return !held_.empty() && held_[at(k)] != 0; }

  std::optional<linalg::SparseCholesky> factor_;
  std::ptrdiff_t nodes_ = 0;
  Small border_;                       ///< the Schur complement's factor
  std::vector<double> solved_;         ///< A^{-1} K, nodes x extra
  std::vector<std::int32_t> link_of_;  ///< by entry of the pattern: see HistorySystem::link_of
  std::vector<std::int8_t> held_;
};

}  // namespace steelyard::rank
