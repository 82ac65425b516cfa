#include <algorithm>
#include <cmath>

#include "rank/history.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

std::size_t index(ptrdiff_t i) { return static_cast<std::size_t>(i); }

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

Matrix assemble(const PairGraph& graph, const HistorySystem& system, const Timelines& lines) {
  Matrix m;
  m.diagonal = system.derivatives().diagonal;
  m.offsets.reserve(m.diagonal.size() + 1);
  m.offsets.push_back(0);
  for (ptrdiff_t item = 0; item + 1 < std::ssize(lines.starts); ++item) {
    const auto first = lines.starts[index(item)], last = lines.starts[index(item) + 1];
    for (auto k = first; k < last; ++k) {
      const bool held = lines.is_held(k);
      if (held) m.diagonal[index(k)] = 1.0;
      for (auto e = graph.offsets[index(k)]; e < graph.offsets[index(k) + 1] && !held; ++e) {
        const auto other = graph.neighbours[index(e)];
        if (!lines.is_held(other)) m.add(other, -system.row_curvature()[index(e)], -1);
      }
      if (k > first) m.add(k - 1, -lines.precision[index(k)], k);
      if (k + 1 < last) m.add(k + 1, -lines.precision[index(k + 1)], k + 1);
      m.offsets.push_back(std::ssize(m.indices));
    }
  }
  return m;
}

}  // namespace

std::optional<HistoryPosterior> HistoryPosterior::at(const PairGraph& graph, const Counts& counts,
                                                     const Model& model, const Timelines& timelines,
                                                     const Parameters& parameters, const Limits& limits,
                                                     double& needed_bytes, Monitor& monitor) {
  needed_bytes = 0.0;
  HistorySystem system(graph, model, timelines);
  if (!system.evaluate(counts, parameters, monitor)) return std::nullopt;
  auto matrix = assemble(graph, system, timelines);
  auto factor =
      linalg::SparseCholesky::analyse(CsrPattern{matrix.offsets, matrix.indices}, limits.flops, monitor);
  if (!factor) return std::nullopt;
  needed_bytes = 16.0 * static_cast<double>(factor->entries());
  if (needed_bytes > limits.bytes) return std::nullopt;
  if (!factor->factor(matrix.diagonal, matrix.values, monitor)) return std::nullopt;
  HistoryPosterior out;
  const auto& d = system.derivatives();
  out.nodes_ = graph.items;
  out.solved_ = d.border;
  if (d.extra > 0) factor->solve(out.solved_.data(), d.extra);
  out.border_ = schur_complement(d, d.border.data(), out.solved_.data(), out.nodes_, d.extra);
  std::array<double, 2> unused{};
  if (!out.border_.solve({1.0, 1.0}, unused)) return std::nullopt;
  out.factor_ = std::move(factor);
  out.link_of_ = std::move(matrix.link_of);
  out.held_.assign(timelines.held.begin(), timelines.held.end());
  return out;
}

bool HistoryPosterior::marginals(Marginals& out, Monitor& monitor) const {
  out.variance.assign(index(nodes_), 0.0);
  out.link_covariance.assign(index(nodes_), 0.0);
  std::vector<char> linked(index(nodes_), 0);
  const auto keep = [&](std::int64_t k, double value) {
    const auto link = link_of_[index(k)];
    if (link < 0) return;
    out.link_covariance[index(link)] = value;
    linked[index(link)] = 1;
  };
  if (!factor_->selected_inverse(out.variance, keep, monitor)) return false;
  const int extra = border_.size;
  for (ptrdiff_t k = 0; k < nodes_; ++k) {
    if (is_held(k)) {
      out.variance[index(k)] = out.link_covariance[index(k)] = 0.0;
      continue;
    }
    std::array<double, 2> w{}, sw{};
    for (int c = 0; c < extra; ++c) w[index(c)] = solved_[index(k * extra + c)];
    border_.solve(w, sw);
    for (int c = 0; c < extra; ++c) {
      out.variance[index(k)] += w[index(c)] * sw[index(c)];
      if (linked[index(k)] != 0)
        out.link_covariance[index(k)] += solved_[index((k - 1) * extra + c)] * sw[index(c)];
    }
  }
  return true;
}

void HistoryPosterior::solve(double* b, ptrdiff_t columns) const {
  const int extra = border_.size;
  std::vector<double> top(b, b + nodes_ * columns), rest(index(extra * columns));
  for (ptrdiff_t c = 0; c < columns; ++c) {
    std::array<double, 2> right{}, delta{};
    for (int e = 0; e < extra; ++e) {
      right[index(e)] = b[(nodes_ + e) * columns + c];
      for (ptrdiff_t k = 0; k < nodes_; ++k)
        right[index(e)] -= solved_[index(k * extra + e)] * b[k * columns + c];
    }
    border_.solve(right, delta);
    for (int e = 0; e < extra; ++e) rest[index(e * columns + c)] = delta[index(e)];
  }
  factor_->solve(top.data(), columns);
  for (ptrdiff_t k = 0; k < nodes_; ++k) {
    const bool held = is_held(k);
    for (ptrdiff_t c = 0; c < columns; ++c) {
      double value = top[index(k * columns + c)];
      for (int e = 0; e < extra; ++e) value -= solved_[index(k * extra + e)] * rest[index(e * columns + c)];
      b[k * columns + c] = held ? 0.0 : value;
    }
  }
  std::copy(rest.begin(), rest.end(), b + nodes_ * columns);
}

// With S = R R' for the Schur complement, T = [L^{-T}  -W R^{-T} ; 0  R^{-T}].
namespace {

/// The lower factor of a matrix of size 1 or 2.
struct Root {
  double a = 1.0, b = 0.0, c = 1.0;

  explicit Root(const Small& s) {
    if (s.size > 0) a = std::sqrt(s.a[0]);
    if (s.size > 1) {
      b = s.a[2] / a;
      c = std::sqrt(s.a[3] - b * b);
    }
  }
  std::array<double, 2> solve(std::array<double, 2> x) const { return {x[0] / a, (x[1] - b * x[0] / a) / c}; }
  std::array<double, 2> solve_transposed(std::array<double, 2> x) const {
    return {(x[0] - b * x[1] / c) / a, x[1] / c};
  }
};

}  // namespace

void HistoryPosterior::spread(const double* xi, double* theta) const {
  const int extra = border_.size;
  std::array<double, 2> rest{};
  for (int e = 0; e < extra; ++e) rest[index(e)] = xi[nodes_ + e];
  rest = Root(border_).solve_transposed(rest);
  std::copy(xi, xi + nodes_, theta);
  factor_->solve_transposed(theta, 1);
  for (ptrdiff_t k = 0; k < nodes_; ++k) {
    for (int e = 0; e < extra; ++e) theta[k] -= solved_[index(k * extra + e)] * rest[index(e)];
    if (is_held(k)) theta[k] = 0.0;
  }
  for (int e = 0; e < extra; ++e) theta[nodes_ + e] = rest[index(e)];
}

void HistoryPosterior::gather(const double* gradient, double* out) const {
  const int extra = border_.size;
  std::array<double, 2> rest{};
  for (int e = 0; e < extra; ++e) {
    rest[index(e)] = gradient[nodes_ + e];
    for (ptrdiff_t k = 0; k < nodes_; ++k) rest[index(e)] -= solved_[index(k * extra + e)] * gradient[k];
  }
  rest = Root(border_).solve(rest);
  std::copy(gradient, gradient + nodes_, out);
  factor_->solve_lower(out, 1);
  for (int e = 0; e < extra; ++e) out[nodes_ + e] = rest[index(e)];
}

double HistoryPosterior::log_determinant() const {
  double border = 0.0;
  if (border_.size == 1) border = std::log(border_.a[0]);
  if (border_.size == 2) border = std::log(border_.a[0] * border_.a[3] - border_.a[1] * border_.a[2]);
  return factor_->log_determinant() + border;
}

}  // namespace steelyard::rank
