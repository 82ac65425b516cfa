// Draws from the posterior of strengths over time.
#pragma once

#include "rank/over_time/chains.hpp"
#include "rank/over_time/history.hpp"

namespace steelyard::rank {

struct HistoryDraws {
  std::span<const std::int64_t> kept;  ///< nodes whose strengths are stored
  float* strengths = nullptr;          ///< chains x draws x kept
  double* extra = nullptr;             ///< chains x draws x (tie, home), as far as the model has them
  double* log_posterior = nullptr;     ///< chains x draws
};

/// Where one chain's draws go.
class HistoryRecord {
 public:
  HistoryRecord(const HistoryDraws& out, const Model& model, std::ptrdiff_t first_draw)
      : out_(out), model_(model), first_(first_draw) {}
  void keep(const Parameters& point, double log_posterior, std::ptrdiff_t draw) const;

 private:
  const HistoryDraws& out_;
  const Model& model_;
  std::ptrdiff_t first_;
};

/// With the normal law at the `mode` by Hamiltonian Monte Carlo; without it by Gibbs sampling, whose conditions
/// see history_gibbs.hpp. The draws do not depend on the number of threads. Returns how many draws every
/// chain has made: options.draws unless stopped.
std::int64_t sample_history(const HistoryProblem& problem, const Parameters& mode,
                            const HistoryPosterior* normal_law, std::vector<Chain>& chains,
                            const ChainOptions& options, std::uint64_t seed, const HistoryDraws& out,
                            Monitor& monitor);

}  // namespace steelyard::rank
