// What probabilities say of a classifier on rows without labels, if they are calibrated and labels independent.
//
// Count law: of sum_i y_i, y_i ~ Bernoulli(p_i) (Poisson-binomial), by convolving halves. All terms are
// positive, so each chance keeps its digits, but for the tails of less than 1e-25 that are cut at each step.
// O(n + n s), s the standard deviation, times a logarithm.
//
// Area under the ROC curve: A = sum over positive i, negative j of [x_i > x_j] + [x_i = x_j] / 2, over the
// number of such pairs. Up to `exact_limit` rows its mean and variance given that both classes occur are exact:
// rows go by in the order of their scores, and chance, mean and second moment of the pairs so far are kept for
// each number of positives so far, O(n min(n, 20 s)). Beyond: ratio of expected pairs (a row with itself left
// out) and the delta method, O(n log n), off by O(1/n).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/monitor.hpp"

namespace steelyard::weigh {

struct CountLaw {
  std::ptrdiff_t first = 0;     ///< the least count that is listed
  std::vector<double> chances;  ///< of first, first + 1, ...
};

/// Unfinished if stopped.
CountLaw count_law(std::span<const double> p, Monitor& monitor);

struct ExpectedAuc {
  double value = 0.0, deviation = 0.0;  ///< NaN where only one class can occur
  bool exact = false;
};

ExpectedAuc expected_auc(std::span<const double> p, std::span<const double> scores,
                         std::ptrdiff_t exact_limit, Monitor& monitor);

/// Nearest increasing sequence in weighted least squares (weights > 0), in place; pooled neighbours, O(n).
void pool_neighbours(std::span<double> values, std::span<const double> weights);

}  // namespace steelyard::weigh
