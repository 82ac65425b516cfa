#include "linalg/updated_cholesky.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/index.hpp"
#include "linalg/cholesky.hpp"
#include "simd/table.hpp"

namespace steelyard::linalg {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t panel = 32;
// A pivot below that is rounding, and its sign says nothing.
constexpr double least_pivot = 4.0 * std::numeric_limits<double>::epsilon();

/// In eight sums: one would wait for each addition.
double dot(const double* a, const double* b, ptrdiff_t n) {
  double sums[8] = {};
  ptrdiff_t k = 0;
  for (; k + 8 <= n; k += 8) {
    for (ptrdiff_t c = 0; c < 8; ++c) sums[c] += a[k + c] * b[k + c];
  }
  double rest = 0.0;
  for (; k < n; ++k) rest += a[k] * b[k];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7])) + rest;
}

/// X <- X L^{-T} for X (rows x n), in panels of columns.
void solve_rows(const double* l, ptrdiff_t n, double* x, ptrdiff_t rows, ptrdiff_t stride) {
  const auto& dense = *simd::kernels().dense;
  std::vector<double> turned(checked_product("working memory", n, panel));
  for (ptrdiff_t first = 0; first < n; first += panel) {
    const ptrdiff_t width = std::min(panel, n - first);
    for (ptrdiff_t j = 0; j < width; ++j) {
      const double* row = l + (first + j) * stride;
      for (ptrdiff_t k = 0; k < first; ++k) turned[at(k * width + j)] = row[k];
    }
    dense.subtract_product(x + first, stride, x, stride, turned.data(), width, rows, width, first);
    for (ptrdiff_t r = 0; r < rows; ++r) {
      double* own = x + r * stride + first;
      for (ptrdiff_t j = 0; j < width; ++j) {
        const double* row = l + (first + j) * stride + first;
        double sum = own[j];
        for (ptrdiff_t k = 0; k < j; ++k) sum -= own[k] * row[k];
        own[j] = sum / row[j];
      }
    }
  }
}

}  // namespace

bool UpdatedCholesky::factor(std::vector<double>&& a, ptrdiff_t m, Monitor& monitor) {
  l_ = std::move(a);
  m_ = stride_ = m;
  return cholesky(l_.data(), m_, stride_, monitor);
}

void UpdatedCholesky::grow(ptrdiff_t least) {
  const ptrdiff_t wider = std::max<ptrdiff_t>({32, m_ + m_ / 4 + 8, least});
  std::vector<double> larger(checked_product("working memory", wider, wider), 0.0);
  for (ptrdiff_t i = 0; i < m_; ++i) {
    std::copy_n(l_.data() + i * stride_, i + 1, larger.data() + i * wider);
  }
  l_ = std::move(larger);
  stride_ = wider;
}

bool UpdatedCholesky::append(const double* v, double d) {
  if (m_ == stride_) grow(m_ + 1);
  double* row = l_.data() + m_ * stride_;
  double squares = 0.0;
  for (ptrdiff_t i = 0; i < m_; ++i) {
    const double* other = l_.data() + i * stride_;
    row[i] = (v[i] - dot(row, other, i)) / other[i];
    squares += row[i] * row[i];
  }
  const double pivot = d - squares;
  if (!(pivot > least_pivot * d)) return false;
  row[m_++] = std::sqrt(pivot);
  return true;
}

bool UpdatedCholesky::append(const double* v, const double* d, ptrdiff_t count) {
  if (count == 1) return append(v, *d);
  if (m_ + count > stride_) grow(m_ + count);
  double* rows = l_.data() + m_ * stride_;
  for (ptrdiff_t r = 0; r < count; ++r) {
    std::copy_n(v + r * m_, m_, rows + r * stride_);
    std::copy_n(d + r * count, count, rows + r * stride_ + m_);
  }
  solve_rows(l_.data(), m_, rows, count, stride_);
  std::vector<double> turned(checked_product("working memory", m_, count));
  for (ptrdiff_t r = 0; r < count; ++r) {
    for (ptrdiff_t k = 0; k < m_; ++k) turned[at(k * count + r)] = rows[r * stride_ + k];
  }
  simd::kernels().dense->subtract_product(rows + m_, stride_, rows, stride_, turned.data(), count, count,
                                          count, m_);
  if (!cholesky_own(rows + m_, count, stride_)) return false;
  for (ptrdiff_t r = 0; r < count; ++r) {
    const double root = rows[r * stride_ + m_ + r];
    if (!(root * root > least_pivot * d[r * count + r])) return false;
  }
  m_ += count;
  return true;
}

void UpdatedCholesky::remove(ptrdiff_t k) {
  std::vector<std::pair<double, double>> turns;  // of columns (c, c + 1), c = k, k + 1, ...
  turns.reserve(at(m_ - k));
  for (ptrdiff_t i = k; i + 1 < m_; ++i) {
    double* row = l_.data() + i * stride_;
    const double* below = row + stride_;
    std::copy_n(below, i + 2, row);  // i + 1 entries and one above the diagonal; fits, as i + 1 < m
    for (ptrdiff_t c = k; c < i; ++c) {
      const auto [cosine, sine] = turns[at(c - k)];
      const double left = row[c], right = row[c + 1];
      row[c] = cosine * left + sine * right;
      row[c + 1] = cosine * right - sine * left;
    }
    const double radius = std::sqrt(row[i] * row[i] + row[i + 1] * row[i + 1]);
    turns.emplace_back(row[i] / radius, row[i + 1] / radius);
    row[i] = radius;
  }
  --m_;
}

void UpdatedCholesky::multiply(const double* x, double* y) const {
  std::vector<double> z(at(m_), 0.0);
  for (ptrdiff_t i = 0; i < m_; ++i) {
    const double* row = l_.data() + i * stride_;
    for (ptrdiff_t j = 0; j <= i; ++j) z[at(j)] += row[j] * x[i];
  }
  for (ptrdiff_t i = 0; i < m_; ++i) y[i] = dot(l_.data() + i * stride_, z.data(), i + 1);
}

void UpdatedCholesky::solve(double* b, ptrdiff_t columns) const {
  std::vector<double> x(at(m_));
  for (ptrdiff_t c = 0; c < columns; ++c) {
    for (ptrdiff_t i = 0; i < m_; ++i) {
      const double* row = l_.data() + i * stride_;
      x[at(i)] = (b[i * columns + c] - dot(row, x.data(), i)) / row[i];
    }
    for (ptrdiff_t i = m_; i-- > 0;) {
      const double* row = l_.data() + i * stride_;
      const double value = x[at(i)] / row[i];
      for (ptrdiff_t k = 0; k < i; ++k) x[at(k)] -= value * row[k];  // L is read along its rows
      b[i * columns + c] = value;
    }
  }
}

}  // namespace steelyard::linalg
