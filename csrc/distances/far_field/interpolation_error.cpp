#include "distances/far_field/interpolation_error.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/index.hpp"
#include "core/infinity.hpp"

namespace steelyard::distances {
namespace {

using std::ptrdiff_t;

constexpr double unit_rounding = 0x1p-53;

double lebesgue(ptrdiff_t p) { return 2.0 / std::numbers::pi * std::log(static_cast<double>(p)) + 1.0; }

/// The error of one coordinate: its offset in sides lies in [offset, offset + more], the squared gaps of the others
/// in [low, high], all in halves of the side.
double coordinate_error(double nearest, double farthest, double low, double high, ptrdiff_t p, double rate) {
  double best = infinity;
  for (double rho = 1.1; rho < 40.0; rho *= 1.04) {
    const double a = 0.5 * (rho + 1.0 / rho), b = 0.5 * (rho - 1.0 / rho), both = a * a + b * b;
    // The least over the ellipse of (nearest + a cos)^2 - (b sin)^2, the first no less than 0.
    const double q = low + (a * nearest <= both ? b * b * (nearest * nearest / both - 1.0)
                                                : (nearest - a) * (nearest - a));
    if (!(q > 1e-9)) break;
    const double large = (farthest + a) * (farthest + a) + b * b + high;
    const double m = std::exp(-rate * std::sqrt(q)) * std::min(1.0, rate * std::sqrt(large));
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

/// What rounding does to a value of a series whose modulus is at most 1, made of moments that went up and came
/// down through the levels. A level makes sums of p terms a dimension, whose moduli add up to `moved` times the
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
    double low = 0.0, high = 0.0;
    for (ptrdiff_t e = 0; e < offsets.dimensions(); ++e) {
      if (e == k) continue;
      const double gap = std::max(0.0, 2.0 * offsets.shape(shape)[at(e)] - 2.0);
      const double far = 2.0 * offsets.shape(shape)[at(e)] + 2.0;
      low += gap * gap;
      high += far * far;
    }
    const double offset = 2.0 * offsets.shape(shape)[at(k)];
    const double one = coordinate_error(std::max(0.0, offset - 1.0), offset + 1.0, low, high, p, rate);
    errors.insert(errors.end(), 2, one);  // in either cell
  }
  return summed(errors, p);
}

/// Some coordinate differs from the cell's middle by three halves of its side at least. That is the one in the
/// ellipse, or it is another.
double one_sided_error(ptrdiff_t d, ptrdiff_t p, double rate) {
  constexpr double far = 1e6;  // a cell may be that much smaller: its share in M is bounded by 1 then
  const double own = coordinate_error(3.0, far, 0.0, far, p, rate);
  const double other = coordinate_error(0.0, far, 4.0, far, p, rate);
  std::vector<double> errors(at(d), std::max(own, d > 1 ? other : 0.0));
  return summed(errors, p);
}

namespace {

/// One pass over all that meets.
class ErrorPass {
 public:
  ErrorPass(const PointTree& tree, const Interactions& all, ptrdiff_t p, double scale)
      : tree_(tree),
        all_(all),
        p_(p),
        scale_(scale),
        series_(rounding_of_series(tree.dimensions(), p, std::ssize(all.levels) - 1)),
        similar_(unit_rounding * 64.0 + 8.0 * unit_rounding * scale * tree.half(0)),
        sizes_(all.boxes.size(), 0.0),
        errors_(all.boxes.size(), 0.0) {}

  std::vector<double> run(const Offsets& offsets, const Translations<double>* made, double cut,
                          const double* v, ptrdiff_t stride, Monitor& monitor) {
    add_sizes(v, stride);
    const ptrdiff_t levels = std::ssize(all_.levels) - 1, shapes = offsets.shapes();
    std::vector<double> entry(checked_product("working memory", levels, shapes));
    for (ptrdiff_t k = 0; k < std::ssize(entry) && !monitor.poll(); ++k)
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
    const double error = interpolation_error(offsets, shape, p_, rate);
    const double sums = made == nullptr ? largest : made->weight;
    const double terms = static_cast<double>(8 * p_ + 64) +
                         (made == nullptr ? 0.0 : 4.0 * static_cast<double>(made->kept.size()));
    return error + (made == nullptr ? 0.0 : made->left_out) + (series_ + similar_) * (largest + error) +
           unit_rounding * terms * sums;
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
        const double each =
            one_sided_error(d, p_, scale_ * tree_.half(cell(s).level)) +
            (2.0 * series_ + similar_ + unit_rounding * static_cast<double>(8 * cell(b).size() + 64)) * nodes;
        errors_[at(b)] += each * sizes_[at(s)];
        errors_[at(s)] += each * sizes_[at(b)];
      }
    }
  }

  const PointTree& tree_;
  const Interactions& all_;
  ptrdiff_t p_;
  double scale_, series_, similar_;
  std::vector<double> sizes_, errors_;
};

}  // namespace

std::vector<double> interpolation_errors(const PointTree& tree, const Offsets& offsets,
                                         const Interactions& all, const Translations<double>* made,
                                         ptrdiff_t p, double scale, double cut, const double* v,
                                         ptrdiff_t stride, Monitor& monitor) {
  return ErrorPass(tree, all, p, scale).run(offsets, made, cut, v, stride, monitor);
}

}  // namespace steelyard::distances
