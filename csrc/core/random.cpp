#include "core/random.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"

namespace steelyard {
namespace {

constexpr double unit = 0x1.0p-53;

/// Marsaglia and Tsang's ziggurat (J. Stat. Softw. 5, 2000) of 256 layers of equal area for exp(-x^2 / 2).
struct Ziggurat {
  static constexpr int layers = 256;
  static constexpr double tail = 3.6541528853610088;  ///< where the base layer ends
  static constexpr double area = 4.92867323399e-3;    ///< of each layer

  double x[layers + 1];  ///< right ends; x[0] is that of a rectangle as large as base and tail together
  double f[layers + 1];  ///< heights at x

  Ziggurat() {
    const auto height = [](double at) { return std::exp(-0.5 * at * at); };
    x[0] = area / height(tail);
    x[1] = tail;
    for (int i = 1; i < layers - 1; ++i) x[i + 1] = std::sqrt(-2.0 * std::log(area / x[i] + height(x[i])));
    x[layers] = 0.0;
    for (int i = 0; i <= layers; ++i) f[i] = height(x[i]);
  }
};

const Ziggurat ziggurat;

/// log k!: summed for small k, Stirling's series beyond (error below 1e-15 relative).
double log_factorial(double k) {
  if (k < 16.0) {
    double product = 1.0;
    for (double i = 2.0; i <= k; i += 1.0) product *= i;
    return std::log(product);
  }
  const double r = 1.0 / k, r2 = r * r;
  return (k + 0.5) * std::log(k) - k + 0.91893853320467274178 +
         r * (1.0 / 12.0 - r2 * (1.0 / 360.0 - r2 / 1260.0));
}

/// n p < 10, p <= 1/2: walks up the cumulative distribution.
std::int64_t binomial_by_inversion(Random& random, std::int64_t n, double p) {
  const double ratio = p / (1.0 - p);
  const double start = std::exp(static_cast<double>(n) * std::log1p(-p));
  for (;;) {
    double u = random.uniform(), mass = start;
    for (std::int64_t k = 0; k <= n; ++k) {
      if (u < mass) return k;
      u -= mass;
      mass *= ratio * static_cast<double>(n - k) / static_cast<double>(k + 1);
    }
  }
}

/// n p >= 10, p <= 1/2: Hormann's transformed rejection BTRS (J. Stat. Comput. Simul. 46, 1993).
std::int64_t binomial_by_rejection(Random& random, std::int64_t count, double p) {
  const auto n = static_cast<double>(count);
  const double spread = std::sqrt(n * p * (1.0 - p));
  const double b = 1.15 + 2.53 * spread;
  const double a = -0.0873 + 0.0248 * b + 0.01 * p;
  const double centre = n * p + 0.5;
  const double inner = 0.92 - 4.2 / b;
  const double alpha = (2.83 + 5.1 / b) * spread;
  const double mode = std::floor((n + 1.0) * p);
  const double log_odds = std::log(p / (1.0 - p));
  const double at_mode = log_factorial(mode) + log_factorial(n - mode);
  for (;;) {
    const double u = random.uniform_open() - 0.5;
    const double v = random.uniform_open();
    const double edge = 0.5 - std::fabs(u);
    const double k = std::floor((2.0 * a / edge + b) * u + centre);
    if (k < 0.0 || k > n) continue;
    if (edge >= 0.07 && v <= inner) return static_cast<std::int64_t>(k);
    const double log_v = std::log(v * alpha / (a / (edge * edge) + b));
    if (log_v <= at_mode - log_factorial(k) - log_factorial(n - k) + (k - mode) * log_odds) {
      return static_cast<std::int64_t>(k);
    }
  }
}

}  // namespace

Random::Random(std::uint64_t seed, std::uint64_t stream)
    : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
      counter_{0, 0, static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)} {}

void Random::refill() {
  auto c = counter_;
  auto k = key_;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t even = std::uint64_t{0xD2511F53} * c[0];
    const std::uint64_t odd = std::uint64_t{0xCD9E8D57} * c[2];
    c = {static_cast<std::uint32_t>(odd >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(odd),
         static_cast<std::uint32_t>(even >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(even)};
    k[0] += 0x9E3779B9;
    k[1] += 0xBB67AE85;
  }
  block_[1] = c[0] | std::uint64_t{c[1]} << 32;  // handed out from the end
  block_[0] = c[2] | std::uint64_t{c[3]} << 32;
  left_ = 2;
  if (++counter_[0] == 0) ++counter_[1];
}

std::uint64_t Random::bits() {
  if (left_ == 0) refill();
  return block_[at(--left_)];
}

double Random::uniform() { return static_cast<double>(bits() >> 11) * unit; }

double Random::uniform_open() { return (static_cast<double>(bits() >> 12) + 0.5) * (2.0 * unit); }

double Random::exponential() { return -std::log(uniform_open()); }

double Random::normal() {
  for (;;) {
    const std::uint64_t draw = bits();
    const auto layer = at(draw & 255);
    const double u =
        static_cast<double>(static_cast<std::int64_t>(draw) >> 10) * unit;  // in [-1, 1), apart from layer
    const double z = u * ziggurat.x[layer];
    if (std::fabs(z) < ziggurat.x[layer + 1]) return z;
    if (layer == 0) {
      double beyond, height;
      do {
        beyond = exponential() / Ziggurat::tail;
        height = exponential();
      } while (2.0 * height < beyond * beyond);
      return u < 0.0 ? -Ziggurat::tail - beyond : Ziggurat::tail + beyond;
    }
    const double f = ziggurat.f[layer] + uniform() * (ziggurat.f[layer + 1] - ziggurat.f[layer]);
    if (f < std::exp(-0.5 * z * z)) return z;
  }
}

double Random::gamma(double shape) {
  if (shape == 1.0) return exponential();
  if (shape == 2.0) return -std::log(uniform_open() * uniform_open());
  if (shape < 1.0) return gamma(shape + 1.0) * std::pow(uniform_open(), 1.0 / shape);
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double x = normal();
    const double root = 1.0 + c * x;
    if (root <= 0.0) continue;
    const double v = root * root * root;
    const double u = uniform_open(), x2 = x * x;
    if (u < 1.0 - 0.0331 * x2 * x2) return d * v;
    if (std::log(u) < 0.5 * x2 + d * (1.0 - v + std::log(v))) return d * v;
  }
}

std::int64_t Random::binomial(std::int64_t n, double p) {
  if (n <= 0 || p <= 0.0) return 0;
  if (p >= 1.0) return n;
  if (p > 0.5) return n - binomial(n, 1.0 - p);
  return static_cast<double>(n) * p < 10.0 ? binomial_by_inversion(*this, n, p)
                                           : binomial_by_rejection(*this, n, p);
}

std::int64_t Random::below(std::int64_t n) {
  const auto limit = static_cast<std::uint64_t>(std::max<std::int64_t>(n, 1));
  std::uint64_t mask = limit - 1;
  for (int shift = 1; shift < 64; shift *= 2) mask |= mask >> shift;
  std::uint64_t draw;
  do {
    draw = bits() & mask;
  } while (draw >= limit);
  return static_cast<std::int64_t>(draw);
}

}  // namespace steelyard
