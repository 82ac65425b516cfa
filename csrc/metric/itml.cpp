#include "metric/itml.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/aligned.hpp"
#include "core/random.hpp"
#include "linalg/cholesky.hpp"
#include "metric/condensed_index.hpp"
#include "simd/table.hpp"

namespace steelyard::metric {
namespace {

using std::ptrdiff_t;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double no_distance = 1e-200;  // 1 / p must stay finite

std::size_t at(ptrdiff_t k) { return static_cast<std::size_t>(k); }

class Learner {
 public:
  Learner(MatrixView<const double> points, const MetricPairs& pairs, const ItmlOptions& options,
          Monitor& monitor)
      : x_(points),
        pairs_(pairs),
        o_(options),
        monitor_(monitor),
        d_(points.cols),
        size_((points.cols + 7) / 8 * 8),
        every_(std::max<ptrdiff_t>(1, 1'000'000 / (size_ * size_ + 1'000))),
        random_(options.seed, options.stream),
        lambda_(at(pairs.listed() ? std::ssize(pairs.first) : pair_count(points.rows)), 0.0),
        a_(at(size_ * size_), 0.0),
        v_(at(size_), 0.0),
        w_(at(size_), 0.0),
        y_(at(size_), 0.0) {
    for (ptrdiff_t k = 0; k < d_; ++k) a_[at(k * size_ + k)] = 1.0;
    matrix_ = a_;
  }

  ItmlSolution run();

 private:
  ptrdiff_t count() const { return std::ssize(lambda_); }
  bool is_similar(ptrdiff_t c, ptrdiff_t i, ptrdiff_t j) const {
    return pairs_.listed() ? pairs_.similar[at(c)] != 0 : pairs_.labels[at(i)] == pairs_.labels[at(j)];
  }

  /// visit(c, i, j) for all constraints until it returns false or the monitor stops.
  template <class Visit>
  void for_pairs(const Visit& visit);
  template <class Visit>
  void for_random_pairs(const Visit& visit);

  void difference(ptrdiff_t i, ptrdiff_t j);
  void step(ptrdiff_t c, ptrdiff_t i, ptrdiff_t j);
  void sweep();
  bool certify();
  bool restore();
  double squared_length(const double* z, ptrdiff_t i, ptrdiff_t j);
  double gap() const { return upper_ < infinity ? (upper_ - lower_) / std::max(upper_, 1.0) : infinity; }

  MatrixView<const double> x_;
  const MetricPairs& pairs_;
  const ItmlOptions& o_;
  Monitor& monitor_;
  ptrdiff_t d_, size_;
  ptrdiff_t every_;  // steps between two polls: about a millisecond
  Random random_;
  std::vector<double> lambda_;
  AlignedVector<double> a_, v_, w_, y_;  // padded with zeros to `size_`
  double pending_ = 0.0;                 // a_ lacks pending_ w w'
  double moved_ = 0.0;                   // largest |alpha| p of a sweep
  AlignedVector<double> matrix_, inverse_;
  std::vector<double> images_;
  double upper_ = infinity, lower_ = -infinity;
  ptrdiff_t skipped_ = 0;
  std::int64_t steps_ = 0;
};

template <class Visit>
void Learner::for_pairs(const Visit& visit) {
  if (pairs_.listed()) {
    for (ptrdiff_t c = 0; c < count(); ++c) {
      if (c % every_ == 0 && monitor_.poll()) return;
      visit(c, pairs_.first[at(c)], pairs_.second[at(c)]);
    }
    return;
  }
  ptrdiff_t c = 0;
  for (ptrdiff_t i = 0; i < x_.rows; ++i)
    for (ptrdiff_t j = i + 1; j < x_.rows; ++j, ++c) {
      if (c % every_ == 0 && monitor_.poll()) return;
      visit(c, i, j);
    }
}

template <class Visit>
void Learner::for_random_pairs(const Visit& visit) {
  for (ptrdiff_t k = 0; k < count(); ++k) {
    if (k % every_ == 0 && monitor_.poll()) return;
    if (pairs_.listed()) {
      const ptrdiff_t c = random_.below(count());
      visit(c, pairs_.first[at(c)], pairs_.second[at(c)]);
      continue;
    }
    ptrdiff_t i = random_.below(x_.rows), j = random_.below(x_.rows - 1);
    if (j >= i) ++j;
    if (i > j) std::swap(i, j);
    visit(condensed_index(x_.rows, i, j), i, j);
  }
}

void Learner::difference(ptrdiff_t i, ptrdiff_t j) {
  const double *a = x_.row(i), *b = x_.row(j);
  for (ptrdiff_t k = 0; k < d_; ++k) v_[at(k)] = a[k] - b[k];
}

void Learner::step(ptrdiff_t c, ptrdiff_t i, ptrdiff_t j) {
  difference(i, j);
  const double p =
      simd::kernels().dense->update_and_multiply(a_.data(), size_, pending_, w_.data(), v_.data(), y_.data());
  pending_ = 0.0;
  ++steps_;
  if (!(p > no_distance)) return;
  const double s = is_similar(c, i, j) ? 1.0 : -1.0;
  double& lambda = lambda_[at(c)];
  const double inverse_xi = 1.0 / (s > 0.0 ? o_.near : o_.far) - s * lambda / o_.gamma;
  const double whole = o_.paper ? 0.5 * s * (1.0 / p - o_.gamma * inverse_xi)
                                : s * o_.gamma / (o_.gamma + 1.0) * (1.0 / p - inverse_xi);
  const double alpha = std::min(lambda, whole);
  if (alpha == 0.0) return;
  lambda -= alpha;
  moved_ = std::max(moved_, std::fabs(alpha) * p);
  pending_ = s * alpha / (1.0 - s * alpha * p);
  std::swap(w_, y_);
}

void Learner::sweep() {
  moved_ = 0.0;
  const auto visit = [this](ptrdiff_t c, ptrdiff_t i, ptrdiff_t j) { step(c, i, j); };
  for_random_pairs(visit);
}

/// A anew from the duals: what the rank-one updates rounded away comes back. False if A^-1 is not positive
/// definite.
bool Learner::restore() {
  inverse_.assign(at(size_ * size_), 0.0);
  for (ptrdiff_t k = 0; k < d_; ++k) inverse_[at(k * size_ + k)] = 1.0;
  AlignedVector<double> unused(at(size_));
  for_pairs([&](ptrdiff_t c, ptrdiff_t i, ptrdiff_t j) {
    if (!(lambda_[at(c)] > 0.0)) return;
    difference(i, j);
    simd::kernels().dense->update_and_multiply(inverse_.data(), size_,
                                               is_similar(c, i, j) ? lambda_[at(c)] : -lambda_[at(c)],
                                               v_.data(), v_.data(), unused.data());
  });
  if (monitor_.stopped() || !linalg::cholesky(inverse_.data(), d_, size_, monitor_)) return false;
  auto fresh = inverse_;
  if (!linalg::cholesky_inverse(fresh.data(), d_, size_, monitor_)) return false;
  for (ptrdiff_t k = 0; k < d_; ++k)
    for (ptrdiff_t l = d_; l < size_; ++l) fresh[at(k * size_ + l)] = 0.0;
  a_ = std::move(fresh);
  pending_ = 0.0;
  return true;
}

double Learner::squared_length(const double* z, ptrdiff_t i, ptrdiff_t j) {
  double sum = 0.0;
  for (ptrdiff_t k = 0; k < d_; ++k) v_[at(k)] = z[i * d_ + k] - z[j * d_ + k];
  for (ptrdiff_t k = 0; k < d_; ++k) sum += v_[at(k)] * v_[at(k)];
  return sum;
}

/// Both bounds, from the duals alone. False if it was stopped or the matrix is not positive definite to
/// rounding.
bool Learner::certify() {
  if (!restore()) return false;
  // inverse_ = L L': p = |L^-1 v|^2.
  images_.resize(at(x_.rows * d_));
  for (ptrdiff_t i = 0; i < x_.rows; ++i) {
    if (i % every_ == 0 && monitor_.poll()) return false;
    double* z = images_.data() + i * d_;
    for (ptrdiff_t k = 0; k < d_; ++k) {
      const double* row = inverse_.data() + k * size_;
      double rest = x_.row(i)[k];
      for (ptrdiff_t l = 0; l < k; ++l) rest -= row[l] * z[l];
      z[k] = rest / row[k];
    }
  }
  double log_det = 0.0, trace = 0.0;
  for (ptrdiff_t k = 0; k < d_; ++k) {
    log_det -= 2.0 * std::log(inverse_[at(k * size_ + k)]);
    trace += a_[at(k * size_ + k)];
  }
  double upper = trace - log_det - static_cast<double>(d_), lower = -log_det;
  skipped_ = 0;
  for_pairs([&](ptrdiff_t c, ptrdiff_t i, ptrdiff_t j) {
    const double p = squared_length(images_.data(), i, j);
    if (!(p > no_distance)) {
      ++skipped_;
      return;
    }
    const bool similar = is_similar(c, i, j);
    const double bound = similar ? o_.near : o_.far, s = similar ? 1.0 : -1.0;
    const double ratio = p / bound;
    if (similar ? ratio > 1.0 : ratio < 1.0) upper += o_.gamma * (ratio - std::log(ratio) - 1.0);
    if (lambda_[at(c)] > 0.0) lower += o_.gamma * std::log1p(-s * lambda_[at(c)] * bound / o_.gamma);
  });
  if (monitor_.stopped()) return false;
  if (upper < upper_) upper_ = upper, matrix_ = a_;
  lower_ = std::max(lower_, lower);
  return true;
}

ItmlSolution Learner::run() {
  const Stopwatch watch;
  const bool bounded = !o_.paper || o_.gamma == 1.0;
  Info info;
  info.solver = o_.paper ? "random projections (project and forget)" : "random projections";
  info.tol = o_.tol;
  info.error_kind = bounded ? ErrorKind::rigorous : ErrorKind::estimate;
  info.trace.columns = {"sweep", "gap", "movement", "seconds"};
  for (int number = 1; number <= o_.max_sweeps && !info.converged; ++number) {
    sweep();
    if (monitor_.stopped()) break;
    const bool last = number == o_.max_sweeps;
    double seen = std::numeric_limits<double>::quiet_NaN();
    if (moved_ <= o_.tol || last || (number & (number - 1)) == 0) {
      if (!certify() && monitor_.stopped()) break;
      if (!bounded) upper_ = infinity, matrix_ = a_;
      seen = bounded ? gap() : moved_;
      info.converged = seen <= o_.tol;
      info.error_bound = std::max(0.0, seen);
    }
    info.iterations = number;
    info.trace.add({static_cast<double>(number), seen, moved_, watch.seconds()});
    monitor_.progress(number, o_.max_sweeps);
  }
  info.interrupted = monitor_.stopped();
  if (upper_ == infinity && bounded) {
    // Never certified: the matrix as the steps left it, positive definite but for their rounding.
    info.error_bound = infinity;
    std::fill(v_.begin(), v_.end(), 0.0);
    simd::kernels().dense->update_and_multiply(a_.data(), size_, pending_, w_.data(), v_.data(), y_.data());
    matrix_ = a_;
  }
  info.seconds = watch.seconds();
  ItmlSolution out;
  out.matrix.resize(at(d_ * d_));
  for (ptrdiff_t k = 0; k < d_; ++k)
    for (ptrdiff_t l = 0; l < d_; ++l)
      out.matrix[at(k * d_ + l)] = 0.5 * (matrix_[at(k * size_ + l)] + matrix_[at(l * size_ + k)]);
  out.upper = upper_;
  out.lower = lower_;
  out.active = std::count_if(lambda_.begin(), lambda_.end(), [](double z) { return z > 0.0; });
  out.skipped = skipped_;
  out.steps = steps_;
  out.info = std::move(info);
  return out;
}

}  // namespace

ItmlSolution learn_metric(MatrixView<const double> points, const MetricPairs& pairs,
                          const ItmlOptions& options, Monitor& monitor) {
  return Learner(points, pairs, options, monitor).run();
}

}  // namespace steelyard::metric
