#include "qp/kernel_qp.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/infinity.hpp"
#include "qp/kernel_rows.hpp"
#include "qp/kernel_sweep.hpp"
#include "qp/simplex_qp.hpp"

namespace steelyard::qp {
namespace {

using std::ptrdiff_t;

constexpr int sweeps_first = 3;      // before the active set is worth a try
constexpr std::ptrdiff_t few = 500;  // free coordinates that it takes at once
constexpr std::size_t back = 4;      // sweeps in which the gap should fall
constexpr double slow = 0.2;         // by less: smooth kernels couple all blocks

class Driver {
 public:
  Driver(const KernelProblem& problem, const KernelOptions& options, Monitor& monitor)
      : problem_(problem), options_(options), monitor_(monitor), state_(problem, options, monitor) {}

  KernelResult run() {
    result_.info.trace.columns = {"iteration", "objective", "gap"};
    result_.gap = infinity;
    state_.start();
    result_.w = state_.w;
    if (all_at_once()) {
      result_.info.solver = "active set";
      finish_directly();
    } else {
      result_.info.solver = "kd blocks";
      sweep();
    }
    auto& info = result_.info;
    info.interrupted = monitor_.stopped();
    info.seconds = watch_.seconds();
    info.tol = options_.gap_tol;
    info.error_bound = result_.gap;
    info.error_kind = sure_ ? ErrorKind::rigorous : ErrorKind::estimate;
    return std::move(result_);
  }

 private:
  bool all_at_once() const { return !problem_.kernel || state_.n <= options_.direct; }

  bool late() const { return options_.max_seconds > 0.0 && watch_.seconds() > options_.max_seconds; }

  /// By simplex_qp.hpp from where we are; true if that reached the tolerance.
  bool finish_directly() {
    KernelRows rows(problem_.points, problem_.kernel, problem_.ridge, monitor_.threads());
    std::vector<double> q(problem_.linear.size()), lower(q.size(), 0.0), k;
    for (std::size_t i = 0; i < q.size(); ++i) q[i] = -problem_.linear[i];
    const bool all = all_at_once();
    const QpOptions options{.tol = std::max(1e-16, options_.tol),
                            .gap_tol = options_.gap_tol,
                            .max_iter = all ? 0 : 1000 + 10 * options_.finish,
                            .rough = all ? 1e-4 : 1.0,  // where blocks have been, pairs have little to add
                            .factor_limit = all ? 8000 : options_.finish + options_.finish / 2,
                            .newton = all};
    const auto start = weights_that_matter();
    QpResult found;
    const auto solve = [&](SymmetricRows& k_rows) {
      found = solve_simplex_qp({k_rows, q, lower, problem_.upper, problem_.totals, problem_.groups, start},
                               options, monitor_);
    };
    if (state_.n <= options_.dense) {
      std::vector<ptrdiff_t> every(at(state_.n));
      for (std::size_t i = 0; i < every.size(); ++i) every[i] = static_cast<ptrdiff_t>(i);
      k.resize(checked_product("working memory", state_.n, state_.n));
      rows.rows(every, k.data());
      HeldRows held({k.data(), state_.n, state_.n, state_.n}, rows.rounding());
      solve(held);
    } else {
      solve(rows);
    }
    result_.info.iterations += found.info.iterations;
    if (found.gap < result_.gap || all) {
      result_.w = found.x;
      result_.objective = found.objective;
      result_.gap = found.gap;
      result_.terms = found.terms;
      sure_ = found.info.error_kind == ErrorKind::rigorous;
    }
    if (all) result_.info.trace = std::move(found.info.trace);
    result_.info.converged = found.info.converged;
    return found.info.converged;
  }

  double dust(std::size_t group) const {
    return 0.02 * problem_.totals[group] / static_cast<double>(state_.members[group].size());
  }

  /// Without dust, each group's sum as it was: a factor pays for every free coordinate.
  std::vector<double> weights_that_matter() const {
    auto w = state_.w;
    for (std::size_t k = 0; k < state_.groups; ++k) {
      double sum = 0.0, left = 0.0;
      for (const auto i : state_.members[k]) {
        sum += w[at(i)];
        if (w[at(i)] <= dust(k)) w[at(i)] = 0.0;
        left += w[at(i)];
      }
      for (const auto i : state_.members[k]) w[at(i)] *= left > 0.0 ? sum / left : 1.0;
    }
    return w;
  }

  ptrdiff_t free_coordinates() const {
    ptrdiff_t count = 0;
    for (std::size_t i = 0; i < state_.w.size(); ++i) {
      if (state_.w[i] > dust(state_.group(static_cast<ptrdiff_t>(i))) && state_.w[i] < problem_.upper[i])
        ++count;
    }
    return count;
  }

  /// What is known at this state, made sure in double where single precision could matter.
  bool measure(int number) {
    auto bound = state_.bound();
    state_.enough = std::max(options_.gap_tol, options_.tol * bound.terms);
    double mass = 0.0;
    for (const double t : problem_.totals) mass += t;
    const double unsure = 2.0 * state_.drift * mass;
    if (state_.drift > 0.0 && (unsure > 0.3 * bound.gap || bound.gap <= state_.enough)) {
      if (!state_.refresh()) return false;
      bound = state_.bound();
    }
    gap_ = bound.gap;
    sure_ = state_.drift == 0.0;
    result_.w = state_.w;
    result_.objective = bound.objective;
    result_.gap = bound.gap + bound.rounding;
    result_.terms = bound.terms;
    result_.info.converged = sure_ && bound.gap <= std::max(state_.enough, bound.rounding);
    result_.info.trace.add({static_cast<double>(number), bound.objective, result_.gap});
    return true;
  }

  void sweep() {
    if (!state_.rough_refresh() || !measure(0)) return;
    Sweeper sweeper(state_);
    int next = sweeps_first;  // when the active set is tried
    for (int number = 1; !result_.info.converged && number <= options_.max_sweeps && !late(); ++number) {
      monitor_.progress(number - 1, options_.max_sweeps);
      if (monitor_.poll() || !sweeper.solve_blocks(at(number), gap_) || !measure(number)) break;
      result_.info.iterations = number;
      if (result_.info.converged) break;
      gaps_.push_back(gap_);
      if (number >= next && worth_finishing()) {
        next = 2 * number;
        // Exact blocks leave few weights that are dust.
        if (!sweeper.solve_blocks(at(number + options_.max_sweeps), 0.0) || !measure(number)) break;
        if (free_coordinates() <= options_.finish && finish_directly()) {
          result_.info.solver += " + active set";
          return;
        }
        if (monitor_.stopped() || !state_.refresh() || !measure(number)) return;
      }
      if (!sweeper.share(gap_)) break;
    }
    if (!sure_ && !monitor_.stopped() && state_.refresh()) measure(result_.info.iterations);
  }

  /// Few weights matter, or blocks alone have become slow.
  bool worth_finishing() const {
    if (gap_ < 10.0 * state_.enough) return false;
    const auto count = free_coordinates();
    if (count <= few) return true;
    return gaps_.size() > back && gap_ > slow * gaps_[gaps_.size() - 1 - back] && count <= options_.finish;
  }

  /// A matrix in memory whose entries are rounded.
  class HeldRows final : public SymmetricRows {
   public:
    HeldRows(MatrixView<const double> k, double rounding) : rows_(k), rounding_(rounding) {}
    ptrdiff_t size() const override { return rows_.size(); }
    void rows(std::span<const ptrdiff_t> indices, double* out) override { rows_.rows(indices, out); }
    const double* stored(ptrdiff_t i) const override { return rows_.stored(i); }
    double rounding() const override { return rounding_; }

   private:
    DenseRows rows_;
    double rounding_;
  };

  const KernelProblem& problem_;
  const KernelOptions& options_;
  Monitor& monitor_;
  Stopwatch watch_;
  KernelState state_;
  KernelResult result_;
  double gap_ = infinity;
  std::vector<double> gaps_;
  bool sure_ = false;
};

}  // namespace

KernelResult minimise_kernel_qp(const KernelProblem& problem, const KernelOptions& options,
                                Monitor& monitor) {
  return Driver(problem, options, monitor).run();
}

}  // namespace steelyard::qp
