#include "linalg/updated_cholesky.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/index.hpp"
#include "linalg/cholesky.hpp"

namespace steelyard::linalg {
namespace {

using std::ptrdiff_t;

}  // namespace

bool UpdatedCholesky::factor(std::vector<double>&& a, ptrdiff_t m, Monitor& monitor) {
  l_ = std::move(a);
  m_ = stride_ = m;
  return cholesky(l_.data(), m_, stride_, monitor);
}

void UpdatedCholesky::grow() {
  const ptrdiff_t wider = std::max<ptrdiff_t>(32, m_ + m_ / 4 + 8);
  std::vector<double> larger(checked_product("working memory", wider, wider), 0.0);
  for (ptrdiff_t i = 0; i < m_; ++i) {
    std::copy_n(l_.data() + i * stride_, i + 1, larger.data() + i * wider);
  }
  l_ = std::move(larger);
  stride_ = wider;
}

bool UpdatedCholesky::append(const double* v, double d) {
  if (m_ == stride_) grow();
  double* row = l_.data() + m_ * stride_;
  double squares = 0.0;
  for (ptrdiff_t i = 0; i < m_; ++i) {
    const double* other = l_.data() + i * stride_;
    double sum = v[i];
    for (ptrdiff_t k = 0; k < i; ++k) sum -= row[k] * other[k];
    row[i] = sum / other[i];
    squares += row[i] * row[i];
  }
  const double pivot = d - squares;
  // Below that the pivot is rounding, and its sign says nothing.
  if (!(pivot > 4.0 * std::numeric_limits<double>::epsilon() * d)) return false;
  row[m_++] = std::sqrt(pivot);
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
  for (ptrdiff_t i = 0; i < m_; ++i) {
    const double* row = l_.data() + i * stride_;
    double sum = 0.0;
    for (ptrdiff_t j = 0; j <= i; ++j) sum += row[j] * z[at(j)];
    y[i] = sum;
  }
}

void UpdatedCholesky::solve(double* b, ptrdiff_t columns) const {
  cholesky_solve(l_.data(), m_, stride_, b, columns, columns);
}

}  // namespace steelyard::linalg
