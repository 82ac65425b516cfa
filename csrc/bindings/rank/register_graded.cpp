#include <cmath>

#include "bindings/arrays.hpp"
#include "bindings/choice.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "rank/paired/graded.hpp"

namespace steelyard::bindings {
namespace {

struct Given {
  rank::GradedProblem problem;
  rank::GradedPoint point;
};

Given read(const rank::PairGraph& graph, const Array<double>& counts, const std::string& link, bool home,
           double prior, const Array<double>& strengths, const Array<double>& thresholds,
           const Array<double>& effects) {
  const auto table = matrix_view(counts, "counts");
  if (table.rows != std::ssize(graph.left))
    throw py::value_error("counts must have one row an edge of the graph");
  if (table.cols < 2 || table.cols > rank::most_grades)
    throw py::value_error("counts must have 2 to 32 columns");
  const auto s = vector_view(strengths, "strengths"), t = vector_view(thresholds, "thresholds"),
             b = vector_view(effects, "effects");
  const auto columns =
      graph.left.size() == 0 ? 0 : static_cast<int>(graph.covariates.size() / graph.left.size());
  Given given{{graph,
               {table.data, checked_product("counts", table.rows, table.cols)},
               static_cast<int>(table.cols),
               choice<rank::GradeLink>({"cumulative", "adjacent"}, link, "link"),
               home,
               prior,
               columns},
              {{s.begin(), s.end()}, {t.begin(), t.end()}, {b.begin(), b.end()}}};
  if (std::ssize(s) != graph.items)
    throw py::value_error("strengths must have one entry an item of the graph");
  if (std::ssize(t) != given.problem.free())
    throw py::value_error("thresholds must have one entry for every two grades but the middle");
  if (std::ssize(b) != given.problem.effects())
    throw py::value_error("effects must have one entry for home, if fitted, and one a covariate");
  return given;
}

py::dict fit_graded(const rank::PairGraph& graph, const Array<double>& counts, const std::string& link,
                    bool home, double prior, const Array<double>& strengths, const Array<double>& thresholds,
                    const Array<double>& effects, double tol, int max_iter, int n_threads,
                    const py::object& progress) {
  const auto given = read(graph, counts, link, home, prior, strengths, thresholds, effects);
  const rank::FitOptions options{tol, max_iter, 0};
  auto fit = run_partial(n_threads, progress, [&](Monitor& monitor) {
               return rank::fit_graded(given.problem, given.point, options, monitor);
             }).result;
  return py::dict("strengths"_a = take(std::move(fit.point.strengths)),
                  "thresholds"_a = take(std::move(fit.point.thresholds)),
                  "effects"_a = take(std::move(fit.point.effects)), "log_likelihood"_a = fit.log_likelihood,
                  "reach"_a = fit.reach, "info"_a = to_dict(fit.info));
}

/// Gradient and Hessian, and the cells' terms.
py::dict graded_derivatives(const rank::PairGraph& graph, const Array<double>& counts,
                            const std::string& link, bool home, double prior, const Array<double>& strengths,
                            const Array<double>& thresholds, const Array<double>& effects, int n_threads) {
  const auto given = read(graph, counts, link, home, prior, strengths, thresholds, effects);
  auto found = run(n_threads, no_progress, [&](Monitor& monitor) {
    rank::GradedDerivatives out;
    rank::evaluate(given.problem, given.point, out, monitor);
    return out;
  });
  auto& d = found.all;
  return py::dict("cell_gradient"_a = take(std::move(d.cell_gradient)),
                  "cell_curvature"_a = take(std::move(d.cell_curvature)),
                  "gradient"_a = take(std::move(d.gradient)), "diagonal"_a = take(std::move(d.diagonal)),
                  "border"_a = take(std::move(d.border), graph.items, d.extra),
                  "extra_gradient"_a = take(std::move(d.extra_gradient)),
                  "extra_hessian"_a = take(std::move(d.extra_hessian), d.extra, d.extra),
                  "log_likelihood"_a = found.log_likelihood);
}

/// X that solves H X = B over all parameters; None if H is singular to rounding, or on Ctrl-C.
py::object solve_graded(const rank::PairGraph& graph, const Array<double>& counts, const std::string& link,
                        bool home, double prior, const Array<double>& strengths,
                        const Array<double>& thresholds, const Array<double>& effects,
                        const Array<double>& right_sides, double accuracy, int n_threads) {
  const auto given = read(graph, counts, link, home, prior, strengths, thresholds, effects);
  const auto b = matrix_view(right_sides, "right_sides");
  if (b.rows != graph.items + given.problem.extra())
    throw py::value_error("right_sides must have one row a parameter");
  std::vector<double> x(checked_product("right_sides", b.rows, b.cols));
  const bool solved = run(n_threads, no_progress, [&](Monitor& monitor) {
    rank::GradedDerivatives d;
    rank::StrengthSystem system(graph, given.problem.model(), rank::Linear::automatic, monitor);
    return rank::evaluate(given.problem, given.point, d, monitor) && system.prepare(d.all, monitor) &&
           system.solve_all(d.all, b, x.data(), accuracy, monitor);
  });
  return solved ? py::object(take(std::move(x), b.rows, b.cols)) : py::none();
}

/// Log chances of every grade at each x, and their derivatives by x and by the thresholds: len(x) x grades, and
/// len(x) x (grades thresholds).
py::tuple grade_terms(const std::string& link, int grades, const Array<double>& thresholds,
                      const Array<double>& x) {
  const auto t = vector_view(thresholds, "thresholds"), values = vector_view(x, "x");
  if (grades < 2 || grades > rank::most_grades) throw py::value_error("grades must lie in 2 .. 32");
  if (std::ssize(t) != (grades - 1) / 2)
    throw py::value_error("thresholds must have (grades - 1) // 2 entries");
  const rank::GradeLaw law(choice<rank::GradeLink>({"cumulative", "adjacent"}, link, "link"), grades,
                           {t.begin(), t.end()});
  const auto size = checked_product("x", std::ssize(values), grades);
  const auto wide = checked_product("x", static_cast<std::ptrdiff_t>(size), std::ssize(t));
  std::vector<double> log_chance, by_x, by_threshold;
  log_chance.reserve(size);
  by_x.reserve(size);
  by_threshold.reserve(wide);
  run(1, no_progress, [&](Monitor&) {
    std::vector<rank::GradeTerms> terms;
    for (const double at : values) {
      law.at(at, terms);
      for (const auto& term : terms) {
        log_chance.push_back(term.log_chance);
        by_x.push_back(term.by_x);
        by_threshold.insert(by_threshold.end(), term.by_threshold.begin(), term.by_threshold.end());
      }
    }
  });
  const auto rows = std::ssize(values);
  return py::make_tuple(take(std::move(log_chance), rows, grades), take(std::move(by_x), rows, grades),
                        take(std::move(by_threshold), rows, grades * std::ssize(t)));
}

}  // namespace

void register_graded(py::module_& m) {
  m.def("_fit_graded", &fit_graded, "graph"_a, "counts"_a, "link"_a, "home"_a, "prior"_a, "strengths"_a,
        "thresholds"_a, "effects"_a, "tol"_a, "max_iter"_a, "n_threads"_a, "progress"_a);
  m.def("_graded_derivatives", &graded_derivatives, "graph"_a, "counts"_a, "link"_a, "home"_a, "prior"_a,
        "strengths"_a, "thresholds"_a, "effects"_a, "n_threads"_a);
  m.def("_solve_graded", &solve_graded, "graph"_a, "counts"_a, "link"_a, "home"_a, "prior"_a, "strengths"_a,
        "thresholds"_a, "effects"_a, "right_sides"_a, "accuracy"_a, "n_threads"_a);
  m.def("_grade_terms", &grade_terms, "link"_a, "grades"_a, "thresholds"_a, "x"_a);
}

}  // namespace steelyard::bindings
