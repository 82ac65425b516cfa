// Correlation clustering of sparse graphs: labels and a bound that come closer step by step.
//
// Bound: cycle_packing.hpp, certified by cycle_rows.hpp. Labels: moves and merges from singletons and from greedy
// contraction; after each stage of the packing again from contraction by reduced costs c (1 - z), z the prices of
// the dual, and from the components of what the packing leaves open; at last perturbations. Where c tells little
// by itself the prices tell which pairs the bound says are worth paying for: such starts end below all others.
//
// A step takes one stage; between steps the caller looks at cost and bound, or stops. Steps without a time limit
// give the same labels, rows and bound, bit for bit, for any number of threads.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "core/monitor.hpp"
#include "core/random.hpp"
#include "metric/clustering/cycle_packing.hpp"
#include "metric/clustering/signed_graph.hpp"
#include "metric/clustering/signed_pairs.hpp"

namespace steelyard::metric {

struct EngineOptions {
  double pairs_per_entry = 20.0;  ///< unlisted pairs of a graph with background, at most so many an entry
  std::uint64_t seed = 0, stream = 0;
};

class CycleEngine {
 public:
  CycleEngine(const SignedGraph& graph, const EngineOptions& options, Monitor& monitor);

  /// Labels 0 .. n - 1 that the first step shall start from too.
  void suggest(Labels labels);

  enum class Stage { labels, levels, ascent, perturbation };
  struct Step {
    Stage stage = Stage::labels;
    double temperature = 0.0;  ///< mu of the ascent
    bool more = true;          ///< can the bound still rise?
  };
  /// The next stage; when the bound is settled, perturbations of the labels. A packing that is not done after
  /// `seconds` stops where it is, the first one not before it had as long as the first labels, and half a second:
  /// only then does the answer depend on the clock.
  Step step(double seconds, Monitor& monitor);

  std::ptrdiff_t nodes() const { return graph_.nodes(); }
  double cost() const { return cost_; }
  /// Rounded up where all weights are whole numbers, as all costs are then.
  double bound() const { return pairs_.whole ? std::ceil(bound_) : bound_; }
  const Labels& labels() const { return labels_; }
  const SignedPairs& pairs() const { return pairs_; }
  /// Are all the pairs listed that two agreeing pairs connect?
  bool complete() const { return complete_; }
  std::ptrdiff_t rows_held() const { return packing_.rows().count(); }
  /// The rows behind `bound`, scaled to a proof in exact arithmetic.
  CycleRows proof() const;

 private:
  void take(Labels labels);
  void improve(Labels labels, Monitor& monitor);
  void search(const std::vector<Labels>& starts, std::ptrdiff_t restarts, std::ptrdiff_t rounds,
              Monitor& monitor);
  void first_labels(Monitor& monitor);
  void labels_from_prices(Monitor& monitor);
  void perturb(Monitor& monitor);
  void ascend(double seconds, Monitor& monitor);
  void conclude(bool filled, double seconds, Monitor& monitor);

  const SignedGraph graph_;
  const EngineOptions options_;
  bool complete_ = true;
  SignedPairs pairs_;
  CyclePacking packing_;
  Random random_;
  double least_;
  Labels labels_;
  std::vector<Labels> starts_;  // suggested, before the first step
  double cost_, bound_ = 0.0;
  CycleRows best_rows_;
  std::ptrdiff_t steps_ = 0, cooled_ = 0, rounds_ = 0;
  std::uint64_t searches_ = 0;
  double labelled_ = 0.0;    // seconds that the first labels took
  double concluding_ = 0.0;  // seconds that the last look at bound and labels took
};

}  // namespace steelyard::metric
