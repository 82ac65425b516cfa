#include "bindings/arrays.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "rank/responses/item_response.hpp"

namespace steelyard::bindings {
namespace {

/// Answers as they came, held for as long as they are used.
class BoundResponses {
 public:
  /// codes: persons x items, 0 wrong, 1 right, 2 none.
  static BoundResponses dense(Array<std::uint8_t> codes) {
    BoundResponses out;
    const auto view = matrix_view(codes, "codes");
    const auto all = std::span<const std::uint8_t>(view.data, at(view.rows * view.cols));
    for (const auto code : all)
      if (code > rank::no_answer) throw py::value_error("codes must be 0, 1 or 2");
    out.table_.persons = view.rows;
    out.table_.items = view.cols;
    out.table_.codes = all;
    out.held_ = std::move(codes);
    return out;
  }

  /// A list a person, items rising.
  static BoundResponses lists(const Array<std::int64_t>& offsets, const Array<std::int32_t>& listed,
                              const Array<std::uint8_t>& codes, std::ptrdiff_t items) {
    BoundResponses out;
    const auto o = vector_view(offsets, "offsets");
    const auto j = vector_view(listed, "listed");
    const auto v = vector_view(codes, "codes");
    if (o.empty() || o.front() != 0 || o.back() != std::ssize(j) || v.size() != j.size())
      throw py::value_error("offsets, listed and codes must fit together");
    for (std::size_t i = 1; i < o.size(); ++i) {
      if (o[i] < o[i - 1] || o[i] > std::ssize(j)) throw py::value_error("offsets must rise");
      for (auto k = o[i - 1]; k < o[i]; ++k)
        if (j[at(k)] < 0 || j[at(k)] >= items || v[at(k)] > 1 || (k > o[i - 1] && j[at(k)] <= j[at(k) - 1]))
          throw py::value_error("listed must rise within a person, and codes be 0 or 1");
    }
    out.table_ = {std::ssize(o) - 1, items, {}, o, j, v};
    out.held_ = py::make_tuple(offsets, listed, codes);
    return out;
  }

  const rank::ResponseTable& table() const { return table_; }

 private:
  rank::ResponseTable table_;
  py::object held_;
};

rank::ItemPoint read_point(const BoundResponses& responses, const Array<double>& log_slope,
                           const Array<double>& intercept, const Array<double>& logit_guess) {
  const auto a = vector_view(log_slope, "log_slope"), c = vector_view(intercept, "intercept"),
             g = vector_view(logit_guess, "logit_guess");
  for (const auto part : {a, c, g})
    if (std::ssize(part) != responses.table().items)
      throw py::value_error("log_slope, intercept and logit_guess must have one entry an item");
  return {{a.begin(), a.end()}, {c.begin(), c.end()}, {g.begin(), g.end()}};
}

py::dict fit_items(const BoundResponses& responses, bool shared, bool guessing, bool fits_guess, double prior,
                   const Array<double>& log_slope, const Array<double>& intercept,
                   const Array<double>& logit_guess, int em_steps, const py::object& other, double tol,
                   int max_iter, int n_threads, const py::object& progress) {
  const auto start = read_point(responses, log_slope, intercept, logit_guess);
  rank::ItemPoint known;
  if (!other.is_none()) {
    const auto [a, c, g] = other.cast<std::tuple<Array<double>, Array<double>, Array<double>>>();
    known = read_point(responses, a, c, g);
  }
  const rank::ItemProblem problem{responses.table(), {shared, guessing, fits_guess, prior}};
  const rank::FitOptions options{tol, max_iter, 0};
  auto fit = run_partial(n_threads, progress, [&](Monitor& monitor) {
               return rank::fit_items(problem, start, em_steps, other.is_none() ? nullptr : &known, options,
                                      monitor);
             }).result;
  std::vector<double> mean, sd;
  for (const auto& place : fit.places) {
    mean.push_back(place.mean);
    sd.push_back(place.sd);
  }
  return py::dict("log_slope"_a = take(std::move(fit.point.log_slope)),
                  "intercept"_a = take(std::move(fit.point.intercept)),
                  "logit_guess"_a = take(std::move(fit.point.logit_guess)), "mean"_a = take(std::move(mean)),
                  "sd"_a = take(std::move(sd)), "log_likelihood"_a = fit.log_likelihood,
                  "objective"_a = fit.objective, "joined"_a = fit.joined, "node_change"_a = fit.node_change,
                  "finest"_a = fit.finest, "nodes"_a = fit.nodes, "cg_iterations"_a = fit.cg_iterations,
                  "info"_a = to_dict(fit.info));
}

/// X that solves H X = B, H the observed information; None if that fails.
py::object solve_items(const BoundResponses& responses, bool shared, bool guessing, bool fits_guess,
                       double prior, const Array<double>& log_slope, const Array<double>& intercept,
                       const Array<double>& logit_guess, const Array<double>& right_sides, int n_threads) {
  const auto point = read_point(responses, log_slope, intercept, logit_guess);
  const rank::ItemProblem problem{responses.table(), {shared, guessing, fits_guess, prior}};
  const auto b = matrix_view(right_sides, "right_sides");
  if (b.rows != problem.size()) throw py::value_error("right_sides must have one row a parameter");
  auto found = run(n_threads, no_progress,
                   [&](Monitor& monitor) { return rank::solve_items(problem, point, b, monitor); });
  return found.empty() ? py::object(py::none()) : py::object(take(std::move(found), b.rows, b.cols));
}

/// At fixed nodes: the objective, its gradient, and the product of minus its Hessian with `direction`.
py::tuple item_derivatives(const BoundResponses& responses, bool shared, bool guessing, bool fits_guess,
                           double prior, const Array<double>& log_slope, const Array<double>& intercept,
                           const Array<double>& logit_guess, double step, const Array<double>& direction,
                           int n_threads) {
  const auto point = read_point(responses, log_slope, intercept, logit_guess);
  const rank::ItemProblem problem{responses.table(), {shared, guessing, fits_guess, prior}};
  const auto v = vector_view(direction, "direction");
  if (std::ssize(v) != problem.size()) throw py::value_error("direction must have one entry a parameter");
  if (!(step >= 0.01)) throw py::value_error("step must be at least 0.01");
  std::vector<double> gradient, product(v.size());
  double value = 0.0;
  run(n_threads, no_progress, [&](Monitor& monitor) {
    rank::ItemLikelihood now(problem, monitor);
    const auto nodes = rank::fixed_nodes(responses.table().persons, step);
    if (!now.evaluate(point, nodes)) return;
    value = now.value();
    gradient = now.gradient();
    now.multiply(v.data(), product.data());
  });
  return py::make_tuple(value, take(std::move(gradient)), take(std::move(product)));
}

}  // namespace

void register_responses(py::module_& m) {
  py::class_<BoundResponses>(m, "_Responses")
      .def_static("dense", &BoundResponses::dense, "codes"_a)
      .def_static("lists", &BoundResponses::lists, "offsets"_a, "listed"_a, "codes"_a, "items"_a);
  m.def("_fit_items", &fit_items, "responses"_a, "shared"_a, "guessing"_a, "fits_guess"_a, "prior"_a,
        "log_slope"_a, "intercept"_a, "logit_guess"_a, "em_steps"_a, "other"_a, "tol"_a, "max_iter"_a,
        "n_threads"_a, "progress"_a);
  m.def("_solve_items", &solve_items, "responses"_a, "shared"_a, "guessing"_a, "fits_guess"_a, "prior"_a,
        "log_slope"_a, "intercept"_a, "logit_guess"_a, "right_sides"_a, "n_threads"_a);
  m.def("_item_derivatives", &item_derivatives, "responses"_a, "shared"_a, "guessing"_a, "fits_guess"_a,
        "prior"_a, "log_slope"_a, "intercept"_a, "logit_guess"_a, "step"_a, "direction"_a, "n_threads"_a);
}

}  // namespace steelyard::bindings
