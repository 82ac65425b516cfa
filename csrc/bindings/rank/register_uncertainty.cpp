#include <string>

#include "bindings/arrays.hpp"
#include "bindings/rank/rank_arguments.hpp"
#include "bindings/register.hpp"
#include "rank/paired/bootstrap.hpp"
#include "rank/paired/contrast_maxima.hpp"

namespace steelyard::bindings {
namespace {

rank::BootstrapOptions options_of(const std::string& method, const std::string& tie_use, py::ssize_t rounds,
                                  std::uint64_t seed, std::uint64_t stream, double tol) {
  rank::BootstrapOptions options;
  options.method = method == "multinomial" ? rank::Resampling::multinomial
                   : method == "cluster"   ? rank::Resampling::cluster
                                           : rank::Resampling::bayesian;
  options.ties = tie_use == "half"   ? rank::TieUse::half
                 : tie_use == "drop" ? rank::TieUse::drop
                                     : rank::TieUse::model;
  options.rounds = rounds;
  options.seed = seed;
  options.stream = stream;
  options.tol = tol;
  return options;
}

py::dict bootstrap(const rank::PairGraph& graph, const std::string& ties_model, bool home, double prior,
                   const Array<double>& strengths, double tie, double home_advantage,
                   const Array<double>& coefficients, const std::string& method, const std::string& tie_use,
                   py::ssize_t rounds, std::uint64_t seed, std::uint64_t stream, double tol,
                   const OptionalArray<std::int32_t>& cluster, const OptionalArray<double>& row_wins,
                   const OptionalArray<double>& row_losses, const OptionalArray<double>& row_ties,
                   std::int32_t clusters, int n_threads, const py::object& progress) {
  const auto model = make_model(graph, ties_model, home, prior);
  const auto at = make_parameters(strengths, tie, home_advantage, coefficients, model);
  const auto options = options_of(method, tie_use, rounds, seed, stream, tol);
  room_for<double>("rounds", rounds, graph.items + model.covariates + 4);
  const rank::ClusterRows rows{vector_view(cluster, "cluster"),   graph.edge_of_row,
                               vector_view(row_wins, "row_wins"), vector_view(row_losses, "row_losses"),
                               vector_view(row_ties, "row_ties"), clusters};
  PythonHost host(progress);
  Monitor monitor(n_threads, &host);
  rank::Bootstrap out;
  {
    const py::gil_scoped_release unlocked;  // safe: the arrays and the graph are held by the caller
    out = rank::bootstrap(graph, rows, model, at, options, monitor);
  }
  return py::dict("strengths"_a = take(std::move(out.strengths), rounds, graph.items),
                  "tie"_a = take(std::move(out.tie)), "home"_a = take(std::move(out.home)),
                  "coefficients"_a = take(std::move(out.coefficients), rounds, model.covariates),
                  "state"_a = take(std::move(out.state)), "info"_a = to_dict(out.info));
}

py::object gaussian_draws(const Array<double>& factor, py::ssize_t draws, std::uint64_t seed,
                          std::uint64_t stream, int n_threads) {
  const auto l = matrix_view(factor, "factor");
  if (l.rows != l.cols) throw py::value_error("factor must be square");
  std::vector<double> out(room_for<double>("draws", draws, l.rows));
  PythonHost host(py::none{});
  Monitor monitor(n_threads, &host);
  bool finished = false;
  {
    const py::gil_scoped_release unlocked;
    finished = rank::gaussian_draws(l, seed, stream, {out.data(), draws, l.rows, l.rows}, monitor);
  }
  if (!finished) return py::none();
  return take(std::move(out), draws, l.rows);
}

py::object contrast_maxima(const Array<double>& draws, const Array<std::int32_t>& items,
                           const Array<double>& scale, bool apart, int n_threads) {
  const auto z = matrix_view(draws, "draws"), s = matrix_view(scale, "scale");
  const auto asked = vector_view(items, "items");
  if (s.rows != std::ssize(asked) || s.cols != z.cols)
    throw py::value_error("scale must have shape (items, n)");
  for (const auto item : asked) {
    if (item < 0 || item >= z.cols) throw py::index_error("items holds a position outside the draws");
  }
  room_for<double>("draws", z.rows, apart ? s.rows : 1);
  PythonHost host(py::none{});
  Monitor monitor(n_threads, &host);
  std::vector<double> out;
  {
    const py::gil_scoped_release unlocked;
    out = rank::contrast_maxima(z, asked, s, apart, monitor);
  }
  if (out.empty() && z.rows > 0) return py::none();
  return take(std::move(out), apart ? s.rows : 1, z.rows);
}

}  // namespace

void register_uncertainty(py::module_& m) {
  m.def("_bootstrap", &bootstrap, "graph"_a, "ties_model"_a, "home"_a, "prior"_a, "strengths"_a, "tie"_a,
        "home_advantage"_a, "coefficients"_a, "method"_a, "tie_use"_a, "rounds"_a, "seed"_a, "stream"_a,
        "tol"_a, "cluster"_a, "row_wins"_a, "row_losses"_a, "row_ties"_a, "clusters"_a, "n_threads"_a,
        "progress"_a);
  m.def("_gaussian_draws", &gaussian_draws, "factor"_a, "draws"_a, "seed"_a, "stream"_a, "n_threads"_a);
  m.def("_contrast_maxima", &contrast_maxima, "draws"_a, "items"_a, "scale"_a, "apart"_a, "n_threads"_a);
}

}  // namespace steelyard::bindings
