#include "metric/itml/itml.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>
#include <utility>

#include "core/index.hpp"
#include "linalg/cholesky.hpp"
#include "metric/itml/itml_learner.hpp"
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

template <class Real>
const simd::PairUpdates<Real>& updates();
template <>
const simd::PairUpdates<float>& updates<float>() {
  return *simd::kernels().pair_updates_f32;
}
template <>
const simd::PairUpdates<double>& updates<double>() {
  return *simd::kernels().pair_updates_f64;
}

/// work.v of constraints from, from + 1, ... of the batch, zeros in lanes without one.
template <class Real>
void Learner::differences(const Batch& batch, ptrdiff_t from, Work<Real>& work) {
  std::array<const double*, at(Work<Real>::lanes)> first, second;
  first.fill(x_.data);
  second.fill(x_.data);
  for (ptrdiff_t b = 0; b < std::min(work.lanes, batch.count - from); ++b) {
    first[at(b)] = x_.row(batch.i[at(from + b)]);
    second[at(b)] = x_.row(batch.j[at(from + b)]);
  }
  updates<Real>().differences(first.data(), second.data(), d_, work.size, work.v.data());
}

/// The steps on as many constraints as stand side by side. False if a distance is not known well enough.
template <class Real>
bool Learner::step(const Batch& batch, ptrdiff_t from, Work<Real>& work) {
  auto& b = work.batch;
  b.count = std::min(work.lanes, batch.count - from);
  b.smallest = std::is_same_v<Real, float> ? unknown * static_cast<double>(work.trace()) : no_distance;
  for (ptrdiff_t k = 0; k < b.count; ++k) {
    b.duals[k] = &lambda_[at(batch.constraint[at(from + k)])];
    b.sign[k] = batch.similar[at(from + k)] ? 1.0 : -1.0;
  }
  const auto& kernels = updates<Real>();
  differences(batch, from, work);
  kernels.multiply(work.a.data(), work.size, work.v.data(), work.y.data());
  kernels.steps(rule_, work.v.data(), work.y.data(), work.size, b);
  steps_ += b.count;
  moved_ = std::max(moved_, b.movement);
  if (b.moved > 0)
    kernels.update(work.a.data(), work.size, work.y.data(), b.columns, b.factors, b.moved,
                   work.scratch.data());
  for (ptrdiff_t k = 0; k < b.count; ++k) {
    const double *i = x_.row(batch.i[at(from + k)]), *j = x_.row(batch.j[at(from + k)]);
    if ((b.refused >> k & 1) != 0 && !std::equal(i, i + d_, j)) return false;
  }
  return true;
}

/// One step after the other on the constraints of the batch.
void Learner::project(const Batch& batch) {
  if (single_) {
    if (step(batch, 0, *single_)) return;
    leave_single();  // and again in double
  }
  for (ptrdiff_t from = 0; from < batch.count; from += simd::lanes) step(batch, from, full_);
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

/// Whether squares of coordinates are far from the ends of single precision.
bool Learner::moderate(MatrixView<const double> points) {
  double largest = 0.0;
  for (ptrdiff_t i = 0; i < points.rows; ++i)
    for (ptrdiff_t k = 0; k < points.cols; ++k) largest = std::max(largest, std::abs(points.row(i)[k]));
  return largest > 1e-6 && largest < 1e6;
}

/// A in single precision.
void Learner::round_off() {
  if (!single_) return;
  auto& to = *single_;
  for (ptrdiff_t k = 0; k < d_; ++k)
    for (ptrdiff_t l = 0; l < d_; ++l)
      to.a[at(k * to.size + l)] = static_cast<float>(full_.a[at(std::max(k, l) * size_ + std::min(k, l))]);
}

/// Goes on in double, with A from the duals.
void Learner::leave_single() {
  const auto from = std::move(*single_);
  single_.reset();
  if (restore()) return;
  for (ptrdiff_t k = 0; k < d_; ++k)
    for (ptrdiff_t l = 0; l < d_; ++l)
      full_.a[at(k * size_ + l)] =
          static_cast<double>(from.a[at(std::max(k, l) * from.size + std::min(k, l))]);
}

void Learner::add_listed() {
  add([&](const auto& visit) {
    for_listed([&](ptrdiff_t c, ptrdiff_t i, ptrdiff_t j) {
      if (lambda_[at(c)] > 0.0) visit(c, i, j);
    });
  });
}

/// inverse_ = L L' from the duals. False if it was stopped or the matrix is not positive definite.
bool Learner::factor() {
  inverse_.assign(checked_product("working memory", size_, size_), 0.0);
  for (ptrdiff_t k = 0; k < d_; ++k) inverse_[at(k * size_ + k)] = 1.0;
  if (pairs_.listed())
    add_listed();
  else
    add_blocks();
  return !monitor_.stopped() && linalg::cholesky(inverse_.data(), d_, size_, monitor_);
}

/// A anew from the duals: what the rank-one updates rounded away comes back. Where rounding let the duals
/// grow until A^-1 is not positive definite, halves of them do, in double from then on. False if it was
/// stopped or nothing helps.
bool Learner::restore() {
  for (int halved = 0; !factor(); ++halved) {
    if (monitor_.stopped() || halved == most_halvings) return false;
    for (double& dual : lambda_) dual /= 2.0;
    single_.reset();
  }
  auto fresh = inverse_;
  if (!linalg::cholesky_inverse(fresh.data(), d_, size_, monitor_)) return false;
  for (ptrdiff_t k = 0; k < d_; ++k)
    for (ptrdiff_t l = d_; l < size_; ++l) fresh[at(k * size_ + l)] = 0.0;
  full_.a = std::move(fresh);
  round_off();
  return true;
}

/// L^-1, inverse_ = L L': p = |L^-1 v|^2.
AlignedVector<double> Learner::root() const {
  AlignedVector<double> transposed(checked_product("working memory", size_, size_), 0.0), out(transposed);
  for (ptrdiff_t k = 0; k < d_; ++k) transposed[at(k * size_ + k)] = 1.0;
  linalg::cholesky_solve_transposed(inverse_.data(), d_, size_, transposed.data(), d_, size_);
  for (ptrdiff_t k = 0; k < d_; ++k)
    for (ptrdiff_t l = 0; l <= k; ++l) out[at(k * size_ + l)] = transposed[at(l * size_ + k)];
  return out;
}

void Learner::measure_listed(Slacks& slacks) {
  measure(root(), [this](const auto& visit) { for_listed(visit); }, slacks);
}

/// Of log det A: a factor L of H = A^-1 is that of H + E with |E_ij| <= (d + 1) u (H_ii H_jj)^(1/2), which
/// moves it by tr AE at most.
double Learner::rounding() const {
  double sum = 0.0;
  for (ptrdiff_t i = 0; i < d_; ++i) {
    double h = 0.0;
    for (ptrdiff_t k = 0; k <= i; ++k) h += inverse_[at(i * size_ + k)] * inverse_[at(i * size_ + k)];
    sum += std::sqrt(h * full_.a[at(i * size_ + i)]);
  }
  return 0x1p-53 * static_cast<double>(d_ + 1) * sum * sum;
}

/// Both bounds, from the duals alone. False if it was stopped or the matrix is not positive definite to
/// rounding.
bool Learner::certify() {
  if (!restore()) return false;
  double log_det = 0.0, trace = 0.0;
  for (ptrdiff_t k = 0; k < d_; ++k) {
    log_det -= 2.0 * std::log(inverse_[at(k * size_ + k)]);
    trace += full_.a[at(k * size_ + k)];
  }
  Slacks slacks(rule_, o_);
  if (pairs_.listed())
    measure_listed(slacks);
  else
    measure_blocks(slacks);
  if (monitor_.stopped()) return false;
  skipped_ = slacks.skipped();
  const double upper = trace - log_det - static_cast<double>(d_) + o_.gamma * slacks.divergence();
  const double lower = -log_det + o_.gamma * slacks.logarithm() - 2.0 * rounding();
  if (upper < upper_) upper_ = upper, matrix_ = full_.a;
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
    if (single_ && (moved_ < single_gains || number >= single_sweeps)) leave_single();
    info.iterations = number;
    info.trace.add({static_cast<double>(number), gap(), moved_, watch.seconds()});
    monitor_.progress(number, o_.max_sweeps);
  }
  info.interrupted = monitor_.stopped();
  if (upper_ == infinity) {
    // Never certified: the matrix as the steps left it, positive definite but for their rounding.
    info.error_bound = infinity;
    if (single_) leave_single();
    matrix_ = full_.a;
  }
  info.seconds = watch.seconds();
  ItmlSolution out;
  out.matrix.resize(checked_product("working memory", d_, d_));
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
