#include "bindings/arrays.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "core/index.hpp"
#include "metric/itml/itml.hpp"

namespace steelyard::bindings {
namespace {

metric::MetricPairs read_pairs(py::ssize_t n, std::span<const std::int32_t> first,
                               std::span<const std::int32_t> second, std::span<const std::int8_t> similar,
                               std::span<const std::int32_t> labels) {
  if (!labels.empty() && (std::ssize(labels) != n || !first.empty()))
    throw py::value_error("labels must have one number a point, without listed pairs");
  if (first.size() != second.size() || first.size() != similar.size())
    throw py::value_error("first, second and similar must have one number a pair");
  for (std::size_t c = 0; c < first.size(); ++c)
    if (first[c] < 0 || first[c] >= n || second[c] < 0 || second[c] >= n)
      throw py::value_error("a pair must name two points");
  return {first, second, similar, labels};
}

py::dict learn(const Array<double>& points, const Array<std::int32_t>& first,
               const Array<std::int32_t>& second, const Array<std::int8_t>& similar,
               const OptionalArray<std::int32_t>& labels, double near, double far, double gamma, double tol,
               int max_sweeps, std::pair<std::uint64_t, std::uint64_t> seed, const py::object& progress) {
  const auto x = matrix_view(points, "points");
  const auto pairs = read_pairs(x.rows, vector_view(first, "first"), vector_view(second, "second"),
                                vector_view(similar, "similar"), vector_view(labels, "labels"));
  room_for<double>("points", x.cols, x.cols);
  const metric::ItmlOptions options{.near = near,
                                    .far = far,
                                    .gamma = gamma,
                                    .tol = tol,
                                    .max_sweeps = max_sweeps,
                                    .seed = seed.first,
                                    .stream = seed.second};
  auto found = run_partial(1, progress, [&](Monitor& monitor) {
                 return metric::learn_metric(x, pairs, options, monitor);
               }).result;
  py::dict out;
  out["matrix"] = take(std::move(found.matrix), x.cols, x.cols);
  out["upper"] = found.upper;
  out["lower"] = found.lower;
  out["active"] = found.active;
  out["skipped"] = found.skipped;
  out["steps"] = found.steps;
  out["info"] = to_dict(found.info);
  return out;
}

}  // namespace

void register_itml(py::module_& m) {
  m.def("_learn_metric", &learn, "points"_a, "first"_a, "second"_a, "similar"_a, "labels"_a, "near"_a,
        "far"_a, "gamma"_a, "tol"_a, "max_sweeps"_a, "seed"_a, "progress"_a = py::none());
}

}  // namespace steelyard::bindings
