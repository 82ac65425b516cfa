// Gibbs sampling of strengths over time by Polya and Gamma's augmentation (Polson, Scott, Windle 2013), for
// wins and losses alone and whole numbers of games.
//
// A cell of n = w + l games brings omega ~ PG(n, x), x = s_left - s_right + e h; an item's logistic first law
// of strength a brings PG(2 a, s_first). Given those, all is normal:
//   log density = sum_cells [(w - l) x / 2 - omega x^2 / 2] + the links' and first laws' squares.
// One sweep draws the omegas, the home advantage (flat prior), then one item's whole history after the other,
// the others held: precision tridiagonal, filtered forwards and sampled backwards; at last the common level
// of all items, which only the first laws hold and single items would change slowly. Now and then all
// strengths are drawn at once instead, by conjugate gradients. No step is rejected, no
// factor is stored: O(games + nodes) time a sweep, O(nodes + cells) memory.
#pragma once

#include <memory>

#include "rank/over_time/chains.hpp"
#include "rank/over_time/history_sampler.hpp"

namespace steelyard::rank {

/// `prior` and all w + l are whole or half numbers so that the counts above are whole. Positions: strengths
/// by node, then the home advantage if there is one. A chain starts from the mode with each item's history
/// moved by a draw of a Wiener process with a first step of standard deviation 1.
std::unique_ptr<Sampler> gibbs(const HistoryProblem& problem, const Parameters& mode, HistoryRecord record,
                               Monitor& monitor);

}  // namespace steelyard::rank
