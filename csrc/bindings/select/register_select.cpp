#include "bindings/arrays.hpp"
#include "bindings/choice.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "select/lloyd.hpp"
#include "select/medoids.hpp"
#include "select/model_selection.hpp"
#include "select/seeding.hpp"

namespace steelyard::bindings {
namespace {

/// Points of half precision come as the bits of their numbers.
template <class From>
struct Stored {
  using Type = From;
};
template <>
struct Stored<Half> {
  using Type = std::uint16_t;
};

template <class From>
MatrixView<const From> points_view(const Array<typename Stored<From>::Type>& points) {
  const auto view = matrix_view(points, "points");
  static_assert(sizeof(From) == sizeof(typename Stored<From>::Type));
  return {reinterpret_cast<const From*>(view.data), view.rows, view.cols, view.stride};
}

template <class Real, class From>
py::tuple lloyd_step(const Array<typename Stored<From>::Type>& points, const OptionalArray<double>& weights,
                     const Array<Real>& centers, const std::string& update, bool move, int n_threads) {
  const auto x = points_view<From>(points);
  const auto w = vector_view(weights, "weights");
  const auto c = matrix_view(centers, "centers");
  if (weights && std::ssize(w) != x.rows) throw py::value_error("weights must have one number a point");
  if (c.rows < 1 || c.cols != x.cols) throw py::value_error("centers must have the columns of points");
  const auto kind = choice<select::Update>({"mean", "direction", "median"}, update, "update");
  auto [step, stopped] = run_partial(n_threads, no_progress, [&](Monitor& monitor) {
    return select::lloyd_step<Real, From>(x, w, c, kind, move, monitor);
  });
  const auto rows = move && !stopped ? c.rows : 0;
  step.centers.resize(checked_product("centers", rows, c.cols));
  return py::make_tuple(take(std::move(step.labels)), take(std::move(step.squared)),
                        take(std::move(step.centers), rows, c.cols), take(std::move(step.weights)), step.cost,
                        stopped);
}

template <class Real, class From>
py::tuple seed_centers(const Array<typename Stored<From>::Type>& points, const OptionalArray<double>& weights,
                       py::ssize_t k, double power, std::pair<std::uint64_t, std::uint64_t> seed,
                       int n_threads, const py::object& progress, py::ssize_t candidates) {
  const auto x = points_view<From>(points);
  const auto w = vector_view(weights, "weights");
  if (weights && std::ssize(w) != x.rows) throw py::value_error("weights must have one number a point");
  if (k < 1 || k > x.rows || x.cols < 1) throw py::value_error("k must be 1 .. n, with at least one column");
  if (candidates < 1) throw py::value_error("candidates must be at least 1");
  checked_product("n_local_trials", k, candidates);
  room_for<double>("n_local_trials", candidates, 16);  // no candidate takes less
  const select::SeedingOptions options{
      .k = k, .power = power, .candidates = candidates, .seed = seed.first, .stream = seed.second};
  auto [found, stopped] = run_partial(n_threads, progress, [&](Monitor& monitor) {
    return select::seed_centers<Real, From>(x, w, options, monitor);
  });
  return py::make_tuple(take(std::move(found.indices)), take(std::move(found.labels)), found.cost,
                        found.tries, stopped);
}

template <class Real, class From>
void register_for(py::module_& m) {
  m.def("_seed_centers", &seed_centers<Real, From>, py::arg("points").noconvert(), "weights"_a, "k"_a,
        "power"_a, "seed"_a, "n_threads"_a = 1, "progress"_a = py::none(), "candidates"_a = 1);
  m.def("_lloyd_step", &lloyd_step<Real, From>, py::arg("points").noconvert(), "weights"_a,
        py::arg("centers").noconvert(), "update"_a, "move"_a, "n_threads"_a = 1);
}

template <class Real>
distances::Costs<Real> costs_of(MatrixView<const Real> x, double power, bool precomputed, Monitor& monitor) {
  return precomputed ? distances::Costs<Real>::of_matrix(x)
                     : distances::Costs<Real>::of_points(x, power, monitor);
}

template <class Real>
void check_medoids(MatrixView<const Real> x, std::span<const double> w, std::span<const std::int64_t> start,
                   bool precomputed) {
  if (precomputed && x.rows != x.cols) throw py::value_error("points must be square where precomputed");
  if (!w.empty() && std::ssize(w) != x.rows) throw py::value_error("weights must have one number a point");
  for (const auto i : start)
    if (i < 0 || i >= x.rows) throw py::value_error("indices must lie in 0 .. n - 1");
}

template <class Real>
py::tuple swap_medoids(const Array<Real>& points, double power, bool precomputed,
                       const OptionalArray<double>& weights, const Array<std::int64_t>& indices,
                       std::int64_t most, int n_threads, const py::object& progress) {
  const auto x = matrix_view(points, "points");
  const auto w = vector_view(weights, "weights");
  const auto start = vector_view(indices, "indices");
  check_medoids(x, w, start, precomputed);
  if (start.empty()) throw py::value_error("indices must not be empty");
  auto [found, stopped] = run_partial(n_threads, progress, [&](Monitor& monitor) {
    const auto costs = costs_of(x, power, precomputed, monitor);
    return select::swap_medoids<Real>(costs, w, {start.begin(), start.end()}, most, monitor);
  });
  return py::make_tuple(take(std::move(found.indices)), take(std::move(found.labels)), found.cost,
                        found.swaps, found.tried, found.optimal, stopped);
}

template <class Real>
py::tuple greedy_location(const Array<Real>& points, double power, bool precomputed,
                          const OptionalArray<double>& weights, double ceiling,
                          const Array<std::int64_t>& indices, py::ssize_t k, int n_threads,
                          const py::object& progress) {
  const auto x = matrix_view(points, "points");
  const auto w = vector_view(weights, "weights");
  const auto start = vector_view(indices, "indices");
  check_medoids(x, w, start, precomputed);
  if (k < 1 || k > x.rows) throw py::value_error("k must be 1 .. n");
  auto [found, stopped] = run_partial(n_threads, progress, [&](Monitor& monitor) {
    const auto costs = costs_of(x, power, precomputed, monitor);
    return select::greedy_location<Real>(costs, w, static_cast<Real>(ceiling), {start.begin(), start.end()},
                                         k, monitor);
  });
  return py::make_tuple(take(std::move(found.indices)), take(std::move(found.gains)),
                        take(std::move(found.labels)), found.value, found.bound, stopped);
}

template <class Real>
py::tuple medoid_bounds(const Array<Real>& points, double power, bool precomputed,
                        const OptionalArray<double>& weights, const Array<std::int64_t>& indices, double cost,
                        double ceiling, py::ssize_t passes, int n_threads, const py::object& progress) {
  const auto x = matrix_view(points, "points");
  const auto w = vector_view(weights, "weights");
  const auto start = vector_view(indices, "indices");
  check_medoids(x, w, start, precomputed);
  if (start.empty() || std::ssize(start) > x.rows) throw py::value_error("indices must be 1 .. n points");
  auto [found, stopped] = run_partial(n_threads, progress, [&](Monitor& monitor) {
    const auto costs = costs_of(x, power, precomputed, monitor);
    return select::lower_bounds<Real>(costs, w, start, cost, static_cast<Real>(ceiling), passes, monitor);
  });
  return py::make_tuple(take(std::move(found)), stopped);
}

template <class Real>
void register_medoids(py::module_& m) {
  m.def("_swap_medoids", &swap_medoids<Real>, py::arg("points").noconvert(), "power"_a, "precomputed"_a,
        "weights"_a, "indices"_a, "most"_a, "n_threads"_a = 1, "progress"_a = py::none());
  m.def("_greedy_location", &greedy_location<Real>, py::arg("points").noconvert(), "power"_a, "precomputed"_a,
        "weights"_a, "ceiling"_a, "indices"_a, "k"_a, "n_threads"_a = 1, "progress"_a = py::none());
  m.def("_medoid_bounds", &medoid_bounds<Real>, py::arg("points").noconvert(), "power"_a, "precomputed"_a,
        "weights"_a, "indices"_a, "cost"_a, "ceiling"_a, "passes"_a, "n_threads"_a = 1,
        "progress"_a = py::none());
}

void check_codes(MatrixView<const std::int32_t> rows, std::int32_t classes) {
  for (std::ptrdiff_t k = 0; k < rows.rows * rows.cols; ++k)
    if (rows.data[k] < 0 || rows.data[k] >= classes)
      throw py::value_error("predictions must lie in 0 .. classes - 1");
  room_for<double>("predictions", classes, 2);
}

py::array_t<double> expected_entropies(const Array<std::int32_t>& predictions, std::int32_t classes,
                                       const Array<double>& beliefs, double gain, const std::string& law,
                                       int n_threads) {
  const auto rows = matrix_view(predictions, "predictions");
  const auto b = vector_view(beliefs, "beliefs");
  if (std::ssize(b) != rows.cols) throw py::value_error("beliefs must have one number a model");
  check_codes(rows, classes);
  const auto kind = choice<select::LabelLaw>({"even", "own"}, law, "law");
  std::vector<double> out(checked_product("predictions", rows.rows));
  run(n_threads, no_progress,
      [&](Monitor& monitor) { select::expected_entropies(rows, classes, b, gain, kind, out, monitor); });
  return take(std::move(out));
}

py::array_t<std::int32_t> agreements(const Array<std::int32_t>& predictions, std::int32_t classes,
                                     int n_threads) {
  const auto rows = matrix_view(predictions, "predictions");
  check_codes(rows, classes);
  std::vector<std::int32_t> out(checked_product("predictions", rows.rows, rows.cols));
  run(n_threads, no_progress, [&](Monitor& monitor) { select::agreements(rows, classes, out, monitor); });
  return take(std::move(out), rows.rows, rows.cols);
}

}  // namespace

void register_select(py::module_& m) {
  m.def("_expected_entropies", &expected_entropies, "predictions"_a, "classes"_a, "beliefs"_a, "gain"_a,
        "law"_a = "even", "n_threads"_a = 1);
  m.def("_agreements", &agreements, "predictions"_a, "classes"_a, "n_threads"_a = 1);
  register_for<float, float>(m);
  register_for<double, double>(m);
  register_for<float, Half>(m);
  register_medoids<float>(m);
  register_medoids<double>(m);
}

}  // namespace steelyard::bindings
