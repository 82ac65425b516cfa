#include <algorithm>
#include <functional>

#include "bindings/arrays.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "rank/over_time/sequential.hpp"
#include "rank/table/score_table.hpp"

namespace steelyard::bindings {
namespace {

template <class T>
void check_length(std::span<const T> column, std::size_t n, const char* name) {
  if (!column.empty() && column.size() != n)
    throw py::value_error(std::string(name) + " must have one entry a game");
}

rank::Games make_games(const Array<std::int32_t>& first, const Array<std::int32_t>& second,
                       const OptionalArray<std::int8_t>& score, const OptionalArray<double>& weight,
                       const OptionalArray<double>& margin, const OptionalArray<std::int8_t>& home,
                       std::size_t items) {
  const rank::Games games{vector_view(first, "first"),   vector_view(second, "second"),
                          vector_view(score, "score"),   vector_view(weight, "weight"),
                          vector_view(margin, "margin"), vector_view(home, "home")};
  const auto n = games.first.size();
  check_length(games.second, n, "second");
  check_length(games.score, n, "score");
  check_length(games.weight, n, "weight");
  check_length(games.margin, n, "margin");
  check_length(games.home, n, "home");
  for (std::size_t t = 0; t < n; ++t) {
    const auto a = games.first[t], b = games.second[t];
    if (a < 0 || b < 0 || at(a) >= items || at(b) >= items || a == b)
      throw py::value_error("a game must have two different items");
  }
  return games;
}

py::tuple elo(const Array<std::int32_t>& first, const Array<std::int32_t>& second,
              const OptionalArray<std::int8_t>& score, const OptionalArray<double>& weight,
              const OptionalArray<double>& margin, const OptionalArray<std::int8_t>& home,
              const Array<double>& start, double k, double scale, double home_advantage, bool history) {
  const auto from = vector_view(start, "start");
  std::vector<double> ratings(from.begin(), from.end());
  const auto games = make_games(first, second, score, weight, margin, home, ratings.size());
  const rank::EloOptions options{.k = k, .scale = scale, .home_advantage = home_advantage};
  auto pass = run_partial(1, no_progress, [&](Monitor& monitor) {
                return rank::run_elo(games, options, history, ratings, monitor);
              }).result;
  return py::make_tuple(take(std::move(ratings)), take(std::move(pass.first_after)),
                        take(std::move(pass.second_after)), pass.log_loss, pass.right, pass.decided,
                        pass.games, take(std::move(pass.played)));
}

py::tuple glicko2(const Array<std::int32_t>& first, const Array<std::int32_t>& second,
                  const OptionalArray<std::int8_t>& score, const Array<std::int64_t>& starts,
                  const Array<std::int64_t>& numbers, std::int64_t last, const Array<double>& rating,
                  const Array<double>& deviation, const Array<double>& volatility, double tau,
                  double most_deviation) {
  const auto r = vector_view(rating, "rating"), d = vector_view(deviation, "deviation"),
             s = vector_view(volatility, "volatility");
  if (d.size() != r.size() || s.size() != r.size())
    throw py::value_error("rating, deviation and volatility must be equally long");
  const auto games = make_games(first, second, score, {}, {}, {}, r.size());
  const auto bounds = vector_view(starts, "starts");
  const bool whole = !bounds.empty() && bounds.front() == 0 && bounds.back() == std::ssize(games.first);
  if (!whole || !std::is_sorted(bounds.begin(), bounds.end()))
    throw py::value_error("starts must rise from 0 to the number of games");
  const auto counted = vector_view(numbers, "numbers");
  const bool rises =
      std::adjacent_find(counted.begin(), counted.end(), std::greater_equal<>()) == counted.end();
  if (counted.size() + 1 != bounds.size() || !rises || counted.front() <= last)
    throw py::value_error("numbers must rise from above last, one a period");
  rank::GlickoState state{{r.begin(), r.end()},
                          {d.begin(), d.end()},
                          {s.begin(), s.end()},
                          std::vector<std::int64_t>(r.size(), last)};
  const rank::GlickoOptions options{.tau = tau, .most_deviation = most_deviation};
  const auto done = run_partial(1, no_progress, [&](Monitor& monitor) {
                      return rank::run_glicko(games, bounds, counted, options, state, monitor);
                    }).result;
  return py::make_tuple(take(std::move(state.rating)), take(std::move(state.deviation)),
                        take(std::move(state.volatility)), done);
}

py::tuple count_scores(py::ssize_t models, const Array<std::int64_t>& starts,
                       const Array<std::int32_t>& model, const Array<double>& score,
                       const Array<std::int8_t>& direction, double tolerance, int n_threads) {
  const rank::ScoreTable table{models, vector_view(starts, "starts"), vector_view(model, "model"),
                               vector_view(score, "score"), vector_view(direction, "direction")};
  const bool whole =
      !table.starts.empty() && table.starts.front() == 0 && table.starts.back() == std::ssize(table.model) &&
      table.model.size() == table.score.size() && std::is_sorted(table.starts.begin(), table.starts.end());
  if (!whole || table.direction.size() + 1 != table.starts.size())
    throw py::value_error("starts, model, score and direction must describe a table by samples");
  for (std::size_t s = 0; s + 1 < table.starts.size(); ++s)
    for (auto k = table.starts[s]; k < table.starts[s + 1]; ++k) {
      const auto m = table.model[at(k)];
      if (m < 0 || m >= models || (k > table.starts[s] && m <= table.model[at(k) - 1]))
        throw py::value_error("models of a sample must rise and lie in 0 .. models - 1");
    }
  room_for<double>("models", models, models, 2);
  auto counts = run(n_threads, no_progress,
                    [&](Monitor& monitor) { return rank::count_scores(table, tolerance, monitor); });
  return py::make_tuple(take(std::move(counts.wins), models, models),
                        take(std::move(counts.ties), models, models));
}

}  // namespace

void register_sequential(py::module_& m) {
  m.def("_elo", &elo, "first"_a, "second"_a, "score"_a, "weight"_a, "margin"_a, "home"_a, "start"_a, "k"_a,
        "scale"_a, "home_advantage"_a, "history"_a);
  m.def("_count_scores", &count_scores, "models"_a, "starts"_a, "model"_a, "score"_a, "direction"_a,
        "tolerance"_a, "n_threads"_a = 1);
  m.def("_glicko2", &glicko2, "first"_a, "second"_a, "score"_a, "starts"_a, "numbers"_a, "last"_a, "rating"_a,
        "deviation"_a, "volatility"_a, "tau"_a, "most_deviation"_a);
}

}  // namespace steelyard::bindings
