#include "rank/over_time/history_sampler.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "rank/over_time/history_gibbs.hpp"
#include "rank/over_time/hmc.hpp"
#include "rank/paired/tie_models.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

class HistoryTarget final : public Remainder {
 public:
  HistoryTarget(const HistoryProblem& problem, const Parameters& mode, const HistoryPosterior& posterior,
                HistoryRecord record, Monitor& monitor)
      : system_(problem),
        model_(problem.games.model),
        mode_(mode),
        point_(mode),
        posterior_(posterior),
        record_(record),
        monitor_(monitor),
        theta_(at(posterior.size())) {}

  ptrdiff_t size() const override { return posterior_.size(); }

  double evaluate(const double* xi, double* gradient) override {
    move_to(xi);
    if (tie_is_positive(model_.ties) && point_.tie <= 0.0) return -infinity;
    if (!system_.differentiate(point_, monitor_)) return -infinity;
    const auto& d = system_.derivatives();
    std::copy(d.gradient.begin(), d.gradient.end(), theta_.begin());
    std::copy_n(d.extra_gradient.begin(), d.extra, theta_.end() - d.extra);
    const bool bent = tie_is_positive(model_.ties);
    if (bent) *(theta_.end() - d.extra) = d.extra_gradient[0] * point_.tie / mode_.tie + 1.0 / mode_.tie;
    posterior_.gather(theta_.data(), gradient);
    double normal = 0.0;
    for (ptrdiff_t i = 0; i < size(); ++i) {
      gradient[i] += xi[i];
      normal += xi[i] * xi[i];
    }
    const double jacobian = bent ? std::log(point_.tie / mode_.tie) : 0.0;
    return system_.log_posterior(point_, monitor_) + jacobian + 0.5 * normal;
  }

  void record(const double* xi, ptrdiff_t draw) override {
    move_to(xi);
    record_.keep(point_, system_.log_posterior(point_, monitor_), draw);
  }

 private:
  void move_to(const double* xi) {
    posterior_.spread(xi, theta_.data());
    for (std::size_t k = 0; k < point_.strengths.size(); ++k)
      point_.strengths[k] = mode_.strengths[k] + theta_[k];
    const double* extra = theta_.data() + point_.strengths.size();
    // A positive parameter on a logarithmic scale that touches the linear one at the mode.
    if (tie_is_positive(model_.ties))
      point_.tie = mode_.tie * std::exp(*extra++ / mode_.tie);
    else if (model_.ties != Ties::none)
      point_.tie = mode_.tie + *extra++;
    if (model_.home) point_.home = mode_.home + *extra;
  }

  HistorySystem system_;
  const Model& model_;
  const Parameters& mode_;
  Parameters point_;
  const HistoryPosterior& posterior_;
  HistoryRecord record_;
  Monitor& monitor_;
  std::vector<double> theta_;
};

}  // namespace

void HistoryRecord::keep(const Parameters& point, double log_posterior, ptrdiff_t draw) const {
  const ptrdiff_t row = first_ + draw, kept = std::ssize(out_.kept);
  for (ptrdiff_t k = 0; k < kept; ++k)
    out_.strengths[row * kept + k] = static_cast<float>(point.strengths[at(out_.kept[at(k)])]);
  double* extra = out_.extra + row * model_.extra();
  if (model_.ties != Ties::none) *extra++ = point.tie;
  if (model_.home) *extra = point.home;
  out_.log_posterior[row] = log_posterior;
}

std::int64_t sample_history(const HistoryProblem& problem, const Parameters& mode,
                            const HistoryPosterior* normal_law, std::vector<Chain>& chains,
                            const ChainOptions& options, std::uint64_t seed, const HistoryDraws& out,
                            Monitor& monitor) {
  std::vector<ptrdiff_t> recorded(chains.size(), 0);
  run_chains(chains, options, seed, recorded, monitor, [&](ptrdiff_t c, Monitor& own) {
    const HistoryRecord record(out, problem.games.model, c * options.draws);
    if (normal_law == nullptr) return gibbs(problem, mode, record, own);
    return hamiltonian(std::make_unique<HistoryTarget>(problem, mode, *normal_law, record, own));
  });
  return *std::min_element(recorded.begin(), recorded.end());
}

}  // namespace steelyard::rank
