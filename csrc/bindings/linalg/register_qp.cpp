// The quadratic solver, with its matrix in memory or made by a Python function.
#include <algorithm>
#include <cmath>
#include <string>

#include "bindings/arrays.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "linalg/cholesky.hpp"
#include "qp/simplex_qp.hpp"

namespace steelyard::bindings {
namespace {

/// TypeError where NumPy would not cast safely. (`ensure` swallows the reason.)
Array<double> real_numbers(const py::object& values, const char* name) {
  auto array = Array<double>::ensure(values);
  if (!array) throw py::type_error(std::string(name) + " must be an array of real numbers");
  return array;
}

/// K(indices) -> rows, called with the GIL. Ctrl-C can meet that Python code too: it stops `monitor`.
class FunctionRows final : public qp::SymmetricRows {
 public:
  FunctionRows(const py::object& function, py::ssize_t n, Monitor& monitor)
      : function_(function), n_(n), monitor_(monitor) {}

  std::ptrdiff_t size() const override { return n_; }

  void rows(std::span<const std::ptrdiff_t> indices, double* out) override {
    const py::gil_scoped_acquire locked;
    const auto count = std::ssize(indices);
    py::array_t<std::int64_t> asked(count);
    std::copy(indices.begin(), indices.end(), asked.mutable_data());
    const auto made = real_numbers(called(asked), "K(indices)");
    if (made.ndim() != 2 || made.shape(0) != count || made.shape(1) != n_) {
      throw py::value_error("K(indices) must have shape (" + std::to_string(count) + ", " +
                            std::to_string(n_) + "), got " + py::str(made.attr("shape")).cast<std::string>());
    }
    for (py::ssize_t k = 0; k < made.size(); ++k) {
      if (!std::isfinite(made.data()[k])) throw py::value_error("K(indices) has NaN or infinite entries");
    }
    std::copy_n(made.data(), made.size(), out);
  }

 private:
  /// Once more after Ctrl-C: the solver needs the rows to end in good order.
  py::object called(const py::object& indices) {
    try {
      return function_(indices);
    } catch (const py::error_already_set& error) {
      if (asked_ || !is_interrupt(error)) throw;
      asked_ = true;
      monitor_.stop();
    }
    return function_(indices);
  }

  const py::object& function_;
  py::ssize_t n_;
  Monitor& monitor_;
  bool asked_ = false;
};

std::optional<Array<double>> matrix_of(const py::object& k) {
  if (!py::isinstance<py::array>(k)) return std::nullopt;
  auto matrix = real_numbers(k, "K");
  const auto view = matrix_view(matrix, "K");
  if (view.rows != view.cols) throw py::value_error("K must be square");
  return matrix;
}

/// K: a matrix, or a function that makes rows of it.
py::dict simplex_qp(const py::object& k, const Array<double>& q, const Array<double>& lower,
                    const Array<double>& upper, std::optional<double> total, double tol,
                    std::int64_t max_iter, std::size_t cache_bytes, std::ptrdiff_t factor_limit,
                    int n_threads, const py::object& progress) {
  const auto matrix = matrix_of(k);
  const auto target = vector_view(q, "q"), least = vector_view(lower, "lower"),
             most = vector_view(upper, "upper");
  if ((matrix && matrix->shape(0) != q.size()) || lower.size() != q.size() || upper.size() != q.size()) {
    throw py::value_error("q, lower and upper must have one entry a row of K");
  }
  if (q.size() == 0) throw py::value_error("K must have at least one row");
  const qp::QpOptions options{
      .tol = tol, .max_iter = max_iter, .cache_bytes = cache_bytes, .factor_limit = factor_limit};
  auto [found, stopped] = run_partial(n_threads, progress, [&](Monitor& monitor) {
    const auto solve = [&](qp::SymmetricRows&& rows) {
      return qp::solve_simplex_qp({rows, target, least, most, total}, options, monitor);
    };
    return matrix ? solve(qp::DenseRows(matrix_view(*matrix, "K")))
                  : solve(FunctionRows(k, q.size(), monitor));
  });
  found.info.interrupted = stopped;  // also where the last rows met it, after the last poll
  return py::dict("x"_a = take(std::move(found.x)), "objective"_a = found.objective, "gap"_a = found.gap,
                  "convex"_a = found.convex, "unbounded"_a = found.unbounded, "info"_a = to_dict(found.info));
}

bool is_positive_definite(const Array<double>& matrix) {
  const auto a = matrix_view(matrix, "matrix");
  if (a.rows != a.cols) throw py::value_error("matrix must be square");
  return run(1, no_progress, [&](Monitor& monitor) {
    std::vector<double> l(a.data, a.data + a.rows * a.cols);
    return linalg::cholesky(l.data(), a.rows, a.rows, monitor);
  });
}

}  // namespace

void register_qp(py::module_& m) {
  m.def("_simplex_qp", &simplex_qp, "K"_a, "q"_a, "lower"_a, "upper"_a, "total"_a, "tol"_a, "max_iter"_a = 0,
        "cache_bytes"_a = std::size_t{256} << 20, "factor_limit"_a = 8000, "n_threads"_a = 1,
        "progress"_a = py::none());
  m.def("_is_positive_definite", &is_positive_definite, "matrix"_a);
}

}  // namespace steelyard::bindings
