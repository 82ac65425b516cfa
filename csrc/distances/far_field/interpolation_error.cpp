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

/// What rounding does to an entry of Z~, in units of its largest value between two cells: sums of p terms a
/// dimension and level in either cell, each of numbers up to the Lebesgue constant.
double rounding_of_entry(ptrdiff_t d, ptrdiff_t p, ptrdiff_t levels) {
  const double terms = static_cast<double>(2 * d * (p + 4) * (levels + 2) + p * p + 64);
  return unit_rounding * terms * std::pow(lebesgue(p), static_cast<double>(2 * d));
}

}  // namespace

double least_gap(const Offsets& offsets, ptrdiff_t shape) {
  double sum = 0.0;
  for (ptrdiff_t k = 0; k < offsets.dimensions(); ++k) {
    const double gap = std::max(0.0, 2.0 * offsets.shape(shape)[at(k)] - 2.0);
    sum += gap * gap;
  }
  return std::sqrt(sum);
}

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

std::vector<double> interpolation_errors(const PointTree& tree, const Offsets& offsets,
                                         const Interactions& all, ptrdiff_t p, double scale, double cut,
                                         const double* v, ptrdiff_t stride, Monitor& monitor) {
  const ptrdiff_t d = tree.dimensions(), levels = std::ssize(all.levels) - 1;
  std::vector<double> sizes(all.boxes.size(), 0.0), errors(all.boxes.size(), 0.0);
  const auto cell = [&](ptrdiff_t b) -> const Cell& { return tree.cells()[at(all.boxes[at(b)].cell)]; };
  for (auto b = std::ssize(all.boxes); b-- > 0;) {
    const Box& box = all.boxes[at(b)];
    double sum = 0.0;
    if (box.children == 0) {
      for (auto i = cell(b).begin; i < cell(b).end; ++i) sum += std::abs(v[tree.order()[at(i)] * stride]);
    }
    for (auto c = box.first_child; c < box.first_child + box.children; ++c) sum += sizes[at(c)];
    sizes[at(b)] = sum;
  }
  const double rounding = rounding_of_entry(d, p, levels);
  const double similar = unit_rounding * 64.0 + 8.0 * unit_rounding * scale * tree.half(0);
  std::vector<double> entry(at(offsets.shapes()));
  for (ptrdiff_t l = 0; l < levels && !monitor.poll(); ++l) {
    const double rate = scale * tree.half(l);
    for (ptrdiff_t s = 0; s < offsets.shapes(); ++s) {
      const double largest = std::exp(-rate * least_gap(offsets, s));
      entry[at(s)] = rate * least_gap(offsets, s) > cut
                         ? largest
                         : interpolation_error(offsets, s, p, rate) + (rounding + similar) * largest;
    }
    const auto first = all.group_starts[at(all.group_levels[at(l)])];
    const auto last = all.group_starts[at(all.group_levels[at(l + 1)])];
    for (auto k = first; k < last; ++k) {
      const auto& t = all.translations[at(k)];
      errors[at(t.target)] += entry[at(offsets.shape_of(t.code))] * sizes[at(t.source)];
    }
    for (auto b = all.levels[at(l)]; b < all.levels[at(l + 1)]; ++b) {
      for (const auto s : all.near_nodes.of(b)) {
        const double own = scale * tree.half(cell(s).level);
        errors[at(b)] += (one_sided_error(d, p, own) + rounding + similar) * sizes[at(s)];
      }
      for (const auto s : all.node_points.of(b))
        errors[at(b)] += (one_sided_error(d, p, rate) + rounding + similar) * sizes[at(s)];
      for (const auto s : all.near.of(b))
        errors[at(b)] += (similar + unit_rounding * static_cast<double>(8 * cell(s).size())) * sizes[at(s)];
    }
    for (auto b = all.levels[at(l)]; b < all.levels[at(l + 1)]; ++b) {
      const Box& box = all.boxes[at(b)];
      for (auto c = box.first_child; c < box.first_child + box.children; ++c) errors[at(c)] += errors[at(b)];
    }
  }
  return errors;
}

}  // namespace steelyard::distances
