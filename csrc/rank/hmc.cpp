#include "rank/hmc.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "core/pool.hpp"
#include "core/random.hpp"

namespace steelyard::rank {
namespace {

constexpr double quarter = std::numbers::pi / 4.0;
constexpr double longest_step = quarter;
constexpr double divergent = 1000.0;

/// Adapts log(step) towards the wanted acceptance (Hoffman and Gelman, JMLR 15, 2014, section 3.2).
class StepSize {
 public:
  StepSize(double start, double target)
      : mu_(std::log(std::min(4.0 * start, longest_step))), target_(target) {}

  double update(double acceptance) {
    ++count_;
    const double t = static_cast<double>(count_);
    error_ += (target_ - acceptance - error_) / (t + 10.0);
    const double next = mu_ - std::sqrt(t) / 0.05 * error_;
    const double weight = std::pow(t, -0.75);
    average_ = weight * next + (1.0 - weight) * average_;
    return std::exp(std::min(next, std::log(longest_step)));
  }

  double settled() const { return std::exp(std::min(average_, std::log(longest_step))); }

 private:
  double mu_, target_, error_ = 0.0, average_ = 0.0;
  std::int64_t count_ = 0;
};

double squared(const std::vector<double>& v) {
  double sum = 0.0;
  for (const double x : v) sum += x * x;
  return sum;
}

/// One chain's position, momentum and gradient.
class Walker {
 public:
  Walker(Remainder& target, Chain& chain)
      : target_(target), chain_(chain), gradient_(chain.xi.size()), momentum_(chain.xi.size()) {
    do {  // a start outside the support is drawn towards the mode
      if (chain_.gradients > 0)
        for (double& x : chain_.xi) x *= 0.5;
      rest_ = target_.evaluate(chain_.xi.data(), gradient_.data());
    } while (!std::isfinite(rest_) && ++chain_.gradients < 200);
    ++chain_.gradients;
  }

  /// A move by an angle between 45 and 135 degrees; its chance of acceptance.
  double move(Random& random) {
    for (double& p : momentum_) p = random.normal();
    const double angle = quarter * (1.0 + 2.0 * random.uniform());
    const int steps = std::max(1, static_cast<int>(std::ceil(angle / chain_.step)));
    const double step = angle / steps;
    auto xi = chain_.xi, gradient = gradient_;
    const double before = rest_ - 0.5 * (squared(xi) + squared(momentum_));
    double rest = rest_;
    for (int k = 0; k < steps && std::isfinite(rest); ++k) {
      kick(gradient, 0.5 * step);
      rotate(xi, step);
      rest = target_.evaluate(xi.data(), gradient.data());
      ++chain_.gradients;
      if (std::isfinite(rest)) kick(gradient, 0.5 * step);
    }
    const double gain = std::isfinite(rest) ? rest - 0.5 * (squared(xi) + squared(momentum_)) - before
                                            : -std::numeric_limits<double>::infinity();
    if (std::isfinite(rest) && !(gain > -divergent)) ++chain_.divergences;
    const double chance = gain >= 0.0 ? 1.0 : (gain > -700.0 ? std::exp(gain) : 0.0);
    if (random.uniform() < chance) {
      chain_.xi = std::move(xi);
      gradient_ = std::move(gradient);
      rest_ = rest;
    }
    return chance;
  }

 private:
  void kick(const std::vector<double>& gradient, double time) {
    for (std::size_t i = 0; i < gradient.size(); ++i) momentum_[i] += time * gradient[i];
  }

  void rotate(std::vector<double>& xi, double angle) {
    const double c = std::cos(angle), s = std::sin(angle);
    for (std::size_t i = 0; i < xi.size(); ++i) {
      const double x = xi[i], p = momentum_[i];
      xi[i] = c * x + s * p;
      momentum_[i] = c * p - s * x;
    }
  }

  Remainder& target_;
  Chain& chain_;
  std::vector<double> gradient_, momentum_;
  double rest_ = 0.0;
};

/// Each move has its own stream; number 0 of a chain is its starting point.
Random stream(std::uint64_t seed, std::uint64_t chain, std::int64_t move) {
  return Random(seed, (chain << 40) + static_cast<std::uint64_t>(move) + 1);
}

}  // namespace

bool run_chain(Remainder& target, Chain& chain, const ChainOptions& options, std::uint64_t seed,
               std::uint64_t number, std::ptrdiff_t& recorded, const std::function<void()>& moved,
               Monitor& monitor) {
  recorded = 0;
  chain.gradients = chain.divergences = 0;
  chain.acceptance = 0.0;
  const bool fresh = chain.xi.empty();
  if (fresh) {
    Random random(seed, number << 40);
    chain.xi.resize(static_cast<std::size_t>(target.size()));
    for (double& x : chain.xi) x = random.normal();
  }
  Walker walker(target, chain);
  const std::int64_t warmup = fresh ? options.warmup : 0, all = warmup + options.draws;
  StepSize step(chain.step, options.target);
  for (std::int64_t k = 0; k < all; ++k) {
    if (monitor.poll()) return false;
    Random random = stream(seed, number, chain.moves);
    const double acceptance = walker.move(random);
    ++chain.moves;
    if (k < warmup) {
      chain.step = step.update(acceptance);
      if (k + 1 == warmup) {
        chain.step = step.settled();
        chain.divergences = 0;
      }
    } else {
      target.record(chain.xi.data(), recorded);
      ++recorded;
      chain.acceptance += (acceptance - chain.acceptance) / static_cast<double>(recorded);
    }
    moved();
  }
  return true;
}

void run_chains(std::vector<Chain>& chains, const ChainOptions& options, std::uint64_t seed,
                std::vector<std::ptrdiff_t>& recorded, Monitor& monitor,
                const std::function<std::unique_ptr<Remainder>(std::ptrdiff_t, Monitor&)>& make) {
  const auto count = std::ssize(chains);
  recorded.assign(chains.size(), 0);
  std::atomic<std::int64_t> done{0};
  double total = 0.0;
  for (const auto& chain : chains)
    total += static_cast<double>(options.draws + (chain.xi.empty() ? options.warmup : 0));
  const auto moved = [&] { monitor.progress(static_cast<double>(++done), total); };
  // Fewer than four chunks would run serially; a chain is worth a thread.
  parallel_for(std::max<std::ptrdiff_t>(count, 4), 1, monitor, [&](std::ptrdiff_t c, std::ptrdiff_t) {
    if (c >= count) return;
    Monitor own = Monitor::inside(monitor);
    const auto target = make(c, own);
    run_chain(*target, chains[static_cast<std::size_t>(c)], options, seed, static_cast<std::uint64_t>(c),
              recorded[static_cast<std::size_t>(c)], moved, own);
  });
}

}  // namespace steelyard::rank
