// The classical fixed-point iterations, in log space so that strengths of +-1000 do not overflow.
//
// Zermelo (MM, synchronous; Hunter, Ann. Statist. 32, 2004), with observed and expected scores:
//   s_i += log( (U_i + a) / (sum_j n_ij q_ij + 2 a sigma(s_i)) ),
//          q = p_win + p_tie / 2,  U_i = wins + ties / 2
// Newman (asynchronous; JMLR 24(238), 2023; ties after his section on Davidson's model):
//   s_i += log( (sum_j u_ij (1 - q_ij) + a sigma(-s_i)) / (sum_j u_ji q_ij + a sigma(s_i)) ),
//          u_ij = w_ij + t_ij / 2
// Rao-Kupper: the same with w_ij + t_ij in place of u_ij and p_win of each side in place of q. After each
// sweep the tie and home parameters are updated in the same manner, and under a prior the common shift is
// solved exactly: without that it is the slowest mode by far.
#pragma once

#include "core/info.hpp"
#include "rank/options.hpp"
#include "rank/paired/strength_system.hpp"

namespace steelyard::rank {

/// One sweep over all items, in place; coefficients of covariates stay. Newman's is sequential by nature;
/// Zermelo's runs in parallel. `exact_shift` acts only under a prior. Returns the largest change of a
/// strength.
double sweep(Sweep kind, const PairProblem& problem, bool exact_shift, Parameters& point, Monitor& monitor);

/// Sweeps until the Newton decrement is at most tol. The decrement is computed when the cheap lower bound
/// max_i |g_i| / sqrt(H_ii) allows it.
Info fit_by_sweeps(Sweep kind, const PairProblem& problem, bool exact_shift, Parameters& point,
                   const FitOptions& options, Monitor& monitor);

}  // namespace steelyard::rank
