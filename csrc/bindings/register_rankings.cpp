#include "bindings/arrays.hpp"
#include "bindings/register.hpp"
#include "rank/rankings.hpp"

namespace steelyard::bindings {
namespace {

rank::Rankings make_rankings(const Array<std::int64_t>& starts, const Array<std::int32_t>& items,
                             const Array<std::int32_t>& stages, const OptionalArray<double>& weight,
                             py::ssize_t n) {
  const rank::Rankings rankings{vector_view(starts, "starts"), vector_view(items, "items"),
                                vector_view(stages, "stages"), vector_view(weight, "weight")};
  const auto count = std::ssize(rankings.starts) - 1;
  if (count < 0 || rankings.starts.front() != 0 || rankings.starts.back() != std::ssize(rankings.items) ||
      std::ssize(rankings.stages) != count || (weight && std::ssize(rankings.weight) != count))
    throw py::value_error("starts, items, stages and weight must describe rankings");
  for (std::size_t r = 0; r < static_cast<std::size_t>(count); ++r) {
    const auto length = rankings.starts[r + 1] - rankings.starts[r];
    if (length < 2 || rankings.stages[r] < 1 || rankings.stages[r] >= length)
      throw py::value_error("a ranking needs two items, and stages from 1 to one less than its items");
  }
  for (const auto item : rankings.items)
    if (item < 0 || item >= n) throw py::value_error("items must lie in 0 .. n - 1");
  return rankings;
}

py::tuple differentiate(const Array<std::int64_t>& starts, const Array<std::int32_t>& items,
                        const Array<std::int32_t>& stages, const OptionalArray<double>& weight,
                        const Array<double>& strengths, bool curvature, bool outer) {
  const auto s = vector_view(strengths, "strengths");
  const auto n = std::ssize(s);
  const auto rankings = make_rankings(starts, items, stages, weight, n);
  rank::RankingDerivatives found;
  PythonHost host{py::none()};
  Monitor monitor(1, &host);
  {
    const py::gil_scoped_release unlocked;
    found = rank::differentiate(rankings, s, curvature, outer, monitor);
  }
  if (monitor.stopped()) raise_interrupted();
  const auto rows = curvature ? n : 0, wide = outer ? n : 0;
  return py::make_tuple(found.log_likelihood, take(std::move(found.gradient)),
                        take(std::move(found.curvature), rows, rows),
                        take(std::move(found.outer), wide, wide));
}

}  // namespace

void register_rankings(py::module_& m) {
  m.def("_rankings", &differentiate, "starts"_a, "items"_a, "stages"_a, "weight"_a, "strengths"_a,
        "curvature"_a, "outer"_a = false);
}

}  // namespace steelyard::bindings
