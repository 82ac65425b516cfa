// The drivers of distances.
#include <cmath>
#include <string>

#include "bindings/arrays.hpp"
#include "bindings/choice.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "core/infinity.hpp"
#include "distances/far_field/far_field.hpp"
#include "distances/nearest.hpp"
#include "distances/pairwise.hpp"

namespace steelyard::bindings {
namespace {

template <class T>
Array<T> converted(const py::array& array, const char* name) {
  auto result = Array<T>::ensure(array);
  if (!result) {
    throw py::type_error(std::string(name) + " must hold real numbers, got dtype " +
                         py::str(array.dtype()).cast<std::string>());
  }
  return result;
}

bool is_single(const py::array& array) { return array.dtype().num() == py::dtype::of<float>().num(); }

template <class Real, class Function>
py::object with_points(const py::array& x_in, const py::array& y_in, const Function& function) {
  const auto x_array = converted<Real>(x_in, "x"), y_array = converted<Real>(y_in, "y");
  const auto x = matrix_view(x_array, "x"), y = matrix_view(y_array, "y");
  if (x.cols != y.cols) {
    throw py::value_error("y must have as many columns as x (" + std::to_string(x.cols) + "), got " +
                          std::to_string(y.cols));
  }
  return function(x, y);
}

/// Calls function(x, y) with float32 views when both arrays hold float32, else with float64.
template <class Function>
py::object visit_points(const py::array& x, const py::array& y, const Function& function) {
  if (is_single(x) && is_single(y)) return with_points<float>(x, y, function);
  return with_points<double>(x, y, function);
}

py::object squared_distances(const py::array& x_in, const py::array& y_in, int n_threads) {
  return visit_points(x_in, y_in,
                      [=]<class Real>(MatrixView<const Real> x, MatrixView<const Real> y) -> py::object {
                        std::vector<Real> out(room_for<Real>("x", x.rows, y.rows));
                        const MatrixView<Real> view{out.data(), x.rows, y.rows, y.rows};
                        run(n_threads, no_progress,
                            [&](Monitor& monitor) { distances::squared_distances(x, y, view, monitor); });
                        return take(std::move(out), x.rows, y.rows);
                      });
}

py::object nearest(const py::array& x_in, const py::array& y_in, int n_threads) {
  return visit_points(
      x_in, y_in, [=]<class Real>(MatrixView<const Real> x, MatrixView<const Real> y) -> py::object {
        std::vector<std::int64_t> index(at(x.rows));
        std::vector<Real> squared(index.size());
        run(n_threads, no_progress,
            [&](Monitor& monitor) { distances::nearest<Real, Real>(x, y, index, squared, monitor); });
        return py::make_tuple(take(std::move(index)), take(std::move(squared)));
      });
}

py::object exp_distance_sums(const py::array& x_in, const py::array& y_in, double t, int n_threads) {
  return visit_points(x_in, y_in,
                      [=]<class Real>(MatrixView<const Real> x, MatrixView<const Real> y) -> py::object {
                        std::vector<double> sums(at(x.rows));
                        run(n_threads, no_progress,
                            [&](Monitor& monitor) { distances::exp_distance_sums(x, y, t, sums, monitor); });
                        return take(std::move(sums));
                      });
}

py::object squared_distance_sums(const py::array& x_in, const py::array& y_in, int n_threads) {
  return visit_points(x_in, y_in,
                      [=]<class Real>(MatrixView<const Real> x, MatrixView<const Real> y) -> py::object {
                        std::vector<double> sums(at(x.rows));
                        run(n_threads, no_progress,
                            [&](Monitor& monitor) { distances::squared_distance_sums(x, y, sums, monitor); });
                        return take(std::move(sums));
                      });
}

/// (K~ v, what error() says of it: rms, largest, weighted; NaN where it says nothing).
py::tuple far_field_product(const Array<double>& x_in, const Array<double>& v_in, py::ssize_t p, double scale,
                            bool single, int n_threads, const std::string& kernel) {
  const auto x = matrix_view(x_in, "x");
  const auto v = vector_view(v_in, "v");
  if (x.cols < 1 || x.cols > distances::most_tree_dimensions || x.rows < 1 || std::ssize(v) != x.rows)
    throw py::value_error("x must have 1 to 4 columns and a row for each number of v");
  if (p < 2 || p > 40) throw py::value_error("p must be 2 to 40");
  const auto kind =
      choice<simd::Kernel>({"energy", "laplacian", "gaussian", "matern32", "matern52"}, kernel, "kernel");
  std::vector<double> y(v.size());
  const auto error = run(n_threads, no_progress, [&](Monitor& monitor) {
    const distances::FarField field(x, monitor);
    if (monitor.stopped()) return distances::FarFieldError{};
    if (single) {
      field.product<float>(p, {kind, scale}, v.data(), y.data(), 1, monitor);
    } else {
      field.product<double>(p, {kind, scale}, v.data(), y.data(), 1, monitor);
    }
    if (kind != simd::Kernel::laplacian)
      return distances::FarFieldError{std::nan(""), std::nan(""), std::nan("")};
    return field.error(p, scale, v.data(), 1, monitor);
  });
  return py::make_tuple(take(std::move(y)), error.rms, error.largest, error.weighted);
}

/// Bounds by ellipses and by the series in the differences, which is infinite beyond two dimensions.
py::tuple interpolation_error(const std::vector<std::int32_t>& shape, py::ssize_t p, double rate) {
  const auto d = std::ssize(shape);
  if (d < 1 || d > distances::most_tree_dimensions || p < 2 || p > distances::most_series_points)
    throw py::value_error("shape must have 1 to 4 numbers, p be 2 to 32");
  const distances::Offsets offsets(d);
  for (py::ssize_t k = 0; k < offsets.shapes(); ++k) {
    if (!std::equal(shape.begin(), shape.end(), offsets.shape(k).begin())) continue;
    return py::make_tuple(distances::interpolation_error(offsets, k, p, rate),
                          d > 2 ? infinity : distances::series_errors(offsets, k, rate)[at(p)]);
  }
  throw py::value_error("shape must be a falling offset of cells that do not touch");
}

py::object earlier_neighbours(const Array<double>& x_in, const Array<std::int32_t>& rank, py::ssize_t k,
                              int n_threads) {
  const auto x = matrix_view(x_in, "x");
  const auto order = vector_view(rank, "rank");
  if (std::ssize(order) != x.rows) throw py::value_error("rank must have one number a row of x");
  room_for<std::int32_t>("k", x.rows, k);
  auto out = run(n_threads, no_progress, [&](Monitor& monitor) {
    const distances::PointTree tree(x, monitor);
    return distances::earlier_neighbours(tree, order, k, monitor);
  });
  return take(std::move(out), x.rows, k);
}

}  // namespace

void register_distances(py::module_& m) {
  m.def("_squared_distances", &squared_distances, "x"_a, "y"_a, "n_threads"_a = 1);
  m.def("_nearest", &nearest, "x"_a, "y"_a, "n_threads"_a = 1);
  m.def("_exp_distance_sums", &exp_distance_sums, "x"_a, "y"_a, "t"_a, "n_threads"_a = 1);
  m.def("_far_field_product", &far_field_product, "x"_a, "v"_a, "p"_a, "scale"_a, "single"_a = false,
        "n_threads"_a = 1, "kernel"_a = "laplacian");
  m.def("_interpolation_error", &interpolation_error, "shape"_a, "p"_a, "rate"_a);
  m.def("_earlier_neighbours", &earlier_neighbours, "x"_a, "rank"_a, "k"_a, "n_threads"_a = 1);
  m.def("_squared_distance_sums", &squared_distance_sums, "x"_a, "y"_a, "n_threads"_a = 1);
}

}  // namespace steelyard::bindings
