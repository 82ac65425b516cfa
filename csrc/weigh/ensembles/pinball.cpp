#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "core/index.hpp"
#include "core/random.hpp"
#include "linalg/cholesky.hpp"
#include "simd/table.hpp"
#include "weigh/ensembles/ensembles.hpp"
#include "weigh/ensembles/panels.hpp"
#include "weigh/ensembles/simplex_step.hpp"

namespace steelyard::weigh {
namespace {

using std::ptrdiff_t;

double pinball(double u, double level) { return std::max(level * u, (level - 1.0) * u); }

/// Solves (M + diag(d)) x = b, 1'x = total - by elimination of the multiplier - for right sides that follow.
class BorderedSystem {
 public:
  BorderedSystem(const double* gram, const std::vector<double>& diagonal, ptrdiff_t k)
      : k_(k), scale_(at(k)), l_(at(k * k)), ones_(at(k)) {
    for (ptrdiff_t i = 0; i < k; ++i)
      scale_[at(i)] = 1.0 / std::sqrt(gram[i * k + i] + diagonal[at(i)] + 1e-300);
    for (double ridge = 1e-15; ridge < 1.0; ridge *= 100.0) {
      for (ptrdiff_t i = 0; i < k; ++i) {
        for (ptrdiff_t j = 0; j <= i; ++j) {
          const double own = i == j ? diagonal[at(i)] : 0.0;
          l_[at(i * k + j)] =
              (gram[i * k + j] + own) * scale_[at(i)] * scale_[at(j)] + (i == j ? ridge : 0.0);
        }
      }
      if (linalg::cholesky_own(l_.data(), k, k)) break;
    }
    std::fill(ones_.begin(), ones_.end(), 1.0);
    solve(ones_);
    for (const double x : ones_) sum_ += x;
  }

  /// x <- solution for the right side x; its multiplier is returned.
  double solve(std::vector<double>& x, double total) const {
    solve(x);
    double sum = 0.0;
    for (const double v : x) sum += v;
    const double multiplier = (sum - total) / sum_;
    for (std::size_t i = 0; i < x.size(); ++i) x[i] -= multiplier * ones_[i];
    return multiplier;
  }

 private:
  void solve(std::vector<double>& x) const {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] *= scale_[i];
    linalg::cholesky_solve(l_.data(), k_, k_, x.data(), 1, 1);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] *= scale_[i];
  }

  ptrdiff_t k_;
  std::vector<double> scale_, l_, ones_;
  double sum_ = 0.0;
};

constexpr ptrdiff_t many_rows = 100'000;  // from which on the mixture is first sought in some of them
constexpr ptrdiff_t rows_a_draw = 20;     // one of so many gives a first mixture
constexpr ptrdiff_t near_rows = 8;        // one in so many, nearest to it, may be on either side of the best

/// Residuals u - v = y - Pw, their slacks su = tau - a and sv = 1 - tau + a, weights w with slacks sw: all > 0.
class InteriorPoint {
 public:
  /// `fixed`: E'(c a) of rows whose side is known, so that their duals a are.
  InteriorPoint(const EnsembleProblem& problem, std::vector<double> fixed, Monitor& monitor)
      : problem_(problem),
        n_(problem.predictions.rows),
        k_(problem.predictions.cols),
        uniform_(problem.weights.empty() ? 1.0 / static_cast<double>(n_) : 1.0),
        panels_(problem.predictions, problem.y, true, monitor),
        monitor_(monitor),
        fixed_(std::move(fixed)),
        w(at(k_), 1.0 / static_cast<double>(k_)) {
    fixed_.resize(at(k_), 0.0);
  }

 private:
  const EnsembleProblem& problem_;
  ptrdiff_t n_, k_;
  double uniform_;
  Panels panels_;
  Monitor& monitor_;
  std::vector<double> fixed_;

 public:
  std::vector<double> w, singles;
  double loss = 0.0, bound = 0.0;  ///< primal and dual value

  /// Losses of the columns, each alone.
  bool measure() {
    std::vector<double> sums;
    const bool done = panels_.sum(2 * k_, sums, monitor_, [&](const PanelBlock& block, double* out) {
      for (ptrdiff_t k = 0; k < k_; ++k) {
        const double* e = block.columns + k * Panels::stride;
        for (ptrdiff_t i = 0; i < block.rows; ++i) {
          const double c = weight(block.first + i);
          out[k] += c * pinball(-e[i], level(block.first + i));
          out[k_ + k] += c * std::fabs(e[i]);
        }
      }
    });
    if (!done) return false;
    for (double& x : sums) x *= uniform_;
    singles.assign(sums.begin(), sums.begin() + k_);
    largest_ = *std::max_element(sums.begin() + k_, sums.end());
    for (const double x : fixed_) largest_ = std::max(largest_, std::fabs(x));
    return true;
  }

  bool start() {
    std::vector<double> sums;
    for (auto* column : {&u_, &v_, &su_, &sv_, &r_, &dd_, &da_, &du_, &dv_}) column->resize(at(n_));
    bool done = panels_.sum(1, sums, monitor_, [&](const PanelBlock& block, double* out) {
      double x[Panels::block_rows];
      combine(block, w, x);
      for (ptrdiff_t i = 0; i < block.rows; ++i) out[0] += weight(block.first + i) * std::fabs(x[i]);
    });
    if (!done) return false;
    const double away = 0.1 * uniform_ * sums[0];
    done = panels_.sum(k_, sums, monitor_, [&](const PanelBlock& block, double* out) {
      double x[Panels::block_rows];
      combine(block, w, x);
      for (ptrdiff_t i = 0; i < block.rows; ++i) {
        const auto row = at(block.first + i);
        u_[row] = std::max(-x[i], 0.0) + away;
        v_[row] = std::max(x[i], 0.0) + away;
        su_[row] = sv_[row] = 0.5;
        x[i] = weight(block.first + i) * (level(block.first + i) - 0.5);
      }
      dots(block, x, out);
    });
    if (!done) return false;
    nu_ = -infinity;
    for (std::size_t k = 0; k < sums.size(); ++k) {
      sums[k] = uniform_ * sums[k] + fixed_[k];
      nu_ = std::max(nu_, sums[k]);
    }
    nu_ += away;
    sw_.resize(at(k_));
    for (std::size_t k = 0; k < sw_.size(); ++k) sw_[k] = nu_ - sums[k];
    return true;
  }

  /// Makes the step of last time; then all that the next direction needs, and both values.
  bool linearise() {
    const double ap = primal_, ad = dual_;
    const auto width = 2 + 2 * k_ + k_ * k_;
    const bool done = panels_.sum(width, sums_, monitor_, [&](const PanelBlock& block, double* out) {
      double x[Panels::block_rows], right[Panels::block_rows], diagonal[Panels::block_rows],
          dual[Panels::block_rows], sum = 0.0, value = 0.0;
      combine(block, w, x);
      for (ptrdiff_t i = 0; i < block.rows; ++i) {
        const auto row = at(block.first + i);
        const double c = weight(block.first + i), tau = level(block.first + i);
        if (ap > 0.0) {
          u_[row] += ap * du_[row];
          v_[row] += ap * dv_[row];
          const double less = su_[row] - ad * da_[row], more = sv_[row] + ad * da_[row];
          su_[row] = less < more ? less : 1.0 - more;  // they sum to 1; the smaller keeps its digits
          sv_[row] = less < more ? 1.0 - less : more;
        }
        const double u = u_[row], v = v_[row], su = su_[row], sv = sv_[row], r = -x[i];
        const double dd = 1.0 / (u / su + v / sv);
        r_[row] = r;
        dd_[row] = dd;
        value += c * pinball(r, tau);
        sum += c * (u * su + v * sv);
        diagonal[i] = c * dd;
        right[i] = c * dd * r;
        dual[i] = c * (su < sv ? tau - su : sv - (1.0 - tau));
      }
      out[0] += value;
      out[1] += sum;
      dots(block, dual, out + 2);
      dots(block, right, out + 2 + k_);
      simd::kernels().columns->gram(block.columns, Panels::stride, block.rows, k_, diagonal,
                                    out + 2 + 2 * k_);
    });
    for (double& x : sums_) x *= uniform_;
    for (std::size_t k = 0; k < fixed_.size(); ++k) sums_[2 + k] += fixed_[k];
    loss = sums_[0] + fixed_loss(w);
    bound = -*std::max_element(sums_.begin() + 2, sums_.begin() + 2 + k_);
    return done;
  }

  double rounding(double value) const {
    const double terms = panels_.depth(2 + 2 * k_ + k_ * k_) + static_cast<double>(k_) + 8.0;
    return unit_roundoff * terms * (value + 2.0 * largest_);
  }

  /// r <- y - Pw
  bool residuals(const std::vector<double>& point, std::vector<double>& r) {
    std::vector<double> none;
    r.resize(at(n_));
    return panels_.sum(1, none, monitor_, [&](const PanelBlock& block, double*) {
      double* own = r.data() + block.first;
      combine(block, point, own);
      for (ptrdiff_t i = 0; i < block.rows; ++i) own[i] = -own[i];
    });
  }

  /// out <- E'(c a) over the rows on a known side of zero: those not `open`.
  bool of_sides(const std::vector<double>& r, const std::vector<char>& open, std::vector<double>& out) {
    const bool done = panels_.sum(k_, out, monitor_, [&](const PanelBlock& block, double* sums) {
      double x[Panels::block_rows];
      for (ptrdiff_t i = 0; i < block.rows; ++i) {
        const auto row = at(block.first + i);
        const double tau = level(block.first + i);
        x[i] = open[row] != 0 ? 0.0 : weight(block.first + i) * (r[row] > 0.0 ? tau : tau - 1.0);
      }
      dots(block, x, sums);
    });
    for (double& x : out) x *= uniform_;
    return done;
  }

  /// Predictor, corrector and the lengths of both steps.
  bool direct() {
    const double share = 1.0 / static_cast<double>(n_);
    std::vector<double> diagonal(at(k_)), residual(at(k_));
    double sum_w = 0.0, pairs = sums_[1];
    for (std::size_t k = 0; k < w.size(); ++k) {
      diagonal[k] = sw_[k] / w[k];
      residual[k] = nu_ - sums_[2 + k] - sw_[k];
      sum_w += w[k];
      pairs += w[k] * sw_[k];
    }
    const double per_pair = 2.0 + static_cast<double>(k_) * share, mu = pairs / per_pair;
    const BorderedSystem system(sums_.data() + 2 + 2 * k_, diagonal, k_);
    std::vector<double> dw(sums_.begin() + 2 + k_, sums_.begin() + 2 + 2 * k_);
    for (std::size_t k = 0; k < w.size(); ++k) dw[k] -= sw_[k] + residual[k];
    system.solve(dw, 1.0 - sum_w);
    if (!predict(dw)) return false;
    std::vector<double> dsw(at(k_));
    for (std::size_t k = 0; k < w.size(); ++k) dsw[k] = -sw_[k] - diagonal[k] * dw[k];
    auto [ap, ad] = lengths(dw, dsw, 1.0);
    double after = sums_[1] + ap * steps_[0] + ad * steps_[1] + ap * ad * steps_[2];
    for (std::size_t k = 0; k < w.size(); ++k) after += (w[k] + ap * dw[k]) * (sw_[k] + ad * dsw[k]);
    const double shrink = std::clamp(after / per_pair / mu, 0.0, 1.0);
    const double target = shrink * shrink * shrink * mu;

    std::vector<double> right;
    if (!correct(target, right)) return false;
    std::vector<double> aim(at(k_));
    for (std::size_t k = 0; k < w.size(); ++k) {
      aim[k] = target * share - dw[k] * dsw[k];
      right[k] += aim[k] / w[k] - sw_[k] - residual[k];
    }
    const double dnu = system.solve(right, 1.0 - sum_w);
    if (!step(right)) return false;
    for (std::size_t k = 0; k < w.size(); ++k) dsw[k] = aim[k] / w[k] - sw_[k] - diagonal[k] * right[k];
    std::tie(primal_, dual_) = lengths(right, dsw, 0.995);
    for (std::size_t k = 0; k < w.size(); ++k) {
      w[k] += primal_ * right[k];
      sw_[k] += dual_ * dsw[k];
    }
    nu_ += dual_ * dnu;
    return std::isfinite(primal_) && std::isfinite(dual_);
  }

  double loss_at(const std::vector<double>& point) {
    std::vector<double> sums;
    const bool done = panels_.sum(1, sums, monitor_, [&](const PanelBlock& block, double* out) {
      double x[Panels::block_rows];
      combine(block, point, x);
      for (ptrdiff_t i = 0; i < block.rows; ++i)
        out[0] += weight(block.first + i) * pinball(-x[i], level(block.first + i));
    });
    return done ? uniform_ * sums[0] + fixed_loss(point) : infinity;
  }

 private:
  double fixed_loss(const std::vector<double>& point) const {
    double sum = 0.0;
    for (std::size_t k = 0; k < fixed_.size(); ++k) sum -= fixed_[k] * point[k];
    return sum;
  }
  double weight(ptrdiff_t i) const { return problem_.weights.empty() ? 1.0 : problem_.weights[at(i)]; }
  double level(ptrdiff_t i) const { return problem_.levels[at(i)]; }

  void combine(const PanelBlock& block, const std::vector<double>& x, double* out) const {
    simd::kernels().columns->combine(block.columns, Panels::stride, block.rows, k_, x.data(), out);
  }
  void dots(const PanelBlock& block, const double* x, double* out) const {
    simd::kernels().columns->dots(block.columns, Panels::stride, block.rows, k_, x, out);
  }

  /// da <- the affine step; what it does to the sum of the products, and how far it may go.
  bool predict(const std::vector<double>& dw) {
    const bool done = panels_.sum(
        5, steps_, monitor_,
        [&](const PanelBlock& block, double* out) {
          double x[Panels::block_rows];
          combine(block, dw, x);
          double first = 0.0, second = 0.0, third = 0.0, primal = 0.0, dual = 0.0;
          for (ptrdiff_t i = 0; i < block.rows; ++i) {
            const auto row = at(block.first + i);
            const double u = u_[row], v = v_[row], su = su_[row], sv = sv_[row];
            const double c = weight(block.first + i), da = dd_[row] * (r_[row] - x[i]);
            const double over = da / su, under = da / sv, du = u * (over - 1.0), dv = -v * (under + 1.0);
            da_[row] = da;
            first += c * (du * su + dv * sv);
            second += c * (v - u) * da;
            third += c * (dv - du) * da;
            primal = std::max(primal, std::max(1.0 - over, 1.0 + under));
            dual = std::max(dual, std::max(over, -under));
          }
          out[0] += first;
          out[1] += second;
          out[2] += third;
          out[3] = std::max(out[3], primal);
          out[4] = std::max(out[4], dual);
        },
        2);
    for (int j = 0; j < 3; ++j) steps_[at(j)] *= uniform_;
    return done;
  }

  /// right <- E'(c dd e) of the corrector; du and dv <- what of u and v does not depend on da.
  bool correct(double target, std::vector<double>& right) {
    const bool done = panels_.sum(k_, right, monitor_, [&](const PanelBlock& block, double* out) {
      double x[Panels::block_rows];
      for (ptrdiff_t i = 0; i < block.rows; ++i) {
        const auto row = at(block.first + i);
        const double u = u_[row], v = v_[row], su = su_[row], sv = sv_[row], da = da_[row];
        const double du = u * (da / su - 1.0), dv = -v * (da / sv + 1.0);
        const double above = (target + du * da) / su, below = (target - dv * da) / sv;
        const double e = r_[row] - above + below;
        du_[row] = above - u;
        dv_[row] = below - v;
        r_[row] = e;
        x[i] = weight(block.first + i) * dd_[row] * e;
      }
      dots(block, x, out);
    });
    for (double& x : right) x *= uniform_;
    return done;
  }

  bool step(const std::vector<double>& dw) {
    return panels_.sum(
        2, limits_, monitor_,
        [&](const PanelBlock& block, double* out) {
          double x[Panels::block_rows];
          combine(block, dw, x);
          double primal = 0.0, dual = 0.0;
          for (ptrdiff_t i = 0; i < block.rows; ++i) {
            const auto row = at(block.first + i);
            const double u = u_[row], v = v_[row], su = su_[row], sv = sv_[row];
            const double da = dd_[row] * (r_[row] - x[i]);
            const double du = du_[row] + u / su * da, dv = dv_[row] - v / sv * da;
            da_[row] = da;
            du_[row] = du;
            dv_[row] = dv;
            primal = std::max(primal, std::max(-du / u, -dv / v));
            dual = std::max(dual, std::max(da / su, -da / sv));
          }
          out[0] = std::max(out[0], primal);
          out[1] = std::max(out[1], dual);
        },
        2);
  }

  /// How far both steps may go, as a share of the way to the nearest bound, at most 1.
  std::pair<double, double> lengths(const std::vector<double>& dw, const std::vector<double>& dsw,
                                    double part) const {
    const bool predicted = part == 1.0;
    double primal = predicted ? steps_[3] : limits_[0], dual = predicted ? steps_[4] : limits_[1];
    for (std::size_t k = 0; k < w.size(); ++k) {
      primal = std::max(primal, -dw[k] / w[k]);
      dual = std::max(dual, -dsw[k] / sw_[k]);
    }
    return {std::min(1.0, part / std::max(primal, 1e-300)), std::min(1.0, part / std::max(dual, 1e-300))};
  }

  double nu_ = 0.0, largest_ = 0.0, primal_ = 0.0, dual_ = 0.0;
  std::vector<double> sw_, u_, v_, su_, sv_, r_, dd_, da_, du_, dv_, sums_, steps_, limits_;
};

/// Weights that are nothing but the barrier's distance from the edge go, where the loss allows it.
std::vector<double> without_crumbs(const std::vector<double>& w) {
  auto clean = w;
  for (double& x : clean) x = x < 1e-7 ? 0.0 : x;
  normalise(clean);
  return clean;
}

/// To the gap, or as far as steps get.
EnsembleAnswer solve(InteriorPoint& point, const EnsembleOptions& options, Monitor& monitor) {
  const Stopwatch watch;
  BestPoint best(options);
  double bound = -infinity;
  if (!monitor.stopped() && point.measure() && point.start()) {
    int stalls = 0;
    for (int step = 0; step < options.max_iter && point.linearise(); ++step) {
      monitor.progress(step, options.max_iter);
      bound = std::max(bound, point.bound);
      auto w = point.w;
      normalise(w);
      const double rounding = point.rounding(point.loss);
      const bool reached = best.offer(w, point.loss, std::max(point.loss - bound, 0.0), rounding, point.loss);
      stalls = best.improved() ? 0 : stalls + 1;
      if (reached) {
        const auto clean = without_crumbs(w);
        const double loss = point.loss_at(clean);
        if (loss - bound <= std::max(options.tol * loss, rounding)) best.replace(clean, loss, loss - bound);
        break;
      }
      if (point.loss == 0.0 || stalls > 8 || !point.direct()) break;
    }
  }
  return best.finish(std::move(point.singles), "interior point", watch.seconds(), monitor);
}

/// Some rows of a problem, their weights made to sum to 1.
struct SomeRows {
  SomeRows(const EnsembleProblem& all, const std::vector<char>& chosen) {
    const auto k = all.predictions.cols;
    double sum = 0.0;
    for (ptrdiff_t i = 0; i < all.predictions.rows; ++i) {
      if (chosen[at(i)] == 0) continue;
      predictions.insert(predictions.end(), all.predictions.row(i), all.predictions.row(i) + k);
      y.push_back(all.y[at(i)]);
      levels.push_back(all.levels[at(i)]);
      if (!all.weights.empty()) weights.push_back(all.weights[at(i)]), sum += weights.back();
    }
    for (double& c : weights) c /= sum;
    share = weights.empty() ? static_cast<double>(y.size()) / static_cast<double>(all.predictions.rows) : sum;
    problem = {{predictions.data(), std::ssize(y), k, k}, y, weights, levels};
  }

  std::vector<double> predictions, y, weights, levels;
  double share = 0.0;  ///< of all weight
  EnsembleProblem problem;
};

/// Rows far from the best mixture have a known sign, and duals at an end: their part of the loss is linear
/// (Portnoy & Koenker, Statist. Sci. 12 (1997)). True where that reached the gap over all rows.
bool by_near_rows(const EnsembleProblem& problem, const EnsembleOptions& options, InteriorPoint& all,
                  BestPoint& best, Monitor& monitor) {
  const auto n = problem.predictions.rows;
  std::vector<char> open(at(n), 0);
  Random random(0x9b1, 0);
  for (ptrdiff_t i = 0; i < n; i += rows_a_draw) {
    open[at(i + random.below(std::min(rows_a_draw, n - i)))] = 1;
  }
  std::vector<double> r, sizes(at(n)), fixed;
  {
    const SomeRows drawn(problem, open);
    InteriorPoint point(drawn.problem, {}, monitor);
    const auto first =
        solve(point, {.tol = std::max(1e-4, options.tol), .max_iter = options.max_iter}, monitor);
    if (monitor.stopped() || first.weights.empty() || !all.residuals(first.weights, r)) return false;
  }
  for (std::size_t i = 0; i < sizes.size(); ++i) sizes[i] = std::fabs(r[i]);
  const auto last = sizes.begin() + n / near_rows;
  std::nth_element(sizes.begin(), last, sizes.end());
  for (std::size_t i = 0; i < open.size(); ++i) open[i] = std::fabs(r[i]) <= *last ? 1 : 0;
  for (int round = 0; round < 3; ++round) {
    if (!all.of_sides(r, open, fixed)) return false;
    const SomeRows part(problem, open);
    for (double& x : fixed) x /= part.share;
    InteriorPoint point(part.problem, fixed, monitor);
    // The rest of the tolerance is for what rounds.
    const auto found = solve(point, {.tol = 0.9 * options.tol, .max_iter = options.max_iter}, monitor);
    if (monitor.stopped() || found.weights.empty()) return false;
    const double bound = part.share * (found.loss - found.gap), loss = all.loss_at(found.weights);
    if (best.offer(found.weights, loss, std::max(0.0, loss - bound), all.rounding(loss), loss)) return true;
    std::vector<double> now;
    if (!all.residuals(found.weights, now)) return false;
    bool moved = false;
    for (std::size_t i = 0; i < open.size(); ++i) {
      if (open[i] == 0 && (now[i] > 0.0) != (r[i] > 0.0)) open[i] = 1, moved = true;
    }
    if (!moved) return false;
  }
  return false;
}

}  // namespace

EnsembleAnswer pinball_weights(const EnsembleProblem& problem, const EnsembleOptions& options,
                               Monitor& monitor) {
  const Stopwatch watch;
  InteriorPoint point(problem, {}, monitor);
  if (problem.predictions.rows >= many_rows && !monitor.stopped() && point.measure()) {
    BestPoint best(options);
    if (by_near_rows(problem, options, point, best, monitor)) {
      return best.finish(std::move(point.singles), "interior point on the rows near the mixture",
                         watch.seconds(), monitor);
    }
  }
  return solve(point, options, monitor);
}

}  // namespace steelyard::weigh
