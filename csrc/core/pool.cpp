#include "core/pool.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

namespace steelyard {
namespace {

thread_local bool inside_region = false;

class Pool {
 public:
  static Pool& get() {
    static const bool once = (fresh(), register_fork_handler(), true);
    (void)once;
    return *slot().load(std::memory_order_acquire);
  }

  /// Runs job on the calling thread and on helpers - 1 workers; false if another thread holds the pool.
  /// While it waits for the workers, the calling thread goes on answering Ctrl-C.
  bool run(int threads, const std::function<void()>& job, Monitor& monitor) {
    const std::unique_lock<std::mutex> use(use_, std::try_to_lock);
    if (!use.owns_lock()) return false;
    open(threads, job);
    std::exception_ptr error;
    try {
      job();
    } catch (...) {  // the job itself reports through its own channel; this is for the host's exceptions
      error = std::current_exception();
    }
    wait(monitor, error);
    if (error) std::rethrow_exception(error);
    return true;
  }

 private:
  void open(int threads, const std::function<void()>& job) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      try {
        while (std::ssize(workers_) < threads - 1) {
          workers_.emplace_back([this, seen = epoch_] { serve(seen); });
        }
      } catch (const std::system_error&) {  // the system gives no more: those that there are do the work
        threads = static_cast<int>(std::ssize(workers_)) + 1;
      }
      job_ = &job;
      tickets_ = running_ = threads - 1;
      ++epoch_;
    }
    wake_.notify_all();
  }

  void wait(Monitor& monitor, std::exception_ptr& error) {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!done_.wait_for(lock, std::chrono::milliseconds(20), [&] { return running_ == 0; })) {
      lock.unlock();
      try {
        monitor.poll();
      } catch (...) {
        if (!error) error = std::current_exception();
        monitor.stop();
      }
      lock.lock();
    }
    job_ = nullptr;
  }

  void serve(unsigned long seen) {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      wake_.wait(lock, [&] { return epoch_ != seen && tickets_ > 0; });
      seen = epoch_;
      --tickets_;
      const auto* job = job_;
      lock.unlock();
      (*job)();
      lock.lock();
      if (--running_ == 0) done_.notify_one();
    }
  }

  static std::atomic<Pool*>& slot() {
    static std::atomic<Pool*> pool{nullptr};
    return pool;
  }

  /// The old pool is leaked on purpose: after fork its workers do not exist, at exit nobody may wait for
  /// them.
  static void fresh() { slot().store(new Pool, std::memory_order_release); }

  static void register_fork_handler() {
#if defined(__unix__) || defined(__APPLE__)
    pthread_atfork(nullptr, nullptr, [] {
      inside_region = false;
      fresh();
    });
#endif
  }

  std::mutex use_, mutex_;
  std::condition_variable wake_, done_;
  std::vector<std::thread> workers_;
  const std::function<void()>* job_ = nullptr;
  int tickets_ = 0, running_ = 0;
  unsigned long epoch_ = 0;
};

/// Hands out chunks in order, keeps the first exception.
class Region {
 public:
  Region(std::ptrdiff_t n, std::ptrdiff_t grain, Monitor& monitor, const ChunkBody& body)
      : n_(n), grain_(grain), monitor_(monitor), body_(body) {}

  void work() {
    const bool outer = std::exchange(inside_region, true);
    try {
      while (!failed_.load(std::memory_order_relaxed) && !monitor_.poll()) {
        const auto begin = next_.fetch_add(grain_, std::memory_order_relaxed);
        if (begin >= n_) break;
        body_(begin, std::min(begin + grain_, n_));
        done_.fetch_add(1, std::memory_order_relaxed);
      }
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!error_) error_ = std::current_exception();
      failed_ = true;
    }
    inside_region = outer;
  }

  bool finish() const {
    if (error_) std::rethrow_exception(error_);
    return done_.load() == (n_ + grain_ - 1) / grain_;
  }

 private:
  std::ptrdiff_t n_, grain_;
  Monitor& monitor_;
  const ChunkBody& body_;
  std::atomic<std::ptrdiff_t> next_{0}, done_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::exception_ptr error_;
};

int available_cpus() {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

int default_threads() {
  if (const char* text = std::getenv("STEELYARD_NUM_THREADS")) {
    const long wanted = std::strtol(text, nullptr, 10);  // the largest long where it is more than that
    if (wanted > 0) return static_cast<int>(std::min<long>(wanted, most_threads()));
  }
  return available_cpus();
}

int most_threads() { return std::max(64, 4 * available_cpus()); }

bool parallel_for(std::ptrdiff_t n, std::ptrdiff_t grain, Monitor& monitor, const ChunkBody& body) {
  if (n <= 0) return true;
  grain = std::max<std::ptrdiff_t>(grain, 1);
  const auto chunks = (n + grain - 1) / grain;
  int threads = static_cast<int>(std::min<std::ptrdiff_t>(monitor.threads(), chunks / 2));
  if (threads > 64) threads = std::min(threads, most_threads());
  Region region(n, grain, monitor, body);
  const auto work = [&region] { region.work(); };
  if (threads <= 1 || inside_region || !Pool::get().run(threads, work, monitor)) region.work();
  return region.finish();
}

bool parallel_phases(const std::vector<std::ptrdiff_t>& starts, std::ptrdiff_t rounds, Monitor& monitor,
                     const std::function<void(std::ptrdiff_t task)>& body) {
  const std::ptrdiff_t tasks = starts.back();
  std::atomic<std::ptrdiff_t> done{0};
  // Tickets are handed out in order, so whoever waits here waits for tickets that are being worked on.
  return parallel_for(tasks * rounds, 1, monitor, [&](std::ptrdiff_t ticket, std::ptrdiff_t) {
    const std::ptrdiff_t round = ticket / tasks, task = ticket % tasks;
    const std::ptrdiff_t before = round * tasks + *(std::upper_bound(starts.begin(), starts.end(), task) - 1);
    for (int spins = 0; done.load(std::memory_order_acquire) < before; ++spins) {
      if (spins > 1000) std::this_thread::yield();
    }
    body(task);
    done.fetch_add(1, std::memory_order_release);
  });
}

}  // namespace steelyard
