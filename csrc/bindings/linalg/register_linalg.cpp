#include <algorithm>

#include "bindings/arrays.hpp"
#include "bindings/linalg/square.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "linalg/cholesky.hpp"

namespace steelyard::bindings {
namespace {

/// L; None where the matrix is not positive definite.
py::object cholesky_large(const Array<double>& a) {
  const auto n = square_size(a, "a");
  auto l = copied(a);
  const bool done =
      run(1, no_progress, [&](Monitor& monitor) { return linalg::cholesky(l.data(), n, n, monitor); });
  if (!done) return py::none();
  return lower_triangle(std::move(l), n);
}

py::object cholesky_inverse(const Array<double>& l) {
  const auto n = square_size(l, "l");
  auto inverse = copied(l);
  run(1, no_progress, [&](Monitor& monitor) { linalg::cholesky_inverse(inverse.data(), n, n, monitor); });
  return take(std::move(inverse), n, n);
}

/// A^{-1} of a symmetric positive definite matrix; None if it is not.
py::object inverse_positive_definite(const Array<double>& matrix) {
  const auto a = matrix_view(matrix, "matrix");
  if (a.rows != a.cols) throw py::value_error("matrix must be square");
  std::vector<double> out(checked_product("matrix", a.rows, a.cols));
  const bool done = run(1, no_progress, [&](Monitor& monitor) {
    std::copy(a.data, a.data + a.rows * a.cols, out.begin());
    return linalg::cholesky(out.data(), a.rows, a.rows, monitor) &&
           linalg::cholesky_inverse(out.data(), a.rows, a.rows, monitor);
  });
  if (!done) return py::none();
  return take(std::move(out), a.rows, a.cols);
}

}  // namespace

void register_linalg(py::module_& m) {
  m.def("_cholesky_large", &cholesky_large, "a"_a);
  m.def("_cholesky_inverse", &cholesky_inverse, "l"_a);
  m.def("_inverse_positive_definite", &inverse_positive_definite, "matrix"_a);
}

}  // namespace steelyard::bindings
