// What every solver says of its own answer. Mirrored by steelyard.Info in Python.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace steelyard {

enum class ErrorKind { rigorous, asymptotic, estimate };

/// One row an iteration; `values` is row-major with one column a name.
struct Trace {
  std::vector<std::string> columns;
  std::vector<double> values;

  void add(std::initializer_list<double> row) { values.insert(values.end(), row); }
};

struct Info {
  bool converged = false;
  bool interrupted = false;
  int iterations = 0;
  std::string solver;
  double seconds = 0.0;
  double tol = 0.0;
  double error_bound = 0.0;
  ErrorKind error_kind = ErrorKind::estimate;
  std::string message;
  Trace trace;
};

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace steelyard
