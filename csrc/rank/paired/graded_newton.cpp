#include <algorithm>
#include <cmath>
#include <limits>

#include "core/index.hpp"
#include "rank/newton_loop.hpp"
#include "rank/paired/graded.hpp"
#include "rank/rounding_probe.hpp"
#include "rank/scale.hpp"

namespace steelyard::rank {
namespace {

constexpr double longest_graded_move = 5.0;

class GradedNewton final : public NewtonMethod {
 public:
  GradedNewton(const GradedProblem& problem, GradedPoint& point, const FitOptions& options, Monitor& monitor)
      : problem_(problem),
        at_(point),
        options_(options),
        monitor_(monitor),
        system_(problem.graph, problem.model(), Linear::automatic, monitor) {
    recovers = false;
  }

  bool start() override {
    if (problem_.prior <= 0.0) centre(at_.strengths);
    return evaluate(problem_, at_, now_, monitor_);
  }

  bool find_direction(double accuracy) override {
    if (!system_.prepare(now_.all, monitor_)) return false;
    for (int tries = 0; tries < 4; ++tries, accuracy *= 1e-3) {
      if (!system_.direction(now_.all, accuracy, direction_, monitor_)) return false;
      const bool undecided = direction_.lower <= options_.tol && direction_.decrement > options_.tol;
      if (!undecided || system_.chosen() != Linear::cg) break;
    }
    reach_ = largest_change();
    return true;
  }

  double decrement() const override { return direction_.decrement; }
  double reach() const override { return reach_; }
  int passes() const override { return direction_.cg_iterations; }

  /// As for pairs with one threshold (likelihood.hpp): terms of cells, and sums over them.
  double rounding() override {
    constexpr double eps = 2.0 * std::numeric_limits<double>::epsilon();
    const auto& graph = problem_.graph;
    const auto& d = now_.all;
    const auto n = d.gradient.size();
    const auto square = [](double x) { return x * x; };
    std::vector<double> errors(n + at(d.extra), 0.0);
    double energy = 0.0;
    for (std::size_t k = 0; k < graph.left.size(); ++k) {
      const auto i = at(graph.left[k]), j = at(graph.right[k]);
      const double g = now_.cell_terms[k], around = std::min(d.diagonal[i], d.diagonal[j]);
      double size = std::fabs(at_.strengths[i]) + std::fabs(at_.strengths[j]);
      for (int e = 0; e < problem_.effects(); ++e)
        size += std::fabs(problem_.effect(k, e) * at_.effects[at(e)]);
      errors[i] += eps * g;
      errors[j] += eps * g;
      energy += d.cell_curvature[k] * square(4.0 + size);
      if (around > 0.0) energy += 2.0 * g * g / around;
    }
    for (std::size_t i = 0; i < d.prior_curvature.size(); ++i)
      energy += d.prior_curvature[i] * square(4.0 + std::fabs(at_.strengths[i]));
    for (std::size_t k = 0; k < at(d.extra); ++k) {
      errors[n + k] = eps * now_.magnitudes[k];
      const auto free = at_.thresholds.size();
      const double own = k < free ? at_.thresholds[k] : at_.effects[k - free];
      energy += d.extra_hessian[k * at(d.extra) + k] * square(4.0 + std::fabs(own));
    }
    const auto solve = [&](const std::vector<double>& b, std::vector<double>& x) {
      return system_.solve_all(d, {b.data(), std::ssize(errors), probes, probes}, x.data(), 0.1, monitor_);
    };
    return probe_rounding(errors, problem_.graph.items, problem_.prior <= 0.0, solve) +
           eps * std::sqrt(energy);
  }

  bool take_step(double& length) override {
    length = allowed();
    if (reach_ > longest_graded_move) length = std::min(length, longest_graded_move / reach_);
    const double before = direction_.slope;
    const GradedPoint from = at_;
    for (int attempt = 0; attempt < 40; ++attempt) {
      move(from, length);
      if (!evaluate(problem_, at_, now_, monitor_)) return false;
      const double after = slope_along(now_.all, direction_);
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

  double log_likelihood() const { return now_.log_likelihood; }
  std::string describe() const { return "newton (" + system_.describe() + ")"; }

 private:
  /// A full step, or as much of it as keeps the thresholds in order.
  double allowed() const {
    if (problem_.link != GradeLink::cumulative) return 1.0;
    double length = 1.0, below = 0.0, change = 0.0;
    for (std::size_t k = 0; k < at_.thresholds.size(); ++k) {
      const double gap = at_.thresholds[k] - below, closing = change - direction_.extra[k];
      if (closing > 0.0) length = std::min(length, 0.9 * gap / closing);
      below = at_.thresholds[k];
      change = direction_.extra[k];
    }
    return length;
  }

  void move(const GradedPoint& from, double length) {
    for (std::size_t i = 0; i < from.strengths.size(); ++i)
      at_.strengths[i] = from.strengths[i] + length * direction_.strengths[i];
    for (std::size_t k = 0; k < from.thresholds.size(); ++k)
      at_.thresholds[k] = from.thresholds[k] + length * direction_.extra[k];
    for (std::size_t k = 0; k < from.effects.size(); ++k)
      at_.effects[k] = from.effects[k] + length * direction_.extra[from.thresholds.size() + k];
    if (problem_.prior <= 0.0) centre(at_.strengths);
  }

  double largest_change() const {
    const auto& graph = problem_.graph;
    const auto& s = direction_.strengths;
    const auto free = at_.thresholds.size();
    double largest = 0.0, threshold = 0.0;
    for (std::size_t k = 0; k < graph.left.size(); ++k) {
      double change = s[at(graph.left[k])] - s[at(graph.right[k])];
      for (int e = 0; e < problem_.effects(); ++e)
        change += problem_.effect(k, e) * direction_.extra[free + at(e)];
      largest = std::max(largest, std::fabs(change));
    }
    for (std::size_t k = 0; k < at_.thresholds.size(); ++k)
      threshold = std::max(threshold, std::fabs(direction_.extra[k]));
    // A grade's width is the difference of two thresholds.
    largest = std::max(largest + threshold, 2.0 * threshold);
    if (problem_.prior > 0.0) {
      for (const double x : s) largest = std::max(largest, std::fabs(x));
    }
    return largest;
  }

  const GradedProblem& problem_;
  GradedPoint& at_;
  const FitOptions& options_;
  Monitor& monitor_;
  StrengthSystem system_;
  GradedDerivatives now_;
  NewtonDirection direction_;
  double reach_ = 0.0;
};

}  // namespace

GradedFit fit_graded(const GradedProblem& problem, const GradedPoint& start, const FitOptions& options,
                     Monitor& monitor) {
  GradedFit out;
  out.point = start;
  GradedNewton method(problem, out.point, options, monitor);
  out.info = newton_loop(method, options, monitor);
  out.info.solver = method.describe();
  out.log_likelihood = method.log_likelihood();
  out.reach = method.reach();
  return out;
}

}  // namespace steelyard::rank
