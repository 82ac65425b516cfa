#include "metric/triangle_oracle.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "simd/table.hpp"

namespace steelyard::metric {
namespace {

using std::ptrdiff_t;

template <class Real>
const simd::MinPlus<Real>& kernel_of() {
  if constexpr (sizeof(Real) == sizeof(float)) {
    return *simd::kernels().min_plus_f32;
  } else {
    return *simd::kernels().min_plus_f64;
  }
}

/// All of the symmetric matrix in blocks; infinite on the diagonal and in the padding, so that k != i, j.
template <class Real>
class FullMatrix {
 public:
  FullMatrix(const PairTiles& x, Monitor& monitor)
      : blocks_(x.blocks()), values_(static_cast<std::size_t>(blocks_ * blocks_ * block_area)) {
    const ptrdiff_t n = x.items();
    parallel_for(blocks_, 1, monitor, [&](ptrdiff_t J, ptrdiff_t) {
      for (ptrdiff_t I = 0; I <= J; ++I) fill(x.tile(I, J), I, J, n);
    });
  }
  const Real* block(ptrdiff_t I, ptrdiff_t J) const {
    return values_.data() + (I * blocks_ + J) * block_area;
  }

 private:
  void fill(const double* tile, ptrdiff_t I, ptrdiff_t J, ptrdiff_t n) {
    constexpr Real inf = std::numeric_limits<Real>::infinity();
    Real* upper = values_.data() + (I * blocks_ + J) * block_area;
    Real* lower = values_.data() + (J * blocks_ + I) * block_area;
    for (ptrdiff_t i = 0; i < block_size; ++i)
      for (ptrdiff_t j = 0; j < block_size; ++j) {
        if (I == J && j <= i) {
          if (i == j) upper[i * block_size + i] = inf;
          continue;
        }
        const bool pair = I * block_size + i < n && J * block_size + j < n;
        const Real value = pair ? static_cast<Real>(tile[i * block_size + j]) : inf;
        upper[i * block_size + j] = lower[j * block_size + i] = value;
      }
  }

  ptrdiff_t blocks_;
  std::vector<Real> values_;
};

/// The search for one tile (I, J), with its buffers.
template <class Real>
class TileSearch {
 public:
  TileSearch(const PairTiles& x, const FullMatrix<Real>& matrix, double threshold, int groups,
             ActiveTriangles& active)
      : x_(x),
        matrix_(matrix),
        threshold_(threshold),
        groups_(std::min<ptrdiff_t>(groups, x.blocks())),
        active_(active),
        found_(static_cast<std::size_t>(x.blocks())) {}

  double search(ptrdiff_t I, ptrdiff_t J) {
    double worst = 0.0;
    for (auto& list : found_) list.clear();
    for (ptrdiff_t g = 0; g < groups_; ++g) {
      least_.fill(std::numeric_limits<Real>::infinity());
      const ptrdiff_t blocks = x_.blocks();
      for (ptrdiff_t K = blocks * g / groups_; K < blocks * (g + 1) / groups_; ++K)
        kernel_.tagged_product(least_.data(), which_.data(), static_cast<std::int32_t>(K),
                               matrix_.block(I, K), matrix_.block(K, J));
      worst = std::max(worst, scan(I, J));
    }
    for (ptrdiff_t K = 0; K < x_.blocks(); ++K)
      if (!found_[static_cast<std::size_t>(K)].empty())
        active_.merge(I, J, K, found_[static_cast<std::size_t>(K)]);
    return worst;
  }

 private:
  double scan(ptrdiff_t I, ptrdiff_t J) {
    double worst = 0.0;
    const double* x = x_.tile(I, J);
    const ptrdiff_t rows = std::min(block_size, x_.items() - I * block_size);
    const ptrdiff_t cols = std::min(block_size, x_.items() - J * block_size);
    for (ptrdiff_t i = 0; i < rows; ++i)
      for (ptrdiff_t j = I == J ? i + 1 : 0; j < cols; ++j) {
        const ptrdiff_t at = i * block_size + j;
        const Real least = least_[static_cast<std::size_t>(at)];
        if (x[at] - static_cast<double>(least) > threshold_) worst = std::max(worst, note(I, J, i, j, least));
      }
    return worst;
  }

  double note(ptrdiff_t I, ptrdiff_t J, ptrdiff_t i, ptrdiff_t j, Real least) {
    const ptrdiff_t K = which_[static_cast<std::size_t>(i * block_size + j)];
    const ptrdiff_t k =
        kernel_.find_sum(matrix_.block(I, K) + i * block_size, matrix_.block(J, K) + j * block_size, least);
    if (k == block_size) return 0.0;
    const ptrdiff_t ii = I * block_size + i, jj = J * block_size + j, kk = K * block_size + k;
    const Triangle t{place_of(ii, jj), place_of(ii, kk), place_of(jj, kk)};
    const double left = x_.tile(std::min(I, K), std::max(I, K))[t.ik];
    const double right = x_.tile(std::min(J, K), std::max(J, K))[t.jk];
    const double violation = x_.tile(I, J)[t.ij] - left - right;
    if (violation > 0.0) found_[static_cast<std::size_t>(K)].push_back(t);
    return violation;
  }

  const PairTiles& x_;
  const FullMatrix<Real>& matrix_;
  double threshold_;
  ptrdiff_t groups_;
  ActiveTriangles& active_;
  const simd::MinPlus<Real>& kernel_ = kernel_of<Real>();
  std::array<Real, block_area> least_;
  std::array<std::int32_t, block_area> which_{};
  std::vector<std::vector<Triangle>> found_;  ///< by block of k
};

template <class Real>
double search_all(const PairTiles& x, double threshold, int groups, ActiveTriangles& active,
                  Monitor& monitor) {
  const FullMatrix<Real> matrix(x, monitor);
  std::vector<double> worst(static_cast<std::size_t>(x.tiles()), 0.0);
  parallel_for(x.tiles(), 2, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    TileSearch<Real> search(x, matrix, threshold, groups, active);
    for (auto t = begin; t < end; ++t) {
      ptrdiff_t J = 0;
      while (tile_number(0, J + 1) <= t) ++J;
      worst[static_cast<std::size_t>(t)] = search.search(t - tile_number(0, J), J);
    }
  });
  return *std::max_element(worst.begin(), worst.end());
}

}  // namespace

double find_triangles(const PairTiles& x, double threshold, int groups, bool exact, ActiveTriangles& active,
                      Monitor& monitor) {
  return exact ? search_all<double>(x, threshold, groups, active, monitor)
               : search_all<float>(x, threshold, groups, active, monitor);
}

}  // namespace steelyard::metric
