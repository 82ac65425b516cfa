#include "rank/over_time/polya_gamma.hpp"

#include <cmath>
#include <numbers>

namespace steelyard::rank {
namespace {

constexpr double pi = std::numbers::pi;
constexpr double cut = 0.64;

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

/// J*(1, z), z >= 0.
class Jacobi {
 public:
  explicit Jacobi(double z) : z_(z), rate_(0.125 * pi * pi + 0.5 * z * z) {
    // The masses of the proposals on both sides of the cut, times exp(z) / 2.
    const double root = 1.0 / std::sqrt(cut);
    const double right = 0.25 * pi / rate_ * std::exp(z - rate_ * cut);
    double left = normal_cdf(root * (cut * z - 1.0));
    if (z < 50.0) left += std::exp(2.0 * z) * normal_cdf(-root * (cut * z + 1.0));
    right_share_ = right / (right + left);
  }

  double draw(Random& random) const {
    for (;;) {
      const double x = random.uniform() < right_share_ ? cut + random.exponential() / rate_ : left(random);
      if (accepted(x, random)) return x;
    }
  }

 private:
  /// Inverse Gaussian of mean 1 / z and shape 1, below the cut.
  double left(Random& random) const {
    if (z_ * cut < 1.0) {
      for (;;) {
        double e = 0.0;
        do {
          e = random.exponential();
        } while (e * e > 2.0 / cut * random.exponential());
        const double x = cut / ((1.0 + cut * e) * (1.0 + cut * e));
        if (random.uniform() < std::exp(-0.5 * z_ * z_ * x)) return x;
      }
    }
    const double mean = 1.0 / z_;
    for (;;) {
      const double y = random.normal(), w = 0.5 * mean * y * y;
      double x = mean * (1.0 + w - std::sqrt(w * (2.0 + w)));
      if (random.uniform() * (mean + x) > mean) x = mean * (mean / x);
      if (x <= cut) return x;
    }
  }

  /// The density's series divided by its first term: 1 - a_1 / a_0 + a_2 / a_0 - ...
  static bool accepted(double x, Random& random) {
    const double u = random.uniform();
    const double decay = x > cut ? 0.5 * pi * pi * x : 2.0 / x;
    double sum = 1.0;
    for (int n = 1;; ++n) {
      const double term = (2 * n + 1) * std::exp(-decay * n * (n + 1));
      if (n % 2 == 1) {
        sum -= term;
        if (u <= sum) return true;
      } else {
        sum += term;
        if (u > sum) return false;
      }
    }
  }

  double z_, rate_, right_share_;
};

}  // namespace

double polya_gamma(std::int64_t n, double z, Random& random) {
  if (n <= 0) return 0.0;
  if (std::isnan(z)) return z;  // no proposal would ever be accepted
  const Jacobi law(0.5 * std::fabs(z));
  double sum = 0.0;
  for (std::int64_t k = 0; k < n; ++k) sum += law.draw(random);
  return 0.25 * sum;
}

}  // namespace steelyard::rank
