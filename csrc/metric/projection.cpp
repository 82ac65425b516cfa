#include "metric/projection.hpp"

#include <algorithm>
#include <vector>

#include "linalg/cg.hpp"

namespace steelyard::metric {
namespace {

using std::ptrdiff_t;

template <bool weighted>
void project_list(TriangleList& list, const ListTiles& tiles, PairTiles& x, const PairTiles& inverse,
                  double over) {
  double *ij = x.tile(tiles.ij), *ik = x.tile(tiles.ik), *jk = x.tile(tiles.jk);
  const double *v_ij = nullptr, *v_ik = nullptr, *v_jk = nullptr;
  if constexpr (weighted) {
    v_ij = inverse.tile(tiles.ij), v_ik = inverse.tile(tiles.ik), v_jk = inverse.tile(tiles.jk);
  }
  const std::size_t size = list.dual.size();
  const double third = over / 3.0;
  for (std::size_t s = 0; s < size; ++s) {
    const auto t = list.where[s];
    const double violation = ij[t.ij] - ik[t.ik] - jk[t.jk];
    if constexpr (weighted) {
      const double a = v_ij[t.ij], b = v_ik[t.ik], c = v_jk[t.jk];
      const double step = std::max(over * violation / (a + b + c), -list.dual[s]);
      list.dual[s] += step;
      ij[t.ij] -= step * a;
      ik[t.ik] += step * b;
      jk[t.jk] += step * c;
    } else {
      const double step = std::max(violation * third, -list.dual[s]);
      list.dual[s] += step;
      ij[t.ij] -= step;
      ik[t.ik] += step;
      jk[t.jk] += step;
    }
  }
}

void project_upper(ProjectionState& state, ptrdiff_t tile, double over) {
  double *x = state.x.tile(tile), *dual = state.upper_dual.tile(tile);
  const double* inverse = state.inverse.empty() ? nullptr : state.inverse.tile(tile);
  for (ptrdiff_t at = 0; at < block_area; ++at) {
    const double v = inverse == nullptr ? 1.0 : inverse[at];
    const double step = std::max(over * (x[at] - state.upper) / v, -dual[at]);
    dual[at] += step;
    x[at] -= step * v;
  }
}

/// Adds A' p, p one number a constraint in the order of the lists.
void scatter(const ActiveTriangles& active, const std::vector<ptrdiff_t>& first, const double* p,
             PairTiles& out, Monitor& monitor) {
  active.sweep(1, monitor, [&](ptrdiff_t l) {
    const auto& list = active.lists()[static_cast<std::size_t>(l)];
    const auto tiles = active.tiles_of(l);
    double *ij = out.tile(tiles.ij), *ik = out.tile(tiles.ik), *jk = out.tile(tiles.jk);
    const double* from = p == nullptr ? list.dual.data() : p + first[static_cast<std::size_t>(l)];
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
      const auto& list = active.lists()[static_cast<std::size_t>(l)];
      const auto tiles = active.tiles_of(l);
      const double *ij = y.tile(tiles.ij), *ik = y.tile(tiles.ik), *jk = y.tile(tiles.jk);
      double* to = out + first[static_cast<std::size_t>(l)];
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
  return sum_tiles(state.x, monitor, [&](ptrdiff_t at) {
    const double square = state.x[at] * state.x[at];
    return (weighted ? square / state.inverse[at] : square) +
           (bounded ? 2.0 * state.upper * state.upper_dual[at] : 0.0);
  });
}

}  // namespace

void project(ProjectionState& state, ptrdiff_t rounds, double over, Monitor& monitor) {
  auto& lists = state.active.lists();
  const auto visit = [&](ptrdiff_t l) {
    auto& list = lists[static_cast<std::size_t>(l)];
    if (state.inverse.empty()) {
      project_list<false>(list, state.active.tiles_of(l), state.x, state.inverse, over);
    } else {
      project_list<true>(list, state.active.tiles_of(l), state.x, state.inverse, over);
    }
  };
  if (state.upper_dual.empty()) {
    state.active.sweep(rounds, monitor, visit);
  } else {
    state.active.sweep(rounds, monitor, visit, [&](ptrdiff_t tile) { project_upper(state, tile, over); });
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
  for_tiles(state.x, monitor, [&](ptrdiff_t at) {
    const double all = pull[at] + (state.upper_dual.empty() ? 0.0 : state.upper_dual[at]);
    state.x[at] = state.target[at] - (state.inverse.empty() ? all : all * state.inverse[at]);
  });
}

void face_step(ProjectionState& state, int iterations, Monitor& monitor) {
  state.active.forget(monitor);
  auto& lists = state.active.lists();
  std::vector<ptrdiff_t> first(lists.size() + 1, 0);
  for (std::size_t l = 0; l < lists.size(); ++l) first[l + 1] = first[l] + std::ssize(lists[l].dual);
  const ptrdiff_t size = first.back();
  if (size == 0 || monitor.stopped()) return;
  std::vector<double> broken(static_cast<std::size_t>(size)), step(broken.size(), 0.0);
  gather(state.active, first, state.x, broken.data(), monitor);
  PairTiles y(state.x.items(), 0.0);
  const auto apply = [&](const double* p, double* out, ptrdiff_t) {
    for_tiles(y, monitor, [&](ptrdiff_t at) { y[at] = 0.0; });
    scatter(state.active, first, p, y, monitor);
    if (!state.inverse.empty()) for_tiles(y, monitor, [&](ptrdiff_t at) { y[at] *= state.inverse[at]; });
    gather(state.active, first, y, out, monitor);
  };
  const auto plain = [&](const double* r, double* z, ptrdiff_t) { std::copy(r, r + size, z); };
  linalg::CgOptions options;
  options.tol = 0.05;
  options.max_iter = iterations;
  linalg::conjugate_gradients(size, 1, apply, plain, broken.data(), step.data(), options, monitor);
  if (monitor.stopped()) return;

  std::vector<double>& before = broken;  // done with the right-hand side
  for (std::size_t l = 0; l < lists.size(); ++l)
    std::copy(lists[l].dual.begin(), lists[l].dual.end(), before.begin() + first[l]);
  const auto move = [&](double factor) {
    parallel_for(std::ssize(lists), 64, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto l = static_cast<std::size_t>(begin); l < static_cast<std::size_t>(end); ++l)
        for (std::size_t s = 0; s < lists[l].dual.size(); ++s) {
          const auto at = static_cast<std::size_t>(first[l]) + s;
          lists[l].dual[s] = std::max(0.0, before[at] + factor * step[at]);
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
