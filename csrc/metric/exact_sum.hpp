// Sums to about twice the digits of a double, where much cancels.
#pragma once

#include <cmath>

namespace steelyard::metric {

/// Half the distance from 1 to the next double: the largest relative error of one operation.
inline constexpr double unit_roundoff = 0x1p-53;

/// A sum in two doubles (Knuth, Dekker). value() is the rounded sum unless nearly 32 digits cancel.
class ExactSum {
 public:
  void add(double term) {
    const double sum = high_ + term, part = sum - high_;
    low_ += (high_ - (sum - part)) + (term - part);
    high_ = sum;
  }
  void add_product(double a, double b) {
    const double product = a * b;
    add(product);
    low_ += std::fma(a, b, -product);
  }
  double value() const { return high_ + low_; }

 private:
  double high_ = 0.0, low_ = 0.0;
};

}  // namespace steelyard::metric
