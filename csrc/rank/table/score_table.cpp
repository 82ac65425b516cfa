#include "rank/table/score_table.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "core/pool.hpp"

namespace steelyard::rank {
namespace {

/// The rows `begin` .. `end` of the counts.
void count_rows(const ScoreTable& table, double tolerance, std::ptrdiff_t begin, std::ptrdiff_t end,
                ScoreCounts& counts, Monitor& monitor) {
  const auto samples = std::ssize(table.starts) - 1;
  for (std::ptrdiff_t s = 0; s < samples; ++s) {
    if (s % 64 == 0 && monitor.poll()) return;
    const auto first = table.model.begin() + table.starts[at(s)],
               last = table.model.begin() + table.starts[at(s) + 1];
    const auto from = std::lower_bound(first, last, static_cast<std::int32_t>(begin));
    for (auto row = from; row < last && *row < end; ++row) {
      const double own = table.score[at(row - table.model.begin())];
      double* wins = counts.wins.data() + *row * table.models;
      double* ties = counts.ties.data() + *row * table.models;
      for (auto column = first; column < last; ++column) {
        if (column == row) continue;
        const double lead = table.direction[at(s)] * (own - table.score[at(column - table.model.begin())]);
        if (std::fabs(lead) <= tolerance) {
          ties[*column] += 1.0;
        } else if (lead > 0.0) {
          wins[*column] += 1.0;
        }
      }
    }
  }
}

}  // namespace

ScoreCounts count_scores(const ScoreTable& table, double tolerance, Monitor& monitor) {
  ScoreCounts counts;
  counts.wins.assign(checked_product("working memory", table.models, table.models), 0.0);
  counts.ties.assign(checked_product("working memory", table.models, table.models), 0.0);
  const std::ptrdiff_t chunk = std::max<std::ptrdiff_t>(1, (table.models + 15) / 16);
  parallel_for(table.models, chunk, monitor, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    count_rows(table, tolerance, begin, end, counts, monitor);
  });
  return counts;
}

}  // namespace steelyard::rank
