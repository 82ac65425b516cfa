#include "rank/rankings/ranking_newton.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "rank/rankings/ranking_sweeps.hpp"
#include "rank/scale.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

constexpr double longest_move = 5.0;
constexpr double infinity = std::numeric_limits<double>::infinity();

std::size_t at(std::int64_t k) { return static_cast<std::size_t>(k); }

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// Largest change of a difference within a ranking, or of a strength itself where the prior holds it.
double largest_change(const RankingModel& model, const std::vector<double>& direction) {
  const auto [least, most] = std::minmax_element(direction.begin(), direction.end());
  const double apart = model.prior > 0.0 ? std::max(*most, -*least) : *most - *least;
  if (apart <= longest_move || model.prior > 0.0) return apart;
  const auto& rankings = model.rankings;
  double largest = 0.0;
  for (ptrdiff_t r = 0; r < rankings.count(); ++r) {
    double low = infinity, high = -infinity;
    for (auto place = rankings.starts[at(r)]; place < rankings.starts[at(r) + 1]; ++place) {
      const double move = direction[at(rankings.codes[at(place)])];
      low = std::min(low, move);
      high = std::max(high, move);
    }
    largest = std::max(largest, high - low);
  }
  return largest;
}

std::vector<double> moved(const RankingModel& model, const std::vector<double>& from,
                          const std::vector<double>& direction, double step) {
  std::vector<double> to(from.size());
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = from[i] + step * direction[i];
  if (model.prior <= 0.0) centre(to);
  return to;
}

/// `now` becomes that of the new point. False: no step helps, or stopped.
bool take_step(const RankingModel& model, const RankingDirection& direction, std::vector<double>& strengths,
               RankingDerivatives& now, double& length, Monitor& monitor) {
  const double before = direction.slope, largest = largest_change(model, direction.strengths);
  length = largest > longest_move ? longest_move / largest : 1.0;
  for (int attempt = 0; attempt < 40; ++attempt) {
    auto next = moved(model, strengths, direction.strengths, length);
    if (!differentiate(model, next, now, monitor)) return false;
    const double after = dot(now.gradient, direction.strengths);
    if (std::isfinite(after) && after >= -0.5 * before) {
      strengths = std::move(next);
      return true;
    }
    length *= std::isfinite(after) ? std::clamp(before / (before - after), 0.1, 0.7) : 0.1;
  }
  return false;
}

}  // namespace

Info fit_rankings_by_newton(const RankingModel& model, Linear linear, std::vector<double>& strengths,
                            const FitOptions& options, Monitor& monitor) {
  const Stopwatch watch;
  Info info;
  info.tol = options.tol;
  info.error_kind = ErrorKind::asymptotic;
  info.error_bound = infinity;
  if (options.keep_trace)
    info.trace.columns = {"iteration", "newton_decrement", "step", "cg_iterations", "seconds"};
  RankingSystem system(model, linear);
  RankingSweeps sweeps(model);
  RankingDerivatives now;
  RankingDirection direction;
  for (int k = 0; k < options.warm_sweeps && !monitor.poll(); ++k)
    sweeps.sweep(Sweep::newman, strengths, monitor);
  strengths = moved(model, strengths, strengths, 0.0);
  bool ready = differentiate(model, strengths, now, monitor);
  double accuracy = 0.1, best = infinity;
  int stalled = 0;
  while (ready && !monitor.poll()) {
    double length = 0.0;
    const bool found = system.direction(now, accuracy, options.tol, direction, monitor);
    if (monitor.stopped()) break;
    info.error_bound = found ? direction.decrement : infinity;
    info.converged = found && direction.decrement <= options.tol;
    // Near the floor of rounding the decrement no longer falls.
    stalled = info.error_bound < 0.5 * best ? 0 : stalled + 1;
    best = std::min(best, info.error_bound);
    const bool floor = stalled >= 4 && best < 1e-6;
    if (!info.converged && !floor && info.iterations < options.max_iter) {
      ++info.iterations;
      if (!found || !take_step(model, direction, strengths, now, length, monitor)) {
        sweeps.sweep(Sweep::newman, strengths, monitor);
        ready = differentiate(model, strengths, now, monitor);
      }
      accuracy = std::clamp(0.1 * info.error_bound, 1e-8, 0.1);
    } else {
      ready = false;
    }
    if (options.keep_trace) {
      info.trace.add({static_cast<double>(info.iterations), info.error_bound, length,
                      static_cast<double>(found ? direction.cg_iterations : 0), watch.seconds()});
    }
    monitor.progress(info.iterations, options.max_iter);
  }
  info.solver = "newton (" + system.describe() + ")";
  info.interrupted = monitor.stopped();
  info.seconds = watch.seconds();
  return info;
}

}  // namespace steelyard::rank
