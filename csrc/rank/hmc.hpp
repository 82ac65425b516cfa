// Hamiltonian Monte Carlo for a density that is close to a known normal law.
//
// In coordinates xi in which that law is standard, log density = -|xi|^2 / 2 + r(xi) with a small remainder
// r. Leapfrog with the flow split in two: kicks by grad r, and between them the normal part followed exactly,
// a rotation of (xi, p) (Shahbaba, Lan, Johnson, Neal, Stat. Comput. 24, 2014). A normal target is followed
// without error in any dimension, so that a quarter turn takes few steps and leaves little memory.
// The law of the draws is exact whatever the normal law: it decides speed alone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/monitor.hpp"

namespace steelyard::rank {

/// What one chain samples; each chain has its own.
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

struct Chain {
  std::vector<double> xi;
  double step = 0.5;        ///< angle of one leapfrog step
  std::int64_t moves = 0;   ///< so far: each has its own stream of random numbers, so that a chain can go on
  double acceptance = 0.0;  ///< mean over the draws of the last call
  std::int64_t gradients = 0;    ///< evaluations of the last call
  std::int64_t divergences = 0;  ///< of the last call: moves whose energy error exceeded 1000
};

struct ChainOptions {
  std::int64_t warmup = 300;  ///< moves that adapt the step to `target`; none when a chain goes on
  std::int64_t draws = 1000;
  double target = 0.8;  ///< acceptance
};

/// A fresh chain (empty xi) starts from a draw of the normal law. False when stopped: then the chain stands
/// at its last whole move, `recorded` draws of this call kept. `moved` is called after each move.
bool run_chain(Remainder& target, Chain& chain, const ChainOptions& options, std::uint64_t seed,
               std::uint64_t number, std::ptrdiff_t& recorded, const std::function<void()>& moved,
               Monitor& monitor);

/// All chains, side by side; chain c draws from the target that make(c, monitor) gives it. `recorded`: draws
/// of each.
void run_chains(std::vector<Chain>& chains, const ChainOptions& options, std::uint64_t seed,
                std::vector<std::ptrdiff_t>& recorded, Monitor& monitor,
                const std::function<std::unique_ptr<Remainder>(std::ptrdiff_t, Monitor&)>& make);

}  // namespace steelyard::rank
