#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "linalg/cg.hpp"
#include "rank/newton_loop.hpp"
#include "rank/responses/item_response.hpp"

namespace steelyard::rank {
namespace {

constexpr std::ptrdiff_t fixed_items = 500;  // up to so many, one lattice for all persons
constexpr double longest_item_step = 2.0, coarse_step = 0.4, widest_step = 0.25;
constexpr double first_tol = 1e-2;      // on the first nodes
constexpr double rough = 0.1;           // accuracy of a direction
constexpr double joined_at = 0.1;       // largest change of an argument of a logistic function
constexpr double seen_by_bound = 1e-3;  // a change on doubled nodes above it is solved for

double slope_of(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += a[k] * b[k];
  return sum;
}

/// The largest change of a t + c at |t| <= 3, or of logit g.
double distance(const ItemPoint& one, const ItemPoint& other) {
  double largest = 0.0;
  for (std::size_t j = 0; j < one.log_slope.size(); ++j) {
    const double steeper = std::fabs(std::exp(one.log_slope[j]) - std::exp(other.log_slope[j]));
    largest = std::max(largest, 3.0 * steeper + std::fabs(one.intercept[j] - other.intercept[j]));
    if (one.logit_guess[j] > -infinity)
      largest = std::max(largest, std::fabs(one.logit_guess[j] - other.logit_guess[j]));
  }
  return largest;
}

class ItemNewton final : public NewtonMethod {
 public:
  ItemNewton(const ItemProblem& problem, ItemPoint& point, const Nodes& nodes, const FitOptions& options,
             Monitor& monitor)
      : problem_(problem),
        at_(point),
        nodes_(nodes),
        options_(options),
        monitor_(monitor),
        now_(problem, monitor) {}

  bool start() override { return now_.evaluate(at_, nodes_); }

  /// Once the next decrement may be the last, a rough direction comes first: it proves as much of a small one.
  bool find_direction(double accuracy) override {
    const bool may_end = decrement_ * decrement_ <= options_.tol;
    direction_.assign(at(problem_.size()), 0.0);
    energy_ = 0.0;
    passes_ = 0;
    bool enough = may_end && accuracy < rough && solve(rough) && decrement_ <= 0.5 * options_.tol;
    if (!enough) enough = solve(accuracy);
    if (passes_ == 0 && !(scale_ == 0.0)) now_.precondition(now_.gradient().data(), direction_.data());
    all_passes += passes_;
    reach_ = now_.reach(at_, direction_);
    return !monitor_.stopped();
  }

  /// At a point where H is hardly another than at one before: a decrement from the smallest eigenvalue seen there.
  double decrement_by(double eigenvalue) {
    std::vector<double> x(now_.gradient().size());
    now_.precondition(now_.gradient().data(), x.data());
    return std::sqrt(std::max(0.0, slope_of(now_.gradient(), x)) / eigenvalue);
  }

  double decrement() const override { return decrement_; }
  double reach() const override { return std::min(reach_, 50.0); }
  int passes() const override { return passes_; }

  /// From above: H >= least M, M what preconditions.
  double rounding() override {
    std::vector<double> error(at(problem_.size())), x(error.size());
    double largest = 0.0;
    for (std::uint64_t probe = 1; probe <= 2; ++probe) {
      if (!now_.rounding(probe, error.data())) return infinity;
      now_.precondition(error.data(), x.data());
      largest = std::max(largest, slope_of(error, x));
    }
    return std::sqrt(largest / least);
  }

  bool take_step(double& length) override {
    length = reach_ > longest_item_step ? longest_item_step / reach_ : 1.0;
    return climb(length);
  }

  bool recover() override {
    now_.precondition(now_.gradient().data(), direction_.data());
    reach_ = now_.reach(at_, direction_);
    double length = reach_ > longest_item_step ? longest_item_step / reach_ : 1.0;
    return climb(length);
  }

  bool hopeless(bool found, int) override { return found && reach_ > 0.5 && decrement_ <= options_.tol; }

  ItemLikelihood& likelihood() { return now_; }
  int all_passes = 0;
  double least = 1.0;  ///< eigenvalue of M^-1 H, as conjugate gradients saw it

 private:
  /// Goes on from the direction there is.
  bool solve(double accuracy) {
    linalg::CgOptions options;
    options.tol = accuracy;
    options.max_iter = 500;
    const auto found = linalg::conjugate_gradients(
        problem_.size(), 1, [&](const double* v, double* out, std::ptrdiff_t) { now_.multiply(v, out); },
        [&](const double* v, double* out, std::ptrdiff_t) { now_.precondition(v, out); },
        now_.gradient().data(), direction_.data(), options, monitor_);
    const auto& column = found.columns[0];
    passes_ += column.iterations;
    energy_ += column.energy;
    scale_ = column.scale;
    if (column.lanczos_smallest > 0.0) least = std::min(least, column.lanczos_smallest);
    // The smallest eigenvalue lies below the least that was seen: a quarter of that is taken.
    const double rest = 2.0 * column.residual / std::sqrt(least);
    // In the norm of an indefinite matrix there is no distance to the optimum.
    decrement_ = column.converged ? std::sqrt(energy_ + rest * rest) : infinity;
    return column.converged;
  }

  bool climb(double& length) {
    const double before = slope_of(now_.gradient(), direction_), value = now_.value();
    if (!(before > 0.0)) return false;
    const ItemPoint from = at_;
    for (int attempt = 0; attempt < 30; ++attempt) {
      at_ = now_.moved(from, direction_, length);
      if (!now_.evaluate(at_, nodes_)) return false;
      const double after = slope_of(now_.gradient(), direction_), noise = 1e-11 * std::fabs(value);
      const bool up = now_.value() >= value + 1e-4 * length * before;
      const bool settles = now_.value() >= value - noise && after >= -0.5 * before;
      if (std::isfinite(now_.value()) && (up || settles)) return !monitor_.stopped();
      length *= 0.3;
    }
    at_ = from;
    now_.evaluate(at_, nodes_);
    return false;
  }

  const ItemProblem problem_;
  ItemPoint& at_;
  const Nodes& nodes_;
  const FitOptions& options_;
  Monitor& monitor_;
  ItemLikelihood now_;
  std::vector<double> direction_;
  double decrement_ = infinity, energy_ = 0.0, scale_ = 0.0, reach_ = 0.0;
  int passes_ = 0;
};

/// Mean 0 and variance 1 of the population at other items: with it EM, which knows the population and moves items
/// alone, no longer creeps along their common scale (Liu, Rubin and Wu, "Parameter expansion to accelerate EM",
/// Biometrika 85, 1998).
void rescale(ItemPoint& point, std::vector<Place>& places) {
  double mean = 0.0, square = 0.0;
  for (const auto& place : places) {
    mean += place.mean;
    square += place.mean * place.mean + place.sd * place.sd;
  }
  const auto n = static_cast<double>(places.size());
  mean /= n;
  const double sd = std::clamp(std::sqrt(std::max(0.0, square / n - mean * mean)), 0.5, 2.0);
  for (std::size_t j = 0; j < point.log_slope.size(); ++j) {
    point.intercept[j] += std::exp(point.log_slope[j]) * mean;
    point.log_slope[j] += std::log(sd);
  }
  for (auto& place : places) {
    place.mean = (place.mean - mean) / sd;
    place.sd /= sd;
  }
}

/// No wider than the answers' own bends ask, however wide posteriors are.
double finest_needed(const std::vector<Place>& places) {
  double least = widest_step;
  for (const auto& place : places) least = std::min(least, place.sd);
  return least;
}

/// Nodes fit for the posteriors at a point.
class NodeChooser {
 public:
  NodeChooser(const ItemProblem& problem, Monitor& monitor) : problem_(problem), now_(problem, monitor) {}

  /// Some steps of EM on a coarse lattice, fewer where they come near `other`; false when stopped.
  bool warm(ItemPoint& point, int steps, const ItemPoint* other = nullptr) {
    Nodes nodes = fixed_nodes(problem_.answers.persons, coarse_step);
    std::vector<double> step(at(problem_.size()));
    for (int k = 0; k < steps && !joined; ++k) {
      if (!now_.evaluate(point, nodes)) return false;
      places_ = now_.places();
      now_.precondition(now_.gradient().data(), step.data());
      const double reach = now_.reach(point, step);
      point = now_.moved(point, step, reach > longest_item_step ? longest_item_step / reach : 1.0);
      rescale(point, places_);
      joined = other != nullptr && distance(point, *other) < joined_at;
      if (problem_.answers.items > fixed_items) nodes = window_nodes(places_);
    }
    if (joined) return true;
    if (!now_.evaluate(point, nodes)) return false;
    places_ = now_.places();
    return true;
  }

  bool settle(const ItemPoint& point, Nodes& nodes) {
    for (int tries = 0; tries < 6; ++tries) {
      nodes = problem_.answers.items <= fixed_items
                  ? fixed_nodes(problem_.answers.persons, finest_needed(places_))
                  : window_nodes(places_);
      if (!now_.evaluate(point, nodes)) return false;
      places_ = now_.places();
      if (suffice(nodes, places_)) break;
    }
    return true;
  }

  bool joined = false;

 private:
  const ItemProblem problem_;
  ItemLikelihood now_;
  std::vector<Place> places_;
};

}  // namespace

ItemFit fit_items(const ItemProblem& problem, const ItemPoint& start, int em_steps, const ItemPoint* other,
                  const FitOptions& options, Monitor& monitor) {
  const Stopwatch watch;
  ItemFit out;
  out.point = start;
  out.node_change = infinity;
  Nodes nodes;
  int iterations = 0;
  bool going;
  {
    NodeChooser chooser(problem, monitor);
    going = chooser.warm(out.point, em_steps, other);
    out.joined = chooser.joined;
    going = going && !out.joined && chooser.settle(out.point, nodes);
  }
  for (int round = 0; going && round < 6; ++round) {
    FitOptions now = options;
    if (round == 0) now.tol = std::max(options.tol, first_tol);
    ItemNewton method(problem, out.point, nodes, now, monitor);
    out.info = newton_loop(method, now, monitor);
    iterations += out.info.iterations;
    out.cg_iterations += method.all_passes;
    if (monitor.stopped()) break;
    out.places = method.likelihood().places();
    out.log_likelihood = method.likelihood().log_likelihood();
    out.objective = method.likelihood().value();
    const bool enough = suffice(nodes, out.places);
    if (enough && round == 0 && out.info.error_bound > options.tol && out.info.converged) continue;
    if (enough || !out.info.converged || round == 5) {
      if (options.tol >= first_tol) break;  // no more than a look
      const Nodes fine = doubled(nodes);
      ItemNewton check(problem, out.point, fine, options, monitor);
      going = check.start();
      if (going) out.node_change = check.decrement_by(method.least);
      if (going && !(out.node_change <= seen_by_bound) && check.find_direction(rough))
        out.node_change = check.decrement();
      break;
    }
    nodes = problem.answers.items <= fixed_items
                ? fixed_nodes(problem.answers.persons, finest_needed(out.places))
                : window_nodes(out.places);
  }
  out.info.iterations = iterations;
  out.info.interrupted = monitor.stopped();
  out.info.seconds = watch.seconds();
  out.info.tol = options.tol;
  out.info.solver = "newton-cg";
  out.nodes = nodes.width;
  out.finest = nodes.groups.empty() ? 0.0 : nodes.finest();
  if (out.places.empty()) out.places.resize(at(problem.answers.persons));
  return out;
}

std::vector<double> solve_items(const ItemProblem& problem, const ItemPoint& point,
                                MatrixView<const double> b, Monitor& monitor) {
  std::vector<double> x(checked_product("right_sides", b.rows, b.cols));
  NodeChooser chooser(problem, monitor);
  ItemPoint here = point;
  Nodes nodes;
  ItemLikelihood now(problem, monitor);
  const bool ready = chooser.warm(here, 0) && chooser.settle(here, nodes) && now.evaluate(here, nodes);
  if (!ready || !now.solve(b, x.data(), 1e-7)) x.clear();
  return x;
}

}  // namespace steelyard::rank
