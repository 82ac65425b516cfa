#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "rank/over_time/history.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

/// A without its diagonal: the graph's entries and the links, rows in ascending order of the other node's
/// place in the graph, then the link before and the link after.
struct Matrix {
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> indices, link_of;  ///< link_of: the later node of the link; -1: a cell
  std::vector<double> values, diagonal;

  void add(ptrdiff_t other, double value, ptrdiff_t link) {
    indices.push_back(static_cast<std::int32_t>(other));
    values.push_back(value);
    link_of.push_back(static_cast<std::int32_t>(link));
  }
};

Matrix assemble(const HistoryProblem& problem, const HistorySystem& system) {
  const auto& graph = problem.games.graph;
  const auto& lines = problem.lines;
  Matrix m;
  m.diagonal = system.derivatives().diagonal;
  m.offsets.reserve(m.diagonal.size() + 1);
  m.offsets.push_back(0);
  lines.each_chain([&](ptrdiff_t, ptrdiff_t first, ptrdiff_t last) {
    for (auto k = first; k < last; ++k) {
      const bool held = lines.is_held(k);
      if (held) m.diagonal[at(k)] = 1.0;
      for (auto e = graph.offsets[at(k)]; e < graph.offsets[at(k) + 1] && !held; ++e) {
        const auto other = graph.neighbours[at(e)];
        if (!lines.is_held(other)) m.add(other, -system.row_curvature()[at(e)], -1);
      }
      if (k > first) m.add(k - 1, -lines.precision[at(k)], k);
      if (k + 1 < last) m.add(k + 1, -lines.precision[at(k + 1)], k + 1);
      m.offsets.push_back(std::ssize(m.indices));
    }
  });
  return m;
}

}  // namespace

std::optional<HistoryPosterior> HistoryPosterior::find(const HistoryProblem& problem,
                                                       const Parameters& parameters, const Limits& limits,
                                                       double& needed_bytes, Monitor& monitor) {
  needed_bytes = 0.0;
  HistorySystem system(problem);
  if (!system.evaluate(parameters, monitor)) return std::nullopt;
  auto matrix = assemble(problem, system);
  auto factor =
      linalg::SparseCholesky::analyse(CsrPattern{matrix.offsets, matrix.indices}, limits.flops, monitor);
  if (!factor) return std::nullopt;
  needed_bytes = 16.0 * static_cast<double>(factor->entries());
  if (needed_bytes > limits.bytes) return std::nullopt;
  if (!factor->factor(matrix.diagonal, matrix.values, monitor)) return std::nullopt;
  HistoryPosterior out;
  const auto& d = system.derivatives();
  out.nodes_ = problem.games.graph.items;
  out.solved_ = d.border;
  if (d.extra > 0) factor->solve(out.solved_.data(), d.extra);
  out.border_ = schur_complement(d, d.border.data(), out.solved_.data(), out.nodes_, d.extra);
  if (!out.border_.factor()) return std::nullopt;
  out.factor_ = std::move(factor);
  out.link_of_ = std::move(matrix.link_of);
  out.held_.assign(problem.lines.held.begin(), problem.lines.held.end());
  return out;
}

bool HistoryPosterior::marginals(Marginals& out, Monitor& monitor) const {
  out.variance.assign(at(nodes_), 0.0);
  out.link_covariance.assign(at(nodes_), 0.0);
  std::vector<char> linked(at(nodes_), 0);
  const auto keep = [&](std::int64_t k, double value) {
    const auto link = link_of_[at(k)];
    if (link < 0) return;
    out.link_covariance[at(link)] = value;
    linked[at(link)] = 1;
  };
  if (!factor_->selected_inverse(out.variance, keep, monitor)) return false;
  const int extra = border_.size();
  std::vector<double> sw(at(extra));
  for (ptrdiff_t k = 0; k < nodes_; ++k) {
    if (is_held(k)) {
      out.variance[at(k)] = out.link_covariance[at(k)] = 0.0;
      continue;
    }
    const double* w = &solved_[at(k * extra)];
    std::copy(w, w + extra, sw.begin());
    border_.solve(sw.data());
    for (int c = 0; c < extra; ++c) {
      out.variance[at(k)] += w[c] * sw[at(c)];
      if (linked[at(k)] != 0) out.link_covariance[at(k)] += solved_[at((k - 1) * extra + c)] * sw[at(c)];
    }
  }
  return true;
}

void HistoryPosterior::solve(double* b, ptrdiff_t columns) const {
  const int extra = border_.size();
  std::vector<double> top(b, b + nodes_ * columns), rest(at(extra * columns)), delta(at(extra));
  for (ptrdiff_t c = 0; c < columns; ++c) {
    for (int e = 0; e < extra; ++e) {
      delta[at(e)] = b[(nodes_ + e) * columns + c];
      for (ptrdiff_t k = 0; k < nodes_; ++k) delta[at(e)] -= solved_[at(k * extra + e)] * b[k * columns + c];
    }
    border_.solve(delta.data());
    for (int e = 0; e < extra; ++e) rest[at(e * columns + c)] = delta[at(e)];
  }
  factor_->solve(top.data(), columns);
  for (ptrdiff_t k = 0; k < nodes_; ++k) {
    const bool held = is_held(k);
    for (ptrdiff_t c = 0; c < columns; ++c) {
      double value = top[at(k * columns + c)];
      for (int e = 0; e < extra; ++e) value -= solved_[at(k * extra + e)] * rest[at(e * columns + c)];
      b[k * columns + c] = held ? 0.0 : value;
    }
  }
  std::copy(rest.begin(), rest.end(), b + nodes_ * columns);
}

// With S = R R' for the Schur complement, T = [L^{-T}  -W R^{-T} ; 0  R^{-T}].
void HistoryPosterior::spread(const double* xi, double* theta) const {
  const int extra = border_.size();
  std::vector<double> rest(xi + nodes_, xi + nodes_ + extra);
  border_.solve_transposed(rest.data());
  std::copy(xi, xi + nodes_, theta);
  factor_->solve_transposed(theta, 1);
  for (ptrdiff_t k = 0; k < nodes_; ++k) {
    for (int e = 0; e < extra; ++e) theta[k] -= solved_[at(k * extra + e)] * rest[at(e)];
    if (is_held(k)) theta[k] = 0.0;
  }
  for (int e = 0; e < extra; ++e) theta[nodes_ + e] = rest[at(e)];
}

void HistoryPosterior::gather(const double* gradient, double* out) const {
  const int extra = border_.size();
  std::vector<double> rest(at(extra));
  for (int e = 0; e < extra; ++e) {
    rest[at(e)] = gradient[nodes_ + e];
    for (ptrdiff_t k = 0; k < nodes_; ++k) rest[at(e)] -= solved_[at(k * extra + e)] * gradient[k];
  }
  border_.solve_lower(rest.data());
  std::copy(gradient, gradient + nodes_, out);
  factor_->solve_lower(out, 1);
  for (int e = 0; e < extra; ++e) out[nodes_ + e] = rest[at(e)];
}

double HistoryPosterior::log_determinant() const {
  return factor_->log_determinant() + border_.log_determinant();
}

}  // namespace steelyard::rank
