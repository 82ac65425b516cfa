#include "metric/nearness/bregman.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"

namespace steelyard::metric {

BregmanState::BregmanState(std::span<const double> start, std::span<const double> weights)
    : start_(start.begin(), start.end()), inverse_(start.size(), 1.0), x_(start_) {
  for (std::size_t e = 0; e < weights.size(); ++e) inverse_[e] = 1.0 / weights[e];
}

void BregmanState::add(std::span<const std::int32_t> indices, std::span<const double> values, double bound,
                       double dual) {
  const auto row = at(rows_.add(indices, values, bound));
  rows_.duals[row] = std::max(rows_.duals[row], dual);
}

void BregmanState::step(std::ptrdiff_t row) {
  const auto indices = rows_.indices_of(row);
  const auto values = rows_.values_of(row);
  const auto place = at(row);
  double excess = -rows_.bounds[place], norm = 0.0;
  for (std::size_t k = 0; k < indices.size(); ++k) {
    const auto e = at(indices[k]);
    excess += values[k] * x_[e];
    norm += values[k] * values[k] * inverse_[e];
  }
  const double move = std::max(excess / norm, -rows_.duals[place]);
  if (move == 0.0) return;
  rows_.duals[place] += move;
  for (std::size_t k = 0; k < indices.size(); ++k) {
    const auto e = at(indices[k]);
    x_[e] -= move * values[k] * inverse_[e];
  }
}

void BregmanState::project(int passes, Monitor& monitor) {
  const auto n = rows_.count();
  for (int pass = 0; pass < passes; ++pass) {
    for (std::ptrdiff_t k = 0; k < n; ++k) {
      if ((k & 1023) == 0 && monitor.poll()) return;
      step(pass % 2 == 0 ? k : n - 1 - k);
    }
  }
}

double BregmanState::restore() {
  std::vector<double> pull(start_.size(), 0.0);
  double offset = 0.0;
  for (std::ptrdiff_t row = 0; row < rows_.count(); ++row) {
    const double dual = rows_.duals[at(row)];
    const auto indices = rows_.indices_of(row);
    const auto values = rows_.values_of(row);
    for (std::size_t k = 0; k < indices.size(); ++k) pull[at(indices[k])] += dual * values[k];
    offset += dual * rows_.bounds[at(row)];
  }
  double low = -offset;
  for (std::size_t e = 0; e < pull.size(); ++e) {
    x_[e] = start_[e] - inverse_[e] * pull[e];
    low += 0.5 * pull[e] * (start_[e] + x_[e]);
  }
  return low;
}

double BregmanState::violation() const {
  double worst = 0.0;
  for (std::ptrdiff_t row = 0; row < rows_.count(); ++row) {
    const auto indices = rows_.indices_of(row);
    const auto values = rows_.values_of(row);
    double excess = -rows_.bounds[at(row)], largest = 0.0;
    for (std::size_t k = 0; k < indices.size(); ++k) {
      excess += values[k] * x_[at(indices[k])];
      largest = std::max(largest, std::abs(values[k]));
    }
    worst = std::max(worst, excess / largest);
  }
  return worst;
}

}  // namespace steelyard::metric
