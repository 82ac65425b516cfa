#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "simd/table.hpp"
#include "weigh/ensembles/ensembles.hpp"
#include "weigh/ensembles/panels.hpp"
#include "weigh/ensembles/simplex_step.hpp"

namespace steelyard::weigh {
namespace {

using std::ptrdiff_t;

class SquaredLoss {
 public:
  SquaredLoss(const EnsembleProblem& problem, Monitor& monitor)
      : problem_(problem),
        k_(problem.predictions.cols),
        uniform_(problem.weights.empty() ? 1.0 / static_cast<double>(problem.predictions.rows) : 1.0),
        panels_(problem.predictions, problem.y, false, monitor),
        monitor_(monitor) {}

  std::vector<double> gram;   ///< E'(c E), lower triangle
  std::vector<double> roots;  ///< of its diagonal

  bool start() {
    const bool done = panels_.sum(k_ * k_, gram, monitor_, [&](const PanelBlock& block, double* sums) {
      simd::kernels().columns->gram(block.columns, Panels::stride, block.rows, k_, weights(block), sums);
    });
    for (double& x : gram) x *= uniform_;
    for (ptrdiff_t k = 0; k < k_; ++k) roots.push_back(std::sqrt(gram[at(k * k_ + k)]));
    return done;
  }

  /// sum c r^2 and E'(c r) at r = E w, from the rows.
  bool evaluate(const std::vector<double>& w) {
    const bool done = panels_.sum(1 + k_, sums_, monitor_, [&](const PanelBlock& block, double* sums) {
      double r[Panels::block_rows], square = 0.0;
      const auto& kernel = *simd::kernels().columns;
      kernel.combine(block.columns, Panels::stride, block.rows, k_, w.data(), r);
      const double* c = weights(block);
      for (ptrdiff_t i = 0; i < block.rows; ++i) {
        const double weighted = c != nullptr ? c[i] * r[i] : r[i];
        square += weighted * r[i];
        r[i] = weighted;
      }
      sums[0] += square;
      kernel.dots(block.columns, Panels::stride, block.rows, k_, r, sums + 1);
    });
    for (double& x : sums_) x *= uniform_;
    return done;
  }

  double loss() const { return sums_[0]; }
  double slope(ptrdiff_t k) const { return sums_[at(1 + k)]; }
  double gap() const {
    return std::max(0.0, 2.0 * (loss() - *std::min_element(sums_.begin() + 1, sums_.end())));
  }

  /// Of the gap: sums of at most `depth` terms, residuals of K terms, and Cauchy's inequality for their sizes.
  double rounding(const std::vector<double>& w) const {
    double mixed = 0.0, largest = 0.0;
    for (ptrdiff_t k = 0; k < k_; ++k) {
      mixed += w[at(k)] * roots[at(k)];
      largest = std::max(largest, roots[at(k)]);
    }
    const double terms = panels_.depth(1 + k_) + 2.0 * static_cast<double>(k_);
    const double size = std::sqrt(loss()) + 2.0 * static_cast<double>(k_ + 4) / terms * mixed;
    return 2.0 * unit_roundoff * terms * size * (std::sqrt(loss()) + largest);
  }

 private:
  const double* weights(const PanelBlock& block) const {
    return problem_.weights.empty() ? nullptr : problem_.weights.data() + block.first;
  }

  const EnsembleProblem& problem_;
  ptrdiff_t k_;
  double uniform_;
  Panels panels_;
  Monitor& monitor_;
  std::vector<double> sums_;
};

}  // namespace

EnsembleAnswer squared_weights(const EnsembleProblem& problem, const EnsembleOptions& options,
                               Monitor& monitor) {
  const Stopwatch watch;
  const auto k = problem.predictions.cols;
  SquaredLoss f(problem, monitor);
  BestPoint best(options);
  std::vector<double> q(at(k), 0.0), singles, w(at(k), 1.0 / static_cast<double>(k));
  if (f.start()) {
    for (const double root : f.roots) singles.push_back(root * root);
    w = simplex_minimum(f.gram, q, monitor);
    double last = infinity;
    for (int step = 0; step < options.max_iter && !w.empty() && f.evaluate(w); ++step) {
      if (best.offer(w, f.loss(), f.gap(), f.rounding(w), f.loss()) || !(f.gap() < 0.5 * last)) break;
      last = f.gap();
      // The gradient from the rows stands in for the one of the Gram matrix, which has lost digits.
      for (ptrdiff_t i = 0; i < k; ++i) {
        double product = 0.0;
        for (ptrdiff_t j = 0; j < k; ++j) product += f.gram[at(i * k + j)] * w[at(j)];
        q[at(i)] = product - f.slope(i);
      }
      w = simplex_minimum(f.gram, q, monitor);
    }
  }
  return best.finish(std::move(singles), "Gram matrix + simplex QP", watch.seconds(), monitor);
}

}  // namespace steelyard::weigh
