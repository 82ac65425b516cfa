#include "metric/nearness/bregman.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "metric/exact_sum.hpp"
#include "metric/nearness/dual_ascent.hpp"

namespace steelyard::metric {

using std::ptrdiff_t;

BregmanState::BregmanState(std::span<const double> start, std::span<const double> weights)
    : start_(start.begin(), start.end()), inverse_(start.size(), 1.0), x_(start_) {
  for (std::size_t e = 0; e < weights.size(); ++e) inverse_[e] = 1.0 / weights[e];
}

void BregmanState::add(std::span<const std::int32_t> indices, std::span<const double> values, double bound,
                       double dual) {
  const auto row = at(rows_.add(indices, values, bound));
  rows_.duals[row] = std::max(rows_.duals[row], dual);
}

double BregmanState::excess_at(ptrdiff_t row, const std::vector<double>& x) const {
  const auto indices = rows_.indices_of(row);
  const auto values = rows_.values_of(row);
  double excess = -rows_.bounds[at(row)];
  for (std::size_t k = 0; k < indices.size(); ++k) excess += values[k] * x[at(indices[k])];
  return excess;
}

/// a' W^-1 a.
double BregmanState::norm_of(ptrdiff_t row) const {
  const auto indices = rows_.indices_of(row);
  const auto values = rows_.values_of(row);
  double norm = 0.0;
  for (std::size_t k = 0; k < indices.size(); ++k) norm += values[k] * values[k] * inverse_[at(indices[k])];
  return norm;
}

void BregmanState::step(ptrdiff_t row, double start) {
  const auto indices = rows_.indices_of(row);
  const auto values = rows_.values_of(row);
  double excess = -rows_.bounds[at(row)], norm = 0.0;
  for (std::size_t k = 0; k < indices.size(); ++k) {
    const auto e = at(indices[k]);
    excess += values[k] * x_[e];
    norm += values[k] * values[k] * inverse_[e];
  }
  const double move = std::max(excess / norm, -start);
  rows_.duals[at(row)] = start + move;
  if (move == 0.0) return;
  for (std::size_t k = 0; k < indices.size(); ++k) {
    const auto e = at(indices[k]);
    x_[e] -= move * values[k] * inverse_[e];
  }
}

void BregmanState::project(int passes, Monitor& monitor) {
  const auto n = rows_.count();
  for (int pass = 0; pass < passes; ++pass) {
    for (ptrdiff_t k = 0; k < n; ++k) {
      if ((k & 1023) == 0 && monitor.poll()) return;
      const auto row = pass % 2 == 0 ? k : n - 1 - k;
      step(row, rows_.duals[at(row)]);
    }
  }
}

/// What x0 and b make of the dual: L = z'e - 1/2 ||x - x0||_W^2 with e = A x0 - b loses no digits where x0 is
/// nearly feasible.
class BregmanState::Passes {
 public:
  explicit Passes(BregmanState& state)
      : state_(state), duals_(state.rows_.duals), x_(state.x_), excess_(duals_.size()) {
    for (ptrdiff_t row = 0; row < std::ssize(excess_); ++row)
      excess_[at(row)] = state.excess_at(row, state.start_);
  }

  double loss(Monitor&) const {
    double twice = 0.0, gain = 0.0;
    for (std::size_t e = 0; e < x_.size(); ++e) {
      const double moved = state_.x_[e] - state_.start_[e];
      twice += moved * moved / state_.inverse_[e];
    }
    for (std::size_t row = 0; row < excess_.size(); ++row) gain += state_.rows_.duals[row] * excess_[row];
    return 0.5 * twice - gain;
  }

  /// Back and forth in the order of arrival.
  void pass(double beta, Monitor& monitor) {
    auto& x = state_.x_;
    for (std::size_t e = 0; e < x.size(); ++e) {
      const double here = x[e];
      x[e] = here + beta * (here - x_[e]);
      x_[e] = here;
    }
    const Momentum momentum{beta, duals_.data()};
    const auto n = state_.rows_.count();
    monitor.poll();
    for (ptrdiff_t k = 0; k < n; ++k) {
      const auto row = forth_ ? k : n - 1 - k;
      state_.step(row, momentum.start(state_.rows_.duals.data(), at(row)));
    }
    forth_ = !forth_;
  }

 private:
  BregmanState& state_;
  std::vector<double> duals_, x_;  // of the pass before
  std::vector<double> excess_;
  bool forth_ = true;
};

/// The rows held, as dual_ascent.hpp wants a face.
class BregmanState::Face {
 public:
  static constexpr double cg_tol = 1e-3;

  explicit Face(BregmanState& state)
      : state_(state), passes_(state), norms_(at(size())), pull_(state.x_.size()) {
    for (ptrdiff_t row = 0; row < size(); ++row) norms_[at(row)] = state.norm_of(row);
  }

  ptrdiff_t size() const { return state_.rows_.count(); }
  double loss(Monitor& monitor) const { return passes_.loss(monitor); }
  std::vector<double> duals() const { return state_.rows_.duals; }
  void broken(double* out, Monitor&) const {
    for (ptrdiff_t row = 0; row < size(); ++row) out[row] = state_.excess_at(row, state_.x_);
  }
  void precondition(const double* r, double* z) const {
    for (ptrdiff_t row = 0; row < size(); ++row) z[row] = r[row] / norms_[at(row)];
  }

  void apply(const double* p, double* out, Monitor& monitor) {
    monitor.poll();
    const auto& rows = state_.rows_;
    std::ranges::fill(pull_, 0.0);
    for (ptrdiff_t row = 0; row < size(); ++row) {
      const auto indices = rows.indices_of(row);
      const auto values = rows.values_of(row);
      for (std::size_t k = 0; k < indices.size(); ++k) pull_[at(indices[k])] += p[row] * values[k];
    }
    for (std::size_t e = 0; e < pull_.size(); ++e) pull_[e] *= state_.inverse_[e];
    for (ptrdiff_t row = 0; row < size(); ++row) {
      const auto indices = rows.indices_of(row);
      const auto values = rows.values_of(row);
      double sum = 0.0;
      for (std::size_t k = 0; k < indices.size(); ++k) sum += values[k] * pull_[at(indices[k])];
      out[row] = sum;
    }
  }

  void move(const std::vector<double>& before, double factor, const std::vector<double>& step, Monitor&) {
    for (std::size_t row = 0; row < before.size(); ++row)
      state_.rows_.duals[row] = std::max(0.0, before[row] + factor * step[row]);
    state_.move_to_duals();
  }

 private:
  BregmanState& state_;
  Passes passes_;
  std::vector<double> norms_, pull_;
};

void BregmanState::project_with_momentum(int passes, Monitor& monitor) {
  Passes held(*this);
  passes_with_momentum(held, passes, monitor);
}

bool BregmanState::face_step(int iterations, Monitor& monitor) {
  rows_.forget();
  Face face(*this);
  return step_on_face(face, iterations, monitor);
}

void BregmanState::move_to_duals() {
  std::vector<double> pull(start_.size(), 0.0);
  for (ptrdiff_t row = 0; row < rows_.count(); ++row) {
    const auto indices = rows_.indices_of(row);
    const auto values = rows_.values_of(row);
    for (std::size_t k = 0; k < indices.size(); ++k) pull[at(indices[k])] += rows_.duals[at(row)] * values[k];
  }
  for (std::size_t e = 0; e < pull.size(); ++e) x_[e] = start_[e] - inverse_[e] * pull[e];
}

double BregmanState::restore() {
  struct Pull {
    double sum = 0.0, size = 0.0, terms = 2.0;  // size: of all terms
  };
  std::vector<Pull> pulls(start_.size());
  ExactSum low;
  double rounding = 0.0;
  for (ptrdiff_t row = 0; row < rows_.count(); ++row) {
    const double dual = rows_.duals[at(row)];
    const auto indices = rows_.indices_of(row);
    const auto values = rows_.values_of(row);
    ExactSum excess;
    excess.add(-rows_.bounds[at(row)]);
    for (std::size_t k = 0; k < indices.size(); ++k) {
      const auto e = at(indices[k]);
      auto& pull = pulls[e];
      const double term = dual * values[k];
      pull.sum += term;
      pull.size += std::abs(term);
      pull.terms += 1.0;
      excess.add_product(values[k], start_[e]);
    }
    const double gain = dual * excess.value();
    low.add(gain);
    rounding += 2.0 * std::abs(gain);
  }
  for (std::size_t e = 0; e < pulls.size(); ++e) {
    const auto& pull = pulls[e];
    x_[e] = start_[e] - inverse_[e] * pull.sum;
    const double loss = 0.5 * inverse_[e] * pull.sum * pull.sum;
    low.add(-loss);
    rounding += 4.0 * loss + inverse_[e] * std::abs(pull.sum) * pull.terms * pull.size;
  }
  // Twice: for the rounding of these sums, and for squares of errors.
  return low.value() - 2.0 * unit_roundoff * rounding;
}

double BregmanState::violation() const {
  double worst = 0.0;
  for (ptrdiff_t row = 0; row < rows_.count(); ++row) {
    double largest = 0.0;
    for (const double value : rows_.values_of(row)) largest = std::max(largest, std::abs(value));
    worst = std::max(worst, excess_at(row, x_) / largest);
  }
  return worst;
}

}  // namespace steelyard::metric
