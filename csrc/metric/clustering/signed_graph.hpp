// Correlation clustering: items that agree should share a cluster, items that disagree should not.
//
// A pair {i, j} has the signed weight
//
//     c_ij = a_ij - background * s_i * s_j,
//
// a_ij sparse and symmetric, s_i the number of items that node i stands for. Separating a pair with c > 0
// costs c, keeping one with c < 0 together costs -c; up to a constant the cost is minus the sum of c over the
// pairs that share a cluster. A sparse a and a constant background hold every formulation: a graph (absent
// pairs disagree), weights from common neighbours, or signed weights (background 0), without n^2 memory.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/index.hpp"
#include "core/views.hpp"

namespace steelyard::metric {

struct SignedGraph {
  CsrPattern pattern;               ///< both directions of each pair, no diagonal
  std::span<const double> weights;  ///< a_ij
  std::span<const double> sizes;    ///< s_i
  double background = 0.0;          ///< >= 0
  double forbidden = 0.0;           ///< if > 0: a pair with a_ij <= -forbidden never shares a cluster

  std::ptrdiff_t nodes() const { return std::ssize(sizes); }
  std::int64_t begin(std::ptrdiff_t i) const { return pattern.offsets[at(i)]; }
  std::int64_t end(std::ptrdiff_t i) const { return pattern.offsets[at(i) + 1]; }
  std::int32_t neighbour(std::int64_t k) const { return pattern.indices[at(k)]; }
  double weight(std::int64_t k) const { return weights[at(k)]; }
  double size(std::ptrdiff_t i) const { return sizes[at(i)]; }

  /// c_ij of the k-th entry, which lies in row i.
  double signed_weight(std::ptrdiff_t i, std::int64_t k) const {
    return weight(k) - background * size(i) * size(neighbour(k));
  }
  bool is_forbidden(std::int64_t k) const { return forbidden > 0.0 && weight(k) <= -forbidden; }
};

using Labels = std::vector<std::int32_t>;

/// Sum of c over the pairs that share a label in 0 .. n - 1: what clusterings are compared by. O(entries +
/// n).
double agreement(const SignedGraph& graph, std::span<const std::int32_t> labels);

/// What labels in 0 .. n - 1 cost, summed without differences but for the pairs that are not listed: exact for
/// whole numbers. O(entries + n).
double cost_of(const SignedGraph& graph, std::span<const std::int32_t> labels);

/// Renumbers labels by first appearance; returns their number.
std::int32_t renumber(Labels& labels);

}  // namespace steelyard::metric
