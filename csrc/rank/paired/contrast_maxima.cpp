#include "rank/paired/contrast_maxima.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "core/pool.hpp"
#include "core/random.hpp"
#include "simd/table.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t width = simd::Contrasts::draws;
constexpr ptrdiff_t panel = 64;

}  // namespace

bool gaussian_draws(const MatrixView<const double>& factor, std::uint64_t seed, std::uint64_t stream,
                    const MatrixView<double>& draws, Monitor& monitor) {
  const ptrdiff_t n = factor.rows;
  return parallel_for(draws.rows, width, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    std::vector<double> noise(checked_product("working memory", n, width)), z(at(n * width), 0.0);
    Random random(seed, stream + static_cast<std::uint64_t>(begin / width));
    for (double& value : noise) value = -random.normal();
    for (ptrdiff_t i = 0; i < n && !monitor.poll(); i += panel) {
      const ptrdiff_t rows = std::min(panel, n - i);
      simd::kernels().dense->subtract_product(&z[at(i * width)], width, factor.row(i), factor.stride,
                                              noise.data(), width, rows, width, i + rows);
    }
    for (auto r = begin; r < end; ++r) {
      for (ptrdiff_t i = 0; i < n; ++i) draws.row(r)[i] = z[at(i * width + r - begin)];
    }
  });
}

std::vector<double> contrast_maxima(const MatrixView<const double>& draws,
                                    std::span<const std::int32_t> items,
                                    const MatrixView<const double>& scale, bool apart, Monitor& monitor) {
  const ptrdiff_t n = draws.cols, count = std::ssize(items);
  const ptrdiff_t rows = apart ? count : 1;
  std::vector<double> out(checked_product("working memory", rows, draws.rows), 0.0);
  const bool finished = parallel_for(draws.rows, width, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    std::vector<double> z(checked_product("working memory", n, width), 0.0);
    bool finite[width];
    for (ptrdiff_t k = 0; k < width; ++k) finite[k] = true;
    for (auto r = begin; r < end; ++r) {
      for (ptrdiff_t j = 0; j < n; ++j) {
        z[at(j * width + r - begin)] = draws.row(r)[j];
        finite[r - begin] &= std::isfinite(draws.row(r)[j]);
      }
    }
    double best[width] = {};
    for (ptrdiff_t item = 0; item < count && !monitor.poll(); ++item) {
      if (apart) std::fill(best, best + width, 0.0);
      const double* own = &z[at(items[at(item)] * width)];
      simd::kernels().contrasts->maxima(own, z.data(), scale.row(item), n, best);
      if (!apart && item + 1 < count) continue;
      double* to = &out[at(apart ? item * draws.rows : 0)];
      for (auto r = begin; r < end; ++r) {
        to[r] = finite[r - begin] ? best[r - begin] : infinity;
      }
    }
  });
  if (!finished || monitor.stopped()) out.clear();
  return out;
}

}  // namespace steelyard::rank
