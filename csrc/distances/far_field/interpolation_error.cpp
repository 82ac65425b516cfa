#include "distances/far_field/interpolation_error.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/index.hpp"
#include "core/infinity.hpp"

namespace steelyard::distances {
namespace {

using std::ptrdiff_t;

constexpr double unit_rounding = 0x1p-53;

double lebesgue(ptrdiff_t p) { return 2.0 / std::numbers::pi * std::log(static_cast<double>(p)) + 1.0; }

/// The error of one coordinate, by ellipses: the other point is `nearest` from its middle at least, the squared gaps
/// of the other coordinates add up to `low`.
double coordinate_error(double nearest, double low, ptrdiff_t p, double rate) {
  const double r0 = std::sqrt(low + nearest * nearest);
  double best = infinity;
  for (double rho = 1.1; rho < 40.0; rho *= 1.04) {
    const double a = 0.5 * (rho + 1.0 / rho), b = 0.5 * (rho - 1.0 / rho), both = a * a + b * b;
    // The least over the ellipse of (nearest + a cos)^2 - (b sin)^2, the first no less than 0.
    const double q = low + (a * nearest <= both ? b * b * (nearest * nearest / both - 1.0)
                                                : (nearest - a) * (nearest - a));
    if (!(q > 1e-9)) break;
    const double m = std::exp(-rate * std::sqrt(q)) * std::min(1.0, rate * a * (2.0 + a / r0));
    best = std::min(best, 4.0 * m * std::pow(rho, static_cast<double>(1 - p)) / (rho - 1.0));
  }
  return best;
}

/// The errors of all coordinates, those of large ones first.
double summed(std::vector<double> errors, ptrdiff_t p) {
  std::sort(errors.begin(), errors.end(), std::greater<>());
  double sum = 0.0, factor = 1.0;
  for (const double e : errors) {
    sum += factor * e;
    factor *= lebesgue(p);
  }
  return sum;
}

/// Squared gaps of all coordinates but one between cells of this shape and side.
double squared_gaps_but(const Offsets& offsets, ptrdiff_t shape, ptrdiff_t but, double side) {
  double sum = 0.0;
  for (ptrdiff_t e = 0; e < offsets.dimensions(); ++e) {
    const double gap = std::max(0.0, side * (offsets.shape(shape)[at(e)] - 1.0));
    if (e != but) sum += gap * gap;
  }
  return sum;
}

/// What rounding does to a value of a series whose modulus is at most 1, made of moments that went up and came
/// down through so many levels. A level makes sums of p terms a dimension, whose moduli add up to `moved` times the
/// largest at most; errors of the coefficients then go on exactly, and a polynomial of modulus 1 has coefficients
/// whose moduli add up to the root of their number times 2^d at most (Parseval).
double rounding_of_series(ptrdiff_t d, ptrdiff_t p, ptrdiff_t levels) {
  const double moved = std::pow(ChebyshevBasis<double>(p).most_moved, static_cast<double>(d));
  const double terms = static_cast<double>(2 * d * (p + 4) * (levels + 2) + 64);
  const double coefficients = std::pow(2.0 * static_cast<double>(p), 0.5 * static_cast<double>(d));
  return 2.0 * unit_rounding * terms * coefficients * moved;
}

}  // namespace

double interpolation_error(const Offsets& offsets, ptrdiff_t shape, ptrdiff_t p, double rate) {
  std::vector<double> errors;
  for (ptrdiff_t k = 0; k < offsets.dimensions(); ++k) {
    const double nearest = std::max(0.0, 2.0 * offsets.shape(shape)[at(k)] - 1.0);
    const double one = coordinate_error(nearest, squared_gaps_but(offsets, shape, k, 2.0), p, rate);
    errors.insert(errors.end(), 2, one);  // in either cell
  }
  return summed(errors, p);
}

/// Some coordinate differs from the cell's middle by three halves of its side at least. That is the one in the
/// ellipse, or it is another.
double one_sided_error(ptrdiff_t d, ptrdiff_t p, double rate) {
  const double own = coordinate_error(3.0, 0.0, p, rate);
  const double other = coordinate_error(0.0, 4.0, p, rate);
  std::vector<double> errors(at(d), std::max(own, d > 1 ? other : 0.0));
  return summed(errors, p);
}

namespace {

constexpr ptrdiff_t series_points = 40;  // N
using Extended = long double;

/// delta_m for each m < N and p <= N points: 0 for m < p.
using AliasTable = std::array<std::array<double, at(series_points) + 1>, at(series_points)>;

AliasTable make_alias_table() {
  constexpr ptrdiff_t n = series_points;
  const ChebyshevBasis<double> basis(n);
  AliasTable table{};
  std::vector<double> c(checked_product("series of the kernel", n, n)), work(c.size());
  for (ptrdiff_t m = 0; m < n; ++m) {
    const auto degree = static_cast<double>(m);
    for (ptrdiff_t i = 0; i < n; ++i)
      for (ptrdiff_t k = 0; k < n; ++k)
        c[at(i * n + k)] = std::cos(degree * std::acos(0.5 * (basis.x[at(i)] - basis.x[at(k)])));
    along_axes(c, work, 2, n, [&](ptrdiff_t) {
      return Both<double>{basis.to_coefficients.data(), basis.to_weights.data()};
    });
    // T_m' <= m^2 and nodes are off by some roundings, weights by 400.
    const double rounding = unit_rounding * (100.0 * degree * degree + 4000.0);
    std::array<double, at(n)> sums{};
    for (ptrdiff_t j = 0; j <= m; ++j)
      for (ptrdiff_t k = 0; k <= m - j; ++k)
        sums[at(std::max(j, k))] += 2.0 * (std::abs(c[at(j * n + k)]) + rounding);
    for (auto p = m; p >= 0; --p) table[at(m)][at(p)] = table[at(m)][at(p) + 1] + sums[at(p)];
  }
  return table;
}

/// a_m, each no smaller in modulus than it is, less the kernel in the middle.
std::vector<double> series_moduli(const Offsets& offsets, ptrdiff_t shape, double rate) {
  constexpr ptrdiff_t n = series_points;
  const ptrdiff_t d = offsets.dimensions(), size = integer_power(n, d);
  const auto cosine = [](ptrdiff_t quarters) {  // of quarters pi / 2 n
    return std::cos(static_cast<Extended>(quarters % (4 * n)) * std::numbers::pi_v<Extended> /
                    static_cast<Extended>(2 * n));
  };
  std::vector<Extended> weights(checked_product("series of the kernel", n, n)), transposed(weights.size()),
      a(at(size)), work(a.size());
  for (ptrdiff_t j = 0; j < n; ++j)
    for (ptrdiff_t k = 0; k < n; ++k)
      weights[at(j * n + k)] = transposed[at(k * n + j)] =
          static_cast<Extended>(j == 0 ? 1 : 2) / static_cast<Extended>(n) * cosine(j * (2 * k + 1));
  Extended middle = 0, largest = 0;
  for (ptrdiff_t e = 0; e < d; ++e) {
    const Extended offset = 2 * static_cast<Extended>(offsets.shape(shape)[at(e)]);
    middle += offset * offset;
  }
  middle = std::sqrt(middle);
  const auto s = static_cast<Extended>(rate);
  const Extended there = std::exp(-s * middle);
  for (ptrdiff_t m = 0; m < size; ++m) {
    Extended square = 0;
    for (ptrdiff_t e = 0; e < d; ++e) {
      const ptrdiff_t node = m / integer_power(n, d - 1 - e) % n;
      const Extended gap = 2 * (static_cast<Extended>(offsets.shape(shape)[at(e)]) + cosine(2 * node + 1));
      square += gap * gap;
    }
    a[at(m)] = there * std::expm1(-s * (std::sqrt(square) - middle));
    largest = std::max(largest, std::abs(a[at(m)]));
  }
  along_axes(a, work, d, n, [&](ptrdiff_t) { return Both<Extended>{weights.data(), transposed.data()}; });
  // Values are off by some roundings of their own and what those of the distances, at most 12, do to them; a row of
  // weights adds up to 2.
  const Extended unit = std::numeric_limits<Extended>::epsilon();
  const Extended value =
      largest * (16 + 32 * s) + 512 * s * std::exp(-s * static_cast<Extended>(offsets.least_gap(shape)));
  const Extended rounding = static_cast<Extended>(ptrdiff_t{1} << d) * unit *
                            (value + static_cast<Extended>(d * (n + 32)) * largest);
  std::vector<double> out(a.size());
  for (std::size_t m = 0; m < out.size(); ++m) out[m] = static_cast<double>(std::abs(a[m]) + rounding);
  return out;
}

}  // namespace

std::vector<double> series_errors(const Offsets& offsets, ptrdiff_t shape, double rate) {
  static const AliasTable delta = make_alias_table();
  constexpr ptrdiff_t n = series_points;
  const ptrdiff_t d = offsets.dimensions();
  const auto a = series_moduli(offsets, shape, rate);
  std::vector<double> left;  // the kernel less its series; there cells are as wide as distances are here
  for (ptrdiff_t k = 0; k < d; ++k)
    left.push_back(coordinate_error(offsets.shape(shape)[at(k)], squared_gaps_but(offsets, shape, k, 1.0), n,
                                    2.0 * rate));
  std::vector<double> out(at(most_series_points) + 1);
  for (ptrdiff_t m = 0; m < std::ssize(a); ++m) {
    const auto &one = delta[at(m / n)], &other = delta[at(m % n)];
    for (std::size_t p = 0; p < out.size(); ++p) out[p] += a[at(m)] * (one[p] + other[p] + one[p] * other[p]);
  }
  for (ptrdiff_t p = 1; p < std::ssize(out); ++p) {
    const double grown = 1.0 + std::pow(lebesgue(p), static_cast<double>(2 * d));
    out[at(p)] = (out[at(p)] + grown * summed(left, n)) * (1.0 + 1e-9);  // sums of doubles
  }
  out[0] = infinity;
  return out;
}

double SeriesErrors::of(ptrdiff_t level, ptrdiff_t shape, ptrdiff_t p) const {
  if (offsets_.dimensions() > 2 || p > most_series_points) return infinity;
  const std::lock_guard<std::mutex> lock(mutex_);
  auto& found = made_[{level, shape}];
  if (found.empty()) found = series_errors(offsets_, shape, scale_ * tree_.half(level));
  return found[at(p)];
}

namespace {

/// One pass over all that meets.
class ErrorPass {
 public:
  ErrorPass(const PointTree& tree, const Interactions& all, const SeriesErrors& series, ptrdiff_t p,
            double scale)
      : tree_(tree),
        all_(all),
        series_errors_(series),
        p_(p),
        scale_(scale),
        similar_(unit_rounding * 64.0 + 8.0 * unit_rounding * scale * tree.half(0)),
        sizes_(all.boxes.size(), 0.0),
        errors_(all.boxes.size(), 0.0) {
    const ptrdiff_t levels = std::ssize(all.levels) - 1;
    for (ptrdiff_t l = 0; l < levels; ++l)
      series_.push_back(rounding_of_series(tree.dimensions(), p, levels - l));
  }

  std::vector<double> run(const Offsets& offsets, const Translations<double>* made, double cut,
                          const double* v, ptrdiff_t stride, Monitor& monitor) {
    add_sizes(v, stride);
    const ptrdiff_t levels = std::ssize(all_.levels) - 1, shapes = offsets.shapes();
    std::vector<double> entry(checked_product("working memory", levels, shapes));
    const auto there = met(offsets);
    for (ptrdiff_t k = 0; k < std::ssize(entry) && !monitor.poll(); ++k)
      if (there[at(k)] != 0)
        entry[at(k)] = entry_error(offsets, k % shapes, k / shapes,
                                   made == nullptr ? nullptr : made->of(k / shapes, k % shapes), cut);
    for (const auto& t : all_.translations)
      errors_[at(t.target)] +=
          entry[at(cell(t.target).level * shapes + offsets.shape_of(t.code))] * sizes_[at(t.source)];
    add_near();
    for (ptrdiff_t b = 0; b < std::ssize(all_.boxes); ++b) {
      const Box& box = all_.boxes[at(b)];
      for (auto c = box.first_child; c < box.first_child + box.children; ++c)
        errors_[at(c)] += errors_[at(b)];
    }
    return std::move(errors_);
  }

 private:
  const Cell& cell(ptrdiff_t b) const { return tree_.cells()[at(all_.boxes[at(b)].cell)]; }

  /// Which levels and shapes there are.
  std::vector<char> met(const Offsets& offsets) const {
    std::vector<char> there(checked_product("working memory", std::ssize(all_.levels) - 1, offsets.shapes()),
                            0);
    for (const auto& t : all_.translations)
      there[at(cell(t.target).level * offsets.shapes() + offsets.shape_of(t.code))] = 1;
    return there;
  }

  void add_sizes(const double* v, ptrdiff_t stride) {
    for (auto b = std::ssize(all_.boxes); b-- > 0;) {
      const Box& box = all_.boxes[at(b)];
      double sum = 0.0;
      if (box.children == 0) {
        for (auto i = cell(b).begin; i < cell(b).end; ++i) sum += std::abs(v[tree_.order()[at(i)] * stride]);
      }
      for (auto c = box.first_child; c < box.first_child + box.children; ++c) sum += sizes_[at(c)];
      sizes_[at(b)] = sum;
    }
  }

  double entry_error(const Offsets& offsets, ptrdiff_t shape, ptrdiff_t level,
                     const ShapeTranslation<double>* made, double cut) const {
    const double rate = scale_ * tree_.half(level), gap = offsets.least_gap(shape);
    const double largest = std::exp(-rate * gap);
    if (rate * gap > cut) return largest;
    const double error =
        std::min(interpolation_error(offsets, shape, p_, rate), series_errors_.of(level, shape, p_));
    const double sums = made == nullptr ? largest : made->weight;
    const double terms = static_cast<double>(8 * p_ + 64) +
                         (made == nullptr ? 0.0 : 4.0 * static_cast<double>(made->kept.size()));
    return error + (made == nullptr ? 0.0 : made->left_out) +
           (series_[at(level)] + similar_) * (largest + error) + unit_rounding * terms * sums;
  }

  void add_near() {
    const ptrdiff_t d = tree_.dimensions();
    const double nodes = std::pow(lebesgue(p_), static_cast<double>(d));
    for (ptrdiff_t b = 0; b < std::ssize(all_.boxes); ++b) {
      if (all_.boxes[at(b)].children == 0)
        errors_[at(b)] +=
            (similar_ + unit_rounding * static_cast<double>(8 * cell(b).size())) * sizes_[at(b)];
      for (const auto s : all_.near.of(b)) {
        const double each =
            similar_ + unit_rounding * static_cast<double>(8 * (cell(s).size() + cell(b).size()));
        errors_[at(b)] += each * sizes_[at(s)];
        errors_[at(s)] += each * sizes_[at(b)];
      }
      for (const auto s : all_.near_nodes.of(b)) {
        const double each = one_sided_error(d, p_, scale_ * tree_.half(cell(s).level)) +
                            (2.0 * series_[at(cell(s).level)] + similar_ +
                             unit_rounding * static_cast<double>(8 * cell(b).size() + 64)) *
                                nodes;
        errors_[at(b)] += each * sizes_[at(s)];
        errors_[at(s)] += each * sizes_[at(b)];
      }
    }
  }

  const PointTree& tree_;
  const Interactions& all_;
  const SeriesErrors& series_errors_;
  ptrdiff_t p_;
  double scale_, similar_;
  std::vector<double> series_, sizes_, errors_;
};

}  // namespace

std::vector<double> interpolation_errors(const PointTree& tree, const Offsets& offsets,
                                         const Interactions& all, const Translations<double>* made,
                                         const SeriesErrors& series, ptrdiff_t p, double scale, double cut,
                                         const double* v, ptrdiff_t stride, Monitor& monitor) {
  return ErrorPass(tree, all, series, p, scale).run(offsets, made, cut, v, stride, monitor);
}

}  // namespace steelyard::distances
