// Markov chains that run side by side, whatever law moves them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/monitor.hpp"
#include "core/random.hpp"

namespace steelyard::rank {

struct Chain {
  std::vector<double> position;  ///< in the sampler's own coordinates; empty: a fresh chain
  double step = 0.5;             ///< of samplers that have one
  std::int64_t moves = 0;   ///< so far: each has its own stream of random numbers, so that a chain can go on
  double acceptance = 0.0;  ///< mean over the draws of the last call
  std::int64_t gradients = 0;    ///< evaluations of the last call
  std::int64_t divergences = 0;  ///< of the last call: moves whose energy error exceeded 1000
};

struct ChainOptions {
  std::int64_t warmup = 300;  ///< moves that are not kept; none when a chain goes on
  std::int64_t draws = 1000;
};

/// Moves one chain; each chain has its own.
class Sampler {
 public:
  Sampler() = default;
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;
  virtual ~Sampler() = default;

  virtual std::ptrdiff_t size() const = 0;  ///< of a position

  /// Where a fresh chain starts.
  virtual void start(Chain& chain, Random& random) = 0;
  /// Called once, before the first move.
  virtual void begin(Chain& chain) = 0;
  /// One move of the chain; its chance of acceptance. 0, and the chain where it was, when stopped.
  virtual double move(Chain& chain, Random& random) = 0;
  /// After each move of the warm-up.
  virtual void adapt(Chain& chain, double acceptance, bool last) = 0;
  /// A draw to keep.
  virtual void record(const Chain& chain, std::ptrdiff_t draw) = 0;
};

/// All chains, each on one thread; chain c is moved by the sampler that make(c, monitor) gives it. The draws
/// do not depend on the number of threads. `recorded`: draws of each, fewer than asked for when stopped; each
/// chain then stands at its last whole move.
void run_chains(std::vector<Chain>& chains, const ChainOptions& options, std::uint64_t seed,
                std::vector<std::ptrdiff_t>& recorded, Monitor& monitor,
                const std::function<std::unique_ptr<Sampler>(std::ptrdiff_t, Monitor&)>& make);

}  // namespace steelyard::rank
