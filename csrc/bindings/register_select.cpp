#include "bindings/arrays.hpp"
#include "bindings/register.hpp"
#include "select/seeding.hpp"

namespace steelyard::bindings {
namespace {

template <class Real>
py::tuple seed_centers(const Array<Real>& points, const OptionalArray<double>& weights, py::ssize_t k,
                       double power, std::pair<std::uint64_t, std::uint64_t> seed, int n_threads,
                       const py::object& progress) {
  const auto x = matrix_view(points, "points");
  const auto w = vector_view(weights, "weights");
  if (weights && std::ssize(w) != x.rows) throw py::value_error("weights must have one number a point");
  if (k < 1 || k > x.rows || x.cols < 1) throw py::value_error("k must be 1 .. n, with at least one column");
  const select::SeedingOptions options{.k = k, .power = power, .seed = seed.first, .stream = seed.second};
  select::Seeds found;
  PythonHost host(progress);
  Monitor monitor(n_threads, &host);
  {
    const py::gil_scoped_release unlocked;
    found = select::seed_centers(x, w, options, monitor);
  }
  return py::make_tuple(take(std::move(found.indices)), take(std::move(found.labels)), found.cost,
                        found.tries, monitor.stopped());
}

}  // namespace

void register_select(py::module_& m) {
  m.def("_seed_centers", &seed_centers<float>, py::arg("points").noconvert(), "weights"_a, "k"_a, "power"_a,
        "seed"_a, "n_threads"_a = 1, "progress"_a = py::none());
  m.def("_seed_centers", &seed_centers<double>, "points"_a, "weights"_a, "k"_a, "power"_a, "seed"_a,
        "n_threads"_a = 1, "progress"_a = py::none());
}

}  // namespace steelyard::bindings
