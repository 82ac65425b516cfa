#include <limits>
#include <string>

#include "bindings/arrays.hpp"
#include "bindings/rank/rank_arguments.hpp"
#include "bindings/register.hpp"
#include "rank/paired/existence.hpp"
#include "rank/paired/newton.hpp"
#include "rank/paired/separation.hpp"
#include "rank/paired/sweeps.hpp"

namespace steelyard::bindings {

rank::Model make_model(const std::string& ties, bool home, double prior) {
  rank::Model model;
  model.ties = ties == "davidson"     ? rank::Ties::davidson
               : ties == "rao-kupper" ? rank::Ties::rao_kupper
                                      : rank::Ties::none;
  model.home = home;
  model.prior = prior;
  return model;
}

rank::Model make_model(const rank::PairGraph& graph, const std::string& ties, bool home, double prior) {
  auto model = make_model(ties, home, prior);
  if (!graph.left.empty()) model.covariates = static_cast<int>(graph.covariates.size() / graph.left.size());
  return model;
}

rank::Parameters make_parameters(const Array<double>& strengths, double tie, double home) {
  const auto s = vector_view(strengths, "strengths");
  return {{s.begin(), s.end()}, tie, home};
}

rank::Parameters make_parameters(const Array<double>& strengths, double tie, double home,
                                 const Array<double>& coefficients, const rank::Model& model) {
  auto at = make_parameters(strengths, tie, home);
  const auto b = vector_view(coefficients, "coefficients");
  if (std::ssize(b) != model.covariates)
    throw py::value_error("coefficients must have one entry a covariate of the graph");
  at.coefficients.assign(b.begin(), b.end());
  return at;
}

rank::Counts make_counts(const rank::PairGraph& graph, const Array<double>& wins, const Array<double>& losses,
                         const OptionalArray<double>& ties) {
  const rank::Counts counts{vector_view(wins, "wins"), vector_view(losses, "losses"),
                            vector_view(ties, "ties")};
  const auto cells = graph.left.size();
  if (counts.wins.size() != cells || counts.losses.size() != cells ||
      (!counts.ties.empty() && counts.ties.size() != cells)) {
    throw py::value_error("wins, losses and ties must have one entry an edge of the graph");
  }
  return counts;
}

namespace {

rank::Linear linear_of(const std::string& name) {
  if (name == "dense") return rank::Linear::dense;
  if (name == "sparse") return rank::Linear::sparse;
  if (name == "cg") return rank::Linear::cg;
  return rank::Linear::automatic;
}

py::dict fit_pairs(const rank::PairGraph& graph, const Array<double>& wins, const Array<double>& losses,
                   const OptionalArray<double>& ties, const std::string& ties_model, bool home, double prior,
                   const std::string& solver, const std::string& linear, double tol, int max_iter,
                   int warm_sweeps, const Array<double>& strengths, double tie, double home_advantage,
                   const Array<double>& coefficients, int n_threads, const py::object& progress) {
  const auto counts = make_counts(graph, wins, losses, ties);
  const auto model = make_model(graph, ties_model, home, prior);
  auto at = make_parameters(strengths, tie, home_advantage, coefficients, model);
  PythonHost host(progress);
  Monitor monitor(n_threads, &host);
  rank::FitOptions options;
  options.tol = tol;
  options.max_iter = max_iter;
  options.warm_sweeps = warm_sweeps;
  Info info;
  double log_likelihood = 0.0, proving = 0.0;
  bool finite = true;
  std::vector<double> away;
  {
    const py::gil_scoped_release unlocked;  // safe: the arrays and the graph are held by the caller
    if (solver == "newton") {
      rank::NewtonSolver newton(graph, model, linear_of(linear), monitor);
      info = newton.fit(counts, at, options, monitor);
      if (newton.receded()) away = newton.direction().extra;
    } else {
      const auto kind = solver == "zermelo" ? rank::Sweep::zermelo : rank::Sweep::newman;
      info = rank::fit_by_sweeps(kind, graph, counts, model, solver == "newman", at, options, monitor);
    }
    Monitor last(n_threads);
    log_likelihood = rank::log_likelihood(graph, counts, model, at, last);
    if (model.covariates > 0) {
      proving = rank::proving_decrement(graph, counts, model, at);
      finite = info.converged &&
               rank::proves_finite(graph, counts, model, at, info.error_bound, linear_of(linear), last);
    }
  }
  return py::dict("strengths"_a = take(std::move(at.strengths)), "tie"_a = at.tie, "home"_a = at.home,
                  "coefficients"_a = take(std::move(at.coefficients)), "log_likelihood"_a = log_likelihood,
                  "proving_decrement"_a = proving, "finite"_a = finite, "away"_a = take(std::move(away)),
                  "info"_a = to_dict(info));
}

/// Everything that covariances need at one point: the border, the cells' terms, and solves with the strength
/// block.
py::dict pair_derivatives(const rank::PairGraph& graph, const Array<double>& wins,
                          const Array<double>& losses, const OptionalArray<double>& ties,
                          const std::string& ties_model, bool home, double prior,
                          const Array<double>& strengths, double tie, double home_advantage,
                          const Array<double>& coefficients, int n_threads) {
  const auto counts = make_counts(graph, wins, losses, ties);
  const auto model = make_model(graph, ties_model, home, prior);
  const auto at = make_parameters(strengths, tie, home_advantage, coefficients, model);
  Monitor monitor(n_threads);
  rank::Derivatives d;
  {
    const py::gil_scoped_release unlocked;
    rank::evaluate(graph, counts, model, at, d, monitor);
  }
  return py::dict("cell_gradient"_a = take(std::move(d.cell_gradient)),
                  "cell_curvature"_a = take(std::move(d.cell_curvature)),
                  "gradient"_a = take(std::move(d.gradient)), "diagonal"_a = take(std::move(d.diagonal)),
                  "border"_a = take(std::move(d.border), graph.items, d.extra),
                  "extra_gradient"_a = take(std::move(d.extra_gradient)),
                  "extra_hessian"_a = take(std::move(d.extra_hessian), d.extra, d.extra));
}

/// Columns of H^+ over all parameters: X solves H X = B (strengths first, then tie, home and
/// coefficients), B consistent.
py::object solve_newton_system(const rank::PairGraph& graph, const Array<double>& wins,
                               const Array<double>& losses, const OptionalArray<double>& ties,
                               const std::string& ties_model, bool home, double prior,
                               const Array<double>& strengths, double tie, double home_advantage,
                               const Array<double>& coefficients, const Array<double>& right_sides,
                               double accuracy, int n_threads, const py::object& progress) {
  const auto counts = make_counts(graph, wins, losses, ties);
  const auto model = make_model(graph, ties_model, home, prior);
  const auto at = make_parameters(strengths, tie, home_advantage, coefficients, model);
  const auto b = matrix_view(right_sides, "right_sides");
  if (b.rows != graph.items + model.extra())
    throw py::value_error("right_sides must have one row a parameter");
  PythonHost host(progress);
  Monitor monitor(n_threads, &host);
  std::vector<double> x(checked_product("right_sides", b.rows, b.cols));
  bool solved = false;
  {
    const py::gil_scoped_release unlocked;
    rank::Derivatives d;
    rank::StrengthSystem system(graph, model, rank::Linear::automatic, monitor);
    solved = rank::evaluate(graph, counts, model, at, d, monitor) && system.prepare(d, monitor) &&
             system.solve_all(d, b, x.data(), accuracy, monitor);
  }
  if (!solved) return py::none();
  return take(std::move(x), b.rows, b.cols);
}

/// The first parameter beside the strengths that the data does not determine, or None.
py::object dependent_column(const rank::PairGraph& graph, const Array<double>& wins,
                            const Array<double>& losses, const OptionalArray<double>& ties,
                            const std::string& ties_model, bool home, double prior,
                            const Array<double>& strengths, double tie, double home_advantage,
                            const Array<double>& coefficients, int n_threads) {
  const auto counts = make_counts(graph, wins, losses, ties);
  const auto model = make_model(graph, ties_model, home, prior);
  const auto at = make_parameters(strengths, tie, home_advantage, coefficients, model);
  PythonHost host(py::none{});
  Monitor monitor(n_threads, &host);
  std::optional<int> found;
  {
    const py::gil_scoped_release unlocked;
    found = rank::dependent_column(graph, counts, model, at, rank::Linear::automatic, monitor);
  }
  if (monitor.stopped()) raise_interrupted();
  if (!found) return py::none();
  return py::int_(*found);
}

py::object separation(const rank::PairGraph& graph, const Array<double>& wins, const Array<double>& losses,
                      const OptionalArray<double>& ties, const std::string& ties_model, bool home,
                      double prior) {
  const auto counts = make_counts(graph, wins, losses, ties);
  const auto model = make_model(graph, ties_model, home, prior);
  PythonHost host(py::none{});
  Monitor monitor(1, &host);
  std::optional<rank::Separation> found;
  {
    const py::gil_scoped_release unlocked;
    found = rank::find_separation(graph, counts, model, monitor);
  }
  if (monitor.stopped()) raise_interrupted();
  if (!found) return py::none();
  return py::dict("parameter"_a = found->tie ? "tie_parameter" : "home_advantage", "flat"_a = found->flat);
}

}  // namespace

void register_rank(py::module_& m) {
  m.def("_fit_bradley_terry", &fit_pairs, "graph"_a, "wins"_a, "losses"_a, "ties"_a, "ties_model"_a, "home"_a,
        "prior"_a, "solver"_a, "linear"_a, "tol"_a, "max_iter"_a, "warm_sweeps"_a, "strengths"_a, "tie"_a,
        "home_advantage"_a, "coefficients"_a, "n_threads"_a, "progress"_a);
  m.def("_bradley_terry_derivatives", &pair_derivatives, "graph"_a, "wins"_a, "losses"_a, "ties"_a,
        "ties_model"_a, "home"_a, "prior"_a, "strengths"_a, "tie"_a, "home_advantage"_a, "coefficients"_a,
        "n_threads"_a);
  m.def("_solve_newton_system", &solve_newton_system, "graph"_a, "wins"_a, "losses"_a, "ties"_a,
        "ties_model"_a, "home"_a, "prior"_a, "strengths"_a, "tie"_a, "home_advantage"_a, "coefficients"_a,
        "right_sides"_a, "accuracy"_a, "n_threads"_a, "progress"_a);
  m.def("_dependent_column", &dependent_column, "graph"_a, "wins"_a, "losses"_a, "ties"_a, "ties_model"_a,
        "home"_a, "prior"_a, "strengths"_a, "tie"_a, "home_advantage"_a, "coefficients"_a, "n_threads"_a);
  m.def("_separation", &separation, "graph"_a, "wins"_a, "losses"_a, "ties"_a, "ties_model"_a, "home"_a,
        "prior"_a);
  m.def(
      "_best_shift",
      [](const Array<double>& strengths) {
        const auto s = vector_view(strengths, "strengths");
        return rank::best_shift({s.begin(), s.end()});
      },
      "strengths"_a);
}

}  // namespace steelyard::bindings
