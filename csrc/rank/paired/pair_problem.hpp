// What every computation on paired comparisons is given: who met, how it went, and by which law.
#pragma once

#include "rank/paired/model.hpp"
#include "rank/table/pair_graph.hpp"

namespace steelyard::rank {

/// The graph and the counts are the caller's and must outlive it.
struct PairProblem {
  const PairGraph& graph;
  Counts counts;
  Model model;

  /// The same cells with other numbers.
  PairProblem with(const Counts& others) const { return {graph, others, model}; }
};

}  // namespace steelyard::rank
