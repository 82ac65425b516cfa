#include "rank/paired/resampling.hpp"

#include <algorithm>

#include "core/index.hpp"

namespace steelyard::rank {
namespace {

using std::size_t;

double resampled(Random& random, double sum, double squares) {
  if (!(sum > 0.0)) return 0.0;
  if (squares == sum) return random.gamma(sum);  // unit weights
  return random.gamma(sum * sum / squares) * (squares / sum);
}

void draw_column(Random& random, std::span<const double> sums, std::span<const double> squares,
                 std::vector<double>& out) {
  for (size_t k = 0; k < sums.size(); ++k)
    out[k] = resampled(random, sums[k], squares.empty() ? sums[k] : squares[k]);
}

/// Exact multinomial as a chain of binomials.
class MultinomialDraw {
 public:
  MultinomialDraw(Random& random, double votes)
      : random_(random), votes_(votes), left_(static_cast<std::int64_t>(votes)) {}

  double take(double count) {
    if (!(count > 0.0)) return 0.0;
    const auto drawn = random_.binomial(left_, std::min(1.0, count / votes_));
    left_ -= drawn;
    votes_ -= count;
    return static_cast<double>(drawn);
  }

 private:
  Random& random_;
  double votes_;
  std::int64_t left_;
};

}  // namespace

void Resampler::draw(Random& random, RoundCounts& votes) {
  votes.wins.assign(graph_.wins.size(), 0.0);
  votes.losses.assign(graph_.wins.size(), 0.0);
  votes.ties.assign(ties_ == TieUse::drop ? 0 : graph_.ties.size(), 0.0);
  switch (method_) {
    case Resampling::bayesian:
      draw_weights(random, votes);
      break;
    case Resampling::multinomial:
      draw_votes(random, votes);
      break;
    case Resampling::cluster:
      draw_clusters(random, votes);
  }
  if (ties_ != TieUse::half) return;
  for (size_t k = 0; k < votes.ties.size(); ++k) {
    votes.wins[k] += 0.5 * votes.ties[k];
    votes.losses[k] += 0.5 * votes.ties[k];
  }
  votes.ties.clear();
}

void Resampler::draw_weights(Random& random, RoundCounts& votes) const {
  draw_column(random, graph_.wins, graph_.left_squared, votes.wins);
  draw_column(random, graph_.losses, graph_.right_squared, votes.losses);
  if (!votes.ties.empty()) draw_column(random, graph_.ties, graph_.ties_squared, votes.ties);
}

void Resampler::draw_votes(Random& random, RoundCounts& votes) const {
  double total = 0.0;
  for (size_t k = 0; k < votes.wins.size(); ++k) {
    total += graph_.wins[k] + graph_.losses[k] + (votes.ties.empty() ? 0.0 : graph_.ties[k]);
  }
  MultinomialDraw next(random, total);
  for (size_t k = 0; k < votes.wins.size(); ++k) {
    votes.wins[k] = next.take(graph_.wins[k]);
    votes.losses[k] = next.take(graph_.losses[k]);
    if (!votes.ties.empty()) votes.ties[k] = next.take(graph_.ties[k]);
  }
}

void Resampler::draw_clusters(Random& random, RoundCounts& votes) {
  const auto& rows = clusters_;
  times_.assign(at(rows.count), 0.0);
  for (std::int32_t c = 0; c < rows.count; ++c) times_[at(random.below(rows.count))] += 1.0;
  for (size_t row = 0; row < rows.cluster.size(); ++row) {
    const double times = times_[at(rows.cluster[row])];
    if (times == 0.0) continue;
    const auto k = rows.edge[row];
    votes.wins[k] += times * rows.wins[row];
    votes.losses[k] += times * rows.losses[row];
    if (!votes.ties.empty()) votes.ties[k] += times * rows.ties[row];
  }
}

}  // namespace steelyard::rank
