#include "rank/over_time/history_gibbs.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "rank/over_time/polya_gamma.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

constexpr double accuracy = 1e-6;
constexpr double stiffest = 1e10;        // link beyond which rounding in A x blurs the first laws
constexpr std::int64_t unpolled = 4096;  // Polya-Gamma variables, below a millisecond

class GibbsSampler final : public Sampler {
 public:
  GibbsSampler(const HistoryProblem& problem, const Parameters& mode, HistoryRecord record, Monitor& monitor)
      : graph_(problem.games.graph),
        counts_(problem.games.counts),
        model_(problem.games.model),
        lines_(problem.lines),
        mode_(mode),
        system_(problem),
        record_(record),
        monitor_(monitor),
        point_(mode_),
        omega_(graph_.left.size()),
        law_(lines_.starts.size()),
        pivot_(mode_.strengths.size()),
        pull_(mode_.strengths.size()),
        any_held_(std::any_of(lines_.held.begin(), lines_.held.end(), [](auto h) { return h != 0; })) {
    for (std::size_t e = 0; e < omega_.size(); ++e) games_ += counts_.wins()[e] + counts_.losses()[e];
    each_free_item([&](ptrdiff_t, ptrdiff_t first, ptrdiff_t last) {
      games_ += 2.0 * lines_.prior;
      for (auto k = first + 1; k < last; ++k) jointly_ = jointly_ && lines_.precision[at(k)] <= stiffest;
    });
  }

  ptrdiff_t size() const override { return std::ssize(mode_.strengths) + (model_.home ? 1 : 0); }

  void start(Chain& chain, Random& random) override {
    chain.step = 1.0;
    std::copy(mode_.strengths.begin(), mode_.strengths.end(), chain.position.begin());
    if (model_.home) chain.position.back() = mode_.home;
    each_free_item([&](ptrdiff_t, ptrdiff_t first, ptrdiff_t last) {
      double away = random.normal();
      for (auto k = first; k < last; ++k) {
        if (k > first) away += random.normal() / std::sqrt(lines_.precision[at(k)]);
        chain.position[at(k)] += away;
      }
    });
  }

  void begin(Chain& chain) override { read(chain); }

  double move(Chain& chain, Random& random) override {
    augment(random);
    if (monitor_.stopped()) return 0.0;
    if (model_.home) draw_home(random);
    const auto period = static_cast<std::int64_t>(std::max(1.0, chain.step));
    if (!jointly_ || chain.moves % period != 0 || !draw_all(random)) {
      each_free_item([&](ptrdiff_t item, ptrdiff_t first, ptrdiff_t last) {
        if (!monitor_.poll()) draw_item(item, first, last, random);
      });
      if (!any_held_) draw_level(random);
    }
    if (monitor_.poll()) {
      read(chain);
      return 0.0;
    }
    std::copy(point_.strengths.begin(), point_.strengths.end(), chain.position.begin());
    if (model_.home) chain.position.back() = point_.home;
    return 1.0;
  }

  /// As much time for joint draws as for sweeps, by counted work so that it is the same everywhere.
  void adapt(Chain& chain, double, bool) override {
    const double nodes = static_cast<double>(pivot_.size()), cells = static_cast<double>(omega_.size());
    const double sweep = 100.0 * games_ + 50.0 * nodes + 10.0 * cells;
    const double joint = 25.0 * (cells + 2.0 * nodes) + iterations_ * (4.0 * cells + 12.0 * nodes);
    chain.step = std::clamp(std::round(joint / sweep), 1.0, 100.0);
  }

  void record(const Chain&, ptrdiff_t draw) override {
    record_.keep(point_, system_.log_posterior(point_, monitor_), draw);
  }

 private:
  void read(const Chain& chain) {
    std::copy_n(chain.position.begin(), point_.strengths.size(), point_.strengths.begin());
    if (model_.home) point_.home = chain.position.back();
  }

  template <class Visit>
  void each_free_item(const Visit& visit) const {
    lines_.each_chain([&](ptrdiff_t item, ptrdiff_t first, ptrdiff_t last) {
      if (!lines_.is_held(first)) visit(item, first, last);
    });
  }

  double advantage(std::size_t edge) const {
    return model_.home && !graph_.home.empty() ? static_cast<double>(graph_.home[edge]) * point_.home : 0.0;
  }

  double lead(std::size_t edge) const {
    return point_.strengths[at(graph_.left[edge])] - point_.strengths[at(graph_.right[edge])];
  }

  void augment(Random& random) {
    for (std::size_t e = 0; e < omega_.size(); ++e)
      omega_[e] = omega(counts_.wins()[e] + counts_.losses()[e], lead(e) + advantage(e), random);
    each_free_item([&](ptrdiff_t item, ptrdiff_t first, ptrdiff_t) {
      law_[at(item)] =
          lines_.first_precision + omega(2.0 * lines_.prior, point_.strengths[at(first)], random);
    });
  }

  /// PG(games, x), in pieces between which it can be stopped.
  double omega(double games, double x, Random& random) {
    double sum = 0.0;
    for (auto left = std::llround(games); left > 0 && !monitor_.stopped();) {
      const auto some = std::min<std::int64_t>(left, unpolled);
      sum += polya_gamma(some, x, random);
      left -= some;
      since_poll_ += some;
      if (since_poll_ < unpolled) continue;
      since_poll_ = 0;
      monitor_.poll();
    }
    return sum;
  }

  void draw_home(Random& random) {
    double precision = 0.0, pull = 0.0;
    for (std::size_t e = 0; e < omega_.size(); ++e) {
      const double side = graph_.home.empty() ? 0.0 : graph_.home[e];
      precision += side * side * omega_[e];
      pull += side * (0.5 * (counts_.wins()[e] - counts_.losses()[e]) - omega_[e] * lead(e));
    }
    if (precision > 0.0) point_.home = pull / precision + random.normal() / std::sqrt(precision);
  }

  /// Forwards: what the dates up to k say of s_k, with the link to k + 1 in the pivot. Backwards: s_k given
  /// s_{k+1}, normal of precision pivot_k.
  void draw_item(ptrdiff_t item, ptrdiff_t first, ptrdiff_t last, Random& random) {
    auto& s = point_.strengths;
    double known = law_[at(item)];
    double pull = lines_.first_precision * lines_.first_mean;
    for (auto k = first; k < last; ++k) {
      for (auto row = graph_.offsets[at(k)]; row < graph_.offsets[at(k) + 1]; ++row) {
        const auto edge = at(graph_.edge[at(row)]);
        const auto other = graph_.neighbours[at(row)];
        const double side = other > k ? 1.0 : -1.0;
        known += omega_[edge];
        pull += 0.5 * side * (counts_.wins()[edge] - counts_.losses()[edge]) +
                omega_[edge] * (s[at(other)] - side * advantage(edge));
      }
      const double link = k + 1 < last ? lines_.precision[at(k + 1)] : 0.0;
      pivot_[at(k)] = known + link;
      pull_[at(k)] = pull;
      known *= link / pivot_[at(k)];  // passed on, without cancellation
      pull *= link / pivot_[at(k)];
    }
    for (auto k = last; k-- > first;) {
      const double link = k + 1 < last ? lines_.precision[at(k + 1)] * s[at(k + 1)] : 0.0;
      s[at(k)] = (pull_[at(k)] + link) / pivot_[at(k)] + random.normal() / std::sqrt(pivot_[at(k)]);
    }
  }

  void draw_level(Random& random) {
    double precision = 0.0, pull = 0.0;
    each_free_item([&](ptrdiff_t item, ptrdiff_t first, ptrdiff_t) {
      precision += law_[at(item)];
      pull += lines_.first_precision * lines_.first_mean - law_[at(item)] * point_.strengths[at(first)];
    });
    const double shift = pull / precision + random.normal() / std::sqrt(precision);
    for (double& s : point_.strengths) s += shift;
  }

  /// All nodes at once: s + A^{-1} (g + noise), g the gradient given the omegas, the noise of covariance A.
  /// False, and nothing moved, where conjugate gradients fail.
  bool draw_all(Random& random) {
    auto& s = point_.strengths;
    std::fill(pull_.begin(), pull_.end(), 0.0);
    for (std::size_t e = 0; e < omega_.size(); ++e) {
      const double force = 0.5 * (counts_.wins()[e] - counts_.losses()[e]) -
                           omega_[e] * (lead(e) + advantage(e)) + std::sqrt(omega_[e]) * random.normal();
      pull_[at(graph_.left[e])] += force;
      pull_[at(graph_.right[e])] -= force;
    }
    each_free_item([&](ptrdiff_t item, ptrdiff_t first, ptrdiff_t last) {
      const double law = law_[at(item)];
      pull_[at(first)] +=
          lines_.first_precision * lines_.first_mean - law * s[at(first)] + std::sqrt(law) * random.normal();
      for (auto k = first + 1; k < last; ++k) {
        const double link = lines_.precision[at(k)];
        const double force = std::sqrt(link) * random.normal() - link * (s[at(k)] - s[at(k - 1)]);
        pull_[at(k)] += force;
        pull_[at(k - 1)] -= force;
      }
    });
    for (ptrdiff_t k = 0; k < std::ssize(lines_.held); ++k)
      if (lines_.is_held(k)) pull_[at(k)] = 0.0;
    system_.take_curvatures(omega_, law_, monitor_);
    std::fill(pivot_.begin(), pivot_.end(), 0.0);
    if (!system_.solve(pull_.data(), pivot_.data(), accuracy, iterations_, monitor_)) return false;
    for (std::size_t k = 0; k < s.size(); ++k) s[k] += pivot_[k];
    return true;
  }

  const PairGraph& graph_;
  const Counts& counts_;
  const Model& model_;
  const Timelines& lines_;
  const Parameters& mode_;
  HistorySystem system_;
  HistoryRecord record_;
  Monitor& monitor_;
  Parameters point_;
  std::vector<double> omega_, law_;   ///< by cell; by item, the first law's curvature
  std::vector<double> pivot_, pull_;  ///< of an item's filter; of a joint draw the shift and the force
  bool any_held_, jointly_ = true;
  double games_ = 0.0;  ///< with those of the first laws
  std::int64_t since_poll_ = 0;
  int iterations_ = 0;  ///< of the last joint draw's conjugate gradients
};

}  // namespace

std::unique_ptr<Sampler> gibbs(const HistoryProblem& problem, const Parameters& mode, HistoryRecord record,
                               Monitor& monitor) {
  return std::make_unique<GibbsSampler>(problem, mode, record, monitor);
}

}  // namespace steelyard::rank
