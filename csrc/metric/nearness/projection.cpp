#include "metric/nearness/projection.hpp"

#include <algorithm>
#include <functional>
#include <vector>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "linalg/cg.hpp"

namespace steelyard::metric {
namespace {

using std::ptrdiff_t;

/// Where a pass starts: from the duals themselves, or from duals + beta (duals - before).
struct Momentum {
  double beta = 0.0;
  double* before = nullptr;  ///< of the entries at hand; brought up to date. Null: no momentum

  double start(double* dual, std::size_t s) const {
    if (before == nullptr) return dual[s];
    const double now = dual[s], start = now + beta * (now - before[s]);
    before[s] = now;
    return start;
  }
};

template <bool weighted>
void project_list(TriangleList& list, const ListTiles& tiles, ProjectionState& state, Momentum momentum) {
  double *ij = state.x.tile(tiles.ij), *ik = state.x.tile(tiles.ik), *jk = state.x.tile(tiles.jk);
  const double *v_ij = nullptr, *v_ik = nullptr, *v_jk = nullptr;
  if constexpr (weighted) {
    v_ij = state.inverse.tile(tiles.ij), v_ik = state.inverse.tile(tiles.ik),
    v_jk = state.inverse.tile(tiles.jk);
  }
  const std::size_t size = list.dual.size();
  const Triangle* where = list.where.data();
  double* dual = list.dual.data();
  const auto visit = [&](std::size_t s, double start) {
    const std::size_t at_ij = where[s].ij, at_ik = where[s].ik, at_jk = where[s].jk;
    // Three different pairs, so all are read before one is written.
    const double x_ij = ij[at_ij], x_ik = ik[at_ik], x_jk = jk[at_jk];
    const double violation = x_ij - x_ik - x_jk;
    if constexpr (weighted) {
      const double a = v_ij[at_ij], b = v_ik[at_ik], c = v_jk[at_jk];
      const double step = std::max(violation / (a + b + c), -start);
      dual[s] = start + step;
      ij[at_ij] = x_ij - step * a;
      ik[at_ik] = x_ik + step * b;
      jk[at_jk] = x_jk + step * c;
    } else {
      const double step = std::max(violation * (1.0 / 3.0), -start);
      dual[s] = start + step;
      ij[at_ij] = x_ij - step;
      ik[at_ik] = x_ik + step;
      jk[at_jk] = x_jk + step;
    }
  };
  if (momentum.before == nullptr) {
    for (std::size_t s = 0; s < size; ++s) visit(s, dual[s]);
  } else {
    for (std::size_t s = 0; s < size; ++s) visit(s, momentum.start(dual, s));
  }
}

void project_upper(ProjectionState& state, ptrdiff_t tile, Momentum momentum) {
  double *x = state.x.tile(tile), *dual = state.upper_dual.tile(tile);
  const double* inverse = state.inverse.empty() ? nullptr : state.inverse.tile(tile);
  for (std::size_t place = 0; place < block_area; ++place) {
    const double v = inverse == nullptr ? 1.0 : inverse[place];
    const double start = momentum.start(dual, place);
    const double step = std::max((x[place] - state.upper) / v, -start);
    dual[place] = start + step;
    x[place] -= step * v;
  }
}

/// The first entry of each list in an array with one number a constraint, and the end.
std::vector<ptrdiff_t> first_entries(const ActiveTriangles& active) {
  std::vector<ptrdiff_t> first(1, 0);
  for (const auto& list : active.lists()) first.push_back(first.back() + std::ssize(list.dual));
  return first;
}

/// One number a constraint, in the order of the lists.
std::vector<double> all_duals(const ActiveTriangles& active) {
  std::vector<double> out;
  out.reserve(at(active.count()));
  for (const auto& list : active.lists()) out.insert(out.end(), list.dual.begin(), list.dual.end());
  return out;
}

/// Momentum of one list, and of the upper bounds of one tile.
using OfList = std::function<Momentum(ptrdiff_t)>;

void sweep(ProjectionState& state, ptrdiff_t passes, Monitor& monitor, const OfList& of_list,
           const OfList& of_tile) {
  auto& lists = state.active.lists();
  const auto visit = [&](ptrdiff_t l) {
    auto& list = lists[at(l)];
    if (state.inverse.empty()) {
      project_list<false>(list, state.active.tiles_of(l), state, of_list(l));
    } else {
      project_list<true>(list, state.active.tiles_of(l), state, of_list(l));
    }
  };
  if (state.upper_dual.empty()) {
    state.active.sweep(passes, monitor, visit);
  } else {
    state.active.sweep(passes, monitor, visit,
                       [&](ptrdiff_t tile) { project_upper(state, tile, of_tile(tile)); });
  }
}

/// Adds A' p, p one number a constraint in the order of the lists.
void scatter(const ActiveTriangles& active, const std::vector<ptrdiff_t>& first, const double* p,
             PairTiles& out, Monitor& monitor) {
  active.sweep(1, monitor, [&](ptrdiff_t l) {
    const auto& list = active.lists()[at(l)];
    const auto tiles = active.tiles_of(l);
    double *ij = out.tile(tiles.ij), *ik = out.tile(tiles.ik), *jk = out.tile(tiles.jk);
    const double* from = p == nullptr ? list.dual.data() : p + first[at(l)];
    for (std::size_t s = 0; s < list.where.size(); ++s) {
      const auto t = list.where[s];
      ij[t.ij] += from[s];
      ik[t.ik] -= from[s];
      jk[t.jk] -= from[s];
    }
  });
}

/// out = A y.
void gather(const ActiveTriangles& active, const std::vector<ptrdiff_t>& first, const PairTiles& y,
            double* out, Monitor& monitor) {
  parallel_for(std::ssize(active.lists()), 64, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    for (auto l = begin; l < end; ++l) {
      const auto& list = active.lists()[at(l)];
      const auto tiles = active.tiles_of(l);
      const double *ij = y.tile(tiles.ij), *ik = y.tile(tiles.ik), *jk = y.tile(tiles.jk);
      double* to = out + first[at(l)];
      for (std::size_t s = 0; s < list.where.size(); ++s) {
        const auto t = list.where[s];
        to[s] = ij[t.ij] - ik[t.ik] - jk[t.jk];
      }
    }
  });
}

/// ||x||_W^2 + 2 mu'u: twice what the dual lacks to 1/2 ||d||_W^2.
double dual_loss(const ProjectionState& state, Monitor& monitor) {
  const bool weighted = !state.inverse.empty(), bounded = !state.upper_dual.empty();
  return sum_tiles(state.x, monitor, [&](ptrdiff_t place) {
    const double square = state.x[place] * state.x[place];
    return (weighted ? square / state.inverse[place] : square) +
           (bounded ? 2.0 * state.upper * state.upper_dual[place] : 0.0);
  });
}

}  // namespace

void project(ProjectionState& state, ptrdiff_t passes, Monitor& monitor) {
  const auto none = [](ptrdiff_t) { return Momentum{}; };
  sweep(state, passes, monitor, none, none);
}

void project_with_momentum(ProjectionState& state, ptrdiff_t passes, Monitor& monitor) {
  const auto first = first_entries(state.active);
  std::vector<double> duals = all_duals(state.active);
  PairTiles upper_duals = state.upper_dual, x = state.x;  // all of the pass before
  double beta = 0.0, loss = infinity;
  const auto of_list = [&](ptrdiff_t l) { return Momentum{beta, duals.data() + first[at(l)]}; };
  const auto of_tile = [&](ptrdiff_t tile) { return Momentum{beta, upper_duals.tile(tile)}; };
  for (ptrdiff_t pass = 0, k = 0; pass < passes && !monitor.stopped(); ++pass, ++k) {
    const double now = dual_loss(state, monitor);
    if (now > loss) k = 0;
    loss = now;
    beta = static_cast<double>(k) / static_cast<double>(k + 3);
    for_tiles(state.x, monitor, [&](ptrdiff_t place) {
      const double here = state.x[place];
      state.x[place] = here + beta * (here - x[place]);
      x[place] = here;
    });
    sweep(state, 1, monitor, of_list, of_tile);
  }
}

PairTiles gradient(const ProjectionState& state, Monitor& monitor) {
  PairTiles out(state.x.items(), 0.0);
  scatter(state.active, {}, nullptr, out, monitor);
  return out;
}

void restore(ProjectionState& state, Monitor& monitor) {
  const PairTiles pull = gradient(state, monitor);
  if (monitor.stopped()) return;
  for_tiles(state.x, monitor, [&](ptrdiff_t place) {
    const double all = pull[place] + (state.upper_dual.empty() ? 0.0 : state.upper_dual[place]);
    state.x[place] = state.target[place] - (state.inverse.empty() ? all : all * state.inverse[place]);
  });
}

void face_step(ProjectionState& state, int iterations, Monitor& monitor) {
  state.active.forget(monitor);
  auto& lists = state.active.lists();
  const auto first = first_entries(state.active);
  const ptrdiff_t size = first.back();
  if (size == 0 || monitor.stopped()) return;
  std::vector<double> broken(at(size)), step(broken.size(), 0.0);
  gather(state.active, first, state.x, broken.data(), monitor);
  PairTiles y(state.x.items(), 0.0);
  const auto apply = [&](const double* p, double* out, ptrdiff_t) {
    for_tiles(y, monitor, [&](ptrdiff_t place) { y[place] = 0.0; });
    scatter(state.active, first, p, y, monitor);
    if (!state.inverse.empty())
      for_tiles(y, monitor, [&](ptrdiff_t place) { y[place] *= state.inverse[place]; });
    gather(state.active, first, y, out, monitor);
  };
  const auto plain = [&](const double* r, double* z, ptrdiff_t) { std::copy(r, r + size, z); };
  linalg::CgOptions options;
  options.tol = 0.05;
  options.max_iter = iterations;
  linalg::conjugate_gradients(size, 1, apply, plain, broken.data(), step.data(), options, monitor);
  if (monitor.stopped()) return;

  broken = {};
  const std::vector<double> before = all_duals(state.active);
  const auto move = [&](double factor) {
    parallel_for(std::ssize(lists), 64, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto l = at(begin); l < at(end); ++l)
        for (std::size_t s = 0; s < lists[l].dual.size(); ++s) {
          const auto place = at(first[l]) + s;
          lists[l].dual[s] = std::max(0.0, before[place] + factor * step[place]);
        }
    });
    restore(state, monitor);
  };
  const double loss = dual_loss(state, monitor);
  for (double factor = 1.0; factor > 0.02; factor *= 0.5) {
    move(factor);
    if (monitor.stopped() || dual_loss(state, monitor) <= loss) return;
  }
  move(0.0);
}

}  // namespace steelyard::metric
