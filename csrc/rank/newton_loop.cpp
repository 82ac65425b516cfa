#include "rank/newton_loop.hpp"

#include <algorithm>
#include <limits>

namespace steelyard::rank {
namespace {

constexpr double rounding_shows = 1e-6;  // a decrement below which rounding can matter
constexpr double infinity = std::numeric_limits<double>::infinity();

/// Has the decrement come to where it no longer falls?
class Floor {
 public:
  bool reached(double decrement) {
    stalled_ = decrement < 0.5 * best_ ? 0 : stalled_ + 1;
    best_ = std::min(best_, decrement);
    return stalled_ >= 4 && best_ < 1e-6;
  }

 private:
  double best_ = infinity;
  int stalled_ = 0;
};

}  // namespace

Info newton_loop(NewtonMethod& method, const FitOptions& options, Monitor& monitor) {
  const Stopwatch watch;
  Info info;
  info.tol = options.tol;
  info.error_kind = ErrorKind::asymptotic;
  info.error_bound = infinity;
  if (options.keep_trace)
    info.trace.columns = {"iteration", "newton_decrement", "step", "cg_iterations", "seconds"};
  Floor floor;
  double accuracy = 0.1;
  bool going = method.start();
  while (going && !monitor.poll()) {
    const bool found = method.find_direction(accuracy);
    if (monitor.stopped() || (!found && !method.recovers)) break;
    const double decrement = found ? method.decrement() : infinity;
    const bool near = decrement <= rounding_shows && options.tol < rounding_shows;
    info.error_bound =
        found ? stated_decrement(decrement, near ? method.rounding() : 0.0, method.reach()) : infinity;
    info.converged = found && info.error_bound <= options.tol;
    const bool hopeless = method.hopeless(found, info.iterations);
    if (hopeless) info.converged = false;
    const bool at_floor = floor.reached(decrement);
    going = !info.converged && !at_floor && !hopeless && info.iterations < options.max_iter;
    double length = 0.0;
    if (going) {
      ++info.iterations;
      going = (found && method.take_step(length)) || method.recover();
      accuracy = std::clamp(0.1 * decrement, method.finest, 0.1);
    }
    if (!going && found && !near && options.tol < rounding_shows && !monitor.stopped())
      info.error_bound = stated_decrement(decrement, method.rounding(), method.reach());
    if (options.keep_trace) {
      info.trace.add({static_cast<double>(info.iterations), info.error_bound, length,
                      static_cast<double>(method.passes()), watch.seconds()});
    }
    monitor.progress(info.iterations, options.max_iter);
  }
  info.interrupted = monitor.stopped();
  info.seconds = watch.seconds();
  return info;
}

}  // namespace steelyard::rank
