// Draws from the posterior of strengths over time, by Hamiltonian Monte Carlo about its normal law at the
// mode.
#pragma once

#include "rank/history.hpp"
#include "rank/hmc.hpp"

namespace steelyard::rank {

struct HistoryDraws {
  std::span<const std::int64_t> kept;  ///< nodes whose strengths are stored
  float* strengths = nullptr;          ///< chains x draws x kept
  double* extra = nullptr;             ///< chains x draws x (tie, home), as far as the model has them
  double* log_posterior = nullptr;     ///< chains x draws
};

/// Chains run side by side; the draws do not depend on the number of threads. Returns how many draws every
/// chain has made: options.draws unless stopped.
std::int64_t sample_history(const PairGraph& graph, const Counts& counts, const Model& model,
                            const Timelines& timelines, const Parameters& mode,
                            const HistoryPosterior& posterior, std::vector<Chain>& chains,
                            const ChainOptions& options, std::uint64_t seed, const HistoryDraws& out,
                            Monitor& monitor);

}  // namespace steelyard::rank
