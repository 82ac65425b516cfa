// k-means++ seeding: centres drawn from the data one after the other, point i with probability proportional
// to
//
//     w_i D_i^z,   D_i the distance to the nearest centre so far (the first: proportional to w_i),
//
// which is O(log k) competitive in expectation (Arthur & Vassilvitskii, SODA 2007, for z = 2). The law is
// exact, but most of the work is put off: D is kept as it was when the last batch of up to 128 centres was
// taken in. A point drawn from that stale D is accepted with probability (D_now / D_stale)^z, D_now from the
// pending centres alone; rejection makes the law that of D_now. A full batch is taken in by one blocked pass
// over the data (distances/nearest.hpp: differences decide, nothing cancels far from the origin). O(n d k) time
// in tiles, O(n + 128 d) memory beside the data; the same draws for any number of threads.
//
// Greedy k-means++ draws several candidates a step by the same law and keeps the one that lowers the cost
// most, the first of equals (Arthur & Vassilvitskii's experiments). The candidates of many steps are drawn at
// once from D as it is, and accepted with probability (D_now / D_then)^z when their turn comes: independent
// draws from D_now again. One blocked pass (distances/nearer_pairs.hpp) finds for each the points that it is
// nearer to than their D: about one in t of them after t seeds. These alone can change the cost, now and
// later. O(n d k candidates) time in tiles; memory for some four such pairs a point.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/half.hpp"
#include "core/info.hpp"
#include "core/monitor.hpp"
#include "core/views.hpp"

namespace steelyard::select {

struct SeedingOptions {
  std::ptrdiff_t k = 1;
  double power = 2.0;  ///< z
  std::ptrdiff_t candidates = 1;
  std::uint64_t seed = 0, stream = 0;
};

struct Seeds {
  std::vector<std::int64_t> indices;  ///< fewer than k where no other point has weight and distance
  std::vector<std::int64_t> labels;   ///< nearest seed of each point
  double cost = 0.0;                  ///< sum of w_i D_i^z
  std::int64_t tries = 0;             ///< points drawn, those rejected included
};

/// `weights` >= 0 with a positive sum, or empty. Unfinished if stopped: labels and cost of the seeds taken
/// in.
template <class Real, class From>
Seeds seed_centers(MatrixView<const From> points, std::span<const double> weights,
                   const SeedingOptions& options, Monitor& monitor);

}  // namespace steelyard::select
