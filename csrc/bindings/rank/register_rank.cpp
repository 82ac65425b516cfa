#include <string>

#include "bindings/arrays.hpp"
#include "bindings/choice.hpp"
#include "bindings/rank/linear.hpp"
#include "bindings/rank/pair_problem.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "rank/paired/bootstrap.hpp"
#include "rank/paired/existence.hpp"
#include "rank/paired/pair_fit.hpp"
#include "rank/paired/separation.hpp"
#include "rank/paired/tie_models.hpp"
#include "rank/scale.hpp"

namespace steelyard::bindings {
namespace {

rank::Model make_model(const rank::PairGraph& graph, const std::string& ties_model, bool home, double prior) {
  rank::Model model;
  model.ties = choice<rank::Ties>(rank::tie_words, ties_model, "ties_model");
  model.home = home;
  model.prior = prior;
  if (!graph.left.empty()) model.covariates = static_cast<int>(graph.covariates.size() / graph.left.size());
  return model;
}

}  // namespace

PairProblem::PairProblem(const rank::PairGraph& graph, Array<double> wins, Array<double> losses,
                         OptionalArray<double> ties, const std::string& ties_model, bool home, double prior)
    : wins_(std::move(wins)),
      losses_(std::move(losses)),
      ties_(std::move(ties)),
      ties_model_(ties_model),
      problem_{graph,
               {vector_view(wins_, "wins"), vector_view(losses_, "losses"), vector_view(ties_, "ties")},
               make_model(graph, ties_model, home, prior)} {
  const auto cells = graph.left.size();
  const auto& counts = problem_.counts;
  if (counts.wins().size() != cells || counts.losses().size() != cells ||
      (!counts.ties().empty() && counts.ties().size() != cells))
    throw py::value_error("wins, losses and ties must have one entry an edge of the graph");
}

PairPoint make_point(const rank::PairProblem& problem, const Array<double>& strengths, double tie,
                     double home_advantage, const Array<double>& coefficients) {
  const auto s = vector_view(strengths, "strengths"), b = vector_view(coefficients, "coefficients");
  PairPoint point{problem, {{s.begin(), s.end()}, tie, home_advantage, {b.begin(), b.end()}}};
  check_point(problem, point);
  return point;
}

void check_point(const rank::PairProblem& problem, const PairPoint& point) {
  if (std::ssize(point.at.strengths) != problem.graph.items)
    throw py::value_error("strengths must have one entry an item of the graph");
  if (std::ssize(point.at.coefficients) != problem.model.covariates)
    throw py::value_error("coefficients must have one entry a covariate of the graph");
}

namespace {

py::dict fit_pairs(const PairProblem& self, const PairPoint& start, const std::string& solver,
                   const std::string& linear, double tol, int max_iter, int warm_sweeps, int n_threads,
                   const py::object& progress) {
  check_point(self.view(), start);
  const auto method =
      choice<rank::PairSolver>({"newton", "newman", "newman (no shift)", "zermelo"}, solver, "solver");
  const auto how = linear_of(linear);
  const rank::FitOptions options{tol, max_iter, warm_sweeps};
  auto fit = run_partial(n_threads, progress, [&](Monitor& monitor) {
               return rank::fit_pairs(self.view(), start.at, method, how, options, monitor);
             }).result;
  return py::dict("strengths"_a = take(std::move(fit.point.strengths)), "tie"_a = fit.point.tie,
                  "home"_a = fit.point.home, "coefficients"_a = take(std::move(fit.point.coefficients)),
                  "log_likelihood"_a = fit.log_likelihood, "proving_decrement"_a = fit.proving,
                  "finite"_a = fit.finite, "away"_a = take(std::move(fit.away)),
                  "info"_a = to_dict(fit.info));
}

/// Which parameter has no finite optimum, and whether the likelihood is flat along it; or None.
py::object separation(const PairProblem& self) {
  const auto found =
      run(1, no_progress, [&](Monitor& monitor) { return rank::find_separation(self.view(), monitor); });
  if (!found) return py::none();
  return py::dict("parameter"_a = found->tie ? "tie_parameter" : "home_advantage", "flat"_a = found->flat);
}

/// Gradient and Hessian, and the cells' terms.
py::dict derivatives(const PairPoint& self, int n_threads) {
  auto d = run(n_threads, no_progress, [&](Monitor& monitor) {
    rank::Derivatives out;
    rank::evaluate(self.problem, self.at, out, monitor);
    return out;
  });
  return py::dict("cell_gradient"_a = take(std::move(d.cell_gradient)),
                  "cell_curvature"_a = take(std::move(d.cell_curvature)),
                  "gradient"_a = take(std::move(d.gradient)), "diagonal"_a = take(std::move(d.diagonal)),
                  "border"_a = take(std::move(d.border), self.problem.graph.items, d.extra),
                  "extra_gradient"_a = take(std::move(d.extra_gradient)),
                  "extra_hessian"_a = take(std::move(d.extra_hessian), d.extra, d.extra));
}

/// X that solves H X = B over all parameters (strengths first, then tie, home and coefficients), B
/// consistent; None if H is singular to rounding, or on Ctrl-C.
py::object solve(const PairPoint& self, const Array<double>& right_sides, double accuracy, int n_threads,
                 const py::object& progress) {
  const auto& problem = self.problem;
  const auto b = matrix_view(right_sides, "right_sides");
  if (b.rows != problem.graph.items + problem.model.extra())
    throw py::value_error("right_sides must have one row a parameter");
  std::vector<double> x(checked_product("right_sides", b.rows, b.cols));
  const bool solved =
      run_partial(n_threads, progress, [&](Monitor& monitor) {
        rank::Derivatives d;
        rank::StrengthSystem system(problem.graph, problem.model, rank::Linear::automatic, monitor);
        return rank::evaluate(problem, self.at, d, monitor) && system.prepare(d, monitor) &&
               system.solve_all(d, b, x.data(), accuracy, monitor);
      }).result;
  return solved ? py::object(take(std::move(x), b.rows, b.cols)) : py::none();
}

/// The first parameter beside the strengths that the data does not determine, or None.
std::optional<int> dependent_column(const PairPoint& self, int n_threads) {
  return run(n_threads, no_progress, [&](Monitor& monitor) {
    return rank::dependent_column(self.problem, self.at, rank::Linear::automatic, monitor);
  });
}

rank::ClusterRows cluster_rows(const rank::PairGraph& graph, const OptionalArray<std::int32_t>& cluster,
                               const OptionalArray<double>& wins, const OptionalArray<double>& losses,
                               const OptionalArray<double>& ties, std::int32_t clusters) {
  const rank::ClusterRows rows{vector_view(cluster, "cluster"), graph.edge_of_row,
                               vector_view(wins, "row_wins"),   vector_view(losses, "row_losses"),
                               vector_view(ties, "row_ties"),   clusters};
  if (!cluster) return rows;
  const auto count = rows.cluster.size();
  if (count != rows.edge.size() || rows.wins.size() != count || rows.losses.size() != count ||
      (!graph.ties.empty() && rows.ties.size() != count))
    throw py::value_error(
        "cluster, row_wins, row_losses and row_ties must have one entry a row of the table");
  for (const auto c : rows.cluster)
    if (c < 0 || c >= clusters) throw py::value_error("cluster must lie in 0 .. clusters - 1");
  return rows;
}

py::dict bootstrap(const PairPoint& self, const std::string& method, const std::string& tie_use,
                   py::ssize_t rounds, std::uint64_t seed, std::uint64_t stream, double tol,
                   const OptionalArray<std::int32_t>& cluster, const OptionalArray<double>& row_wins,
                   const OptionalArray<double>& row_losses, const OptionalArray<double>& row_ties,
                   std::int32_t clusters, int n_threads, const py::object& progress) {
  const auto& graph = self.problem.graph;
  const auto& model = self.problem.model;
  const rank::BootstrapOptions options{
      choice<rank::Resampling>({"bayesian", "multinomial", "cluster"}, method, "method"),
      choice<rank::TieUse>({"model", "half", "drop"}, tie_use, "tie_use"),
      rounds,
      seed,
      stream,
      tol};
  if (options.method == rank::Resampling::cluster && !cluster)
    throw py::value_error("method='cluster' needs the cluster of each row");
  room_for<double>("n_rounds", rounds, graph.items + model.covariates + 4);
  const auto rows = cluster_rows(graph, cluster, row_wins, row_losses, row_ties, clusters);
  auto out = run_partial(n_threads, progress, [&](Monitor& monitor) {
               return rank::bootstrap(self.problem, rows, self.at, options, monitor);
             }).result;
  return py::dict("strengths"_a = take(std::move(out.strengths), rounds, graph.items),
                  "tie"_a = take(std::move(out.tie)), "home"_a = take(std::move(out.home)),
                  "coefficients"_a = take(std::move(out.coefficients), rounds, model.covariates),
                  "state"_a = take(std::move(out.state)), "info"_a = to_dict(out.info));
}

/// body(law, x) for every x, with the law of its own tie parameter (or of the only one), as users have it.
template <class Body>
void each_law(const std::string& ties_model, const Array<double>& tie_parameter, const Array<double>& x,
              const Body& body) {
  const auto ties = choice<rank::Ties>(rank::tie_words, ties_model, "ties_model");
  const auto parameters = vector_view(tie_parameter, "tie_parameter"), at = vector_view(x, "x");
  if (parameters.size() != 1 && parameters.size() != at.size())
    throw py::value_error("tie_parameter must have one entry, or one an x");
  run(1, no_progress, [&](Monitor&) {
    rank::with_law(ties, [&]<class Law>(std::type_identity<Law>) {
      if (parameters.size() == 1) {
        const auto law = Law::of_parameter(parameters[0]);
        for (std::size_t k = 0; k < at.size(); ++k) body(law, at[k], k);
      } else {
        for (std::size_t k = 0; k < at.size(); ++k) body(Law::of_parameter(parameters[k]), at[k], k);
      }
    });
  });
}

py::tuple outcome_chances(const std::string& ties_model, const Array<double>& tie_parameter,
                          const Array<double>& x) {
  const auto size = steelyard::at(x.size());
  std::vector<double> win(size), tie(size), loss(size);
  each_law(ties_model, tie_parameter, x, [&](const auto& law, double at, std::size_t k) {
    const auto p = law.chances(at);
    win[k] = p.win;
    tie[k] = p.tie;
    loss[k] = p.loss;
  });
  return py::make_tuple(take(std::move(win)), take(std::move(tie)), take(std::move(loss)));
}

/// Derivatives of the log chance by x and by the tie parameter (log nu, log theta): of a win, a loss, a tie.
py::tuple outcome_scores(const std::string& ties_model, double tie_parameter, const Array<double>& x) {
  const auto size = steelyard::at(x.size());
  std::array<std::vector<double>, 6> out;
  for (auto& column : out) column.resize(size);
  each_law(ties_model, Array<double>(1, &tie_parameter), x, [&](const auto& law, double at, std::size_t k) {
    const auto s = law.scores(at);
    const std::array<double, 6> values{s.win.by_x,    s.win.by_tie, s.loss.by_x,
                                       s.loss.by_tie, s.tie.by_x,   s.tie.by_tie};
    for (std::size_t c = 0; c < 6; ++c) out[c][k] = values[c];
  });
  const auto pair = [&](std::size_t c) {
    return py::make_tuple(take(std::move(out[c])), take(std::move(out[c + 1])));
  };
  return py::make_tuple(pair(0), pair(2), pair(4));
}

void register_problem(py::module_& m) {
  py::class_<PairPoint>(m, "PairPoint", "Values of all parameters of a PairProblem.")
      .def("derivatives", &derivatives, "n_threads"_a)
      .def("solve", &solve, "right_sides"_a, "accuracy"_a, "n_threads"_a, "progress"_a)
      .def("dependent_column", &dependent_column, "n_threads"_a)
      .def("bootstrap", &bootstrap, "method"_a, "tie_use"_a, "rounds"_a, "seed"_a, "stream"_a, "tol"_a,
           "cluster"_a, "row_wins"_a, "row_losses"_a, "row_ties"_a, "clusters"_a, "n_threads"_a,
           "progress"_a);
  py::class_<PairProblem>(m, "PairProblem", "Who met, how it went, and the model of it.")
      .def(py::init<const rank::PairGraph&, Array<double>, Array<double>, OptionalArray<double>,
                    const std::string&, bool, double>(),
           "graph"_a, "wins"_a, "losses"_a, "ties"_a, "ties_model"_a, "home"_a, "prior"_a,
           py::keep_alive<1, 2>())
      .def_property_readonly("wins", &PairProblem::wins)
      .def_property_readonly("losses", &PairProblem::losses)
      .def_property_readonly("ties", &PairProblem::ties)
      .def_property_readonly("ties_model", &PairProblem::ties_model)
      .def("separation", &separation)
      .def("fit", &fit_pairs, "start"_a, "solver"_a, "linear"_a, "tol"_a, "max_iter"_a, "warm_sweeps"_a,
           "n_threads"_a, "progress"_a)
      .def(
          "at",
          [](const PairProblem& self, const Array<double>& strengths, double tie, double home_advantage,
             const Array<double>& coefficients) {
            return make_point(self.view(), strengths, tie, home_advantage, coefficients);
          },
          "strengths"_a, "tie"_a, "home_advantage"_a, "coefficients"_a, py::keep_alive<0, 1>());
}

}  // namespace

void register_rank(py::module_& m) {
  register_problem(m);
  m.def("_outcome_chances", &outcome_chances, "ties_model"_a, "tie_parameter"_a, "x"_a);
  m.def("_outcome_scores", &outcome_scores, "ties_model"_a, "tie_parameter"_a, "x"_a);
}

}  // namespace steelyard::bindings
