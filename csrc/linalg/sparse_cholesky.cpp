#include "linalg/sparse_cholesky.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/index.hpp"
#include "linalg/cholesky.hpp"
#include "linalg/minimum_degree.hpp"

namespace steelyard::linalg {
namespace {

using Index = std::int32_t;
using std::ptrdiff_t;
using std::size_t;

/// Where an entry of the pattern (or of the diagonal) goes in its front.
struct Target {
  std::int64_t source;
  Index row, col;
};

}  // namespace

struct SparseCholesky::Analysis {
  struct Front {
    Index first = 0, pivots = 0;  ///< positions first .. first + pivots - 1 are eliminated here
    std::vector<Index> rows;      ///< positions of the rows below, ascending
    std::vector<Index> children;
    std::vector<Target> entries;
    std::int64_t values = 0;  ///< start of its columns of L

    ptrdiff_t size() const { return pivots + std::ssize(rows); }
    ptrdiff_t row(ptrdiff_t i) const { return i < pivots ? first + i : rows[at(i - pivots)]; }
  };

  std::vector<Front> fronts;
  std::vector<Index> position, variable;  ///< of each variable; at each position
  double flops = 0.0;
  std::int64_t entries = 0;
  ptrdiff_t largest = 0;

  void number(Elimination& elimination) {
    position.resize(variable.size());
    Index next = 0;
    for (const auto& front : elimination.fronts) {
      for (const Index v : front.pivots) {
        position[at(v)] = next;
        variable[at(next++)] = v;
      }
    }
  }

  void lay_out(Elimination& elimination) {
    fronts.resize(elimination.fronts.size());
    Index first = 0;
    for (size_t f = 0; f < fronts.size(); ++f) {
      auto& from = elimination.fronts[f];
      auto& to = fronts[f];
      to.first = first;
      to.pivots = static_cast<Index>(from.pivots.size());
      first += to.pivots;
      to.rows = std::move(from.rows);
      for (Index& row : to.rows) row = position[at(row)];
      std::sort(to.rows.begin(), to.rows.end());
      to.values = entries;
      entries += to.pivots * to.size();
      largest = std::max(largest, to.size());
      if (from.parent >= 0) fronts[at(from.parent)].children.push_back(static_cast<Index>(f));
    }
  }

  /// Local row of each position within a front.
  void localise(const Front& front, std::vector<Index>& local) const {
    std::iota(local.begin() + front.first, local.begin() + front.first + front.pivots, 0);
    for (size_t k = 0; k < front.rows.size(); ++k)
      local[at(front.rows[k])] = front.pivots + static_cast<Index>(k);
  }

  void place_entries(const CsrPattern& pattern) {
    std::vector<Index> local(variable.size());
    for (auto& front : fronts) {
      localise(front, local);
      for (Index p = front.first; p < front.first + front.pivots; ++p) {
        const Index v = variable[at(p)];
        for (auto k = pattern.offsets[at(v)]; k < pattern.offsets[at(v) + 1]; ++k) {
          const Index q = position[at(pattern.indices[at(k)])];
          if (q > p) front.entries.push_back({k, local[at(q)], p - front.first});
        }
      }
    }
  }
};

std::optional<SparseCholesky> SparseCholesky::analyse(const CsrPattern& pattern, double max_flops,
                                                      Monitor& monitor) {
  auto elimination = eliminate(pattern, max_flops, monitor);
  if (!elimination) return std::nullopt;
  auto analysis = std::make_shared<Analysis>();
  analysis->variable.resize(at(pattern.rows()));
  analysis->flops = elimination->flops;
  analysis->number(*elimination);
  analysis->lay_out(*elimination);
  analysis->place_entries(pattern);
  SparseCholesky out;
  out.analysis_ = std::move(analysis);
  return out;
}

bool SparseCholesky::factor(std::span<const double> diagonal, std::span<const double> off_diagonal,
                            Monitor& monitor) {
  const auto& a = *analysis_;
  values_.resize(at(a.entries));
  std::vector<std::vector<double>> update(
      a.fronts.size());  // lower triangles, until the parent has taken them
  std::vector<double> dense(checked_product("working memory", a.largest, a.largest)), scratch;
  std::vector<Index> local(a.variable.size());
  for (size_t f = 0; f < a.fronts.size(); ++f) {
    if (monitor.poll()) return false;
    const auto& front = a.fronts[f];
    const ptrdiff_t n = front.size(), pivots = front.pivots, rest = n - pivots;
    std::fill_n(dense.begin(), n * n, 0.0);
    a.localise(front, local);
    for (ptrdiff_t k = 0; k < pivots; ++k)
      dense[at(k * n + k)] = diagonal[at(a.variable[at(front.first + k)])];
    for (const auto& entry : front.entries)
      dense[at(entry.row * n + entry.col)] += off_diagonal[at(entry.source)];
    for (const Index child : front.children) {
      const auto& rows = a.fronts[at(child)].rows;
      const double* from = update[at(child)].data();
      for (size_t i = 0; i < rows.size(); ++i) {
        double* to = &dense[at(local[at(rows[i])] * n)];
        for (size_t j = 0; j <= i; ++j) to[local[at(rows[j])]] += *from++;
      }
      std::vector<double>().swap(update[at(child)]);
    }
    if (!cholesky_partial(dense.data(), n, pivots, n, scratch)) return false;
    double* to = &values_[at(front.values)];
    for (ptrdiff_t i = 0; i < n; ++i) to = std::copy_n(&dense[at(i * n)], pivots, to);
    update[f].resize(checked_product("working memory", rest, rest + 1) / 2);
    double* kept = update[f].data();
    for (ptrdiff_t i = 0; i < rest; ++i)
      kept = std::copy_n(&dense[at((pivots + i) * n + pivots)], i + 1, kept);
  }
  return true;
}

/// Vectors in order of elimination, row-major, and the two triangular solves on them.
class SparseCholesky::Permuted {
 public:
  Permuted(const Analysis& a, const std::vector<double>& values, ptrdiff_t columns)
      : a_(a), l_(values), m_(columns), x_(a.variable.size() * at(columns)) {}

  void take(const double* b, bool permute) {
    for (ptrdiff_t p = 0; p < rows(); ++p) std::copy_n(b + place(p, permute) * m_, m_, &x_[at(p * m_)]);
  }

  void give(double* b, bool permute) const {
    for (ptrdiff_t p = 0; p < rows(); ++p) std::copy_n(&x_[at(p * m_)], m_, b + place(p, permute) * m_);
  }

  // L is read in the order in which it lies: a front's pivots, then row after row below them.
  void forward() {
    for (const auto& front : a_.fronts) {
      const double* l = &l_[at(front.values)];
      for (ptrdiff_t k = 0; k < front.pivots; ++k) {
        for (ptrdiff_t j = 0; j < k; ++j) subtract(front.first + k, l[k * front.pivots + j], front.first + j);
        divide(front.first + k, l[k * front.pivots + k]);
      }
      for (ptrdiff_t i = front.pivots; i < front.size(); ++i)
        for (ptrdiff_t k = 0; k < front.pivots; ++k)
          subtract(front.row(i), l[i * front.pivots + k], front.first + k);
    }
  }

  void backward() {
    for (auto f = a_.fronts.size(); f-- > 0;) {
      const auto& front = a_.fronts[f];
      const double* l = &l_[at(front.values)];
      for (ptrdiff_t i = front.pivots; i < front.size(); ++i)
        for (ptrdiff_t k = 0; k < front.pivots; ++k)
          subtract(front.first + k, l[i * front.pivots + k], front.row(i));
      for (ptrdiff_t k = front.pivots; k-- > 0;) {
        for (ptrdiff_t j = k + 1; j < front.pivots; ++j)
          subtract(front.first + k, l[j * front.pivots + k], front.first + j);
        divide(front.first + k, l[k * front.pivots + k]);
      }
    }
  }

 private:
  ptrdiff_t rows() const { return std::ssize(a_.variable); }
  ptrdiff_t place(ptrdiff_t p, bool permute) const { return permute ? a_.variable[at(p)] : p; }

  void subtract(ptrdiff_t to, double factor, ptrdiff_t from) {
    if (m_ == 1) {
      x_[at(to)] -= factor * x_[at(from)];
      return;
    }
    double* y = &x_[at(to * m_)];
    const double* z = &x_[at(from * m_)];
    for (ptrdiff_t c = 0; c < m_; ++c) y[c] -= factor * z[c];
  }

  void divide(ptrdiff_t row, double pivot) {
    for (ptrdiff_t c = 0; c < m_; ++c) x_[at(row * m_ + c)] /= pivot;
  }

  const Analysis& a_;
  const std::vector<double>& l_;
  ptrdiff_t m_;
  std::vector<double> x_;
};

void SparseCholesky::solve(double* b, ptrdiff_t columns) const {
  Permuted x(*analysis_, values_, columns);
  x.take(b, true);
  x.forward();
  x.backward();
  x.give(b, true);
}

void SparseCholesky::solve_transposed(double* b, ptrdiff_t columns) const {
  Permuted x(*analysis_, values_, columns);
  x.take(b, false);
  x.backward();
  x.give(b, true);
}

void SparseCholesky::solve_lower(double* b, ptrdiff_t columns) const {
  Permuted x(*analysis_, values_, columns);
  x.take(b, true);
  x.forward();
  x.give(b, false);
}

double SparseCholesky::log_determinant() const {
  double sum = 0.0;
  for (const auto& front : analysis_->fronts)
    for (ptrdiff_t k = 0; k < front.pivots; ++k)
      sum += std::log(values_[at(front.values + k * front.pivots + k)]);
  return 2.0 * sum;
}

namespace {

/// The columns [L11; L21] of a front, n x pivots row-major. With Z22 in the lower right of `z` (n x n, full),
/// fills the rest: Z21 = -Z22 U and Z11 = (L11 L11')^{-1} - U' Z21 with U = L21 L11^{-1}. The transpose of U
/// is kept, so that the inner loops run over the rows below.
void invert_front(const double* l, ptrdiff_t n, ptrdiff_t pivots, double* z, std::vector<double>& scratch) {
  const ptrdiff_t rest = n - pivots;
  scratch.assign(checked_product("working memory", pivots, rest + pivots), 0.0);
  double* ut = scratch.data();           // pivots x rest
  double* inverse = ut + pivots * rest;  // L11^{-1}, lower
  for (ptrdiff_t c = 0; c < pivots; ++c) {
    for (ptrdiff_t i = c; i < pivots; ++i) {
      double sum = i == c ? 1.0 : 0.0;
      for (ptrdiff_t k = c; k < i; ++k) sum -= l[i * pivots + k] * inverse[k * pivots + c];
      inverse[i * pivots + c] = sum / l[i * pivots + i];
    }
  }
  for (ptrdiff_t p = 0; p < pivots; ++p)
    for (ptrdiff_t k = p; k < pivots; ++k)
      for (ptrdiff_t j = 0; j < rest; ++j)
        ut[p * rest + j] += inverse[k * pivots + p] * l[(pivots + j) * pivots + k];
  for (ptrdiff_t p = 0; p < pivots; ++p) std::fill_n(z + p * n + pivots, rest, 0.0);
  for (ptrdiff_t p = 0; p < pivots; ++p) {
    double* out = z + p * n + pivots;
    for (ptrdiff_t j = 0; j < rest; ++j) {
      const double factor = ut[p * rest + j];
      const double* row = z + (pivots + j) * n + pivots;
      for (ptrdiff_t i = 0; i < rest; ++i) out[i] -= factor * row[i];
    }
  }
  for (ptrdiff_t p = 0; p < pivots; ++p) {
    for (ptrdiff_t q = 0; q <= p; ++q) {
      double sum = 0.0;
      for (ptrdiff_t k = p; k < pivots; ++k) sum += inverse[k * pivots + p] * inverse[k * pivots + q];
      for (ptrdiff_t j = 0; j < rest; ++j) sum -= ut[p * rest + j] * z[q * n + pivots + j];
      z[p * n + q] = z[q * n + p] = sum;
    }
    for (ptrdiff_t j = 0; j < rest; ++j) z[(pivots + j) * n + p] = z[p * n + pivots + j];
  }
}

}  // namespace

bool SparseCholesky::selected_inverse(std::span<double> diagonal,
                                      const std::function<void(std::int64_t, double)>& entry,
                                      Monitor& monitor) const {
  const auto& a = *analysis_;
  std::vector<std::vector<double>> given(a.fronts.size());  // Z22 of each front, from its parent
  std::vector<double> dense(checked_product("working memory", a.largest, a.largest)), scratch;
  std::vector<Index> local(a.variable.size());
  for (auto f = a.fronts.size(); f-- > 0;) {
    if (monitor.poll()) return false;
    const auto& front = a.fronts[f];
    const ptrdiff_t n = front.size(), pivots = front.pivots, rest = n - pivots;
    const double* from = given[f].data();
    for (ptrdiff_t i = 0; i < rest; ++i)
      for (ptrdiff_t j = 0; j <= i; ++j)
        dense[at((pivots + i) * n + pivots + j)] = dense[at((pivots + j) * n + pivots + i)] = *from++;
    std::vector<double>().swap(given[f]);
    invert_front(&values_[at(front.values)], n, pivots, dense.data(), scratch);
    a.localise(front, local);
    for (ptrdiff_t k = 0; k < pivots; ++k)
      diagonal[at(a.variable[at(front.first + k)])] = dense[at(k * n + k)];
    for (const auto& target : front.entries) entry(target.source, dense[at(target.row * n + target.col)]);
    for (const Index child : front.children) {
      const auto& rows = a.fronts[at(child)].rows;
      auto& to = given[at(child)];
      to.reserve(checked_product("working memory", rows.size(), rows.size() + 1) / 2);
      for (size_t i = 0; i < rows.size(); ++i)
        for (size_t j = 0; j <= i; ++j) to.push_back(dense[at(local[at(rows[i])] * n + local[at(rows[j])])]);
    }
  }
  return true;
}

double SparseCholesky::flops() const { return analysis_->flops; }
std::int64_t SparseCholesky::entries() const { return analysis_->entries; }
ptrdiff_t SparseCholesky::size() const { return std::ssize(analysis_->variable); }

}  // namespace steelyard::linalg
