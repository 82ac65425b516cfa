// The own dense factor, the sparse one and conjugate gradients.
#include <algorithm>
#include <string>

#include "bindings/arrays.hpp"
#include "bindings/linalg/square.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "core/pool.hpp"
#include "linalg/cg.hpp"
#include "linalg/cholesky.hpp"
#include "linalg/sparse_cholesky.hpp"

namespace steelyard::bindings {
namespace {

py::object cholesky_own(const Array<double>& a) {
  const auto n = square_size(a, "a");
  auto l = copied(a);
  if (!run(1, no_progress, [&](Monitor&) { return linalg::cholesky_own(l.data(), n, n); })) return py::none();
  return lower_triangle(std::move(l), n);
}

using Solve = void (*)(const double*, std::ptrdiff_t, std::ptrdiff_t, double*, std::ptrdiff_t,
                       std::ptrdiff_t);

py::object solved(const Array<double>& l, const Array<double>& b, Solve solve) {
  const auto n = square_size(l, "l");
  const auto view = matrix_view(b, "b");
  if (view.rows != n) throw py::value_error("b must have as many rows as l");
  auto x = copied(b);
  run(1, no_progress, [&](Monitor&) { solve(l.data(), n, n, x.data(), view.cols, view.cols); });
  return take(std::move(x), view.rows, view.cols);
}

CsrPattern make_pattern(const Array<std::int64_t>& offsets, const Array<std::int32_t>& indices) {
  const CsrPattern pattern{vector_view(offsets, "offsets"), vector_view(indices, "indices")};
  const auto n = pattern.rows();
  const auto& starts = pattern.offsets;
  if (n < 0 || starts.front() != 0 || starts.back() != pattern.entries() ||
      !std::is_sorted(starts.begin(), starts.end())) {
    throw py::value_error("offsets must rise from 0 to the number of indices");
  }
  for (const auto j : pattern.indices) {
    if (j < 0 || j >= n) throw py::value_error("indices must name rows, got " + std::to_string(j));
  }
  return pattern;
}

/// None when over max_flops or not positive definite.
py::object sparse_cholesky(const Array<std::int64_t>& offsets, const Array<std::int32_t>& indices,
                           const Array<double>& diagonal, const Array<double>& off_diagonal,
                           const Array<double>& b, double max_flops) {
  const auto pattern = make_pattern(offsets, indices);
  const auto d = vector_view(diagonal, "diagonal"), off = vector_view(off_diagonal, "off_diagonal");
  const auto view = matrix_view(b, "b");
  if (std::ssize(d) != pattern.rows() || std::ssize(off) != pattern.entries() ||
      view.rows != pattern.rows()) {
    throw py::value_error("diagonal, off_diagonal and b must fit the pattern");
  }
  auto x = copied(b);
  double flops = 0.0;
  std::int64_t entries = 0;
  const bool done = run(1, no_progress, [&](Monitor& monitor) {
    auto factor = linalg::SparseCholesky::analyse(pattern, max_flops, monitor);
    if (!factor || !factor->factor(d, off, monitor)) return false;
    factor->solve(x.data(), view.cols);
    flops = factor->flops();
    entries = factor->entries();
    return true;
  });
  if (!done) return py::none();
  return py::make_tuple(take(std::move(x), view.rows, view.cols), flops, entries);
}

/// (diagonal of the inverse, its entries on the pattern with 0 at the other of two places, log determinant,
/// L^{-1} P b, P' L^{-T} b).
py::tuple selected_inverse(const Array<std::int64_t>& offsets, const Array<std::int32_t>& indices,
                           const Array<double>& diagonal, const Array<double>& off_diagonal,
                           const Array<double>& b) {
  const auto pattern = make_pattern(offsets, indices);
  const auto d = vector_view(diagonal, "diagonal"), off = vector_view(off_diagonal, "off_diagonal");
  const auto view = matrix_view(b, "b");
  if (std::ssize(d) != pattern.rows() || std::ssize(off) != pattern.entries() || view.rows != pattern.rows())
    throw py::value_error("diagonal, off_diagonal and b must fit the pattern");
  std::vector<double> inverse(d.size()), entries(off.size(), 0.0);
  auto lower = copied(b), upper = copied(b);
  double log_determinant = 0.0;
  const bool done = run(1, no_progress, [&](Monitor& monitor) {
    auto factor = linalg::SparseCholesky::analyse(pattern, 1e15, monitor);
    if (!factor || !factor->factor(d, off, monitor)) return false;
    factor->selected_inverse(inverse, [&](std::int64_t k, double value) { entries[at(k)] = value; }, monitor);
    factor->solve_lower(lower.data(), view.cols);
    factor->solve_transposed(upper.data(), view.cols);
    log_determinant = factor->log_determinant();
    return true;
  });
  if (!done) throw py::value_error("not positive definite");
  return py::make_tuple(take(std::move(inverse)), take(std::move(entries)), log_determinant,
                        take(std::move(lower), view.rows, view.cols),
                        take(std::move(upper), view.rows, view.cols));
}

/// A in compressed rows with its diagonal among the entries; the preconditioner is that diagonal, or nothing.
py::dict conjugate_gradients(const Array<std::int64_t>& offsets, const Array<std::int32_t>& indices,
                             const Array<double>& values, const Array<double>& b, double tol, int max_iter,
                             bool project_mean, bool jacobi, const OptionalArray<double>& start,
                             int n_threads) {
  const auto pattern = make_pattern(offsets, indices);
  const auto entries = vector_view(values, "values");
  const auto view = matrix_view(b, "b");
  if (std::ssize(entries) != pattern.entries() || view.rows != pattern.rows() ||
      (start && start->size() != b.size())) {
    throw py::value_error("values, b and start must fit the pattern");
  }
  const auto row_times = [&](std::ptrdiff_t i, const auto& visit) {
    for (auto k = pattern.offsets[at(i)]; k < pattern.offsets[at(i + 1)]; ++k)
      visit(std::ptrdiff_t{pattern.indices[at(k)]}, entries[at(k)]);
  };
  std::vector<double> scale(at(view.rows), 1.0);
  for (std::ptrdiff_t i = 0; jacobi && i < view.rows; ++i) {
    double pivot = 0.0;
    row_times(i, [&](std::ptrdiff_t j, double value) { pivot += j == i ? value : 0.0; });
    if (pivot > 0.0) scale[at(i)] = 1.0 / pivot;
  }
  const auto apply = [&](const double* x, double* y, std::ptrdiff_t m, Monitor& monitor) {
    parallel_for(view.rows, 256, monitor, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      for (auto i = begin; i < end; ++i) {
        std::fill_n(y + i * m, m, 0.0);
        row_times(i, [&](std::ptrdiff_t j, double value) {
          for (std::ptrdiff_t c = 0; c < m; ++c) y[i * m + c] += value * x[j * m + c];
        });
      }
    });
  };
  const auto precondition = [&](const double* r, double* z, std::ptrdiff_t m) {
    for (std::ptrdiff_t k = 0; k < view.rows * m; ++k) z[k] = scale[at(k / m)] * r[k];
  };
  auto x = start ? copied(*start) : std::vector<double>(at(b.size()), 0.0);
  const auto result =
      run_partial(n_threads, no_progress, [&](Monitor& monitor) {
        return linalg::conjugate_gradients(
            view.rows, view.cols,
            [&](const double* p, double* q, std::ptrdiff_t m) { apply(p, q, m, monitor); }, precondition,
            view.data, x.data(), {.tol = tol, .max_iter = max_iter, .project_mean = project_mean}, monitor);
      }).result;
  py::list columns;
  for (const auto& c : result.columns) {
    columns.append(py::dict("iterations"_a = c.iterations, "converged"_a = c.converged,
                            "residual"_a = c.residual, "energy"_a = c.energy,
                            "lanczos_smallest"_a = c.lanczos_smallest,
                            "error_estimate"_a = c.error_estimate));
  }
  return py::dict("x"_a = take(std::move(x), view.rows, view.cols), "converged"_a = result.converged,
                  "interrupted"_a = result.interrupted, "iterations"_a = result.iterations,
                  "columns"_a = columns);
}

}  // namespace

void register_solvers(py::module_& m) {
  m.def("_cholesky", &cholesky_own, "a"_a);
  m.def(
      "_cholesky_solve",
      [](const Array<double>& l, const Array<double>& b) { return solved(l, b, &linalg::cholesky_solve); },
      "l"_a, "b"_a);
  m.def(
      "_cholesky_solve_transposed",
      [](const Array<double>& l, const Array<double>& b) {
        return solved(l, b, &linalg::cholesky_solve_transposed);
      },
      "l"_a, "b"_a);
  m.def("_selected_inverse", &selected_inverse, "offsets"_a, "indices"_a, "diagonal"_a, "off_diagonal"_a,
        "b"_a);
  m.def("_sparse_cholesky", &sparse_cholesky, "offsets"_a, "indices"_a, "diagonal"_a, "off_diagonal"_a, "b"_a,
        "max_flops"_a = 1e15);
  m.def("_conjugate_gradients", &conjugate_gradients, "offsets"_a, "indices"_a, "values"_a, "b"_a,
        "tol"_a = 1e-10, "max_iter"_a = 1000, "project_mean"_a = false, "jacobi"_a = true,
        "start"_a = py::none(), "n_threads"_a = 1);
}

}  // namespace steelyard::bindings
