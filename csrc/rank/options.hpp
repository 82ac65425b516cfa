// What every fit of strengths is asked for.
#pragma once

namespace steelyard::rank {

/// How a Newton system is solved.
enum class Linear { automatic, dense, sparse, cg };

/// The classical fixed-point iterations.
enum class Sweep { zermelo, newman };

struct FitOptions {
  double tol = 1e-10;
  int max_iter = 100;
  int warm_sweeps = 0;  ///< Newman sweeps before the first Newton step
  bool keep_trace = true;
};

}  // namespace steelyard::rank
