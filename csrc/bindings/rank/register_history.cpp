#include <memory>

#include "bindings/arrays.hpp"
#include "bindings/rank/chains.hpp"
#include "bindings/rank/rank_arguments.hpp"
#include "bindings/register.hpp"
#include "rank/over_time/history_sampler.hpp"

namespace steelyard::bindings {
namespace {

/// The arrays are held by the caller while a kernel runs.
rank::Timelines make_timelines(const rank::PairGraph& graph, const Array<std::int64_t>& starts,
                               const Array<double>& precision, const OptionalArray<std::int8_t>& held,
                               double prior, double first_mean, double first_precision) {
  const rank::Timelines lines{vector_view(starts, "starts"),
                              vector_view(precision, "precision"),
                              vector_view(held, "held"),
                              prior,
                              first_mean,
                              first_precision};
  const auto nodes = static_cast<std::size_t>(graph.items);
  if (lines.starts.empty() || lines.starts.front() != 0 || lines.starts.back() != graph.items ||
      lines.precision.size() != nodes || (held && lines.held.size() != nodes))
    throw py::value_error("starts, precision and held must describe the nodes of the graph");
  for (std::size_t i = 0; i + 1 < lines.starts.size(); ++i) {
    const auto first = lines.starts[i], last = lines.starts[i + 1];
    if (last < first) throw py::value_error("starts must not fall");
    for (auto k = first; k < last; ++k) {
      if (k > first && !(lines.precision[static_cast<std::size_t>(k)] > 0.0))
        throw py::value_error("precision must be positive within an item");
      if (lines.is_held(k) && last - first > 1) throw py::value_error("a held item must have one node");
    }
  }
  return lines;
}

py::dict fit_history(const rank::PairGraph& graph, const Array<double>& wins, const Array<double>& losses,
                     const OptionalArray<double>& ties, const std::string& ties_model, bool home,
                     const Array<std::int64_t>& starts, const Array<double>& precision,
                     const OptionalArray<std::int8_t>& held, double prior, double first_mean,
                     double first_precision, const Array<double>& strengths, double tie,
                     double home_advantage, double tol, int max_iter, int n_threads,
                     const py::object& progress) {
  const auto counts = make_counts(graph, wins, losses, ties);
  const auto model = make_model(ties_model, home, 0.0);
  const auto lines = make_timelines(graph, starts, precision, held, prior, first_mean, first_precision);
  auto at = make_parameters(strengths, tie, home_advantage);
  PythonHost host(progress);
  Monitor monitor(n_threads, &host);
  Info info;
  double log_likelihood = 0.0;
  {
    const py::gil_scoped_release unlocked;
    info = rank::fit_history(graph, counts, model, lines, at, {tol, max_iter}, monitor);
    Monitor last(n_threads);
    log_likelihood = rank::log_likelihood(graph, counts, model, at, last);
  }
  return py::dict("strengths"_a = take(std::move(at.strengths)), "tie"_a = at.tie, "home"_a = at.home,
                  "log_likelihood"_a = log_likelihood, "info"_a = to_dict(info));
}

/// (posterior, bytes it needs); None for a posterior over the limits or not positive definite.
py::tuple posterior(const rank::PairGraph& graph, const Array<double>& wins, const Array<double>& losses,
                    const OptionalArray<double>& ties, const std::string& ties_model, bool home,
                    const Array<std::int64_t>& starts, const Array<double>& precision,
                    const OptionalArray<std::int8_t>& held, double prior, double first_mean,
                    double first_precision, const Array<double>& strengths, double tie, double home_advantage,
                    double max_flops, double max_bytes, int n_threads) {
  const auto counts = make_counts(graph, wins, losses, ties);
  const auto model = make_model(ties_model, home, 0.0);
  const auto lines = make_timelines(graph, starts, precision, held, prior, first_mean, first_precision);
  const auto at = make_parameters(strengths, tie, home_advantage);
  PythonHost host(py::none{});
  Monitor monitor(n_threads, &host);
  double needed = 0.0;
  std::optional<rank::HistoryPosterior> found;
  {
    const py::gil_scoped_release unlocked;
    found =
        rank::HistoryPosterior::at(graph, counts, model, lines, at, {max_flops, max_bytes}, needed, monitor);
  }
  if (monitor.stopped()) raise_interrupted();
  if (!found) return py::make_tuple(py::none(), needed);
  return py::make_tuple(std::make_unique<rank::HistoryPosterior>(std::move(*found)), needed);
}

py::tuple marginals(const rank::HistoryPosterior& self) {
  PythonHost host(py::none{});
  Monitor monitor(1, &host);
  rank::HistoryPosterior::Marginals out;
  {
    const py::gil_scoped_release unlocked;
    self.marginals(out, monitor);
  }
  if (monitor.stopped()) raise_interrupted();
  return py::make_tuple(take(std::move(out.variance)), take(std::move(out.link_covariance)));
}

py::array_t<double> solve_posterior(const rank::HistoryPosterior& self, const Array<double>& b) {
  const auto view = matrix_view(b, "b");
  if (view.rows != self.size()) throw py::value_error("b must have one row a parameter");
  std::vector<double> x(view.data, view.data + view.rows * view.cols);
  {
    const py::gil_scoped_release unlocked;
    self.solve(x.data(), view.cols);
  }
  return take(std::move(x), view.rows, view.cols);
}

/// Chains as (position, step, moves); they go on where `chains` ended. The draws are chains x draws x ...
/// Without a posterior by Gibbs sampling.
py::dict sample_history(const rank::PairGraph& graph, const Array<double>& wins, const Array<double>& losses,
                        const OptionalArray<double>& ties, const std::string& ties_model, bool home,
                        const Array<std::int64_t>& starts, const Array<double>& precision,
                        const OptionalArray<std::int8_t>& held, double prior, double first_mean,
                        double first_precision, const Array<double>& strengths, double tie,
                        double home_advantage, const rank::HistoryPosterior* posterior,
                        const OptionalArray<double>& positions, const OptionalArray<double>& steps,
                        const OptionalArray<std::int64_t>& moves, std::int64_t n_chains, std::int64_t warmup,
                        std::int64_t draws, const Array<std::int64_t>& kept, std::uint64_t seed,
                        int n_threads, const py::object& progress) {
  const auto counts = make_counts(graph, wins, losses, ties);
  const auto model = make_model(ties_model, home, 0.0);
  const auto lines = make_timelines(graph, starts, precision, held, prior, first_mean, first_precision);
  const auto at = make_parameters(strengths, tie, home_advantage);
  if (posterior == nullptr && model.ties != rank::Ties::none)
    throw py::value_error("Gibbs sampling is for wins and losses alone");
  const auto nodes = vector_view(kept, "kept");
  for (const auto k : nodes)
    if (k < 0 || k >= graph.items) throw py::value_error("kept must name nodes");
  const std::ptrdiff_t size = posterior != nullptr ? posterior->size() : graph.items + model.extra();
  auto chains = read_chains(positions, steps, moves, n_chains, warmup, draws, size);
  const auto rows = room_for<double>("n_draws", n_chains, draws);
  const auto kept_numbers = room_for<float>("n_draws", n_chains, draws, nodes.size());
  std::vector<float> kept_strengths(kept_numbers);
  std::vector<double> extra(room_for<double>("n_draws", rows, model.extra())), log_posterior(rows);
  const rank::HistoryDraws out{nodes, kept_strengths.data(), extra.data(), log_posterior.data()};
  PythonHost host(progress);
  Monitor monitor(n_threads, &host);
  std::int64_t made = 0;
  {
    const py::gil_scoped_release unlocked;
    made = rank::sample_history({graph, counts, model, lines, at}, posterior, chains, {warmup, draws}, seed,
                                out, monitor);
  }
  const auto count = static_cast<py::ssize_t>(chains.size());
  return py::dict(
      "strengths"_a = take(std::move(kept_strengths)).reshape({count, draws, std::ssize(nodes)}),
      "extra"_a = take(std::move(extra)).reshape({count, draws, static_cast<py::ssize_t>(model.extra())}),
      "log_posterior"_a = take(std::move(log_posterior), count, draws), "made"_a = made,
      "interrupted"_a = monitor.stopped(), "chains"_a = write_chains(chains, size));
}

}  // namespace

void register_history(py::module_& m) {
  py::class_<rank::HistoryPosterior>(m, "HistoryPosterior")
      .def("marginals", &marginals)
      .def("solve", &solve_posterior, "b"_a)
      .def("entries", &rank::HistoryPosterior::entries)
      .def("log_determinant", &rank::HistoryPosterior::log_determinant);
  m.def("_fit_history", &fit_history, "graph"_a, "wins"_a, "losses"_a, "ties"_a, "ties_model"_a, "home"_a,
        "starts"_a, "precision"_a, "held"_a, "prior"_a, "first_mean"_a, "first_precision"_a, "strengths"_a,
        "tie"_a, "home_advantage"_a, "tol"_a, "max_iter"_a, "n_threads"_a, "progress"_a);
  m.def("_sample_history", &sample_history, "graph"_a, "wins"_a, "losses"_a, "ties"_a, "ties_model"_a,
        "home"_a, "starts"_a, "precision"_a, "held"_a, "prior"_a, "first_mean"_a, "first_precision"_a,
        "strengths"_a, "tie"_a, "home_advantage"_a, "posterior"_a, "positions"_a, "steps"_a, "moves"_a,
        "n_chains"_a, "warmup"_a, "draws"_a, "kept"_a, "seed"_a, "n_threads"_a, "progress"_a);
  m.def("_history_posterior", &posterior, "graph"_a, "wins"_a, "losses"_a, "ties"_a, "ties_model"_a, "home"_a,
        "starts"_a, "precision"_a, "held"_a, "prior"_a, "first_mean"_a, "first_precision"_a, "strengths"_a,
        "tie"_a, "home_advantage"_a, "max_flops"_a, "max_bytes"_a, "n_threads"_a);
}

}  // namespace steelyard::bindings
