// Threads, Ctrl-C and progress.
#include <atomic>
#include <chrono>
#include <thread>

#include "bindings/arrays.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "core/pool.hpp"

namespace steelyard::bindings {
namespace {

/// Sleeps in chunks of 1 ms for `seconds` in all: what the tests of Ctrl-C, fork and progress run.
py::tuple busy(double seconds, int n_threads, const py::object& progress) {
  const auto chunks = static_cast<std::ptrdiff_t>(seconds * 1000.0);
  std::atomic<std::ptrdiff_t> done{0};
  const auto slept = run_partial(n_threads, progress, [&](Monitor& monitor) {
    return parallel_for(chunks, 1, monitor, [&](std::ptrdiff_t, std::ptrdiff_t) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      monitor.progress(static_cast<double>(++done), static_cast<double>(chunks));
    });
  });
  return py::make_tuple(slept.result, done.load());
}

double chunked_sum(const Array<double>& values, int n_threads, std::ptrdiff_t grain) {
  const auto x = vector_view(values, "values");
  return run(n_threads, no_progress, [&](Monitor& monitor) {
    return parallel_sum(std::ssize(x), grain, monitor, [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
      double sum = 0.0;
      for (auto i = begin; i < end; ++i) sum += x[at(i)];
      return sum;
    });
  });
}

}  // namespace

void register_pool(py::module_& m) {
  m.def("_busy", &busy, "seconds"_a, "n_threads"_a = 1, "progress"_a = py::none());
  m.def("_parallel_sum", &chunked_sum, "values"_a, "n_threads"_a = 1, "grain"_a = 1000);
}

}  // namespace steelyard::bindings
