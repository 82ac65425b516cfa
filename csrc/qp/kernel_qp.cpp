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
constexpr ptrdiff_t sample = 1000;   // points, at most, of the program that asks whether few do
constexpr int most_programs = 40;

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
    } else if (!by_few_points()) {
      result_.info.solver = "kd blocks";
      sweep();
    }
    look_closer();
    auto& info = result_.info;
    info.interrupted = monitor_.stopped();
    info.seconds = watch_.seconds();
    info.tol = options_.gap_tol;
    info.error_bound = result_.gap;
    info.error_kind = sure_ ? ErrorKind::rigorous : ErrorKind::estimate;
    return std::move(result_);
  }

 private:
  /// Where float64 can't tell that the gap is as small as asked, and 106 bits cost little; or next to nothing.
  void look_closer() {
    if (!problem_.kernel || monitor_.stopped() || !std::isfinite(result_.gap) || late()) return;
    double held = 0.0;
    for (const double w : result_.w) held += w > 0.0 ? 1.0 : 0.0;
    const double pairs = held * static_cast<double>(state_.n);
    const double most = problem_.kernel->kind == simd::Kernel::energy ? 1e7 : 3e5;
    const bool open = result_.info.converged && result_.gap > options_.gap_tol && pairs <= most;
    if (open && all_at_once() && !sum_anew()) return;
    if (open && result_.gap <= options_.gap_tol) return;
    if (!open && 1e3 * pairs > most) return;
    const double gap = wide_gap(problem_, result_.w, monitor_);
    sure_ |= gap < result_.gap;
    result_.gap = std::min(result_.gap, gap);
  }

  /// The gap of these weights by sums in tiles, which round less than sums row by row. False when stopped.
  bool sum_anew() {
    state_.w = result_.w;
    if (!state_.refresh()) return false;
    const auto bound = state_.bound();
    if (!(bound.gap + bound.rounding < result_.gap)) return true;
    result_.w = state_.w;
    result_.gap = bound.gap + bound.rounding;
    result_.objective = bound.objective;
    result_.terms = bound.terms;
    sure_ = true;
    return true;
  }

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

  /// Whether a program over few points, more as their slopes ask for them, does: so it is with smooth kernels,
  /// whose matrix is of low rank, and where samples hardly overlap. Also true when stopped.
  bool by_few_points() {
    const auto before = state_.w;
    auto part = heaviest_of_leaves();
    double last = infinity;
    int idle = 0;
    for (int number = 1; number <= most_programs && fits(part) && !late(); ++number) {
      monitor_.progress(number - 1, most_programs);
      const auto held = solve_part(part);
      if (monitor_.stopped() || !state_.refresh() || !measure(number)) return stopped_at(before);
      result_.info.iterations = number;
      result_.info.solver = "programs over few points";
      if (result_.info.converged) return true;
      idle = gap_ < 0.7 * last ? 0 : idle + 1;
      last = std::min(last, gap_);
      if (3 * held > 2 * std::ssize(part) || idle > 3) break;
      part = with_lowest_slopes(number);
    }
    if (monitor_.stopped()) return true;
    result_.info.trace.values.clear();
    if (!(gap_ < infinity) || idle == 0) state_.w = before;
    return false;
  }

  bool stopped_at(const std::vector<double>& before) {
    if (result_.gap == infinity) result_.w = before;
    return true;
  }

  std::vector<Leaf> leaves(ptrdiff_t count, std::uint64_t number) const {
    return random_leaves(state_, std::max<ptrdiff_t>(1, state_.n / count), number);
  }

  /// One point a leaf, which is given the mass of all of them.
  std::vector<ptrdiff_t> heaviest_of_leaves() {
    std::vector<ptrdiff_t> part;
    for (const auto& leaf : leaves(std::clamp(state_.n / 3, sample / 10, sample), 0)) {
      ptrdiff_t first = leaf.points.front();
      double mass = 0.0;
      for (const auto i : leaf.points) {
        mass += state_.w[at(i)];
        if (state_.w[at(i)] > state_.w[at(first)]) first = i;
        state_.w[at(i)] = 0.0;
      }
      state_.w[at(first)] = mass;
      part.push_back(first);
    }
    std::sort(part.begin(), part.end());
    return part;
  }

  /// Whether so few can carry the totals with room to spare.
  bool fits(const std::vector<ptrdiff_t>& part) const {
    std::vector<double> room(state_.groups, 0.0);
    for (const auto i : part) room[state_.group(i)] += problem_.upper[at(i)];
    bool enough = std::ssize(part) <= options_.finish;
    for (std::size_t k = 0; k < state_.groups; ++k) enough &= room[k] >= 2.0 * problem_.totals[k];
    return enough;
  }

  /// The program over these points, all others without weight; how many have some then.
  ptrdiff_t solve_part(const std::vector<ptrdiff_t>& part) {
    const auto m = std::ssize(part), d = problem_.points.cols;
    std::vector<double> x(checked_product("working memory", m, d)),
        k(checked_product("working memory", m, m)), q(at(m)), lower(at(m), 0.0), upper(at(m)), init(at(m));
    std::vector<std::int32_t> groups;
    for (std::size_t a = 0; a < at(m); ++a) {
      const auto i = at(part[a]);
      std::copy_n(problem_.points.row(part[a]), d, x.data() + static_cast<ptrdiff_t>(a) * d);
      q[a] = -problem_.linear[i], upper[a] = problem_.upper[i], init[a] = state_.w[i];
      if (!problem_.groups.empty()) groups.push_back(problem_.groups[i]);
    }
    const MatrixView<const double> view{x.data(), m, d, d};
    distances::kernel_matrix(view, view, *problem_.kernel, {k.data(), m, m, m}, monitor_);
    for (std::size_t a = 0; a < at(m); ++a) k[a * at(m) + a] += state_.ridge(part[a]);
    DenseRows rows({k.data(), m, m, m});
    Monitor inside = Monitor::inside(monitor_);
    const QpOptions options{.tol = 1e-13, .gap_tol = 0.1 * std::max(state_.enough, options_.gap_tol)};
    const auto found =
        solve_simplex_qp({rows, q, lower, upper, problem_.totals, groups, init}, options, inside);
    std::fill(state_.w.begin(), state_.w.end(), 0.0);
    ptrdiff_t held = 0;
    for (std::size_t a = 0; a < at(m); ++a) {
      state_.w[at(part[a])] = found.x[a];
      held += found.x[a] > 0.0 ? 1 : 0;
    }
    return held;
  }

  /// What has weight, and of each leaf the point that pulls most.
  std::vector<ptrdiff_t> with_lowest_slopes(int number) const {
    std::vector<double> level(state_.groups, 0.0);
    std::vector<ptrdiff_t> part;
    for (ptrdiff_t i = 0; i < state_.n; ++i) {
      const auto own = state_.group(i);
      if (state_.w[at(i)] > 0.0) part.push_back(i);
      level[own] += state_.w[at(i)] * state_.slope[at(i)] / problem_.totals[own];
    }
    for (const auto& leaf : leaves(std::max<ptrdiff_t>(sample / 2, std::ssize(part)), at(number))) {
      ptrdiff_t lowest = leaf.points.front();
      for (const auto i : leaf.points) {
        if (state_.slope[at(i)] < state_.slope[at(lowest)]) lowest = i;
      }
      if (state_.w[at(lowest)] == 0.0 && state_.slope[at(lowest)] < level[leaf.group]) part.push_back(lowest);
    }
    std::sort(part.begin(), part.end());
    return part;
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
      // Blocks leave gaps at their edges: what they have won shows after the outliers.
      if (monitor_.poll() || !sweeper.solve_blocks(at(number), gap_) || !sweeper.share(gap_) ||
          !sweeper.solve_outliers() || !measure(number)) {
        break;
      }
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
