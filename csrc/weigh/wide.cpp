#include "weigh/wide.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "core/index.hpp"
#include "core/pool.hpp"

namespace steelyard::weigh {
namespace {

using simd::Metric;
using std::ptrdiff_t;

constexpr Wide one{1.0, 0.0}, two{2.0, 0.0};
constexpr ptrdiff_t strip = 32;  // rows of the factor that are worked on together

Wide coordinate(const WideSpace& space, ptrdiff_t i, ptrdiff_t k) {
  return {space.high.row(i)[k], space.low.data == nullptr ? 0.0 : space.low.row(i)[k]};
}

Wide halved(Wide x) { return {0.5 * x.hi, 0.5 * x.lo}; }

/// The angle between unit vectors from the squares of their difference and, where that is obtuse, their sum.
Wide angle(const WideSpace& space, ptrdiff_t i, ptrdiff_t j, Wide squared) {
  constexpr Wide pi{3.141592653589793, 1.2246467991473532e-16};
  if (squared.hi < 2.0) return two * arcsine(halved(square_root(squared)));
  Wide sum;
  for (ptrdiff_t k = 0; k < space.high.cols; ++k) {
    const double middle = space.pole.empty() ? 0.0 : 2.0 * space.pole[at(k)];
    const Wide both = coordinate(space, i, k) + coordinate(space, j, k) + Wide{middle, 0.0};
    sum = sum + both * both;
  }
  return pi - two * arcsine(halved(square_root(sum)));
}

/// Z's factor as it grows: columns of rows in the order of their pivots, high and low parts apart.
class Factor {
 public:
  Factor(const WideSpace& space, double scale, ptrdiff_t most, Monitor& monitor)
      : space_(space), scale_(scale), n_(space.size()), most_(std::min(most, n_)), monitor_(monitor) {
    order_.resize(at(n_));
    std::iota(order_.begin(), order_.end(), ptrdiff_t{0});
    left_.assign(at(n_), one);
  }

  /// False when stopped.
  bool grow() {
    const double least = rounding();
    for (ptrdiff_t k = 0; k < most_; ++k) {
      const auto begin = left_.begin() + k;
      const auto by_size = [](const Wide& a, const Wide& b) { return a.hi < b.hi; };
      const ptrdiff_t pick = std::max_element(begin, left_.end(), by_size) - left_.begin();
      indefinite = indefinite || std::min_element(begin, left_.end(), by_size)->hi < -least;
      if (indefinite || !(left_[at(pick)].hi > least)) return true;
      swap(k, pick);
      smallest_pivot = std::min(smallest_pivot, left_[at(k)].hi);
      if (!append(k)) return false;
      rank = k + 1;
    }
    return true;
  }

  /// What rounding does to an entry of L L'.
  double rounding() const { return static_cast<double>(n_ + 64) * wide_unit; }

  Wide entry(ptrdiff_t i, ptrdiff_t k) const { return {high_[at(k)][at(i)], low_[at(k)][at(i)]}; }
  ptrdiff_t point(ptrdiff_t place) const { return order_[at(place)]; }

  /// L^{-1} b for the points that were taken.
  std::vector<Wide> forward(std::vector<Wide> b) const {
    for (ptrdiff_t k = 0; k < rank; ++k) {
      b[at(k)] = b[at(k)] / entry(k, k);
      for (auto i = k + 1; i < rank; ++i) b[at(i)] = b[at(i)] - entry(i, k) * b[at(k)];
    }
    return b;
  }

  /// L'^{-1} b likewise.
  std::vector<Wide> backward(std::vector<Wide> b) const {
    for (auto k = rank - 1; k >= 0; --k) {
      for (auto i = k + 1; i < rank; ++i) b[at(k)] = b[at(k)] - entry(i, k) * b[at(i)];
      b[at(k)] = b[at(k)] / entry(k, k);
    }
    return b;
  }

  /// L L' w for all points.
  std::vector<Wide> product(const std::vector<Wide>& w) const {
    std::vector<Wide> out(at(n_));
    for (ptrdiff_t k = 0; k < rank; ++k) {
      Wide inner;
      for (auto i = k; i < rank; ++i) inner = inner + entry(i, k) * w[at(i)];
      for (auto i = k; i < n_; ++i) out[at(i)] = out[at(i)] + entry(i, k) * inner;
    }
    return out;
  }

  ptrdiff_t rank = 0;
  double smallest_pivot = 1.0;
  bool indefinite = false;

 private:
  void swap(ptrdiff_t a, ptrdiff_t b) {
    if (a == b) return;
    std::swap(order_[at(a)], order_[at(b)]);
    std::swap(left_[at(a)], left_[at(b)]);
    for (ptrdiff_t k = 0; k < a; ++k) {
      std::swap(high_[at(k)][at(a)], high_[at(k)][at(b)]);
      std::swap(low_[at(k)][at(a)], low_[at(k)][at(b)]);
    }
  }

  bool append(ptrdiff_t k) {
    auto& high = high_.emplace_back(at(n_), 0.0);
    auto& low = low_.emplace_back(at(n_), 0.0);
    const Wide root = square_root(left_[at(k)]);
    high[at(k)] = root.hi;
    low[at(k)] = root.lo;
    const double cost = 4.0 * static_cast<double>(k) + 20.0 * static_cast<double>(space_.high.cols) + 500.0;
    const ptrdiff_t grain = (grain_for(cost) + strip - 1) / strip * strip;
    return parallel_for(n_ - k - 1, grain, monitor_, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto i = begin; i < end && !monitor_.poll(); i += strip)
        append_rows(k, k + 1 + i, std::min(strip, end - i), root);
    });
  }

  void append_rows(ptrdiff_t k, ptrdiff_t first, ptrdiff_t rows, Wide root) {
    double high[strip] = {}, low[strip] = {};
    for (ptrdiff_t j = 0; j < k; ++j) {
      const double* a_high = high_[at(j)].data() + first;
      const double* a_low = low_[at(j)].data() + first;
      const Wide b = entry(k, j);
      for (ptrdiff_t i = 0; i < rows; ++i) {
        const Wide p = Wide{a_high[i], a_low[i]} * b;
        const Wide s = exact_sum(high[i], p.hi);
        const Wide sum = quick_sum(s.hi, s.lo + (low[i] + p.lo));
        high[i] = sum.hi;
        low[i] = sum.lo;
      }
    }
    for (ptrdiff_t i = 0; i < rows; ++i) {
      const ptrdiff_t place = first + i;
      const Wide distance = space_.distance(order_[at(place)], order_[at(k)]);
      const Wide z = std::isfinite(distance.hi) ? exponential(-(distance * scale_)) : Wide{};
      const Wide value = (z - Wide{high[i], low[i]}) / root;
      high_[at(k)][at(place)] = value.hi;
      low_[at(k)][at(place)] = value.lo;
      left_[at(place)] = left_[at(place)] - value * value;
    }
  }

  const WideSpace& space_;
  double scale_;
  ptrdiff_t n_, most_;
  Monitor& monitor_;
  std::vector<ptrdiff_t> order_;
  std::vector<Wide> left_;
  std::vector<std::vector<double>> high_, low_;
};

Wide square(const std::vector<Wide>& x) {
  Wide sum;
  for (const Wide& v : x) sum = sum + v * v;
  return sum;
}

/// A bound of |w|'Z|w| = w'Zw + 4 v'Zw + 4 v'Zv, v the negative part of w: entries of Z are at most 1.
double absolute_energy(const std::vector<Wide>& w, const std::vector<Wide>& zw) {
  double negative = 0.0, all = 0.0, largest = 0.0;
  Wide energy;
  for (std::size_t i = 0; i < w.size(); ++i) {
    all += std::abs(w[i].hi);
    negative += std::max(-w[i].hi, 0.0);
    energy = energy + w[i] * zw[i];
    largest = std::max(largest, std::abs(zw[i].hi));
  }
  return std::min(all * all, std::abs(energy.hi) + 4.0 * negative * (largest + negative));
}

void judge(const Factor& factor, ptrdiff_t n, WideWeighting& out) {
  const auto rank = factor.rank;
  auto w = factor.backward(factor.forward(std::vector<Wide>(at(rank), one)));
  w.resize(at(n));  // in the order of the factor
  auto zw = factor.product(w);
  std::vector<Wide> rest(at(n));
  Wide bound;
  for (ptrdiff_t i = 0; i < n; ++i) {
    rest[at(i)] = one - zw[at(i)];
    bound = bound + (one + rest[at(i)]) * w[at(i)];
  }
  const double rounding = factor.rounding() * absolute_energy(w, zw) + std::abs(bound.hi) * 0x1p-52;
  out.magnitude = bound.hi;
  out.lower_bound = bound.hi - rounding;
  rest.resize(at(rank));
  const auto half = factor.forward(rest);
  out.error_estimate = square(half).hi + 2.0 * rounding;
  const double size = square_root(square(w)).hi;
  out.weight_error = square_root(square(factor.backward(half))).hi + 0x1p-53 * size +
                     size * static_cast<double>(n) * factor.rounding() / factor.smallest_pivot;
  for (ptrdiff_t i = 0; i < n; ++i) {
    w[at(i)].lo = 0.0;
    out.weights[at(factor.point(i))] = w[at(i)].hi;
  }
  zw = factor.product(w);
  for (auto& v : zw) v = one - v;
  out.residual = std::sqrt(square(zw).hi / static_cast<double>(n));
}

}  // namespace

Wide WideSpace::distance(ptrdiff_t i, ptrdiff_t j) const {
  if (given) return {high.row(i)[j], 0.0};
  Wide sum;
  double both = 0.0;
  for (ptrdiff_t k = 0; k < high.cols; ++k) {
    const Wide a = coordinate(*this, i, k), b = coordinate(*this, j, k), gap = absolute(a - b);
    switch (metric) {
      case Metric::cityblock:
        sum = sum + gap;
        break;
      case Metric::chebyshev:
        if (gap.hi > sum.hi || (gap.hi == sum.hi && gap.lo > sum.lo)) sum = gap;
        break;
      case Metric::minkowski:
        sum = sum + steelyard::power(gap, power);
        break;
      case Metric::hamming:
        sum.hi += gap.hi != 0.0 ? 1.0 : 0.0;
        break;
      case Metric::jaccard:
        sum.hi += gap.hi != 0.0 ? 1.0 : 0.0;
        both += a.hi != 0.0 || b.hi != 0.0 ? 1.0 : 0.0;
        break;
      default:
        sum = sum + gap * gap;
    }
  }
  switch (metric) {
    case Metric::euclidean:
      return square_root(sum);
    case Metric::minkowski:
      return sum.hi > 0.0 ? exponential(logarithm(sum) / Wide{power, 0.0}) : Wide{};
    case Metric::cosine:
      return halved(sum);
    case Metric::angular:
      return angle(*this, i, j, sum);
    case Metric::hamming:
      return sum / Wide{static_cast<double>(high.cols), 0.0};
    case Metric::jaccard:
      return both > 0.0 ? sum / Wide{both, 0.0} : Wide{};
    default:
      return sum;
  }
}

WideWeighting solve_wide(const WideSpace& space, double scale, ptrdiff_t most, Monitor& monitor) {
  WideWeighting out;
  out.weights.assign(at(space.size()), 0.0);
  Factor factor(space, scale, most, monitor);
  out.stopped = !factor.grow();
  out.rank = factor.rank;
  out.smallest_pivot = factor.smallest_pivot;
  out.indefinite = factor.indefinite;
  if (!out.stopped) judge(factor, space.size(), out);
  return out;
}

void unit_rows(MatrixView<const double> rows, std::span<const double> pole, MatrixView<double> high,
               MatrixView<double> low, Monitor& monitor) {
  const double cost = 60.0 * static_cast<double>(rows.cols);
  parallel_for(rows.rows, grain_for(cost), monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    for (auto i = begin; i < end && !monitor.poll(); ++i) {
      Wide squared;
      for (ptrdiff_t k = 0; k < rows.cols; ++k)
        squared = squared + exact_product(rows.row(i)[k], rows.row(i)[k]);
      const Wide length = square_root(squared);
      for (ptrdiff_t k = 0; k < rows.cols; ++k) {
        const Wide value = Wide{rows.row(i)[k], 0.0} / length - Wide{pole[at(k)], 0.0};
        high.row(i)[k] = value.hi;
        low.row(i)[k] = value.lo;
      }
    }
  });
}

}  // namespace steelyard::weigh
