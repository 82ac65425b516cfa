// The quadratic solver, with its matrix in memory or made by a Python function.
#include <algorithm>
#include <cmath>
#include <string>

#include "bindings/arrays.hpp"
#include "bindings/register.hpp"
#include "linalg/cholesky.hpp"
#include "qp/simplex_qp.hpp"

namespace steelyard::bindings {
namespace {

/// Ctrl-C can also meet Python code that makes rows: `asked` remembers it until the next poll.
class RowsHost final : public Host {
 public:
  RowsHost(const py::object& progress, const bool& asked) : python_(progress), asked_(asked) {}
  bool interrupted() override { return asked_ || python_.interrupted(); }
  bool progress(double done, double total) override { return python_.progress(done, total) || asked_; }

 private:
  PythonHost python_;
  const bool& asked_;
};

/// K(indices) -> rows, called with the GIL.
class FunctionRows final : public qp::SymmetricRows {
 public:
  FunctionRows(py::object function, py::ssize_t n, bool& asked)
      : function_(std::move(function)), n_(n), asked_(asked) {}

  std::ptrdiff_t size() const override { return n_; }

  void rows(std::span<const std::ptrdiff_t> indices, double* out) override {
    const py::gil_scoped_acquire locked;
    const auto count = std::ssize(indices);
    py::array_t<std::int64_t> asked(count);
    std::copy(indices.begin(), indices.end(), asked.mutable_data());
    const auto made = Array<double>::ensure(called(asked));
    if (!made) throw py::error_already_set();
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
    }
    return function_(indices);
  }

  py::object function_;
  py::ssize_t n_;
  bool& asked_;
};

py::dict solve_program(qp::SymmetricRows& rows, const Array<double>& q, const Array<double>& lower,
                       const Array<double>& upper, std::optional<double> total, double tol,
                       std::int64_t max_iter, std::size_t cache_bytes, std::ptrdiff_t factor_limit,
                       int n_threads, const py::object& progress, const bool& asked) {
  const qp::QpProblem problem{rows, vector_view(q, "q"), vector_view(lower, "lower"),
                              vector_view(upper, "upper"), total};
  if (q.size() != rows.size() || lower.size() != q.size() || upper.size() != q.size()) {
    throw py::value_error("q, lower and upper must have one entry a row of K");
  }
  if (q.size() == 0) throw py::value_error("K must have at least one row");
  const qp::QpOptions options{
      .tol = tol, .max_iter = max_iter, .cache_bytes = cache_bytes, .factor_limit = factor_limit};
  RowsHost host(progress, asked);
  Monitor monitor(n_threads, &host);
  qp::QpResult found;
  {
    const py::gil_scoped_release unlocked;  // safe: the caller holds the arrays and the function
    found = qp::solve_simplex_qp(problem, options, monitor);
  }
  // The last rows may have met it after the last poll.
  found.info.interrupted = found.info.interrupted || asked;
  return py::dict("x"_a = take(std::move(found.x)), "objective"_a = found.objective, "gap"_a = found.gap,
                  "convex"_a = found.convex, "unbounded"_a = found.unbounded, "info"_a = to_dict(found.info));
}

py::dict simplex_qp(const py::object& k, const Array<double>& q, const Array<double>& lower,
                    const Array<double>& upper, std::optional<double> total, double tol,
                    std::int64_t max_iter, std::size_t cache_bytes, std::ptrdiff_t factor_limit,
                    int n_threads, const py::object& progress) {
  bool asked = false;
  if (py::isinstance<py::array>(k)) {
    const auto matrix = Array<double>::ensure(k);
    if (!matrix) throw py::error_already_set();
    const auto view = matrix_view(matrix, "K");
    if (view.rows != view.cols) throw py::value_error("K must be square");
    qp::DenseRows rows(view);
    return solve_program(rows, q, lower, upper, total, tol, max_iter, cache_bytes, factor_limit, n_threads,
                         progress, asked);
  }
  FunctionRows rows(k, q.size(), asked);
  return solve_program(rows, q, lower, upper, total, tol, max_iter, cache_bytes, factor_limit, n_threads,
                       progress, asked);
}

bool is_positive_definite(const Array<double>& matrix) {
  const auto a = matrix_view(matrix, "matrix");
  if (a.rows != a.cols) throw py::value_error("matrix must be square");
  PythonHost host(py::none{});
  Monitor monitor(1, &host);
  bool done = false;
  {
    const py::gil_scoped_release unlocked;  // safe: `matrix` keeps its buffer alive
    std::vector<double> l(a.data, a.data + a.rows * a.cols);
    done = linalg::cholesky(l.data(), a.rows, a.rows, monitor);
  }
  if (monitor.stopped()) raise_interrupted();
  return done;
}

}  // namespace

void register_qp(py::module_& m) {
  m.def("_simplex_qp", &simplex_qp, "K"_a, "q"_a, "lower"_a, "upper"_a, "total"_a, "tol"_a, "max_iter"_a = 0,
        "cache_bytes"_a = std::size_t{256} << 20, "factor_limit"_a = 8000, "n_threads"_a = 1,
        "progress"_a = py::none());
  m.def("_is_positive_definite", &is_positive_definite, "matrix"_a);
}

}  // namespace steelyard::bindings
