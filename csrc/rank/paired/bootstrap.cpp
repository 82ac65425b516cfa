#include "rank/paired/bootstrap.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>

#include "core/index.hpp"
#include "core/pool.hpp"
#include "linalg/cholesky.hpp"
#include "rank/scale.hpp"

namespace steelyard::rank {
namespace {

using std::size_t;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// What one thread needs for its rounds.
struct Worker {
  Worker(const PairProblem& problem, const ClusterRows& clusters, const BootstrapOptions& options,
         Linear linear, Monitor& outer)
      : resampler(problem.graph, clusters, options.method, options.ties), rounds(problem, linear, outer) {}

  Resampler resampler;
  RoundFit rounds;
  RoundCounts votes;
};

/// Workers wait here between rounds; any of them gives the same answer.
class Workers {
 public:
  explicit Workers(std::function<std::unique_ptr<Worker>()> make) : make_(std::move(make)) {}

  std::unique_ptr<Worker> take() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!idle_.empty()) {
        auto worker = std::move(idle_.back());
        idle_.pop_back();
        return worker;
      }
    }
    return make_();
  }

  void give_back(std::unique_ptr<Worker> worker) {
    const std::lock_guard<std::mutex> lock(mutex_);
    idle_.push_back(std::move(worker));
  }

 private:
  std::function<std::unique_ptr<Worker>()> make_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Worker>> idle_;
};

/// Workers run in parallel, so none may call BLAS.
Linear linear_without_blas(const PairProblem& problem, Monitor& monitor) {
  if (problem.graph.items <= linalg::own_cholesky_limit) return Linear::dense;
  const StrengthSystem chosen(problem.graph, problem.model, Linear::automatic, monitor);
  return chosen.chosen() == Linear::sparse ? Linear::sparse : Linear::cg;
}

}  // namespace

Bootstrap bootstrap(const PairProblem& problem, const ClusterRows& clusters, const Parameters& point,
                    const BootstrapOptions& options, Monitor& monitor) {
  const Stopwatch watch;
  const auto items = at(problem.graph.items);
  const auto rounds = at(options.rounds);
  Bootstrap out;
  out.strengths.assign(checked_product("working memory", rounds, items), nan);
  out.tie.assign(rounds, nan);
  out.home.assign(rounds, nan);
  const auto covariates = at(problem.model.covariates);
  out.coefficients.assign(checked_product("working memory", rounds, covariates), nan);
  out.state.assign(rounds, 0);
  std::vector<double> decrement(rounds, 0.0);
  std::vector<int> steps(rounds, 0);
  const Linear linear = linear_without_blas(problem, monitor);
  Workers workers([&] { return std::make_unique<Worker>(problem, clusters, options, linear, monitor); });
  const bool may_separate = options.method != Resampling::bayesian;
  FitOptions fit_options;
  fit_options.tol = options.tol;
  fit_options.keep_trace = false;
  std::atomic<std::ptrdiff_t> finished{0};

  parallel_for(options.rounds, 1, monitor, [&](std::ptrdiff_t begin, std::ptrdiff_t) {
    const auto r = at(begin);
    auto worker = workers.take();
    Random random(options.seed, options.stream + r);
    worker->resampler.draw(random, worker->votes);
    Parameters round = point;
    Info info;
    const auto state =
        worker->rounds.fit(worker->votes.counts(), may_separate, round, fit_options, info, monitor);
    workers.give_back(std::move(worker));
    if (monitor.stopped()) return;
    if (state != RoundState::infinite) centre(round.strengths);
    std::copy(round.strengths.begin(), round.strengths.end(),
              out.strengths.begin() + static_cast<std::ptrdiff_t>(r * items));
    out.tie[r] = round.tie;
    out.home[r] = round.home;
    std::copy(round.coefficients.begin(), round.coefficients.end(),
              out.coefficients.begin() + static_cast<std::ptrdiff_t>(r * covariates));
    decrement[r] = info.error_bound;
    steps[r] = info.iterations;
    out.state[r] = static_cast<std::int8_t>(state);
    monitor.progress(static_cast<double>(++finished), static_cast<double>(options.rounds));
  });

  Info& info = out.info;
  for (size_t r = 0; r < rounds; ++r) {
    info.iterations += steps[r];
    info.error_bound = std::max(info.error_bound, decrement[r]);
  }
  info.converged =
      std::all_of(out.state.begin(), out.state.end(), [](std::int8_t s) { return s == 1 || s == 2; });
  info.error_kind = ErrorKind::asymptotic;
  info.tol = options.tol;
  info.interrupted = monitor.stopped();
  info.seconds = watch.seconds();
  info.solver = linear == Linear::dense    ? "newton (dense Cholesky), warm starts"
                : linear == Linear::sparse ? "newton (sparse Cholesky), warm starts"
                                           : "newton (preconditioned conjugate gradients), warm starts";
  return out;
}

}  // namespace steelyard::rank
