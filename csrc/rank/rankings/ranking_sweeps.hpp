// The classical fixed-point iterations for rankings, in log space.
//
// With the shares q, r and the expected choices q C of ranking_likelihood.hpp, and a the prior's strength:
// Zermelo (MM, synchronous; Hunter, Ann. Statist. 32, 2004), by observed and expected choices:
//   s_i += log( (U_i + a) / (sum w q C + 2 a sigma(s_i)) ),     U_i = sum w [u <= k]
// Newman (asynchronous; JMLR 24(238), 2023; Yeung, Kaiser and Radicchi, arXiv 2501.16565), each choice of i
// weighed by the chance of another one, against the expected choices where another one was made:
//   s_i += log( (sum w [u <= k] r + a sigma(-s_i)) / (sum w q (C - [u <= k]) + a sigma(s_i)) )
// The sums run over the places of i. In both, numerator minus denominator is the derivative of the log
// posterior by s_i, so a fixed point is its one maximum. No update of Newman's lowers the log posterior: with
// x = exp(s_i), log(x / (A + x)) is convex in 1 / x and -log(B + x) convex in x, so that tangents bound the
// posterior from below by c - x0 P(x0) / x - x D(x0), P the numerator, D the denominator over x0; this is as
// high at Newman's x = P / D as at x0. On rankings of two it is the iteration of sweeps.hpp, item after item.
//
// Cost of a sweep: Zermelo O(places); Newman O(sum over places u of min(u, k)), since each update changes the
// shares of all earlier places.
#pragma once

#include "core/info.hpp"
#include "rank/options.hpp"
#include "rank/rankings/ranking_system.hpp"

namespace steelyard::rank {

class RankingSweeps {
 public:
  explicit RankingSweeps(const RankingModel& model);

  /// One sweep over all items, then mean 0 without a prior; with one, Newman's takes the best common shift.
  /// Returns the largest change of a strength.
  double sweep(Sweep kind, std::vector<double>& strengths, Monitor& monitor);

 private:
  void zermelo(std::vector<double>& strengths, Monitor& monitor);
  void newman(std::vector<double>& strengths, Monitor& monitor);
  void gather_tails();
  double change_of(std::int32_t item, double strength, Monitor& monitor);
  void multiply(std::int32_t item, double factor);
  double sum_of_tail(std::size_t ranking) const;
  void fetch(const Standing& standing) const;

  RankingModel model_;
  std::vector<double> chosen_, expected_;
  RankingDerivatives now_;
  std::vector<double> tails_;  ///< sum of the items of unknown place, against that at the start of the sweep
  std::vector<double> before_;
  std::int64_t work_ = 0;
};

/// Sweeps until the Newton decrement is at most tol; it is computed when its cheap lower bound allows it.
Info fit_rankings_by_sweeps(Sweep kind, const RankingModel& model, std::vector<double>& strengths,
                            const FitOptions& options, Monitor& monitor);

}  // namespace steelyard::rank
