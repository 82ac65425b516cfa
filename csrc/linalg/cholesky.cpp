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

/// L of a small diagonal block, row by row.
bool factor_block(double* a, ptrdiff_t n, ptrdiff_t stride) {
  for (ptrdiff_t i = 0; i < n; ++i) {
    for (ptrdiff_t j = 0; j <= i; ++j) {
      double sum = a[i * stride + j];
      for (ptrdiff_t k = 0; k < j; ++k) sum -= a[i * stride + k] * a[j * stride + k];
      if (i != j) {
        a[i * stride + j] = sum / a[j * stride + j];
      } else if (sum > 0.0 && std::isfinite(sum)) {
        a[i * stride + i] = std::sqrt(sum);
      } else {
        return false;
      }
    }
  }
  return true;
}

/// Rows below a factored block: X <- X L^{-T}.
void solve_panel(const double* l, double* x, ptrdiff_t rows, ptrdiff_t n, ptrdiff_t stride) {
  for (ptrdiff_t i = 0; i < rows; ++i) {
    double* row = x + i * stride;
    for (ptrdiff_t j = 0; j < n; ++j) {
      double sum = row[j];
      for (ptrdiff_t k = 0; k < j; ++k) sum -= row[k] * l[j * stride + k];
      row[j] = sum / l[j * stride + j];
    }
  }
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
  for (ptrdiff_t k = 0; k < columns; k += own_block) {
    const ptrdiff_t nb = std::min(own_block, columns - k), next = k + nb, rest = n - next;
    double* diagonal = a + k * stride + k;
    if (!factor_block(diagonal, nb, stride)) return false;
    if (rest == 0) break;
    double* below = a + next * stride + k;
    solve_panel(diagonal, below, rest, nb, stride);
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

bool cholesky_inverse(double* l, ptrdiff_t n, ptrdiff_t stride, Monitor& monitor) {
  // Columns j.. of the inverse, from row j down, need L from row and column j on: what lies left is free to
  // be overwritten.
  const bool large = n > own_cholesky_limit;
  const ptrdiff_t width = large ? 128 : 16;
  std::vector<double> block(checked_product("working memory", n, width));
  for (ptrdiff_t j = 0; j < n; j += width) {
    if (monitor.poll()) return false;
    const ptrdiff_t columns = std::min(width, n - j), rows = n - j;
    double* corner = l + j * stride + j;
    std::fill(block.begin(), block.end(), 0.0);
    const ptrdiff_t row_step = large ? 1 : width, column_step = large ? rows : 1;
    for (ptrdiff_t c = 0; c < columns; ++c) block[at(c * row_step + c * column_step)] = 1.0;
    if (large) {
      solve_by_blas(corner, block.data(), rows, columns, stride);
    } else {
      cholesky_solve(corner, rows, stride, block.data(), columns, width);
    }
    for (ptrdiff_t i = 0; i < rows; ++i) {
      for (ptrdiff_t c = 0; c < std::min(columns, i + 1); ++c) {
        corner[i * stride + c] = block[at(i * row_step + c * column_step)];
      }
    }
  }
  for (ptrdiff_t i = 0; i < n; ++i) {
    for (ptrdiff_t j = 0; j < i; ++j) l[j * stride + i] = l[i * stride + j];
  }
  return true;
}

}  // namespace steelyard::linalg
