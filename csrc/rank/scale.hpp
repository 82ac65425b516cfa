// The common shift of strengths, which the comparisons leave open.
#pragma once

#include <cstddef>
#include <vector>

namespace steelyard::rank {

/// Subtracts the mean; entries lie `stride` apart.
void centre(double* x, std::ptrdiff_t n, std::ptrdiff_t stride = 1);
void centre(std::vector<double>& s);

/// The c that solves sum_i (1 - 2 sigma(s_i + c)) = 0: the best common shift under a prior. O(items) a step.
double best_shift(const std::vector<double>& strengths);

/// Centres without a prior; under one shifts by the best c, if `exact_shift`.
void set_scale(double prior, bool exact_shift, std::vector<double>& strengths);

}  // namespace steelyard::rank
