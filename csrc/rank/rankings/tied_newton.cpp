#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/index.hpp"
#include "linalg/cholesky.hpp"
#include "rank/newton_loop.hpp"
#include "rank/rankings/tied_rankings.hpp"
#include "rank/rounding_probe.hpp"
#include "rank/scale.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

constexpr double longest_tied_move = 5.0;

class TiedNewton final : public NewtonMethod {
 public:
  TiedNewton(const TiedModel& model, TiedPoint& point, const FitOptions& options, Monitor& monitor)
      : model_(model),
        at_(point),
        options_(options),
        monitor_(monitor),
        n_(model.rankings.items),
        size_(model.rankings.size()) {
    recovers = false;
  }

  bool start() override {
    settle();
    return evaluate_tied(model_, at_, now_, monitor_);
  }

  bool find_direction(double) override {
    direction_ = now_.gradient;
    if (!factor() || !solve(direction_.data(), 1)) {
      failed_ = !monitor_.stopped();
      return false;
    }
    slope_ = along(now_.gradient);
    return std::isfinite(slope_);
  }

  double decrement() const override { return std::sqrt(std::max(0.0, slope_)); }
  int passes() const override { return 0; }

  /// The farthest that the log odds of two sets move.
  double reach() const override {
    if (direction_.empty()) return 0.0;
    const auto s = direction_.begin() + n_;
    const auto [least, most] = std::minmax_element(direction_.begin(), s);
    double largest = *most - *least, least_tie = 0.0, most_tie = 0.0;
    for (auto tie = s; tie != direction_.end(); ++tie)
      least_tie = std::min(least_tie, *tie), most_tie = std::max(most_tie, *tie);
    if (model_.prior > 0.0) largest = std::max({largest, std::fabs(*least), std::fabs(*most)});
    return largest + most_tie - least_tie;
  }

  /// Gradients are off by eps of their terms, and points by eps of themselves, in the norm of H <= 2 diag(H).
  double rounding() override {
    constexpr double eps = 2.0 * std::numeric_limits<double>::epsilon();
    double energy = 0.0;
    std::vector<double> errors(at(size_));
    for (ptrdiff_t i = 0; i < size_; ++i) {
      const double reached = 4.0 + std::fabs(at_[at(i)]);
      energy += 2.0 * now_.matrix[at(i * size_ + i)] * reached * reached;
      errors[at(i)] = 4.0 * eps * now_.magnitudes[at(i)];
    }
    return probe_rounding(errors, n_, model_.prior <= 0.0,
                          [&](const std::vector<double>& b, std::vector<double>& x) {
                            x = b;
                            return solve(x.data(), probes);
                          }) +
           eps * std::sqrt(energy);
  }

  bool take_step(double& length) override {
    const double largest = reach(), before = slope_;
    length = largest > longest_tied_move ? longest_tied_move / largest : 1.0;
    const TiedPoint from = at_;
    for (int attempt = 0; attempt < 40; ++attempt) {
      for (std::size_t k = 0; k < from.size(); ++k) at_[k] = from[k] + length * direction_[k];
      settle();
      if (!evaluate_tied(model_, at_, now_, monitor_)) break;
      const double after = along(now_.gradient);
      if (std::isfinite(after) && after >= -0.5 * before) return true;
      length *= std::isfinite(after) ? std::clamp(before / (before - after), 0.1, 0.7) : 0.1;
    }
    at_ = from;
    return false;
  }

  bool hopeless(bool found, int) override {
    failed_ = failed_ || (found && reach() > 0.5 && decrement() <= options_.tol);
    return failed_;
  }

  double log_likelihood() const { return now_.log_likelihood; }
  bool failed() const { return failed_; }

 private:
  double along(const std::vector<double>& gradient) const {
    return std::inner_product(gradient.begin(), gradient.end(), direction_.begin(), 0.0);
  }

  void settle() {
    if (model_.prior <= 0.0) centre(at_.data(), n_);
  }

  /// Without a prior the strongest item is held where it is: consistent right sides do not pull at it.
  bool factor() {
    factor_ = now_.matrix;
    if (model_.prior <= 0.0) {
      ptrdiff_t held = 0;
      for (ptrdiff_t i = 1; i < n_; ++i)
        if (factor_[at(i * size_ + i)] > factor_[at(held * size_ + held)]) held = i;
      factor_[at(held * size_ + held)] *= 2.0;
    }
    return linalg::cholesky(factor_.data(), size_, size_, monitor_);
  }

  bool solve(double* b, ptrdiff_t columns) const {
    linalg::cholesky_solve(factor_.data(), size_, size_, b, columns, columns);
    for (ptrdiff_t c = 0; c < columns && model_.prior <= 0.0; ++c) centre(b + c, n_, columns);
    return std::all_of(b, b + size_ * columns, [](double v) { return std::isfinite(v); });
  }

  const TiedModel& model_;
  TiedPoint& at_;
  const FitOptions& options_;
  Monitor& monitor_;
  ptrdiff_t n_, size_;
  TiedDerivatives now_;
  std::vector<double> factor_, direction_;
  double slope_ = 0.0;
  bool failed_ = false;
};

}  // namespace

TiedFit fit_tied_rankings(const TiedModel& model, TiedPoint& at_point, const FitOptions& options,
                          Monitor& monitor) {
  TiedNewton method(model, at_point, options, monitor);
  TiedFit fit;
  fit.info = newton_loop(method, options, monitor);
  fit.info.solver = "newton (dense)";
  fit.log_likelihood = method.log_likelihood();
  const bool far = method.reach() > 0.5 && method.decrement() < 1e-3;
  fit.hopeless = method.failed() || (far && !fit.info.converged && !fit.info.interrupted);
  return fit;
}

}  // namespace steelyard::rank
