// Quadratic programs whose matrix is a kernel of points, far beyond what can be held or factored:
//
//   minimise  f(w) = 1/2 w'(K + diag(ridge))w + linear'w   over  0 <= w <= upper,  each group's sum its total.
//
// Up to `direct` points, or with x'y for a kernel, simplex_qp.hpp solves it. Else a program over few points,
// one a leaf of a kd split, then over those that kept weight and those whose slopes are lowest, as long as few
// do: so it is with smooth kernels. Else sweeps: each group is split anew at random into kd blocks, each block is solved exactly for its mass by simplex_qp.hpp, then a coarse
// program shares mass among the blocks and the last iterates, then the points whose slopes stand out are taken
// as blocks, wherever they lie (they make the gap). Every step is a descent by an exact line search
// and stays feasible. Blocks are met two at once, from the same slopes. Once few
// coordinates are free, simplex_qp.hpp finishes from there.
//
// Cost of a sweep: one pass over the columns of K that have weight in single precision, for two vectors (block
// and its step), and n / block small programs; gaps fall about threefold. Memory: 4 n bytes a cell, of which
// there are 250 at most, and about 200 n. Slopes are followed in
// double; what single precision leaves in them is bounded by `drift` and removed by a pass in double whenever
// it could matter. The gap that is stated comes from such a pass over all rows with a bound for its rounding,
// or from one in 106 bits where that bound is what keeps it above `gap_tol`.
//
// Random numbers are core/random's, one stream a sweep and node: same bits for any number of threads.
//
// Sources: Xu & Zikatanov, J. Amer. Math. Soc. 15 (2002) (subspace corrections); Badea, SIAM J. Numer. Anal.
// 44 (2006) (two-level Schwarz methods with bounds); Jaggi, ICML 2013 (the gap).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/info.hpp"
#include "core/monitor.hpp"
#include "core/views.hpp"
#include "distances/kernels.hpp"

namespace steelyard::qp {

struct KernelProblem {
  MatrixView<const double> points;
  std::optional<distances::PointKernel> kernel;  ///< none: x'y
  std::span<const double> linear, upper;         ///< upper may be +inf
  std::span<const double> ridge;                 ///< one a point, or empty
  std::span<const double> totals;                ///< one a group
  std::span<const std::int32_t> groups;          ///< 0 .. totals.size() - 1; empty: one group
  std::span<const double> init;                  ///< or empty
};

struct KernelOptions {
  double gap_tol = 0.0;  ///< of the gap; rounding alone counts as reached
  double tol = 0.0;      ///< of gap / (1/2 w'Kw + |linear'w|): enough, too
  int max_sweeps = 100;
  double max_seconds = 0.0;  ///< 0: none
  std::size_t memory = std::size_t{1} << 30;
  std::ptrdiff_t direct = 1200;  ///< points up to which simplex_qp.hpp does all
  std::ptrdiff_t dense = 3000;   ///< points up to which it is given the matrix, not rows on demand
  std::ptrdiff_t block = 400;    ///< points of a block, at most
  std::ptrdiff_t finish = 3000;  ///< free coordinates up to which simplex_qp.hpp may finish
};

struct KernelResult {
  std::vector<double> w;
  double objective = 0.0, gap = 0.0;
  double terms = 0.0;  ///< 1/2 w'Kw + |linear'w|
  Info info;           ///< error_bound: the gap
};

KernelResult minimise_kernel_qp(const KernelProblem& problem, const KernelOptions& options, Monitor& monitor);

}  // namespace steelyard::qp
