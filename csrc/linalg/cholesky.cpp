#include "linalg/cholesky.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/index.hpp"
#include "linalg/cholesky_blas.hpp"
#include "simd/table.hpp"

namespace steelyard::linalg {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t own_block = 32;

/// X <- X L^{-T} for a row X of n: each entry is taken from those after it, by T = L' along its rows.
void solve_row(const double* t, const double* pivots, double* row, ptrdiff_t n) {
  for (ptrdiff_t j = 0; j < n; ++j) {
    const double value = row[j] /= pivots[j];
    const double* across = t + j * own_block;
    for (ptrdiff_t k = j + 1; k < n; ++k) row[k] -= value * across[k];
  }
}

/// L of a small diagonal block, row by row, its transpose T and its diagonal.
bool factor_block(double* a, ptrdiff_t n, ptrdiff_t stride, double* t, double* pivots) {
  for (ptrdiff_t i = 0; i < n; ++i) {
    double* row = a + i * stride;
    solve_row(t, pivots, row, i);
    double pivot = row[i];
    for (ptrdiff_t k = 0; k < i; ++k) {
      pivot -= row[k] * row[k];
      t[k * own_block + i] = row[k];
    }
    if (!(pivot > 0.0) || !std::isfinite(pivot)) return false;
    row[i] = pivots[i] = std::sqrt(pivot);
  }
  return true;
}

constexpr ptrdiff_t small_front = 24;

/// The first `columns` columns of L and the update of what remains, column after column.
bool factor_small(double* a, ptrdiff_t n, ptrdiff_t columns, ptrdiff_t stride) {
  for (ptrdiff_t k = 0; k < columns; ++k) {
    const double pivot = a[k * stride + k];
    if (!(pivot > 0.0) || !std::isfinite(pivot)) return false;
    const double root = std::sqrt(pivot), scale = 1.0 / root;
    a[k * stride + k] = root;
    double column[small_front];
    for (ptrdiff_t i = k + 1; i < n; ++i) column[i] = a[i * stride + k] *= scale;
    for (ptrdiff_t i = k + 1; i < n; ++i) {
      const double factor = column[i];
      double* row = a + i * stride;
      for (ptrdiff_t j = k + 1; j <= i; ++j) row[j] -= factor * column[j];
    }
  }
  return true;
}

/// out (cols x rows) <- transpose of in (rows x cols).
void transpose(const double* in, ptrdiff_t stride, ptrdiff_t rows, ptrdiff_t cols, double* out) {
  for (ptrdiff_t i = 0; i < rows; ++i) {
    for (ptrdiff_t j = 0; j < cols; ++j) out[j * rows + i] = in[i * stride + j];
  }
}

}  // namespace

bool cholesky_partial(double* a, ptrdiff_t n, ptrdiff_t columns, ptrdiff_t stride,
                      std::vector<double>& scratch) {
  if (n <= small_front) return factor_small(a, n, columns, stride);
  const auto& dense = *simd::kernels().dense;
  scratch.resize(checked_product("working memory", own_block, n));
  double turned[own_block * own_block], pivots[own_block];
  for (ptrdiff_t k = 0; k < columns; k += own_block) {
    const ptrdiff_t nb = std::min(own_block, columns - k), next = k + nb, rest = n - next;
    double* diagonal = a + k * stride + k;
    if (!factor_block(diagonal, nb, stride, turned, pivots)) return false;
    if (rest == 0) break;
    double* below = a + next * stride + k;
    for (ptrdiff_t i = 0; i < rest; ++i) solve_row(turned, pivots, below + i * stride, nb);
    transpose(below, stride, rest, nb, scratch.data());
    for (ptrdiff_t i = 0; i < rest; i += own_block) {
      const ptrdiff_t rows = std::min(own_block, rest - i);
      // Blocks left of the diagonal, then the diagonal block's lower triangle row by row.
      dense.subtract_product(a + (next + i) * stride + next, stride, below + i * stride, stride,
                             scratch.data(), rest, rows, i, nb);
      for (ptrdiff_t r = 0; r < rows; ++r) {
        dense.subtract_product(a + (next + i + r) * stride + next + i, stride, below + (i + r) * stride,
                               stride, scratch.data() + i, rest, 1, r + 1, nb);
      }
    }
  }
  return true;
}

bool cholesky_own(double* a, ptrdiff_t n, ptrdiff_t stride) {
  std::vector<double> scratch;
  return cholesky_partial(a, n, n, stride, scratch);
}

bool cholesky_own(double* a, ptrdiff_t n, ptrdiff_t stride, Monitor& monitor) {
  constexpr ptrdiff_t columns = 4 * own_block;
  std::vector<double> scratch;
  for (ptrdiff_t k = 0; k < n; k += columns) {
    if (monitor.poll()) return false;
    if (!cholesky_partial(a + k * (stride + 1), n - k, std::min(columns, n - k), stride, scratch))
      return false;
  }
  return true;
}

bool cholesky(double* a, ptrdiff_t n, ptrdiff_t stride, Monitor& monitor) {
  if (n <= own_cholesky_limit) return cholesky_own(a, n, stride);
  return cholesky_by_blas(a, n, stride, monitor);
}

void cholesky_solve(const double* l, ptrdiff_t n, ptrdiff_t stride, double* b, ptrdiff_t columns,
                    ptrdiff_t b_stride) {
  for (ptrdiff_t i = 0; i < n; ++i) {
    double* row = b + i * b_stride;
    for (ptrdiff_t k = 0; k < i; ++k) {
      const double factor = l[i * stride + k];
      const double* other = b + k * b_stride;
      for (ptrdiff_t c = 0; c < columns; ++c) row[c] -= factor * other[c];
    }
    const double pivot = 1.0 / l[i * stride + i];
    for (ptrdiff_t c = 0; c < columns; ++c) row[c] *= pivot;
  }
  cholesky_solve_transposed(l, n, stride, b, columns, b_stride);
}

void cholesky_solve_transposed(const double* l, ptrdiff_t n, ptrdiff_t stride, double* b, ptrdiff_t columns,
                               ptrdiff_t b_stride) {
  for (ptrdiff_t i = n; i-- > 0;) {
    double* row = b + i * b_stride;
    const double pivot = 1.0 / l[i * stride + i];
    for (ptrdiff_t c = 0; c < columns; ++c) row[c] *= pivot;
    for (ptrdiff_t k = 0; k < i; ++k) {  // column-oriented: L is read along its rows
      const double factor = l[i * stride + k];
      double* other = b + k * b_stride;
      for (ptrdiff_t c = 0; c < columns; ++c) other[c] -= factor * row[c];
    }
  }
}

namespace {

/// V = L^{-1}, row-major without gaps, zeros above its diagonal.
void invert_lower(const double* l, ptrdiff_t n, ptrdiff_t stride, double* v) {
  const auto& dense = *simd::kernels().dense;
  std::fill(v, v + n * n, 0.0);
  for (ptrdiff_t i = 0; i < n; i += own_block) {
    const ptrdiff_t rows = std::min(own_block, n - i);
    for (ptrdiff_t k = 0; k < i; k += own_block)  // V's rows k.. end at column k + own_block
      dense.subtract_product(v + i * n, n, l + i * stride + k, stride, v + k * n, n, rows, k + own_block,
                             own_block);
    for (ptrdiff_t r = i; r < i + rows; ++r) {
      double* row = v + r * n;
      row[r] = 1.0;
      for (ptrdiff_t k = i; k < r; ++k) {
        const double factor = l[r * stride + k];
        const double* other = v + k * n;
        for (ptrdiff_t c = 0; c <= k; ++c) row[c] -= factor * other[c];
      }
      const double pivot = 1.0 / l[r * stride + r];
      for (ptrdiff_t c = 0; c <= r; ++c) row[c] *= pivot;
    }
  }
}

}  // namespace

void cholesky_inverse_own(double* l, ptrdiff_t n, ptrdiff_t stride, std::vector<double>& scratch) {
  const auto& dense = *simd::kernels().dense;
  const auto size = checked_product("working memory", n, n);
  if (scratch.size() < 2 * size) scratch.resize(2 * size);
  double *v = scratch.data(), *turned = v + size;
  invert_lower(l, n, stride, v);
  transpose(v, n, n, n, turned);
  for (ptrdiff_t i = 0; i < n; i += own_block) {
    const ptrdiff_t rows = std::min(own_block, n - i);
    for (ptrdiff_t r = i; r < i + rows; ++r) std::fill(l + r * stride, l + r * stride + i + rows, 0.0);
    // -V'V first: V's columns i.. begin at row i.
    dense.subtract_product(l + i * stride, stride, turned + i * n + i, n, v + i * n, n, rows, i + rows,
                           n - i);
  }
  for (ptrdiff_t i = 0; i < n; ++i) {
    for (ptrdiff_t j = 0; j <= i; ++j) l[j * stride + i] = l[i * stride + j] = -l[i * stride + j];
  }
}

bool cholesky_inverse(double* l, ptrdiff_t n, ptrdiff_t stride, Monitor& monitor) {
  // Columns j.. of the inverse, from row j down, need L from row and column j on: what lies left is free to
  // be overwritten.
  if (n <= own_cholesky_limit) {
    std::vector<double> scratch;
    cholesky_inverse_own(l, n, stride, scratch);
    return !monitor.poll();
  }
  constexpr ptrdiff_t width = 128;
  std::vector<double> block(checked_product("working memory", n, width));
  for (ptrdiff_t j = 0; j < n; j += width) {
    if (monitor.poll()) return false;
    const ptrdiff_t columns = std::min(width, n - j), rows = n - j;
    double* corner = l + j * stride + j;
    std::fill(block.begin(), block.end(), 0.0);
    for (ptrdiff_t c = 0; c < columns; ++c) block[at(c * (rows + 1))] = 1.0;
    solve_by_blas(corner, block.data(), rows, columns, stride);
    for (ptrdiff_t i = 0; i < rows; ++i) {
      for (ptrdiff_t c = 0; c < std::min(columns, i + 1); ++c) {
        corner[i * stride + c] = block[at(i + c * rows)];
      }
    }
  }
  for (ptrdiff_t i = 0; i < n; ++i) {
    for (ptrdiff_t j = 0; j < i; ++j) l[j * stride + i] = l[i * stride + j];
  }
  return true;
}

}  // namespace steelyard::linalg
