// The quadratic solver, with its matrix in memory or made by a Python function.
#include <algorithm>
#include <cmath>
#include <string>

#include "bindings/arrays.hpp"
#include "bindings/choice.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "linalg/cholesky.hpp"
#include "qp/kernel_qp.hpp"
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

std::span<const double> numbers_of(const OptionalArray<double>& array) {
  if (!array) return {};
  return {array->data(), at(array->size())};
}

/// As the sums and their members are checked: one total a group, each coordinate in one.
std::span<const std::int32_t> groups_of(const std::optional<Array<std::int32_t>>& groups, py::ssize_t n,
                                        std::size_t totals) {
  if (!groups) {
    if (totals > 1) throw py::value_error("total must be one number without groups");
    return {};
  }
  const std::span<const std::int32_t> codes(groups->data(), at(groups->size()));
  const auto outside = [&](auto g) { return g < 0 || at(g) >= totals; };
  if (groups->size() != n || std::any_of(codes.begin(), codes.end(), outside)) {
    throw py::value_error("groups must have one entry a row of K, from 0 to the number of totals - 1");
  }
  return codes;
}

/// K: a matrix, or a function that makes rows of it.
py::dict simplex_qp(const py::object& k, const Array<double>& q, const Array<double>& lower,
                    const Array<double>& upper, const OptionalArray<double>& total, double tol,
                    std::int64_t max_iter, std::size_t cache_bytes, std::ptrdiff_t factor_limit,
                    const std::optional<Array<std::int32_t>>& groups, const OptionalArray<double>& init,
                    double rough, int n_threads, const py::object& progress) {
  const auto matrix = matrix_of(k);
  const auto target = vector_view(q, "q"), least = vector_view(lower, "lower"),
             most = vector_view(upper, "upper");
  if ((matrix && matrix->shape(0) != q.size()) || lower.size() != q.size() || upper.size() != q.size() ||
      (init && init->size() != q.size())) {
    throw py::value_error("q, lower, upper and init must have one entry a row of K");
  }
  if (q.size() == 0) throw py::value_error("K must have at least one row");
  const auto totals = numbers_of(total);
  const auto codes = groups_of(groups, q.size(), totals.size());
  const qp::QpOptions options{.tol = tol,
                              .max_iter = max_iter,
                              .cache_bytes = cache_bytes,
                              .rough = rough,
                              .factor_limit = factor_limit};
  auto [found, stopped] = run_partial(n_threads, progress, [&](Monitor& monitor) {
    const auto solve = [&](qp::SymmetricRows&& rows) {
      return qp::solve_simplex_qp({rows, target, least, most, totals, codes, numbers_of(init)}, options,
                                  monitor);
    };
    return matrix ? solve(qp::DenseRows(matrix_view(*matrix, "K")))
                  : solve(FunctionRows(k, q.size(), monitor));
  });
  found.info.interrupted = stopped;  // also where the last rows met it, after the last poll
  return py::dict("x"_a = take(std::move(found.x)), "objective"_a = found.objective, "gap"_a = found.gap,
                  "convex"_a = found.convex, "unbounded"_a = found.unbounded, "info"_a = to_dict(found.info));
}

/// None for x'y.
std::optional<distances::PointKernel> kernel_of(const std::string& name, double scale) {
  if (name == "linear") return std::nullopt;
  const auto kind =
      choice<simd::Kernel>({"energy", "laplacian", "gaussian", "matern32", "matern52"}, name, "kernel");
  return distances::PointKernel{kind, scale};
}

py::dict kernel_qp(const Array<double>& points, const std::string& kernel, double scale,
                   const Array<double>& linear, const Array<double>& upper,
                   const OptionalArray<double>& ridge, const Array<double>& totals,
                   const std::optional<Array<std::int32_t>>& groups, const OptionalArray<double>& init,
                   double gap_tol, double tol, int max_sweeps, double max_seconds, std::size_t memory,
                   std::ptrdiff_t direct, std::ptrdiff_t dense, std::ptrdiff_t block, std::ptrdiff_t finish,
                   int n_threads, const py::object& progress) {
  const auto view = matrix_view(points, "points");
  const auto n = view.rows;
  if (n == 0 || linear.size() != n || upper.size() != n || (ridge && ridge->size() != n) ||
      (init && init->size() != n)) {
    throw py::value_error("linear, upper, ridge and init must have one entry a point");
  }
  const auto sums = numbers_of(totals);
  const qp::KernelProblem problem{.points = view,
                                  .kernel = kernel_of(kernel, scale),
                                  .linear = vector_view(linear, "linear"),
                                  .upper = vector_view(upper, "upper"),
                                  .ridge = numbers_of(ridge),
                                  .totals = sums,
                                  .groups = groups_of(groups, n, sums.size()),
                                  .init = numbers_of(init)};
  const qp::KernelOptions options{.gap_tol = gap_tol,
                                  .tol = tol,
                                  .max_sweeps = max_sweeps,
                                  .max_seconds = max_seconds,
                                  .memory = memory,
                                  .direct = direct,
                                  .dense = dense,
                                  .block = std::max<std::ptrdiff_t>(2, block),
                                  .finish = finish};
  auto [found, stopped] = run_partial(n_threads, progress, [&](Monitor& monitor) {
    return qp::minimise_kernel_qp(problem, options, monitor);
  });
  found.info.interrupted = stopped;
  return py::dict("w"_a = take(std::move(found.w)), "objective"_a = found.objective, "gap"_a = found.gap,
                  "terms"_a = found.terms, "info"_a = to_dict(found.info));
}

/// K(x, y) v for columns of v, in double.
py::object kernel_product(const Array<double>& x, const Array<double>& y, const std::string& kernel,
                          double scale, const Array<double>& v, int n_threads, const py::object& progress) {
  const auto left = matrix_view(x, "x"), right = matrix_view(y, "y"), in = matrix_view(v, "v");
  if (left.cols != right.cols || in.rows != right.rows) {
    throw py::value_error("y must have as many columns as x, v as many rows as y");
  }
  const auto kind = kernel_of(kernel, scale);
  if (!kind) throw py::value_error("kernel must not be 'linear' here");
  std::vector<double> out(room_for<double>("v", left.rows, in.cols));
  run(n_threads, progress, [&](Monitor& monitor) {
    distances::kernel_product(left, right, *kind, in.data, in.cols, out.data(), monitor);
  });
  return take(std::move(out), left.rows, in.cols);
}

py::object kernel_matrix(const Array<double>& x, const Array<double>& y, const std::string& kernel,
                         double scale, int n_threads) {
  const auto left = matrix_view(x, "x"), right = matrix_view(y, "y");
  if (left.cols != right.cols) throw py::value_error("y must have as many columns as x");
  const auto kind = kernel_of(kernel, scale);
  if (!kind) throw py::value_error("kernel must not be 'linear' here");
  std::vector<double> out(room_for<double>("x", left.rows, right.rows));
  run(n_threads, no_progress, [&](Monitor& monitor) {
    distances::kernel_matrix(left, right, *kind, {out.data(), left.rows, right.rows, right.rows}, monitor);
  });
  return take(std::move(out), left.rows, right.rows);
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
        "cache_bytes"_a = std::size_t{256} << 20, "factor_limit"_a = 8000, "groups"_a = py::none(),
        "init"_a = py::none(), "rough"_a = 1e-4, "n_threads"_a = 1, "progress"_a = py::none());
  m.def("_kernel_qp", &kernel_qp, "points"_a, "kernel"_a, "scale"_a, "linear"_a, "upper"_a, "ridge"_a,
        "totals"_a, "groups"_a, "init"_a, "gap_tol"_a, "tol"_a = 0.0, "max_sweeps"_a = 100,
        "max_seconds"_a = 0.0, "memory"_a = std::size_t{1} << 30, "direct"_a = 1200, "dense"_a = 3000,
        "block"_a = 400, "finish"_a = 3000, "n_threads"_a = 1, "progress"_a = py::none());
  m.def("_kernel_product", &kernel_product, "x"_a, "y"_a, "kernel"_a, "scale"_a, "v"_a, "n_threads"_a = 1,
        "progress"_a = py::none());
  m.def("_kernel_matrix", &kernel_matrix, "x"_a, "y"_a, "kernel"_a, "scale"_a, "n_threads"_a = 1);
  m.def("_is_positive_definite", &is_positive_definite, "matrix"_a);
}

}  // namespace steelyard::bindings
