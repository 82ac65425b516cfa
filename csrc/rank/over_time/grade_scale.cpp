#include "rank/over_time/grade_scale.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

/// Log posterior at one point, its gradient, and the Fisher information where asked for.
class GradeModel {
 public:
  explicit GradeModel(const Ascents& ascents)
      : gradient(at(ascents.nodes() + 1)),
        diagonal(at(ascents.nodes())),
        border(at(ascents.nodes())),
        data_(ascents) {}

  double evaluate(const std::vector<double>& point, bool information) {
    const ptrdiff_t n = data_.nodes();
    const double log_slope = point.back(), slope = std::exp(log_slope);
    const double off = (log_slope - data_.slope_mean) / data_.slope_sd;
    double value = -0.5 * off * off, by_slope = 0.0;
    corner = 1.0 / (data_.slope_sd * data_.slope_sd);
    std::fill(gradient.begin(), gradient.end(), 0.0);
    std::fill(diagonal.begin(), diagonal.end(), 0.0);
    for (ptrdiff_t k = 0; k < n; ++k) {
      double pull = 0.0, curvature = 0.0, cross = 0.0;
      for (auto c = data_.cells[at(k)]; c < data_.cells[at(k) + 1]; ++c) {
        const double x = slope * (point[at(k)] - data_.grade[at(c)]);
        const double e = std::exp(-std::fabs(x)), v = 1.0 / (1.0 + e);
        const double sends = data_.sent[at(c)], tries = sends + data_.failed[at(c)];
        value -= std::max(x, 0.0) * tries - sends * x + tries * std::log1p(e);
        const double residual = sends - tries * (x < 0.0 ? e * v : v);
        pull += residual;
        by_slope += x * residual;
        if (!information) continue;
        const double w = tries * e * v * v;
        curvature += w;
        cross += x * w;
        corner += x * x * w;
      }
      gradient[at(k)] += slope * pull;
      diagonal[at(k)] += slope * slope * curvature;
      border[at(k)] = slope * cross;
    }
    gradient.back() = by_slope - off / data_.slope_sd;
    return value + add_chains(point);
  }

  std::vector<double> gradient;          ///< nodes, then log m
  std::vector<double> diagonal, border;  ///< of the information
  double corner = 0.0;

 private:
  double add_chains(const std::vector<double>& point) {
    const double first_precision = 1.0 / (data_.first_sd * data_.first_sd);
    double value = 0.0;
    for (std::size_t c = 0; c + 1 < data_.chains.size(); ++c) {
      const auto first = data_.chains[c], last = data_.chains[c + 1];
      if (first == last) continue;
      const double off = point[at(first)] - data_.first_mean;
      value -= 0.5 * first_precision * off * off;
      gradient[at(first)] -= first_precision * off;
      diagonal[at(first)] += first_precision;
      for (auto k = first + 1; k < last; ++k) {
        const double link = data_.precision[at(k)], step = point[at(k)] - point[at(k - 1)];
        value -= 0.5 * link * step * step;
        gradient[at(k)] -= link * step;
        gradient[at(k - 1)] += link * step;
        diagonal[at(k)] += link;
        diagonal[at(k - 1)] += link;
      }
    }
    return value;
  }

  const Ascents& data_;
};

/// H = T^{-T} T^{-1} for the information: chains by their bidiagonal factors, then the slope.
class Whitening {
 public:
  Whitening(const Ascents& ascents, const GradeModel& model)
      : data_(ascents),
        root_(model.diagonal.size()),
        below_(model.diagonal.size(), 0.0),
        solved_(model.border) {
    each_chain([&](ptrdiff_t first, ptrdiff_t last) {
      for (auto k = first; k < last; ++k) {
        if (k > first) below_[at(k)] = -data_.precision[at(k)] / root_[at(k - 1)];
        root_[at(k)] = std::sqrt(model.diagonal[at(k)] - below_[at(k)] * below_[at(k)]);
      }
    });
    forward(solved_.data());
    double schur = model.corner;
    for (const double y : solved_) schur -= y * y;
    backward(solved_.data());
    slope_root_ = std::sqrt(schur);
  }

  /// x <- T xi.
  void spread(const double* xi, double* x) const {
    const auto n = std::ssize(root_);
    x[n] = xi[n] / slope_root_;
    std::copy(xi, xi + n, x);
    backward(x);
    for (ptrdiff_t k = 0; k < n; ++k) x[k] -= solved_[at(k)] * x[n];
  }

  /// out <- T' g.
  void gather(const double* g, double* out) const {
    const auto n = std::ssize(root_);
    double rest = g[n];
    for (ptrdiff_t k = 0; k < n; ++k) rest -= solved_[at(k)] * g[k];
    std::copy(g, g + n, out);
    forward(out);
    out[n] = rest / slope_root_;
  }

 private:
  template <class Visit>
  void each_chain(const Visit& visit) const {
    for (std::size_t c = 0; c + 1 < data_.chains.size(); ++c) visit(data_.chains[c], data_.chains[c + 1]);
  }

  void forward(double* x) const {
    each_chain([&](ptrdiff_t first, ptrdiff_t last) {
      for (auto k = first; k < last; ++k)
        x[k] = (x[k] - (k > first ? below_[at(k)] * x[k - 1] : 0.0)) / root_[at(k)];
    });
  }

  void backward(double* x) const {
    each_chain([&](ptrdiff_t first, ptrdiff_t last) {
      for (auto k = last; k-- > first;)
        x[k] = (x[k] - (k + 1 < last ? below_[at(k + 1)] * x[k + 1] : 0.0)) / root_[at(k)];
    });
  }

  const Ascents& data_;
  std::vector<double> root_, below_;  ///< L by rows: the diagonal, and the entry before it
  std::vector<double> solved_;        ///< of the border
  double slope_root_ = 1.0;
};

class GradeTarget final : public Remainder {
 public:
  GradeTarget(const Ascents& ascents, const GradeMode& mode, const Whitening& whitening,
              const GradeDraws& out, ptrdiff_t chain, ptrdiff_t draws, std::int64_t before)
      : model_(ascents),
        mode_(mode),
        whitening_(whitening),
        out_(out),
        chain_(chain),
        draws_(draws),
        before_(before),
        point_(mode.at.size()) {}

  ptrdiff_t size() const override { return std::ssize(point_); }

  double evaluate(const double* xi, double* gradient) override {
    const double value = value_at(xi);
    whitening_.gather(model_.gradient.data(), gradient);
    double normal = 0.0;
    for (ptrdiff_t i = 0; i < size(); ++i) {
      gradient[i] += xi[i];
      normal += xi[i] * xi[i];
    }
    return value + 0.5 * normal;
  }

  void record(const double* xi, ptrdiff_t draw) override {
    out_.log_posterior[chain_ * draws_ + draw] = value_at(xi);
    out_.slope[chain_ * draws_ + draw] = std::exp(point_.back());
    const auto nodes = size() - 1;
    double* mean = out_.mean + chain_ * nodes;
    double* squares = out_.squares + chain_ * nodes;
    const double count = static_cast<double>(before_ + draw + 1);
    for (ptrdiff_t k = 0; k < nodes; ++k) {
      const double off = point_[at(k)] - mean[k];
      mean[k] += off / count;
      squares[k] += off * (point_[at(k)] - mean[k]);
    }
  }

 private:
  double value_at(const double* xi) {
    whitening_.spread(xi, point_.data());
    for (std::size_t k = 0; k < point_.size(); ++k) point_[k] += mode_.at[k];
    return model_.evaluate(point_, false);
  }

  GradeModel model_;
  const GradeMode& mode_;
  const Whitening& whitening_;
  const GradeDraws& out_;
  ptrdiff_t chain_, draws_;
  std::int64_t before_;
  std::vector<double> point_;
};

}  // namespace

GradeMode find_mode(const Ascents& ascents, Monitor& monitor) {
  const auto size = at(ascents.nodes() + 1);
  GradeMode mode;
  mode.at.assign(size, ascents.first_mean);
  mode.at.back() = ascents.slope_mean;
  GradeModel model(ascents);
  double value = model.evaluate(mode.at, true);
  std::vector<double> xi(size), step(size);
  for (; mode.iterations < 200 && !monitor.poll(); ++mode.iterations) {
    const Whitening whitening(ascents, model);
    whitening.gather(model.gradient.data(), xi.data());
    whitening.spread(xi.data(), step.data());
    double slope = 0.0;
    for (const double x : xi) slope += x * x;
    mode.decrement = std::sqrt(slope);
    if (mode.decrement < 1e-8) break;
    double length = 1.0;
    std::vector<double> next(size);
    double found = -1.0;
    for (int tries = 0; tries < 40; ++tries, length *= 0.5) {
      for (std::size_t k = 0; k < size; ++k) next[k] = mode.at[k] + length * step[k];
      found = model.evaluate(next, true);
      if (found >= value + 1e-4 * length * slope - 1e-12 * std::fabs(value)) break;
    }
    mode.at = std::move(next);
    value = found;
  }
  return mode;
}

std::int64_t sample_grades(const Ascents& ascents, const GradeMode& mode, std::vector<Chain>& chains,
                           const ChainOptions& options, std::uint64_t seed, std::vector<std::int64_t>& counts,
                           const GradeDraws& out, Monitor& monitor) {
  GradeModel model(ascents);
  model.evaluate(mode.at, true);
  const Whitening whitening(ascents, model);
  std::vector<ptrdiff_t> recorded;
  run_chains(chains, options, seed, recorded, monitor, [&](ptrdiff_t c, Monitor&) {
    return hamiltonian(
        std::make_unique<GradeTarget>(ascents, mode, whitening, out, c, options.draws, counts[at(c)]));
  });
  for (std::size_t c = 0; c < chains.size(); ++c) counts[c] += recorded[c];
  return *std::min_element(recorded.begin(), recorded.end());
}

}  // namespace steelyard::rank
