#include "bindings/arrays.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "rank/paired/contrast_maxima.hpp"

namespace steelyard::bindings {
namespace {

py::object gaussian_draws(const Array<double>& factor, py::ssize_t draws, std::uint64_t seed,
                          std::uint64_t stream, int n_threads) {
  const auto l = matrix_view(factor, "factor");
  if (l.rows != l.cols) throw py::value_error("factor must be square");
  std::vector<double> out(room_for<double>("draws", draws, l.rows));
  const bool finished =
      run_partial(n_threads, no_progress, [&](Monitor& monitor) {
        return rank::gaussian_draws(l, seed, stream, {out.data(), draws, l.rows, l.rows}, monitor);
      }).result;
  return finished ? py::object(take(std::move(out), draws, l.rows)) : py::none();
}

py::object contrast_maxima(const Array<double>& draws, const Array<std::int32_t>& items,
                           const Array<double>& scale, bool apart, int n_threads) {
  const auto z = matrix_view(draws, "draws"), s = matrix_view(scale, "scale");
  const auto asked = vector_view(items, "items");
  if (s.rows != std::ssize(asked) || s.cols != z.cols)
    throw py::value_error("scale must have shape (items, n)");
  for (const auto item : asked) {
    if (item < 0 || item >= z.cols) throw py::index_error("items holds a position outside the draws");
  }
  room_for<double>("draws", z.rows, apart ? s.rows : 1);
  auto out = run_partial(n_threads, no_progress, [&](Monitor& monitor) {
               return rank::contrast_maxima(z, asked, s, apart, monitor);
             }).result;
  if (out.empty() && z.rows > 0) return py::none();
  return take(std::move(out), apart ? s.rows : 1, z.rows);
}

}  // namespace

void register_uncertainty(py::module_& m) {
  m.def("_gaussian_draws", &gaussian_draws, "factor"_a, "draws"_a, "seed"_a, "stream"_a, "n_threads"_a);
  m.def("_contrast_maxima", &contrast_maxima, "draws"_a, "items"_a, "scale"_a, "apart"_a, "n_threads"_a);
}

}  // namespace steelyard::bindings
