// Products and updates of a symmetric matrix with several vectors at a time, for metric learning.
//
// Vectors side by side are `size` rows of numbers, one of each vector: eight in double, sixteen in single
// precision, a cache line. Matrices are size x size, row-major without gaps, `size` a multiple of those. Of
// symmetric ones the lower triangle is read, together with the upper one of the squares of eight on the
// diagonal, and those are what an update leaves right.
#pragma once

#include <cstddef>
#include <cstdint>

namespace steelyard::simd {

template <class Real>
inline constexpr std::ptrdiff_t side_by_side = 64 / static_cast<std::ptrdiff_t>(sizeof(Real));
inline constexpr std::ptrdiff_t lanes = side_by_side<double>;

/// What the step on a constraint depends on beside its distance and dual: the inverse bounds of squared
/// distances, 1 / gamma and gamma / (gamma + 1).
struct SlackRule {
  double inverse_near, inverse_far, inverse_gamma, share;
};

/// Listed pairs V side by side, and what their steps come to: with Y = A V, A becomes A + sum_m factors_m (Y
/// u_m)(Y u_m)' over the `moved` first columns u_m.
template <class Real>
struct PairBatch {
  static constexpr std::size_t pairs = 64 / sizeof(Real);

  alignas(64) Real columns[pairs * pairs];
  alignas(64) Real factors[pairs];
  double* duals[pairs];  ///< each its own place: a pair may come twice
  double sign[pairs];    ///< 1 of a similar pair, -1 of a dissimilar one
  double smallest;       ///< of distances known well enough, in single precision as a share of |v|^2
  std::ptrdiff_t count;

  std::ptrdiff_t moved;
  std::uint32_t refused;  ///< a bit for each pair whose distance is too small
  double movement;        ///< largest |alpha| p
};

template <class Real>
struct PairUpdates {
  /// V, the vectors first[b] - second[b] of d <= size numbers, zeros behind.
  void (*differences)(const double* const* first, const double* const* second, std::ptrdiff_t d,
                      std::ptrdiff_t size, Real* v);
  /// Y = A V, A symmetric.
  void (*multiply)(const Real* a, std::ptrdiff_t size, const Real* v, Real* y);
  /// One step after the other on the pairs of V, Y = A V, as if each updated A.
  void (*steps)(const SlackRule& rule, const Real* v, const Real* y, std::ptrdiff_t size,
                PairBatch<Real>& batch);
  /// A += Z diag(factors) Z', A symmetric, Z the first `count` columns of Y U, U square. `scratch` has room
  /// for 2 side_by_side size.
  void (*update)(Real* a, std::ptrdiff_t size, const Real* y, const Real* u, const Real* factors,
                 std::ptrdiff_t count, Real* scratch);
};

/// Two groups of eight points X, side by side, and their pairs. With Y = A X, steps A += beta A v v'A on v =
/// X (e_i - e_j) keep A in the span of Y: A becomes A + Y B Y', X'A X what it does, and A X becomes Y M.
struct PairBlock {
  static constexpr std::ptrdiff_t points = 2 * lanes, pairs = points * (points - 1) / 2;

  alignas(64) double rows[points * 2 * points];      ///< [X'A X, M']: X'Y on and above the diagonal, to begin
  alignas(64) double coefficients[points * points];  ///< B
  double duals[points * points];                     ///< of the pair i < j at i, j
  double sign[points * points];                      ///< 1 of a similar pair, -1 of a dissimilar one
  std::ptrdiff_t first_count, second_count;          ///< points there are in each group

  std::ptrdiff_t moved_count, near_count;
  std::int16_t moved[pairs];  ///< i * points + j of those that moved,
  std::int16_t near[pairs];   ///< and of those whose distance the products do not tell: left out
  double movement;            ///< largest |alpha| p
};

/// In double, eight vectors at a time.
struct RankUpdates {
  /// Y = A V, A symmetric.
  void (*multiply)(const double* a, std::ptrdiff_t size, const double* v, double* y);
  /// Y = L V, L lower triangular with zeros above the diagonal.
  void (*multiply_lower)(const double* l, std::ptrdiff_t size, const double* v, double* y);
  /// G = V'Y, 8 x 8, rows of G `stride` apart.
  void (*products)(const double* v, const double* y, std::ptrdiff_t size, double* g, std::ptrdiff_t stride);
  /// One step after the other: if `inside`, on all pairs within either group; then on those across.
  void (*block_steps)(const SlackRule& rule, bool inside, PairBlock& block);
  /// A += Y B Y', A symmetric, Y of 16 columns, eight in `first` and eight in `second`, B 16 x 16 symmetric.
  /// `scratch` has room for 32 size.
  void (*block_update)(double* a, std::ptrdiff_t size, const double* first, const double* second,
                       const double* b, double* scratch);
  /// out[k][i] += sum_j weights[j][i] (x[k][i] - other[k][j]) for two groups of eight points side by side,
  /// rows of weights 16 apart.
  void (*pull)(const double* x, const double* other, std::ptrdiff_t size, const double* weights, double* out);
  /// out[j][i] = squared distance of point i of x from point j of the other group, rows of `out` 16 apart.
  void (*distances)(const double* x, const double* other, std::ptrdiff_t size, double* out);
};

}  // namespace steelyard::simd
