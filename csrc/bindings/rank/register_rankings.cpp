#include <algorithm>
#include <functional>
#include <vector>

#include "bindings/arrays.hpp"
#include "bindings/rank/linear.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "rank/rankings/ranking_fit.hpp"
#include "rank/rankings/ranking_system.hpp"
#include "rank/rankings/tied_rankings.hpp"

namespace steelyard::bindings {
namespace {

void check_rows(std::span<const std::int64_t> starts, std::span<const std::int32_t> codes,
                std::int32_t items) {
  if (starts.size() < 2 || starts.front() != 0 || starts.back() != std::ssize(codes) ||
      !std::is_sorted(starts.begin(), starts.end()))
    throw py::value_error("starts and codes must describe rankings");
  for (const auto item : codes)
    if (item < 0 || item >= items) throw py::value_error("codes must lie in 0 .. items - 1");
}

std::int64_t repeated_place(const Array<std::int64_t>& starts, const Array<std::int32_t>& codes,
                            std::int32_t items) {
  const auto starts_view = vector_view(starts, "starts");
  const auto codes_view = vector_view(codes, "codes");
  check_rows(starts_view, codes_view, items);
  return run(1, no_progress, [&](Monitor&) { return rank::repeated_place(starts_view, codes_view, items); });
}

rank::Rankings make_rankings(const Array<std::int64_t>& starts, const Array<std::int32_t>& codes,
                             const Array<std::int32_t>& stages, std::int32_t items) {
  const auto starts_view = vector_view(starts, "starts");
  const auto codes_view = vector_view(codes, "codes");
  const auto stages_view = vector_view(stages, "stages");
  check_rows(starts_view, codes_view, items);
  if (stages_view.size() + 1 != starts_view.size())
    throw py::value_error("stages must have one entry a ranking");
  for (std::size_t r = 0; r < stages_view.size(); ++r) {
    const auto length = starts_view[r + 1] - starts_view[r];
    if (length < 2 || stages_view[r] < 1 || stages_view[r] >= length)
      throw py::value_error("a ranking needs two items, and stages from 1 to one less than its items");
  }
  rank::Rankings rankings{items,
                          {starts_view.begin(), starts_view.end()},
                          {codes_view.begin(), codes_view.end()},
                          {stages_view.begin(), stages_view.end()},
                          {},
                          {},
                          {}};
  run(1, no_progress, [&](Monitor& monitor) { rank::prepare(rankings, monitor); });
  return rankings;
}

rank::RankingModel make_ranking_model(const rank::Rankings& rankings, const OptionalArray<double>& weight,
                                      double prior) {
  const auto view = vector_view(weight, "weight");
  if (weight && std::ssize(view) != rankings.count())
    throw py::value_error("weight must have one entry a ranking");
  return {rankings, view, prior};
}

std::span<const double> strengths_view(const rank::Rankings& rankings, const Array<double>& strengths) {
  const auto view = vector_view(strengths, "strengths");
  if (std::ssize(view) != rankings.items) throw py::value_error("strengths must have one entry an item");
  return view;
}

py::dict fit_rankings(const rank::Rankings& rankings, const OptionalArray<double>& weight, double prior,
                      const std::string& solver, const std::string& linear, double tol, int max_iter,
                      int warm_sweeps, const Array<double>& start, int n_threads,
                      const py::object& progress) {
  const auto model = make_ranking_model(rankings, weight, prior);
  const auto view = strengths_view(rankings, start);
  std::vector<double> strengths(view.begin(), view.end());
  const auto method = choice<rank::RankingSolver>({"newton", "newman", "zermelo"}, solver, "solver");
  const auto how = linear_of(linear);
  const rank::FitOptions options{tol, max_iter, warm_sweeps};
  const auto fit = run_partial(n_threads, progress, [&](Monitor& monitor) {
                     return rank::fit_rankings(model, method, how, strengths, options, monitor);
                   }).result;
  return py::dict("strengths"_a = take(std::move(strengths)), "log_likelihood"_a = fit.log_likelihood,
                  "info"_a = to_dict(fit.info));
}

/// The log-likelihood, what each place adds to the gradient, minus the Hessian (its lower triangle; prior
/// included) and that times the columns of x.
py::dict ranking_derivatives(const rank::Rankings& rankings, const OptionalArray<double>& weight,
                             double prior, const Array<double>& strengths, bool hessian,
                             const OptionalArray<double>& x, int n_threads) {
  const auto model = make_ranking_model(rankings, weight, prior);
  const auto s = strengths_view(rankings, strengths);
  const auto columns = x ? matrix_view(*x, "x") : MatrixView<const double>{};
  if (x && columns.rows != rankings.items) throw py::value_error("x must have one row an item");
  if (hessian) room_for<double>("rankings", rankings.items, rankings.items);
  rank::RankingDerivatives d;
  std::vector<double> scores, matrix, product(at(x ? x->size() : 0));
  double log_likelihood = 0.0;
  run(n_threads, no_progress, [&](Monitor& monitor) {
    log_likelihood = rank::log_likelihood(model, s, monitor);
    rank::differentiate(model, s, d, monitor);
    rank::find_scores(model, d.shares, scores, monitor);
    if (hessian) rank::fill_hessian(model, d, matrix, monitor);
    if (x) rank::multiply_hessian(model, d, x->data(), product.data(), columns.cols, monitor);
  });
  const py::ssize_t side = hessian ? rankings.items : 0;
  return py::dict("log_likelihood"_a = log_likelihood, "scores"_a = take(std::move(scores)),
                  "gradient"_a = take(std::move(d.gradient)), "diagonal"_a = take(std::move(d.diagonal)),
                  "hessian"_a = take(std::move(matrix), side, side),
                  "product"_a = take(std::move(product), x ? columns.rows : 0, x ? columns.cols : 0));
}

/// X solves H X = B, B consistent. None if H is singular to rounding.
py::object solve_rankings(const rank::Rankings& rankings, const OptionalArray<double>& weight, double prior,
                          const Array<double>& strengths, const Array<double>& right_sides,
                          const std::string& linear, double accuracy, int n_threads) {
  const auto model = make_ranking_model(rankings, weight, prior);
  const auto s = strengths_view(rankings, strengths);
  const auto b = matrix_view(right_sides, "right_sides");
  if (b.rows != rankings.items) throw py::value_error("right_sides must have one row an item");
  const auto how = linear_of(linear);
  std::vector<double> x(checked_product("right_sides", b.rows, b.cols));
  const bool solved = run(n_threads, no_progress, [&](Monitor& monitor) {
    rank::RankingDerivatives d;
    rank::RankingSystem system(model, how);
    return rank::differentiate(model, s, d, monitor) &&
           system.solve(d, right_sides.data(), x.data(), b.cols, accuracy, monitor);
  });
  return solved ? py::object(take(std::move(x), b.rows, b.cols)) : py::none();
}

rank::TiedRankings make_tied_rankings(const Array<std::int64_t>& starts, const Array<std::int32_t>& codes,
                                      const Array<std::int32_t>& place,
                                      const std::vector<std::int32_t>& orders, std::int32_t items) {
  const auto starts_view = vector_view(starts, "starts");
  const auto codes_view = vector_view(codes, "codes"), place_view = vector_view(place, "place");
  check_rows(starts_view, codes_view, items);
  const bool rise = std::adjacent_find(orders.begin(), orders.end(), std::greater_equal<>()) == orders.end();
  if (orders.empty() || !rise || orders.front() < 2 || orders.back() > rank::largest_tie)
    throw py::value_error("orders must rise from 2 to at most 16");
  if (place_view.size() != codes_view.size()) throw py::value_error("place must have one entry a code");
  for (std::size_t r = 0; r + 1 < starts_view.size(); ++r) {
    auto first = starts_view[r];
    for (auto k = first; k < starts_view[r + 1]; ++k) {
      const bool next = k > starts_view[r] && place_view[at(k)] != place_view[at(k - 1)];
      if (next && place_view[at(k)] < place_view[at(k - 1)])
        throw py::value_error("place must not fall in a ranking");
      if (next) first = k;
      const bool ends = k + 1 == starts_view[r + 1] || place_view[at(k + 1)] != place_view[at(k)];
      if (ends && k > first && !std::binary_search(orders.begin(), orders.end(), k + 1 - first))
        throw py::value_error("orders must hold the size of every tie");
    }
  }
  return {items,
          {starts_view.begin(), starts_view.end()},
          {codes_view.begin(), codes_view.end()},
          {place_view.begin(), place_view.end()},
          orders};
}

struct Tied {
  rank::TiedModel model;
  rank::TiedPoint point;
};

Tied read_tied(const rank::TiedRankings& rankings, const OptionalArray<double>& weight, double prior,
               const Array<double>& point) {
  const auto view = vector_view(weight, "weight"), at_view = vector_view(point, "point");
  if (weight && std::ssize(view) != rankings.count())
    throw py::value_error("weight must have one entry a ranking");
  if (std::ssize(at_view) != rankings.size())
    throw py::value_error("point must have one entry an item and an order");
  return {{rankings, view, prior}, {at_view.begin(), at_view.end()}};
}

py::dict fit_tied(const rank::TiedRankings& rankings, const OptionalArray<double>& weight, double prior,
                  const Array<double>& start, double tol, int max_iter, int n_threads,
                  const py::object& progress) {
  auto given = read_tied(rankings, weight, prior, start);
  const rank::FitOptions options{tol, max_iter, 0};
  const auto fit = run_partial(n_threads, progress, [&](Monitor& monitor) {
                     return rank::fit_tied_rankings(given.model, given.point, options, monitor);
                   }).result;
  return py::dict("point"_a = take(std::move(given.point)), "log_likelihood"_a = fit.log_likelihood,
                  "hopeless"_a = fit.hopeless, "info"_a = to_dict(fit.info));
}

/// Gradient, minus the Hessian (its lower triangle), and what each ranking adds to the gradient.
py::dict tied_derivatives(const rank::TiedRankings& rankings, const OptionalArray<double>& weight,
                          double prior, const Array<double>& point, int n_threads) {
  const auto given = read_tied(rankings, weight, prior, point);
  room_for<double>("rankings", rankings.size(), rankings.size(), 2);
  rank::TiedDerivatives d;
  rank::TiedScores scores;
  run(n_threads, no_progress, [&](Monitor& monitor) {
    if (rank::evaluate_tied(given.model, given.point, d, monitor))
      rank::find_tied_scores(given.model, given.point, scores, monitor);
  });
  return py::dict("log_likelihood"_a = d.log_likelihood, "gradient"_a = take(std::move(d.gradient)),
                  "hessian"_a = take(std::move(d.matrix), rankings.size(), rankings.size()),
                  "scores"_a = take(std::move(scores.places)),
                  "order_scores"_a = take(std::move(scores.orders), rankings.count(), rankings.extra()));
}

}  // namespace

void register_rankings(py::module_& m) {
  py::class_<rank::Rankings>(m, "Rankings")
      .def(py::init(&make_rankings), "starts"_a, "codes"_a, "stages"_a, "items"_a);
  py::class_<rank::TiedRankings>(m, "TiedRankings")
      .def(py::init(&make_tied_rankings), "starts"_a, "codes"_a, "place"_a, "orders"_a, "items"_a);
  m.def("_fit_tied_rankings", &fit_tied, "rankings"_a, "weight"_a, "prior"_a, "point"_a, "tol"_a,
        "max_iter"_a, "n_threads"_a, "progress"_a);
  m.def("_tied_derivatives", &tied_derivatives, "rankings"_a, "weight"_a, "prior"_a, "point"_a,
        "n_threads"_a);
  m.def("_repeated_place", &repeated_place, "starts"_a, "codes"_a, "items"_a);
  m.def("_fit_plackett_luce", &fit_rankings, "rankings"_a, "weight"_a, "prior"_a, "solver"_a, "linear"_a,
        "tol"_a, "max_iter"_a, "warm_sweeps"_a, "strengths"_a, "n_threads"_a, "progress"_a);
  m.def("_ranking_derivatives", &ranking_derivatives, "rankings"_a, "weight"_a, "prior"_a, "strengths"_a,
        "hessian"_a, "x"_a, "n_threads"_a);
  m.def("_solve_ranking_system", &solve_rankings, "rankings"_a, "weight"_a, "prior"_a, "strengths"_a,
        "right_sides"_a, "linear"_a, "accuracy"_a, "n_threads"_a);
}

}  // namespace steelyard::bindings
