// Item response: P(right) = g_j + (1 - g_j) sigma(a_j theta_i + c_j), theta standard normal.
//
// The marginal log-likelihood sum_i log int prod_j P(y_ij | theta) phi(theta) dtheta on nodes (response_table.hpp), with
// priors log a ~ N(0, 1 / prior), c ~ N(0, 9 / prior) and g ~ Beta(1 + 4 prior, 1 + 16 prior). a > 0 fixes the sign.
// An evaluation passes twice over the answers; a product with the observed information (complete information less the
// covariance of the scores: Louis, "Finding the observed information matrix when using the EM algorithm", JRSS B 44,
// 1982) likewise: 2 answers nodes additions. Memory: persons x nodes numbers. Same bits for any number of threads.
#pragma once

#include <cstdint>
#include <vector>

#include "core/info.hpp"
#include "core/monitor.hpp"
#include "core/views.hpp"
#include "rank/options.hpp"
#include "rank/responses/response_table.hpp"
#include "simd/responses.hpp"

namespace steelyard::rank {

struct ItemModel {
  bool shared = false;      ///< one discrimination for all items
  bool guessing = false;    ///< is there any guess?
  bool fits_guess = false;  ///< else guesses stand
  double prior = 1.0;
};

struct ItemProblem {
  const ResponseTable& answers;
  ItemModel model;

  std::ptrdiff_t own() const { return model.shared ? 1 : model.fits_guess ? 3 : 2; }  ///< parameters an item
  std::ptrdiff_t size() const { return own() * answers.items + (model.shared ? 1 : 0); }
};

struct ItemPoint {
  std::vector<double> log_slope, intercept, logit_guess;  ///< -infinity: no guess
};

class ItemLikelihood {
 public:
  ItemLikelihood(const ItemProblem& problem, Monitor& monitor) : problem_(problem), monitor_(monitor) {}

  /// Posteriors, gradient and blocks of information. False when stopped; it can then not be used.
  bool evaluate(const ItemPoint& point, const Nodes& nodes);
  double value() const { return log_likelihood_ + log_prior_; }  ///< with the prior
  double log_likelihood() const { return log_likelihood_; }
  const std::vector<double>& gradient() const { return gradient_; }
  /// out = -(Hessian of value) v, over all parameters.
  bool multiply(const double* v, double* out);
  /// out = M^-1 v, M the expected information had abilities been seen: at least the Hessian near the optimum.
  void precondition(const double* v, double* out) const;
  /// By person: moments of the posterior, or on a lattice too coarse for it a parabola at its top.
  std::vector<Place> places() const;
  /// What rounding may make of the gradient, with signs at random. Half the cost of a product.
  bool rounding(std::uint64_t probe, double* out);
  /// X with H X = B (size x columns); false if it does not converge.
  bool solve(MatrixView<const double> b, double* x, double accuracy);

  ItemPoint moved(const ItemPoint& from, const std::vector<double>& direction, double length) const;
  /// The largest change of a t + c or logit g at |t| <= 3.
  double reach(const ItemPoint& at, const std::vector<double>& direction) const;

 private:
  void take(const ItemPoint& point);
  void add_priors();
  simd::ItemBlock block(std::ptrdiff_t begin, std::ptrdiff_t n) const;
  void reduce(const std::vector<double>& by_item, double* out) const;
  void expand(const double* v, std::vector<double>& by_item) const;
  template <class Fill, class After>
  bool forward(double* out, const Fill& fill, const After& after);
  template <class Reduce>
  bool backward(const double* weights, const Reduce& reduce);

  const ItemProblem problem_;
  Monitor& monitor_;
  const Nodes* nodes_ = nullptr;
  std::vector<double> log_slope_, slope_, intercept_, guess_, log_guess_;
  std::vector<double> posterior_, work_, log_posterior_,
      person_;  ///< person_: log-likelihoods, in nodes' order
  std::vector<double> moments_, gradient_, direction_, sums_;
  double log_likelihood_ = 0.0, log_prior_ = 0.0;
};

struct ItemFit {
  Info info;
  ItemPoint point;
  bool joined = false;  ///< EM came to `other`: no more was done
  double log_likelihood = 0.0, objective = 0.0;
  double node_change =
      0.0;              ///< the decrement on doubled nodes: how far the optimum there is, in standard errors
  double finest = 0.0;  ///< smallest step between nodes
  std::ptrdiff_t nodes = 0;  ///< a person
  int cg_iterations = 0;
  std::vector<Place> places;  ///< by person
};

/// Steps of EM (one Newton step on each item), then Newton-CG (newton_loop.hpp), roughly first; nodes follow the
/// posteriors between. A tol of 1e-2 or more is a look at an optimum: nodes are not doubled.
/// `other`: an optimum that is known, or null.
ItemFit fit_items(const ItemProblem& problem, const ItemPoint& start, int em_steps, const ItemPoint* other,
                  const FitOptions& options, Monitor& monitor);

/// X with H X = B (size x columns), H the observed information at a point; empty if that fails.
std::vector<double> solve_items(const ItemProblem& problem, const ItemPoint& point,
                                MatrixView<const double> b, Monitor& monitor);

}  // namespace steelyard::rank
