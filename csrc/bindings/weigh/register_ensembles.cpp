// Weights of predictions, and what a classifier's probabilities are worth without labels.
#include <utility>
#include <vector>

#include "bindings/arrays.hpp"
#include "bindings/choice.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "weigh/ensembles/ensembles.hpp"
#include "weigh/ensembles/label_free.hpp"

namespace steelyard::bindings {
namespace {

enum class EnsembleLoss { squared, log, pinball };

py::dict ensemble_weights(const Array<double>& predictions, const std::string& loss,
                          const OptionalArray<double>& y, const OptionalArray<double>& weights,
                          const OptionalArray<double>& levels, double tol, int max_iter, int n_threads,
                          const py::object& progress) {
  const auto kind = choice<EnsembleLoss>({"squared", "log", "pinball"}, loss, "loss");
  const weigh::EnsembleProblem problem{matrix_view(predictions, "predictions"), vector_view(y, "y"),
                                       vector_view(weights, "weights"), vector_view(levels, "levels")};
  const auto n = problem.predictions.rows;
  if (n < 1 || problem.predictions.cols < 1) throw py::value_error("predictions must not be empty");
  const auto fits = [&](const auto& values, bool needed) {
    return std::ssize(values) == n || (values.empty() && !needed);
  };
  if (!fits(problem.y, kind != EnsembleLoss::log) || !fits(problem.weights, false) ||
      !fits(problem.levels, kind == EnsembleLoss::pinball)) {
    throw py::value_error("y, weights and levels must have one entry a row of predictions");
  }
  const weigh::EnsembleOptions options{.tol = tol, .max_iter = max_iter};
  auto [found, stopped] = run_partial(n_threads, progress, [&](Monitor& monitor) {
    if (kind == EnsembleLoss::squared) return weigh::squared_weights(problem, options, monitor);
    if (kind == EnsembleLoss::log) return weigh::log_weights(problem, options, monitor);
    return weigh::pinball_weights(problem, options, monitor);
  });
  found.info.interrupted = stopped;
  return py::dict("weights"_a = take(std::move(found.weights)), "loss"_a = found.loss, "gap"_a = found.gap,
                  "singles"_a = take(std::move(found.singles)), "info"_a = to_dict(found.info));
}

/// The least count that is listed, and chances from there.
py::tuple count_law(const Array<double>& p, int n_threads, const py::object& progress) {
  const auto chances = vector_view(p, "p");
  auto law = run(n_threads, progress, [&](Monitor& monitor) { return weigh::count_law(chances, monitor); });
  return py::make_tuple(law.first, take(std::move(law.chances)));
}

/// Mean, standard deviation, and whether both are exact.
py::tuple expected_auc(const Array<double>& p, const Array<double>& scores, py::ssize_t exact_limit,
                       const py::object& progress) {
  const auto chances = vector_view(p, "p"), x = vector_view(scores, "scores");
  if (p.size() != scores.size()) throw py::value_error("p and scores must have the same length");
  const auto found = run(
      1, progress, [&](Monitor& monitor) { return weigh::expected_auc(chances, x, exact_limit, monitor); });
  return py::make_tuple(found.value, found.deviation, found.exact);
}

Array<double> pool_neighbours(const Array<double>& values, const Array<double>& weights) {
  const auto y = vector_view(values, "values"), c = vector_view(weights, "weights");
  if (values.size() != weights.size()) throw py::value_error("values and weights must have the same length");
  std::vector<double> out(y.begin(), y.end());
  weigh::pool_neighbours(out, c);
  return take(std::move(out));
}

}  // namespace

void register_ensembles(py::module_& m) {
  m.def("_ensemble_weights", &ensemble_weights, "predictions"_a, "loss"_a, "y"_a = py::none(),
        "weights"_a = py::none(), "levels"_a = py::none(), "tol"_a = 1e-10, "max_iter"_a = 100,
        "n_threads"_a = 1, "progress"_a = py::none());
  m.def("_count_law", &count_law, "p"_a, "n_threads"_a = 1, "progress"_a = py::none());
  m.def("_expected_auc", &expected_auc, "p"_a, "scores"_a, "exact_limit"_a, "progress"_a = py::none());
  m.def("_pool_neighbours", &pool_neighbours, "values"_a, "weights"_a);
}

}  // namespace steelyard::bindings
