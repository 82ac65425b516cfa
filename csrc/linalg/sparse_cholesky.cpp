#include "linalg/sparse_cholesky.hpp"

#include <algorithm>
#include <numeric>

#include "linalg/cholesky.hpp"
#include "linalg/minimum_degree.hpp"

namespace steelyard::linalg {
namespace {

using Index = std::int32_t;
using std::ptrdiff_t;
using std::size_t;

size_t at(std::int64_t i) { return static_cast<size_t>(i); }

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
  std::vector<double> dense(at(a.largest * a.largest)), scratch;
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
    update[f].resize(at(rest * (rest + 1) / 2));
    double* kept = update[f].data();
    for (ptrdiff_t i = 0; i < rest; ++i)
      kept = std::copy_n(&dense[at((pivots + i) * n + pivots)], i + 1, kept);
  }
  return true;
}

void SparseCholesky::solve(double* b, ptrdiff_t columns) const {
  const auto& a = *analysis_;
  const ptrdiff_t n = size();
  std::vector<double> x(at(n * columns));
  for (ptrdiff_t p = 0; p < n; ++p)
    std::copy_n(b + a.variable[at(p)] * columns, columns, &x[at(p * columns)]);
  const auto subtract = [&](ptrdiff_t to, double factor, ptrdiff_t from) {
    double* y = &x[at(to * columns)];
    const double* z = &x[at(from * columns)];
    for (ptrdiff_t c = 0; c < columns; ++c) y[c] -= factor * z[c];
  };
  const auto divide = [&](ptrdiff_t row, double pivot) {
    for (ptrdiff_t c = 0; c < columns; ++c) x[at(row * columns + c)] /= pivot;
  };
  const auto row_of = [](const Analysis::Front& front, ptrdiff_t i) -> ptrdiff_t {
    return i < front.pivots ? front.first + i : front.rows[at(i - front.pivots)];
  };
  for (const auto& front : a.fronts) {
    const double* l = &values_[at(front.values)];
    for (ptrdiff_t k = 0; k < front.pivots; ++k) {
      divide(front.first + k, l[k * front.pivots + k]);
      for (ptrdiff_t i = k + 1; i < front.size(); ++i)
        subtract(row_of(front, i), l[i * front.pivots + k], front.first + k);
    }
  }
  for (auto f = a.fronts.size(); f-- > 0;) {
    const auto& front = a.fronts[f];
    const double* l = &values_[at(front.values)];
    for (ptrdiff_t k = front.pivots; k-- > 0;) {
      for (ptrdiff_t i = k + 1; i < front.size(); ++i)
        subtract(front.first + k, l[i * front.pivots + k], row_of(front, i));
      divide(front.first + k, l[k * front.pivots + k]);
    }
  }
  for (ptrdiff_t p = 0; p < n; ++p)
    std::copy_n(&x[at(p * columns)], columns, b + a.variable[at(p)] * columns);
}

double SparseCholesky::flops() const { return analysis_->flops; }
std::int64_t SparseCholesky::entries() const { return analysis_->entries; }
ptrdiff_t SparseCholesky::size() const { return std::ssize(analysis_->variable); }

}  // namespace steelyard::linalg
