#include "rank/over_time/hmc.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

#include "core/index.hpp"
#include "core/infinity.hpp"

namespace steelyard::rank {
namespace {

constexpr double quarter = std::numbers::pi / 4.0;
constexpr double longest_step = quarter;
constexpr double most_steps = 1024.0;
constexpr double divergent = 1000.0;
constexpr double wanted = 0.8;  // acceptance

/// Adapts log(step) towards the wanted acceptance (Hoffman and Gelman, JMLR 15, 2014, section 3.2).
class StepSize {
 public:
  explicit StepSize(double start) : mu_(std::log(std::min(4.0 * start, longest_step))) {}

  double update(double acceptance) {
    ++count_;
    const double t = static_cast<double>(count_);
    error_ += (wanted - acceptance - error_) / (t + 10.0);
    const double next = mu_ - std::sqrt(t) / 0.05 * error_;
    const double weight = std::pow(t, -0.75);
    average_ = weight * next + (1.0 - weight) * average_;
    return std::exp(std::min(next, std::log(longest_step)));
  }

  double settled() const { return std::exp(std::min(average_, std::log(longest_step))); }

 private:
  double mu_, error_ = 0.0, average_ = 0.0;
  std::int64_t count_ = 0;
};

double squared(const std::vector<double>& v) {
  double sum = 0.0;
  for (const double x : v) sum += x * x;
  return sum;
}

class HamiltonianSampler final : public Sampler {
 public:
  explicit HamiltonianSampler(std::unique_ptr<Remainder> target)
      : target_(std::move(target)), gradient_(at(target_->size())), momentum_(gradient_) {}

  std::ptrdiff_t size() const override { return target_->size(); }

  void start(Chain& chain, Random& random) override {
    for (double& x : chain.position) x = random.normal();
  }

  void begin(Chain& chain) override {
    step_ = StepSize(chain.step);
    rest_ = target_->evaluate(chain.position.data(), gradient_.data());
    ++chain.gradients;
    // A start outside the support is drawn towards the mode.
    while (!std::isfinite(rest_) && chain.moves == 0 && chain.gradients < 200) {
      for (double& x : chain.position) x *= 0.5;
      rest_ = target_->evaluate(chain.position.data(), gradient_.data());
      ++chain.gradients;
    }
  }

  /// By an angle between 45 and 135 degrees, or as far as `most_steps` lead.
  double move(Chain& chain, Random& random) override {
    for (double& p : momentum_) p = random.normal();
    const double angle = quarter * (1.0 + 2.0 * random.uniform());
    const int steps = static_cast<int>(std::clamp(std::ceil(angle / chain.step), 1.0, most_steps));
    const double step = std::min(angle / steps, chain.step);
    auto xi = chain.position, gradient = gradient_;
    const double before = rest_ - 0.5 * (squared(xi) + squared(momentum_));
    double rest = rest_;
    for (int k = 0; k < steps && std::isfinite(rest); ++k) {
      kick(gradient, 0.5 * step);
      rotate(xi, step);
      rest = target_->evaluate(xi.data(), gradient.data());
      ++chain.gradients;
      if (std::isfinite(rest)) kick(gradient, 0.5 * step);
    }
    const double gain =
        std::isfinite(rest) ? rest - 0.5 * (squared(xi) + squared(momentum_)) - before : -infinity;
    if (std::isfinite(rest) && !(gain > -divergent)) ++chain.divergences;
    const double chance = gain >= 0.0 ? 1.0 : (gain > -700.0 ? std::exp(gain) : 0.0);
    if (random.uniform() < chance) {
      chain.position = std::move(xi);
      gradient_ = std::move(gradient);
      rest_ = rest;
    }
    return chance;
  }

  void adapt(Chain& chain, double acceptance, bool last) override {
    chain.step = step_.update(acceptance);
    if (last) chain.step = step_.settled();
  }

  void record(const Chain& chain, std::ptrdiff_t draw) override {
    target_->record(chain.position.data(), draw);
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

  std::unique_ptr<Remainder> target_;
  std::vector<double> gradient_, momentum_;
  StepSize step_{0.5};
  double rest_ = 0.0;
};

}  // namespace

std::unique_ptr<Sampler> hamiltonian(std::unique_ptr<Remainder> target) {
  return std::make_unique<HamiltonianSampler>(std::move(target));
}

}  // namespace steelyard::rank
