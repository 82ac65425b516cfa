// What the solvers of ensembles.hpp share: their small programs, and the best point so far.
#pragma once

#include <limits>
#include <span>
#include <vector>

#include "core/infinity.hpp"
#include "weigh/ensembles/ensembles.hpp"

namespace steelyard::weigh {

inline constexpr double unit_roundoff = 0.5 * std::numeric_limits<double>::epsilon();

/// argmin over the simplex of 1/2 x'Hx - q'x; H by its lower triangle, which is mirrored. As accurate as
/// float64 allows; empty when stopped.
std::vector<double> simplex_minimum(std::vector<double>& h, std::span<const double> q, Monitor& monitor);

/// Nonnegative, with sum 1 as nearly as float64 can.
void normalise(std::vector<double>& w);

/// Keeps the point of the smallest gap.
class BestPoint {
 public:
  explicit BestPoint(const EnsembleOptions& options) : options_(options) {}

  /// `scale`: what tol is relative to. True once the gap is reached, but for rounding.
  bool offer(const std::vector<double>& w, double loss, double gap, double rounding, double scale);
  /// Another point that reaches the gap too.
  void replace(const std::vector<double>& w, double loss, double gap);
  bool improved() const { return improved_; }
  /// The answer, with its account.
  EnsembleAnswer finish(std::vector<double>&& singles, const char* solver, double seconds, Monitor& monitor);

 private:
  EnsembleOptions options_;
  std::vector<double> w_;
  double loss_ = 0.0, gap_ = infinity, rounding_ = 0.0, scale_ = 0.0;
  bool improved_ = false, reached_ = false;
  int offers_ = 0;
  Trace trace_;
};

}  // namespace steelyard::weigh
