#include <pybind11/typing.h>

#include <memory>

#include "bindings/arrays.hpp"
#include "bindings/choice.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "core/index.hpp"
#include "metric/clustering/clustering_relaxation.hpp"
#include "metric/clustering/common_neighbours.hpp"
#include "metric/clustering/cycle_engine.hpp"
#include "metric/clustering/label_search.hpp"
#include "metric/clustering/rounding.hpp"
#include "metric/clustering/triangle_packing.hpp"

namespace steelyard::bindings {
namespace {

using metric::CycleEngine;
using metric::Labels;
using metric::SignedGraph;

/// A graph and the arrays that it looks at.
struct HeldGraph {
  Array<std::int64_t> offsets;
  Array<std::int32_t> indices;
  Array<double> weights, sizes;
  SignedGraph view;
};

CsrPattern symmetric_pattern(const Array<std::int64_t>& offsets, const Array<std::int32_t>& indices) {
  const CsrPattern pattern{vector_view(offsets, "offsets"), vector_view(indices, "indices")};
  const auto n = pattern.rows();
  bool good = n >= 0 && pattern.offsets.front() == 0 && pattern.offsets.back() == pattern.entries();
  for (std::size_t i = 0; good && i + 1 < pattern.offsets.size(); ++i)
    good = pattern.offsets[i] <= pattern.offsets[i + 1];
  for (std::ptrdiff_t i = 0; good && i < n; ++i) {
    const auto end = at(pattern.offsets[at(i) + 1]);
    std::int32_t before = -1;
    for (auto k = at(pattern.offsets[at(i)]); good && k < end; ++k) {
      const auto j = pattern.indices[k];
      good = j > before && j < n && j != i;
      before = j;
    }
  }
  if (!good) throw py::value_error("offsets and indices must be sorted csr rows without a diagonal");
  return pattern;
}

std::unique_ptr<HeldGraph> make_signed_graph(const Array<std::int64_t>& offsets,
                                             const Array<std::int32_t>& indices, const Array<double>& weights,
                                             const Array<double>& sizes, double background,
                                             double forbidden) {
  const auto pattern = symmetric_pattern(offsets, indices);
  const auto w = vector_view(weights, "weights");
  const auto s = vector_view(sizes, "sizes");
  if (std::ssize(w) != pattern.entries() || std::ssize(s) != pattern.rows())
    throw py::value_error("weights must have one number an entry, sizes one a node");
  return std::make_unique<HeldGraph>(
      HeldGraph{offsets, indices, weights, sizes, SignedGraph{pattern, w, s, background, forbidden}});
}

/// Labels of every node, 0 .. n - 1.
Labels read_labels(std::ptrdiff_t n, const Array<std::int32_t>& labels) {
  const auto in = vector_view(labels, "labels");
  if (std::ssize(in) != n) throw py::value_error("labels must have one number a node");
  for (const auto label : in)
    if (label < 0 || label >= n) throw py::value_error("labels must lie in 0 .. n - 1");
  return {in.begin(), in.end()};
}

py::dict l1_dict(metric::L1Solution&& solution) {
  py::dict out;
  out["x"] = take(std::move(solution.x));
  out["objective"] = solution.objective;
  out["lower"] = solution.lower;
  out["active"] = solution.active;
  out["info"] = to_dict(solution.info);
  return out;
}

py::dict relax(const HeldGraph& graph, const Array<double>& costs, double offset, double known, double tol,
               int max_steps, int n_threads, const py::object& progress) {
  const auto paid = vector_view(costs, "costs");
  if (paid.size() != graph.view.weights.size()) throw py::value_error("costs must have one number an entry");
  const metric::L1Options options{.tol = tol, .offset = offset, .known = known, .max_steps = max_steps};
  return l1_dict(run_partial(n_threads, progress, [&](Monitor& monitor) {
                   return metric::relax_clustering(graph.view, paid, options, monitor);
                 }).result);
}

py::dict solve_l1(py::ssize_t n, const Array<double>& target, const Array<double>& weights, double upper,
                  double offset, double known, double reach, double tol, int max_steps, int n_threads,
                  const py::object& progress) {
  const auto d = vector_view(target, "target");
  const auto w = vector_view(weights, "weights");
  if (std::ssize(d) != pairs_of(n, "n") || w.size() != d.size())
    throw py::value_error("target and weights must have n (n - 1) / 2 numbers");
  const metric::L1Options options{.tol = tol,
                                  .offset = offset,
                                  .known = known,
                                  .sweeps = 20,
                                  .reach = reach,
                                  .max_steps = max_steps,
                                  .near = true};
  return l1_dict(run_partial(n_threads, progress, [&](Monitor& monitor) {
                   return metric::solve_l1({n, d, w, {}, upper}, options, monitor);
                 }).result);
}

/// Labels of several roundings, best first.
py::typing::List<py::array_t<std::int32_t>> round_labels(
    const HeldGraph& graph, const OptionalArray<double>& x, const std::string& rule, py::ssize_t trials,
    py::ssize_t keep, std::pair<std::uint64_t, std::uint64_t> seed, int n_threads) {
  const auto distances = vector_view(x, "x");
  const auto n = graph.view.nodes();
  if (x && std::ssize(distances) != pairs_of(n, "x"))
    throw py::value_error("x must have n (n - 1) / 2 numbers");
  room_for<std::int32_t>("trials", trials, n);
  const metric::RoundingOptions options{
      .rule = choice<metric::Rounding>({"pivot", "threshold"}, rule, "rule"),
      .trials = trials,
      .keep = keep,
      .seed = seed.first,
      .stream = seed.second};
  auto found = run(n_threads, no_progress, [&](Monitor& monitor) {
    return metric::round_labels(graph.view, distances, options, monitor);
  });
  py::typing::List<py::array_t<std::int32_t>> out;
  for (auto& labels : found) out.append(take(std::move(labels)));
  return out;
}

py::tuple search_labels(const HeldGraph& graph, const std::vector<Array<std::int32_t>>& starts,
                        std::pair<std::uint64_t, std::uint64_t> seed, py::ssize_t restarts,
                        py::ssize_t rounds, int n_threads, const py::object& progress) {
  std::vector<Labels> from;
  for (const auto& labels : starts) from.push_back(read_labels(graph.view.nodes(), labels));
  checked_product("restarts", restarts, 64);
  checked_product("rounds", rounds, 64);
  const metric::SearchOptions options{
      .restarts = restarts, .rounds = rounds, .seed = seed.first, .stream = seed.second};
  auto [found, stopped] = run_partial(n_threads, progress, [&](Monitor& monitor) {
    return metric::search_labels(graph.view, from, options, monitor);
  });
  return py::make_tuple(take(std::move(found.labels)), found.agreement, found.runs, stopped);
}

std::unique_ptr<CycleEngine> make_engine(const HeldGraph& graph, double pairs_per_entry,
                                         std::pair<std::uint64_t, std::uint64_t> seed) {
  const metric::EngineOptions options{
      .pairs_per_entry = pairs_per_entry, .seed = seed.first, .stream = seed.second};
  return run(1, no_progress,
             [&](Monitor& monitor) { return std::make_unique<CycleEngine>(graph.view, options, monitor); });
}

/// Stage, temperature, can the bound still rise, and was it stopped?
py::tuple step_engine(CycleEngine& engine, double seconds, int n_threads) {
  const auto [step, stopped] =
      run_partial(n_threads, no_progress, [&](Monitor& monitor) { return engine.step(seconds, monitor); });
  constexpr const char* stages[] = {"labels", "levels", "ascent", "perturbation"};
  return py::make_tuple(stages[static_cast<int>(step.stage)], step.temperature, step.more, stopped);
}

/// Where each row starts, its nodes, its multiplier and right side.
py::tuple proof(const CycleEngine& engine) {
  auto rows = engine.proof();
  auto walks = metric::walks(engine.pairs(), rows);
  return py::make_tuple(take(std::move(walks.starts)), take(std::move(walks.nodes)),
                        take(std::move(rows.multipliers)), take(std::move(rows.right_sides)));
}

/// Pairs with ends 0 .. n - 1 and a number each.
struct ListedPairs {
  std::span<const std::int32_t> u, v;
  std::span<const double> weights;
};

ListedPairs listed_pairs(py::ssize_t n, const Array<std::int32_t>& u, const Array<std::int32_t>& v,
                         const Array<double>& weights) {
  const ListedPairs out{vector_view(u, "u"), vector_view(v, "v"), vector_view(weights, "weights")};
  if (out.u.size() != out.weights.size() || out.v.size() != out.weights.size())
    throw py::value_error("u, v and weights must be equally long");
  for (const auto ends : {out.u, out.v})
    for (const auto i : ends)
      if (i < 0 || i >= n) throw py::value_error("u and v must lie in 0 .. n - 1");
  checked_product("n", n, 16);
  return out;
}

py::tuple merge_pairs(py::ssize_t n, const Array<std::int32_t>& u, const Array<std::int32_t>& v,
                      const Array<double>& weights) {
  const auto pairs = listed_pairs(n, u, v, weights);
  auto merged = metric::merge_pairs(n, pairs.u, pairs.v, pairs.weights);
  return py::make_tuple(take(std::move(merged.left)), take(std::move(merged.right)),
                        take(std::move(merged.sums)));
}

/// Of merged pairs: offsets, indices, weights.
py::tuple symmetric_rows(py::ssize_t n, const Array<std::int32_t>& left, const Array<std::int32_t>& right,
                         const Array<double>& weights) {
  const auto pairs = listed_pairs(n, left, right, weights);
  auto rows = metric::symmetric_rows(n, pairs.u, pairs.v, pairs.weights);
  return py::make_tuple(take(std::move(rows.offsets)), take(std::move(rows.indices)),
                        take(std::move(rows.weights)));
}

py::tuple common_neighbours(const Array<std::int64_t>& offsets, const Array<std::int32_t>& indices,
                            int n_threads) {
  const auto pattern = symmetric_pattern(offsets, indices);
  auto found = run(n_threads, no_progress,
                   [&](Monitor& monitor) { return metric::common_neighbours(pattern, monitor); });
  return py::make_tuple(take(std::move(found.left)), take(std::move(found.right)),
                        take(std::move(found.jaccard)));
}

}  // namespace

void register_clustering(py::module_& m) {
  py::class_<HeldGraph>(m, "_SignedGraph")
      .def(py::init(&make_signed_graph), "offsets"_a, "indices"_a, "weights"_a, "sizes"_a,
           "background"_a = 0.0, "forbidden"_a = 0.0)
      .def(
          "agreement",
          [](const HeldGraph& graph, const Array<std::int32_t>& labels) {
            return metric::agreement(graph.view, read_labels(graph.view.nodes(), labels));
          },
          "labels"_a)
      .def("pack_bad_triangles",
           [](const HeldGraph& graph) {
             return run(1, no_progress,
                        [&](Monitor& monitor) { return metric::pack_bad_triangles(graph.view, monitor); });
           })
      .def("relax", &relax, "costs"_a, "offset"_a, "known"_a, "tol"_a, "max_steps"_a = 200, "n_threads"_a = 1,
           "progress"_a = py::none())
      .def("round", &round_labels, "x"_a, "rule"_a, "trials"_a, "keep"_a, "seed"_a, "n_threads"_a = 1)
      .def("search", &search_labels, "starts"_a, "seed"_a, "restarts"_a = 24, "rounds"_a = 12,
           "n_threads"_a = 1, "progress"_a = py::none());
  m.def("_solve_l1", &solve_l1, "n"_a, "target"_a, "weights"_a, "upper"_a, "offset"_a, "known"_a, "reach"_a,
        "tol"_a, "max_steps"_a = 200, "n_threads"_a = 1, "progress"_a = py::none());
  py::class_<CycleEngine>(m, "_CycleEngine")
      .def(py::init(&make_engine), "graph"_a, "pairs_per_entry"_a, "seed"_a, py::keep_alive<1, 2>())
      .def(
          "suggest",
          [](CycleEngine& engine, const Array<std::int32_t>& labels) {
            engine.suggest(read_labels(engine.nodes(), labels));
          },
          "labels"_a)
      .def("step", &step_engine, "seconds"_a, "n_threads"_a = 1)
      .def("proof", &proof)
      .def_property_readonly("labels",
                             [](const CycleEngine& engine) { return take(Labels(engine.labels())); })
      .def_property_readonly("cost", &CycleEngine::cost)
      .def_property_readonly("bound", &CycleEngine::bound)
      .def_property_readonly("complete", &CycleEngine::complete)
      .def_property_readonly("pairs", [](const CycleEngine& engine) { return engine.pairs().count(); })
      .def_property_readonly("rows_held", &CycleEngine::rows_held);
  m.def("_merge_pairs", &merge_pairs, "n"_a, "u"_a, "v"_a, "weights"_a);
  m.def("_symmetric_rows", &symmetric_rows, "n"_a, "left"_a, "right"_a, "weights"_a);
  m.def("_common_neighbours", &common_neighbours, "offsets"_a, "indices"_a, "n_threads"_a = 1);
}

}  // namespace steelyard::bindings
