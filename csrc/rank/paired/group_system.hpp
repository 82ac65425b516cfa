// Newton systems of groups that are shrunk to a whole: blocks that the whole alone ties together.
//
// Columns: m of the whole, then d_g of each group's own items, with x = m_i + d_gi - m_j - d_gj. With L_g the Laplacian
// of what group g's games say and t the tension of the normal prior of the differences, the Hessian of (m, d) is
//   [ sum L_g + P   L_1  L_2 .. ;  L_1'  L_1 + t I  0 .. ;  .. ],
// P the prior of the whole. With C_g = L_g + t I, what is left of m once all d_g are eliminated is
//   S = P + sum (t I - t^2 C_g^{-1}),
// where t is stiff beside L_g taken as t C_g^{-1} L_g: neither then loses digits. Time: sum n_g^3 + n^3 / 3,
// parallel over groups; memory: sum n_g^2 and up to 16 n^2. Fixed chunks: the same bits for any number of threads
// while n and all n_g are at most 512.
#pragma once

#include <utility>
#include <vector>

#include "rank/paired/teams.hpp"

namespace steelyard::rank {

class GroupSystem {
 public:
  explicit GroupSystem(const TeamProblem& problem);

  /// Does a factor at each step take seconds at most, and fit into memory?
  static bool pays(const TeamProblem& problem);

  /// C_g = L_g + t I and S at these derivatives, and their factors. False when singular to rounding, or stopped.
  bool factor(const Derivatives& d, Monitor& monitor);
  /// X <- A^{-1} B over m and all d_g, `columns` interleaved.
  void solve(const double* b, double* x, std::ptrdiff_t columns, Monitor& monitor) const;
  double log_determinant() const;

  std::ptrdiff_t whole() const { return base_; }
  /// Lower factors of C_g, one after the other, and of S.
  std::pair<std::vector<double>, std::vector<double>> take() && {
    return {std::move(blocks_), std::move(schur_)};
  }

 private:
  std::ptrdiff_t groups() const { return std::ssize(problem_.groups.begins) - 1; }
  std::ptrdiff_t size(std::ptrdiff_t g) const {
    return problem_.groups.begins[at(g + 1)] - problem_.groups.begins[at(g)];
  }
  std::ptrdiff_t grain(double nanoseconds_an_entry) const;
  struct Work {
    std::vector<double> numbers, scratch;
  };
  bool add_group(const Derivatives& d, std::ptrdiff_t g, Work& work, double* schur, Monitor& monitor);
  void solve_group(std::ptrdiff_t g, std::vector<double>& column, double* x, std::ptrdiff_t columns) const;

  const TeamProblem& problem_;
  std::ptrdiff_t base_ = 0;
  double tension_ = 0.0;
  std::vector<std::ptrdiff_t> places_;  ///< of the blocks
  std::vector<double> blocks_, schur_;
};

/// What stands in a law of strengths s_g = m + d_g and (tie, home): see GroupSystem.
struct GroupLaw {
  std::ptrdiff_t items = 0;  ///< n, of which the first may have no column
  double tension = 0.0;
  std::span<const std::int64_t> begins;  ///< of the groups, from 0
  std::span<const std::int32_t> places;  ///< of their items
  std::span<const double> blocks;        ///< lower factors of C_g
  MatrixView<const double> border;       ///< cross derivatives of d and the extras
  MatrixView<const double> sigma;        ///< S^{-1} over (m, extras)
};

/// Standard errors of s_g against its mean over all items, groups x items. False when stopped or singular.
/// Time: sum of n_g^2 (n_g + extras), parallel over groups.
bool group_standard_errors(const GroupLaw& law, double* out, Monitor& monitor);

}  // namespace steelyard::rank
