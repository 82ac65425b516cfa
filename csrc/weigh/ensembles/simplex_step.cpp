#include "weigh/ensembles/simplex_step.hpp"

#include <algorithm>
#include <numeric>

#include "core/index.hpp"
#include "qp/simplex_qp.hpp"

namespace steelyard::weigh {

std::vector<double> simplex_minimum(std::vector<double>& h, std::span<const double> q, Monitor& monitor) {
  const auto k = std::ssize(q);
  if (k == 1) return {1.0};
  for (std::ptrdiff_t i = 0; i < k; ++i) {
    for (std::ptrdiff_t j = 0; j < i; ++j) h[at(j * k + i)] = h[at(i * k + j)];
  }
  const std::vector<double> low(at(k), 0.0), high(at(k), infinity), total{1.0};
  qp::DenseRows rows(MatrixView<const double>{h.data(), k, k, k});
  const qp::QpOptions options{.tol = 1e-15};
  Monitor inner = Monitor::inside(monitor);
  auto found = qp::solve_simplex_qp({rows, q, low, high, total}, options, inner);
  if (monitor.stopped()) return {};
  normalise(found.x);
  return std::move(found.x);
}

void normalise(std::vector<double>& w) {
  for (double& x : w) x = std::max(x, 0.0);
  const double sum = std::accumulate(w.begin(), w.end(), 0.0);
  for (double& x : w) x /= sum;
}

bool BestPoint::offer(const std::vector<double>& w, double loss, double gap, double rounding, double scale) {
  trace_.add({static_cast<double>(offers_++), loss, gap + rounding});
  improved_ = w_.empty() || gap < gap_;
  if (!improved_) return reached_;
  w_ = w;
  loss_ = loss;
  gap_ = gap;
  rounding_ = rounding;
  scale_ = scale;
  reached_ = gap <= std::max(options_.tol * scale, rounding);
  return reached_;
}

void BestPoint::replace(const std::vector<double>& w, double loss, double gap) {
  w_ = w;
  loss_ = loss;
  gap_ = std::max(gap, 0.0);
}

EnsembleAnswer BestPoint::finish(std::vector<double>&& singles, const char* solver, double seconds,
                                 Monitor& monitor) {
  EnsembleAnswer answer;
  answer.weights = std::move(w_);
  answer.loss = loss_;
  answer.gap = gap_ + rounding_;
  answer.singles = std::move(singles);
  answer.info.converged = reached_;
  answer.info.interrupted = monitor.stopped();
  answer.info.iterations = offers_;
  answer.info.solver = solver;
  answer.info.seconds = seconds;
  answer.info.tol = options_.tol;
  answer.info.error_bound = answer.gap > 0.0 && scale_ > 0.0 ? answer.gap / scale_ : answer.gap;
  answer.info.error_kind = ErrorKind::rigorous;
  trace_.columns = {"iteration", "loss", "gap"};
  answer.info.trace = std::move(trace_);
  return answer;
}

}  // namespace steelyard::weigh
