// The coarse program of a sweep (kernel_qp.hpp): masses of cells, even masses, and shares of past iterates.
//
// A step is  sum_k c_k (D_k + sum_b m_b z_b) + sum_b (s_b - m_b) z_b + sum_b t_b v_b,  D_k = past - now, z_b
// the weights of cell b over their sum m_b, v_b even ones. Products with D_k are known in double, those with
// z_b in single: the matrix is made of those parts, so that what single precision leaves in a z_b cancels
// where a past iterate replaces it.
#include <algorithm>

#include "core/infinity.hpp"
#include "core/pool.hpp"
#include "qp/kernel_sweep.hpp"
#include "qp/simplex_qp.hpp"

namespace steelyard::qp {
namespace {

using std::ptrdiff_t;

constexpr std::size_t most_past = 4;

}  // namespace

struct Sweeper::Coarse {
  struct Cell {
    std::vector<ptrdiff_t> points;
    std::vector<double> z;  ///< weights of what moves, over their sum
    std::vector<char> moves;
    double mass = 0.0, count = 0.0;  ///< count: of those that even weight goes to
    std::size_t group = 0;

    double even(std::size_t j) const { return count > 0.0 && moves[j] != 0 ? 1.0 / count : 0.0; }
  };
  std::vector<Cell> cells;
  std::size_t m = 0;                      ///< variables: 2 a cell, then past x groups
  std::vector<double> gram, slope;        ///< of z, v and D
  std::vector<std::vector<double>> past;  ///< K D + ridge D
  std::vector<double> free_mass;          ///< of a group
  std::vector<double> x, upper;           ///< where it begins
  std::vector<std::int32_t> groups;

  std::size_t past_at(std::size_t k, std::size_t group, std::size_t many) const {
    return 2 * cells.size() + k * many + group;
  }
};

void Sweeper::measure_cells(Coarse& coarse) const {
  coarse.cells.resize(cells_);
  coarse.free_mass.assign(s_.groups, 0.0);
  for (const auto& block : blocks_) {
    auto& cell = coarse.cells[block.cell];
    cell.group = block.group;
    for (std::size_t a = 0; a < block.points.size(); ++a) {
      const bool moves = block.movable[a] != 0.0F;
      cell.points.push_back(block.points[a]);
      cell.moves.push_back(moves ? 1 : 0);
      cell.z.push_back(moves ? s_.w[at(block.points[a])] : 0.0);
      cell.mass += cell.z.back();
      cell.count += moves && spread_ ? 1.0 : 0.0;
    }
  }
  for (auto& cell : coarse.cells) {
    coarse.free_mass[cell.group] += cell.mass;
    for (auto& v : cell.z) v = cell.mass > 0.0 ? v / cell.mass : 0.0;
  }
  coarse.m = 2 * cells_ + s_.past.size() * s_.groups;
}

/// Products among z and v, and slopes of both.
void Sweeper::fill_gram(Coarse& coarse) const {
  const std::size_t m = coarse.m;
  coarse.gram.assign(checked_product("working memory", m, m), 0.0);
  coarse.slope.assign(m, 0.0);
  parallel_for(std::ssize(coarse.cells), 1, s_.monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    for (auto b = at(begin); b < at(end) && !s_.monitor.poll(); ++b) {
      const auto& own = coarse.cells[b];
      const float* kz = solved_.data() + b * at(s_.n);
      const float* kv = spread_ ? even_.data() + b * at(s_.n) : nullptr;
      const double of_z = own.mass > 0.0 ? 1.0 / own.mass : 0.0,
                   of_v = own.count > 0.0 ? 1.0 / own.count : 0.0;
      for (std::size_t a = 0; a < coarse.cells.size(); ++a) {
        const auto& other = coarse.cells[a];
        double zz = 0.0, vz = 0.0, zv = 0.0, vv = 0.0;
        const double even = other.count > 0.0 ? 1.0 / other.count : 0.0;
        for (std::size_t j = 0; j < other.points.size(); ++j) {
          const auto i = at(other.points[j]);
          const double z = other.z[j], v = other.moves[j] != 0 ? even : 0.0;
          zz += z * static_cast<double>(kz[i]);
          if (!spread_) continue;
          vz += v * static_cast<double>(kz[i]);
          zv += z * static_cast<double>(kv[i]);
          vv += v * static_cast<double>(kv[i]);
        }
        double* row = coarse.gram.data() + 2 * a * m + 2 * b;
        row[0] = zz * of_z, row[1] = zv * of_v, row[m] = vz * of_z, row[m + 1] = vv * of_v;
      }
      double* block = coarse.gram.data() + 2 * b * m + 2 * b;
      for (std::size_t j = 0; j < own.points.size(); ++j) {
        const double z = own.z[j], v = own.moves[j] != 0 ? of_v : 0.0, ridge = s_.ridge(own.points[j]);
        block[0] += ridge * z * z, block[1] += ridge * z * v, block[m] += ridge * z * v,
            block[m + 1] += ridge * v * v;
        coarse.slope[2 * b] += z * s_.slope[at(own.points[j])];
        coarse.slope[2 * b + 1] += v * s_.slope[at(own.points[j])];
      }
    }
  });
}

/// Products with D, then D + sum m z over the group's mass in its place.
void Sweeper::add_past(Coarse& coarse) const {
  const std::size_t m = coarse.m, first = 2 * cells_, many = s_.past.size() * s_.groups, n = at(s_.n);
  coarse.past.assign(many, std::vector<double>(n, 0.0));
  std::vector<std::vector<double>> away(many, std::vector<double>(n, 0.0));
  for (std::size_t k = 0; k < many; ++k) {
    const auto& past = s_.past[k / s_.groups];
    const auto group = k % s_.groups;
    for (const auto i : s_.members[group]) away[k][at(i)] = past.w[at(i)] - s_.w[at(i)];
    for (std::size_t i = 0; i < n; ++i) {
      coarse.past[k][i] =
          past.kw[group][i] - s_.kw[group][i] + s_.ridge(static_cast<ptrdiff_t>(i)) * away[k][i];
      coarse.slope[first + k] += away[k][i] * s_.slope[i];
    }
    for (std::size_t b = 0; b < cells_; ++b) {
      const auto& cell = coarse.cells[b];
      double z = 0.0, v = 0.0;
      for (std::size_t j = 0; j < cell.points.size(); ++j) {
        z += cell.z[j] * coarse.past[k][at(cell.points[j])];
        v += cell.even(j) * coarse.past[k][at(cell.points[j])];
      }
      coarse.gram[(first + k) * m + 2 * b] = coarse.gram[2 * b * m + first + k] = z;
      coarse.gram[(first + k) * m + 2 * b + 1] = coarse.gram[(2 * b + 1) * m + first + k] = v;
    }
    for (std::size_t j = 0; j < many; ++j) {
      double sum = 0.0;
      for (std::size_t i = 0; i < n && j <= k; ++i) sum += away[j][i] * coarse.past[k][i];
      if (j <= k) coarse.gram[(first + k) * m + first + j] = coarse.gram[(first + j) * m + first + k] = sum;
    }
  }
  const auto fold = [&](const auto& entry) {  // entry(row): add what the cells' masses bring
    for (std::size_t k = 0; k < many; ++k) {
      const auto group = k % s_.groups;
      const double mass = coarse.free_mass[group] > 0.0 ? coarse.free_mass[group] : 1.0;
      for (std::size_t r = 0; r < m; ++r) {
        double sum = *entry(first + k, r);
        for (std::size_t b = 0; b < cells_; ++b) {
          if (coarse.cells[b].group == group) sum += coarse.cells[b].mass * *entry(2 * b, r);
        }
        *entry(first + k, r) = sum / mass;
      }
    }
  };
  fold([&](std::size_t row, std::size_t r) { return &coarse.gram[row * m + r]; });
  fold([&](std::size_t row, std::size_t r) { return &coarse.gram[r * m + row]; });
  for (std::size_t k = 0; k < many; ++k) {
    const auto group = k % s_.groups;
    double sum = coarse.slope[first + k];
    for (const auto& cell : coarse.cells) {
      if (cell.group == group) sum += cell.mass * coarse.slope[2 * at(&cell - coarse.cells.data())];
    }
    coarse.slope[first + k] = sum / (coarse.free_mass[group] > 0.0 ? coarse.free_mass[group] : 1.0);
  }
}

void Sweeper::apply(const Coarse& coarse, const std::vector<double>& x) {
  const std::size_t n = at(s_.n);
  std::vector<double> step(n, 0.0), taken(s_.groups, 0.0);
  std::vector<std::vector<double>> product(s_.groups, std::vector<double>(n, 0.0));
  for (std::size_t k = 0; k < s_.past.size(); ++k) {
    for (std::size_t group = 0; group < s_.groups; ++group) {
      const double mass = coarse.free_mass[group];
      const double c = mass > 0.0 ? x[coarse.past_at(k, group, s_.groups)] / mass : 0.0;
      if (c == 0.0) continue;
      taken[group] += c;
      for (const auto i : s_.members[group]) step[at(i)] += c * (s_.past[k].w[at(i)] - s_.w[at(i)]);
      for (std::size_t i = 0; i < n; ++i) {
        product[group][i] += c * (s_.past[k].kw[group][i] - s_.kw[group][i]);
      }
    }
  }
  double moved = 0.0;
  for (std::size_t b = 0; b < cells_; ++b) {
    const auto& cell = coarse.cells[b];
    const double z = x[2 * b] - cell.mass * (1.0 - taken[cell.group]), v = x[2 * b + 1];
    for (std::size_t j = 0; j < cell.points.size(); ++j) {
      step[at(cell.points[j])] += z * cell.z[j] + v * cell.even(j);
    }
    const double of_z = cell.mass > 0.0 ? z / cell.mass : 0.0, of_v = cell.count > 0.0 ? v / cell.count : 0.0;
    moved += std::fabs(z) + std::fabs(v);
    const float* kz = solved_.data() + b * n;
    double* out = product[cell.group].data();
    for (std::size_t i = 0; i < n && of_z != 0.0; ++i) out[i] += of_z * static_cast<double>(kz[i]);
    if (!spread_) continue;
    const float* kv = even_.data() + b * n;
    for (std::size_t i = 0; i < n && of_v != 0.0; ++i) out[i] += of_v * static_cast<double>(kv[i]);
  }
  double most = 1.0;
  for (std::size_t i = 0; i < n; ++i) {
    const double room = step[i] < 0.0 ? s_.w[i] : s_.problem.upper[i] - s_.w[i];
    // What rounding alone asks for is cut off, not waited for.
    if (std::fabs(step[i]) > room * (1.0 + 1e-12) && std::fabs(step[i]) > 1e-15) {
      most = std::min(most, room / std::fabs(step[i]));
    }
  }
  const double length = s_.best_length(step, product, most);
  s_.move(step, product, length);
  s_.drift += 2.0 * single_unit * s_.kernel_size * length * moved;
}

void Sweeper::bound_shares(Coarse& coarse) const {
  const std::size_t m = coarse.m;
  coarse.x.assign(m, 0.0);
  coarse.upper.assign(m, infinity);
  coarse.groups.assign(m, 0);
  for (std::size_t b = 0; b < cells_; ++b) {
    const auto& cell = coarse.cells[b];
    coarse.groups[2 * b] = coarse.groups[2 * b + 1] = static_cast<std::int32_t>(cell.group);
    coarse.x[2 * b] = cell.mass;
    double least = infinity, share = infinity;
    for (std::size_t j = 0; j < cell.points.size() && s_.capped; ++j) {
      if (cell.moves[j] == 0) continue;
      const double now = s_.w[at(cell.points[j])], room = s_.problem.upper[at(cell.points[j])] - now;
      least = std::min(least, 0.5 * room * cell.count);
      if (now > 0.0) share = std::min(share, 0.5 * room / now);
    }
    coarse.upper[2 * b] = cell.mass > 0.0 ? cell.mass * (1.0 + share) : 0.0;
    coarse.upper[2 * b + 1] = cell.count > 0.0 ? std::max(0.0, least) : 0.0;
  }
  for (std::size_t k = 2 * cells_; k < m; ++k) {
    coarse.groups[k] = static_cast<std::int32_t>((k - 2 * cells_) % s_.groups);
    if (!(coarse.free_mass[at(coarse.groups[k])] > 0.0)) coarse.upper[k] = 0.0;
  }
}

bool Sweeper::share(double gap) {
  Coarse coarse;
  Past now{s_.w, s_.kw};
  measure_cells(coarse);
  fill_gram(coarse);
  if (s_.monitor.stopped()) return false;
  add_past(coarse);
  bound_shares(coarse);
  const std::size_t m = coarse.m;
  std::vector<double> q(m, 0.0), lower(m, 0.0);
  for (std::size_t r = 0; r < m; ++r) {
    for (std::size_t c = 0; c < r; ++c) {
      const double mean = 0.5 * (coarse.gram[r * m + c] + coarse.gram[c * m + r]);
      coarse.gram[r * m + c] = coarse.gram[c * m + r] = mean;
    }
  }
  for (std::size_t r = 0; r < m; ++r) {
    for (std::size_t c = 0; c < m; ++c) q[r] += coarse.gram[r * m + c] * coarse.x[c];
    q[r] -= coarse.slope[r];
  }
  const auto size = static_cast<ptrdiff_t>(m);
  DenseRows rows({coarse.gram.data(), size, size, size});
  Monitor inside = Monitor::inside(s_.monitor);
  const QpOptions options{.tol = 1e-12, .gap_tol = std::max(1e-3 * gap, 0.01 * s_.enough)};
  const auto found = solve_simplex_qp(
      {rows, q, lower, coarse.upper, coarse.free_mass, coarse.groups, coarse.x}, options, inside);
  if (s_.monitor.stopped()) return false;
  apply(coarse, found.x);
  const std::size_t keep = s_.groups <= 4 ? most_past : 1;
  if (s_.past.size() >= keep) s_.past.erase(s_.past.begin());
  s_.past.push_back(std::move(now));
  return true;
}

}  // namespace steelyard::qp
