#include "rank/paired/teams.hpp"

#include <algorithm>
#include <cmath>

#include "core/index.hpp"
#include "core/logistic.hpp"
#include "core/pool.hpp"
#include "linalg/cg.hpp"
#include "rank/paired/tie_models.hpp"
#include "simd/table.hpp"

namespace steelyard::rank {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t games_per_chunk = 8192;
constexpr ptrdiff_t games_per_block = 512;

/// What a chunk of games adds to the derivatives by the border's parameters.
struct BorderSums {
  explicit BorderSums(int size) : extra(at(size)), gradient(extra, 0.0), hessian(extra * extra, 0.0) {}

  void operator+=(const BorderSums& other) {
    for (std::size_t k = 0; k < gradient.size(); ++k) gradient[k] += other.gradient[k];
    for (std::size_t k = 0; k < hessian.size(); ++k) hessian[k] += other.hessian[k];
  }

  std::size_t extra;
  std::vector<double> gradient, hessian;
};

double row_sum(const CsrPattern& rows, std::span<const double> values, ptrdiff_t row, const double* x) {
  double sum = 0.0;
  for (auto k = rows.offsets[at(row)]; k < rows.offsets[at(row) + 1]; ++k)
    sum += values[at(k)] * x[rows.indices[at(k)]];
  return sum;
}

double argument(const TeamProblem& problem, const TeamPoint& point, ptrdiff_t game) {
  double x = row_sum(problem.sides.rows, problem.sides.row_values, game, point.strengths.data());
  const double* z = problem.effects.row(game);
  for (std::size_t e = 0; e < point.effects.size(); ++e) x += z[e] * point.effects[e];
  return x;
}

BorderSums evaluate_games(const TeamProblem& problem, const TeamPoint& point, ptrdiff_t begin, ptrdiff_t end,
                          Derivatives& out) {
  const auto& kernels = *simd::kernels().pair_terms;
  const auto [terms_of, tie] = with_ties(problem.ties, point.tie, [&](const auto& law) {
    return std::pair(law.terms(kernels), law.kernel_parameter());
  });
  const bool cross = problem.tie_columns() > 0;
  const double* ties = problem.counts.ties().empty() ? nullptr : problem.counts.ties().data();
  double x[games_per_block];
  BorderSums sums(problem.extra());
  const auto by = [&](std::size_t i, std::size_t j) -> double& { return sums.hessian[i * sums.extra + j]; };
  for (auto b = begin; b < end; b += games_per_block) {
    const auto e = std::min(b + games_per_block, end);
    for (auto g = b; g < e; ++g) x[g - b] = argument(problem, point, g);
    const auto part = terms_of(x, problem.counts.wins().data() + b, problem.counts.losses().data() + b,
                               ties ? ties + b : nullptr, e - b, tie, out.cell_gradient.data() + b,
                               out.cell_curvature.data() + b, cross ? out.cell_cross.data() + b : nullptr);
    if (!cross) continue;
    sums.gradient[0] += part.gradient;
    by(0, 0) += part.curvature;
  }
  const std::size_t first = cross ? 1 : 0, effects = sums.extra - first;
  for (auto g = begin; effects > 0 && g < end; ++g) {
    const double* z = problem.effects.row(g);
    for (std::size_t c = 0; c < effects; ++c) {
      if (z[c] == 0.0) continue;
      sums.gradient[first + c] += z[c] * out.cell_gradient[at(g)];
      if (cross) by(0, first + c) += z[c] * out.cell_cross[at(g)];
      const double curvature = z[c] * out.cell_curvature[at(g)];
      for (std::size_t f = c; f < effects; ++f) by(first + c, first + f) += curvature * z[f];
    }
  }
  return sums;
}

/// What all ties together say of the tie parameter, and the priors of the effects.
void finish_border(const TeamProblem& problem, const TeamPoint& point, BorderSums& sums, Derivatives& out) {
  const std::size_t first = at(problem.tie_columns());
  if (first > 0) {
    double ties = 0.0;
    for (const double t : problem.counts.ties()) ties += t;
    const auto [gradient, curvature] =
        with_ties(problem.ties, point.tie, [&](const auto& law) { return law.threshold(ties); });
    sums.gradient[0] += gradient;
    sums.hessian[0] += curvature;
  }
  for (std::size_t e = 0; e < point.effects.size(); ++e) {
    const auto c = first + e;
    sums.gradient[c] -= problem.ridge[e] * point.effects[e];
    sums.hessian[c * sums.extra + c] += problem.ridge[e];
  }
  for (std::size_t i = 0; i < sums.extra; ++i)
    for (std::size_t j = 0; j < i; ++j) sums.hessian[i * sums.extra + j] = sums.hessian[j * sums.extra + i];
  out.extra_gradient = std::move(sums.gradient);
  out.extra_hessian = std::move(sums.hessian);
}

/// Gathers the games of one item.
void gather_item(const TeamProblem& problem, ptrdiff_t i, Derivatives& out) {
  const auto& columns = problem.sides.columns;
  const auto extra = at(out.extra), first = at(problem.tie_columns());
  double gradient = 0.0, diagonal = 0.0;
  double* border = out.border.data() + at(i) * extra;
  std::fill(border, border + extra, 0.0);
  for (auto k = columns.offsets[at(i)]; k < columns.offsets[at(i) + 1]; ++k) {
    const auto game = at(columns.indices[at(k)]);
    const double a = problem.sides.column_values[at(k)], curvature = a * out.cell_curvature[game];
    gradient += a * out.cell_gradient[game];
    diagonal += a * curvature;
    if (first > 0) border[0] += a * out.cell_cross[game];
    const double* z = problem.effects.row(static_cast<ptrdiff_t>(game));
    for (std::size_t e = first; e < extra; ++e) border[e] += curvature * z[e - first];
  }
  out.gradient[at(i)] = gradient;
  out.diagonal[at(i)] = diagonal;
}

/// Hands the games of a chunk to their items: gradient, diagonal and border, `width` numbers an item.
void scatter_games(const TeamProblem& problem, const Derivatives& d, ptrdiff_t begin, ptrdiff_t end,
                   double* sums) {
  const auto& rows = problem.sides.rows;
  const auto extra = at(d.extra), first = at(problem.tie_columns()), width = extra + 2;
  for (auto g = begin; g < end; ++g) {
    const double gradient = d.cell_gradient[at(g)], curvature = d.cell_curvature[at(g)];
    const double* z = problem.effects.row(g);
    for (auto k = rows.offsets[at(g)]; k < rows.offsets[at(g) + 1]; ++k) {
      double* item = sums + at(rows.indices[at(k)]) * width;
      const double a = problem.sides.row_values[at(k)], bent = a * curvature;
      item[0] += a * gradient;
      item[1] += a * bent;
      if (first > 0) item[2] += a * d.cell_cross[at(g)];
      for (std::size_t e = first; e < extra; ++e) item[2 + e] += bent * z[e - first];
    }
  }
}

constexpr ptrdiff_t scatter_chunks = 16;

/// Are there so many games an item that sums of all items, one a chunk, cost little beside them?
bool scatters(const SideMatrix& sides) { return sides.rows.entries() >= 4 * scatter_chunks * sides.items(); }

ptrdiff_t scatter_grain(const SideMatrix& sides) {
  return std::max<ptrdiff_t>(1, (sides.games() + scatter_chunks - 1) / scatter_chunks);
}

/// Chunks of rows of some 50 us.
ptrdiff_t row_chunk(const CsrPattern& pattern, ptrdiff_t columns) {
  const double entries =
      static_cast<double>(pattern.entries()) / static_cast<double>(std::max<ptrdiff_t>(1, pattern.rows()));
  return grain_for(1.5 * static_cast<double>(columns) * entries + 5.0);
}

template <int fixed>
void multiply_rows_of(const CsrPattern& rows, std::span<const double> values, const double* x, double* y,
                      ptrdiff_t columns, ptrdiff_t begin, ptrdiff_t end) {
  const ptrdiff_t m = fixed > 0 ? fixed : columns;
  for (auto i = begin; i < end; ++i) {
    double* out = y + i * m;
    double sum[std::size_t{fixed > 0 ? fixed : 1}] = {};
    if constexpr (fixed == 0) std::fill(out, out + m, 0.0);
    for (auto k = rows.offsets[at(i)]; k < rows.offsets[at(i) + 1]; ++k) {
      const double* from = x + static_cast<ptrdiff_t>(rows.indices[at(k)]) * m;
      const double a = values[at(k)];
      if constexpr (fixed > 0) {
        for (int c = 0; c < fixed; ++c) sum[c] += a * from[c];
      } else {
        for (ptrdiff_t c = 0; c < m; ++c) out[c] += a * from[c];
      }
    }
    if constexpr (fixed > 0) std::copy(sum, sum + fixed, out);
  }
}

void multiply_rows_wide(const CsrPattern& rows, std::span<const double> values, const double* x, double* y,
                        ptrdiff_t columns, Monitor& monitor) {
  parallel_for(rows.rows(), row_chunk(rows, columns), monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    switch (columns) {
      case 1:
        return multiply_rows_of<1>(rows, values, x, y, columns, begin, end);
      case 2:
        return multiply_rows_of<2>(rows, values, x, y, columns, begin, end);
      default:
        return multiply_rows_of<0>(rows, values, x, y, columns, begin, end);
    }
  });
}

/// y += A' C A x over some games.
template <int fixed>
void add_gram(const SideMatrix& sides, const double* curvature, const double* x, double* y, double* there,
              ptrdiff_t columns, ptrdiff_t begin, ptrdiff_t end) {
  const ptrdiff_t m = fixed > 0 ? fixed : columns;
  const auto* indices = sides.rows.indices.data();
  const double* values = sides.row_values.data();
  for (auto g = begin; g < end; ++g) {
    const auto first = sides.rows.offsets[at(g)], last = sides.rows.offsets[at(g) + 1];
    std::fill(there, there + m, 0.0);
    for (auto k = first; k < last; ++k) {
      const double* from = x + static_cast<ptrdiff_t>(indices[k]) * m;
      for (ptrdiff_t c = 0; c < m; ++c) there[c] += values[k] * from[c];
    }
    for (ptrdiff_t c = 0; curvature != nullptr && c < m; ++c) there[c] *= curvature[g];
    for (auto k = first; k < last; ++k) {
      double* to = y + static_cast<ptrdiff_t>(indices[k]) * m;
      for (ptrdiff_t c = 0; c < m; ++c) to[c] += values[k] * there[c];
    }
  }
}

/// y <- the sum of scatter_chunks vectors, in their order.
void add_chunks(const std::vector<double>& sums, ptrdiff_t size, double* y, Monitor& monitor) {
  parallel_for(size, 16384, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    std::copy(sums.begin() + begin, sums.begin() + end, y + begin);
    for (ptrdiff_t c = 1; c < scatter_chunks; ++c)
      for (auto i = begin; i < end; ++i) y[i] += sums[at(c * size + i)];
  });
}

}  // namespace

void multiply_sides(const SideMatrix& sides, const double* x, double* y, Monitor& monitor) {
  multiply_rows_wide(sides.rows, sides.row_values, x, y, 1, monitor);
}

void multiply_gram(const SideMatrix& sides, std::span<const double> curvature, const double* x, double* y,
                   ptrdiff_t columns, std::vector<double>& by_game, Monitor& monitor) {
  const auto games = sides.games(), size = sides.items() * columns;
  const double* c = curvature.empty() ? nullptr : curvature.data();
  if (scatters(sides)) {
    const auto grain = scatter_grain(sides);
    by_game.assign(checked_product("working memory", size, scatter_chunks), 0.0);
    parallel_for(games, grain, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
      std::vector<double> there(at(columns));
      double* sums = &by_game[at(begin / grain * size)];
      columns == 1 ? add_gram<1>(sides, c, x, sums, there.data(), columns, begin, end)
                   : add_gram<0>(sides, c, x, sums, there.data(), columns, begin, end);
    });
    add_chunks(by_game, size, y, monitor);
    return;
  }
  by_game.resize(checked_product("working memory", games, columns));
  multiply_rows_wide(sides.rows, sides.row_values, x, by_game.data(), columns, monitor);
  if (c != nullptr) {
    parallel_for(games, 32768, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto g = begin; g < end; ++g)
        for (ptrdiff_t k = 0; k < columns; ++k) by_game[at(g * columns + k)] *= c[g];
    });
  }
  multiply_rows_wide(sides.columns, sides.column_values, by_game.data(), y, columns, monitor);
}

namespace {

/// Sums over the games of each item.
bool add_to_items(const TeamProblem& problem, Derivatives& out, Monitor& monitor) {
  const auto& sides = problem.sides;
  const auto games = sides.games(), items = sides.items(), width = static_cast<ptrdiff_t>(out.extra) + 2;
  if (items == 0) return !monitor.stopped();
  if (!scatters(sides)) {
    return parallel_for(items, row_chunk(sides.columns, width), monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
      for (auto i = begin; i < end; ++i) gather_item(problem, i, out);
    });
  }
  const auto grain = scatter_grain(sides), size = items * width;
  std::vector<double> sums(checked_product("working memory", size, scatter_chunks), 0.0), all(at(size));
  const bool complete = parallel_for(games, grain, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    scatter_games(problem, out, begin, end, &sums[at(begin / grain * size)]);
  });
  add_chunks(sums, size, all.data(), monitor);
  for (ptrdiff_t i = 0; i < items; ++i) {
    const double* item = &all[at(i * width)];
    out.gradient[at(i)] = item[0];
    out.diagonal[at(i)] = item[1];
    std::copy(item + 2, item + width, &out.border[at(i * (width - 2))]);
  }
  return complete;
}

}  // namespace

bool evaluate(const TeamProblem& problem, const TeamPoint& point, Derivatives& out, Monitor& monitor) {
  const auto games = problem.sides.games(), items = problem.sides.items();
  out.extra = problem.extra();
  out.cell_gradient.resize(at(games));
  out.cell_curvature.resize(at(games));
  out.cell_cross.resize(problem.tie_columns() > 0 ? at(games) : 0);
  out.gradient.resize(at(items));
  out.diagonal.resize(at(items));
  out.prior_curvature.resize(problem.prior > 0.0 || !problem.springs.empty() ? at(items) : 0);
  out.border.resize(checked_product("working memory", items, out.extra));
  std::vector<BorderSums> parts(at((games + games_per_chunk - 1) / games_per_chunk), BorderSums(out.extra));
  bool complete = parallel_for(games, games_per_chunk, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    parts[at(begin / games_per_chunk)] = evaluate_games(problem, point, begin, end, out);
  });
  BorderSums sums(out.extra);
  for (const auto& part : parts) sums += part;
  finish_border(problem, point, sums, out);
  complete = complete && add_to_items(problem, out, monitor);
  for (std::size_t i = 0; i < out.prior_curvature.size(); ++i) {
    const double spring = problem.springs.empty() ? 0.0 : problem.springs[i], s = point.strengths[i];
    auto prior = problem.prior > 0.0 ? logistic_prior(problem.prior, s) : LogisticPrior{0.0, 0.0};
    if (spring > 0.0) prior = {spring * s, spring};
    out.gradient[i] -= prior.gradient;
    out.diagonal[i] += prior.curvature;
    out.prior_curvature[i] = prior.curvature;
  }
  return complete;
}

double log_likelihood(const TeamProblem& problem, const TeamPoint& point, Monitor& monitor) {
  const auto& counts = problem.counts;
  return with_ties(problem.ties, point.tie, [&](const auto& law) {
    return parallel_sum(problem.sides.games(), games_per_chunk, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
      double sum = 0.0;
      for (auto g = begin; g < end; ++g) {
        sum += law.log_likelihood(argument(problem, point, g), counts.wins()[at(g)], counts.losses()[at(g)],
                                  counts.ties_of(at(g)));
      }
      return sum;
    });
  });
}

bool unseen_parts(const SideMatrix& sides, double* vectors, ptrdiff_t columns, Monitor& monitor) {
  const auto n = sides.items();
  const auto size = checked_product("working memory", n, columns);
  std::vector<double> by_game(checked_product("working memory", sides.games(), columns)), b(size),
      x(size, 0.0), diagonal(at(n), 0.0);
  for (ptrdiff_t i = 0; i < n; ++i) {
    for (auto k = sides.columns.offsets[at(i)]; k < sides.columns.offsets[at(i) + 1]; ++k)
      diagonal[at(i)] += sides.column_values[at(k)] * sides.column_values[at(k)];
  }
  const auto apply = [&](const double* in, double* out, ptrdiff_t m) {
    multiply_gram(sides, {}, in, out, m, by_game, monitor);
  };
  const auto jacobi = [&](const double* in, double* out, ptrdiff_t m) {
    for (ptrdiff_t i = 0; i < n; ++i) {
      for (ptrdiff_t c = 0; c < m; ++c)
        out[i * m + c] = diagonal[at(i)] > 0.0 ? in[i * m + c] / diagonal[at(i)] : 0.0;
    }
  };
  apply(vectors, b.data(), columns);
  linalg::CgOptions options;
  options.tol = 1e-9;
  options.max_iter = 3000;
  const auto result =
      linalg::conjugate_gradients(n, columns, apply, jacobi, b.data(), x.data(), options, monitor);
  for (std::size_t k = 0; k < size; ++k) vectors[k] -= x[k];
  return result.converged && !result.interrupted;
}

}  // namespace steelyard::rank
