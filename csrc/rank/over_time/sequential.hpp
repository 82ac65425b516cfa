// Ratings that move with each game, in the order of the games.
//
// Elo: before a game of a and b, a is expected to score
//
//     e = 1 / (1 + 10^(-(r_a - r_b + h) / scale)),   h the home advantage for a,
//
// and with the score s (1 won, 1/2 drawn, 0 lost) r_a += k w g (s - e), r_b -= k w g (s - e), w the game's
// weight and g the factor of its margin m: 1 for m <= 1, 1.5 for 2, (11 + m) / 8 beyond (World Football Elo
// Ratings). O(1) a game. A. Elo, "The Rating of Chessplayers" (1978).
//
// Glicko-2: all games of a period count at once. With mu = (r - 1500) / c, phi = deviation / c,
// c = 400 / ln 10 (Glickman prints 173.7178), g(phi) = 1 / sqrt(1 + 3 phi^2 / pi^2) and
// E = sigma(g(phi_j)(mu - mu_j)):
//
//     v = 1 / sum g^2 E (1 - E),   delta = v sum g (s - E),
//     the volatility sigma' solves f(ln sigma'^2) = 0 (regula falsi, Illinois),
//     phi* = sqrt(phi^2 + sigma'^2),   phi' = 1 / sqrt(1 / phi*^2 + 1 / v),   mu' = mu + phi'^2 sum g (s - E).
//
// Items that rest grow in deviation by their volatility, up to the initial deviation; periods in which nobody
// plays count. M. Glickman,
// "Example of the Glicko-2 system" (2013); J. Appl. Statist. 28 (2001).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/monitor.hpp"

namespace steelyard::rank {

/// One row a game; the columns but the first two may be empty.
struct Games {
  std::span<const std::int32_t> first, second;
  std::span<const std::int8_t> score;  ///< of the first: 1 won, 0 drawn, -1 lost; empty: won
  std::span<const double> weight, margin;
  std::span<const std::int8_t> home;  ///< +1 the first is at home, -1 the second
};

struct EloOptions {
  double k = 32.0, scale = 400.0, home_advantage = 0.0;
};

struct EloPass {
  std::vector<double> first_after, second_after;  ///< ratings after each game, where wanted
  double log_loss = 0.0;                          ///< sum of -ln of what each game's outcome was given
  std::int64_t right = 0, decided = 0;  ///< games not drawn and not tied in rating; of these foreseen
  std::int64_t games = 0;               ///< games done
  std::vector<std::int64_t> played;     ///< by each item
};

/// Moves `ratings` through all games. A draw counts half to each side in log_loss.
EloPass run_elo(const Games& games, const EloOptions& options, bool history, std::span<double> ratings,
                Monitor& monitor);

struct GlickoState {
  std::vector<double> rating, deviation, volatility;
  std::vector<std::int64_t>
      last;  ///< number of the period of the last game, or of the last one before the first
};

struct GlickoOptions {
  double tau = 0.5, most_deviation = 350.0;
};

/// Games of period numbers[p] are rows starts[p] .. starts[p + 1]; the numbers rise, and those left out are periods
/// without games. Rest is added up to the last period. Returns periods with games done.
std::int64_t run_glicko(const Games& games, std::span<const std::int64_t> starts,
                        std::span<const std::int64_t> numbers, const GlickoOptions& options,
                        GlickoState& state, Monitor& monitor);

}  // namespace steelyard::rank
