// The laws by which a bootstrap round draws its votes.
//
//   bayesian     every vote gets an exponential weight (Rubin, Ann. Statist. 9, 1981). The weights of a
//                cell's n votes add up to a gamma variate of shape n; votes with sampling weights are
//                matched in mean and variance by shape (sum w)^2 / sum w^2. No cell becomes empty, so a
//                finite optimum stays finite.
//   multinomial  as many votes as there were, drawn with replacement: exact binomials cell after cell.
//   cluster      as many clusters as there were, drawn with replacement, each with all its votes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/random.hpp"
#include "rank/paired/pair_problem.hpp"

namespace steelyard::rank {

enum class Resampling { bayesian, multinomial, cluster };

/// Ties as the model has them, as half a win to each side, or left out.
enum class TieUse { model, half, drop };

/// Votes of each cluster, in rows of any order.
struct ClusterRows {
  std::span<const std::int32_t> cluster;       ///< of each row
  std::span<const std::uint32_t> edge;         ///< of each row
  std::span<const double> wins, losses, ties;  ///< of each row; ties empty if there are none
  std::int32_t count = 0;                      ///< number of clusters
};

/// Counts that are one's own.
struct RoundCounts {
  std::vector<double> wins, losses, ties;

  Counts counts() const { return {wins, losses, ties}; }
};

class Resampler {
 public:
  /// Both must outlive it. The graph carries the votes and their squares as they are.
  Resampler(const PairGraph& graph, const ClusterRows& clusters, Resampling method, TieUse ties)
      : graph_(graph), clusters_(clusters), method_(method), ties_(ties) {}

  /// A round's votes.
  void draw(Random& random, RoundCounts& votes);

 private:
  void draw_weights(Random& random, RoundCounts& votes) const;
  void draw_votes(Random& random, RoundCounts& votes) const;
  void draw_clusters(Random& random, RoundCounts& votes);

  const PairGraph& graph_;
  const ClusterRows& clusters_;
  Resampling method_;
  TieUse ties_;
  std::vector<double> times_;  ///< that each cluster was drawn
};

}  // namespace steelyard::rank
