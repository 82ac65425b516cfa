// Hamiltonian Monte Carlo for a density that is close to a known normal law.
//
// In coordinates xi in which that law is standard, log density = -|xi|^2 / 2 + r(xi) with a small remainder
// r. Leapfrog with the flow split in two: kicks by grad r, and between them the normal part followed exactly,
// a rotation of (xi, p) (Shahbaba, Lan, Johnson, Neal, Stat. Comput. 24, 2014). A normal target is followed
// without error in any dimension, so that a quarter turn takes few steps and leaves little memory.
// The law of the draws is exact whatever the normal law: it decides speed alone.
#pragma once

#include <memory>

#include "rank/over_time/chains.hpp"

namespace steelyard::rank {

/// What a chain samples.
class Remainder {
 public:
  Remainder() = default;
  Remainder(const Remainder&) = delete;
  Remainder& operator=(const Remainder&) = delete;
  virtual ~Remainder() = default;

  virtual std::ptrdiff_t size() const = 0;

  /// r(xi) up to a constant, and its gradient. -infinity outside the support; then the gradient is not read.
  virtual double evaluate(const double* xi, double* gradient) = 0;

  /// A draw to keep.
  virtual void record(const double* xi, std::ptrdiff_t draw) = 0;
};

/// Positions are xi; a chain's step is the angle of one leapfrog step. A fresh chain starts from a draw of
/// the normal law.
std::unique_ptr<Sampler> hamiltonian(std::unique_ptr<Remainder> target);

}  // namespace steelyard::rank
