#include "metric/clustering/cycle_engine.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <utility>

#include "core/info.hpp"
#include "metric/clustering/greedy_contraction.hpp"
#include "metric/clustering/label_moves.hpp"
#include "metric/clustering/label_search.hpp"

namespace steelyard::metric {

using std::int32_t;
using std::ptrdiff_t;
using std::size_t;

namespace {

constexpr std::array<double, 4> temperatures{0.1, 0.03, 0.01, 0.003};
constexpr std::int64_t first_budget = 20'000, later_budget = 20'000;  // arcs of a search by breadth
constexpr ptrdiff_t rounds_between = 4;  // rounds of separation to a look at bound and labels
constexpr ptrdiff_t most_rounds = 24;    // at one temperature
constexpr double settled_below = 1e-3;   // a round that adds a smaller share, times mu, ends its temperature
constexpr int sweeps = 20, longest_path = 64;
constexpr int settled_nodes = 60, most_settled = 240;  // of a search: first few, then more
constexpr double least_packing = 0.5;          // seconds that the first packing may take whatever the time
constexpr ptrdiff_t searches_worth = 200'000;  // pairs that a few searches from singletons may visit

/// Stops at a time too; what it stopped is not interrupted.
class Timed final : public Host {
 public:
  Timed(double seconds, Monitor& outer) : seconds_(seconds), outer_(outer) {}
  bool interrupted() override { return outer_.poll() || watch_.seconds() > seconds_; }
  bool progress(double, double) override { return outer_.stopped(); }

 private:
  double seconds_;
  Monitor& outer_;
  Stopwatch watch_;
};

Labels singletons(ptrdiff_t n) {
  Labels labels(at(n));
  std::iota(labels.begin(), labels.end(), 0);
  return labels;
}

}  // namespace

CycleEngine::CycleEngine(const SignedGraph& graph, const EngineOptions& options, Monitor& monitor)
    : graph_(graph),
      options_(options),
      pairs_(select_pairs(graph, {options.pairs_per_entry, options.seed, options.stream + 1}, complete_,
                          monitor)),
      packing_(pairs_, graph.background > 0.0 || pairs_.count() <= searches_worth, options.seed,
               options.stream + 2),
      random_(options.seed, options.stream + 3),
      least_(least_gain(graph)),
      labels_(singletons(graph.nodes())),
      cost_(cost_of(graph, labels_)) {}

void CycleEngine::suggest(Labels labels) {
  renumber(labels);
  starts_.push_back(std::move(labels));
}

void CycleEngine::take(Labels labels) {
  const double cost = cost_of(graph_, labels);
  if (cost >= cost_) return;
  cost_ = cost;
  labels_ = std::move(labels);
}

void CycleEngine::improve(Labels labels, Monitor& monitor) {
  improve_labels(graph_, labels, shuffled(graph_.nodes(), random_), least_, random_, monitor);
  take(std::move(labels));
}

void CycleEngine::search(const std::vector<Labels>& starts, ptrdiff_t restarts, ptrdiff_t rounds,
                         Monitor& monitor) {
  // Each search has streams of its own, far from those of the packing.
  const SearchOptions options{.restarts = restarts,
                              .rounds = rounds,
                              .seed = options_.seed,
                              .stream = options_.stream + (++searches_ << 32)};
  take(search_labels(graph_, starts, options, monitor).labels);
}

void CycleEngine::first_labels(Monitor& monitor) {
  const auto restarts = std::min<ptrdiff_t>(24, searches_worth / (pairs_.count() + 1));
  auto starts = std::move(starts_);
  starts.push_back(labels_);
  // Of large graphs the packing soon tells better starts than the weights alone.
  if (restarts > 0) starts.push_back(contract_greedily(pairs_, pairs_.weights, monitor));
  for (const auto& labels : starts) take(labels);
  search(starts, restarts, 0, monitor);
}

void CycleEngine::labels_from_prices(Monitor& monitor) {
  auto weights = pairs_.weights;
  for (int32_t e = 0; e < pairs_.count(); ++e) {
    weights[at(e)] *= 1.0 - std::min(1.0, packing_.price(e)) + 1e-6;
  }
  improve(contract_greedily(pairs_, weights, monitor), monitor);
}

/// Fills up what the rows leave, looks at bound and labels, and takes the rows of the fill-up away. Levels that
/// were just filled have nothing left to find.
void CycleEngine::conclude(bool filled, double seconds, Monitor& monitor) {
  const Stopwatch watch;
  auto held = packing_.fit_in();
  if (!filled) {
    Timed host(seconds, monitor);
    Monitor timed(monitor.threads(), &host);
    packing_.fill(longest_path, later_budget, timed);
  }
  if (const double bound = certified_bound(pairs_, packing_.rows()); bound > bound_) {
    bound_ = bound;
    best_rows_ = packing_.rows();
  }
  if (!monitor.stopped() && cost_ > bound()) {
    if (packing_.priced())
      labels_from_prices(monitor);
    else
      improve(packing_.open_components(), monitor);
  }
  packing_.restore(std::move(held));
  concluding_ = watch.seconds();
}

void CycleEngine::ascend(double seconds, Monitor& monitor) {
  if (rounds_ == 0) packing_.set_temperature(temperatures[at(cooled_)]);
  // Cold prices move slowly, and few rows are new: sweeps are what helps.
  const int often = cooled_ < 2 ? sweeps : 3 * sweeps;
  const Stopwatch watch;
  Timed host(seconds - 1.2 * concluding_, monitor);
  Monitor timed(monitor.threads(), &host);
  double sum = packing_.sweep(rounds_ == 0 ? often : 0, timed);
  // After the first round there is a first bound of cycles that weigh against each other, and labels from prices.
  const auto most = rounds_ == 0 && cooled_ == 0 ? 1 : rounds_between;
  bool settled = false;
  for (ptrdiff_t k = 0; k < most && !settled && !timed.stopped(); ++k, ++rounds_) {
    packing_.separate(std::min(settled_nodes << std::min<ptrdiff_t>(rounds_, 8), most_settled), timed);
    packing_.separate_stars(timed);
    const double before = std::exchange(sum, packing_.sweep(often, timed));
    settled = sum - before < settled_below * packing_.temperature() * sum;
  }
  conclude(false, seconds - watch.seconds(), monitor);
  if (settled || rounds_ >= most_rounds) ++cooled_, rounds_ = 0;
}

void CycleEngine::perturb(Monitor& monitor) {
  const auto rounds = std::clamp<ptrdiff_t>(10 * searches_worth / (pairs_.count() + 1), 1, 12);
  search({labels_}, 0, rounds, monitor);
}

CycleEngine::Step CycleEngine::step(double seconds, Monitor& monitor) {
  Step out;
  const auto number = steps_++;
  if (number == 0) {
    const Stopwatch watch;
    first_labels(monitor);
    labelled_ = watch.seconds();
  } else if (number == 1) {
    out.stage = Stage::levels;
    // Labels without any bound would be no answer: the first packing takes its time, too.
    Timed host(std::max({seconds, labelled_, least_packing}), monitor);
    Monitor timed(monitor.threads(), &host);
    packing_.fill(longest_path, first_budget, timed);
    conclude(true, seconds, monitor);
  } else if (cooled_ < std::ssize(temperatures)) {
    out.stage = Stage::ascent;
    out.temperature = temperatures[at(cooled_)];
    ascend(seconds, monitor);
  } else {
    out.stage = Stage::perturbation;
    perturb(monitor);
  }
  out.more = cooled_ < std::ssize(temperatures);
  return out;
}

CycleRows CycleEngine::proof() const {
  auto rows = best_rows_;
  rows.forget(0.0);
  certify(pairs_, rows);
  return rows;
}

}  // namespace steelyard::metric
