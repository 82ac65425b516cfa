#include "rank/over_time/sequential.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/index.hpp"

namespace steelyard::rank {
namespace {

using std::size_t;

constexpr double tenfold = std::numbers::ln10;
constexpr double glicko_unit = 400.0 / tenfold, glicko_centre = 1500.0;

double factor_of(double margin) { return margin <= 1.0 ? 1.0 : margin <= 2.0 ? 1.5 : (11.0 + margin) / 8.0; }

double score_of(const Games& games, size_t t) {
  return games.score.empty() ? 1.0 : 0.5 + 0.5 * games.score[t];
}

/// The games of one item within a period.
struct Met {
  double slope = 0.0, gain = 0.0;  // sums of g^2 E (1 - E) and g (s - E)
  bool plays = false;
};

double shrink(double phi) {
  return 1.0 / std::sqrt(1.0 + 3.0 * phi * phi / (std::numbers::pi * std::numbers::pi));
}

void meet(double mu, double other, double other_phi, double score, Met& met) {
  const double g = shrink(other_phi), e = 1.0 / (1.0 + std::exp(-g * (mu - other)));
  met.slope += g * g * e * (1.0 - e);
  met.gain += g * (score - e);
  met.plays = true;
}

/// Step 5 of Glickman's example.
double new_volatility(double phi, double sigma, double v, double delta, double tau) {
  if (tau < 1e-12) return sigma;  // to rounding; the search would not move
  const double a = std::log(sigma * sigma);
  const auto f = [&](double x) {
    const double grown = std::exp(x), total = phi * phi + v + grown;
    return grown * (delta * delta - total) / (2.0 * total * total) - (x - a) / (tau * tau);
  };
  double low = a, high = a - tau;
  if (delta * delta > phi * phi + v) {
    high = std::log(delta * delta - phi * phi - v);
  } else {
    while (f(high) < 0.0) high -= tau;
  }
  double f_low = f(low), f_high = f(high);
  for (int step = 0; step < 200 && std::fabs(high - low) > 1e-9; ++step) {
    const double next = low + (low - high) * f_low / (f_high - f_low), f_next = f(next);
    if (f_next * f_high <= 0.0) {
      low = high, f_low = f_high;
    } else {
      f_low *= 0.5;
    }
    high = next, f_high = f_next;
  }
  return std::exp(0.5 * low);
}

/// Deviation after periods without a game.
double rested(double phi, double sigma, std::int64_t periods, double most) {
  return std::min(std::max(most, phi), std::sqrt(phi * phi + static_cast<double>(periods) * sigma * sigma));
}

}  // namespace

EloPass run_elo(const Games& games, const EloOptions& options, bool history, std::span<double> ratings,
                Monitor& monitor) {
  EloPass pass;
  const size_t n = games.first.size();
  if (history) pass.first_after.resize(n), pass.second_after.resize(n);
  const double slope = tenfold / options.scale;
  pass.played.assign(ratings.size(), 0);
  double product = 1.0;  // of the favourites' chances, each at least 1/2: one logarithm for many games
  for (size_t t = 0; t < n; ++t) {
    if (t % 512 == 0) {
      pass.log_loss -= std::log(product);
      product = 1.0;
      if (t % 16384 == 0 && monitor.poll()) break;
    }
    double &a = ratings[at(games.first[t])], &b = ratings[at(games.second[t])];
    const double lead = a - b + (games.home.empty() ? 0.0 : options.home_advantage * games.home[t]);
    const double odds = std::exp(-slope * std::fabs(lead));  // at most 1
    const double favoured = 1.0 / (1.0 + odds), e = lead >= 0.0 ? favoured : odds * favoured;
    const double s = score_of(games, t);
    const double favourite_scores = lead >= 0.0 ? s : 1.0 - s;
    product *= favoured;
    pass.log_loss += (1.0 - favourite_scores) * slope * std::fabs(lead);
    if (s != 0.5 && lead != 0.0) ++pass.decided, pass.right += favourite_scores == 1.0;
    const double step = options.k * (games.weight.empty() ? 1.0 : games.weight[t]) *
                        (games.margin.empty() ? 1.0 : factor_of(games.margin[t])) * (s - e);
    a += step;
    b -= step;
    if (history) pass.first_after[t] = a, pass.second_after[t] = b;
    ++pass.played[at(games.first[t])];
    ++pass.played[at(games.second[t])];
    ++pass.games;
  }
  pass.log_loss -= std::log(product);
  return pass;
}

std::int64_t run_glicko(const Games& games, std::span<const std::int64_t> starts,
                        std::span<const std::int64_t> numbers, const GlickoOptions& options,
                        GlickoState& state, Monitor& monitor) {
  const double most = options.most_deviation / glicko_unit;
  const auto n = state.rating.size();
  std::vector<double> mu(n), phi(n);
  for (size_t i = 0; i < n; ++i) {
    mu[i] = (state.rating[i] - glicko_centre) / glicko_unit;
    phi[i] = state.deviation[i] / glicko_unit;
  }
  std::vector<Met> met(n);
  std::vector<std::int32_t> players;
  const auto periods = std::ssize(numbers);
  std::int64_t p = 0;
  for (; p < periods && !monitor.poll(); ++p) {
    players.clear();
    const auto begin = at(starts[at(p)]);
    const auto end = at(starts[at(p) + 1]);
    for (size_t t = begin; t < end; ++t)
      for (const auto i : {games.first[t], games.second[t]}) {
        const auto own = at(i);
        if (met[own].plays) continue;
        met[own].plays = true;
        players.push_back(i);
        const auto rest = numbers[at(p)] - 1 - state.last[own];
        if (rest > 0) phi[own] = rested(phi[own], state.volatility[own], rest, most);
      }
    for (size_t t = begin; t < end; ++t) {
      const auto a = at(games.first[t]), b = at(games.second[t]);
      const double s = score_of(games, t);
      meet(mu[a], mu[b], phi[b], s, met[a]);
      meet(mu[b], mu[a], phi[a], 1.0 - s, met[b]);
    }
    for (const auto i : players) {
      const auto own = at(i);
      const double v = 1.0 / met[own].slope, delta = v * met[own].gain;
      state.volatility[own] = new_volatility(phi[own], state.volatility[own], v, delta, options.tau);
      const double grown = phi[own] * phi[own] + state.volatility[own] * state.volatility[own];
      phi[own] = 1.0 / std::sqrt(1.0 / grown + met[own].slope);
      mu[own] += phi[own] * phi[own] * met[own].gain;
      state.last[own] = numbers[at(p)];
      met[own] = {};
    }
  }
  for (size_t i = 0; i < n; ++i) {
    const auto rest = p == 0 ? 0 : numbers[at(p - 1)] - state.last[i];
    if (rest > 0) phi[i] = rested(phi[i], state.volatility[i], rest, most);
    state.rating[i] = glicko_centre + glicko_unit * mu[i];
    state.deviation[i] = glicko_unit * phi[i];
  }
  return p;
}

}  // namespace steelyard::rank
