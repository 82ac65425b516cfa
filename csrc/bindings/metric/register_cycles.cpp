#include <algorithm>
#include <cmath>
#include <memory>

#include "bindings/arrays.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "core/index.hpp"
#include "metric/nearness/bregman.hpp"
#include "metric/nearness/cycle_oracle.hpp"

namespace steelyard::bindings {
namespace {

using metric::BregmanState;
using metric::MeasuredGraph;

/// Rows as csr arrays with ascending indices below `size` and one row at least one entry.
void add_rows(BregmanState& state, const Array<std::int64_t>& starts, const Array<std::int32_t>& indices,
              const Array<double>& values, const Array<double>& bounds, const OptionalArray<double>& duals) {
  const auto p = vector_view(starts, "starts");
  const auto i = vector_view(indices, "indices");
  const auto v = vector_view(values, "values");
  const auto b = vector_view(bounds, "bounds");
  const auto z = vector_view(duals, "duals");
  if (p.size() != b.size() + 1 || p.front() != 0 || p.back() != std::ssize(i) || i.size() != v.size() ||
      (duals && z.size() != b.size()))
    throw py::value_error("starts, indices, values, bounds and duals must describe csr rows");
  for (std::size_t row = 0; row < b.size(); ++row) {
    if (p[row] >= p[row + 1] || p[row + 1] > std::ssize(i)) throw py::value_error("a row is empty");
    for (auto k = at(p[row]); k < at(p[row + 1]); ++k) {
      const bool ascends = k == at(p[row]) || i[k] > i[k - 1];
      if (!ascends || i[k] < 0 || i[k] >= std::ssize(state.x()))
        throw py::value_error("indices must ascend within a row and name entries of x");
    }
  }
  for (std::size_t row = 0; row < b.size(); ++row) {
    const auto begin = at(p[row]), length = at(p[row + 1]) - begin;
    state.add(i.subspan(begin, length), v.subspan(begin, length), b[row], z.empty() ? 0.0 : z[row]);
  }
}

py::tuple held_rows(const BregmanState& state) {
  auto rows = state.rows();
  return py::make_tuple(take(std::move(rows.starts)), take(std::move(rows.indices)),
                        take(std::move(rows.values)), take(std::move(rows.bounds)),
                        take(std::move(rows.duals)));
}

bool project(BregmanState& state, int passes, bool momentum, const py::object& progress) {
  return !run_partial(1, progress, [&](Monitor& monitor) {
    if (momentum) {
      state.project_with_momentum(passes, monitor);
    } else {
      state.project(passes, monitor);
    }
  });
}

bool face_step(BregmanState& state, int iterations, const py::object& progress) {
  return !run_partial(1, progress, [&](Monitor& monitor) { state.face_step(iterations, monitor); });
}

MeasuredGraph make_measured_graph(py::ssize_t n, const Array<std::int32_t>& left,
                                  const Array<std::int32_t>& right) {
  const auto l = vector_view(left, "left");
  const auto r = vector_view(right, "right");
  if (l.size() != r.size() || n < 1) throw py::value_error("left and right must have one entry an edge");
  for (std::size_t e = 0; e < l.size(); ++e)
    if (l[e] < 0 || l[e] >= n || r[e] < 0 || r[e] >= n || l[e] == r[e])
      throw py::value_error("an edge must join two different nodes of the graph");
  return {n, l, r};
}

std::span<const double> lengths_of(const MeasuredGraph& graph, const Array<double>& x) {
  const auto lengths = vector_view(x, "x");
  if (std::ssize(lengths) != graph.edges) throw py::value_error("x must have one entry an edge");
  return lengths;
}

py::object find(const MeasuredGraph& graph, const Array<double>& x, double slack, int n_threads) {
  const auto lengths = lengths_of(graph, x);
  auto found = run(n_threads, no_progress,
                   [&](Monitor& monitor) { return metric::find_cycles(graph, lengths, slack, monitor); });
  return py::make_tuple(take(std::move(found.starts)), take(std::move(found.edges)),
                        take(std::move(found.closed)), found.violation);
}

py::object distances(const MeasuredGraph& graph, const Array<double>& x, int n_threads) {
  const auto lengths = lengths_of(graph, x);
  room_for<double>("D", graph.nodes, graph.nodes);
  auto out = run(n_threads, no_progress,
                 [&](Monitor& monitor) { return metric::all_shortest_paths(graph, lengths, monitor); });
  return take(std::move(out), graph.nodes, graph.nodes);
}

}  // namespace

void register_cycles(py::module_& m) {
  py::class_<BregmanState>(m, "_BregmanState")
      .def(py::init([](const Array<double>& start, const OptionalArray<double>& weights) {
             const auto x0 = vector_view(start, "start");
             const auto w = vector_view(weights, "weights");
             if (weights && w.size() != x0.size()) throw py::value_error("weights must be as long as start");
             return std::make_unique<BregmanState>(x0, w);
           }),
           "start"_a, "weights"_a = py::none())
      .def("add", &add_rows, "starts"_a, "indices"_a, "values"_a, "bounds"_a, "duals"_a = py::none())
      .def("project", &project, "passes"_a, "momentum"_a = false, "progress"_a = py::none())
      .def("face_step", &face_step, "iterations"_a, "progress"_a = py::none())
      .def("forget", &BregmanState::forget)
      .def("restore", &BregmanState::restore)
      .def("rows", &held_rows)
      .def("x", [](const BregmanState& state) { return take(std::vector<double>(state.x())); })
      .def_property_readonly("violation", &BregmanState::violation)
      .def_property_readonly("active", [](const BregmanState& state) { return state.rows().count(); })
      .def_property_readonly("nonzeros",
                             [](const BregmanState& state) { return std::ssize(state.rows().values); });
  py::class_<MeasuredGraph>(m, "_MeasuredGraph")
      .def(py::init(&make_measured_graph), "n"_a, "left"_a, "right"_a)
      .def("find_cycles", &find, "x"_a, "slack"_a, "n_threads"_a = 1)
      .def("distances", &distances, "x"_a, "n_threads"_a = 1);
}

}  // namespace steelyard::bindings
