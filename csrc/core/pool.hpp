// One small thread pool for all kernels.
//
// Why not OpenMP: its run-time hangs in a child after fork(). Here the child gets a fresh pool.
// Work is cut into chunks whose bounds depend on the problem alone, so that results carry the same bits for
// any number of threads. Nested regions, and regions met while another thread uses the pool, run serially.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "core/index.hpp"
#include "core/monitor.hpp"

namespace steelyard {

/// Threads used when a call does not say: STEELYARD_NUM_THREADS, else the CPUs this process may run on.
int default_threads();

/// More gain nothing, and are not started: 64, or four times the CPUs this process may run on.
int most_threads();

using ChunkBody = std::function<void(std::ptrdiff_t begin, std::ptrdiff_t end)>;

/// Calls body(begin, end) for [0, grain), [grain, 2 grain), ... up to n, on up to monitor.threads() threads.
/// Returns false if the work was stopped before all chunks ran. The first exception of a chunk is rethrown.
/// A region costs about 50 us to start: choose `grain` so that a chunk is worth at least that
/// (see `grain_for`); fewer than four chunks run serially.
bool parallel_for(std::ptrdiff_t n, std::ptrdiff_t grain, Monitor& monitor, const ChunkBody& body);

/// Tasks in phases: task t of phase p is number starts[p] + t; the tasks of one phase may run at once, a
/// phase begins when the one before has ended; all phases are gone through `rounds` times. One region for all
/// of it, so a phase may be as short as some microseconds. `body` must not throw. False if stopped before the
/// end.
bool parallel_phases(const std::vector<std::ptrdiff_t>& starts, std::ptrdiff_t rounds, Monitor& monitor,
                     const std::function<void(std::ptrdiff_t task)>& body);

/// Chunk length for items that cost about `nanoseconds` each: some 100 us of work a chunk.
inline std::ptrdiff_t grain_for(double nanoseconds) {
  const double items = 1e5 / (nanoseconds > 0.01 ? nanoseconds : 0.01);
  return items < 1.0 ? 1 : static_cast<std::ptrdiff_t>(items);
}

/// Sum over chunks of partial(begin, end), added in chunk order whatever thread made each term.
template <class Partial>
double parallel_sum(std::ptrdiff_t n, std::ptrdiff_t grain, Monitor& monitor, const Partial& partial) {
  if (n <= grain) return n > 0 ? partial(std::ptrdiff_t{0}, n) : 0.0;
  std::vector<double> sums(at((n + grain - 1) / grain), 0.0);
  parallel_for(n, grain, monitor, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
    sums[at(begin / grain)] = partial(begin, end);
  });
  double total = 0.0;
  for (const double s : sums) total += s;
  return total;
}

}  // namespace steelyard
