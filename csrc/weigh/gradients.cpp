#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>

#include "core/index.hpp"
#include "core/pool.hpp"
#include "core/random.hpp"
#include "linalg/cg.hpp"
#include "weigh/approximate_inverse.hpp"
#include "weigh/weighting.hpp"

namespace steelyard::weigh {
namespace {

using std::ptrdiff_t;

constexpr double single_gain = 5e-7;  // asked of a round in single precision: restarts forget directions
constexpr double full_gain = 1e-10;
constexpr double least_gain = 0.25;  // a round that leaves more of the residual than this has gained nothing
constexpr double spread_out = 0.35;  // share of n that the spread must reach for a factor not to pay
constexpr double unseen = 10.0;  // Ritz values lie above the eigenvalues that the iteration has not seen yet
constexpr double aimed_share = 0.25;               // of the tolerance that a product in a residual may be off
constexpr double aimed_share_of_magnitude = 0.01;  // where weights of both signs cancel in it
constexpr double share_unsolved = 0.1;  // of what lies along one vector of a random right-hand side
constexpr int most_rounds = 20;

/// visit(place, own) for some columns of an n x m matrix: a place in it, and in the n x columns one of these.
template <class Visit>
void for_columns(ptrdiff_t n, ptrdiff_t m, std::span<const ptrdiff_t> columns, const Visit& visit) {
  const auto width = std::ssize(columns);
  for (ptrdiff_t i = 0; i < n; ++i)
    for (ptrdiff_t a = 0; a < width; ++a) visit(at(i * m + columns[at(a)]), at(i * width + a));
}

class Solver {
 public:
  Solver(const Space& space, std::span<const double> scales, const CgChoice& choice, Monitor& monitor)
      : space_(space),
        scales_(scales.begin(), scales.end()),
        choice_(choice),
        monitor_(monitor),
        n_(space.size()),
        m_(std::ssize(scales)),
        precision_(choice.single ? Precision::single : Precision::full),
        smallest_ritz_(scales.size(), 1e300),
        deviations_(scales.size()),
        stuck_(scales.size(), 0) {
    out_.columns.resize(scales.size());
    out_.info.trace.columns = {"round", "iterations", "residual", "single"};
    out_.info.tol = choice.tol;
  }

  Weightings run(std::span<const double> start) {
    const Stopwatch watch;
    out_.weights.assign(checked_product("working memory", n_, m_), 0.0);
    residual_.assign(out_.weights.size(), 1.0);
    prepare();
    if (!start.empty() && !monitor_.stopped()) {
      std::copy(start.begin(), start.end(), out_.weights.begin());
      update_residuals(out_.weights, residual_, all_columns());
      for (ptrdiff_t c = 0; c < m_; ++c) out_.columns[at(c)].deviation = deviations_[at(c)];
    }
    for (ptrdiff_t c = 0; c < m_; ++c) judge(c);
    for (int round = 0; round < most_rounds && !monitor_.poll() && passes_ < choice_.max_iter; ++round) {
      const auto active = unfinished();
      if (active.empty()) break;
      step(round, active);
    }
    for (ptrdiff_t c = 0; c < m_; ++c) look_at_weights(c);
    finish(watch);
    out_.residuals = std::move(residual_);
    return std::move(out_);
  }

  /// Of the one scale.
  double least_quotient() {
    prepare();
    precision_ = Precision::full;
    std::vector<double> b(at(n_)), x(at(n_), 0.0), product_of_x(at(n_));
    Random random(0x57656967, 0);
    for (double& value : b) value = random.uniform() - 0.5;
    const auto apply = [&](const double* in, double* out, ptrdiff_t) { product(precision_, {0}, in, out); };
    const auto precondition = [&](const double* r, double* z, ptrdiff_t) {
      if (const auto* inverse = factor(0)) {
        inverse->apply(r, z, 1, monitor_);
      } else {
        std::copy_n(r, n_, z);
      }
    };
    // Of b about 1 / sqrt(n) lies along any one vector, and x is to have it.
    const linalg::CgOptions options{.tol = share_unsolved / std::sqrt(static_cast<double>(n_)),
                                    .max_iter = choice_.max_iter,
                                    .euclidean = true};
    linalg::conjugate_gradients(n_, 1, apply, precondition, b.data(), x.data(), options, monitor_);
    if (!product(precision_, {0}, x.data(), product_of_x.data()) || monitor_.stopped()) return -1.0;
    double energy = 0.0, square = 0.0;
    for (ptrdiff_t i = 0; i < n_; ++i) {
      energy += x[at(i)] * product_of_x[at(i)];
      square += x[at(i)] * x[at(i)];
    }
    constexpr double least = std::numeric_limits<double>::epsilon();  // what rounding lets be seen
    return square > 0.0 ? std::max(energy / square, least) : least;
  }

 private:
  void prepare() {
    if (choice_.neighbours == 0) return;
    plan_ = plan_factor(space_, choice_.landmarks, choice_.neighbours, monitor_);
    const auto needed = columns_that_need_a_factor();
    factors_.resize(scales_.size());
    for (const auto c : needed) {
      if (monitor_.poll()) return;
      auto& factor = factors_[at(c)];
      factor = std::make_unique<ApproximateInverse>(space_, plan_, scales_[at(c)], monitor_);
      if (!factor->complete()) factor.reset();  // the plain iteration goes on without
    }
  }

  /// Of several scales those at which the points are not spread out: sum_i 1 / (Z1)_i is a large share of n
  /// else.
  std::vector<ptrdiff_t> columns_that_need_a_factor() {
    if (m_ == 1) return all_columns();
    const std::vector<double> ones(checked_product("working memory", n_, m_), 1.0);
    std::vector<double> sums(ones.size());
    std::vector<ptrdiff_t> needed;
    if (!product(Precision::single, all_columns(), ones.data(), sums.data())) return needed;
    for (ptrdiff_t c = 0; c < m_; ++c) {
      double spread = 0.0;
      for (ptrdiff_t i = 0; i < n_; ++i) spread += 1.0 / sums[at(i * m_ + c)];
      if (spread < spread_out * static_cast<double>(n_)) needed.push_back(c);
    }
    return needed;
  }

  const ApproximateInverse* factor(ptrdiff_t c) const {
    return factors_.empty() ? nullptr : factors_[at(c)].get();
  }

  std::vector<ptrdiff_t> all_columns() const {
    std::vector<ptrdiff_t> all(at(m_));
    for (ptrdiff_t c = 0; c < m_; ++c) all[at(c)] = c;
    return all;
  }

  std::vector<ptrdiff_t> unfinished() const {
    std::vector<ptrdiff_t> active;
    for (ptrdiff_t c = 0; c < m_; ++c) {
      if (!out_.columns[at(c)].converged && stuck_[at(c)] < 2) active.push_back(c);
    }
    return active;
  }

  /// y <- (Z + jitter) x for the chosen columns of x and y, which have as many columns as `chosen`.
  bool product(Precision precision, const std::vector<ptrdiff_t>& chosen, const double* x, double* y) {
    std::vector<double> scales;
    for (const auto c : chosen) scales.push_back(scales_[at(c)]);
    if (!space_.product(precision, scales, x, y, monitor_)) return false;
    if (choice_.jitter > 0.0) {
      for (ptrdiff_t k = 0; k < n_ * std::ssize(chosen); ++k) y[k] += choice_.jitter * x[k];
    }
    return true;
  }

  std::vector<double> gathered(const std::vector<double>& from, const std::vector<ptrdiff_t>& chosen) const {
    std::vector<double> out(checked_product("working memory", n_, chosen.size()));
    for_columns(n_, m_, chosen, [&](auto place, auto own) { out[own] = from[place]; });
    return out;
  }

  /// residual <- 1 - Z weights in double, for the chosen columns.
  bool update_residuals(const std::vector<double>& weights, std::vector<double>& residual,
                        const std::vector<ptrdiff_t>& chosen) {
    const auto x = gathered(weights, chosen);
    std::vector<double> y(x.size()), scales;
    for (const auto c : chosen) scales.push_back(scales_[at(c)]);
    std::vector<Deviation> deviations(chosen.size());
    ++passes_;
    const bool whole = choice_.stop == StopRule::magnitude;
    const double aim = (whole ? aimed_share_of_magnitude : aimed_share) * choice_.tol;
    if (!space_.careful_product(scales, aim, x.data(), y.data(), deviations, monitor_)) return false;
    for (std::size_t k = 0; k < y.size(); ++k) y[k] += choice_.jitter * x[k];
    for (std::size_t a = 0; a < chosen.size(); ++a) deviations_[at(chosen[a])] = deviations[a];
    for_columns(n_, m_, chosen, [&](auto place, auto own) { residual[place] = 1.0 - y[own]; });
    return true;
  }

  double norm(const std::vector<double>& residual, ptrdiff_t c) const {
    double sum = 0.0;
    for (ptrdiff_t i = 0; i < n_; ++i) sum += residual[at(i * m_ + c)] * residual[at(i * m_ + c)];
    return std::sqrt(sum / static_cast<double>(n_));
  }

  /// 2 * 1'w - w'Zw = 1'w + w'r.
  double bound(const std::vector<double>& weights, const std::vector<double>& residual, ptrdiff_t c) const {
    double sum = 0.0;
    for (ptrdiff_t i = 0; i < n_; ++i) {
      sum += weights[at(i * m_ + c)] * (1.0 + residual[at(i * m_ + c)]);
    }
    return sum;
  }

  /// The certificate of column c from its weights and residual.
  void judge(ptrdiff_t c) {
    auto& column = out_.columns[at(c)];
    column.residual = norm(residual_, c);
    column.lower_bound = bound(out_.weights, residual_, c);
    const double ritz = smallest_ritz_[at(c)];
    column.error_estimate = ritz > 1e200 ? 1e300 : unseen * preconditioned_square(c) / ritz;
    const double off = column.deviation.weighted;
    column.converged = choice_.stop == StopRule::residual
                           ? column.residual + column.deviation.rms <= choice_.tol
                           : column.error_estimate + off <= choice_.tol * std::max(column.lower_bound, 0.0);
  }

  /// How far the weights are from Z^{-1} 1, and what rounding is divided by on the way: a good preconditioner is an
  /// approximate Z^{-1}, too small by the smallest Ritz value at most where that has been seen.
  void look_at_weights(ptrdiff_t c) {
    if (factor(c) == nullptr || monitor_.stopped() || smallest_ritz_[at(c)] > 1e200) return;
    const double share = std::min(smallest_ritz_[at(c)], 1.0);
    std::vector<double> v(at(n_)), z(at(n_));
    const auto length = [](const std::vector<double>& x) {
      double sum = 0.0;
      for (const double value : x) sum += value * value;
      return std::sqrt(sum);
    };
    auto& column = out_.columns[at(c)];
    const auto r = gathered(residual_, {c});
    factor(c)->apply(r.data(), z.data(), 1, monitor_);
    const double left = length(z);
    for (ptrdiff_t i = 0; i < n_; ++i)  // no symmetries
      v[at(i)] = static_cast<double>((at(i) + 1) * 2654435761U % 65536) / 65536.0 - 0.4;
    factor(c)->apply(v.data(), z.data(), 1, monitor_);
    const double size = length(z);
    if (monitor_.stopped() || !(size > 0.0 && std::isfinite(size) && std::isfinite(left))) return;
    column.inverse_of_residual = left / share;
    column.inverse_of_rounding = size / length(v) / share;
  }

  double preconditioned_square(ptrdiff_t c) {
    std::vector<double> z(at(n_));
    if (factor(c) == nullptr) return static_cast<double>(n_) * std::pow(norm(residual_, c), 2);
    const auto r = gathered(residual_, {c});
    factor(c)->apply(r.data(), z.data(), 1, monitor_);
    double sum = 0.0;
    for (ptrdiff_t i = 0; i < n_; ++i) sum += r[at(i)] * z[at(i)];
    return sum;
  }

  double inner_tol(const std::vector<ptrdiff_t>& active) const {
    if (choice_.stop == StopRule::magnitude) return 0.5 * choice_.tol / unseen;
    const double floor = precision_ == Precision::single ? single_gain : full_gain;
    double largest = 0.0;
    for (const auto c : active) largest = std::max(largest, out_.columns[at(c)].residual);
    return std::clamp(0.5 * choice_.tol / largest, floor, 0.1);
  }

  /// One round: conjugate gradients for the correction, then the residual in double.
  void step(int round, const std::vector<ptrdiff_t>& active) {
    const auto width = std::ssize(active);
    const auto b = gathered(residual_, active);
    std::vector<double> correction(b.size(), 0.0);
    std::vector<char> moving;
    const auto apply = [&](const double* x, double* y, ptrdiff_t) { apply_moving(active, moving, x, y); };
    const auto precondition = [&](const double* r, double* z, ptrdiff_t) {
      for (ptrdiff_t a = 0; a < width; ++a) {
        if (!moving.empty() && moving[at(a)] == 0) continue;
        if (const auto* inverse = factor(active[at(a)])) {
          inverse->apply(r + a, z + a, width, monitor_);
        } else {
          for (auto k = a; k < n_ * width; k += width) z[k] = r[k];
        }
      }
    };
    std::vector<double> base;
    for (const auto c : active) base.push_back(std::max(out_.columns[at(c)].lower_bound, 0.0));
    const linalg::CgOptions options{.tol = inner_tol(active),
                                    .max_iter = choice_.max_iter - passes_,
                                    .euclidean = choice_.stop == StopRule::residual,
                                    .energy_base = choice_.stop == StopRule::magnitude ? &base : nullptr,
                                    .moving = &moving};
    const auto result = linalg::conjugate_gradients(n_, width, apply, precondition, b.data(),
                                                    correction.data(), options, monitor_);
    passes_ += result.iterations;
    for (ptrdiff_t a = 0; a < width; ++a) note(active[at(a)], result.columns[at(a)]);
    accept(round, active, correction);
  }

  void apply_moving(const std::vector<ptrdiff_t>& active, const std::vector<char>& moving, const double* x,
                    double* y) {
    const auto width = std::ssize(active);
    std::vector<ptrdiff_t> chosen, slots;
    for (ptrdiff_t a = 0; a < width; ++a) {
      if (!moving.empty() && moving[at(a)] == 0) continue;
      chosen.push_back(active[at(a)]);
      slots.push_back(a);
    }
    const auto count = std::ssize(slots);
    if (count == width) {
      product(precision_, chosen, x, y);
      return;
    }
    std::vector<double> some(checked_product("working memory", n_, count)), products(at(n_ * count));
    for_columns(n_, width, slots, [&](auto place, auto own) { some[own] = x[place]; });
    product(precision_, chosen, some.data(), products.data());
    for_columns(n_, width, slots, [&](auto place, auto own) { y[place] = products[own]; });
  }

  void note(ptrdiff_t c, const linalg::CgColumn& from) {
    auto& column = out_.columns[at(c)];
    column.iterations += from.iterations;
    const bool broke = !from.converged && passes_ < choice_.max_iter && !monitor_.stopped();
    if (broke && precision_ == Precision::full) column.indefinite = true;
    if (from.lanczos_smallest > 0.0 && from.iterations > 0) {
      smallest_ritz_[at(c)] = std::min(smallest_ritz_[at(c)], from.lanczos_smallest);
    }
  }

  /// What a later round corrects lies mostly along vectors of small eigenvalues: its Rayleigh quotient, from
  /// what it did to the residual.
  void see(const std::vector<ptrdiff_t>& active, const std::vector<double>& correction,
           const std::vector<double>& residual) {
    const auto width = std::ssize(active);
    for (ptrdiff_t a = 0; a < width; ++a) {
      double energy = 0.0, square = 0.0;
      for (ptrdiff_t i = 0; i < n_; ++i) {
        const double x = correction[at(i * width + a)];
        const auto place = at(i * m_ + active[at(a)]);
        energy += x * (residual_[place] - residual[place]);
        square += x * x;
      }
      auto& seen = out_.columns[at(active[at(a)])].seen;
      if (energy > 0.0 && square > 0.0) seen = seen > 0.0 ? std::min(seen, energy / square) : energy / square;
    }
  }

  /// Keeps a correction that helped; a column that single precision no longer helps sends all to double.
  void accept(int round, const std::vector<ptrdiff_t>& active, const std::vector<double>& correction) {
    auto weights = out_.weights;
    for_columns(n_, m_, active, [&](auto place, auto own) { weights[place] += correction[own]; });
    auto residual = residual_;
    if (!update_residuals(weights, residual, active)) return;
    bool gained = true;
    see(active, correction, residual);
    for (const auto c : active) {
      const double before = norm(residual_, c), after = norm(residual, c);
      if (choice_.stop == StopRule::residual
              ? after < before
              : bound(weights, residual, c) > out_.columns[at(c)].lower_bound) {
        for_columns(n_, m_, {&c, 1}, [&](auto place, auto) {
          residual_[place] = residual[place];
          out_.weights[place] = weights[place];
        });
        out_.columns[at(c)].deviation = deviations_[at(c)];
      }
      judge(c);
      const bool column_gained = out_.columns[at(c)].converged || after <= least_gain * before;
      if (!column_gained && precision_ == Precision::full) ++stuck_[at(c)];
      gained = gained && column_gained;
      out_.info.trace.add({static_cast<double>(round), static_cast<double>(passes_), after,
                           precision_ == Precision::single ? 1.0 : 0.0});
    }
    if (!gained) precision_ = Precision::full;
    monitor_.progress(static_cast<double>(passes_), 0.0);
  }

  void finish(const Stopwatch& watch) {
    auto& info = out_.info;
    info.interrupted = monitor_.stopped();
    info.converged = !info.interrupted;
    for (const auto& column : out_.columns) info.converged = info.converged && column.converged;
    info.iterations = passes_;
    info.seconds = watch.seconds();
    info.error_kind = ErrorKind::estimate;
    info.error_bound = out_.columns.empty() ? 0.0 : out_.columns[0].error_estimate;
    info.solver = plan_.rest.empty()
                      ? "conjugate gradients"
                      : (plan_.landmarks.empty() ? "conjugate gradients, Vecchia preconditioner"
                                                 : "conjugate gradients, AFN preconditioner");
    info.solver += space_.approximates() ? ", far field" : "";
    info.solver += precision_ == Precision::single ? ", single precision refined" : ", double precision";
  }

  const Space& space_;
  std::vector<double> scales_;
  CgChoice choice_;
  Monitor& monitor_;
  ptrdiff_t n_, m_;
  Precision precision_;
  FactorPlan plan_;
  std::vector<std::unique_ptr<ApproximateInverse>> factors_;
  std::vector<double> smallest_ritz_, residual_;
  std::vector<Deviation> deviations_;  ///< of the products last made
  std::vector<int> stuck_;
  int passes_ = 0;
  Weightings out_;
};

/// visit(given, moved) for all places of an n x columns matrix whose rows were put into another order.
template <class Visit>
void for_moved_rows(std::span<const std::int32_t> order, ptrdiff_t columns, const Visit& visit) {
  for (ptrdiff_t i = 0; i < std::ssize(order); ++i)
    for (ptrdiff_t c = 0; c < columns; ++c) visit(order[at(i)] * columns + c, i * columns + c);
}

}  // namespace

double least_quotient(const Space& space, double scale, const CgChoice& choice, Monitor& monitor) {
  return Solver(space, {&scale, 1}, choice, monitor).least_quotient();
}

Weightings solve_by_gradients(const Space& space, std::span<const double> scales, const CgChoice& choice,
                              std::span<const double> start, Monitor& monitor) {
  const auto order = space.grouped(monitor);
  if (order.empty()) return Solver(space, scales, choice, monitor).run(start);
  const auto together = space.reordered(order, monitor);
  const ptrdiff_t columns = std::ssize(scales);
  std::vector<double> moved(start.size());
  if (!start.empty())
    for_moved_rows(order, columns, [&](ptrdiff_t from, ptrdiff_t to) { moved[at(to)] = start[at(from)]; });
  auto found = Solver(*together, scales, choice, monitor).run(moved);
  for (auto* values : {&found.weights, &found.residuals}) {
    const auto given = *values;
    for_moved_rows(order, columns,
                   [&](ptrdiff_t to, ptrdiff_t from) { (*values)[at(to)] = given[at(from)]; });
  }
  return found;
}

}  // namespace steelyard::weigh
