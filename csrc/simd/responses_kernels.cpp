#include "simd/exp_inline.hpp"
#include "simd/table.hpp"

namespace steelyard::simd {
namespace {

constexpr std::ptrdiff_t panel = node_panel;

constexpr std::ptrdiff_t pair_codes = 9;                        // of two answers, three each
constexpr std::ptrdiff_t worth_joining = 24, most_joined = 64;  // rows, items
constexpr std::ptrdiff_t ahead = 8;  // rows whose answers are fetched before they are needed

/// pairs[9 j + 3 c + d] = table[2 j, c] + table[2 j + 1, d], one panel of each.
void join(const double* table, std::ptrdiff_t items, std::ptrdiff_t width, double* pairs) {
  for (std::ptrdiff_t j = 0; j + 1 < items; j += 2) {
    for (std::ptrdiff_t c = 0; c < pair_codes; ++c) {
      const double *one = table + (3 * j + c / 3) * width, *two = table + (3 * j + 3 + c % 3) * width;
      double* to = pairs + (pair_codes * (j / 2) + c) * panel;
#pragma omp simd
      for (std::ptrdiff_t l = 0; l < panel; ++l) to[l] = one[l] + two[l];
    }
  }
}

/// A panel of four rows at once: two answers an addition.
template <int rows_at_once>
void gather_rows(const std::uint8_t* const* rows, std::ptrdiff_t items, const double* table,
                 const double* pairs, std::ptrdiff_t width, double* out) {
  double sum[4][panel];  // or the first of them
  for (std::ptrdiff_t r = 0; r < rows_at_once; ++r) {
#pragma omp simd
    for (std::ptrdiff_t l = 0; l < panel; ++l) sum[r][l] = out[r * width + l];
  }
  std::ptrdiff_t j = 0;
  for (; pairs != nullptr && j + 1 < items; j += 2, pairs += pair_codes * panel) {
    for (std::ptrdiff_t r = 0; r < rows_at_once; ++r) {
      const double* from = pairs + (3 * rows[r][j] + rows[r][j + 1]) * panel;
#pragma omp simd
      for (std::ptrdiff_t l = 0; l < panel; ++l) sum[r][l] += from[l];
    }
  }
  for (; j < items; ++j) {
    for (std::ptrdiff_t r = 0; r < rows_at_once; ++r) {
      const double* from = table + (3 * j + rows[r][j]) * width;
#pragma omp simd
      for (std::ptrdiff_t l = 0; l < panel; ++l) sum[r][l] += from[l];
    }
  }
  for (std::ptrdiff_t r = 0; r < rows_at_once; ++r) {
#pragma omp simd
    for (std::ptrdiff_t l = 0; l < panel; ++l) out[r * width + l] = sum[r][l];
  }
}

void gather(const std::uint8_t* const* rows, std::ptrdiff_t n, std::ptrdiff_t items, const double* table,
            std::ptrdiff_t width, double* out) {
  double scratch[most_joined / 2 * pair_codes * panel];
  double* pairs = n < worth_joining || items > most_joined ? nullptr : scratch;
  for (std::ptrdiff_t p = 0; p < width; p += panel) {
    if (pairs != nullptr) join(table + p, items, width, pairs);
    std::ptrdiff_t r = 0;
    for (; r + 4 <= n; r += 4) {
      for (std::ptrdiff_t k = r + ahead; k < r + ahead + 4 && k < n; ++k) __builtin_prefetch(rows[k]);
      gather_rows<4>(rows + r, items, table + p, pairs, width, out + r * width + p);
    }
    for (; r < n; ++r) gather_rows<1>(rows + r, items, table + p, pairs, width, out + r * width + p);
  }
}

/// sums of two items' answers back into those of each.
void part(const double* pairs, std::ptrdiff_t items, std::ptrdiff_t width, double* sums) {
  for (std::ptrdiff_t j = 0; j + 1 < items; j += 2) {
    for (std::ptrdiff_t c = 0; c < pair_codes; ++c) {
      const double* from = pairs + (pair_codes * (j / 2) + c) * panel;
      double *one = sums + (3 * j + c / 3) * width, *two = sums + (3 * j + 3 + c % 3) * width;
#pragma omp simd
      for (std::ptrdiff_t l = 0; l < panel; ++l) {
        one[l] += from[l];
        two[l] += from[l];
      }
    }
  }
}

void scatter(const std::uint8_t* const* rows, std::ptrdiff_t n, std::ptrdiff_t items, const double* weights,
             std::ptrdiff_t width, double* sums) {
  double scratch[most_joined / 2 * pair_codes * panel];
  double* pairs = n < worth_joining || items > most_joined ? nullptr : scratch;
  for (std::ptrdiff_t p = 0; p < width; p += panel) {
    for (std::ptrdiff_t k = 0; pairs != nullptr && k < items / 2 * pair_codes * panel; ++k) pairs[k] = 0.0;
    for (std::ptrdiff_t r = 0; r < n; ++r) {
      if (r + ahead < n) __builtin_prefetch(rows[r + ahead]);
      const std::uint8_t* codes = rows[r];
      double own[panel];
      for (std::ptrdiff_t l = 0; l < panel; ++l) own[l] = weights[r * width + p + l];
      std::ptrdiff_t j = 0;
      for (double* slots = pairs; pairs != nullptr && j + 1 < items; j += 2, slots += pair_codes * panel) {
        double* to = slots + (3 * codes[j] + codes[j + 1]) * panel;
#pragma omp simd
        for (std::ptrdiff_t l = 0; l < panel; ++l) to[l] += own[l];
      }
      for (; j < items; ++j) {
        double* to = sums + (3 * j + codes[j]) * width + p;
#pragma omp simd
        for (std::ptrdiff_t l = 0; l < panel; ++l) to[l] += own[l];
      }
    }
    if (pairs != nullptr) part(pairs, items, width, sums + p);
  }
}

void gather_listed(const std::int32_t* listed, const std::uint8_t* codes, std::ptrdiff_t n,
                   std::int32_t shift, const double* table, std::ptrdiff_t width, double* out) {
  for (std::ptrdiff_t k = 0; k < n; ++k) {
    const double* from = table + (3 * static_cast<std::ptrdiff_t>(listed[k] - shift) + codes[k]) * width;
#pragma omp simd
    for (std::ptrdiff_t l = 0; l < width; ++l) out[l] += from[l];
  }
}

void scatter_listed(const std::int32_t* listed, const std::uint8_t* codes, std::ptrdiff_t n,
                    std::int32_t shift, const double* weights, std::ptrdiff_t width, double* sums) {
  for (std::ptrdiff_t k = 0; k < n; ++k) {
    double* to = sums + (3 * static_cast<std::ptrdiff_t>(listed[k] - shift) + codes[k]) * width;
#pragma omp simd
    for (std::ptrdiff_t l = 0; l < width; ++l) to[l] += weights[l];
  }
}

/// log(1 + e^-|y|): the series of 2 atanh(z), z = e / (2 + e) <= 1/3.
inline double log_tail(double y) {
  const double e = exp_inline(-__builtin_fabs(y)), z = e / (2.0 + e), w = z * z;
  double p = 1.0 / 33.0;
  p = p * w + 1.0 / 31.0;
  p = p * w + 1.0 / 29.0;
  p = p * w + 1.0 / 27.0;
  p = p * w + 1.0 / 25.0;
  p = p * w + 1.0 / 23.0;
  p = p * w + 1.0 / 21.0;
  p = p * w + 1.0 / 19.0;
  p = p * w + 1.0 / 17.0;
  p = p * w + 1.0 / 15.0;
  p = p * w + 1.0 / 13.0;
  p = p * w + 1.0 / 11.0;
  p = p * w + 1.0 / 9.0;
  p = p * w + 1.0 / 7.0;
  p = p * w + 1.0 / 5.0;
  p = p * w + 1.0 / 3.0;
  p = p * w + 1.0;
  return 2.0 * z * p;
}

inline double sigma(double y) {
  const double e = exp_inline(-__builtin_fabs(y)), v = 1.0 / (1.0 + e);
  return y < 0.0 ? e * v : v;
}

template <bool guessing>
void log_chances_of(const ItemBlock& block, const double* nodes, std::ptrdiff_t width, double* table) {
  for (std::ptrdiff_t j = 0; j < block.items; ++j) {
    const double a = block.slope[j], c = block.intercept[j], low = guessing ? block.log_guess[j] : 0.0;
    const double rest = guessing ? __builtin_log1p(-block.guess[j]) : 0.0;
    double *wrong = table + 3 * j * width, *right = wrong + width, *none = right + width;
#pragma omp simd
    for (std::ptrdiff_t q = 0; q < width; ++q) {
      const double x = a * nodes[q] + c, tail = log_tail(x), positive = x > 0.0 ? x : 0.0;
      wrong[q] = rest - positive - tail;
      // log(g + e^x) - log(1 + e^x), each from its larger term.
      right[q] = guessing ? (x > low ? x : low) - positive + log_tail(x - low) - tail : x - positive - tail;
      none[q] = 0.0;
    }
  }
}

void log_chances(const ItemBlock& block, const double* nodes, std::ptrdiff_t width, double* table) {
  block.guessing ? log_chances_of<true>(block, nodes, width, table)
                 : log_chances_of<false>(block, nodes, width, table);
}

/// d log p / dx and d log p / d logit g of a right answer; of a wrong one they are -s and -g.
struct Score {
  double s, by_x, by_g;
};

template <bool guessing>
inline Score score(double x, double g, double low) {
  const double s = sigma(x);
  if (!guessing) return {s, 1.0 - s, 0.0};
  const double known = sigma(x - low);  // the share of e^x in g + e^x
  return {s, (1.0 - s) * (1.0 - g) * known, (1.0 - g) * (1.0 - known)};
}

template <bool guessing>
void slopes_of(const ItemBlock& block, const double* direction, const double* nodes, std::ptrdiff_t width,
               double* table) {
  for (std::ptrdiff_t j = 0; j < block.items; ++j) {
    const double a = block.slope[j], c = block.intercept[j], g = guessing ? block.guess[j] : 0.0;
    const double low = guessing ? block.log_guess[j] : 0.0;
    const double by_a = a * direction[3 * j], by_c = direction[3 * j + 1], by_g = direction[3 * j + 2];
    double *wrong = table + 3 * j * width, *right = wrong + width, *none = right + width;
#pragma omp simd
    for (std::ptrdiff_t q = 0; q < width; ++q) {
      const double change = by_a * nodes[q] + by_c;
      const Score own = score<guessing>(a * nodes[q] + c, g, low);
      wrong[q] = -own.s * change - g * by_g;
      right[q] = own.by_x * change + own.by_g * by_g;
      none[q] = 0.0;
    }
  }
}

void slopes(const ItemBlock& block, const double* direction, const double* nodes, std::ptrdiff_t width,
            double* table) {
  block.guessing ? slopes_of<true>(block, direction, nodes, width, table)
                 : slopes_of<false>(block, direction, nodes, width, table);
}

template <bool guessing>
void gradient_of(const ItemBlock& block, const double* nodes, std::ptrdiff_t width, const double* sums,
                 double* out) {
  for (std::ptrdiff_t j = 0; j < block.items; ++j) {
    const double a = block.slope[j], c = block.intercept[j], g = guessing ? block.guess[j] : 0.0;
    const double low = guessing ? block.log_guess[j] : 0.0;
    const double *wrong = sums + 3 * j * width, *right = wrong + width;
    double by_a = 0.0, by_c = 0.0, by_g = 0.0;
#pragma omp simd reduction(+ : by_a, by_c, by_g)
    for (std::ptrdiff_t q = 0; q < width; ++q) {
      const Score own = score<guessing>(a * nodes[q] + c, g, low);
      const double e = right[q] * own.by_x - wrong[q] * own.s;
      by_a += e * nodes[q];
      by_c += e;
      by_g += right[q] * own.by_g - wrong[q] * g;
    }
    out[3 * j] += a * by_a;
    out[3 * j + 1] += by_c;
    if (guessing) out[3 * j + 2] += by_g;
  }
}

void gradient(const ItemBlock& block, const double* nodes, std::ptrdiff_t width, const double* sums,
              double* out) {
  block.guessing ? gradient_of<true>(block, nodes, width, sums, out)
                 : gradient_of<false>(block, nodes, width, sums, out);
}

template <bool guessing>
void moments_of(const ItemBlock& block, const double* nodes, std::ptrdiff_t width, const double* sums,
                double* out) {
  for (std::ptrdiff_t j = 0; j < block.items; ++j) {
    const double a = block.slope[j], c = block.intercept[j], g = guessing ? block.guess[j] : 0.0;
    const double low = guessing ? block.log_guess[j] : 0.0;
    const double *wrong = sums + 3 * j * width, *right = wrong + width;
    double et = 0.0, e = 0.0, eg = 0.0, htt = 0.0, ht = 0.0, h = 0.0, mt = 0.0, m = 0.0, mg = 0.0;
    double ktt = 0.0, kt = 0.0, k = 0.0, nt = 0.0, n = 0.0, ng = 0.0;
#pragma omp simd reduction(+ : et, e, eg, htt, ht, h, mt, m, mg, ktt, kt, k, nt, n, ng)
    for (std::ptrdiff_t q = 0; q < width; ++q) {
      const double t = nodes[q], r = right[q], w = wrong[q];
      const Score own = score<guessing>(a * t + c, g, low);
      const double pull = r * own.by_x - w * own.s;
      et += pull * t;
      e += pull;
      const double expected = (r + w) * own.by_x * own.s;
      htt += expected * t * t;
      ht += expected * t;
      h += expected;
      const double seen =
          guessing ? w * own.s * (1.0 - own.s) + r * own.by_x * (own.by_x - 1.0 + 2.0 * own.s) : expected;
      ktt += seen * t * t;
      kt += seen * t;
      k += seen;
      if (guessing) {
        eg += r * own.by_g - w * g;
        const double mixed = (r + w) * own.by_x * g, met = r * own.by_g * (own.s + own.by_x);
        mt += mixed * t;
        m += mixed;
        mg += (r + w) * own.by_g * g;
        nt += met * t;
        n += met;
        ng += r * own.by_g * (own.by_g - 1.0 + 2.0 * g) + w * g * (1.0 - g);
      }
    }
    const double all[item_moments] = {
        a * et, e, eg, a * a * htt, a * ht, h, a * mt, m, mg, a * a * ktt - a * et, a * kt, k, a * nt, n, ng};
    for (std::ptrdiff_t i = 0; i < item_moments; ++i) out[item_moments * j + i] += all[i];
  }
}

void moments(const ItemBlock& block, const double* nodes, std::ptrdiff_t width, const double* sums,
             double* out) {
  block.guessing ? moments_of<true>(block, nodes, width, sums, out)
                 : moments_of<false>(block, nodes, width, sums, out);
}

}  // namespace

extern const Responses STEELYARD_FOR_ISA(responses_);
const Responses STEELYARD_FOR_ISA(responses_){gather,      scatter, gather_listed, scatter_listed,
                                              log_chances, slopes,  moments,       gradient};

}  // namespace steelyard::simd
