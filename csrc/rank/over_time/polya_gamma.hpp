// Polya-Gamma variables, exactly (Polson, Scott, Windle, JASA 108, 2013).
//
// omega ~ PG(n, z) has E exp(-t omega) = [cosh(z / 2) / cosh(sqrt(z^2 / 4 + t / 2))]^n. With it
//   sigma(x)^w sigma(-x)^l  is proportional to  exp((w - l) x / 2) E exp(-omega x^2 / 2), omega ~ PG(w + l,
//   0),
// so that, given omega ~ PG(w + l, x), x is normal again.
//
// PG(1, z) = X / 4 with X of Jacobi's law J*(1, z / 2): Devroye's method. X's density is an alternating
// series in two forms, one good on either side of t = .64, whose first terms are an exponential and an
// inverse Gaussian law; partial sums squeeze it, so that .9992 of the proposals or more are accepted.
#pragma once

#include <cstdint>

#include "core/random.hpp"

namespace steelyard::rank {

/// PG(n, z) for whole n >= 0: the sum of n of PG(1, z); O(n), some 100 ns each.
double polya_gamma(std::int64_t n, double z, Random& random);

}  // namespace steelyard::rank
