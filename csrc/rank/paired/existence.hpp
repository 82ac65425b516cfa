// Is the optimum finite and unique where covariates take part?
//
// Unique: with the Schur complement S of the border (strengths eliminated), a column is determined by those
// before it, or by the items, exactly if its pivot in S vanishes; whatever the point.
//
// Finite: minus the log-likelihood f is a sum of terms, each with |f_k'''| <= r_k f_k'' along any direction
// d, r_k being the range over the outcomes of what d adds to their log-odds, and d'H d >= m_k r_k^2 with
//   m_k = n p (1 - p) (no ties)   n min(p_win, p_tie, p_loss) / 2 (Davidson)   c sigma sigma' (Rao-Kupper)
// and likewise for the prior and Rao-Kupper's threshold. So f'' falls along d no faster than exp(-t r),
// r <= |d|_H / sqrt(m) for the least m_k = m, and f rises at last along every ray, that is, has its minimum,
// if the Newton decrement is below sqrt(m) (compare Bach, "Self-concordant analysis for logistic regression",
// Electron. J. Stat. 4, 2010). The same holds with H and m of some of the terms only, since the others do not
// make f'' smaller: cells that are all but certain (outlying z), whose m is tiny, may be left out. Where
// there is no finite optimum this never holds: the decrement and sqrt(m) fall together, and Newton's
// direction becomes one along which the likelihood never falls.
#pragma once

#include <optional>

#include "rank/paired/border.hpp"
#include "rank/paired/strength_system.hpp"

namespace steelyard::rank {

/// The first column of the border that the strengths and the columns before it determine (its pivot is below
/// 1e-9 of its own curvature). Empty if there is none, or if the work was stopped.
std::optional<int> dependent_column(const PairProblem& problem, const Parameters& point, Linear linear,
                                    Monitor& monitor);

/// sqrt(m): a smaller Newton decrement at this point proves that the optimum is finite. O(cells).
double proving_decrement(const PairProblem& problem, const Parameters& point);

/// Whether the optimum is proven to be finite at a point of this Newton decrement, from all cells or, by one
/// more solve, without those whose m is below the larger of 1e4 decrement^2 and 1e-24.
bool proves_finite(const PairProblem& problem, const Parameters& point, double decrement, Linear linear,
                   Monitor& monitor);

/// Whether the likelihood never falls along the direction: no outcome seen becomes less likely, up to 1e-6 of
/// what the parts of its own change add up to and `rest` of the largest change.
bool recedes(const PairProblem& problem, const NewtonDirection& direction, double rest);

}  // namespace steelyard::rank
