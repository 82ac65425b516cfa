// The drivers of distances.
#include <string>

#include "bindings/arrays.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
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

}  // namespace

void register_distances(py::module_& m) {
  m.def("_squared_distances", &squared_distances, "x"_a, "y"_a, "n_threads"_a = 1);
  m.def("_nearest", &nearest, "x"_a, "y"_a, "n_threads"_a = 1);
  m.def("_exp_distance_sums", &exp_distance_sums, "x"_a, "y"_a, "t"_a, "n_threads"_a = 1);
  m.def("_squared_distance_sums", &squared_distance_sums, "x"_a, "y"_a, "n_threads"_a = 1);
}

}  // namespace steelyard::bindings
