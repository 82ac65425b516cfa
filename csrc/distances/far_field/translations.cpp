#include "distances/far_field/translations.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "core/index.hpp"
#include "core/pool.hpp"

namespace steelyard::distances {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t pad = 8;               // rows that a translation works on at once
constexpr ptrdiff_t most_factored = 2000;  // coefficients beyond which factors cost more than they save
constexpr double pivot_share = 0.64;       // Bunch and Parlett's: (1 + sqrt 17) / 8

ptrdiff_t padded(ptrdiff_t n) { return (n + pad - 1) / pad * pad; }

/// What may be left out, of the largest value: in single precision what that rounds anyway.
template <class Real>
constexpr double negligible = sizeof(Real) == sizeof(float) ? 1e-7 : 1e-15;

/// The kernel's coefficients between two cells of a shape, times s_k; the sum of the degrees' parities over axes
/// along which the cells are level is even wherever they are not 0.
class Coefficients {
 public:
  Coefficients(const Offsets& offsets, ptrdiff_t shape, ptrdiff_t p, double half, RadialKernel kernel)
      : d_(offsets.dimensions()), p_(p), size_(integer_power(p, d_)) {
    const ChebyshevBasis<double> basis(p);
    values_.assign(checked_product("working memory", size_, size_), 0.0);
    for (ptrdiff_t m = 0; m < size_; ++m) {
      double* row = values_.data() + m * size_;
      for (ptrdiff_t k = 0; k < d_; ++k) {
        const double own = 2.0 * offsets.shape(shape)[at(k)] + basis.x[at(degree(m, k))];
        const ptrdiff_t run = integer_power(p, d_ - 1 - k);
        for (ptrdiff_t l = 0; l < size_; l += run) {
          const double gap = half * (own - basis.x[at(l / run % p)]);
          for (ptrdiff_t i = l; i < l + run; ++i) row[i] += gap * gap;
        }
      }
      kernel.values(row, size_);
      for (ptrdiff_t l = 0; l < size_; ++l) largest_ = std::max(largest_, std::abs(row[l]));
    }
    std::vector<double> work(values_.size());
    along_axes(values_, work, 2 * d_, p, [&](ptrdiff_t) {
      return Both<double>{basis.to_coefficients.data(), basis.to_weights.data()};
    });
    make_symmetric(offsets, shape);
  }

  ptrdiff_t size() const { return size_; }
  double largest() const { return largest_; }
  double operator()(ptrdiff_t j, ptrdiff_t k) const { return values_[at(j * size_ + k)]; }
  double sign(ptrdiff_t k) const {
    ptrdiff_t sum = 0;
    for (ptrdiff_t e = 0; e < d_; ++e) sum += degree(k, e);
    return sum % 2 == 0 ? 1.0 : -1.0;
  }
  /// Largest coefficient of the highest degree: about what interpolation leaves.
  double tail() const {
    double most = 0.0;
    for (ptrdiff_t j = 0; j < size_; ++j) {
      bool last = false;
      for (ptrdiff_t e = 0; e < d_; ++e) last = last || degree(j, e) == p_ - 1;
      if (!last) continue;
      for (ptrdiff_t k = 0; k < size_; ++k) most = std::max(most, std::abs((*this)(j, k)));
    }
    return most;
  }

 private:
  ptrdiff_t degree(ptrdiff_t m, ptrdiff_t k) const { return m / integer_power(p_, d_ - 1 - k) % p_; }

  /// Exactly, where rounding left the rest.
  void make_symmetric(const Offsets& offsets, ptrdiff_t shape) {
    std::vector<int> parity(at(size_), 0);
    for (ptrdiff_t m = 0; m < size_; ++m)
      for (ptrdiff_t k = 0; k < d_; ++k)
        if (offsets.shape(shape)[at(k)] == 0) parity[at(m)] |= static_cast<int>(degree(m, k) % 2) << k;
    for (ptrdiff_t j = 0; j < size_; ++j) {
      for (ptrdiff_t k = 0; k <= j; ++k) {
        double& one = values_[at(j * size_ + k)];
        double& other = values_[at(k * size_ + j)];
        const double mean = 0.5 * (one * sign(k) + other * sign(j));
        one = other = parity[at(j)] == parity[at(k)] ? mean : 0.0;
      }
    }
  }

  ptrdiff_t d_, p_, size_;
  double largest_ = 0.0;
  std::vector<double> values_;
};

/// A symmetric matrix, of which one or two columns after another are taken away.
class Elimination {
 public:
  explicit Elimination(std::vector<double> rest, ptrdiff_t m) : m_(m), rest_(std::move(rest)) {}

  std::vector<double> columns, rows;  ///< rank x m each: sum of columns' rows is what was taken
  ptrdiff_t rank() const { return std::ssize(columns) / m_; }

  /// Until the root of the sum of squares is at most `enough`, or the rank would reach `most`: then false.
  bool run(double enough, ptrdiff_t most) {
    for (;;) {
      look();
      if (squares_ <= enough * enough) return true;
      if (rank() + 2 > most) return false;
      if (diagonal_ >= pivot_share * off_) {
        take(at_diagonal_, -1);
      } else {
        take(row_, col_);
      }
    }
  }

  double moduli_left() const {
    return std::accumulate(rest_.begin(), rest_.end(), 0.0,
                           [](double sum, double x) { return sum + std::abs(x); });
  }

 private:
  std::vector<double> row_of(ptrdiff_t a) const {
    const double* row = rest_.data() + a * m_;
    return {row, row + m_};
  }

  void look() {
    squares_ = diagonal_ = off_ = 0.0;
    for (ptrdiff_t j = 0; j < m_; ++j) {
      const double* row = rest_.data() + j * m_;
      for (ptrdiff_t k = 0; k < j; ++k) {
        squares_ += 2.0 * row[k] * row[k];
        if (std::abs(row[k]) > off_) {
          off_ = std::abs(row[k]);
          row_ = j;
          col_ = k;
        }
      }
      squares_ += row[j] * row[j];
      if (std::abs(row[j]) > diagonal_) {
        diagonal_ = std::abs(row[j]);
        at_diagonal_ = j;
      }
    }
  }

  /// rest <- rest - V P^{-1} V', V its columns a and (unless negative) b, P their block.
  void take(ptrdiff_t a, ptrdiff_t b) {
    const auto va = row_of(a);
    std::vector<double> ra = va;
    const double paa = va[at(a)];
    if (b < 0) {
      for (double& x : ra) x /= paa;
      add(va, ra);
      return;
    }
    const auto vb = row_of(b);
    std::vector<double> rb = vb;
    const double pab = va[at(b)], pbb = vb[at(b)], det = paa * pbb - pab * pab;
    for (ptrdiff_t k = 0; k < m_; ++k) {
      ra[at(k)] = (pbb * va[at(k)] - pab * vb[at(k)]) / det;
      rb[at(k)] = (paa * vb[at(k)] - pab * va[at(k)]) / det;
    }
    add(va, ra);
    add(vb, rb);
  }

  void add(const std::vector<double>& column, const std::vector<double>& row) {
    for (ptrdiff_t j = 0; j < m_; ++j) {
      const double factor = column[at(j)];
      if (factor == 0.0) continue;
      double* to = rest_.data() + j * m_;
      for (ptrdiff_t k = 0; k < m_; ++k) to[k] -= factor * row[at(k)];
    }
    columns.insert(columns.end(), column.begin(), column.end());
    rows.insert(rows.end(), row.begin(), row.end());
  }

  ptrdiff_t m_;
  std::vector<double> rest_;
  double squares_ = 0.0, diagonal_ = 0.0, off_ = 0.0;
  ptrdiff_t at_diagonal_ = 0, row_ = 0, col_ = 0;
};

/// The coefficients whose rows count, in their order; `left_out` grows by the sum of the others' moduli.
std::vector<std::int32_t> rows_that_count(const Coefficients& c, double enough, double& left_out) {
  std::vector<double> sums(at(c.size()), 0.0);
  for (ptrdiff_t j = 0; j < c.size(); ++j)
    for (ptrdiff_t k = 0; k < c.size(); ++k) sums[at(j)] += 2.0 * std::abs(c(j, k));
  std::vector<std::int32_t> order(sums.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return sums[at(a)] < sums[at(b)]; });
  std::size_t first = 0;
  while (first + 1 < order.size() && left_out + sums[at(order[first])] <= enough)
    left_out += sums[at(order[first++])];
  std::vector<std::int32_t> kept(order.begin() + static_cast<ptrdiff_t>(first), order.end());
  std::sort(kept.begin(), kept.end());
  return kept;
}

template <class Real>
ShapeTranslation<Real> factored(const Coefficients& c) {
  ShapeTranslation<Real> out;
  const double enough = std::max(0.3 * c.tail(), negligible<Real> * c.largest());
  out.kept = rows_that_count(c, 4.0 * enough, out.left_out);
  const ptrdiff_t m = std::ssize(out.kept);
  std::vector<double> block(checked_product("working memory", m, m));
  for (ptrdiff_t j = 0; j < m; ++j)
    for (ptrdiff_t k = 0; k < m; ++k) block[at(j * m + k)] = c(out.kept[at(j)], out.kept[at(k)]);
  const auto signed_at = [&](ptrdiff_t k) { return c.sign(out.kept[at(k)]); };
  if (m <= most_factored) {
    Elimination e(block, m);
    if (e.run(enough, m / 2)) {
      const ptrdiff_t rank = e.rank();
      out.width = padded(std::max<ptrdiff_t>(rank, 1));
      out.in.assign(checked_product("working memory", out.width, m), Real{0});
      out.out.assign(out.in.size(), Real{0});
      for (ptrdiff_t r = 0; r < rank; ++r) {
        double columns = 0.0, rows = 0.0;
        for (ptrdiff_t k = 0; k < m; ++k) {
          out.in[at(k * out.width + r)] = static_cast<Real>(e.rows[at(r * m + k)] * signed_at(k));
          out.out[at(r * m + k)] = static_cast<Real>(e.columns[at(r * m + k)]);
          columns += std::abs(e.columns[at(r * m + k)]);
          rows += std::abs(e.rows[at(r * m + k)]);
        }
        out.weight += columns * rows;
      }
      out.left_out += e.moduli_left();
    }
  }
  if (out.width == 0) {
    out.width = padded(m);
    out.in.assign(checked_product("working memory", out.width, m), Real{0});
    for (ptrdiff_t j = 0; j < m; ++j) {
      for (ptrdiff_t k = 0; k < m; ++k) {
        out.in[at(k * out.width + j)] = static_cast<Real>(block[at(j * m + k)] * signed_at(k));
        out.weight += std::abs(block[at(j * m + k)]);
      }
    }
  }
  return out;
}

}  // namespace

ptrdiff_t integer_power(ptrdiff_t base, ptrdiff_t exponent) {
  ptrdiff_t out = 1;
  for (ptrdiff_t k = 0; k < exponent; ++k) out *= base;
  return out;
}

/// One by one: what counts and which pivots are taken must not depend on the instruction set.
void RadialKernel::values(double* x, ptrdiff_t n) const {
  for (ptrdiff_t i = 0; i < n; ++i) {
    const double s = rate * std::sqrt(x[i]);
    switch (kind) {
      case simd::Kernel::energy:
        x[i] = -std::sqrt(x[i]);
        break;
      case simd::Kernel::laplacian:
        x[i] = std::exp(-s);
        break;
      case simd::Kernel::gaussian:
        x[i] = std::exp(-s * s);
        break;
      case simd::Kernel::matern32:
        x[i] = (1.0 + s) * std::exp(-s);
        break;
      case simd::Kernel::matern52:
        x[i] = (1.0 + s + s * s / 3.0) * std::exp(-s);
        break;
    }
  }
}

bool RadialKernel::vanishes(double distance, double cut) const {
  const double s = rate * distance;
  switch (kind) {
    case simd::Kernel::energy:
      return false;
    case simd::Kernel::laplacian:
      return s > cut;
    case simd::Kernel::gaussian:
      return s * s > cut;
    case simd::Kernel::matern32:
      return s - std::log1p(s) > cut;
    default:
      return s - std::log1p(s + s * s / 3.0) > cut;
  }
}

template <class Real>
ChebyshevBasis<Real>::ChebyshevBasis(ptrdiff_t p)
    : x(at(p)),
      to_coefficients(checked_product("working memory", p, p)),
      to_weights(to_coefficients.size()),
      most_moved(1.0) {
  const auto angle = [p](ptrdiff_t k) {
    return static_cast<double>(2 * k + 1) * std::numbers::pi / static_cast<double>(2 * p);
  };
  std::vector<double> weights(to_coefficients.size());
  for (ptrdiff_t k = 0; k < p; ++k) {
    x[at(k)] = std::cos(angle(k));
    for (ptrdiff_t j = 0; j < p; ++j) {
      weights[at(j * p + k)] =
          (j == 0 ? 1.0 : 2.0) / static_cast<double>(p) * std::cos(static_cast<double>(j) * angle(k));
      to_coefficients[at(j * p + k)] = to_weights[at(k * p + j)] = static_cast<Real>(weights[at(j * p + k)]);
    }
  }
  for (std::size_t half = 0; half < 2; ++half) {
    to_parent[half].assign(to_coefficients.size(), Real{0});
    to_child[half].assign(to_coefficients.size(), Real{0});
    for (ptrdiff_t k = 0; k < p; ++k) {
      double moduli = 0.0;
      for (ptrdiff_t j = 0; j <= k; ++j) {  // T_k((z +- 1) / 2) by its coefficients
        double sum = 0.0;
        for (ptrdiff_t c = 0; c < p; ++c)
          sum += weights[at(j * p + c)] *
                 std::cos(static_cast<double>(k) * std::acos(0.5 * (x[at(c)] + (half == 1 ? 1.0 : -1.0))));
        to_parent[half][at(k * p + j)] = to_child[half][at(j * p + k)] = static_cast<Real>(sum);
        moduli += std::abs(sum);
      }
      most_moved = std::max(most_moved, moduli);
    }
  }
}

template <class Real>
Translations<Real>::Translations(const PointTree& tree, const Offsets& offsets, const Interactions& all,
                                 ptrdiff_t p, RadialKernel kernel, double cut, Monitor& monitor)
    : shapes_(offsets.shapes()) {
  const ptrdiff_t levels = std::ssize(all.levels) - 1;
  all_.resize(checked_product("working memory", levels, shapes_));
  std::vector<char> there(all_.size(), 0);
  std::vector<ptrdiff_t> needed;
  for (const auto& t : all.translations) {
    const ptrdiff_t level = tree.cells()[at(all.boxes[at(t.target)].cell)].level;
    there[at(level * shapes_ + offsets.shape_of(t.code))] = 1;
  }
  for (ptrdiff_t k = 0; k < std::ssize(there); ++k) {
    const double gap = tree.half(k / shapes_) * offsets.least_gap(k % shapes_);
    if (there[at(k)] != 0 && !kernel.vanishes(gap, cut)) needed.push_back(k);
  }
  parallel_for(std::ssize(needed), 1, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    for (auto k = begin; k < end && !monitor.poll(); ++k) {
      const auto own = needed[at(k)];
      all_[at(own)] =
          factored<Real>(Coefficients(offsets, own % shapes_, p, tree.half(own / shapes_), kernel));
    }
  });
}

template struct ChebyshevBasis<float>;
template struct ChebyshevBasis<double>;
template class Translations<float>;
template class Translations<double>;

}  // namespace steelyard::distances
