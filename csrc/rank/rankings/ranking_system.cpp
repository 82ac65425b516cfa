#include "rank/rankings/ranking_system.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "core/polled.hpp"
#include "linalg/cg.hpp"
#include "linalg/cholesky.hpp"
#include "rank/rounding_probe.hpp"
#include "rank/scale.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t most_dense = 10'000;  // 800 MB
constexpr double usual_passes = 15.0;     // where rankings mix the items well
constexpr int many_passes = 200;
constexpr double most_pairs_a_place =
    40.0;  // a sparse matrix is then no more than so many times the rankings
constexpr double flops_a_pair = 3000.0;

/// In nanoseconds, roughly.
double pass_cost(const Rankings& rankings) { return 5.0 * static_cast<double>(rankings.places()); }

double dense_cost(const Rankings& rankings) {
  const double n = rankings.items, flops = n <= linalg::own_cholesky_limit ? 4.0 : 20.0;
  return pair_count(rankings) + n * n * n / 3.0 / flops;
}

ptrdiff_t strongest(const std::vector<double>& diagonal) {
  return std::max_element(diagonal.begin(), diagonal.end()) - diagonal.begin();
}

}  // namespace

double least_decrement(const RankingDerivatives& d) {
  double sum = 0.0;
  for (std::size_t i = 0; i < d.gradient.size(); ++i) {
    if (d.gradient[i] != 0.0) sum += d.gradient[i] * d.gradient[i] / (2.0 * d.diagonal[i]);
  }
  return std::isnan(sum) ? infinity : std::sqrt(sum);
}

double largest_change(const RankingModel& model, const std::vector<double>& direction, double small) {
  const auto [least, most] = std::minmax_element(direction.begin(), direction.end());
  const double apart = model.prior > 0.0 ? std::max(*most, -*least) : *most - *least;
  if (apart <= small || (model.prior > 0.0 && small > 0.0)) return apart;
  const auto& rankings = model.rankings;
  double largest = model.prior > 0.0 ? apart : 0.0;
  for (ptrdiff_t r = 0; r < rankings.count(); ++r) {
    double low = infinity, high = -low;
    for (auto place = rankings.starts[at(r)]; place < rankings.starts[at(r) + 1]; ++place) {
      const double move = direction[at(rankings.codes[at(place)])];
      low = std::min(low, move);
      high = std::max(high, move);
    }
    largest = std::max(largest, high - low);
  }
  return largest;
}

RankingSystem::RankingSystem(const RankingModel& model, Linear wanted)
    : model_(model), automatic_(wanted == Linear::automatic) {
  if (!automatic_) {
    chosen_ = wanted;
  } else if (model.rankings.items <= most_dense) {
    const double passes = dense_cost(model.rankings) / pass_cost(model.rankings);
    const bool own = model.rankings.items <= linalg::own_cholesky_limit;  // no BLAS threads to wait for
    chosen_ = own && passes < usual_passes ? Linear::dense : Linear::cg;
    most_passes_ = std::clamp(static_cast<int>(std::min(passes, 1e6)), many_passes, most_passes_);
  }
}

std::string RankingSystem::describe() const {
  if (chosen_ == Linear::sparse)
    return "sparse Cholesky, " + std::to_string(factor_ ? factor_->entries() : 0) + " entries";
  return chosen_ == Linear::dense ? "dense Cholesky" : "preconditioned conjugate gradients";
}

// Without a prior H 1 = 0. Doubling one item's diagonal makes it definite and leaves the solution for
// consistent right-hand sides, with that item at zero.

bool RankingSystem::solve_dense(const RankingDerivatives& d, double* x, ptrdiff_t columns, Monitor& monitor) {
  const ptrdiff_t n = model_.rankings.items;
  if (!fill_hessian(model_, d, matrix_, monitor)) return false;
  if (model_.prior <= 0.0) matrix_[at(strongest(d.diagonal) * (n + 1))] *= 2.0;
  if (!linalg::cholesky(matrix_.data(), n, n, monitor)) return false;
  linalg::cholesky_solve(matrix_.data(), n, n, x, columns, columns);
  return true;
}

bool RankingSystem::solve_sparse(const RankingDerivatives& d, double* x, ptrdiff_t columns,
                                 Monitor& monitor) {
  if (!analysed_) analyse(d, infinity, monitor);
  if (!factor_ || !fill_pairs(model_, d.shares, pairs_, monitor)) return false;
  auto diagonal = d.diagonal;
  if (model_.prior <= 0.0) diagonal[at(strongest(diagonal))] *= 2.0;
  if (!factor_->factor(diagonal, pairs_.values, monitor)) return false;
  factor_->solve(x, columns);
  return true;
}

void RankingSystem::analyse(const RankingDerivatives& d, double most_flops, Monitor& monitor) {
  analysed_ = true;
  if (!fill_pairs(model_, d.shares, pairs_, monitor)) return;
  factor_ = linalg::SparseCholesky::analyse(CsrPattern{pairs_.offsets, pairs_.indices}, most_flops, monitor);
}

/// True when all columns have converged.
bool RankingSystem::iterate(RankingDerivatives& d, const double* b, double* x, ptrdiff_t columns,
                            double accuracy, int most_passes, Monitor& monitor) {
  const ptrdiff_t n = model_.rankings.items;
  linalg::CgOptions options;
  options.tol = accuracy;
  options.max_iter = most_passes;
  options.project_mean = model_.prior <= 0.0;
  const auto apply = [&](const double* in, double* out, ptrdiff_t m) {
    multiply_hessian(model_, d, in, out, m, monitor);
  };
  const auto jacobi = [&](const double* in, double* out, ptrdiff_t m) {
    for (ptrdiff_t i = 0; i < n; ++i) {
      const double scale = 1.0 / std::max(d.diagonal[at(i)], 1e-300);
      for (ptrdiff_t c = 0; c < m; ++c) out[i * m + c] = scale * in[i * m + c];
    }
  };
  const auto result = linalg::conjugate_gradients(n, columns, apply, jacobi, b, x, options, monitor);
  last_iterations_ += result.iterations;
  return result.converged;
}

bool RankingSystem::solve(RankingDerivatives& d, const double* b, double* x, ptrdiff_t columns,
                          double accuracy, Monitor& monitor) {
  const auto& rankings = model_.rankings;
  const ptrdiff_t n = rankings.items;
  last_iterations_ = 0;
  if (chosen_ == Linear::cg) {
    std::fill(x, x + n * columns, 0.0);
    const bool wait = !automatic_ || analysed_;
    if (iterate(d, b, x, columns, accuracy, wait ? most_passes_ : many_passes, monitor)) return true;
    if (monitor.stopped()) return false;
    const double pairs = pair_count(rankings), places = static_cast<double>(rankings.places());
    if (!wait && pairs <= most_pairs_a_place * places)
      analyse(d, std::max(5e8, flops_a_pair * pairs), monitor);
    analysed_ = true;
    if (factor_) {
      chosen_ = Linear::sparse;
    } else {
      if (!wait && iterate(d, b, x, columns, accuracy, most_passes_, monitor)) return true;
      if (monitor.stopped()) return false;
      if (!automatic_ || n > most_dense) return true;  // the bound will tell how good it is
      chosen_ = Linear::dense;
    }
  }
  std::copy(b, b + n * columns, x);
  const bool solved =
      chosen_ == Linear::dense ? solve_dense(d, x, columns, monitor) : solve_sparse(d, x, columns, monitor);
  if (!solved) return false;
  for (ptrdiff_t c = 0; c < columns && model_.prior <= 0.0; ++c) centre(x + c, n, columns);
  return std::all_of(x, x + n * columns, [](double v) { return std::isfinite(v); });
}

bool RankingSystem::direction(RankingDerivatives& d, double accuracy, double tol, RankingDirection& out,
                              Monitor& monitor) {
  out.strengths.resize(d.gradient.size());
  out.cg_iterations = 0;
  for (int tries = 0; tries < 4; ++tries, accuracy *= 1e-3) {
    if (!solve(d, d.gradient.data(), out.strengths.data(), 1, accuracy, monitor)) return false;
    out.cg_iterations += last_iterations_;
    out.slope = dot(d.gradient, out.strengths);
    if (chosen_ != Linear::cg) {
      out.lower = out.decrement = std::sqrt(std::max(0.0, out.slope));
      return std::isfinite(out.decrement);
    }
    bound(d, out, monitor);
    const bool undecided = out.lower <= tol && out.decrement > tol;
    if (!undecided) break;
  }
  return !monitor.stopped();
}

double RankingSystem::rounding(RankingDerivatives& d, std::span<const double> strengths, Monitor& monitor) {
  constexpr double eps = 2.0 * std::numeric_limits<double>::epsilon();
  double energy = 0.0;
  std::vector<double> errors(strengths.size());
  for (std::size_t i = 0; i < strengths.size(); ++i) {
    const double size = 4.0 + std::fabs(strengths[i]);
    energy += 2.0 * d.diagonal[i] * size * size;
    errors[i] = eps * (std::fabs(d.gradient[i]) + 4.0 * d.diagonal[i]);
  }
  for (ptrdiff_t r = 0; r < model_.rankings.count(); ++r)
    energy += model_.weight_of(r) * static_cast<double>(model_.rankings.stages[at(r)]);
  const int passes = last_iterations_;
  const double sums = probe_rounding(errors, std::ssize(errors), model_.prior <= 0.0,
                                     [&](const std::vector<double>& b, std::vector<double>& x) {
                                       return solve(d, b.data(), x.data(), probes, 1e-2, monitor);
                                     });
  last_iterations_ = passes;
  return std::sqrt(eps * eps * energy + sums * sums);
}

void RankingSystem::bound(RankingDerivatives& d, RankingDirection& out, Monitor& monitor) {
  product_.resize(d.gradient.size());
  multiply_hessian(model_, d, out.strengths.data(), product_.data(), 1, monitor);
  if (model_.prior > 0.0) shift_exactly(d, out);
  residual_ = d.gradient;
  for (std::size_t i = 0; i < residual_.size(); ++i) residual_[i] -= product_[i];
  const double energy = std::max(0.0, 2.0 * out.slope - dot(out.strengths, product_));
  out.lower = std::sqrt(energy);
  out.decrement = std::sqrt(energy + residual_energy(d, residual_, monitor));
}

/// Takes the common shift that leaves a residual of sum 0: a weak prior holds it but weakly.
void RankingSystem::shift_exactly(const RankingDerivatives& d, RankingDirection& out) {
  double left = 0.0, held = 0.0;
  for (std::size_t i = 0; i < product_.size(); ++i) {
    left += d.gradient[i] - product_[i];
    held += d.prior_curvature[i];
  }
  const double shift = left / held;
  for (std::size_t i = 0; i < product_.size(); ++i) {
    out.strengths[i] += shift;
    product_[i] += shift * d.prior_curvature[i];
  }
  out.slope = dot(d.gradient, out.strengths);
}

double RankingSystem::residual_energy(const RankingDerivatives& d, std::vector<double>& residual,
                                      Monitor& monitor) {
  if (model_.prior <= 0.0) {
    centre(residual);
    return tree_energy(d, residual, monitor);
  }
  // By each item's own edge to the ground; or what is left of the sum by all of them, the rest along the
  // tree.
  double own = 0.0, sum = 0.0, held = 0.0;
  for (std::size_t i = 0; i < residual.size(); ++i) {
    if (residual[i] != 0.0) own += residual[i] * residual[i] / d.prior_curvature[i];
    sum += residual[i];
    held += d.prior_curvature[i];
  }
  for (std::size_t i = 0; i < residual.size(); ++i) residual[i] -= sum * d.prior_curvature[i] / held;
  return std::min(own, sum * sum / held + tree_energy(d, residual, monitor));
}

double RankingSystem::tree_energy(const RankingDerivatives& d, std::vector<double>& flow, Monitor& monitor) {
  if (tree_.empty()) grow_tree(d.shares, monitor);
  if (std::ssize(tree_) < model_.rankings.items) return infinity;
  double energy = 0.0;
  for (auto k = tree_.size(); k-- > 1;) {
    const auto& branch = tree_[k];
    const double f = flow[at(branch.item)];
    if (f == 0.0) continue;
    energy += f * f / conductance(model_, d.shares, branch.ranking, branch.first, branch.second);
    flow[at(branch.parent)] += f;
  }
  return energy;
}

/// Breadth first from the busiest item. The first item met of a ranking opens it for the others, each of
/// which hangs on the strongest edge offered by the level above.
void RankingSystem::grow_tree(const std::vector<Share>& shares, Monitor& monitor) {
  const auto& rankings = model_.rankings;
  std::vector<std::int32_t> level(at(rankings.items), -1);
  std::vector<std::int64_t> position(at(rankings.items), 0);
  std::vector<double> strongest(at(rankings.items), 0.0);
  std::vector<char> open(at(rankings.count()), 0);
  std::int32_t busiest = 0;
  const auto degree = [&](std::int32_t i) {
    return rankings.item_starts[at(i) + 1] - rankings.item_starts[at(i)];
  };
  for (std::int32_t i = 1; i < rankings.items; ++i) {
    if (degree(i) > degree(busiest)) busiest = i;
  }
  level[at(busiest)] = 0;
  tree_.push_back({busiest, -1, 0, 0, 0});
  for (std::size_t next = 0; next < tree_.size() && std::ssize(tree_) < rankings.items; ++next) {
    if (monitor.poll()) return;
    const auto i = tree_[next].item;
    for (const auto& own : rankings.of_item(i)) {
      const auto r = own.ranking;
      if (open[at(r)]) continue;
      open[at(r)] = 1;
      const auto begin = own.first, end = rankings.starts[at(r) + 1];
      for (auto place = begin; place < end; ++place) {
        const auto j = rankings.codes[at(place)];
        const bool fresh = level[at(j)] < 0;
        if (!fresh && level[at(j)] != level[at(i)] + 1) continue;
        const auto there = place - begin, first = std::min<std::int64_t>(own.offset, there),
                   second = std::max<std::int64_t>(own.offset, there);
        const double offered = conductance(model_, shares, r, first, second);
        if (fresh) {
          level[at(j)] = level[at(i)] + 1;
          position[at(j)] = std::ssize(tree_);
          tree_.push_back({});
        }
        if (!fresh && offered <= strongest[at(j)]) continue;
        strongest[at(j)] = offered;
        tree_[at(position[at(j)])] = {j, i, r, first, second};
      }
    }
  }
}

}  // namespace steelyard::rank
