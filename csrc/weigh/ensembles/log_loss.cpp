#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "core/index.hpp"
#include "simd/table.hpp"
#include "weigh/ensembles/ensembles.hpp"
#include "weigh/ensembles/panels.hpp"
#include "weigh/ensembles/simplex_step.hpp"

namespace steelyard::weigh {
namespace {

using std::ptrdiff_t;

constexpr double log_2 = 0.693147180559945309417;

/// Sum of the logarithms of at most 256 numbers >= 0, by the product of their mantissas; -inf where one is 0.
double sum_of_logs(const double* x, ptrdiff_t n) {
  std::uint64_t exponents[4] = {}, least[4] = {1, 1, 1, 1};
  double products[4] = {1.0, 1.0, 1.0, 1.0};
  const auto take = [&](double value, int lane) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    exponents[lane] += bits >> 52;
    least[lane] &= static_cast<std::uint64_t>((bits >> 52) != 0);
    products[lane] *=
        std::bit_cast<double>((bits & 0x000fffffffffffffULL) | 0x3ff0000000000000ULL);  // 1 to 2
  };
  ptrdiff_t i = 0;
  for (; i + 4 <= n; i += 4) {
    for (int lane = 0; lane < 4; ++lane) take(x[i + lane], lane);
  }
  for (; i < n; ++i) take(x[i], 0);
  if ((least[0] & least[1] & least[2] & least[3]) != 0) {
    const auto sum_of_powers = (exponents[0] + exponents[1]) + (exponents[2] + exponents[3]);
    const double powers = static_cast<double>(sum_of_powers) - 1023.0 * static_cast<double>(n);
    return std::log((products[0] * products[1]) * (products[2] * products[3])) + powers * log_2;
  }
  double sum = 0.0;
  for (i = 0; i < n; ++i) sum += std::log(x[i]);
  return sum;
}

class LogLoss {
 public:
  LogLoss(const EnsembleProblem& problem, Monitor& monitor)
      : problem_(problem),
        k_(problem.predictions.cols),
        uniform_(problem.weights.empty() ? 1.0 / static_cast<double>(problem.predictions.rows) : 1.0),
        panels_(problem.predictions, {}, true, monitor),
        monitor_(monitor) {}

  std::vector<double> singles;  ///< minus the mean logarithm of each column

  bool start() {
    std::vector<double> logs;
    if (!panels_.divide_by_largest(logs, monitor_)) return false;
    const bool done = panels_.sum(1 + k_, singles, monitor_, [&](const PanelBlock& block, double* sums) {
      const double* c = weights(block);
      for (ptrdiff_t i = 0; i < block.rows; ++i) {
        sums[0] += (c != nullptr ? c[i] : 1.0) * logs[at(block.first + i)];
      }
      for (ptrdiff_t k = 0; k < k_; ++k)
        sums[1 + k] += mean_log(block.columns + k * Panels::stride, c, block.rows);
    });
    offset_ = uniform_ * singles[0];
    singles.erase(singles.begin());
    for (double& x : singles) x = -(uniform_ * x + offset_);
    return done;
  }

  /// Value, gradient and Hessian of the mean logarithm at w.
  bool evaluate(const std::vector<double>& w, std::vector<double>& sums) {
    const bool done =
        panels_.sum(1 + k_ + k_ * k_, sums, monitor_, [&](const PanelBlock& block, double* out) {
          double m[Panels::block_rows], first[Panels::block_rows], second[Panels::block_rows];
          const auto& kernel = *simd::kernels().columns;
          kernel.combine(block.columns, Panels::stride, block.rows, k_, w.data(), m);
          const double* c = weights(block);
          out[0] += mean_log(m, c, block.rows);
          for (ptrdiff_t i = 0; i < block.rows; ++i) {
            const double inverse = m[i] > 0.0 ? 1.0 / m[i] : 0.0;
            first[i] = c != nullptr ? c[i] * inverse : inverse;
            second[i] = first[i] * inverse;
          }
          kernel.dots(block.columns, Panels::stride, block.rows, k_, first, out + 1);
          kernel.gram(block.columns, Panels::stride, block.rows, k_, second, out + 1 + k_);
        });
    for (double& x : sums) x *= uniform_;
    return done;
  }

  double loss(const std::vector<double>& sums) const { return -(sums[0] + offset_); }

  /// c sums to 1 but for rounding: what it sums to is left out of the gap.
  double gap(const std::vector<double>& sums) const {
    return std::max(0.0, *std::max_element(sums.begin() + 1, sums.begin() + 1 + k_) - 1.0);
  }

  double rounding() const {
    return unit_roundoff * (panels_.depth(1 + k_ + k_ * k_) + 2.0 * static_cast<double>(k_) + 16.0);
  }

 private:
  const double* weights(const PanelBlock& block) const {
    return problem_.weights.empty() ? nullptr : problem_.weights.data() + block.first;
  }

  static double mean_log(const double* x, const double* c, ptrdiff_t n) {
    if (c == nullptr) return sum_of_logs(x, n);
    double sum = 0.0;
    for (ptrdiff_t i = 0; i < n; ++i) sum += c[i] * std::log(x[i]);
    return sum;
  }

  const EnsembleProblem& problem_;
  ptrdiff_t k_;
  double uniform_, offset_ = 0.0;
  Panels panels_;
  Monitor& monitor_;
};

}  // namespace

EnsembleAnswer log_weights(const EnsembleProblem& problem, const EnsembleOptions& options, Monitor& monitor) {
  const Stopwatch watch;
  const auto k = problem.predictions.cols;
  LogLoss f(problem, monitor);
  BestPoint best(options);
  std::vector<double> w(at(k), 1.0 / static_cast<double>(k)), at_w, at_next;
  const auto end = [&] {
    return best.finish(std::move(f.singles), "sequential simplex QPs", watch.seconds(), monitor);
  };
  if (monitor.stopped() || !f.start() || !f.evaluate(w, at_w)) return end();
  int stalls = 0;
  bool rose = false;
  for (int step = 0; step < options.max_iter; ++step) {
    monitor.progress(step, options.max_iter);
    const double rounding = f.rounding() * (1.0 + f.gap(at_w));
    if (best.offer(w, f.loss(at_w), f.gap(at_w), rounding, 1.0)) break;
    stalls = best.improved() || rose ? 0 : stalls + 1;  // the gap may grow while the likelihood does
    if (stalls > 5) break;
    // H w is the gradient: the program around w has 2 g for its linear term.
    std::vector<double> h(at_w.begin() + 1 + k, at_w.end()), q(at_w.begin() + 1, at_w.begin() + 1 + k);
    for (double& x : q) x *= 2.0;
    const auto y = simplex_minimum(h, q, monitor);
    if (y.empty()) break;
    double slope = 0.0;
    for (ptrdiff_t i = 0; i < k; ++i) slope += at_w[at(1 + i)] * (y[at(i)] - w[at(i)]);
    bool moved = false;
    for (double length = 1.0; length > 1e-12 && !moved; length *= 0.5) {
      std::vector<double> next(at(k));
      for (std::size_t i = 0; i < next.size(); ++i) next[i] = w[i] + length * (y[i] - w[i]);
      if (length == 1.0) next = y;
      normalise(next);
      if (!f.evaluate(next, at_next)) return end();
      // A column dropped where some row needs it: half the way keeps half of each weight, and a sane Hessian.
      if (length == 1.0 && !(f.gap(at_next) <= 10.0 * (1.0 + f.gap(at_w)))) continue;
      const double slack = 8.0 * f.rounding() * (1.0 + std::fabs(at_w[0]));
      if (!(at_next[0] >= at_w[0] + 1e-4 * length * slope - slack) || !std::isfinite(at_next.back()))
        continue;
      rose = at_next[0] > at_w[0] + slack;
      w = std::move(next);
      std::swap(at_w, at_next);
      moved = true;
    }
    if (!moved) break;
  }
  return end();
}

}  // namespace steelyard::weigh
