#include "metric/nearness/nearness.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/infinity.hpp"
#include "metric/nearness/closure.hpp"
#include "metric/nearness/triangle_oracle.hpp"

namespace steelyard::metric {
namespace {

using std::ptrdiff_t;

/// Certificates on the way cost as much as a search or two each.
bool power_of_four(int number) { return (number & (number - 1)) == 0 && number % 3 == 1; }

/// rms of d, without overflow.
double rms(std::span<const double> d) {
  double largest = 0.0, sum = 0.0;
  for (const double v : d) largest = std::max(largest, std::abs(v));
  if (largest == 0.0) return 1.0;
  for (const double v : d) sum += (v / largest) * (v / largest);
  return largest * std::sqrt(sum / static_cast<double>(d.size()));
}

}  // namespace

Nearness::Nearness(ptrdiff_t n, std::span<const double> target, std::span<const double> weights, double upper)
    : state_{PairTiles(n, 0.0), {}, {}, {}, 0.0, ActiveTriangles(n)},
      scale_(rms(target)),
      primal_(infinity),
      dual_(-infinity),
      violation_(infinity) {
  state_.target.set(target, 1.0 / scale_);
  if (!weights.empty()) {
    state_.inverse = PairTiles(n, 1.0);
    state_.inverse.set(weights, 1.0);
    for (ptrdiff_t at = 0; at < state_.inverse.size(); ++at) state_.inverse[at] = 1.0 / state_.inverse[at];
  }
  if (upper < infinity) {
    state_.upper = upper / scale_;
    state_.upper_dual = PairTiles(n, 0.0);
  }
  state_.x = state_.target;
}

void Nearness::set_target(std::span<const double> target, Monitor& monitor) {
  state_.target.set(target, 1.0 / scale_);
  restore(state_, monitor);
}

void Nearness::load(std::span<const std::int32_t> corners, std::span<const double> duals, Monitor& monitor) {
  state_.active.load(corners, duals, 1.0 / scale_);
  restore(state_, monitor);
}

std::vector<double> Nearness::pull(Monitor& monitor) const {
  return gradient(state_, monitor).condensed(scale_);
}

/// P, L and a feasible point; x is made anew from the duals on the way.
void Nearness::certify(Monitor& monitor) {
  const auto weight = [&](ptrdiff_t at) { return state_.inverse.empty() ? 1.0 : 1.0 / state_.inverse[at]; };
  const auto dual = dual_value(state_, restore(state_, monitor), monitor);
  PairTiles closed = state_.x;
  if (!state_.upper_dual.empty())
    for (ptrdiff_t at = 0; at < closed.size(); ++at) closed[at] = std::min(closed[at], state_.upper);
  if (!close_metric(closed, monitor)) return;
  // The closure wrote to the padding and below the diagonals.
  PairTiles clean(closed.items(), 0.0);
  clean.set(closed.condensed(1.0), 1.0);
  best_ = std::move(clean);
  squares_ = sum_tiles(state_.x, monitor,
                       [&](ptrdiff_t at) { return weight(at) * state_.target[at] * state_.target[at]; });
  primal_ = 0.5 * sum_tiles(state_.x, monitor, [&](ptrdiff_t at) {
              const double moved = best_[at] - state_.target[at];
              return weight(at) * moved * moved;
            });
  dual_ = dual.value - dual.error;
}

double Nearness::gap() const {
  const double unit = std::max(primal_, 1e-12 * squares_);
  return unit > 0.0 ? (primal_ - dual_) / unit : 0.0;
}

void Nearness::round(const NearnessOptions& options, int number, Monitor& monitor) {
  if (number >= options.late_from && violation_ < options.late_below) {
    passes_ = std::min(2 * passes_, options.late_passes);
    project_with_momentum(state_, passes_, monitor);
  } else {
    passes_ = options.passes;
    project(state_, passes_, monitor);
  }
  if (options.face_iterations > 0 && number >= options.face_from && violation_ < options.face_below &&
      !monitor.stopped()) {
    face_step(state_, options.face_iterations, monitor);
    project(state_, 2, monitor);
  }
  state_.active.forget(monitor);
}

Info Nearness::solve(const NearnessOptions& options, Monitor& monitor) {
  const Stopwatch watch;
  Info info;
  info.solver = "project and forget";
  info.tol = options.tol;
  info.error_kind = ErrorKind::rigorous;
  info.trace.columns = {"round", "gap", "violation", "active", "seconds"};
  double largest = 0.0;
  for (ptrdiff_t at = 0; at < state_.x.size(); ++at) largest = std::max(largest, std::abs(state_.x[at]));
  // float32 can't tell apart what is closer than this.
  const double resolution = 4e-7 * largest;
  bool exact = options.tol < resolution && state_.active.count() > 0;
  // What is broken by less is let be; less and less where the gap stays open in spite of small violations.
  double slack = 0.05 * options.tol;
  int rounds_to_spare = 3;
  const double rounding = 64.0 * std::numeric_limits<double>::epsilon() * largest;
  bool spent = false;            // more rounds change roundings only
  double gap_before = infinity;  // at the last certificate of a round whose violation was rounding
  for (int round_number = 1;; ++round_number) {
    violation_ = find_triangles(state_.x, slack, options.groups, exact, state_.active, monitor);
    if (monitor.stopped()) break;
    if (!exact && violation_ <= std::max(options.tol, resolution)) {
      exact = true;
      if (options.tol < resolution || violation_ <= options.tol)
        violation_ = find_triangles(state_.x, slack, options.groups, true, state_.active, monitor);
    }
    info.iterations = round_number;
    if (violation_ <= options.tol || power_of_four(round_number) || round_number >= options.max_rounds) {
      certify(monitor);
      if (monitor.stopped()) break;
      info.error_bound = std::max(0.0, gap());
      info.converged = violation_ <= options.tol && gap() <= options.tol;
      if (violation_ <= options.tol && --rounds_to_spare < 0) slack = std::max(0.1 * slack, 1e-18);
      if (violation_ <= rounding && power_of_four(round_number)) {
        spent = gap() >= 0.5 * gap_before && gap() < 1e-10;
        gap_before = gap();
      }
    }
    info.trace.add({static_cast<double>(round_number), gap(), violation_,
                    static_cast<double>(state_.active.count()), watch.seconds()});
    monitor.progress(round_number, 0.0);
    if (info.converged || spent || round_number >= options.max_rounds) break;
    round(options, round_number, monitor);
    if (monitor.stopped()) break;
  }
  info.interrupted = monitor.stopped();
  if (best_.empty()) info.error_bound = infinity;
  info.seconds = watch.seconds();
  return info;
}

}  // namespace steelyard::metric
