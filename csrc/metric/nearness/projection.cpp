#include "metric/nearness/projection.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "core/index.hpp"
#include "metric/exact_sum.hpp"
#include "metric/nearness/dual_ascent.hpp"

namespace steelyard::metric {
namespace {

using std::ptrdiff_t;

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

/// Passes over triangles and upper bounds, as dual_ascent.hpp wants them.
class TrianglePasses {
 public:
  explicit TrianglePasses(ProjectionState& state)
      : state_(state),
        first_(first_entries(state.active)),
        duals_(all_duals(state.active)),
        upper_duals_(state.upper_dual),
        x_(state.x) {}

  double loss(Monitor& monitor) const { return dual_loss(state_, monitor); }

  void pass(double beta, Monitor& monitor) {
    for_tiles(state_.x, monitor, [&](ptrdiff_t place) {
      const double here = state_.x[place];
      state_.x[place] = here + beta * (here - x_[place]);
      x_[place] = here;
    });
    sweep(
        state_, 1, monitor, [&](ptrdiff_t l) { return Momentum{beta, duals_.data() + first_[at(l)]}; },
        [&](ptrdiff_t tile) { return Momentum{beta, upper_duals_.tile(tile)}; });
  }

 private:
  ProjectionState& state_;
  std::vector<ptrdiff_t> first_;
  std::vector<double> duals_;
  PairTiles upper_duals_, x_;  // of the pass before, as duals_
};

/// The triangles held, as dual_ascent.hpp wants a face.
class TriangleFace {
 public:
  static constexpr double cg_tol = 0.05;

  explicit TriangleFace(ProjectionState& state)
      : state_(state), first_(first_entries(state.active)), y_(state.x.items(), 0.0) {}

  ptrdiff_t size() const { return first_.back(); }
  double loss(Monitor& monitor) const { return dual_loss(state_, monitor); }
  std::vector<double> duals() const { return all_duals(state_.active); }
  void broken(double* out, Monitor& monitor) const { gather(state_.active, first_, state_.x, out, monitor); }
  void precondition(const double* r, double* z) const { std::copy(r, r + size(), z); }

  void apply(const double* p, double* out, Monitor& monitor) {
    for_tiles(y_, monitor, [&](ptrdiff_t place) { y_[place] = 0.0; });
    scatter(state_.active, first_, p, y_, monitor);
    if (!state_.inverse.empty())
      for_tiles(y_, monitor, [&](ptrdiff_t place) { y_[place] *= state_.inverse[place]; });
    gather(state_.active, first_, y_, out, monitor);
  }

  void move(const std::vector<double>& before, double factor, const std::vector<double>& step,
            Monitor& monitor) {
    auto& lists = state_.active.lists();
    parallel_for(std::ssize(lists), 64, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto l = at(begin); l < at(end); ++l)
        for (std::size_t s = 0; s < lists[l].dual.size(); ++s) {
          const auto place = at(first_[l]) + s;
          lists[l].dual[s] = std::max(0.0, before[place] + factor * step[place]);
        }
    });
    restore(state_, monitor);
  }

 private:
  ProjectionState& state_;
  std::vector<ptrdiff_t> first_;
  PairTiles y_;
};

}  // namespace

void project(ProjectionState& state, ptrdiff_t passes, Monitor& monitor) {
  const auto none = [](ptrdiff_t) { return Momentum{}; };
  sweep(state, passes, monitor, none, none);
}

void project_with_momentum(ProjectionState& state, ptrdiff_t passes, Monitor& monitor) {
  TrianglePasses held(state);
  passes_with_momentum(held, passes, monitor);
}

PairTiles gradient(const ProjectionState& state, Monitor& monitor) {
  PairTiles out(state.x.items(), 0.0);
  scatter(state.active, {}, nullptr, out, monitor);
  return out;
}

PairTiles restore(ProjectionState& state, Monitor& monitor) {
  PairTiles pull = gradient(state, monitor);
  if (monitor.stopped()) return pull;
  for_tiles(state.x, monitor, [&](ptrdiff_t place) {
    const double all = pull[place] + (state.upper_dual.empty() ? 0.0 : state.upper_dual[place]);
    state.x[place] = state.target[place] - (state.inverse.empty() ? all : all * state.inverse[place]);
  });
  return pull;
}

Rounded dual_value(const ProjectionState& state, const PairTiles& pull, Monitor& monitor) {
  const auto& lists = state.active.lists();
  // Of each list: the gain, the duals, and the sizes of what the gain is made of.
  std::vector<double> gains(lists.size()), duals(lists.size()), sizes(lists.size());
  parallel_for(std::ssize(lists), 64, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    for (auto l = begin; l < end; ++l) {
      const auto& list = lists[at(l)];
      const auto tiles = state.active.tiles_of(l);
      const auto& d = state.target;
      const double *ij = d.tile(tiles.ij), *ik = d.tile(tiles.ik), *jk = d.tile(tiles.jk);
      ExactSum gain;
      for (std::size_t s = 0; s < list.where.size(); ++s) {
        const auto t = list.where[s];
        gain.add(list.dual[s] * (ij[t.ij] - ik[t.ik] - jk[t.jk]));
        duals[at(l)] += list.dual[s];
        sizes[at(l)] += list.dual[s] * (std::abs(ij[t.ij]) + std::abs(ik[t.ik]) + std::abs(jk[t.jk]));
      }
      gains[at(l)] = gain.value();
    }
  });
  const bool weighted = !state.inverse.empty(), bounded = !state.upper_dual.empty();
  const auto tiles = at(pull.tiles());
  std::vector<double> losses(tiles), furthest(tiles);
  parallel_for(pull.tiles(), 8, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    for (auto tile = begin; tile < end; ++tile) {
      ExactSum loss;
      for (auto row = tile * block_area; row < (tile + 1) * block_area; row += block_size) {
        double part = 0.0, far = 0.0;
        for (auto place = row; place < row + block_size; ++place) {
          const double upper = bounded ? state.upper_dual[place] : 0.0, all = pull[place] + upper;
          const double moved = weighted ? all * state.inverse[place] : all;
          part += 0.5 * moved * all;
          if (bounded) part += (state.upper - state.target[place]) * upper;
          far = std::max(far, std::abs(moved));
        }
        loss.add(part);
        furthest[at(tile)] = std::max(furthest[at(tile)], far);
      }
      losses[at(tile)] = loss.value();
    }
  });
  ExactSum value;
  double loss = 0.0;
  for (const double gain : gains) value.add(gain);
  for (const double part : losses) value.add(-part), loss += part;
  const double dual = std::accumulate(duals.begin(), duals.end(), 0.0);
  // d itself was scaled, and three of it cancel; losses are summed in rows of a block; a pair is in less than
  // 3 n triangles, and its pull is that uncertain.
  const auto n = static_cast<double>(pull.items());
  const double size = std::accumulate(sizes.begin(), sizes.end(), 0.0);
  const double pulled = 9.0 * n * dual * *std::ranges::max_element(furthest);
  return {value.value(), 2.0 * unit_roundoff * (4.0 * size + 2.0 * (block_size + 6.0) * loss + pulled)};
}

void face_step(ProjectionState& state, int iterations, Monitor& monitor) {
  state.active.forget(monitor);
  TriangleFace face(state);
  step_on_face(face, iterations, monitor);
}

}  // namespace steelyard::metric
