// Numbers of 106 bits: the unevaluated sum of two doubles, where float64 can't tell what is asked.
//
// Relative error of a sum or product: a few units of 2^-104; the range is that of double. Needs arithmetic
// without contraction (CMakeLists.txt). Dekker, Numer. Math. 18 (1971); Knuth, TAOCP 2; Hida, Li, Bailey,
// "Library for double-double and quad-double arithmetic" (2007).
#pragma once

#include <cmath>
#include <limits>

namespace steelyard {

struct Wide {
  double hi = 0.0, lo = 0.0;
};

inline constexpr double wide_unit = 0x1p-104;

/// a + b exactly, for |a| >= |b|.
inline Wide quick_sum(double a, double b) {
  const double s = a + b;
  return {s, b - (s - a)};
}

/// a + b exactly.
inline Wide exact_sum(double a, double b) {
  const double s = a + b, part = s - a;
  return {s, (a - (s - part)) + (b - part)};
}

/// a b exactly, short of under- and overflow.
inline Wide exact_product(double a, double b) {
  constexpr double splitter = 134217729.0;  // 2^27 + 1
  const double p = a * b, ta = splitter * a, tb = splitter * b;
  const double ah = ta - (ta - a), al = a - ah, bh = tb - (tb - b), bl = b - bh;
  return {p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
}

inline Wide operator+(Wide a, Wide b) {
  const Wide s = exact_sum(a.hi, b.hi), t = exact_sum(a.lo, b.lo);
  const Wide v = quick_sum(s.hi, s.lo + t.hi);
  return quick_sum(v.hi, v.lo + t.lo);
}
inline Wide operator-(Wide a) { return {-a.hi, -a.lo}; }
inline Wide operator-(Wide a, Wide b) { return a + (-b); }

inline Wide operator*(Wide a, Wide b) {
  const Wide p = exact_product(a.hi, b.hi);
  return quick_sum(p.hi, p.lo + (a.hi * b.lo + a.lo * b.hi));
}
inline Wide operator*(Wide a, double b) { return a * Wide{b, 0.0}; }

inline Wide operator/(Wide a, Wide b) {
  const double first = a.hi / b.hi;
  const Wide rest = a - b * first;
  const double second = rest.hi / b.hi;
  const Wide last = rest - b * second;
  return quick_sum(first, second) + Wide{last.hi / b.hi, 0.0};
}

inline Wide absolute(Wide a) { return a.hi < 0.0 ? -a : a; }

/// For a >= 0.
inline Wide square_root(Wide a) {
  if (!(a.hi > 0.0)) return {};
  const double root = std::sqrt(a.hi);
  const Wide rest = a - exact_product(root, root);
  return quick_sum(root, rest.hi / (2.0 * root));
}

/// e^x for x <= 700; 0 below -700.
inline Wide exponential(Wide x) {
  if (!(x.hi > -700.0)) return {};
  constexpr Wide ln2{0.6931471805599453, 2.3190468138462996e-17};
  constexpr double pieces = 512.0;
  const double k = std::round(x.hi / ln2.hi);
  const Wide rest = x - ln2 * k;
  const Wide r{rest.hi / pieces, rest.lo / pieces};
  // e^r - 1 by its series, then doubled nine times: (1 + s)^2 - 1 = 2 s + s^2.
  Wide term = r, sum = r;
  for (int i = 2; i <= 9; ++i) {
    term = term * r / Wide{static_cast<double>(i), 0.0};
    sum = sum + term;
  }
  for (int i = 0; i < 9; ++i) sum = Wide{2.0 * sum.hi, 2.0 * sum.lo} + sum * sum;
  const Wide result = Wide{1.0, 0.0} + sum;
  const int shift = static_cast<int>(k);
  return {std::ldexp(result.hi, shift), std::ldexp(result.lo, shift)};
}

/// ln x for x > 0: Newton's step from that of double.
inline Wide logarithm(Wide x) {
  Wide y{std::log(x.hi), 0.0};
  for (int round = 0; round < 2; ++round) {
    // e^y overflows nowhere: the argument of e is split where it is long.
    const Wide half{0.5 * y.hi, 0.5 * y.lo};
    const Wide root = exponential(-half);
    y = y + (x * root * root - Wide{1.0, 0.0});
  }
  return y;
}

/// x^p for x >= 0, p > 0.
inline Wide power(Wide x, double p) { return x.hi > 0.0 ? exponential(logarithm(x) * p) : Wide{}; }

/// arcsin s for 0 <= s <= 0.8: Newton's step from that of double, by the series of the sine.
inline Wide arcsine(Wide s) {
  const double y = std::asin(s.hi);
  const Wide square = exact_product(y, y);
  Wide term{y, 0.0}, sine = term;
  for (int k = 1; k <= 16; ++k) {
    term = -(term * square / Wide{2.0 * k * (2.0 * k + 1.0), 0.0});
    sine = sine + term;
  }
  return Wide{y, 0.0} + Wide{(s - sine).hi / std::sqrt(1.0 - s.hi * s.hi), 0.0};
}

}  // namespace steelyard
