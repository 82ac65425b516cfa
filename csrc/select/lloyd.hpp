// One step of Lloyd's algorithm (k-means), its spherical form, and the like for medians.
//
//   minimise over centres  sum_i w_i min_j |x_i - c_j|^z,   z = 2 or 1
// Assignment to the nearest (distances/nearest.hpp), then, cluster by cluster:
//   z = 2: the weighted mean; spherical: that mean scaled to length 1 (x of length 1);
//   z = 1: one step of Weiszfeld's iteration from the old centre, as Vardi and Zhang (PNAS 97, 2000) mend it
//          where the centre is a point: it never raises sum w |x - c|, and is still only at the median.
// No step raises the cost. Rows are assigned and summed a window at a time, so that data on a disk is read
// once. Sums run over a cluster's points in their order, in pieces of fixed length: the same bits for any
// number of threads. O(n d k) time, O(n + k d) memory beside the data.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/half.hpp"
#include "core/monitor.hpp"
#include "core/views.hpp"

namespace steelyard::select {

enum class Update { mean, direction, median };

template <class Real>
struct LloydStep {
  std::vector<std::int64_t> labels;
  std::vector<Real> squared;    ///< distance to the centre that the step began with
  std::vector<Real> centers;    ///< k x d: after the step; those of empty clusters as they were
  std::vector<double> weights;  ///< of the clusters
  double cost = 0.0;            ///< of the centres that the step began with
};

/// Unfinished if stopped. `move`: false assigns only.
template <class Real, class From>
LloydStep<Real> lloyd_step(MatrixView<const From> points, std::span<const double> weights,
                           MatrixView<const Real> centers, Update update, bool move, Monitor& monitor);

}  // namespace steelyard::select
