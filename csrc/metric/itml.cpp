#include "metric/itml.hpp"

#include <algorithm>
#include <array>
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

/// Constraints whose vectors stand side by side.
struct Batch {
  ptrdiff_t count = 0;
  std::array<ptrdiff_t, simd::lanes> constraint{}, i{}, j{};
  std::array<bool, simd::lanes> similar{};
};

/// Numbers of eight vectors in memory that starts on a cache line.
using Lanes = AlignedVector<double>;

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
        v_(at(size_ * simd::lanes)),
        y_(v_),
        scratch_(2 * v_.size()) {
    for (ptrdiff_t k = 0; k < d_; ++k) a_[at(k * size_ + k)] = 1.0;
    matrix_ = a_;
  }

  ItmlSolution run();

 private:
  ptrdiff_t count() const { return std::ssize(lambda_); }
  bool is_similar(ptrdiff_t c, ptrdiff_t i, ptrdiff_t j) const {
    return pairs_.listed() ? pairs_.similar[at(c)] != 0 : pairs_.labels[at(i)] == pairs_.labels[at(j)];
  }

  /// visit(c, i, j) for all constraints until the monitor stops.
  template <class Visit>
  void for_pairs(const Visit& visit);
  /// The same for as many constraints at random.
  template <class Visit>
  void for_random_pairs(const Visit& visit);
  /// use(batch) for all that pairs(visit) visits.
  template <class Pairs, class Use>
  void in_batches(const Pairs& pairs, const Use& use);

  void differences(const Batch& batch, MatrixView<const double> points);
  double move(ptrdiff_t c, bool similar, double p);
  void project(const Batch& batch);
  void sweep();
  bool certify();
  bool restore();
  bool find_images();
  double gap() const { return upper_ < infinity ? (upper_ - lower_) / std::max(upper_, 1.0) : infinity; }

  MatrixView<const double> x_;
  const MetricPairs& pairs_;
  const ItmlOptions& o_;
  Monitor& monitor_;
  ptrdiff_t d_, size_;
  ptrdiff_t every_;  // steps between two polls: about a millisecond
  Random random_;
  std::vector<double> lambda_;
  AlignedVector<double> a_;  // the lower triangle, padded with zeros to `size_`
  Lanes v_, y_, scratch_;
  double moved_ = 0.0;  // largest |alpha| p of a sweep
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

template <class Pairs, class Use>
void Learner::in_batches(const Pairs& pairs, const Use& use) {
  Batch batch;
  pairs([&](ptrdiff_t c, ptrdiff_t i, ptrdiff_t j) {
    const std::size_t b = at(batch.count++);
    batch.constraint[b] = c;
    batch.i[b] = i;
    batch.j[b] = j;
    batch.similar[b] = is_similar(c, i, j);
    if (batch.count < simd::lanes) return;
    use(batch);
    batch.count = 0;
  });
  if (batch.count > 0) use(batch);
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
  const double inverse_xi = 1.0 / (similar ? o_.near : o_.far) - s * lambda / o_.gamma;
  const double whole = s * o_.gamma / (o_.gamma + 1.0) * (1.0 / p - inverse_xi);
  const double alpha = std::min(lambda, whole);
  if (alpha == 0.0) return 0.0;
  lambda -= alpha;
  moved_ = std::max(moved_, std::fabs(alpha) * p);
  return s * alpha / (1.0 - s * alpha * p);
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
  kernels.products(v_.data(), y_.data(), size_, g);
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
  in_batches([this](const auto& visit) { for_random_pairs(visit); },
             [this](const Batch& batch) { project(batch); });
}

/// A anew from the duals: what the rank-one updates rounded away comes back. False if A^-1 is not positive
/// definite.
bool Learner::restore() {
  inverse_.assign(at(size_ * size_), 0.0);
  for (ptrdiff_t k = 0; k < d_; ++k) inverse_[at(k * size_ + k)] = 1.0;
  alignas(64) double unit[simd::lanes * simd::lanes] = {};
  for (ptrdiff_t b = 0; b < simd::lanes; ++b) unit[b * simd::lanes + b] = 1.0;
  const auto active = [&](const auto& visit) {
    for_pairs([&](ptrdiff_t c, ptrdiff_t i, ptrdiff_t j) {
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
  if (monitor_.stopped() || !linalg::cholesky(inverse_.data(), d_, size_, monitor_)) return false;
  auto fresh = inverse_;
  if (!linalg::cholesky_inverse(fresh.data(), d_, size_, monitor_)) return false;
  for (ptrdiff_t k = 0; k < d_; ++k)
    for (ptrdiff_t l = d_; l < size_; ++l) fresh[at(k * size_ + l)] = 0.0;
  a_ = std::move(fresh);
  return true;
}

/// images_ = the points times L^-1, inverse_ = L L': then p = |difference of images|^2. False if stopped.
bool Learner::find_images() {
  AlignedVector<double> transposed(at(size_ * size_), 0.0), root(transposed);
  for (ptrdiff_t k = 0; k < d_; ++k) transposed[at(k * size_ + k)] = 1.0;
  linalg::cholesky_solve_transposed(inverse_.data(), d_, size_, transposed.data(), d_, size_);
  for (ptrdiff_t k = 0; k < d_; ++k)
    for (ptrdiff_t l = 0; l <= k; ++l) root[at(k * size_ + l)] = transposed[at(l * size_ + k)];
  images_.resize(at(x_.rows * d_));
  const std::vector<double> origin(at(d_), 0.0);
  std::array<const double*, simd::lanes> first, second;
  second.fill(origin.data());
  for (ptrdiff_t i = 0; i < x_.rows; i += simd::lanes) {
    if (i / simd::lanes % every_ == 0 && monitor_.poll()) return false;
    const ptrdiff_t count = std::min<ptrdiff_t>(simd::lanes, x_.rows - i);
    for (ptrdiff_t b = 0; b < simd::lanes; ++b) first[at(b)] = x_.row(i + std::min(b, count - 1));
    simd::kernels().rank_updates->differences(first.data(), second.data(), d_, size_, v_.data());
    simd::kernels().rank_updates->multiply_lower(root.data(), size_, v_.data(), y_.data());
    for (ptrdiff_t b = 0; b < count; ++b)
      for (ptrdiff_t k = 0; k < d_; ++k) images_[at((i + b) * d_ + k)] = y_[at(k * simd::lanes + b)];
  }
  return true;
}

/// Both bounds, from the duals alone. False if it was stopped or the matrix is not positive definite to
/// rounding.
bool Learner::certify() {
  if (!restore() || !find_images()) return false;
  double log_det = 0.0, trace = 0.0;
  for (ptrdiff_t k = 0; k < d_; ++k) {
    log_det -= 2.0 * std::log(inverse_[at(k * size_ + k)]);
    trace += a_[at(k * size_ + k)];
  }
  double upper = trace - log_det - static_cast<double>(d_), lower = -log_det;
  skipped_ = 0;
  const auto count_in = [&](ptrdiff_t c, bool similar, double p) {
    if (!(p > no_distance)) {
      ++skipped_;
      return;
    }
    const double bound = similar ? o_.near : o_.far, s = similar ? 1.0 : -1.0;
    const double ratio = p / bound;
    if (similar ? ratio > 1.0 : ratio < 1.0) upper += o_.gamma * (ratio - std::log(ratio) - 1.0);
    if (lambda_[at(c)] > 0.0) lower += o_.gamma * std::log1p(-s * lambda_[at(c)] * bound / o_.gamma);
  };
  const auto all = [this](const auto& visit) { for_pairs(visit); };
  in_batches(all, [&](const Batch& batch) {
    differences(batch, {images_.data(), x_.rows, d_, d_});
    std::array<double, simd::lanes> p{};
    for (std::size_t k = 0; k < v_.size(); k += simd::lanes)
      for (std::size_t b = 0; b < simd::lanes; ++b) p[b] += v_[k + b] * v_[k + b];
    for (std::size_t b = 0; b < at(batch.count); ++b) count_in(batch.constraint[b], batch.similar[b], p[b]);
  });
  if (monitor_.stopped()) return false;
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

}  // namespace

ItmlSolution learn_metric(MatrixView<const double> points, const MetricPairs& pairs,
                          const ItmlOptions& options, Monitor& monitor) {
  return Learner(points, pairs, options, monitor).run();
}

}  // namespace steelyard::metric
