#include "metric/nearness/triangle_oracle.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "core/index.hpp"
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
      : blocks_(x.blocks()), values_(at(blocks_ * blocks_ * block_area)) {
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
        places_(at(x.blocks() * block_area)),
        counts_(at(x.blocks())) {}

  double search(ptrdiff_t I, ptrdiff_t J) {
    double worst = 0.0;
    for (ptrdiff_t g = 0; g < groups_; ++g) {
      least_.fill(std::numeric_limits<Real>::infinity());
      const ptrdiff_t begin = x_.blocks() * g / groups_, end = x_.blocks() * (g + 1) / groups_;
      for (ptrdiff_t K = begin; K < end; ++K)
        kernel_.tagged_product(least_.data(), which_.data(), static_cast<std::int32_t>(K),
                               matrix_.block(I, K), matrix_.block(K, J));
      sort_places(I, J);
      for (ptrdiff_t K = begin; K < end; ++K) worst = std::max(worst, verify(I, J, K));
    }
    return worst;
  }

 private:
  /// The pairs that seem to be violated, by the block of their k.
  void sort_places(ptrdiff_t I, ptrdiff_t J) {
    const double* x = x_.tile(I, J);
    const ptrdiff_t rows = std::min(block_size, x_.items() - I * block_size);
    const ptrdiff_t cols = std::min(block_size, x_.items() - J * block_size);
    std::fill(counts_.begin(), counts_.end(), 0);
    for (ptrdiff_t i = 0; i < rows; ++i)
      for (ptrdiff_t j = I == J ? i + 1 : 0; j < cols; ++j) {
        const auto place = at(i * block_size + j);
        const auto K = at(which_[place]);
        const bool seems = x[place] - static_cast<double>(least_[place]) > threshold_;
        // No branch: nobody could predict it.
        places_[K * block_area + at(counts_[K])] = static_cast<std::uint16_t>(place);
        counts_[K] += seems ? 1 : 0;
      }
  }

  /// Finds the k of each and computes again in float64.
  double verify(ptrdiff_t I, ptrdiff_t J, ptrdiff_t K) {
    const Real *a = matrix_.block(I, K), *b = matrix_.block(J, K);
    const double *ij = x_.tile(I, J), *ik = x_.tile(std::min(I, K), std::max(I, K)),
                 *jk = x_.tile(std::min(J, K), std::max(J, K));
    const std::uint16_t* places = places_.data() + K * block_area;
    double worst = 0.0;
    found_.clear();
    for (ptrdiff_t s = 0; s < counts_[at(K)]; ++s) {
      const ptrdiff_t i = places[s] / block_size, j = places[s] % block_size;
      const ptrdiff_t k = kernel_.find_sum(a + i * block_size, b + j * block_size, least_[at(places[s])]);
      if (k == block_size) continue;
      const Triangle t{places[s], place_of(I, i, K, k), place_of(J, j, K, k)};
      const double violation = ij[t.ij] - ik[t.ik] - jk[t.jk];
      worst = std::max(worst, violation);
      if (violation > 0.0) found_.push_back(t);
    }
    if (!found_.empty()) active_.merge(I, J, K, found_);
    return worst;
  }

  const PairTiles& x_;
  const FullMatrix<Real>& matrix_;
  double threshold_;
  ptrdiff_t groups_;
  ActiveTriangles& active_;
  const simd::MinPlus<Real>& kernel_ = kernel_of<Real>();
  std::array<Real, block_area> least_;
  std::array<std::int32_t, block_area> which_{};
  std::vector<std::uint16_t> places_;  ///< block_area for each block of k
  std::vector<ptrdiff_t> counts_;
  std::vector<Triangle> found_;
};

template <class Real>
double search_all(const PairTiles& x, double threshold, int groups, ActiveTriangles& active,
                  Monitor& monitor) {
  const FullMatrix<Real> matrix(x, monitor);
  std::vector<double> worst(at(x.tiles()), 0.0);
  parallel_for(x.tiles(), 2, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    TileSearch<Real> search(x, matrix, threshold, groups, active);
    for (auto t = begin; t < end; ++t) {
      ptrdiff_t J = 0;
      while (tile_number(0, J + 1) <= t) ++J;
      worst[at(t)] = search.search(t - tile_number(0, J), J);
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
