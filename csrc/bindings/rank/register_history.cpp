#include <memory>

#include "bindings/arrays.hpp"
#include "bindings/rank/chains.hpp"
#include "bindings/rank/pair_problem.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "rank/over_time/history_sampler.hpp"
#include "rank/paired/pair_fit.hpp"

namespace steelyard::bindings {
namespace {

rank::Timelines make_timelines(const rank::PairGraph& graph, const Array<std::int64_t>& starts,
                               const Array<double>& precision, const OptionalArray<std::int8_t>& held,
                               double prior, double first_mean, double first_precision) {
  const rank::Timelines lines{vector_view(starts, "starts"),
                              vector_view(precision, "precision"),
                              vector_view(held, "held"),
                              prior,
                              first_mean,
                              first_precision};
  const auto nodes = at(graph.items);
  if (lines.starts.empty() || lines.starts.front() != 0 || lines.starts.back() != graph.items ||
      lines.precision.size() != nodes || (held && lines.held.size() != nodes))
    throw py::value_error("starts, precision and held must describe the nodes of the graph");
  for (std::size_t i = 0; i + 1 < lines.starts.size(); ++i) {
    const auto first = lines.starts[i], last = lines.starts[i + 1];
    if (last < first) throw py::value_error("starts must not fall");
    for (auto k = first; k < last; ++k) {
      if (k > first && !(lines.precision[at(k)] > 0.0))
        throw py::value_error("precision must be positive within an item");
      if (lines.is_held(k) && last - first > 1) throw py::value_error("a held item must have one node");
    }
  }
  return lines;
}

/// Games between nodes and the laws along their chains; keeps the arrays that it views. The games are kept
/// alive by the binding.
class HistoryProblem {
 public:
  HistoryProblem(const PairProblem& games, Array<std::int64_t> starts, Array<double> precision,
                 OptionalArray<std::int8_t> held, double prior, double first_mean, double first_precision)
      : games_(games),
        starts_(std::move(starts)),
        precision_(std::move(precision)),
        held_(std::move(held)),
        problem_{games.view(), make_timelines(games.view().graph, starts_, precision_, held_, prior,
                                              first_mean, first_precision)} {
    if (problem_.games.model.covariates > 0) throw py::value_error("games over time take no covariates");
    problem_.games.model.prior = 0.0;  // the first laws are the timelines'
  }
  HistoryProblem(const HistoryProblem&) = delete;
  HistoryProblem& operator=(const HistoryProblem&) = delete;

  const rank::HistoryProblem& view() const { return problem_; }
  const PairProblem& games() const { return games_; }
  const Array<double>& precision() const { return precision_; }

 private:
  const PairProblem& games_;
  Array<std::int64_t> starts_;
  Array<double> precision_;
  OptionalArray<std::int8_t> held_;
  rank::HistoryProblem problem_;
};

py::dict fit_history(const HistoryProblem& self, const PairPoint& start, double tol, int max_iter,
                     int n_threads, const py::object& progress) {
  const auto& problem = self.view();
  check_point(problem.games, start);
  auto point = start.at;
  double log_likelihood = 0.0;
  const auto info = run_partial(n_threads, progress, [&](Monitor& monitor) {
                      auto found = rank::fit_history(problem, point, {tol, max_iter}, monitor);
                      log_likelihood = rank::final_log_likelihood(problem.games, point, n_threads);
                      return found;
                    }).result;
  return py::dict("strengths"_a = take(std::move(point.strengths)), "tie"_a = point.tie,
                  "home"_a = point.home, "log_likelihood"_a = log_likelihood, "info"_a = to_dict(info));
}

/// (posterior, bytes it needs); None for a posterior over the limits or not positive definite.
py::tuple posterior(const HistoryProblem& self, const PairPoint& mode, double max_flops, double max_bytes,
                    int n_threads) {
  check_point(self.view().games, mode);
  double needed = 0.0;
  auto found = run(n_threads, no_progress, [&](Monitor& monitor) {
    return rank::HistoryPosterior::find(self.view(), mode.at, {max_flops, max_bytes}, needed, monitor);
  });
  if (!found) return py::make_tuple(py::none(), needed);
  return py::make_tuple(std::make_unique<rank::HistoryPosterior>(std::move(*found)), needed);
}

py::tuple marginals(const rank::HistoryPosterior& self) {
  auto out = run(1, no_progress, [&](Monitor& monitor) {
    rank::HistoryPosterior::Marginals found;
    self.marginals(found, monitor);
    return found;
  });
  return py::make_tuple(take(std::move(out.variance)), take(std::move(out.link_covariance)));
}

py::array_t<double> solve_posterior(const rank::HistoryPosterior& self, const Array<double>& b) {
  const auto view = matrix_view(b, "b");
  if (view.rows != self.size()) throw py::value_error("b must have one row a parameter");
  std::vector<double> x(view.data, view.data + view.rows * view.cols);
  run(1, no_progress, [&](Monitor&) { self.solve(x.data(), view.cols); });
  return take(std::move(x), view.rows, view.cols);
}

/// Chains as (position, step, moves); they go on where `chains` ended. The draws are chains x draws x ...
/// Without a posterior by Gibbs sampling.
py::dict sample_history(const HistoryProblem& self, const PairPoint& mode,
                        const rank::HistoryPosterior* posterior, const OptionalArray<double>& positions,
                        const OptionalArray<double>& steps, const OptionalArray<std::int64_t>& moves,
                        std::int64_t n_chains, std::int64_t warmup, std::int64_t draws,
                        const Array<std::int64_t>& kept, std::uint64_t seed, int n_threads,
                        const py::object& progress) {
  const auto& graph = self.view().games.graph;
  const auto& model = self.view().games.model;
  check_point(self.view().games, mode);
  if (posterior == nullptr && model.ties != rank::Ties::none)
    throw py::value_error("Gibbs sampling is for wins and losses alone");
  const auto nodes = vector_view(kept, "kept");
  for (const auto k : nodes)
    if (k < 0 || k >= graph.items) throw py::value_error("kept must name nodes");
  const std::ptrdiff_t whole = graph.items + model.extra();
  if (posterior != nullptr && posterior->size() != whole)
    throw py::value_error("posterior must be that of this problem");
  auto chains = read_chains(positions, steps, moves, n_chains, warmup, draws, whole);
  const auto rows = room_for<double>("n_draws", n_chains, draws);
  const auto kept_numbers = room_for<float>("n_draws", n_chains, draws, nodes.size());
  std::vector<float> kept_strengths(kept_numbers);
  std::vector<double> extra(room_for<double>("n_draws", rows, model.extra())), log_posterior(rows);
  const rank::HistoryDraws out{nodes, kept_strengths.data(), extra.data(), log_posterior.data()};
  const auto [made, stopped] = run_partial(n_threads, progress, [&](Monitor& monitor) {
    return rank::sample_history(self.view(), mode.at, posterior, chains, {warmup, draws}, seed, out, monitor);
  });
  const auto count = static_cast<py::ssize_t>(chains.size()), each = static_cast<py::ssize_t>(draws);
  return py::dict(
      "strengths"_a = take(std::move(kept_strengths)).reshape({count, each, std::ssize(nodes)}),
      "extra"_a = take(std::move(extra)).reshape({count, each, static_cast<py::ssize_t>(model.extra())}),
      "log_posterior"_a = take(std::move(log_posterior), count, draws), "made"_a = made,
      "interrupted"_a = stopped, "chains"_a = write_chains(chains, whole));
}

}  // namespace

void register_history(py::module_& m) {
  py::class_<rank::HistoryPosterior>(m, "HistoryPosterior")
      .def("marginals", &marginals)
      .def("solve", &solve_posterior, "b"_a)
      .def("entries", &rank::HistoryPosterior::entries)
      .def("log_determinant", &rank::HistoryPosterior::log_determinant);
  py::class_<HistoryProblem>(m, "HistoryProblem", "A PairProblem of nodes, and the laws along their chains.")
      .def(py::init<const PairProblem&, Array<std::int64_t>, Array<double>, OptionalArray<std::int8_t>,
                    double, double, double>(),
           "games"_a, "starts"_a, "precision"_a, "held"_a, "prior"_a, "first_mean"_a, "first_precision"_a,
           py::keep_alive<1, 2>())
      .def_property_readonly("games", &HistoryProblem::games)
      .def_property_readonly("precision", &HistoryProblem::precision)
      .def(
          "at",
          [](const HistoryProblem& self, const Array<double>& strengths, double tie, double home_advantage) {
            return make_point(self.view().games, strengths, tie, home_advantage, Array<double>(0));
          },
          "strengths"_a, "tie"_a, "home_advantage"_a, py::keep_alive<0, 1>())
      .def("fit", &fit_history, "start"_a, "tol"_a, "max_iter"_a, "n_threads"_a, "progress"_a)
      .def("posterior", &posterior, "mode"_a, "max_flops"_a, "max_bytes"_a, "n_threads"_a)
      .def("sample", &sample_history, "mode"_a, "posterior"_a, "positions"_a, "steps"_a, "moves"_a,
           "n_chains"_a, "warmup"_a, "draws"_a, "kept"_a, "seed"_a, "n_threads"_a, "progress"_a);
}

}  // namespace steelyard::bindings
