#include <algorithm>

#include "bindings/arrays.hpp"
#include "bindings/register.hpp"
#include "linalg/cholesky.hpp"

namespace steelyard::bindings {
namespace {

/// A^{-1} of a symmetric positive definite matrix; None if it is not.
py::object inverse_positive_definite(const Array<double>& matrix) {
  const auto a = matrix_view(matrix, "matrix");
  if (a.rows != a.cols) throw py::value_error("matrix must be square");
  std::vector<double> out(static_cast<std::size_t>(a.rows * a.cols));
  PythonHost host(py::none{});
  Monitor monitor(1, &host);
  bool done = false;
  {
    const py::gil_scoped_release unlocked;
    std::copy(a.data, a.data + a.rows * a.cols, out.begin());
    done = linalg::cholesky(out.data(), a.rows, a.rows, monitor) &&
           linalg::cholesky_inverse(out.data(), a.rows, a.rows, monitor);
  }
  if (monitor.stopped()) {
    PyErr_SetNone(PyExc_KeyboardInterrupt);
    throw py::error_already_set();
  }
  if (!done) return py::none();
  return take(std::move(out), a.rows, a.cols);
}

}  // namespace

void register_linalg(py::module_& m) {
  m.def("_inverse_positive_definite", &inverse_positive_definite, "matrix"_a);
}

}  // namespace steelyard::bindings
