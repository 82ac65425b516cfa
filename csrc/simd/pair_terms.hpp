// Derivatives of the log-likelihood of paired comparisons, one comparison cell an element.
//
// x = s_i - s_j (home advantage included); w, l, t = wins of i, wins of j, ties (t may be null: no ties).
// Per cell:  gradient = d ll / dx,  curvature = -d2 ll / dx2 >= 0,  cross = -d2 ll / (dx d tie) (may be
// null).
#pragma once

#include <cstddef>

namespace steelyard::simd {

/// d ll / d tie and -d2 ll / d tie2, summed over the cells of one call.
struct TieSums {
  double gradient = 0.0;
  double curvature = 0.0;
};

using PairTermsFunction = TieSums (*)(const double* x, const double* w, const double* l, const double* t,
                                      std::ptrdiff_t n, double tie, double* gradient, double* curvature,
                                      double* cross);

struct PairTerms {
  /// Davidson, p_tie = nu / (e^{x/2} + e^{-x/2} + nu); `tie` is nu, derivatives are taken in log nu.
  /// nu = 0 is the plain Bradley-Terry model (ties must then be null or zero).
  PairTermsFunction davidson;
  /// Rao-Kupper, p_win = sigma(x - delta), p_loss = sigma(-x - delta); `tie` is delta = log theta >= 0.
  /// Of the term t log(e^{2 delta} - 1), which does not depend on x, TieSums have 2 t delta: the rest of a tie's
  /// slope is small where that is large.
  PairTermsFunction rao_kupper;
};

}  // namespace steelyard::simd
