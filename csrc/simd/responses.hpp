// Right and wrong answers of persons to items, at nodes of ability.
//
// One byte an answer: 0 wrong, 1 right, 2 none. A table has three rows an item, one a code (that of 2 is zero where it
// is read, and scrap where it is written), each `width` nodes long: no multiplication and no branch for what is missing.
// With x = a t + c, s = sigma(x) and a guess g: p = g + (1 - g) s. Derivatives are by (log a, c, logit g).
#pragma once

#include <cstddef>
#include <cstdint>

namespace steelyard::simd {

inline constexpr std::ptrdiff_t node_panel = 16;    ///< widths are multiples
inline constexpr std::ptrdiff_t item_moments = 15;  ///< of `moments`

/// Parameters of a block of items. log_guess: log g, -infinity for none.
struct ItemBlock {
  const double *slope, *intercept, *guess, *log_guess;
  std::ptrdiff_t items;
  bool guessing;  ///< is there any guess?
};

struct Responses {
  /// out[r] += sum_j table[j, rows[r][j]], rows of `width` numbers.
  void (*gather)(const std::uint8_t* const* rows, std::ptrdiff_t n, std::ptrdiff_t items, const double* table,
                 std::ptrdiff_t width, double* out);
  /// sums[j, rows[r][j]] += weights[r].
  void (*scatter)(const std::uint8_t* const* rows, std::ptrdiff_t n, std::ptrdiff_t items,
                  const double* weights, std::ptrdiff_t width, double* sums);
  /// The same of one person whose answers are listed; `shift` is the block's first item.
  void (*gather_listed)(const std::int32_t* listed, const std::uint8_t* codes, std::ptrdiff_t n,
                        std::int32_t shift, const double* table, std::ptrdiff_t width, double* out);
  void (*scatter_listed)(const std::int32_t* listed, const std::uint8_t* codes, std::ptrdiff_t n,
                         std::int32_t shift, const double* weights, std::ptrdiff_t width, double* sums);
  /// The table of log chances.
  void (*log_chances)(const ItemBlock& block, const double* nodes, std::ptrdiff_t width, double* table);
  /// The table of derivatives of log chances along `direction` (three numbers an item).
  void (*slopes)(const ItemBlock& block, const double* direction, const double* nodes, std::ptrdiff_t width,
                 double* table);
  /// out[j] += of expected answers `sums`: the gradient (3), the expected information and the negative second
  /// derivatives (6 each: aa, ac, cc, ag, cg, gg).
  void (*moments)(const ItemBlock& block, const double* nodes, std::ptrdiff_t width, const double* sums,
                  double* out);
  /// out[j] += the gradient alone (3).
  void (*gradient)(const ItemBlock& block, const double* nodes, std::ptrdiff_t width, const double* sums,
                   double* out);
};

}  // namespace steelyard::simd
