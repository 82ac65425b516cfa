// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
// SC'11).
//
// A stream is (seed, stream number); streams are independent, so that item k's numbers do not depend on which
// thread draws them, nor on what other items drew.
#pragma once

#include <array>
#include <cstdint>

namespace steelyard {

class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t stream);

  std::uint64_t bits();
  double uniform();            ///< in [0, 1), 53 bits
  double uniform_open();       ///< in (0, 1)
  double exponential();        ///< mean 1
  double normal();             ///< standard
  double gamma(double shape);  ///< scale 1, shape > 0 (Marsaglia & Tsang 2000; boosted below 1)
  std::int64_t binomial(std::int64_t n, double p);  ///< exact law: inversion for small n p, rejection beyond
  std::int64_t below(std::int64_t n);               ///< uniform on 0 .. n - 1, unbiased

 private:
  void refill();

  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint64_t, 2> block_{};
  int left_ = 0;
};

}  // namespace steelyard
