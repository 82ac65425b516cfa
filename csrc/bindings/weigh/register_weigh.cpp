#include <algorithm>
#include <memory>
#include <string>

#include "bindings/arrays.hpp"
#include "bindings/choice.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "core/index.hpp"
#include "core/pool.hpp"
#include "distances/similarity.hpp"
#include "weigh/far_space.hpp"
#include "weigh/space.hpp"
#include "weigh/weighting.hpp"
#include "weigh/wide.hpp"

namespace steelyard::bindings {
namespace {

simd::Metric metric_of(const std::string& name) {
  return choice<simd::Metric>(
      {"euclidean", "cityblock", "chebyshev", "minkowski", "cosine", "angular", "hamming", "jaccard"}, name,
      "metric");
}

/// A space with the array that it reads.
struct HeldSpace {
  Array<double> array;
  std::unique_ptr<const weigh::Space> space;
};

std::unique_ptr<HeldSpace> point_space(const Array<double>& points, const std::string& metric, double power) {
  auto space = std::make_unique<weigh::PointSpace>(matrix_view(points, "points"), metric_of(metric), power);
  return std::make_unique<HeldSpace>(HeldSpace{points, std::move(space)});
}

std::unique_ptr<HeldSpace> matrix_space(const Array<double>& distances) {
  const auto view = matrix_view(distances, "distances");
  if (view.rows != view.cols) throw py::value_error("distances must be square");
  return std::make_unique<HeldSpace>(HeldSpace{distances, std::make_unique<weigh::MatrixSpace>(view)});
}

std::unique_ptr<HeldSpace> far_space(const Array<double>& points, int n_threads, bool by_all_pairs) {
  const auto view = matrix_view(points, "points");
  if (view.rows < 1 || view.cols < 1 || view.cols > 3)
    throw py::value_error("points must have a row and 1 to 3 columns");
  auto space = run(n_threads, no_progress, [&](Monitor& monitor) -> std::unique_ptr<const weigh::Space> {
    return std::make_unique<weigh::FarSpace>(view, by_all_pairs, monitor);
  });
  return std::make_unique<HeldSpace>(HeldSpace{points, std::move(space)});
}

py::dict answer(weigh::Weightings&& found, py::ssize_t n) {
  py::list columns;
  for (const auto& c : found.columns) {
    columns.append(py::dict(
        "residual"_a = c.residual, "lower_bound"_a = c.lower_bound, "error_estimate"_a = c.error_estimate,
        "weight_error"_a = c.weight_error, "smallest"_a = c.smallest, "seen"_a = c.seen,
        "inverse_of_residual"_a = c.inverse_of_residual, "inverse_of_rounding"_a = c.inverse_of_rounding,
        "iterations"_a = c.iterations, "converged"_a = c.converged, "indefinite"_a = c.indefinite,
        "deviation"_a = c.deviation.rms, "weighted_deviation"_a = c.deviation.weighted,
        "rigorous"_a = c.deviation.rigorous));
  }
  const auto scales = std::ssize(found.columns);
  const bool empty = found.weights.empty(), open = found.residuals.empty();
  return py::dict("weights"_a = take(std::move(found.weights), empty ? 0 : n, scales), "columns"_a = columns,
                  "residuals"_a = take(std::move(found.residuals), open ? 0 : n, scales),
                  "info"_a = to_dict(found.info));
}

py::dict solve_by_gradients(const HeldSpace& held, const Array<double>& scales, double tol,
                            const std::string& stop, py::ssize_t landmarks, py::ssize_t neighbours,
                            bool single, int max_iter, double jitter, const OptionalArray<double>& start,
                            int n_threads, const py::object& progress) {
  const auto n = held.space->size();
  const auto all = vector_view(scales, "scales");
  room_for<double>("scales", n, all.size(), 4);  // weights, residuals and as much again to work in
  if (start && start->size() != n * std::ssize(all))
    throw py::value_error("start must have n x scales numbers");
  const weigh::CgChoice how{.tol = tol,
                            .stop = choice<weigh::StopRule>({"residual", "magnitude"}, stop, "stop"),
                            .landmarks = landmarks,
                            .neighbours = neighbours,
                            .single = single,
                            .max_iter = max_iter,
                            .jitter = jitter};
  const std::span<const double> from =
      start ? std::span<const double>(start->data(), at(start->size())) : std::span<const double>();
  auto found = run_partial(n_threads, progress, [&](Monitor& monitor) {
    return weigh::solve_by_gradients(*held.space, all, how, from, monitor);
  });
  return answer(std::move(found.result), n);
}

double least_quotient(const HeldSpace& held, double scale, py::ssize_t landmarks, py::ssize_t neighbours,
                      int max_iter, double jitter, int n_threads) {
  const weigh::CgChoice how{
      .landmarks = landmarks, .neighbours = neighbours, .max_iter = max_iter, .jitter = jitter};
  const auto found = run_partial(n_threads, no_progress, [&](Monitor& monitor) {
    return weigh::least_quotient(*held.space, scale, how, monitor);
  });
  return found.result;
}

py::dict solve_by_cholesky(const HeldSpace& held, double scale, bool mixed, double tol, double jitter,
                           int n_threads, const py::object& progress) {
  auto found = run_partial(n_threads, progress, [&](Monitor& monitor) {
    return weigh::solve_by_cholesky(*held.space, scale, mixed, tol, jitter, monitor);
  });
  return answer(std::move(found.result), held.space->size());
}

py::object product(const HeldSpace& held, const Array<double>& scales, const Array<double>& v, bool single,
                   int n_threads, const py::object& progress) {
  const auto all = vector_view(scales, "scales");
  const auto in = matrix_view(v, "v");
  if (in.rows != held.space->size() || in.cols != std::ssize(all)) {
    throw py::value_error("v must be n x scales");
  }
  std::vector<double> out(room_for<double>("scales", in.rows, in.cols));
  run(n_threads, progress, [&](Monitor& monitor) {
    held.space->told_product(single ? weigh::Precision::single : weigh::Precision::full, all, in.data,
                             out.data(), monitor);
  });
  return take(std::move(out), in.rows, in.cols);
}

/// (Z v, how far off by root mean square, by sum |v_i| |off_i|, whether that is proven)
py::tuple careful_product(const HeldSpace& held, double scale, const Array<double>& v, double aim,
                          int n_threads) {
  const auto in = vector_view(v, "v");
  if (std::ssize(in) != held.space->size()) throw py::value_error("v must have one number a point");
  std::vector<double> out(in.size());
  weigh::Deviation off;
  run(n_threads, no_progress, [&](Monitor& monitor) {
    held.space->careful_product({&scale, 1}, aim, in.data(), out.data(), {&off, 1}, monitor);
  });
  return py::make_tuple(take(std::move(out)), off.rms, off.weighted, off.rigorous);
}

py::object local_weights(const HeldSpace& held, double scale, py::ssize_t first,
                         const Array<std::int32_t>& neighbours, int n_threads) {
  const auto near = matrix_view(neighbours, "neighbours");
  const std::span<const std::int32_t> all(near.data, checked_product("neighbours", near.rows, near.cols));
  const auto n = held.space->size();
  if (first < 0 || first + near.rows > n ||
      std::any_of(all.begin(), all.end(), [n](auto j) { return j < -1 || j >= n; })) {
    throw py::value_error("neighbours must be numbers of points, or -1");
  }
  std::vector<double> out(at(near.rows));
  run(n_threads, no_progress, [&](Monitor& monitor) {
    weigh::local_weights(*held.space, scale, first, all, near.cols, out, monitor);
  });
  return take(std::move(out));
}

py::object nearest_neighbours(const HeldSpace& held, py::ssize_t k, int n_threads) {
  room_for<std::int32_t>("k", held.space->size(), k);
  auto out = run(n_threads, no_progress,
                 [&](Monitor& monitor) { return weigh::nearest_neighbours(*held.space, k, false, monitor); });
  return take(std::move(out), held.space->size(), k);
}

double smallest_distance(const HeldSpace& held, int n_threads) {
  return run(n_threads, no_progress,
             [&](Monitor& monitor) { return held.space->smallest_distance(monitor); });
}

py::object chosen_products(const HeldSpace& held, double scale, const Array<std::int32_t>& rows,
                           const Array<double>& v, int n_threads) {
  const auto chosen = vector_view(rows, "rows");
  const auto in = vector_view(v, "v");
  const auto n = held.space->size();
  if (std::ssize(in) != n ||
      std::any_of(chosen.begin(), chosen.end(), [n](auto j) { return j < 0 || j >= n; })) {
    throw py::value_error("rows must be numbers of points and v have one number a point");
  }
  std::vector<double> out(chosen.size());
  run(n_threads, no_progress,
      [&](Monitor& monitor) { weigh::chosen_products(*held.space, scale, chosen, in.data(), out, monitor); });
  return take(std::move(out));
}

py::object cross_distances(const Array<double>& x, const Array<double>& y, const std::string& metric,
                           double power, int n_threads) {
  const auto left = matrix_view(x, "x"), right = matrix_view(y, "y");
  if (left.cols != right.cols) throw py::value_error("y must have as many columns as x");
  std::vector<double> out(room_for<double>("x", left.rows, right.rows));
  const auto kind = metric_of(metric);
  run(n_threads, no_progress, [&](Monitor& monitor) {
    distances::cross_distances(left, right, kind, power, {out.data(), left.rows, right.rows, right.rows},
                               monitor);
  });
  return take(std::move(out), left.rows, right.rows);
}

py::array_t<double> line_weights(const Array<double>& positions, double scale) {
  const auto points = vector_view(positions, "positions");
  std::vector<double> out(points.size());
  weigh::line_weights(points, scale, out);
  return take(std::move(out));
}

py::tuple unit_rows(const Array<double>& rows, const Array<double>& pole, int n_threads) {
  const auto view = matrix_view(rows, "rows");
  const auto middle = vector_view(pole, "pole");
  if (std::ssize(middle) != view.cols) throw py::value_error("pole must have a number a column");
  std::vector<double> high(checked_product("rows", view.rows, view.cols)), low(high.size());
  run(n_threads, no_progress, [&](Monitor& monitor) {
    weigh::unit_rows(view, middle, {high.data(), view.rows, view.cols, view.cols},
                     {low.data(), view.rows, view.cols, view.cols}, monitor);
  });
  return py::make_tuple(take(std::move(high), view.rows, view.cols),
                        take(std::move(low), view.rows, view.cols));
}

py::dict solve_wide(const Array<double>& high, const std::optional<Array<double>>& low,
                    const OptionalArray<double>& pole, const std::string& metric, double power, double scale,
                    py::ssize_t most, int n_threads, const py::object& progress) {
  const bool given = metric == "precomputed";
  weigh::WideSpace space{.high = matrix_view(high, "high"),
                         .low = low ? matrix_view(*low, "low") : MatrixView<const double>{},
                         .pole = vector_view(pole, "pole"),
                         .metric = given ? simd::Metric::euclidean : metric_of(metric),
                         .power = power,
                         .given = given};
  if (given && space.high.rows != space.high.cols) throw py::value_error("distances must be square");
  if (low && (space.low.rows != space.high.rows || space.low.cols != space.high.cols))
    throw py::value_error("low must have the shape of high");
  if (pole && std::ssize(space.pole) != space.high.cols)
    throw py::value_error("pole must have a number a column");
  room_for<double>("X", space.size(), std::min(most, space.size()), 2);
  auto found = run_partial(n_threads, progress,
                           [&](Monitor& monitor) { return weigh::solve_wide(space, scale, most, monitor); });
  auto& r = found.result;
  return py::dict("rank"_a = r.rank, "residual"_a = r.residual, "magnitude"_a = r.magnitude,
                  "lower_bound"_a = r.lower_bound, "error_estimate"_a = r.error_estimate,
                  "weight_error"_a = r.weight_error, "smallest_pivot"_a = r.smallest_pivot,
                  "indefinite"_a = r.indefinite, "stopped"_a = found.stopped,
                  "weights"_a = take(std::move(r.weights)));
}

}  // namespace

void register_weigh(py::module_& m) {
  py::class_<HeldSpace>(m, "_Space").def_property_readonly("size", [](const HeldSpace& held) {
    return held.space->size();
  });
  m.def("_point_space", &point_space, "points"_a, "metric"_a, "power"_a = 2.0);
  m.def("_far_space", &far_space, "points"_a, "n_threads"_a = 1, "by_all_pairs"_a = false);
  m.def("_matrix_space", &matrix_space, "distances"_a);
  m.def("_weights_by_gradients", &solve_by_gradients, "space"_a, "scales"_a, "tol"_a, "stop"_a = "residual",
        "landmarks"_a = 0, "neighbours"_a = 0, "single"_a = true, "max_iter"_a = 1000, "jitter"_a = 0.0,
        "start"_a = py::none(), "n_threads"_a = 1, "progress"_a = py::none());
  m.def("_least_quotient", &least_quotient, "space"_a, "scale"_a, "landmarks"_a = 0, "neighbours"_a = 0,
        "max_iter"_a = 1000, "jitter"_a = 0.0, "n_threads"_a = 1);
  m.def("_weights_by_cholesky", &solve_by_cholesky, "space"_a, "scale"_a, "mixed"_a, "tol"_a,
        "jitter"_a = 0.0, "n_threads"_a = 1, "progress"_a = py::none());
  m.def("_similarity_product", &product, "space"_a, "scales"_a, "v"_a, "single"_a = false, "n_threads"_a = 1,
        "progress"_a = py::none());
  m.def("_careful_product", &careful_product, "space"_a, "scale"_a, "v"_a, "aim"_a, "n_threads"_a = 1);
  m.def("_local_weights", &local_weights, "space"_a, "scale"_a, "first"_a, "neighbours"_a, "n_threads"_a = 1);
  m.def("_nearest_neighbours", &nearest_neighbours, "space"_a, "k"_a, "n_threads"_a = 1);
  m.def("_smallest_distance", &smallest_distance, "space"_a, "n_threads"_a = 1);
  m.def("_chosen_products", &chosen_products, "space"_a, "scale"_a, "rows"_a, "v"_a, "n_threads"_a = 1);
  m.def("_cross_distances", &cross_distances, "x"_a, "y"_a, "metric"_a, "power"_a = 2.0, "n_threads"_a = 1);
  m.def("_unit_rows", &unit_rows, "rows"_a, "pole"_a, "n_threads"_a = 1);
  m.def("_wide_weighting", &solve_wide, "high"_a, "low"_a, "pole"_a, "metric"_a, "power"_a, "scale"_a,
        "most"_a, "n_threads"_a = 1, "progress"_a = py::none());
  m.def("_line_weights", &line_weights, "positions"_a, "scale"_a);
}

}  // namespace steelyard::bindings
