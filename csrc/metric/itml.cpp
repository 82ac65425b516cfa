#include "metric/itml.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "linalg/cholesky.hpp"
#include "metric/itml_learner.hpp"
#include "simd/slack_step_inline.hpp"
#include "simd/table.hpp"

namespace steelyard::metric {
namespace itml {

template <class Visit>
void Learner::for_listed(const Visit& visit) {
  for (ptrdiff_t c = 0; c < count(); ++c) {
    if (c % every_ == 0 && monitor_.poll()) return;
    visit(c, pairs_.first[at(c)], pairs_.second[at(c)]);
  }
}

template <class Visit>
void Learner::for_random_listed(const Visit& visit) {
  for (ptrdiff_t k = 0; k < count(); ++k) {
    if (k % every_ == 0 && monitor_.poll()) return;
    const ptrdiff_t c = random_.below(count());
    visit(c, pairs_.first[at(c)], pairs_.second[at(c)]);
  }
}

/// v_ of the batch, zeros in lanes without a constraint.
void Learner::differences(const Batch& batch, MatrixView<const double> points) {
  std::array<const double*, simd::lanes> first, second;
  first.fill(points.data);
  second.fill(points.data);
  for (std::size_t b = 0; b < at(batch.count); ++b) {
    first[b] = points.row(batch.i[b]);
    second[b] = points.row(batch.j[b]);
  }
  simd::kernels().rank_updates->differences(first.data(), second.data(), d_, size_, v_.data());
}

/// The step on one constraint. Returns beta, 0 where it does not move.
double Learner::move(ptrdiff_t c, bool similar, double p) {
  ++steps_;
  if (!(p > no_distance)) return 0.0;
  const double s = similar ? 1.0 : -1.0;
  double& lambda = lambda_[at(c)];
  return simd::slack_step(s, rule_.share, simd::inverse_slack(rule_, s, lambda), p, lambda, moved_);
}

/// One step after the other on the constraints of the batch, as if each updated A. With Y = A V and G = V'Y,
/// the steps before it turn row b of G into g_b = (v_b' A v_c)_c and y_b into Y w_b:
///
///   g_b <- g_b + sum_m (beta_m g_m[b]) g_m,   w_b = e_b + sum_m (beta_m g_m[b]) w_m,
///
/// so that p_b = g_b[b] comes without A, which then takes all steps at once, A += sum_m beta_m Y w_m w_m'Y'.
void Learner::project(const Batch& batch) {
  constexpr std::size_t lanes = simd::lanes;
  const auto& kernels = *simd::kernels().rank_updates;
  differences(batch, x_);
  kernels.multiply(a_.data(), size_, v_.data(), y_.data());
  alignas(64) double g[lanes * lanes], columns[lanes * lanes] = {}, beta[lanes] = {};
  kernels.products(v_.data(), y_.data(), size_, g, lanes);
  double steps[lanes][2 * lanes];  // g_m and w_m of those that moved
  std::size_t moved = 0;
  for (std::size_t b = 0; b < at(batch.count); ++b) {
    double* row = steps[moved];
    for (std::size_t c = 0; c < lanes; ++c) row[c] = g[b * lanes + c], row[lanes + c] = 0.0;
    row[lanes + b] = 1.0;
    for (std::size_t m = 0; m < moved; ++m) {
      const double factor = beta[m] * steps[m][b];
      for (std::size_t c = 0; c < 2 * lanes; ++c) row[c] += factor * steps[m][c];
    }
    beta[moved] = move(batch.constraint[b], batch.similar[b], row[b]);
    if (beta[moved] == 0.0) continue;
    for (std::size_t c = 0; c < lanes; ++c) columns[c * lanes + moved] = row[lanes + c];
    ++moved;
  }
  if (moved > 0)
    kernels.update(a_.data(), size_, y_.data(), columns, beta, static_cast<ptrdiff_t>(moved),
                   scratch_.data());
}

void Learner::sweep() {
  moved_ = 0.0;
  if (!pairs_.listed()) {
    sweep_blocks();
    return;
  }
  in_batches([this](const auto& visit) { for_random_listed(visit); },
             [this](const Batch& batch) { project(batch); });
}

/// inverse_ += sum_c s_c lambda_c v_c v_c' over listed pairs.
void Learner::add_listed() {
  alignas(64) double unit[simd::lanes * simd::lanes] = {};
  for (ptrdiff_t b = 0; b < simd::lanes; ++b) unit[b * simd::lanes + b] = 1.0;
  const auto active = [&](const auto& visit) {
    for_listed([&](ptrdiff_t c, ptrdiff_t i, ptrdiff_t j) {
      if (lambda_[at(c)] > 0.0) visit(c, i, j);
    });
  };
  in_batches(active, [&](const Batch& batch) {
    alignas(64) double factors[simd::lanes] = {};
    for (std::size_t b = 0; b < at(batch.count); ++b) {
      const double lambda = lambda_[at(batch.constraint[b])];
      factors[b] = batch.similar[b] ? lambda : -lambda;
    }
    differences(batch, x_);
    simd::kernels().rank_updates->update(inverse_.data(), size_, v_.data(), unit, factors, batch.count,
                                         scratch_.data());
  });
}

/// A anew from the duals: what the rank-one updates rounded away comes back. False if A^-1 is not positive
/// definite.
bool Learner::restore() {
  inverse_.assign(at(size_ * size_), 0.0);
  for (ptrdiff_t k = 0; k < d_; ++k) inverse_[at(k * size_ + k)] = 1.0;
  if (pairs_.listed())
    add_listed();
  else
    add_blocks();
  if (monitor_.stopped() || !linalg::cholesky(inverse_.data(), d_, size_, monitor_)) return false;
  auto fresh = inverse_;
  if (!linalg::cholesky_inverse(fresh.data(), d_, size_, monitor_)) return false;
  for (ptrdiff_t k = 0; k < d_; ++k)
    for (ptrdiff_t l = d_; l < size_; ++l) fresh[at(k * size_ + l)] = 0.0;
  a_ = std::move(fresh);
  return true;
}

/// L^-1, inverse_ = L L': of the points times it, p = |difference|^2.
AlignedVector<double> Learner::root() const {
  AlignedVector<double> transposed(at(size_ * size_), 0.0), out(transposed);
  for (ptrdiff_t k = 0; k < d_; ++k) transposed[at(k * size_ + k)] = 1.0;
  linalg::cholesky_solve_transposed(inverse_.data(), d_, size_, transposed.data(), d_, size_);
  for (ptrdiff_t k = 0; k < d_; ++k)
    for (ptrdiff_t l = 0; l <= k; ++l) out[at(k * size_ + l)] = transposed[at(l * size_ + k)];
  return out;
}

void Learner::measure_listed(Slacks& slacks) {
  const auto to_image = root();
  std::vector<double> images(at(x_.rows * d_));
  const std::vector<double> origin(at(d_), 0.0);
  std::array<const double*, simd::lanes> first, second;
  second.fill(origin.data());
  for (ptrdiff_t i = 0; i < x_.rows; i += simd::lanes) {
    if (i / simd::lanes % every_ == 0 && monitor_.poll()) return;
    const ptrdiff_t points = std::min<ptrdiff_t>(simd::lanes, x_.rows - i);
    for (ptrdiff_t b = 0; b < simd::lanes; ++b) first[at(b)] = x_.row(i + std::min(b, points - 1));
    simd::kernels().rank_updates->differences(first.data(), second.data(), d_, size_, v_.data());
    simd::kernels().rank_updates->multiply_lower(to_image.data(), size_, v_.data(), y_.data());
    for (ptrdiff_t b = 0; b < points; ++b)
      for (ptrdiff_t k = 0; k < d_; ++k) images[at((i + b) * d_ + k)] = y_[at(k * simd::lanes + b)];
  }
  const auto all = [this](const auto& visit) { for_listed(visit); };
  in_batches(all, [&](const Batch& batch) {
    differences(batch, {images.data(), x_.rows, d_, d_});
    std::array<double, simd::lanes> p{};
    for (std::size_t k = 0; k < v_.size(); k += simd::lanes)
      for (std::size_t b = 0; b < simd::lanes; ++b) p[b] += v_[k + b] * v_[k + b];
    for (std::size_t b = 0; b < at(batch.count); ++b)
      slacks.add(lambda_[at(batch.constraint[b])], batch.similar[b] ? 1.0 : -1.0, p[b]);
  });
}

/// Both bounds, from the duals alone. False if it was stopped or the matrix is not positive definite to
/// rounding.
bool Learner::certify() {
  if (!restore()) return false;
  double log_det = 0.0, trace = 0.0;
  for (ptrdiff_t k = 0; k < d_; ++k) {
    log_det -= 2.0 * std::log(inverse_[at(k * size_ + k)]);
    trace += a_[at(k * size_ + k)];
  }
  Slacks slacks(rule_, o_);
  if (pairs_.listed())
    measure_listed(slacks);
  else
    measure_blocks(slacks);
  if (monitor_.stopped()) return false;
  skipped_ = slacks.skipped();
  const double upper = trace - log_det - static_cast<double>(d_) + o_.gamma * slacks.divergence();
  const double lower = -log_det + o_.gamma * slacks.logarithm();
  if (upper < upper_) upper_ = upper, matrix_ = a_;
  lower_ = std::max(lower_, lower);
  return true;
}

ItmlSolution Learner::run() {
  const Stopwatch watch;
  Info info;
  info.solver = "random projections";
  info.tol = o_.tol;
  info.error_kind = ErrorKind::rigorous;
  info.trace.columns = {"sweep", "gap", "movement", "seconds"};
  for (int number = 1; number <= o_.max_sweeps && !info.converged; ++number) {
    sweep();
    if (monitor_.stopped()) break;
    const bool last = number == o_.max_sweeps;
    if (moved_ <= o_.tol || last || (number & (number - 1)) == 0) {
      if (!certify() && monitor_.stopped()) break;
      info.converged = gap() <= o_.tol;
      info.error_bound = std::max(0.0, gap());
    }
    info.iterations = number;
    info.trace.add({static_cast<double>(number), gap(), moved_, watch.seconds()});
    monitor_.progress(number, o_.max_sweeps);
  }
  info.interrupted = monitor_.stopped();
  if (upper_ == infinity) {
    // Never certified: the matrix as the steps left it, positive definite but for their rounding.
    info.error_bound = infinity;
    matrix_ = a_;
  }
  info.seconds = watch.seconds();
  ItmlSolution out;
  out.matrix.resize(at(d_ * d_));
  for (ptrdiff_t k = 0; k < d_; ++k)
    for (ptrdiff_t l = 0; l < d_; ++l)
      out.matrix[at(k * d_ + l)] = matrix_[at(std::max(k, l) * size_ + std::min(k, l))];
  out.upper = upper_;
  out.lower = lower_;
  out.active = std::count_if(lambda_.begin(), lambda_.end(), [](double z) { return z > 0.0; });
  out.skipped = skipped_;
  out.steps = steps_;
  out.info = std::move(info);
  return out;
}

}  // namespace itml

ItmlSolution learn_metric(MatrixView<const double> points, const MetricPairs& pairs,
                          const ItmlOptions& options, Monitor& monitor) {
  return itml::Learner(points, pairs, options, monitor).run();
}

}  // namespace steelyard::metric
