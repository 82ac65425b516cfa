// A preconditioner for Z = exp(-scale D): adaptive factorised Nystrom (AFN), of which Vecchia is a case.
//
// With landmarks I (m of them) and the rest R:  Z_II = L L',  B = Z_RI L^{-T},  S = Z_RR - B B', and
//     Z^{-1} ~ [L^{-T} 0; 0 1] [1 -B'; 0 1] [1 0; 0 G'G] [1 0; -B 1] [L^{-1} 0; 0 1],
// where G is lower triangular in a random order of R, or in one of ever finer nets, and sparse: row i holds the k
// nearest among those before i, and is the last row of the inverse Cholesky factor of S on them (factorised sparse
// approximate inverse, FSAI). m = 0 is Vecchia's approximation of a Gaussian process.
//
// Set-up: n m distances for the landmarks, n^2 / 2 for the neighbours (shared by all scales), then per scale
// n (m^2 + k^2 m + k^3 / 3) flops; n (4 m + 16 k) bytes. One application: 4 n (m + k) flops. Same bits for any
// number of threads. Chow and Saad et al., "An Adaptive Factorized Nystrom Preconditioner for Regularized
// Kernel Matrices", SIAM J. Sci. Comput. 46 (2024); Kaporin, Numer. Linear Algebra Appl. 1 (1994); Vecchia,
// JRSS B 50 (1988).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/index.hpp"
#include "core/monitor.hpp"
#include "weigh/space.hpp"

namespace steelyard::weigh {

/// What does not depend on the scale.
struct FactorPlan {
  std::vector<std::int32_t> landmarks;  ///< points
  std::vector<std::int32_t> rest;       ///< points, in the order of the factor
  std::ptrdiff_t k = 0;
  std::vector<std::int32_t> neighbours;    ///< rest x k positions in `rest`, nearest first; -1: none
  std::vector<std::int32_t> users;         ///< transpose of `neighbours`: position j is in the rows
  std::vector<std::int64_t> user_offsets;  ///< users[user_offsets[j] ..]
};

/// visit(entry, place) for each neighbour there is: its number in `neighbours`, and its place in `users`.
template <class Visit>
void for_users(const FactorPlan& plan, const Visit& visit) {
  auto next = plan.user_offsets;
  for (std::size_t e = 0; e < plan.neighbours.size(); ++e)
    if (plan.neighbours[e] >= 0) visit(e, at(next[at(plan.neighbours[e])]++));
}

/// `landmarks` and `k` are cut to what the points allow. Incomplete when stopped.
FactorPlan plan_factor(const Space& space, std::ptrdiff_t landmarks, std::ptrdiff_t k, Monitor& monitor);

class ApproximateInverse {
 public:
  ApproximateInverse(const Space& space, const FactorPlan& plan, double scale, Monitor& monitor);

  /// z <- M r for vectors that lie `stride` apart.
  void apply(const double* r, double* z, std::ptrdiff_t stride, Monitor& monitor) const;

  bool complete() const { return complete_; }

 private:
  bool factor_landmarks(const Space& space, double scale, Monitor& monitor);
  void project(const Space& space, double scale, Monitor& monitor);
  void factor_rest(const Space& space, double scale, Monitor& monitor);
  void factor_row(std::ptrdiff_t i, const Space& space, double scale, std::vector<double>& s,
                  std::vector<double>& b, std::vector<double>& scratch);

  const FactorPlan& plan_;
  std::ptrdiff_t m_, rest_;
  bool complete_ = false;
  std::vector<double> inverse_;    ///< L^{-1}, m x m row-major
  std::vector<double> transpose_;  ///< L^{-T}
  std::unique_ptr<float[]> b_;     ///< rest x m; single precision changes M, not that it is symmetric
  std::vector<float> g_;           ///< rest x k: neighbours' entries, rounded likewise
  std::vector<float> users_g_;     ///< the same in the order of the plan's `users`
  std::vector<double> diagonal_;   ///< rest
};

}  // namespace steelyard::weigh
