// A table of scores, models by samples with gaps, as counts of who scored higher.
//
// Scores of one sample are comparable with each other alone: within it each pair of models that were scored
// is one comparison, a tie where they differ by no more than `tolerance`. O(sum over samples of (models
// scored)^2) time, 8 models^2 bytes for each of wins and ties. Threads share the rows of the counts: the same
// bits for any number.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/monitor.hpp"

namespace steelyard::rank {

/// Compressed by sample: entries starts[s] .. starts[s + 1] are the models scored, rising, and their scores.
struct ScoreTable {
  std::ptrdiff_t models = 0;
  std::span<const std::int64_t> starts;
  std::span<const std::int32_t> model;
  std::span<const double> score;
  std::span<const std::int8_t> direction;  ///< one a sample: +1 higher is better, -1 lower
};

struct ScoreCounts {
  std::vector<double> wins;  ///< models x models, row beats column
  std::vector<double> ties;  ///< models x models, symmetric
};

/// Unfinished if stopped.
ScoreCounts count_scores(const ScoreTable& table, double tolerance, Monitor& monitor);

}  // namespace steelyard::rank
