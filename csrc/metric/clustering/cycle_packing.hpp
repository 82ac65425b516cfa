// Multipliers of conflicting cycles with a large sum: the dual that cycle_rows.hpp certifies.
//
//     max sum_C y_C   s.t.   sum over C through e of y_C <= |c_e|,   y >= 0,
//
// over the cycles with one disagreeing pair; its own dual is the cycle relaxation of correlation clustering
// (multicut). A multicommodity flow: disagreeing pairs are demands, agreeing ones have capacities.
//
// 1. Levels. Cycles of 3, 4, ... pairs (long ones in strides) are packed greedily into what is left of |c|, pairs
//    whose ends have few open pairs first; searches run from both ends, and pairs across components of the open graph are
//    given up at once (cf. iterated cycle packing, Lange, Karrenbauer & Andres, ICML 2018).
// 2. Ascent. With loads l_e = sum of y through e and z_e = exp((l_e / |c_e| - 1) / mu), the concave function
//    sum y - mu sum |c_e| z_e is raised one multiplier at a time: y_C moves until sum_{e in C} z_e = 1, or to 0.
//    Afterwards no z exceeds 1, so no load exceeds |c|: every iterate is a packing. mu falls in steps.
// 3. Separation. z is the price of a pair: a cycle with sum z < 1 raises the sum. For each disagreeing pair whose
//    price leaves room, Dijkstra's search from both ends looks for up to three agreeing paths of the rest; who fails
//    waits 2, 4, ... rounds. New rows are raised at once, each if its prices still sum to less; rows at 0 are
//    forgotten.
// 4. Stars, where asked for: around each node a star whose prices sum to less than its right side b becomes a row, and
//    its multiplier moves until they sum to b. A price may then exceed 1: multipliers are lowered to fit (`fit_in`)
//    before mu falls and before the fill-up.
// 5. Fill-up: levels again, on what the ascent leaves open.
//
// This is Project and Forget (Sonthalia & Gilbert, JMLR 23, 2022) on the cycle polytope: an oracle finds broken
// constraints, projections raise and lower their multipliers, inactive ones are forgotten. What differs: the
// Bregman function is the entropy relative to |c| rather than a norm, the constraints are cycles of any length
// rather than triangles (pairs that are not listed need no variable), and every iterate without
// stars is dual feasible, so that its bound needs no repair.
//
// O(nodes + pairs + entries of the rows) memory. The searches of a batch run at once against the prices at its
// start; their paths are committed in order, so that the bits do not depend on the number of threads.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/monitor.hpp"
#include "core/random.hpp"
#include "metric/clustering/cycle_rows.hpp"
#include "metric/clustering/cycle_search.hpp"
#include "metric/clustering/star_search.hpp"

namespace steelyard::metric {

class CyclePacking {
 public:
  CyclePacking(const SignedPairs& pairs, bool stars, std::uint64_t seed, std::uint64_t stream);

  const CycleRows& rows() const { return rows_; }
  /// Lowers multipliers where stars load a pair with more than |c|. Returns those from before.
  std::vector<double> fit_in();
  /// Forgets the rows behind those with these multipliers.
  void restore(std::vector<double> multipliers);

  /// Packs cycles with paths of 2 .. `longest` pairs into what the rows leave; a disagreeing pair whose search
  /// would look at more than `budget` arcs is given up. Returns what it added.
  double fill(int longest, std::int64_t budget, Monitor& monitor);

  /// Prices at this mu.
  void set_temperature(double mu);
  double temperature() const { return mu_; }

  struct Separated {
    std::int64_t searched = 0, added = 0;
  };
  /// One round of searches, at most `pops` settled nodes each.
  Separated separate(int pops, Monitor& monitor);

  /// One round of searches for stars around each node; the next ones wait where few are found. Returns how many.
  std::int64_t separate_stars(Monitor& monitor);

  /// Raises or lowers every multiplier in turn, at most `times`; then forgets those at 0. Returns the sum.
  double sweep(int times, Monitor& monitor);

  double price(std::int32_t pair) const { return prices_[at(pair)].z; }
  bool priced() const { return !prices_.empty(); }
  /// Pairs of which the rows leave something, as after `fill`; agreeing ones make the components.
  std::vector<std::int32_t> open_components() const { return open_.components(); }

 private:
  struct Price {
    double z, capacity;
  };

  double raise(std::ptrdiff_t row);
  double raise_evenly(std::span<const std::int32_t> row, double sum, double capacity, double y);
  double raise_unevenly(std::span<const std::int32_t> row, double sum, double side, double least, double y);
  bool pack(std::int32_t disagreeing, const std::vector<std::int32_t>& path, std::vector<double>& left,
            double& total);
  std::vector<std::int32_t> pack_level(std::vector<std::int32_t> pending, int most, std::vector<double>& left,
                                       double& total, Monitor& monitor);
  void commit(std::int32_t disagreeing, const std::vector<std::int32_t>& path, Separated& count);

  const SignedPairs& pairs_;
  CycleRows rows_;
  OpenPairs open_;
  SearchShelf shelf_;
  std::unique_ptr<StarSearch> stars_;
  int star_fails_ = 0, star_waits_ = 0;
  Random random_;
  std::vector<Price> prices_;
  std::vector<std::uint8_t> fails_, waits_;  // of disagreeing pairs
  std::vector<std::array<std::vector<std::int32_t>, PathSearch::most_paths>>
      paths_;  // of each search of a batch
  double mu_ = 0.0;
  std::int64_t budget_ = 0;
};

}  // namespace steelyard::metric
