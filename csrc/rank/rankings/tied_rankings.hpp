// Plackett and Luce's model of rankings with ties.
//
// From the items A that remain, the set C of those placed next is chosen with probability f(C) / Z,
//
//     f(S) = delta_k prod_{i in S} exp(s_i / k),  k = |S|,  delta_1 = 1,     Z = sum_k delta_k e_k(exp(s_A / k)),
//
// over sets of all sizes k that have a tie parameter; e_k is the elementary symmetric polynomial of degree k. On
// pairs this is Davidson's model with delta_2 = nu. A single item that is left says nothing. The log-likelihood
// is concave in (s, log delta): log Z is a log-sum-exp of linear functions of them.
// H. L. Turner, J. van Etten, D. Firth, I. Kosmidis, "Modelling rankings in R: the PlackettLuce package", Comput.
// Statist. 35 (2020).
//
// With T_i = [i in S] / k the curvature is the covariance of T and [k = .] under f / Z. Chances that an item, or
// two, are in S are sums of products of polynomials of the items before and after: positive terms alone. The
// diagonal is minus the sum of the rest of its row, as sum_i T_i = 1. A choice from m items takes O(m D^2) for the
// gradient and O(m^2 D) for the Hessian, D the largest tie; memory O((items + D)^2) for each of at most 16 chunks
// of rankings, fixed by the problem: the same bits for any number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/info.hpp"
#include "core/monitor.hpp"
#include "rank/options.hpp"

namespace steelyard::rank {

inline constexpr int largest_tie = 16;

/// Ranking r lists codes[starts[r]] .. codes[starts[r + 1] - 1], best first; `place` rises by one from a set of tied
/// items to the next.
struct TiedRankings {
  std::int32_t items = 0;
  std::vector<std::int64_t> starts;
  std::vector<std::int32_t> codes, place;
  std::vector<std::int32_t> orders;  ///< sizes of ties that have a parameter, rising, from 2

  std::ptrdiff_t count() const { return std::ssize(starts) - 1; }
  std::ptrdiff_t extra() const { return std::ssize(orders); }
  std::ptrdiff_t size() const { return items + extra(); }
};

struct TiedModel {
  const TiedRankings& rankings;
  std::span<const double> weight;  ///< of rankings; empty: 1
  double prior = 0.0;
};

/// Strengths, then log delta of each order.
using TiedPoint = std::vector<double>;

/// Over all parameters, prior included; second derivatives negated.
struct TiedDerivatives {
  double log_likelihood = 0.0;     ///< without the prior
  std::vector<double> gradient;    ///< items + orders
  std::vector<double> magnitudes;  ///< of it: sums of absolute terms
  std::vector<double> matrix;      ///< its lower triangle, row-major
};

/// False when stopped.
bool evaluate_tied(const TiedModel& model, const TiedPoint& at, TiedDerivatives& out, Monitor& monitor);

/// What each ranking adds to the gradient, weighted: a number a place, and rankings x orders.
struct TiedScores {
  std::vector<double> places, orders;
};
bool find_tied_scores(const TiedModel& model, const TiedPoint& at, TiedScores& out, Monitor& monitor);

struct TiedFit {
  Info info;
  double log_likelihood = 0.0;
  bool hopeless = false;  ///< the maximum is at infinity, or beyond what float64 resolves
};

/// Newton's method (newton_loop.hpp) with dense Cholesky factors; improves `at` in place.
TiedFit fit_tied_rankings(const TiedModel& model, TiedPoint& at, const FitOptions& options, Monitor& monitor);

}  // namespace steelyard::rank
