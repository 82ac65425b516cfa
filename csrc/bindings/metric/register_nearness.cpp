#include <memory>

#include "bindings/arrays.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "core/index.hpp"
#include "core/infinity.hpp"
#include "metric/nearness/closure.hpp"
#include "metric/nearness/directed_triangles.hpp"
#include "metric/nearness/nearness.hpp"
#include "metric/nearness/violations.hpp"

namespace steelyard::bindings {
namespace {

using metric::Nearness;

void check_pairs(py::ssize_t n, std::span<const double> values, const char* name) {
  if (std::ssize(values) != pairs_of(n, "n"))
    throw py::value_error(std::string(name) + " must have n (n - 1) / 2 numbers");
}

/// The duals of an earlier result; refused where they do not name triangles of n items.
void check_corners(py::ssize_t n, std::span<const std::int32_t> corners, std::size_t duals) {
  if (corners.size() != 3 * duals) throw py::value_error("corners must have three numbers a dual");
  for (std::size_t t = 0; t < corners.size(); t += 3) {
    const auto i = corners[t], j = corners[t + 1], k = corners[t + 2];
    if (i < 0 || i >= j || j >= n || k < 0 || k >= n || k == i || k == j)
      throw py::value_error("corners must be i < j and k, of n items");
  }
}

py::dict solve_nearness(Nearness& problem, double tol, int max_rounds, int n_threads,
                        const py::object& progress) {
  const metric::NearnessOptions options{.tol = tol, .max_rounds = max_rounds};
  return to_dict(run_partial(n_threads, progress, [&](Monitor& monitor) {
                   return problem.solve(options, monitor);
                 }).result);
}

py::object metric_closure(py::ssize_t n, const Array<double>& distances, int n_threads) {
  const auto in = vector_view(distances, "distances");
  check_pairs(n, in, "distances");
  metric::PairTiles x;
  run(n_threads, no_progress, [&](Monitor& monitor) {
    x = metric::PairTiles(n, 0.0);
    x.set(in, 1.0);
    metric::close_metric(x, monitor);
  });
  return take(x.condensed(1.0));
}

MatrixView<const double> square_view(const Array<double>& distances) {
  const auto d = matrix_view(distances, "distances");
  if (d.rows != d.cols || d.rows < 1) throw py::value_error("distances must be square and not empty");
  return d;
}

py::tuple directed_triangles(const Array<double>& distances, double slack, int groups, int n_threads) {
  const auto x = square_view(distances);
  if (groups < 1) throw py::value_error("groups must be at least 1");
  auto found = run(n_threads, no_progress, [&](Monitor& monitor) {
    return metric::find_directed_triangles(x, slack, groups, monitor);
  });
  const auto rows = std::ssize(found.corners) / 3;
  return py::make_tuple(take(std::move(found.corners), rows, 3), found.worst);
}

py::object directed_closure(const Array<double>& distances, int n_threads) {
  const auto x = square_view(distances);
  auto out =
      run(n_threads, no_progress, [&](Monitor& monitor) { return metric::close_directed(x, monitor); });
  return take(std::move(out), x.rows, x.rows);
}

py::tuple violations(const Array<double>& distances, double tol, py::ssize_t top, bool directed,
                     int n_threads, const py::object& progress) {
  const auto d = square_view(distances);
  const auto most = std::min(top, (directed ? 2 : 1) * pairs_of(d.rows, "distances"));
  auto found = run(n_threads, progress, [&](Monitor& monitor) {
    return metric::find_violations(d, directed, tol, most, monitor);
  });
  py::list worst;
  for (const auto& pair : found.worst) worst.append(py::make_tuple(pair.i, pair.j, pair.k, pair.excess));
  return py::make_tuple(found.triangles, found.pairs, found.total, worst);
}

}  // namespace

void register_nearness(py::module_& m) {
  py::class_<Nearness>(m, "_Nearness")
      .def(py::init([](py::ssize_t n, const Array<double>& target, const OptionalArray<double>& weights,
                       double upper) {
             const auto d = vector_view(target, "target");
             const auto w = vector_view(weights, "weights");
             check_pairs(n, d, "target");
             if (weights) check_pairs(n, w, "weights");
             return std::make_unique<Nearness>(n, d, w, upper);
           }),
           "n"_a, "target"_a, "weights"_a = py::none(), "upper"_a = infinity)
      .def(
          "set_target",
          [](Nearness& problem, py::ssize_t n, const Array<double>& target, int n_threads) {
            const auto d = vector_view(target, "target");
            check_pairs(n, d, "target");
            run(n_threads, no_progress, [&](Monitor& monitor) { problem.set_target(d, monitor); });
          },
          "n"_a, "target"_a, "n_threads"_a = 1)
      .def(
          "load",
          [](Nearness& problem, py::ssize_t n, const Array<std::int32_t>& corners, const Array<double>& duals,
             int n_threads) {
            const auto rows = matrix_view(corners, "corners");
            if (rows.cols != 3) throw py::value_error("corners must have three columns");
            const std::span<const std::int32_t> c(rows.data, at(3 * rows.rows));
            const auto z = vector_view(duals, "duals");
            check_corners(n, c, z.size());
            run(n_threads, no_progress, [&](Monitor& monitor) { problem.load(c, z, monitor); });
          },
          "n"_a, "corners"_a, "duals"_a, "n_threads"_a = 1)
      .def("solve", &solve_nearness, "tol"_a, "max_rounds"_a = 1000, "n_threads"_a = 1,
           "progress"_a = py::none())
      .def("solution", [](const Nearness& problem) { return take(problem.solution()); })
      .def("feasible", [](const Nearness& problem) { return take(problem.feasible()); })
      .def(
          "pull",
          [](const Nearness& problem, int n_threads) {
            return take(run(n_threads, no_progress, [&](Monitor& monitor) { return problem.pull(monitor); }));
          },
          "n_threads"_a = 1)
      .def("duals",
           [](const Nearness& problem) {
             auto held = problem.held();
             const auto rows = static_cast<py::ssize_t>(held.duals.size());
             return py::make_tuple(take(std::move(held.corners), rows, 3), take(std::move(held.duals)));
           })
      .def_property_readonly("primal", &Nearness::primal)
      .def_property_readonly("dual", &Nearness::dual)
      .def_property_readonly("violation", &Nearness::violation)
      .def_property_readonly("active", &Nearness::active);
  m.def("_violations", &violations, "distances"_a, "tol"_a, "top"_a, "directed"_a = false, "n_threads"_a = 1,
        "progress"_a = py::none());
  m.def("_directed_triangles", &directed_triangles, "distances"_a, "slack"_a, "groups"_a, "n_threads"_a = 1);
  m.def("_directed_closure", &directed_closure, "distances"_a, "n_threads"_a = 1);
  m.def("_metric_closure", &metric_closure, "n"_a, "distances"_a, "n_threads"_a = 1);
}

}  // namespace steelyard::bindings
