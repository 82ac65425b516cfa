#include "metric/nearness/closure.hpp"

#include <algorithm>
#include <vector>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "simd/table.hpp"

namespace steelyard::metric {
namespace {

using std::ptrdiff_t;

void transpose(const double* from, double* to) {
  for (ptrdiff_t i = 0; i < block_size; ++i)
    for (ptrdiff_t j = 0; j < block_size; ++j) to[j * block_size + i] = from[i * block_size + j];
}

/// Block row K and block column K of the full symmetric matrix.
class Panels {
 public:
  explicit Panels(ptrdiff_t blocks) : row_(at(blocks * block_area)), column_(row_.size()) {}
  double* row(ptrdiff_t J) { return row_.data() + J * block_area; }
  double* column(ptrdiff_t I) { return column_.data() + I * block_area; }

 private:
  std::vector<double> row_, column_;
};

/// No negative lengths, zeros on the diagonal, infinite padding; diagonal blocks become symmetric.
void prepare(PairTiles& x) {
  for (ptrdiff_t at = 0; at < x.size(); ++at) x[at] = std::max(x[at], 0.0);
  const ptrdiff_t last = x.blocks() - 1, used = x.items() - last * block_size;
  for (ptrdiff_t J = 0; J <= last; ++J) {
    double* tile = x.tile(J, J);
    for (ptrdiff_t i = 0; i < block_size; ++i) {
      tile[i * block_size + i] = 0.0;
      for (ptrdiff_t j = 0; j < i; ++j) tile[i * block_size + j] = tile[j * block_size + i];
    }
    double* edge = x.tile(J, last);
    for (ptrdiff_t i = 0; i < block_size; ++i)
      for (ptrdiff_t j = used; j < block_size; ++j) {
        edge[i * block_size + j] = infinity;
        if (J == last) edge[j * block_size + i] = infinity;
      }
  }
}

}  // namespace

bool close_metric(PairTiles& x, Monitor& monitor) {
  const auto& kernel = *simd::kernels().min_plus_f64;
  const ptrdiff_t blocks = x.blocks();
  prepare(x);
  Panels panels(blocks);
  for (ptrdiff_t K = 0; K < blocks && !monitor.poll(); ++K) {
    double* pivot = x.tile(K, K);
    kernel.closing_product(pivot, pivot, pivot);
    parallel_for(blocks, 1, monitor, [&](ptrdiff_t J, ptrdiff_t) {
      double* row = panels.row(J);
      if (J < K)
        transpose(x.tile(J, K), row);
      else
        std::copy(x.tile(K, J), x.tile(K, J) + block_area, row);
      if (J != K) kernel.closing_product(row, pivot, row);
      transpose(row, panels.column(J));
      if (J == K) return;
      if (J < K)
        std::copy(panels.column(J), panels.column(J) + block_area, x.tile(J, K));
      else
        std::copy(row, row + block_area, x.tile(K, J));
    });
    parallel_for(blocks, 1, monitor, [&](ptrdiff_t J, ptrdiff_t) {
      if (J == K) return;
      for (ptrdiff_t I = 0; I <= J; ++I)
        if (I != K) kernel.product(x.tile(I, J), panels.column(I), panels.row(J));
    });
  }
  return !monitor.stopped();
}

}  // namespace steelyard::metric
