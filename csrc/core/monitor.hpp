// How a running kernel hears of Ctrl-C and reports progress, without knowing Python.
#pragma once

#include <atomic>
#include <chrono>
#include <thread>

namespace steelyard {

/// The outside world as a kernel sees it. Called on the thread that made the Monitor, and on no other.
class Host {
 public:
  virtual ~Host() = default;
  virtual bool interrupted() = 0;  ///< has the user asked to stop?
  /// total <= 0: unknown. True if the user asked to stop meanwhile.
  virtual bool progress(double done, double total) = 0;
};

/// Carried through every kernel that can take more than a few milliseconds.
///
/// The rule for all families: a kernel polls at least every 50 ms of work, returns the best result it has
/// as soon as `poll()` or `stopped()` is true, and marks it interrupted; the Python wrapper then raises
/// KeyboardInterrupt with that result as `.partial`. Exceptions of the host travel through `poll()`.
class Monitor {
 public:
  explicit Monitor(int threads = 1, Host* host = nullptr)
      : threads_(threads < 1 ? 1 : threads),
        host_(host),
        owner_(std::this_thread::get_id()),
        flag_(&own_flag_) {}

  /// For work inside a parallel region: one thread, no progress, the stop flag of the whole call. On the
  /// thread of the outer monitor it still asks the host, however long that work takes.
  static Monitor inside(Monitor& outer) { return Monitor(outer.flag_, &outer); }

  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  int threads() const noexcept { return threads_; }
  bool stopped() const noexcept { return flag_->load(std::memory_order_relaxed); }
  void stop() noexcept { flag_->store(true, std::memory_order_relaxed); }

  /// True once the work should end. Cheap; asks the host at most every 20 ms, on its own thread only.
  bool poll() {
    if (outer_ != nullptr) return outer_->poll();
    if (host_ != nullptr && !stopped() && std::this_thread::get_id() == owner_) ask_host();
    return stopped();
  }

  void progress(double done, double total) {
    if (host_ == nullptr || std::this_thread::get_id() != owner_) return;
    const auto now = Clock::now();
    if (done < total && now - reported_ < std::chrono::milliseconds(100)) return;
    reported_ = now;
    if (host_->progress(done, total)) stop();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Monitor(std::atomic<bool>* flag, Monitor* outer)
      : threads_(1), owner_(std::this_thread::get_id()), flag_(flag), outer_(outer) {}

  void ask_host() {
    const auto now = Clock::now();
    if (now - asked_ < std::chrono::milliseconds(20)) return;
    asked_ = now;
    if (host_->interrupted()) stop();
  }

  int threads_;
  Host* host_ = nullptr;
  std::thread::id owner_;
  Clock::time_point asked_ = Clock::now();
  Clock::time_point reported_{};
  std::atomic<bool> own_flag_{false};
  std::atomic<bool>* flag_;
  Monitor* outer_ = nullptr;
};

}  // namespace steelyard
