#include <algorithm>
#include <cmath>
#include <limits>

#include "core/index.hpp"
#include "core/pool.hpp"
#include "rank/newton_loop.hpp"
#include "rank/paired/teams.hpp"
#include "rank/paired/tie_models.hpp"
#include "rank/rounding_probe.hpp"
#include "rank/scale.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

constexpr double longest_team_move = 5.0;

class TeamNewton final : public NewtonMethod {
 public:
  TeamNewton(const TeamProblem& problem, TeamPoint& point, const FitOptions& options, Monitor& monitor)
      : problem_(problem),
        at_(point),
        options_(options),
        monitor_(monitor),
        system_(problem, Linear::automatic, monitor) {
    recovers = false;
  }

  bool start() override {
    if (problem_.centred) centre(at_.strengths);
    return evaluate(problem_, at_, now_, monitor_);
  }

  bool find_direction(double accuracy) override {
    if (!system_.prepare(now_, monitor_)) return false;
    for (int tries = 0; tries < 4; ++tries, accuracy *= 1e-3) {
      if (!system_.direction(now_, accuracy, direction_, monitor_)) return false;
      const bool undecided = direction_.lower <= options_.tol && direction_.decrement > options_.tol;
      if (!undecided || !system_.iterates()) break;
    }
    reach_ = largest_change();
    return true;
  }

  double decrement() const override { return direction_.decrement; }
  double reach() const override { return reach_; }
  int passes() const override { return direction_.cg_iterations; }

  /// Terms of games and sums over them, as for pairs (likelihood.hpp).
  double rounding() override {
    constexpr double eps = 2.0 * std::numeric_limits<double>::epsilon();
    const auto& rows = problem_.sides.rows;
    const auto n = now_.gradient.size(), first = at(problem_.tie_columns());
    std::vector<double> errors(n + at(now_.extra), 0.0);
    double energy = 0.0, ties = 0.0;
    for (ptrdiff_t g = 0; g < rows.rows(); ++g) {
      const double term = std::fabs(now_.cell_gradient[at(g)]);
      double size = 0.0;
      for (auto k = rows.offsets[at(g)]; k < rows.offsets[at(g) + 1]; ++k) {
        const auto i = at(rows.indices[at(k)]);
        const double a = std::fabs(problem_.sides.row_values[at(k)]);
        errors[i] += eps * a * term;
        size += a * std::fabs(at_.strengths[i]);
      }
      const double* z = problem_.effects.row(g);
      for (std::size_t e = 0; e < at_.effects.size(); ++e) {
        errors[n + first + e] += eps * std::fabs(z[e]) * term;
        size += std::fabs(z[e] * at_.effects[e]);
      }
      energy += now_.cell_curvature[at(g)] * (4.0 + size) * (4.0 + size);
    }
    for (std::size_t i = 0; i < now_.prior_curvature.size(); ++i)
      energy += now_.prior_curvature[i] * std::pow(4.0 + std::fabs(at_.strengths[i]), 2.0);
    for (const double t : problem_.counts.ties()) ties += t;
    if (first > 0) errors[n] = 2.0 * eps * ties;
    const auto solve = [&](const std::vector<double>& b, std::vector<double>& x) {
      return system_.solve_all(now_, {b.data(), std::ssize(errors), probes, probes}, x.data(), 0.1, monitor_);
    };
    return probe_rounding(errors, std::ssize(now_.gradient), problem_.centred, solve) +
           eps * std::sqrt(energy);
  }

  bool take_step(double& length) override {
    length = 1.0;
    if (problem_.tie_columns() > 0 && tie_is_positive(problem_.ties) && direction_.extra[0] < 0.0)
      length = std::min(1.0, -0.9 * at_.tie / direction_.extra[0]);
    if (reach_ > longest_team_move) length = std::min(length, longest_team_move / reach_);
    const double before = direction_.slope;
    const TeamPoint from = at_;
    for (int attempt = 0; attempt < 40; ++attempt) {
      move(from, length);
      if (!evaluate(problem_, at_, now_, monitor_)) return false;
      const double after = slope_along(now_, direction_);
      if (std::isfinite(after) && after >= -0.5 * before) return !monitor_.stopped();
      length *= std::isfinite(after) ? std::clamp(before / (before - after), 0.1, 0.7) : 0.1;
    }
    at_ = from;
    evaluate(problem_, at_, now_, monitor_);
    return false;
  }

  bool hopeless(bool found, int) override {
    return found && reach_ > 0.5 && direction_.decrement <= options_.tol;
  }

  bool estimates() const { return system_.estimates(); }
  /// At the point of the last direction, which is that where the loop ended.
  double log_volume() { return system_.log_determinant(now_, monitor_); }
  std::string describe() const { return "newton (" + system_.describe() + ")"; }

 private:
  void move(const TeamPoint& from, double length) {
    const auto first = at(problem_.tie_columns());
    for (std::size_t i = 0; i < from.strengths.size(); ++i)
      at_.strengths[i] = from.strengths[i] + length * direction_.strengths[i];
    if (first > 0) at_.tie = from.tie + length * direction_.extra[0];
    for (std::size_t e = 0; e < from.effects.size(); ++e)
      at_.effects[e] = from.effects[e] + length * direction_.extra[first + e];
    if (problem_.centred) centre(at_.strengths);
  }

  double largest_change() {
    const auto games = problem_.sides.games();
    const auto first = at(problem_.tie_columns());
    moved_.resize(at(games));
    multiply_sides(problem_.sides, direction_.strengths.data(), moved_.data(), monitor_);
    double largest = first > 0 ? std::fabs(direction_.extra[0]) : 0.0;
    for (ptrdiff_t g = 0; g < games; ++g) {
      double change = moved_[at(g)];
      const double* z = problem_.effects.row(g);
      for (std::size_t e = 0; e < at_.effects.size(); ++e) change += z[e] * direction_.extra[first + e];
      largest = std::max(largest, std::fabs(change));
    }
    if (!now_.prior_curvature.empty()) {
      for (const double s : direction_.strengths) largest = std::max(largest, std::fabs(s));
    }
    return largest;
  }

  const TeamProblem& problem_;
  TeamPoint& at_;
  const FitOptions& options_;
  Monitor& monitor_;
  TeamSystem system_;
  Derivatives now_;
  NewtonDirection direction_;
  std::vector<double> moved_;
  double reach_ = 0.0;
};

}  // namespace

TeamFit fit_teams(const TeamProblem& problem, const TeamPoint& start, const FitOptions& options,
                  Monitor& monitor) {
  TeamFit out;
  out.point = start;
  TeamNewton method(problem, out.point, options, monitor);
  out.info = newton_loop(method, options, monitor);
  out.info.solver = method.describe();
  if (method.estimates()) out.info.error_kind = ErrorKind::estimate;
  out.log_likelihood = log_likelihood(problem, out.point, monitor);
  if (std::isfinite(out.info.error_bound) && !problem.groups.begins.empty())
    out.log_volume = method.log_volume();
  return out;
}

}  // namespace steelyard::rank
