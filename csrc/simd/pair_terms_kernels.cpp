#include "simd/exp_inline.hpp"
#include "simd/table.hpp"

namespace steelyard::simd {
namespace {

// With E = exp(-|x|/2) and v = 1/(1 + E^2 + nu E) the stronger side wins with v, the weaker with E^2 v, and
// p_tie = nu E v. The curvature n [p_w p_l + (p_w + p_l) p_t / 4] has no cancellation; neither has the
// gradient, which weighs each outcome by the probability of the others.
template <bool has_ties, bool has_cross>
TieSums davidson_loop(const double* x, const double* w, const double* l, const double* t, std::ptrdiff_t n,
                      double nu, double* gradient, double* curvature, double* cross) {
  double tie_gradient = 0.0, tie_curvature = 0.0;
#pragma omp simd reduction(+ : tie_gradient, tie_curvature)
  for (std::ptrdiff_t k = 0; k < n; ++k) {
    const double half = 0.5 * (x[k] < 0.0 ? x[k] : -x[k]);
    const double e = exp_inline(half);
    const double e2 = e * e;
    const double v = 1.0 / (1.0 + e2 + nu * e);
    const double strong = v, weak = e2 * v, p_tie = nu * e * v;
    const double p_win = x[k] < 0.0 ? weak : strong;
    const double p_loss = x[k] < 0.0 ? strong : weak;
    const double ties = has_ties ? t[k] : 0.0;
    const double decisive = w[k] + l[k];
    const double games = decisive + ties;
    gradient[k] =
        w[k] * (p_loss + 0.5 * p_tie) - l[k] * (p_win + 0.5 * p_tie) + 0.5 * ties * (p_loss - p_win);
    curvature[k] = games * (p_win * p_loss + 0.25 * (p_win + p_loss) * p_tie);
    if (has_cross) cross[k] = -0.5 * games * p_tie * (p_win - p_loss);
    tie_gradient += ties * (p_win + p_loss) - decisive * p_tie;
    tie_curvature += games * p_tie * (p_win + p_loss);
  }
  return {tie_gradient, tie_curvature};
}

/// sigma(y), sigma(-y) and their product, all without cancellation.
inline void logistic(double y, double& chance, double& complement, double& variance) {
  const double e = exp_inline(y < 0.0 ? y : -y);
  const double v = 1.0 / (1.0 + e);
  chance = y < 0.0 ? e * v : v;
  complement = y < 0.0 ? v : e * v;
  variance = e * v * v;
}

// A tie has the slopes (1 - p_win) - (1 - p_loss) = (1 - p_win) p_loss - p_win (1 - p_loss) and, by delta,
// p_win + p_loss; what is missing there, 2 / (e^{2 delta} - 1) a tie, depends on delta alone. Where nearly all
// games are ties the plain differences cancel to nothing.

template <bool has_ties, bool has_cross>
TieSums rao_kupper_loop(const double* x, const double* w, const double* l, const double* t, std::ptrdiff_t n,
                        double delta, double* gradient, double* curvature, double* cross) {
  double tie_gradient = 0.0, tie_curvature = 0.0;
#pragma omp simd reduction(+ : tie_gradient, tie_curvature)
  for (std::ptrdiff_t k = 0; k < n; ++k) {
    double win, not_win, win_variance, loss, not_loss, loss_variance;
    logistic(x[k] - delta, win, not_win, win_variance);
    logistic(-x[k] - delta, loss, not_loss, loss_variance);
    const double ties = has_ties ? t[k] : 0.0;
    const double up = w[k] + ties, down = l[k] + ties;
    gradient[k] = w[k] * not_win - l[k] * not_loss + ties * (not_win * loss - win * not_loss);
    curvature[k] = up * win_variance + down * loss_variance;
    if (has_cross) cross[k] = down * loss_variance - up * win_variance;
    tie_gradient += ties * (win + loss) - (w[k] * not_win + l[k] * not_loss);
    tie_curvature += up * win_variance + down * loss_variance;
  }
  return {tie_gradient, tie_curvature};
}

TieSums davidson(const double* x, const double* w, const double* l, const double* t, std::ptrdiff_t n,
                 double nu, double* gradient, double* curvature, double* cross) {
  if (t != nullptr && cross != nullptr) {
    return davidson_loop<true, true>(x, w, l, t, n, nu, gradient, curvature, cross);
  }
  if (t != nullptr) return davidson_loop<true, false>(x, w, l, t, n, nu, gradient, curvature, nullptr);
  if (cross != nullptr) return davidson_loop<false, true>(x, w, l, t, n, nu, gradient, curvature, cross);
  return davidson_loop<false, false>(x, w, l, t, n, nu, gradient, curvature, nullptr);
}

TieSums rao_kupper(const double* x, const double* w, const double* l, const double* t, std::ptrdiff_t n,
                   double delta, double* gradient, double* curvature, double* cross) {
  if (t != nullptr && cross != nullptr) {
    return rao_kupper_loop<true, true>(x, w, l, t, n, delta, gradient, curvature, cross);
  }
  if (t != nullptr) return rao_kupper_loop<true, false>(x, w, l, t, n, delta, gradient, curvature, nullptr);
  if (cross != nullptr) return rao_kupper_loop<false, true>(x, w, l, t, n, delta, gradient, curvature, cross);
  return rao_kupper_loop<false, false>(x, w, l, t, n, delta, gradient, curvature, nullptr);
}

}  // namespace

extern const PairTerms STEELYARD_FOR_ISA(pair_terms_);
const PairTerms STEELYARD_FOR_ISA(pair_terms_){davidson, rao_kupper};

}  // namespace steelyard::simd
