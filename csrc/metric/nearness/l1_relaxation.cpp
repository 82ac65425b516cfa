#include "metric/nearness/l1_relaxation.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "metric/condensed_index.hpp"
#include "metric/exact_sum.hpp"
#include "metric/nearness/short_pairs.hpp"

namespace steelyard::metric {
namespace {

using std::int32_t;
using std::ptrdiff_t;
using std::size_t;

/// The pairs that some triangle has touched; all others stay at their target.
struct Pairs {
  std::vector<double> x, centre, off, inverse, weight, target;  // off: part that the proximal map took away
  std::vector<ptrdiff_t> place;                                 // in condensed order

  ptrdiff_t count() const { return std::ssize(x); }
};

/// Triangles in use: x_long <= x_first + x_second with its dual (times t). Sorted by key.
struct Triangles {
  std::vector<std::uint64_t> keys;
  std::vector<int32_t> sides;  // three a triangle, places in Pairs
  std::vector<double> duals;

  ptrdiff_t count() const { return std::ssize(keys); }
};

class Solver {
 public:
  Solver(const L1Problem& problem, const L1Options& options, Monitor& monitor)
      : p_(problem),
        o_(options),
        monitor_(monitor),
        x_(problem.target.begin(), problem.target.end()),
        index_(problem.target.size(), -1) {
    double sum = 0.0, positive = 0.0;
    for (const double w : p_.weights) sum += w, positive += w > 0.0;
    floor_ = positive > 0.0 ? 0.1 * sum / positive : 1.0;
    for (size_t e = 0; e < x_.size(); ++e) {
      if (!fixed(static_cast<ptrdiff_t>(e))) continue;
      x_[e] = p_.upper;
      fixed_cost_ += p_.weights[e] * (p_.upper - p_.target[e]);
    }
    t_ = o_.reach * p_.upper;
    least_ = 1e-3 * std::min(1.0, o_.reach / 0.1);
    best_lower_ = fixed_cost_;
    best_upper_ = o_.known >= 0.0 ? o_.known : infinity;
  }

  L1Solution run();

 private:
  bool fixed(ptrdiff_t e) const { return !p_.fixed.empty() && p_.fixed[at(e)] != 0; }
  int32_t touch(ptrdiff_t e);
  void merge(const std::vector<FoundTriangle>& found);
  void forget();
  void sweep();
  void proximal(size_t e);
  void recentre();
  std::vector<double> dual_sums() const;
  double rounding_of_sums(double room) const;
  void project();
  void bound();
  double absolute_bound() const;
  double bound_near_target() const;
  void close();
  double gap() const {
    const double scale = o_.offset + (o_.near ? best_upper_ : best_lower_);
    const double distance = best_upper_ - best_lower_;
    return distance <= 0.0 ? 0.0 : scale > 0.0 ? distance / scale : infinity;
  }

  const L1Problem& p_;
  const L1Options& o_;
  Monitor& monitor_;
  Stopwatch watch_;
  std::vector<double> x_;       // condensed; brought up to date from pairs_ before the oracle looks
  std::vector<int32_t> index_;  // place in pairs_, -1: untouched
  Pairs pairs_;
  Triangles triangles_;
  double t_ = 0.0, floor_ = 0.0, fixed_cost_ = 0.0;
  double best_lower_ = 0.0, best_upper_ = 0.0;
  double closed_ = infinity;  // objective of best_x_
  double violation_ = 0.0, least_ = 0.0;
  std::vector<double> best_x_;
  int rounds_ = 0;
};

int32_t Solver::touch(ptrdiff_t e) {
  auto& place = index_[at(e)];
  if (place >= 0) return place;
  place = static_cast<int32_t>(pairs_.count());
  const double w = p_.weights[at(e)], start = x_[at(e)];
  pairs_.x.push_back(start);
  pairs_.centre.push_back(start);
  pairs_.off.push_back(0.0);
  pairs_.inverse.push_back(fixed(e) ? 0.0 : 1.0 / std::max(w, floor_));
  pairs_.weight.push_back(w);
  pairs_.target.push_back(p_.target[at(e)]);
  pairs_.place.push_back(e);
  return place;
}

void Solver::merge(const std::vector<FoundTriangle>& found) {
  Triangles out;
  const auto most = triangles_.keys.size() + found.size();
  out.keys.reserve(most);
  out.sides.reserve(3 * most);
  out.duals.reserve(most);
  const auto n = static_cast<std::uint64_t>(p_.points);
  size_t old = 0;
  const auto keep = [&] {
    out.keys.push_back(triangles_.keys[old]);
    out.duals.push_back(triangles_.duals[old]);
    for (size_t s = 3 * old; s < 3 * old + 3; ++s) out.sides.push_back(triangles_.sides[s]);
    ++old;
  };
  for (const auto& triangle : found) {
    while (old < triangles_.keys.size() && triangles_.keys[old] < triangle.key) keep();
    if (old < triangles_.keys.size() && triangles_.keys[old] == triangle.key) continue;
    const auto k = static_cast<ptrdiff_t>(triangle.key % n), j = static_cast<ptrdiff_t>(triangle.key / n % n);
    const auto i = static_cast<ptrdiff_t>(triangle.key / n / n);
    out.keys.push_back(triangle.key);
    out.duals.push_back(0.0);
    out.sides.push_back(touch(condensed_index(p_.points, i, j)));
    out.sides.push_back(touch(unordered_index(p_.points, i, k)));
    out.sides.push_back(touch(unordered_index(p_.points, j, k)));
  }
  while (old < triangles_.keys.size()) keep();
  triangles_ = std::move(out);
}

void Solver::forget() {
  size_t kept = 0;
  for (size_t s = 0; s < triangles_.keys.size(); ++s) {
    if (!(triangles_.duals[s] > 0.0)) continue;
    triangles_.keys[kept] = triangles_.keys[s];
    triangles_.duals[kept] = triangles_.duals[s];
    for (size_t q = 0; q < 3; ++q) triangles_.sides[3 * kept + q] = triangles_.sides[3 * s + q];
    ++kept;
  }
  triangles_.keys.resize(kept);
  triangles_.duals.resize(kept);
  triangles_.sides.resize(3 * kept);
}

/// x <- the point of [0, upper] that minimises w |x - d| + W (x - v)^2 / (2 t), v = x + off.
void Solver::proximal(size_t e) {
  const double v = pairs_.x[e] + pairs_.off[e], d = pairs_.target[e];
  const double reach = t_ * pairs_.weight[e] * pairs_.inverse[e];
  double y = v > d + reach ? v - reach : v < d - reach ? v + reach : d;
  y = std::min(p_.upper, std::max(0.0, y));
  if (pairs_.inverse[e] == 0.0) y = p_.upper;
  pairs_.off[e] = v - y;
  pairs_.x[e] = y;
}

/// One round of coordinate descent: each triangle's dual, then the separable part.
void Solver::sweep() {
  double* x = pairs_.x.data();
  const double* inverse = pairs_.inverse.data();
  double* duals = triangles_.duals.data();
  const int32_t* side = triangles_.sides.data();
  for (ptrdiff_t s = 0; s < triangles_.count(); ++s, side += 3) {
    const int32_t a = side[0], b = side[1], c = side[2];
    const double total = inverse[a] + inverse[b] + inverse[c];
    const double wanted = total > 0.0 ? (x[a] - x[b] - x[c]) / total : 0.0;
    const double step = std::max(wanted, -duals[s]);
    duals[s] += step;
    x[a] -= step * inverse[a];
    x[b] += step * inverse[b];
    x[c] += step * inverse[c];
  }
  for (size_t e = 0; e < pairs_.x.size(); ++e) proximal(e);
}

/// A'(t lambda) for each touched pair.
std::vector<double> Solver::dual_sums() const {
  std::vector<double> sums(pairs_.x.size(), 0.0);
  for (size_t s = 0; s < triangles_.keys.size(); ++s) {
    const double dual = triangles_.duals[s];
    sums[at(triangles_.sides[3 * s])] += dual;
    sums[at(triangles_.sides[3 * s + 1])] -= dual;
    sums[at(triangles_.sides[3 * s + 2])] -= dual;
  }
  return sums;
}

/// The next proximal problem, around the current x, with the duals of the last.
void Solver::recentre() {
  const auto sums = dual_sums();
  for (size_t e = 0; e < sums.size(); ++e) {
    pairs_.centre[e] = pairs_.x[e];
    pairs_.x[e] -= sums[e] * pairs_.inverse[e];
    pairs_.off[e] = 0.0;
    proximal(e);
  }
}

void Solver::project() {
  for (int r = 0; r < o_.rounds && !monitor_.poll(); ++r) {
    for (size_t e = 0; e < pairs_.x.size(); ++e) x_[at(pairs_.place[e])] = pairs_.x[e];
    const auto found = ShortPairs(p_.points, x_, p_.upper).violated(x_, least_ * p_.upper, monitor_);
    if (monitor_.stopped()) return;
    violation_ = 0.0;
    for (const auto& triangle : found) violation_ = std::max(violation_, triangle.violation);
    if (r > 0 && found.empty()) return;
    merge(found);
    for (int k = 0; k < o_.sweeps && !monitor_.poll(); ++k) sweep();
    ++rounds_;
    forget();
  }
}

/// What the rounding of the sums of duals may do to a bound: `room` is how far a pair may move for each w.
double Solver::rounding_of_sums(double room) const {
  std::vector<double> sizes(pairs_.x.size(), 0.0), terms(pairs_.x.size(), 2.0);
  for (size_t s = 0; s < triangles_.sides.size(); ++s) {
    sizes[at(triangles_.sides[s])] += triangles_.duals[s / 3];
    terms[at(triangles_.sides[s])] += 1.0;
  }
  double sum = 0.0;
  for (size_t e = 0; e < sizes.size(); ++e) {
    const double range = std::min(p_.upper, pairs_.weight[e] > 0.0 ? room / pairs_.weight[e] : p_.upper);
    sum += terms[e] * sizes[e] / t_ * range;
  }
  return 2.0 * unit_roundoff * sum;
}

double Solver::absolute_bound() const {
  const auto sums = dual_sums();
  ExactSum lower;
  lower.add(fixed_cost_);
  double size = fixed_cost_;
  for (size_t e = 0; e < sums.size(); ++e) {
    const double g = sums[e] / t_, w = pairs_.weight[e], d = pairs_.target[e];
    const double least =
        pairs_.inverse[e] == 0.0 ? g * p_.upper : std::min({w * d, g * d, w * (p_.upper - d) + g * p_.upper});
    lower.add(least);
    size += w * p_.upper + std::fabs(g) * p_.upper;
  }
  return lower.value() - 4.0 * unit_roundoff * size - rounding_of_sums(infinity);
}

double Solver::bound_near_target() const {
  const auto sums = dual_sums();
  ExactSum lower;
  double size = 0.0;
  for (size_t s = 0; s < triangles_.keys.size(); ++s) {
    const auto side = [&](size_t k) { return pairs_.target[at(triangles_.sides[3 * s + k])]; };
    ExactSum excess;
    excess.add(side(0));
    excess.add(-side(1));
    excess.add(-side(2));
    const double gain = triangles_.duals[s] / t_ * excess.value();
    lower.add(gain);
    size += std::fabs(gain);
  }
  const double most = best_upper_ * (1.0 + 1e-12);
  for (size_t e = 0; e < sums.size(); ++e) {
    const double g = sums[e] / t_, w = pairs_.weight[e], d = pairs_.target[e];
    const double range = w > 0.0 ? most / w : p_.upper;
    const double lost = g > w ? (g - w) * std::min(d, range) : (-g - w) * std::min(p_.upper - d, range);
    if (lost > 0.0) lower.add(-lost), size += lost + std::fabs(g) * range;
  }
  return lower.value() - 8.0 * unit_roundoff * size - rounding_of_sums(most);
}

void Solver::bound() {
  best_lower_ = std::max(best_lower_, o_.near ? bound_near_target() : absolute_bound());
}

void Solver::close() {
  std::vector<double> y(x_);
  for (size_t e = 0; e < pairs_.x.size(); ++e) y[at(pairs_.place[e])] = pairs_.x[e];
  if (!close_bounded(p_.points, y, p_.upper, p_.fixed.empty() ? 8 : 0, monitor_)) return;
  double upper = 0.0;
  for (size_t e = 0; e < y.size(); ++e) upper += p_.weights[e] * std::fabs(y[e] - p_.target[e]);
  if (upper < closed_) closed_ = upper, best_x_ = std::move(y);
  best_upper_ = std::min(best_upper_, upper);
}

L1Solution Solver::run() {
  Info info;
  info.trace.columns = {"step", "gap", "violation", "active", "seconds"};
  int step = 0;
  double before = infinity;
  for (; step < o_.max_steps && !monitor_.stopped(); ++step) {
    if (step > 0) recentre();
    project();
    if (!o_.near) bound();
    if (monitor_.stopped()) break;
    close();
    if (o_.near) bound();
    info.trace.add({static_cast<double>(step), gap(), violation_ / p_.upper,
                    static_cast<double>(triangles_.count()), watch_.seconds()});
    monitor_.progress(static_cast<double>(step), static_cast<double>(o_.max_steps));
    if (gap() <= o_.tol && !best_x_.empty()) break;
    if (gap() > 0.7 * before) least_ = std::max(0.3 * least_, 1e-13);
    before = gap();
  }
  if (best_x_.empty()) best_x_.assign(x_.size(), p_.upper);
  info.converged = gap() <= o_.tol;
  info.interrupted = monitor_.stopped();
  info.iterations = rounds_;
  info.solver = "proximal steps";
  info.seconds = watch_.seconds();
  info.tol = o_.tol;
  info.error_bound = gap();
  info.error_kind = ErrorKind::rigorous;
  return {std::move(best_x_), best_upper_, best_lower_, triangles_.count(), std::move(info)};
}

}  // namespace

L1Solution solve_l1(const L1Problem& problem, const L1Options& options, Monitor& monitor) {
  return Solver(problem, options, monitor).run();
}

}  // namespace steelyard::metric
