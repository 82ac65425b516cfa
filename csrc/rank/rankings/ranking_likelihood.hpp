// The Plackett-Luce model of rankings.
//
// Item i of strength exp(s_i) is chosen first among the items that remain with probability proportional to
// it. A ranking of items a_1, ..., a_m whose first k places are known (k = m - 1: all; k = 1: one choice) has
//
//     log P = sum_{u <= k} [ s_{a_u} - log sum_{v >= u} exp(s_{a_v}) ],
//
// which is concave in s; with k = 1 and m = 2 it is Bradley and Terry's. Fits maximise sum_r w_r log P_r +
// a sum_i [log sigma(s_i) + log sigma(-s_i)]: as if each item had won and lost a times against an item of
// strength 0. Plackett, Appl. Statist. 24 (1975); Luce, "Individual Choice Behavior" (1959).
//
// Backwards over a ranking, with S_u = sum_{v >= u} exp s: the shares q_u = exp(s_u) / S_u of the item and
// r_u = S_{u+1} / S_u of the others. Forwards C_u = [u <= k] + r_{u-1} C_{u-1}, the expected choices of the
// item at u being q_u C_u. With positive terms throughout,
//     gradient   [u <= k] r_u - q_u r_{u-1} C_{u-1}
//     curvature  q_u (r_u E_u + B_u) on the diagonal, -q_a E_a (r_a ... r_{b-1}) q_b for a < b,
//                E_u = [u <= k] + r_{u-1}^2 E_{u-1},   B_u = r_{u-1} (B_{u-1} + q_{u-1} E_{u-1}),
// and curvature times x, in differences of x alone (a common shift gives 0 exactly):
//     backwards  y_u = x_u - x_{u+1} + r_{u+1} y_{u+1},   forwards  G_{u+1} = r_u (G_u + C_u q_u y_u),
//     at u       q_u (C_u r_u y_u - G_u).
// O(m) a ranking for each of these but the full matrix, which takes O(m^2). Sums over rankings are made in a
// fixed number of chunks, each with its own vector over items, added in order: the same bits for any number
// of threads. Memory O(places + items).
#pragma once

#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "core/index.hpp"
#include "core/monitor.hpp"

namespace steelyard::rank {

inline double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// A place as its item sees it.
struct Standing {
  std::int64_t first = 0;  ///< start of its ranking
  std::int32_t ranking = 0;
  std::int32_t offset = 0;  ///< from there
  bool known = false;       ///< among the known places
};

/// Ranking r lists codes[starts[r]] .. codes[starts[r + 1] - 1], best first; a place is an index into codes.
struct Rankings {
  std::int32_t items = 0;
  std::vector<std::int64_t> starts;
  std::vector<std::int32_t> codes;
  std::vector<std::int32_t> stages;       ///< known places of each ranking
  std::vector<std::int64_t> item_starts;  ///< item i stands at standings[item_starts[i]] and the following
  std::vector<Standing> standings;
  std::vector<std::int64_t> chunks;  ///< first ranking of each chunk, then the number of rankings

  std::span<const Standing> of_item(std::int32_t i) const {
    const auto first = item_starts.begin() + i;
    return {standings.begin() + first[0], standings.begin() + first[1]};
  }
  std::ptrdiff_t count() const { return std::ssize(stages); }
  std::ptrdiff_t places() const { return std::ssize(codes); }
};

/// The first place whose item its ranking has listed already; -1 if there is none.
std::int64_t repeated_place(std::span<const std::int64_t> starts, std::span<const std::int32_t> codes,
                            std::int32_t items);

/// Fills the side by items and the chunks. Unfinished if stopped.
void prepare(Rankings& rankings, Monitor& monitor);

/// What is fitted: rankings, a weight for each (empty: 1) and the prior's strength.
struct RankingModel {
  const Rankings& rankings;
  std::span<const double> weight;
  double prior = 0.0;

  double weight_of(std::ptrdiff_t r) const { return weight.empty() ? 1.0 : weight[at(r)]; }
};

struct Share {
  double own = 0.0;     ///< q_u
  double others = 0.0;  ///< r_u, 0 at the last place
};

/// The shares at every place; false if stopped.
bool find_shares(const Rankings& rankings, std::span<const double> strengths, std::vector<Share>& shares,
                 Monitor& monitor);

/// Prior included. A default-made one can be reused for any number of points.
struct RankingDerivatives {
  std::vector<Share> shares;            ///< a place
  std::vector<double> gradient;         ///< an item
  std::vector<double> diagonal;         ///< of minus the Hessian
  std::vector<double> prior_curvature;  ///< empty without a prior
  std::vector<double> parts;            ///< of sums, by chunk and item
};

/// False if stopped.
bool differentiate(const RankingModel& model, std::span<const double> strengths, RankingDerivatives& out,
                   Monitor& monitor);

/// Expected choices of each item, weighted; without the prior. Fills out.shares. False if stopped.
bool expected_choices(const RankingModel& model, std::span<const double> strengths, RankingDerivatives& out,
                      std::vector<double>& expected, Monitor& monitor);

/// y <- (minus the Hessian) x for `columns` interleaved vectors.
void multiply_hessian(const RankingModel& model, RankingDerivatives& at, const double* x, double* y,
                      std::ptrdiff_t columns, Monitor& monitor);

/// The lower triangle of minus the Hessian, items x items. On one thread. False if stopped.
bool fill_hessian(const RankingModel& model, const RankingDerivatives& at, std::vector<double>& matrix,
                  Monitor& monitor);

/// Number of ordered pairs of places within the rankings.
double pair_count(const Rankings& rankings);

/// The off-diagonal of minus the Hessian as compressed rows, an entry for each ordered pair of places: those
/// of the same two items are to be added.
struct RankingPairs {
  std::vector<std::int64_t> offsets;  ///< items + 1
  std::vector<std::int32_t> indices;
  std::vector<double> values;
};

/// In the same order each time. False if stopped.
bool fill_pairs(const RankingModel& model, const std::vector<Share>& shares, RankingPairs& out,
                Monitor& monitor);

/// At each place what its ranking adds to the gradient, weighted; false if stopped.
bool find_scores(const RankingModel& model, const std::vector<Share>& shares, std::vector<double>& scores,
                 Monitor& monitor);

/// Minus the off-diagonal curvature that one ranking gives to its places a < b.
double conductance(const RankingModel& model, const std::vector<Share>& shares, std::ptrdiff_t ranking,
                   std::ptrdiff_t a, std::ptrdiff_t b);

/// Weighted, without the prior.
double log_likelihood(const RankingModel& model, std::span<const double> strengths, Monitor& monitor);

}  // namespace steelyard::rank
