#include "rank/over_time/chains.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <utility>

#include "core/index.hpp"
#include "core/pool.hpp"

namespace steelyard::rank {
namespace {

constexpr int together = 32;  // moves of each chain, so that all have come about as far when stopped

/// Each move has its own stream; number 0 of a chain is its starting point.
Random stream(std::uint64_t seed, std::ptrdiff_t chain, std::int64_t move) {
  return Random(seed, (static_cast<std::uint64_t>(chain) << 40) + static_cast<std::uint64_t>(move));
}

/// A chain on its way.
class Run {
 public:
  Run(Chain& chain, std::ptrdiff_t number, const ChainOptions& options, std::uint64_t seed, Monitor& outer)
      : monitor(Monitor::inside(outer)),
        chain_(chain),
        number_(number),
        seed_(seed),
        warmup_(chain.position.empty() ? options.warmup : 0),
        moves_(warmup_ + options.draws) {
    chain.gradients = chain.divergences = 0;
    chain.acceptance = 0.0;
  }

  bool ended() const { return done_ == moves_; }
  std::int64_t moves() const { return moves_; }
  std::int64_t recorded() const { return recorded_; }

  void begin(std::unique_ptr<Sampler> sampler) {
    sampler_ = std::move(sampler);
    if (chain_.position.empty()) {
      Random random = stream(seed_, number_, 0);
      chain_.position.resize(at(sampler_->size()));
      sampler_->start(chain_, random);
    }
    sampler_->begin(chain_);
  }

  bool begun() const { return sampler_ != nullptr; }

  /// False when stopped.
  bool move() {
    if (monitor.poll()) return false;
    Random random = stream(seed_, number_, chain_.moves + 1);
    const double acceptance = sampler_->move(chain_, random);
    if (acceptance == 0.0 && monitor.stopped()) return false;  // perhaps not a whole move: it is made again
    ++chain_.moves;
    if (done_ < warmup_) {
      sampler_->adapt(chain_, acceptance, done_ + 1 == warmup_);
      if (done_ + 1 == warmup_) chain_.divergences = 0;
    } else {
      sampler_->record(chain_, recorded_);
      if (monitor.stopped()) return false;  // perhaps not a whole record
      ++recorded_;
      chain_.acceptance += (acceptance - chain_.acceptance) / static_cast<double>(recorded_);
    }
    ++done_;
    return true;
  }

  Monitor monitor;

 private:
  Chain& chain_;
  std::ptrdiff_t number_;
  std::uint64_t seed_;
  std::int64_t warmup_, moves_, done_ = 0, recorded_ = 0;
  std::unique_ptr<Sampler> sampler_;
};

}  // namespace

void run_chains(std::vector<Chain>& chains, const ChainOptions& options, std::uint64_t seed,
                std::vector<std::ptrdiff_t>& recorded, Monitor& monitor,
                const std::function<std::unique_ptr<Sampler>(std::ptrdiff_t, Monitor&)>& make) {
  const auto count = std::ssize(chains);
  std::deque<Run> runs;
  std::int64_t total = 0, rounds = 0;
  for (std::ptrdiff_t c = 0; c < count; ++c) {
    const auto& run = runs.emplace_back(chains[at(c)], c, options, seed, monitor);
    total += run.moves();
    rounds = std::max(rounds, (run.moves() + together - 1) / together);
  }
  std::atomic<std::int64_t> done{0};
  const auto advance = [&](Run& run, std::ptrdiff_t c) {
    if (!run.begun()) run.begin(make(c, run.monitor));
    for (int k = 0; k < together && !run.ended() && run.move(); ++k)
      monitor.progress(static_cast<double>(++done), static_cast<double>(total));
  };
  // Fewer than four chunks would run serially; a chain is worth a thread.
  for (std::int64_t round = 0; round < rounds && !monitor.stopped(); ++round)
    parallel_for(std::max<std::ptrdiff_t>(count, 4), 1, monitor, [&](std::ptrdiff_t c, std::ptrdiff_t) {
      if (c < count) advance(runs[at(c)], c);
    });
  recorded.clear();
  for (const auto& run : runs) recorded.push_back(run.recorded());
}

}  // namespace steelyard::rank
