#include "linalg/cg.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "core/pool.hpp"

namespace steelyard::linalg {
namespace {

using std::ptrdiff_t;

/// Chunks of rows: a few microseconds of streaming a column.
ptrdiff_t rows_per_chunk(ptrdiff_t columns) { return std::max<ptrdiff_t>(1024, 65536 / columns); }

/// The smallest eigenvalue of a symmetric tridiagonal matrix by bisection on the Sturm count.
double smallest_eigenvalue(const std::vector<double>& diagonal, const std::vector<double>& off) {
  if (diagonal.empty()) return 0.0;
  const std::size_t n = diagonal.size();
  const auto below = [&](double x) {  // is some eigenvalue smaller than x?
    double q = diagonal[0] - x;
    if (q < 0.0) return true;
    for (std::size_t i = 1; i < n; ++i) {
      q = diagonal[i] - x - off[i - 1] * off[i - 1] / (q == 0.0 ? 1e-300 : q);
      if (q < 0.0) return true;
    }
    return false;
  };
  double low = 0.0, high = *std::min_element(diagonal.begin(), diagonal.end());
  for (int step = 0; step < 60 && high - low > 1e-6 * high; ++step) {
    const double middle = 0.5 * (low + high);
    (below(middle) ? high : low) = middle;
  }
  return high;
}

/// In eight sums that do not wait for each other.
double dot(const double* a, const double* b, ptrdiff_t n) {
  constexpr ptrdiff_t lanes = 8;
  double sum[lanes] = {};
  ptrdiff_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (ptrdiff_t l = 0; l < lanes; ++l) sum[l] += a[i + l] * b[i + l];
  for (; i < n; ++i) sum[0] += a[i] * b[i];
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

/// The recurrences of all columns.
class Recurrence {
 public:
  Recurrence(ptrdiff_t n, ptrdiff_t columns, const CgOptions& options, Monitor& monitor)
      : n_(n), m_(columns), options_(options), monitor_(monitor), state_(at(columns)) {}

  /// Sums of a_c' b_c for every column c, in chunk order.
  std::vector<double> dots(const double* a, const double* b) {
    const ptrdiff_t grain = rows_per_chunk(m_), chunks = (n_ + grain - 1) / grain;
    std::vector<double> parts(checked_product("working memory", chunks, m_), 0.0), sums(at(m_), 0.0);
    parallel_for(n_, grain, monitor_, [&](ptrdiff_t begin, ptrdiff_t end) {
      double* part = parts.data() + begin / grain * m_;
      if (m_ == 1) {
        *part = dot(a + begin, b + begin, end - begin);
        return;
      }
      for (auto i = begin; i < end; ++i) {
        for (ptrdiff_t c = 0; c < m_; ++c) part[c] += a[i * m_ + c] * b[i * m_ + c];
      }
    });
    for (ptrdiff_t k = 0; k < chunks; ++k) {
      for (ptrdiff_t c = 0; c < m_; ++c) sums[at(c)] += parts[at(k * m_ + c)];
    }
    return sums;
  }

  template <class Update>
  void rows(const Update& update) {
    parallel_for(n_, rows_per_chunk(m_), monitor_, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto i = begin; i < end; ++i)
        for (ptrdiff_t c = 0; c < m_; ++c) update(at(i * m_ + c), at(c));
    });
  }

  void remove_mean(std::vector<double>& x) {
    if (!options_.project_mean) return;
    const std::vector<double> ones(x.size(), 1.0);
    auto mean = dots(x.data(), ones.data());
    for (double& value : mean) value /= static_cast<double>(n_);
    rows([&](std::size_t k, std::size_t c) { x[k] -= mean[c]; });
  }

  CgResult run(const Apply& apply, const Apply& precondition, const double* b, double* x_out) {
    const std::size_t all = at(n_ * m_);
    std::vector<double> x(x_out, x_out + all), r(all), z(all), p(all), ap(all);
    std::vector<double> alpha(at(m_)), beta(at(m_));
    // The scale of b, and r = b - A x.
    std::copy(b, b + all, r.begin());
    remove_mean(r);
    precondition(r.data(), z.data(), m_);
    const auto b_norm = dots(r.data(), z.data());
    const auto b_squared = options_.euclidean ? dots(r.data(), r.data()) : b_norm;
    if (std::any_of(x.begin(), x.end(), [](double v) { return v != 0.0; })) {
      apply(x.data(), ap.data(), m_);
      rows([&](std::size_t k, std::size_t) { r[k] -= ap[k]; });
      remove_mean(r);
      precondition(r.data(), z.data(), m_);
    }
    auto rz = dots(r.data(), z.data());
    p = z;
    CgResult result;
    result.columns.resize(at(m_));
    for (std::size_t c = 0; c < b_norm.size(); ++c)
      result.columns[c].scale = std::sqrt(std::max(0.0, b_norm[c]));
    settle(stopping(r, rz), b_squared, result);
    while (moving() && result.iterations < options_.max_iter && !monitor_.poll()) {
      apply(p.data(), ap.data(), m_);
      const auto pap = dots(p.data(), ap.data());
      ++result.iterations;
      for (std::size_t c = 0; c < alpha.size(); ++c) {
        if (!(pap[c] > 0.0)) state_[c].done = true;
        alpha[c] = state_[c].done ? 0.0 : rz[c] / pap[c];
        if (state_[c].done) continue;
        auto& column = result.columns[c];
        column.energy += alpha[c] * rz[c];
        column.iterations = result.iterations;
        state_[c].extend_tridiagonal(alpha[c]);
      }
      rows([&](std::size_t k, std::size_t c) {
        x[k] += alpha[c] * p[k];
        r[k] -= alpha[c] * ap[k];
      });
      if (monitor_.stopped()) break;
      remove_mean(r);
      precondition(r.data(), z.data(), m_);
      const auto next = dots(r.data(), z.data());
      for (std::size_t c = 0; c < beta.size(); ++c) {
        beta[c] = rz[c] > 0.0 ? next[c] / rz[c] : 0.0;
        if (!state_[c].done) state_[c].beta = beta[c];
      }
      rz = next;
      settle(stopping(r, rz), b_squared, result);
      rows([&](std::size_t k, std::size_t c) { p[k] = z[k] + beta[c] * p[k]; });
    }
    remove_mean(x);
    std::copy(x.begin(), x.end(), x_out);
    finish(rz, result);
    return result;
  }

 private:
  struct State {
    bool done = false;
    double alpha = 0.0, beta = 0.0;
    std::vector<double> diagonal, off;  ///< of the Lanczos matrix

    void extend_tridiagonal(double next_alpha) {
      if (diagonal.empty()) {
        diagonal.push_back(1.0 / next_alpha);
      } else {
        off.push_back(std::sqrt(beta) / alpha);
        diagonal.push_back(1.0 / next_alpha + beta / alpha);
      }
      alpha = next_alpha;
    }
  };

  bool moving() const {
    return std::any_of(state_.begin(), state_.end(), [](const State& s) { return !s.done; });
  }

  /// The squared norms that the stopping rule looks at.
  std::vector<double> stopping(const std::vector<double>& r, const std::vector<double>& rz) {
    return options_.euclidean ? dots(r.data(), r.data()) : rz;
  }

  bool small_enough(std::size_t c, double norm, double b_squared, double energy) const {
    if (options_.energy_base == nullptr) return norm <= options_.tol * options_.tol * b_squared;
    const auto& state = state_[c];
    if (state.diagonal.empty()) return norm <= 0.0;
    const double ritz = smallest_eigenvalue(state.diagonal, state.off);
    return norm <= options_.tol * ritz * ((*options_.energy_base)[c] + energy);
  }

  void settle(const std::vector<double>& norms, const std::vector<double>& b_squared, CgResult& result) {
    result.converged = true;
    for (std::size_t c = 0; c < norms.size(); ++c) {
      auto& column = result.columns[c];
      if (!column.converged && !state_[c].done && small_enough(c, norms[c], b_squared[c], column.energy))
        column.converged = state_[c].done = true;
      result.converged = result.converged && column.converged;
    }
    if (options_.moving == nullptr) return;
    options_.moving->resize(state_.size());
    for (std::size_t c = 0; c < state_.size(); ++c) (*options_.moving)[c] = state_[c].done ? 0 : 1;
  }

  void finish(const std::vector<double>& rz, CgResult& result) {
    result.interrupted = monitor_.stopped();
    for (std::size_t c = 0; c < rz.size(); ++c) {
      auto& column = result.columns[c];
      column.residual = std::sqrt(std::max(0.0, rz[c]));
      column.lanczos_smallest = smallest_eigenvalue(state_[c].diagonal, state_[c].off);
      column.error_estimate = column.lanczos_smallest > 0.0
                                  ? column.residual / std::sqrt(column.lanczos_smallest)
                                  : column.residual;
    }
  }

  ptrdiff_t n_, m_;
  CgOptions options_;
  Monitor& monitor_;
  std::vector<State> state_;
};

}  // namespace

CgResult conjugate_gradients(ptrdiff_t n, ptrdiff_t columns, const Apply& apply, const Apply& precondition,
                             const double* b, double* x, const CgOptions& options, Monitor& monitor) {
  return Recurrence(n, columns, options, monitor).run(apply, precondition, b, x);
}

}  // namespace steelyard::linalg
