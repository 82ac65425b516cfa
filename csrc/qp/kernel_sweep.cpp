// A sweep over blocks of a kernel program (kernel_qp.hpp).
#include <algorithm>
#include <limits>

#include "core/infinity.hpp"
#include "core/pool.hpp"
#include "qp/kernel_sweep.hpp"
#include "qp/simplex_qp.hpp"

namespace steelyard::qp {
namespace {

using std::ptrdiff_t;

constexpr std::size_t most_cells = 250;  // a coarse program within linalg's own Cholesky
constexpr ptrdiff_t rows_a_task = 256;
constexpr std::size_t together =
    2;  // blocks of a phase: with eight to thirty, gaps fall half as fast or less
constexpr std::uint64_t spreading = 3;    // sweeps in which weight may come back anywhere, from the first on
constexpr ptrdiff_t outlier_rounds = 16;  // of outliers a sweep, at most: a tenth of its cost

}  // namespace

void Sweeper::lay_out(std::vector<Leaf>&& leaves) {
  const std::size_t budget = std::max<std::size_t>(s_.groups, s_.options.memory / (16 * at(s_.n)));
  const std::size_t most = std::min({most_cells, budget, leaves.size()});
  blocks_.clear();
  cells_ = 0;
  // A cell is a run of neighbouring leaves of one group.
  std::size_t run = 0;
  for (std::size_t k = 0; k < leaves.size(); ++k) {
    const bool fresh = k == 0 || leaves[k].group != leaves[k - 1].group || (k * most) / leaves.size() != run;
    if (fresh) ++cells_;
    run = (k * most) / leaves.size();
    Block block;
    block.group = leaves[k].group;
    block.cell = cells_ - 1;
    block.points = std::move(leaves[k].points);
    blocks_.push_back(std::move(block));
  }
  solved_.assign(checked_product("working memory", cells_, s_.n), 0.0F);
  even_.assign(spread_ ? solved_.size() : 0, 0.0F);
}

/// Whether a start has left most blocks of the next sweep without weight, which they alone can't change.
bool Sweeper::mostly_empty() const {
  std::ptrdiff_t empty = 0;
  for (const double v : s_.w) empty += v == 0.0 ? 1 : 0;
  return empty > s_.n - s_.n / s_.options.block;
}

/// The block to its minimum, for the mass that it has.
void Sweeper::solve_block(Block& block, double gap_tol) {
  const auto size = std::ssize(block.points), d = s_.problem.points.cols;
  std::vector<double> x(checked_product("working memory", size, d)),
      k(checked_product("working memory", size, size));
  block.old.resize(at(size));
  block.step.assign(at(size), 0.0);
  std::vector<double> q(at(size)), upper(at(size)), lower(at(size), 0.0);
  double mass = 0.0;
  for (ptrdiff_t a = 0; a < size; ++a) {
    const auto i = block.points[at(a)];
    std::copy_n(s_.problem.points.row(i), d, x.data() + a * d);
    mass += block.old[at(a)] = s_.w[at(i)];
    upper[at(a)] = s_.problem.upper[at(i)];
  }
  if (size > 1 && mass > 0.0) {
    const MatrixView<const double> view{x.data(), size, d, d};
    distances::KernelColumns<double>(view, *s_.problem.kernel).values(view, 0, size, k.data(), size);
    for (ptrdiff_t a = 0; a < size; ++a) {
      k[at(a * size + a)] += s_.ridge(block.points[at(a)]);
      double sum = 0.0;
      for (ptrdiff_t b = 0; b < size; ++b) sum += k[at(a * size + b)] * block.old[at(b)];
      q[at(a)] = sum - s_.slope[at(block.points[at(a)])];
    }
    DenseRows rows({k.data(), size, size, size});
    Monitor inside = Monitor::inside(s_.monitor);
    const QpOptions options{.tol = 1e-13, .gap_tol = gap_tol};
    const auto found = solve_simplex_qp({rows, q, lower, upper, {&mass, 1}, {}, block.old}, options, inside);
    double change = 0.0;
    for (ptrdiff_t a = 0; a < size; ++a) {
      block.step[at(a)] = found.x[at(a)] - block.old[at(a)];
    }
    for (ptrdiff_t a = 0; a < size; ++a) {
      double sum = 0.0;
      for (ptrdiff_t b = 0; b < size; ++b) sum += k[at(a * size + b)] * block.step[at(b)];
      change += block.step[at(a)] * (s_.slope[at(block.points[at(a)])] + 0.5 * sum);
    }
    if (!(change < 0.0)) std::fill(block.step.begin(), block.step.end(), 0.0);
  }
  block.movable.assign(at(size), 1.0F);
  for (ptrdiff_t a = 0; a < size && s_.capped; ++a) {
    const double now = std::max(block.old[at(a)], block.old[at(a)] + block.step[at(a)]);
    if (now > 0.9 * upper[at(a)]) block.movable[at(a)] = 0.0F;
  }
}

/// K times the step of each block of `part`, with `cells` also times its weights and ones, in one pass.
bool Sweeper::multiply(std::span<Block* const> part, bool cells, std::vector<std::vector<double>>& product) {
  const auto d = s_.problem.points.cols, n = s_.n;
  const bool even = cells && spread_;
  const ptrdiff_t columns = cells ? 2 + (even ? 1 : 0) + (s_.capped ? 1 : 0) : 1;
  for (auto* block : part) {
    std::vector<std::size_t> chosen;  // the others are all zeros
    std::vector<double> x;
    for (std::size_t a = 0; a < block->points.size(); ++a) {
      if (!even && block->step[a] == 0.0 && (!cells || block->old[a] == 0.0)) continue;
      chosen.push_back(a);
      const double* row = s_.problem.points.row(block->points[a]);
      x.insert(x.end(), row, row + d);
    }
    block->columns.emplace(MatrixView<const double>{x.data(), std::ssize(chosen), d, d}, *s_.problem.kernel,
                           s_.middle);
    const auto stride = at(block->columns->stride());
    block->values.assign(checked_product("working memory", stride, columns), 0.0F);
    for (std::size_t c = 0; c < chosen.size(); ++c) {
      const auto a = chosen[c];
      const float free = block->movable[a];
      const auto step = static_cast<float>(block->step[a]);
      float* value = block->values.data() + c;
      value[0] = step;
      if (!cells) continue;
      value[stride] = free * static_cast<float>(block->old[a] + block->step[a]);
      if (even) value[2 * stride] = free;
      if (s_.capped) value[at(columns - 1) * stride] = free * step;
    }
    if (cells) block->moved.assign(at(n), 0.0F);
  }
  parallel_for(n, rows_a_task, s_.monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    if (s_.monitor.poll()) return;
    const ptrdiff_t count = end - begin;
    std::vector<double> sums(checked_product("working memory", count, columns));
    for (auto* block : part) {
      block->columns->products(s_.problem.points, begin, end, block->values.data(), columns, sums.data());
      double* moved = product[block->group].data() + begin;
      for (ptrdiff_t i = 0; i < count; ++i) moved[i] += sums[at(i)];
      if (!cells) continue;
      float* solved = solved_.data() + static_cast<ptrdiff_t>(block->cell) * n + begin;
      const double* sum = sums.data() + count;
      const double* moved_free = sums.data() + (s_.capped ? (columns - 1) * count : 0);
      for (ptrdiff_t i = 0; i < count; ++i) {
        solved[i] += static_cast<float>(sum[i]);
        block->moved[at(begin + i)] = static_cast<float>(moved_free[i]);
      }
      if (!even) continue;
      float* ones = even_.data() + static_cast<ptrdiff_t>(block->cell) * n + begin;
      for (ptrdiff_t i = 0; i < count; ++i) ones[i] += static_cast<float>(sum[count + i]);
    }
  });
  return !s_.monitor.stopped();
}

/// The blocks of `part` from the same slopes, then one line search. Nothing where stopped.
std::optional<double> Sweeper::solve_together(std::span<Block* const> part, bool cells, double gap_tol) {
  parallel_for(std::ssize(part), 1, s_.monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    for (auto k = begin; k < end && !s_.monitor.poll(); ++k) solve_block(*part[at(k)], gap_tol);
  });
  if (s_.monitor.stopped()) return std::nullopt;
  std::vector<std::vector<double>> product(s_.groups, std::vector<double>(at(s_.n), 0.0));
  if (!multiply(part, cells, product)) return std::nullopt;
  std::vector<double> step(at(s_.n), 0.0);
  double size = 0.0;
  for (const auto* block : part) {
    for (std::size_t a = 0; a < block->points.size(); ++a) {
      step[at(block->points[a])] = block->step[a];
      size += std::fabs(block->step[a]);
    }
  }
  const double length = s_.best_length(step, product, 1.0);
  s_.move(step, product, length);
  s_.drift += single_unit * s_.kernel_size * length * size;
  return length;
}

/// The blocks number, number + phases, ...
bool Sweeper::phase(std::size_t number, std::size_t phases, double gap_tol) {
  std::vector<Block*> part;
  for (std::size_t k = number; k < blocks_.size(); k += phases) part.push_back(&blocks_[k]);
  const auto length = solve_together(part, true, gap_tol);
  if (!length) return false;
  for (auto* block : part) {
    float* solved = solved_.data() + static_cast<ptrdiff_t>(block->cell) * s_.n;
    const auto back = static_cast<float>(1.0 - *length);
    for (std::size_t i = 0; back != 0.0F && i < block->moved.size(); ++i) solved[i] -= back * block->moved[i];
    block->columns.reset();
    block->values = {};
    block->moved = {};
  }
  return true;
}

/// The points of a group that make the gap: the lowest slopes, and weight on high ones.
Sweeper::Block Sweeper::outliers(std::size_t group) const {
  Block block;
  block.group = group;
  auto order = s_.members[group];
  const auto half = std::min<ptrdiff_t>(s_.options.block / 2, std::ssize(order) / 2);
  const auto pick = [&](auto first, const auto& badness) {
    std::nth_element(first, first + half, order.end(), [&](auto i, auto j) {
      const double a = badness(i), b = badness(j);
      return a > b || (a == b && i < j);
    });
  };
  double level = 0.0;
  for (const auto i : order) level += s_.w[at(i)] * s_.slope[at(i)];
  level /= s_.problem.totals[group];
  pick(order.begin(),
       [&](auto i) { return s_.w[at(i)] < s_.problem.upper[at(i)] ? level - s_.slope[at(i)] : -infinity; });
  pick(order.begin() + half, [&](auto i) { return s_.w[at(i)] * (s_.slope[at(i)] - level); });
  block.points.assign(order.begin(), order.begin() + 2 * half);
  std::sort(block.points.begin(), block.points.end());
  return block;
}

bool Sweeper::solve_outliers() {
  const auto rounds = std::min<ptrdiff_t>(outlier_rounds, s_.n / (8 * s_.options.block));
  double gap = s_.bound().gap, least = infinity;
  int idle = 0;
  for (ptrdiff_t round = 0; round < rounds && gap > s_.enough; ++round) {
    // Odd rounds undo what even ones have won, at times: one ends where the gap is at its least.
    idle = gap < 0.8 * least ? 0 : idle + 1;
    if (idle > 2 && gap < 1.1 * least) break;
    least = std::min(least, gap);
    std::vector<Block> found;
    for (std::size_t k = 0; k < s_.groups; ++k) {
      if (s_.problem.totals[k] > 0.0) found.push_back(outliers(k));
    }
    std::vector<Block*> part;
    for (auto& block : found) part.push_back(&block);
    const double enough =
        std::max(0.02 * gap, 0.05 * s_.enough) / static_cast<double>(s_.n / s_.options.block);
    if (!solve_together(part, false, enough)) return false;
    gap = s_.bound().gap;
  }
  return true;
}

bool Sweeper::solve_blocks(std::uint64_t number, double gap) {
  spread_ = number <= spreading && mostly_empty();
  lay_out(random_leaves(s_, s_.options.block, number));
  const std::size_t phases = (blocks_.size() + together - 1) / together;
  const double enough = std::max(0.02 * gap, 0.05 * s_.enough) / static_cast<double>(blocks_.size());
  for (std::size_t k = 0; k < phases; ++k) {
    if (!phase(k, phases, enough)) return false;
  }
  return true;
}

}  // namespace steelyard::qp
