#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "linalg/cg.hpp"
#include "rank/newton_loop.hpp"
#include "rank/responses/item_response.hpp"
#include "rank/rounding_probe.hpp"

namespace steelyard::rank {
namespace {

constexpr std::ptrdiff_t fixed_items = 500;  // up to so many, one lattice for all persons
constexpr double longest_item_step = 2.0, coarse_step = 0.4, widest_step = 0.25;
constexpr double first_tol = 1e-2;  // on the first nodes

double slope_of(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += a[k] * b[k];
  return sum;
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

  bool find_direction(double accuracy) override {
    const auto n = problem_.size();
    direction_.assign(at(n), 0.0);
    linalg::CgOptions options;
    options.tol = accuracy;
    options.max_iter = 500;
    const auto found = linalg::conjugate_gradients(
        n, 1, [&](const double* v, double* out, std::ptrdiff_t) { now_.multiply(v, out); },
        [&](const double* v, double* out, std::ptrdiff_t) { now_.precondition(v, out); },
        now_.gradient().data(), direction_.data(), options, monitor_);
    const auto& column = found.columns[0];
    passes_ = column.iterations;
    all_passes += passes_;
    convex_ = column.converged;
    if (column.iterations == 0 && !(column.scale == 0.0))
      now_.precondition(now_.gradient().data(), direction_.data());
    // In the norm of an indefinite matrix there is no distance to the optimum.
    const double rest = column.error_estimate;
    decrement_ = convex_ ? std::sqrt(column.energy + rest * rest) : infinity;
    reach_ = now_.reach(at_, direction_);
    return !monitor_.stopped();
  }

  double decrement() const override { return decrement_; }
  double reach() const override { return std::min(reach_, 50.0); }
  int passes() const override { return passes_; }

  double rounding() override {
    const auto errors = now_.rounding();
    const auto solve = [&](const std::vector<double>& b, std::vector<double>& x) {
      return now_.solve({b.data(), problem_.size(), probes, probes}, x.data(), 0.1);
    };
    return probe_rounding(errors, problem_.size(), false, solve);
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

 private:
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
  double decrement_ = infinity, reach_ = 0.0;
  int passes_ = 0;
  bool convex_ = true;
};

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

  /// Some steps of EM on a coarse lattice; false when stopped.
  bool warm(ItemPoint& point, int steps) {
    const auto coarse = fixed_nodes(problem_.answers.persons, coarse_step);
    std::vector<double> step(at(problem_.size()));
    for (int k = 0; k < steps; ++k) {
      if (!now_.evaluate(point, coarse)) return false;
      now_.precondition(now_.gradient().data(), step.data());
      const double reach = now_.reach(point, step);
      point = now_.moved(point, step, reach > longest_item_step ? longest_item_step / reach : 1.0);
    }
    if (!now_.evaluate(point, coarse)) return false;
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

  void remember(std::vector<Place> places) { places_ = std::move(places); }

 private:
  const ItemProblem problem_;
  ItemLikelihood now_;
  std::vector<Place> places_;
};

}  // namespace

ItemFit fit_items(const ItemProblem& problem, const ItemPoint& start, int em_steps, const FitOptions& options,
                  Monitor& monitor) {
  const Stopwatch watch;
  ItemFit out;
  out.point = start;
  out.node_change = infinity;
  Nodes nodes;
  int iterations = 0;
  bool going;
  {
    NodeChooser chooser(problem, monitor);
    going = chooser.warm(out.point, em_steps) && chooser.settle(out.point, nodes);
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
      going = check.start() && check.find_direction(1e-3);
      if (going) out.node_change = check.decrement();
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
