// Simulated max-|t| statistics of pairwise contrasts: the quantile behind simultaneous rank sets.
//
// For draws z ~ N(0, Sigma) of the estimation error, T = max over pairs (i, j) of |z_i - z_j| / sigma_ij.
// With q its level-quantile, all statements "s_i > s_j where the estimates differ by more than q sigma_ij"
// hold together with that confidence (Mogstad, Romano, Shaikh, Wilhelm, Rev. Econ. Stud. 91, 2024). Same bits
// for any number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/monitor.hpp"
#include "core/views.hpp"

namespace steelyard::rank {

/// draws (rows x n) of N(0, L L'), L lower triangular with zeros above. n^2 flops a draw. False when stopped.
bool gaussian_draws(const MatrixView<const double>& factor, std::uint64_t seed, std::uint64_t stream,
                    const MatrixView<double>& draws, Monitor& monitor);

/// T of each draw over the pairs (items[r], j), j = any item but it, with `scale` (items x n) holding
/// 1 / sigma_ij and zeros where a pair does not count. `apart`: one row of maxima an item (marginal) instead of
/// one in all. A draw that is not finite gives infinity. 3 n flops a draw and item. Empty when stopped.
std::vector<double> contrast_maxima(const MatrixView<const double>& draws,
                                    std::span<const std::int32_t> items,
                                    const MatrixView<const double>& scale, bool apart, Monitor& monitor);

}  // namespace steelyard::rank
