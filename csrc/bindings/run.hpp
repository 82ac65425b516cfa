// The one way from Python into a kernel: without the GIL, with threads, progress and Ctrl-C.
//
// Arrays stay alive meanwhile, since the caller holds them.
#pragma once

#include <type_traits>
#include <utility>

#include "bindings/arrays.hpp"
#include "core/monitor.hpp"

namespace steelyard::bindings {

/// Stands for progress=None.
struct NoProgress {
  operator py::object() const { return py::none(); }
};
inline constexpr NoProgress no_progress;

/// What the work gave; did Ctrl-C cut it short?
template <class Result>
struct Partial {
  Result result;
  bool stopped;
};

/// work(monitor) without the GIL. Ctrl-C, in a callback too, stops the monitor; other exceptions pass. The
/// answer to `stopped` goes to the wrapper, which raises with what there is: a Partial, or a bool where
/// `work` returns nothing.
template <class Work>
auto run_partial(int n_threads, const py::object& progress, const Work& work) {
  PythonHost host(progress);
  Monitor monitor(n_threads, &host);
  using Result = std::invoke_result_t<const Work&, Monitor&>;
  const auto unlocked = [&]() -> Result {
    const py::gil_scoped_release released;
    return work(monitor);
  };
  if constexpr (std::is_void_v<Result>) {
    unlocked();
    return monitor.stopped();
  } else {
    Result result = unlocked();
    return Partial<Result>{std::move(result), monitor.stopped()};
  }
}

/// The same for work without a use for half a result: Ctrl-C raises KeyboardInterrupt here.
template <class Work>
auto run(int n_threads, const py::object& progress, const Work& work) {
  if constexpr (std::is_void_v<std::invoke_result_t<const Work&, Monitor&>>) {
    if (run_partial(n_threads, progress, work)) raise_interrupted();
  } else {
    auto [result, stopped] = run_partial(n_threads, progress, work);
    if (stopped) raise_interrupted();
    return std::move(result);
  }
}

}  // namespace steelyard::bindings
