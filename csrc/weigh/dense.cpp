#include <algorithm>
#include <cmath>
#include <string>

#include "core/index.hpp"
#include "core/pool.hpp"
#include "core/random.hpp"
#include "linalg/cg.hpp"
#include "linalg/cholesky.hpp"
#include "simd/table.hpp"
#include "weigh/weighting.hpp"

namespace steelyard::weigh {
namespace {

using std::ptrdiff_t;

constexpr double solved_to =
    1e-6;  // what conjugate gradients leave of a right-hand side that asks for a size

void exponential(double* x, ptrdiff_t n) { simd::kernels().vector_math->exp(x, n); }
void exponential(float* x, ptrdiff_t n) { simd::kernels().vector_math->exp_f32(x, n); }

/// The lower triangle of Z + jitter, row-major; what lies right of it is spoilt.
template <class Real>
bool fill(const Space& space, double scale, double jitter, std::vector<Real>& z, Monitor& monitor) {
  constexpr ptrdiff_t strip = 4, block = 2048;
  const ptrdiff_t n = space.size();
  const ptrdiff_t grain = (grain_for(static_cast<double>(n)) + strip - 1) / strip * strip;
  return parallel_for(n, grain, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    std::vector<Real> made(checked_product("working memory", strip, block));
    for (auto i = begin; i < end && !monitor.poll(); i += strip) {
      const ptrdiff_t rows = std::min(strip, end - i);
      for (ptrdiff_t start = 0; start < i + rows; start += block) {
        const ptrdiff_t stop = std::min(start + block, i + rows), width = stop - start;
        space.rows(i, rows, start, stop, made.data());
        for (ptrdiff_t k = 0; k < rows * width; ++k) made[at(k)] *= static_cast<Real>(-scale);
        exponential(made.data(), rows * width);
        for (ptrdiff_t r = 0; r < rows; ++r) {
          std::copy_n(made.begin() + r * width, width, z.begin() + (i + r) * n + start);
        }
      }
      for (auto r = i; r < i + rows; ++r) z[at(r * n + r)] += static_cast<Real>(jitter);
    }
  });
}

class DenseSolver {
 public:
  DenseSolver(const Space& space, double scale, double tol, double jitter, Monitor& monitor)
      : space_(space), scale_(scale), tol_(tol), jitter_(jitter), monitor_(monitor), n_(space.size()) {
    out_.columns.resize(1);
    out_.info.tol = tol;
    out_.info.trace.columns = {"round", "residual"};
  }

  Weightings by_factor() {
    const Stopwatch watch;
    std::vector<double> l(checked_product("working memory", n_, n_));
    if (!fill(space_, scale_, jitter_, l, monitor_) || !linalg::cholesky(l.data(), n_, n_, monitor_)) {
      return failed(watch, "Cholesky");
    }
    start();
    for (int round = 0; round < 4 && !monitor_.stopped(); ++round) {
      auto correction = residual_;
      linalg::cholesky_solve_vector(l.data(), n_, n_, correction.data());
      if (!accept(round, correction) || column().residual <= 0.01 * tol_) break;
    }
    auto half = residual_;
    linalg::cholesky_solve_vector(l.data(), n_, n_, half.data(), true);
    column().error_estimate = square(half);
    const auto solve = [&](std::vector<double>& x, bool forward) {
      linalg::cholesky_solve_vector(l.data(), n_, n_, x.data(), forward);
    };
    look_at_weights(solve, true);
    return finish(watch, "Cholesky");
  }

  Weightings mixed() {
    const Stopwatch watch;
    std::vector<float> l(checked_product("working memory", n_, n_));
    if (!fill(space_, scale_, jitter_, l, monitor_) || !linalg::cholesky(l.data(), n_, n_, monitor_)) {
      return failed(watch, "single-precision Cholesky");
    }
    start();
    std::vector<float> work(at(n_));
    const double one[] = {scale_};
    const auto apply = [&](const double* x, double* y, ptrdiff_t) {
      space_.product(Precision::full, one, x, y, monitor_);
      for (ptrdiff_t i = 0; i < n_; ++i) y[i] += jitter_ * x[i];
    };
    const auto precondition = [&](const double* r, double* z, ptrdiff_t) {
      double largest = 0.0;
      for (ptrdiff_t i = 0; i < n_; ++i) largest = std::max(largest, std::abs(r[i]));
      const double unit = largest > 0.0 ? largest : 1.0;  // single precision has a short range
      for (ptrdiff_t i = 0; i < n_; ++i) work[at(i)] = static_cast<float>(r[i] / unit);
      linalg::cholesky_solve_vector(l.data(), n_, n_, work.data());
      for (ptrdiff_t i = 0; i < n_; ++i) z[i] = unit * static_cast<double>(work[at(i)]);
    };
    double ritz = 1e300;
    for (int round = 0; round < 4 && !column().converged && !monitor_.stopped(); ++round) {
      std::vector<double> correction(at(n_), 0.0);
      const linalg::CgOptions options{
          .tol = std::clamp(0.5 * tol_ / column().residual, 1e-12, 0.1), .max_iter = 200, .euclidean = true};
      const auto result = linalg::conjugate_gradients(n_, 1, apply, precondition, residual_.data(),
                                                      correction.data(), options, monitor_);
      column().iterations += result.iterations;
      if (result.columns[0].lanczos_smallest > 0.0) ritz = std::min(ritz, result.columns[0].lanczos_smallest);
      if (!accept(round, correction)) break;
    }
    std::vector<double> z(at(n_));
    precondition(residual_.data(), z.data(), 1);
    double sum = 0.0;
    for (ptrdiff_t i = 0; i < n_; ++i) sum += z[at(i)] * residual_[at(i)];
    column().error_estimate = std::max(sum, 0.0) / std::min(ritz, 1.0);
    // The factor alone does not see eigenvalues below the rounding of single precision.
    const auto solve = [&](std::vector<double>& x, bool) {
      const auto b = x;
      std::fill(x.begin(), x.end(), 0.0);
      const linalg::CgOptions options{.tol = solved_to, .max_iter = 200, .euclidean = true};
      column().iterations +=
          linalg::conjugate_gradients(n_, 1, apply, precondition, b.data(), x.data(), options, monitor_)
              .iterations;
    };
    look_at_weights(solve, false);
    column().weight_error =
        1.1 * column().weight_error + solved_to * std::sqrt(square(residual_)) / column().smallest;
    return finish(watch, "single-precision Cholesky, conjugate gradients in double");
  }

 private:
  Certificate& column() { return out_.columns[0]; }

  static double square(const std::vector<double>& x) {
    double sum = 0.0;
    for (const double v : x) sum += v * v;
    return sum;
  }

  /// How far the weights are from Z^{-1} 1, and the smallest eigenvalue: of few points by two steps of inverse
  /// iteration from a vector without symmetries, of more by v'Z^{-1}v, which is about 1 / n of the trace of
  /// Z^{-1}: the inverse of that is at most n times too small.
  template <class Solve>
  void look_at_weights(const Solve& solve, bool has_halves) {
    const bool many = has_halves && n_ > 200;
    if (monitor_.stopped()) return;
    auto v = residual_;
    Random random(0x57656967, 0);  // multiples of a number would not do: they add up as rows of a lattice do
    double length = 0.0;
    for (double& x : v) {
      x = random.uniform() - 0.4;
      length += x * x;
    }
    solve(v, many);
    const double size = std::sqrt(square(v));
    if (!(size > 0.0 && std::isfinite(size))) return;
    if (many) {
      column().smallest = std::min(1.0, length / (static_cast<double>(n_) * size * size));
      column().weight_error = std::sqrt(column().error_estimate / column().smallest);
      return;
    }
    for (double& x : v) x /= size;
    solve(v, false);
    column().smallest = 1.0 / std::sqrt(square(v));
    auto left = residual_;
    solve(left, false);
    column().weight_error = std::sqrt(square(left));
  }

  void start() {
    out_.weights.assign(at(n_), 0.0);
    residual_.assign(at(n_), 1.0);
    column().residual = 1.0;
  }

  /// Adds a correction if the residual falls by it.
  bool accept(int round, const std::vector<double>& correction) {
    auto weights = out_.weights;
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] += correction[i];
    std::vector<double> product(at(n_));
    const double one[] = {scale_};
    if (!space_.product(Precision::full, one, weights.data(), product.data(), monitor_)) return false;
    for (std::size_t i = 0; i < product.size(); ++i) product[i] = 1.0 - product[i] - jitter_ * weights[i];
    const double residual = std::sqrt(square(product) / static_cast<double>(n_));
    if (!(residual < column().residual) && round > 0) return false;
    const bool worthwhile = residual <= 0.5 * column().residual;
    out_.weights = std::move(weights);
    residual_ = std::move(product);
    auto& c = column();
    c.residual = residual;
    c.converged = residual <= tol_;
    c.lower_bound = 0.0;
    for (std::size_t i = 0; i < residual_.size(); ++i)
      c.lower_bound += out_.weights[i] * (1.0 + residual_[i]);
    out_.info.trace.add({static_cast<double>(round), residual});
    return worthwhile;
  }

  Weightings failed(const Stopwatch& watch, const char* solver) {
    column().indefinite = !monitor_.stopped();
    return finish(watch, solver);
  }

  Weightings finish(const Stopwatch& watch, const std::string& solver) {
    auto& info = out_.info;
    info.interrupted = monitor_.stopped();
    info.converged = column().converged && !info.interrupted;
    info.iterations = column().iterations;
    info.solver = solver;
    info.seconds = watch.seconds();
    info.error_bound = column().error_estimate;
    info.error_kind = ErrorKind::estimate;
    return std::move(out_);
  }

  const Space& space_;
  double scale_, tol_, jitter_;
  Monitor& monitor_;
  ptrdiff_t n_;
  std::vector<double> residual_;
  Weightings out_;
};

}  // namespace

Weightings solve_by_cholesky(const Space& space, double scale, bool mixed, double tol, double jitter,
                             Monitor& monitor) {
  DenseSolver solver(space, scale, tol, jitter, monitor);
  return mixed ? solver.mixed() : solver.by_factor();
}

}  // namespace steelyard::weigh
