#include "rank/paired/bootstrap.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>

#include "core/pool.hpp"
#include "core/random.hpp"
#include "linalg/cholesky.hpp"
#include "rank/paired/existence.hpp"
#include "rank/paired/separation.hpp"
#include "rank/scale.hpp"
#include "rank/table/components.hpp"

namespace steelyard::rank {
namespace {

using std::size_t;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct Votes {
  std::vector<double> wins, losses, ties;

  Counts counts() const { return {wins, losses, ties}; }
};

double resampled(Random& random, double sum, double squares) {
  if (!(sum > 0.0)) return 0.0;
  if (squares == sum) return random.gamma(sum);  // unit weights
  return random.gamma(sum * sum / squares) * (squares / sum);
}

void draw_column(Random& random, const std::vector<double>& sums, const std::vector<double>& squares,
                 std::vector<double>& out) {
  for (size_t k = 0; k < sums.size(); ++k)
    out[k] = resampled(random, sums[k], squares.empty() ? sums[k] : squares[k]);
}

/// Exact multinomial as a chain of binomials.
class MultinomialDraw {
 public:
  MultinomialDraw(Random& random, double votes)
      : random_(random), votes_(votes), left_(static_cast<std::int64_t>(votes)) {}

  double take(double count) {
    if (!(count > 0.0)) return 0.0;
    const auto drawn = random_.binomial(left_, std::min(1.0, count / votes_));
    left_ -= drawn;
    votes_ -= count;
    return static_cast<double>(drawn);
  }

 private:
  Random& random_;
  double votes_;
  std::int64_t left_;
};

/// What one thread needs for its rounds.
class Worker {
 public:
  Worker(const PairGraph& graph, const Model& model, Linear linear, Monitor& outer)
      : graph_(graph), model_(model), linear_(linear) {
    Monitor monitor = Monitor::inside(outer);
    solver_ = std::make_unique<NewtonSolver>(graph, model, linear, monitor);
  }

  void draw(const ClusterRows& clusters, const BootstrapOptions& options, Random& random) {
    votes_.wins.assign(graph_.wins.size(), 0.0);
    votes_.losses.assign(graph_.wins.size(), 0.0);
    votes_.ties.assign(options.ties == TieUse::drop ? 0 : graph_.ties.size(), 0.0);
    switch (options.method) {
      case Resampling::bayesian:
        draw_weights(random);
        break;
      case Resampling::multinomial:
        draw_votes(random);
        break;
      case Resampling::cluster:
        draw_clusters(clusters, random);
    }
    if (options.ties == TieUse::half) {
      for (size_t k = 0; k < votes_.ties.size(); ++k) {
        votes_.wins[k] += 0.5 * votes_.ties[k];
        votes_.losses[k] += 0.5 * votes_.ties[k];
      }
      votes_.ties.clear();
    }
  }

  /// Fits the drawn votes; `at` holds the start on entry and the optimum on return.
  RoundState fit(bool may_separate, Parameters& at, const FitOptions& options, Info& info, Monitor& outer) {
    Model model = model_;
    if (model.ties != Ties::none && total_ties() <= 0.0) {
      model.ties = Ties::none;
      at.tie = model_.ties == Ties::davidson ? -infinity : 0.0;
    }
    if (!may_separate) return run(*solver_, model, votes_.counts(), at, options, info, outer);
    Monitor monitor = Monitor::inside(outer);
    const bool whole = model.ties == model_.ties;
    if (model.prior <= 0.0) {
      const auto components = strong();
      if (components.count > 1) return fit_core(components, model, at, options, info, outer);
    }
    if (model.extra() > 0 && find_separation(graph_, used(model), model, monitor)) return give_up(at, info);
    if (whole) return run(*solver_, model, votes_.counts(), at, options, info, outer);
    NewtonSolver simpler(graph_, model, linear_, monitor);
    return run(simpler, model, used(model), at, options, info, outer);
  }

 private:
  /// Coefficients of covariates without a finite optimum, or that these votes do not determine, are seen by
  /// the fit alone.
  static bool ran_away(const NewtonSolver& solver, const PairGraph& graph, const Model& model,
                       const Counts& counts, const Parameters& at, const Info& info, Linear linear,
                       Monitor& monitor) {
    if (model.covariates == 0) return false;
    if (solver.receded()) return true;
    return info.converged ? !proves_finite(graph, counts, model, at, info.error_bound, linear, monitor)
                          : dependent_column(graph, counts, model, at, linear, monitor).has_value();
  }

  RoundState run(NewtonSolver& solver, const Model& model, const Counts& counts, Parameters& at,
                 const FitOptions& options, Info& info, Monitor& outer) const {
    Monitor monitor = Monitor::inside(outer);
    info = solver.fit(counts, at, options, monitor);
    if (ran_away(solver, graph_, model, counts, at, info, linear_, monitor)) return give_up(at, info);
    return info.converged ? RoundState::converged : RoundState::unconverged;
  }

  static RoundState give_up(Parameters& at, Info& info) {
    info.error_bound = 0.0;  // nothing is left to be off by it
    std::fill(at.strengths.begin(), at.strengths.end(), nan);
    at.tie = at.home = nan;
    std::fill(at.coefficients.begin(), at.coefficients.end(), nan);
    return RoundState::infinite;
  }

  double total_ties() const {
    double total = 0.0;
    for (const double t : votes_.ties) total += t;
    return total;
  }

  Counts used(const Model& model) const {
    Counts counts = votes_.counts();
    if (model.ties == Ties::none) counts.ties = {};
    return counts;
  }

  void draw_weights(Random& random) {
    draw_column(random, graph_.wins, graph_.left_squared, votes_.wins);
    draw_column(random, graph_.losses, graph_.right_squared, votes_.losses);
    if (!votes_.ties.empty()) draw_column(random, graph_.ties, graph_.ties_squared, votes_.ties);
  }

  void draw_votes(Random& random) {
    double total = 0.0;
    for (size_t k = 0; k < votes_.wins.size(); ++k) {
      total += graph_.wins[k] + graph_.losses[k] + (votes_.ties.empty() ? 0.0 : graph_.ties[k]);
    }
    MultinomialDraw next(random, total);
    for (size_t k = 0; k < votes_.wins.size(); ++k) {
      votes_.wins[k] = next.take(graph_.wins[k]);
      votes_.losses[k] = next.take(graph_.losses[k]);
      if (!votes_.ties.empty()) votes_.ties[k] = next.take(graph_.ties[k]);
    }
  }

  void draw_clusters(const ClusterRows& rows, Random& random) {
    times_.assign(static_cast<size_t>(rows.count), 0.0);
    for (std::int32_t c = 0; c < rows.count; ++c)
      times_[static_cast<size_t>(random.below(rows.count))] += 1.0;
    for (size_t row = 0; row < rows.cluster.size(); ++row) {
      const double times = times_[static_cast<size_t>(rows.cluster[row])];
      if (times == 0.0) continue;
      const auto k = rows.edge[row];
      votes_.wins[k] += times * rows.wins[row];
      votes_.losses[k] += times * rows.losses[row];
      if (!votes_.ties.empty()) votes_.ties[k] += times * rows.ties[row];
    }
  }

  Components strong() {
    forward_ = votes_.wins;
    backward_ = votes_.losses;
    for (size_t k = 0; k < votes_.ties.size(); ++k) {
      forward_[k] += votes_.ties[k];
      backward_[k] += votes_.ties[k];
    }
    return strong_components(graph_.left, graph_.right, forward_, backward_, graph_.items);
  }

  /// Spreads `mark` from the core along wins (`down`) or against them.
  std::vector<bool> reached(const std::vector<bool>& core, bool down) const {
    std::vector<bool> mark = core;
    std::vector<std::int32_t> queue;
    for (std::int32_t i = 0; i < graph_.items; ++i) {
      if (core[static_cast<size_t>(i)]) queue.push_back(i);
    }
    while (!queue.empty()) {
      const auto i = queue.back();
      queue.pop_back();
      for (auto p = graph_.offsets[static_cast<size_t>(i)]; p < graph_.offsets[static_cast<size_t>(i) + 1];
           ++p) {
        const auto j = graph_.neighbours[static_cast<size_t>(p)];
        const auto k = graph_.edge[static_cast<size_t>(p)];
        const double won = j > i ? forward_[k] : backward_[k], lost = j > i ? backward_[k] : forward_[k];
        if ((down ? won : lost) > 0.0 && !mark[static_cast<size_t>(j)]) {
          mark[static_cast<size_t>(j)] = true;
          queue.push_back(j);
        }
      }
    }
    return mark;
  }

  RoundState fit_core(const Components& components, const Model& model, Parameters& at,
                      const FitOptions& options, Info& info, Monitor& outer) {
    const auto items = static_cast<size_t>(graph_.items);
    std::vector<std::int64_t> size(static_cast<size_t>(components.count), 0);
    for (const auto label : components.label) ++size[static_cast<size_t>(label)];
    const auto largest = static_cast<std::int32_t>(std::max_element(size.begin(), size.end()) - size.begin());
    std::vector<bool> core(items);
    std::vector<std::int32_t> code(items, -1);
    Parameters inner{{}, at.tie, at.home, at.coefficients};
    double mean = 0.0;
    for (size_t i = 0; i < items; ++i) {
      core[i] = components.label[i] == largest;
      if (!core[i]) continue;
      code[i] = static_cast<std::int32_t>(inner.strengths.size());
      inner.strengths.push_back(at.strengths[i]);
      mean += at.strengths[i];
    }
    mean /= static_cast<double>(inner.strengths.size());
    const bool alone = inner.strengths.size() == 1;
    if (!alone && !fit_part(code, model, inner, options, info, outer)) return give_up(at, info);
    const auto below = reached(core, true), above = reached(core, false);
    for (size_t i = 0; i < items; ++i) {
      at.strengths[i] = core[i]    ? (alone ? 0.0 : inner.strengths[static_cast<size_t>(code[i])]) + mean
                        : above[i] ? infinity
                        : below[i] ? -infinity
                                   : nan;
    }
    if (alone) {
      at.tie = at.home = nan;
      std::fill(at.coefficients.begin(), at.coefficients.end(), nan);
    } else {
      at.tie = inner.tie;
      at.home = inner.home;
      at.coefficients = inner.coefficients;
    }
    return RoundState::infinite;
  }

  /// Fits the items that have a code; false where a parameter has no finite optimum.
  bool fit_part(const std::vector<std::int32_t>& code, Model model, Parameters& at, const FitOptions& options,
                Info& info, Monitor& outer) {
    Monitor monitor = Monitor::inside(outer);
    std::vector<std::int32_t> left, right;
    std::vector<std::int8_t> home;
    std::vector<double> covariates;
    Votes part;
    double ties = 0.0;
    for (size_t k = 0; k < graph_.left.size(); ++k) {
      const auto i = code[static_cast<size_t>(graph_.left[k])],
                 j = code[static_cast<size_t>(graph_.right[k])];
      if (i < 0 || j < 0) continue;
      left.push_back(i);
      right.push_back(j);
      part.wins.push_back(votes_.wins[k]);
      part.losses.push_back(votes_.losses[k]);
      if (!votes_.ties.empty()) {
        part.ties.push_back(votes_.ties[k]);
        ties += votes_.ties[k];
      }
      if (!graph_.home.empty()) home.push_back(graph_.home[k]);
      for (int c = 0; c < model.covariates; ++c)
        covariates.push_back(
            graph_.covariates[k * static_cast<size_t>(model.covariates) + static_cast<size_t>(c)]);
    }
    if (ties <= 0.0) {
      model.ties = Ties::none;
      part.ties.clear();
    }
    TableColumns columns{left, right, part.wins, part.losses, part.ties, {}, {}, {}, home, covariates};
    const PairGraph graph = build_pair_graph(columns, static_cast<std::int32_t>(at.strengths.size()), true);
    const Counts counts{graph.wins, graph.losses, graph.ties};
    if (model.extra() > 0 && find_separation(graph, counts, model, monitor)) return false;
    const Linear linear = graph.items <= linalg::own_cholesky_limit ? Linear::dense : Linear::cg;
    NewtonSolver solver(graph, model, linear, monitor);
    info = solver.fit(counts, at, options, monitor);
    return !ran_away(solver, graph, model, counts, at, info, linear, monitor);
  }

  const PairGraph& graph_;
  Model model_;
  Linear linear_;
  std::unique_ptr<NewtonSolver> solver_;
  Votes votes_;
  std::vector<double> forward_, backward_, times_;
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
Linear linear_without_blas(const PairGraph& graph, const Model& model, Monitor& monitor) {
  if (graph.items <= linalg::own_cholesky_limit) return Linear::dense;
  const StrengthSystem chosen(graph, model, Linear::automatic, monitor);
  return chosen.chosen() == Linear::sparse ? Linear::sparse : Linear::cg;
}

}  // namespace

Bootstrap bootstrap(const PairGraph& graph, const ClusterRows& clusters, const Model& model,
                    const Parameters& at, const BootstrapOptions& options, Monitor& monitor) {
  const Stopwatch watch;
  const auto items = static_cast<size_t>(graph.items);
  const auto rounds = static_cast<size_t>(options.rounds);
  Bootstrap out;
  out.strengths.assign(rounds * items, nan);
  out.tie.assign(rounds, nan);
  out.home.assign(rounds, nan);
  const auto covariates = static_cast<size_t>(model.covariates);
  out.coefficients.assign(rounds * covariates, nan);
  out.state.assign(rounds, 0);
  std::vector<double> decrement(rounds, 0.0);
  std::vector<int> steps(rounds, 0);
  const Linear linear = linear_without_blas(graph, model, monitor);
  Workers workers([&] { return std::make_unique<Worker>(graph, model, linear, monitor); });
  const bool may_separate = options.method != Resampling::bayesian;
  FitOptions fit_options;
  fit_options.tol = options.tol;
  fit_options.keep_trace = false;
  std::atomic<std::ptrdiff_t> finished{0};

  parallel_for(options.rounds, 1, monitor, [&](std::ptrdiff_t begin, std::ptrdiff_t) {
    const auto r = static_cast<size_t>(begin);
    auto worker = workers.take();
    Random random(options.seed, options.stream + r);
    worker->draw(clusters, options, random);
    Parameters round = at;
    Info info;
    const auto state = worker->fit(may_separate, round, fit_options, info, monitor);
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
