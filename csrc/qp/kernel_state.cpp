#include "qp/kernel_state.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/double_double.hpp"
#include "core/infinity.hpp"
#include "core/pool.hpp"
#include "core/random.hpp"

namespace steelyard::qp {
namespace {

using std::ptrdiff_t;

constexpr double unit = 0.5 * std::numeric_limits<double>::epsilon();
constexpr ptrdiff_t rows_a_chunk = 256;

}  // namespace

KernelState::KernelState(const KernelProblem& given, const KernelOptions& wanted, Monitor& watch)
    : problem(given),
      options(wanted),
      monitor(watch),
      n(given.points.rows),
      groups(given.totals.size()),
      members(groups),
      middle(at(given.points.cols), 0.0),
      w(at(n), 0.0),
      slope(at(n), 0.0),
      kw(groups, std::vector<double>(at(n), 0.0)) {
  for (ptrdiff_t i = 0; i < n; ++i) {
    members[group(i)].push_back(i);
    capped |= std::isfinite(problem.upper[at(i)]);
    for (ptrdiff_t k = 0; k < given.points.cols; ++k) {
      middle[at(k)] += given.points.row(i)[k] / static_cast<double>(n);
    }
  }
}

void KernelState::start() {
  for (ptrdiff_t i = 0; i < n; ++i) {
    w[at(i)] = problem.init.empty() ? 0.0 : std::clamp(problem.init[at(i)], 0.0, problem.upper[at(i)]);
  }
  for (std::size_t k = 0; k < groups; ++k) {
    double sum = 0.0;
    for (const auto i : members[k]) sum += w[at(i)];
    if (sum > problem.totals[k]) {
      for (const auto i : members[k]) w[at(i)] *= problem.totals[k] / sum;
      continue;
    }
    auto part = members[k];
    const auto room = [&](ptrdiff_t i) { return problem.upper[at(i)] - w[at(i)]; };
    std::stable_sort(part.begin(), part.end(), [&](auto i, auto j) { return room(i) < room(j); });
    double rest = problem.totals[k] - sum;
    for (std::size_t j = 0; j < part.size(); ++j) {
      const double share =
          std::min(room(part[j]), std::max(rest, 0.0) / static_cast<double>(part.size() - j));
      w[at(part[j])] = share < room(part[j]) ? w[at(part[j])] + share : problem.upper[at(part[j])];
      rest -= share;
    }
  }
}

void KernelState::restore_sums() {
  for (std::size_t k = 0; k < groups; ++k) {
    for (int round = 0; round < 3; ++round) {
      double sum = 0.0, size = 0.0;
      ptrdiff_t largest = -1;
      for (const auto i : members[k]) {
        sum += w[at(i)];
        const double room = std::min(w[at(i)], problem.upper[at(i)] - w[at(i)]);
        if (room > size) size = room, largest = i;
      }
      const double rest = problem.totals[k] - sum;
      if (rest == 0.0 || std::fabs(rest) >= size) break;
      w[at(largest)] += rest;
    }
  }
}

void KernelState::add_up() {
  kernel_size = 0.0;
  double mass = 0.0;
  for (const double total : problem.totals) mass += total;
  for (ptrdiff_t i = 0; i < n; ++i) {
    double sum = 0.0;
    for (std::size_t k = 0; k < groups; ++k) sum += kw[k][at(i)];
    kernel_size = std::max(kernel_size, std::fabs(sum) / std::max(mass, 1e-300));
    slope[at(i)] = sum + ridge(i) * w[at(i)] + problem.linear[at(i)];
  }
}

bool KernelState::refresh() {
  restore_sums();
  const auto d = problem.points.cols;
  chain = 0.0;
  for (std::size_t k = 0; k < groups; ++k) {
    std::vector<double> chosen, v;
    for (const auto i : members[k]) {
      if (w[at(i)] == 0.0) continue;
      chosen.insert(chosen.end(), problem.points.row(i), problem.points.row(i) + d);
      v.push_back(w[at(i)]);
    }
    const MatrixView<const double> columns{chosen.data(), std::ssize(v), d, d};
    std::vector<double> fresh(at(n));
    if (!distances::kernel_product(problem.points, columns, *problem.kernel, v.data(), 1, fresh.data(),
                                   monitor)) {
      return false;
    }
    // What single precision had left in K w it has left in the products of before.
    for (auto& before : past) {
      for (std::size_t i = 0; i < fresh.size(); ++i) before.kw[k][i] += fresh[i] - kw[k][i];
    }
    kw[k] = std::move(fresh);
    chain = std::max(chain, static_cast<double>(distances::sum_chain(std::ssize(v))));
  }
  drift = 0.0;
  add_up();
  return true;
}

bool KernelState::rough_refresh() {
  const distances::KernelSums<float> columns(problem.points, *problem.kernel, middle);
  const auto stride = columns.stride(), wide = static_cast<ptrdiff_t>(groups);
  std::vector<float> v(checked_product("working memory", stride, wide), 0.0F);
  for (ptrdiff_t i = 0; i < n; ++i) v[group(i) * at(stride) + at(i)] = static_cast<float>(w[at(i)]);
  parallel_for(n, rows_a_chunk, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    if (monitor.poll()) return;
    std::vector<double> sums(checked_product("working memory", end - begin, wide));
    columns.products(problem.points, begin, end, v.data(), wide, sums.data());
    for (auto i = begin; i < end; ++i) {
      for (std::size_t k = 0; k < groups; ++k) kw[k][at(i)] = sums[k * at(end - begin) + at(i - begin)];
    }
  });
  if (monitor.stopped()) return false;
  add_up();
  drift = 1e-6 * kernel_size * std::accumulate(w.begin(), w.end(), 0.0);
  return true;
}

GapBound KernelState::bound() const {
  GapBound out;
  const bool energy = problem.kernel->kind == simd::Kernel::energy;
  double mass = 0.0;
  for (const double v : w) mass += v;
  const double steps = chain + static_cast<double>(problem.points.cols) + 16.0 + static_cast<double>(groups);
  const auto error = [&](ptrdiff_t i) {
    double size = energy ? 0.0 : mass;
    for (std::size_t k = 0; k < groups; ++k) size += std::fabs(kw[k][at(i)]);
    return unit * (steps * size + 4.0 * (std::fabs(problem.linear[at(i)]) + ridge(i) * w[at(i)])) + drift;
  };
  for (std::size_t k = 0; k < groups; ++k) {
    auto order = members[k];
    std::vector<double> low(at(n));
    for (const auto i : order) low[at(i)] = slope[at(i)] - error(i);
    const auto below = [&](auto i, auto j) {
      return low[at(i)] < low[at(j)] || (low[at(i)] == low[at(j)] && i < j);
    };
    std::make_heap(order.begin(), order.end(), [&](auto i, auto j) { return below(j, i); });
    const double base = low[at(members[k].front())];
    double rest = problem.totals[k], filled = 0.0;
    for (auto end = order.end(); end != order.begin() && rest > 0.0; --end) {
      std::pop_heap(order.begin(), end, [&](auto i, auto j) { return below(j, i); });
      const auto i = *(end - 1);
      const double part = std::min(rest, problem.upper[at(i)]);
      filled += part * (low[at(i)] - base);
      rest -= part;
    }
    double above = 0.0, noise = 0.0;
    for (const auto i : members[k]) {
      above += w[at(i)] * (low[at(i)] - base);
      noise += 2.0 * w[at(i)] * error(i);
    }
    out.gap += above - filled;
    out.rounding += noise + unit * static_cast<double>(n) * (std::fabs(above) + std::fabs(filled));
  }
  out.gap = std::max(out.gap, 0.0);
  double half = 0.0, first = 0.0;
  for (ptrdiff_t i = 0; i < n; ++i) {
    half += 0.5 * w[at(i)] * (slope[at(i)] - problem.linear[at(i)]);
    first += w[at(i)] * problem.linear[at(i)];
  }
  out.objective = half + first;
  out.terms = std::fabs(half) + std::fabs(first);
  return out;
}

double KernelState::best_length(const std::vector<double>& step,
                                const std::vector<std::vector<double>>& product, double most) const {
  double fall = 0.0, curvature = 0.0;
  for (ptrdiff_t i = 0; i < n; ++i) {
    if (step[at(i)] == 0.0) continue;
    double sum = ridge(i) * step[at(i)];
    for (const auto& part : product) sum += part[at(i)];
    fall -= step[at(i)] * slope[at(i)];
    curvature += step[at(i)] * sum;
  }
  if (!(fall > 0.0)) return 0.0;
  return curvature > 0.0 ? std::min(most, fall / curvature) : most;
}

void KernelState::move(const std::vector<double>& step, const std::vector<std::vector<double>>& product,
                       double length) {
  for (ptrdiff_t i = 0; i < n; ++i) {
    double sum = ridge(i) * step[at(i)];
    for (std::size_t k = 0; k < groups; ++k) {
      kw[k][at(i)] += length * product[k][at(i)];
      sum += product[k][at(i)];
    }
    slope[at(i)] += length * sum;
    if (step[at(i)] == 0.0) continue;
    const double target = w[at(i)] + length * step[at(i)];
    w[at(i)] = std::clamp(target, 0.0, problem.upper[at(i)]);
  }
}

namespace {

Wide wide_value(const distances::PointKernel& kernel, const double* x, const double* y, ptrdiff_t d) {
  Wide square;
  for (ptrdiff_t k = 0; k < d; ++k) {
    const Wide apart = exact_sum(x[k], -y[k]);
    square = square + apart * apart;
  }
  const Wide one{1.0, 0.0}, scale{kernel.scale, 0.0};
  const auto scaled = [&](double factor) {
    return square_root(square * factor) / scale;  // sqrt(factor) r / scale
  };
  switch (kernel.kind) {
    case simd::Kernel::laplacian:
      return exponential(-scaled(1.0));
    case simd::Kernel::gaussian: {
      const Wide ratio = scaled(1.0);
      return exponential(-(ratio * ratio * 0.5));
    }
    case simd::Kernel::matern32: {
      const Wide s = scaled(3.0);
      return (one + s) * exponential(-s);
    }
    case simd::Kernel::matern52: {
      const Wide s = scaled(5.0);
      return (one + s + s * s / Wide{3.0, 0.0}) * exponential(-s);
    }
    default:
      return -square_root(square);
  }
}

constexpr ptrdiff_t lanes = 8;  // points side by side: the compiler takes them in vectors

/// a^2 but for the last bits of 106, hi and lo not yet apart.
Wide square_of(Wide a) {
  constexpr double splitter = 134217729.0;  // 2^27 + 1
  const double p = a.hi * a.hi, t = splitter * a.hi, high = t - (t - a.hi), low = a.hi - high;
  return {p, ((high * high - p) + 2.0 * (high * low)) + low * low + 2.0 * (a.hi * a.lo)};
}

/// sums[l] -= |x - y_l| w_l over a panel of points, coordinate after coordinate. All terms have one sign: lo is
/// added up as it comes.
void subtract_distances(const double* x, const double* panel, ptrdiff_t d, const double* w, double* high,
                        double* low) {
  double hi[lanes] = {}, lo[lanes] = {}, roots[lanes];
  for (ptrdiff_t k = 0; k < d; ++k) {
    for (ptrdiff_t l = 0; l < lanes; ++l) {
      const Wide square = square_of(exact_sum(x[k], -panel[k * lanes + l]));
      const Wide sum = exact_sum(hi[l], square.hi);
      hi[l] = sum.hi;
      lo[l] += square.lo + sum.lo;
    }
  }
  for (ptrdiff_t l = 0; l < lanes; ++l) roots[l] = std::sqrt(hi[l]);
  for (ptrdiff_t l = 0; l < lanes; ++l) {
    const double root = roots[l];
    const Wide square = exact_product(root, root), own = exact_product(root, w[l]);
    const double rest = ((hi[l] - square.hi) - square.lo) + lo[l];
    const double more = rest / (2.0 * root + 1e-300);
    const Wide sum = exact_sum(high[l], -own.hi);
    high[l] = sum.hi;
    low[l] += sum.lo - (own.lo + more * w[l]);
  }
}

/// Points that have weight in panels of `lanes`; what is left over of the last has weight 0.
class WidePanels {
 public:
  WidePanels(const KernelProblem& problem, const std::vector<double>& w, const std::vector<ptrdiff_t>& held)
      : d_(problem.points.cols), panels_((std::ssize(held) + lanes - 1) / lanes) {
    points_.assign(checked_product("working memory", panels_, lanes, std::max<ptrdiff_t>(d_, 1)), 0.0);
    w_.assign(checked_product("working memory", panels_, lanes), 0.0);
    for (ptrdiff_t j = 0; j < std::ssize(held); ++j) {
      const auto point = held[at(j)];
      for (ptrdiff_t k = 0; k < d_; ++k) {
        points_[at(j / lanes * lanes * d_ + k * lanes + j % lanes)] = problem.points.row(point)[k];
      }
      w_[at(j)] = w[at(point)];
    }
  }

  /// - sum_j |x - y_j| w_j
  Wide product(const double* x) const {
    double high[lanes] = {}, low[lanes] = {};
    for (ptrdiff_t p = 0; p < panels_; ++p) {
      subtract_distances(x, points_.data() + p * lanes * d_, d_, w_.data() + p * lanes, high, low);
    }
    Wide sum;
    for (ptrdiff_t l = 0; l < lanes; ++l) sum = sum + quick_sum(high[l], low[l]);
    return sum;
  }

 private:
  ptrdiff_t d_, panels_;
  std::vector<double> points_, w_;
};

bool below(Wide a, Wide b) { return a.hi < b.hi || (a.hi == b.hi && a.lo < b.lo); }

/// sum_i |w_i - s_i| |g_i - mu| over one group, s its vertex, and what the sum of w adds to it.
double wide_gap_of_group(const KernelProblem& problem, const std::vector<double>& w,
                         const std::vector<Wide>& g, std::vector<ptrdiff_t> order, double total) {
  std::sort(order.begin(), order.end(), [&](auto i, auto j) {
    return below(g[at(i)], g[at(j)]) || (!below(g[at(j)], g[at(i)]) && i < j);
  });
  double rest = total;
  std::size_t end = 0;  // where the filling stops
  while (end < order.size() && problem.upper[at(order[end])] < rest) rest -= problem.upper[at(order[end++])];
  if (order.empty()) return 0.0;
  const Wide mu = g[at(order[std::min(end, order.size() - 1)])];
  double sum = 0.0, size = 0.0;
  Wide mass;
  for (std::size_t k = 0; k < order.size(); ++k) {
    const auto i = at(order[k]);
    const double away = std::fabs((g[i] - mu).hi);
    sum += (k < end ? problem.upper[i] - w[i] : w[i]) * away;
    size += w[i] * away;
    mass = mass + Wide{w[i], 0.0};
  }
  return sum + std::fabs((mass - Wide{total, 0.0}).hi) * size / std::max(total, 1e-300);
}

}  // namespace

double wide_gap(const KernelProblem& problem, const std::vector<double>& w, Monitor& monitor) {
  const auto n = problem.points.rows, d = problem.points.cols;
  std::vector<ptrdiff_t> held;
  double mass = 0.0;
  for (ptrdiff_t i = 0; i < n; ++i) {
    if (w[at(i)] != 0.0) held.push_back(i);
    mass += w[at(i)];
  }
  std::vector<Wide> g(at(n));
  std::vector<double> size(at(n), 0.0);
  const bool energy = problem.kernel->kind == simd::Kernel::energy;
  const WidePanels panels(problem, w, energy ? held : std::vector<ptrdiff_t>{});
  parallel_for(n, 16, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    for (auto i = begin; i < end && !monitor.poll(); ++i) {
      Wide sum{problem.linear[at(i)], 0.0};
      if (!problem.ridge.empty()) sum = sum + exact_product(problem.ridge[at(i)], w[at(i)]);
      size[at(i)] = std::fabs(problem.linear[at(i)]) + std::fabs(sum.hi);
      if (energy) {
        const Wide term = panels.product(problem.points.row(i));
        sum = sum + term;
        size[at(i)] += std::fabs(term.hi);
      }
      for (std::size_t h = 0; !energy && h < held.size(); ++h) {
        const auto j = held[h];
        const Wide term =
            wide_value(*problem.kernel, problem.points.row(i), problem.points.row(j), d) * w[at(j)];
        sum = sum + term;
        size[at(i)] += std::fabs(term.hi);
      }
      g[at(i)] = sum;
    }
  });
  if (monitor.stopped()) return infinity;
  std::vector<std::vector<ptrdiff_t>> members(problem.totals.size());
  for (ptrdiff_t i = 0; i < n; ++i) {
    members[problem.groups.empty() ? 0 : at(problem.groups[at(i)])].push_back(i);
  }
  double gap = 0.0;
  for (std::size_t k = 0; k < members.size(); ++k) {
    gap += wide_gap_of_group(problem, w, g, std::move(members[k]), problem.totals[k]);
  }
  const double largest = *std::max_element(size.begin(), size.end());
  const double noise = 16.0 * wide_unit * static_cast<double>(std::ssize(held) + 8 * d + 64) * largest;
  const double tiny = 1e-155 * static_cast<double>(d + 1);  // squares that underflow
  gap = gap * (1.0 + unit * static_cast<double>(2 * n + 16)) + 2.0 * mass * (noise + tiny);
  return std::isfinite(gap) ? gap : infinity;
}

namespace {

/// Halves of a group's points by their projection on a random direction, until they are few.
class Splitter {
 public:
  Splitter(const KernelState& state, ptrdiff_t most, std::uint64_t sweep)
      : s_(state), most_(most), sweep_(sweep), place_(at(state.n)) {}

  void split(std::vector<ptrdiff_t> part, std::size_t group, std::vector<Leaf>& leaves) {
    const auto size = std::ssize(part);
    if (size <= most_) {
      std::sort(part.begin(), part.end());
      if (size > 0) leaves.push_back({std::move(part), group});
      return;
    }
    Random random(0x5eed + sweep_, node_++);
    const auto d = s_.problem.points.cols;
    std::vector<double> direction(at(d));
    for (auto& v : direction) v = random.normal();
    for (const auto i : part) {
      const double* row = s_.problem.points.row(i);
      double sum = 0.0;
      for (ptrdiff_t k = 0; k < d; ++k) sum += direction[at(k)] * (row[k] - s_.middle[at(k)]);
      place_[at(i)] = sum;
    }
    const auto cut = size / 2 + random.below(size / 5 + 1) - size / 10;
    const auto before = [&](auto i, auto j) {
      return place_[at(i)] < place_[at(j)] || (place_[at(i)] == place_[at(j)] && i < j);
    };
    std::nth_element(part.begin(), part.begin() + cut, part.end(), before);
    std::vector<ptrdiff_t> upper(part.begin() + cut, part.end());
    part.resize(at(cut));
    split(std::move(part), group, leaves);
    split(std::move(upper), group, leaves);
  }

 private:
  const KernelState& s_;
  ptrdiff_t most_;
  std::uint64_t sweep_, node_ = 0;
  std::vector<double> place_;
};

}  // namespace

std::vector<Leaf> random_leaves(const KernelState& state, ptrdiff_t most, std::uint64_t sweep) {
  std::vector<Leaf> leaves;
  Splitter splitter(state, most, sweep);
  for (std::size_t k = 0; k < state.groups; ++k) splitter.split(state.members[k], k, leaves);
  return leaves;
}

}  // namespace steelyard::qp
