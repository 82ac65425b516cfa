// The inner loops and the random numbers.
#include <algorithm>
#include <string>

#include "bindings/arrays.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "core/random.hpp"
#include "rank/over_time/polya_gamma.hpp"
#include "simd/table.hpp"

namespace steelyard::bindings {
namespace {

template <class Real>
py::array_t<Real> mapped(const Array<Real>& x, void (*function)(Real*, std::ptrdiff_t)) {
  const auto in = vector_view(x, "x");
  std::vector<Real> out(in.begin(), in.end());
  run(1, no_progress, [&](Monitor&) { function(out.data(), std::ssize(out)); });
  return take(std::move(out));
}

template <class Draw>
py::object drawn(std::ptrdiff_t size, const Draw& draw) {
  std::vector<decltype(draw())> out(room_for<decltype(draw())>("size", size));
  run(1, no_progress, [&](Monitor&) { std::generate(out.begin(), out.end(), draw); });
  return take(std::move(out));
}

py::object random(const std::string& kind, std::ptrdiff_t size, std::uint64_t seed, std::uint64_t stream,
                  double a, double b) {
  Random source(seed, stream);
  if (kind == "bits") return drawn(size, [&] { return source.bits(); });
  if (kind == "uniform") return drawn(size, [&] { return source.uniform(); });
  if (kind == "uniform_open") return drawn(size, [&] { return source.uniform_open(); });
  if (kind == "exponential") return drawn(size, [&] { return source.exponential(); });
  if (kind == "normal") return drawn(size, [&] { return source.normal(); });
  if (kind == "gamma") return drawn(size, [&] { return source.gamma(a); });
  if (kind == "polya_gamma")
    return drawn(size, [&, n = static_cast<std::int64_t>(a)] { return rank::polya_gamma(n, b, source); });
  if (kind == "binomial")
    return drawn(size, [&, n = static_cast<std::int64_t>(a)] { return source.binomial(n, b); });
  if (kind == "below") return drawn(size, [&, n = static_cast<std::int64_t>(a)] { return source.below(n); });
  throw py::value_error("kind must name a law, got '" + kind + "'");
}

}  // namespace

void register_numbers(py::module_& m) {
  m.def("_exp", [](const Array<double>& x) { return mapped(x, simd::kernels().vector_math->exp); }, "x"_a);
  m.def(
      "_exp_f32", [](const Array<float>& x) { return mapped(x, simd::kernels().vector_math->exp_f32); },
      "x"_a);
  m.def("_random", &random, "kind"_a, "size"_a, "seed"_a, "stream"_a, "a"_a = 0.0, "b"_a = 0.0);
}

}  // namespace steelyard::bindings
