// A fit that may have no finite optimum, as a bootstrap round meets it.
//
// It is then made on the largest strong component (aligned with the start's mean over that); items that beat
// it without return are at +inf, items below at -inf, items without a path either way at NaN. Where a
// parameter beside the strengths has no finite optimum all is NaN.
#pragma once

#include <cstdint>

#include "rank/paired/newton.hpp"

namespace steelyard::rank {

enum class RoundState : std::int8_t { missing = 0, converged = 1, infinite = 2, unconverged = 3 };

class RoundFit {
 public:
  /// On the cells of the problem, with the counts of each round. Without BLAS if `linear` is.
  RoundFit(const PairProblem& problem, Linear linear, Monitor& outer);

  /// `point` holds the start on entry and the optimum on return. `may_separate`: are there counts for which there
  /// is none? A round without ties has no tie parameter: log nu is -inf, delta 0.
  RoundState fit(const Counts& counts, bool may_separate, Parameters& point, const FitOptions& options,
                 Info& info, Monitor& outer);

 private:
  RoundState run(NewtonSolver& solver, const PairProblem& problem, Parameters& point,
                 const FitOptions& options, Info& info, Monitor& monitor) const;

  PairProblem problem_;
  Linear linear_;
  NewtonSolver solver_;
};

}  // namespace steelyard::rank
