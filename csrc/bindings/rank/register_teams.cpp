#include <string>
#include <tuple>
#include <vector>

#include "bindings/arrays.hpp"
#include "bindings/choice.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "rank/paired/group_system.hpp"
#include "rank/paired/teams.hpp"
#include "rank/paired/tie_models.hpp"

namespace steelyard::bindings {
namespace {

/// A matrix of games x items as SciPy has it, by rows and by columns. It keeps the arrays that it views.
class Sides {
 public:
  Sides(Array<std::int64_t> offsets, Array<std::int32_t> items, Array<double> weights,
        Array<std::int64_t> item_offsets, Array<std::int32_t> games, Array<double> item_weights)
      : offsets_(std::move(offsets)),
        items_(std::move(items)),
        weights_(std::move(weights)),
        item_offsets_(std::move(item_offsets)),
        games_(std::move(games)),
        item_weights_(std::move(item_weights)),
        view_{{vector_view(offsets_, "offsets"), vector_view(items_, "items")},
              {vector_view(item_offsets_, "item_offsets"), vector_view(games_, "games")},
              vector_view(weights_, "weights"),
              vector_view(item_weights_, "item_weights")} {
    check(view_.rows, view_.row_values, view_.columns.rows(), "offsets, items and weights");
    check(view_.columns, view_.column_values, view_.rows.rows(), "item_offsets, games and item_weights");
    if (view_.rows.entries() != view_.columns.entries())
      throw py::value_error("both orders must have the same number of entries");
  }
  Sides(const Sides&) = delete;
  Sides& operator=(const Sides&) = delete;

  const rank::SideMatrix& view() const { return view_; }

 private:
  static void check(const CsrPattern& pattern, std::span<const double> values, std::ptrdiff_t width,
                    const char* names) {
    bool fits = !pattern.offsets.empty() && pattern.offsets.front() == 0 &&
                pattern.offsets.back() == pattern.entries() && std::ssize(values) == pattern.entries();
    for (std::size_t k = 1; k < pattern.offsets.size(); ++k)
      fits = fits && pattern.offsets[k - 1] <= pattern.offsets[k];
    for (const auto i : pattern.indices) fits = fits && i >= 0 && i < width;
    if (!fits) throw py::value_error(std::string(names) + " must be a compressed matrix");
  }

  Array<std::int64_t> offsets_;
  Array<std::int32_t> items_;
  Array<double> weights_;
  Array<std::int64_t> item_offsets_;
  Array<std::int32_t> games_;
  Array<double> item_weights_;
  rank::SideMatrix view_;
};

class Teams {
 public:
  Teams(const Sides& sides, Array<double> effects, Array<double> ridge, Array<double> wins,
        Array<double> losses, OptionalArray<double> ties, const std::string& ties_model, double prior,
        OptionalArray<double> springs, bool centred, OptionalArray<std::int64_t> group_begins,
        OptionalArray<std::int32_t> group_whole)
      : effects_(std::move(effects)),
        ridge_(std::move(ridge)),
        wins_(std::move(wins)),
        losses_(std::move(losses)),
        ties_(std::move(ties)),
        springs_(std::move(springs)),
        group_begins_(std::move(group_begins)),
        group_whole_(std::move(group_whole)),
        problem_{sides.view(),
                 matrix_view(effects_, "effects"),
                 vector_view(ridge_, "ridge"),
                 {vector_view(wins_, "wins"), vector_view(losses_, "losses"), vector_view(ties_, "ties")},
                 choice<rank::Ties>(rank::tie_words, ties_model, "ties_model"),
                 prior,
                 vector_view(springs_, "springs"),
                 centred,
                 {vector_view(group_begins_, "group_begins"), vector_view(group_whole_, "group_whole")}} {
    const auto games = at(problem_.sides.games());
    const auto& counts = problem_.counts;
    if (counts.wins().size() != games || counts.losses().size() != games ||
        (!counts.ties().empty() && counts.ties().size() != games))
      throw py::value_error("wins, losses and ties must have one entry a game");
    if (at(problem_.effects.rows) != games || problem_.effects.cols != std::ssize(problem_.ridge))
      throw py::value_error("effects must have a row a game and a column an entry of ridge");
    if (!problem_.springs.empty() && std::ssize(problem_.springs) != problem_.sides.items())
      throw py::value_error("springs must have one entry an item");
    if (problem_.ties != rank::Ties::none && counts.ties().empty())
      throw py::value_error("ties must be given to a model of ties");
    if (!problem_.groups.begins.empty() || !problem_.groups.whole.empty()) check_groups();
  }
  Teams(const Teams&) = delete;
  Teams& operator=(const Teams&) = delete;

  const rank::TeamProblem& view() const { return problem_; }

  rank::TeamPoint point(const Array<double>& strengths, double tie, const Array<double>& effects) const {
    const auto s = vector_view(strengths, "strengths"), b = vector_view(effects, "effects");
    if (std::ssize(s) != problem_.sides.items() || std::ssize(b) != problem_.effects.cols)
      throw py::value_error("strengths and effects must have one entry each");
    return {{s.begin(), s.end()}, tie, {b.begin(), b.end()}};
  }

 private:
  void check_groups() const {
    const auto items = problem_.sides.items();
    const auto& [begins, whole] = problem_.groups;
    bool fits = !begins.empty() && begins.front() >= 0 && begins.back() == items &&
                !problem_.springs.empty() && std::ssize(whole) == items - begins.front();
    for (std::size_t g = 1; fits && g < begins.size(); ++g) fits = begins[g - 1] <= begins[g];
    for (std::size_t g = 1; fits && g < begins.size(); ++g) {
      const auto base = begins.front();
      for (auto c = begins[g - 1]; c < begins[g]; ++c) {
        const auto w = whole[at(c - base)];
        fits = fits && w >= -1 && w < base && problem_.springs[at(c)] == problem_.springs[at(base)] &&
               (c == begins[g - 1] || whole[at(c - base - 1)] < w);
      }
    }
    if (!fits) throw py::value_error("group_begins, group_whole and springs must be blocks of a whole");
  }

  Array<double> effects_, ridge_, wins_, losses_;
  OptionalArray<double> ties_, springs_;
  OptionalArray<std::int64_t> group_begins_;
  OptionalArray<std::int32_t> group_whole_;
  rank::TeamProblem problem_;
};

py::dict fit_teams(const Teams& self, const Array<double>& strengths, double tie,
                   const Array<double>& effects, double tol, int max_iter, int n_threads,
                   const py::object& progress) {
  const auto start = self.point(strengths, tie, effects);
  const rank::FitOptions options{tol, max_iter, 0};
  auto fit = run_partial(n_threads, progress, [&](Monitor& monitor) {
               return rank::fit_teams(self.view(), start, options, monitor);
             }).result;
  return py::dict("strengths"_a = take(std::move(fit.point.strengths)), "tie"_a = fit.point.tie,
                  "effects"_a = take(std::move(fit.point.effects)), "log_likelihood"_a = fit.log_likelihood,
                  "log_volume"_a = fit.log_volume, "info"_a = to_dict(fit.info));
}

py::dict derivatives(const Teams& self, const Array<double>& strengths, double tie,
                     const Array<double>& effects, int n_threads) {
  const auto point = self.point(strengths, tie, effects);
  auto d = run(n_threads, no_progress, [&](Monitor& monitor) {
    rank::Derivatives out;
    rank::evaluate(self.view(), point, out, monitor);
    return out;
  });
  const auto items = self.view().sides.items();
  return py::dict("game_curvature"_a = take(std::move(d.cell_curvature)),
                  "gradient"_a = take(std::move(d.gradient)),
                  "prior_curvature"_a = take(std::move(d.prior_curvature)),
                  "border"_a = take(std::move(d.border), items, d.extra),
                  "extra_gradient"_a = take(std::move(d.extra_gradient)),
                  "extra_hessian"_a = take(std::move(d.extra_hessian), d.extra, d.extra));
}

/// X that solves H X = B over all parameters; None if H is singular to rounding.
py::object solve(const Teams& self, const Array<double>& strengths, double tie, const Array<double>& effects,
                 const Array<double>& right_sides, double accuracy, int n_threads) {
  const auto point = self.point(strengths, tie, effects);
  const auto b = matrix_view(right_sides, "right_sides");
  if (b.rows != self.view().sides.items() + self.view().extra())
    throw py::value_error("right_sides must have one row a parameter");
  std::vector<double> x(checked_product("right_sides", b.rows, b.cols));
  const bool solved = run(n_threads, no_progress, [&](Monitor& monitor) {
    rank::Derivatives d;
    rank::TeamSystem system(self.view(), rank::Linear::automatic, monitor);
    return rank::evaluate(self.view(), point, d, monitor) && system.prepare(d, monitor) &&
           system.solve_all(d, b, x.data(), accuracy, monitor);
  });
  return solved ? py::object(take(std::move(x), b.rows, b.cols)) : py::none();
}

/// Lower factors of the blocks of groups, one after the other, and the Schur complement's; None if singular to rounding.
py::object group_factors(const Teams& self, const Array<double>& strengths, double tie,
                         const Array<double>& effects, int n_threads) {
  const auto point = self.point(strengths, tie, effects);
  if (self.view().groups.begins.empty()) throw py::value_error("group_factors needs groups");
  std::vector<double> blocks, schur;
  const bool found = run(n_threads, no_progress, [&](Monitor& monitor) {
    rank::Derivatives d;
    rank::GroupSystem system(self.view());
    if (!rank::evaluate(self.view(), point, d, monitor) || !system.factor(d, monitor)) return false;
    std::tie(blocks, schur) = std::move(system).take();
    return true;
  });
  if (!found) return py::none();
  const auto base = self.view().groups.begins.front();
  return py::make_tuple(take(std::move(blocks)), take(std::move(schur), base, base));
}

/// Standard errors by the law that these parts make, groups x items.
py::array group_errors(std::ptrdiff_t n_items, double tension, const Array<std::int64_t>& begins,
                       const Array<std::int32_t>& items, const Array<double>& blocks,
                       const Array<double>& border, const Array<double>& sigma, int n_threads) {
  const rank::GroupLaw law{n_items,
                           tension,
                           vector_view(begins, "begins"),
                           vector_view(items, "items"),
                           vector_view(blocks, "blocks"),
                           matrix_view(border, "border"),
                           matrix_view(sigma, "sigma")};
  const auto base = law.sigma.rows - law.border.cols;
  bool fits = !law.begins.empty() && law.begins.front() == 0 && law.begins.back() == std::ssize(law.places) &&
              law.border.rows == std::ssize(law.places) && law.sigma.cols == law.sigma.rows &&
              base <= n_items && base >= n_items - 1;
  std::int64_t numbers = 0;
  for (std::size_t g = 1; fits && g < law.begins.size(); ++g) {
    const auto size = law.begins[g] - law.begins[g - 1];
    fits = size >= 0 && size <= n_items;
    numbers += size * size;
  }
  for (const auto i : law.places) fits = fits && i >= 0 && i < n_items;
  if (!fits || numbers != std::ssize(law.blocks))
    throw py::value_error("begins, items and blocks must be a law");
  const auto groups = std::ssize(law.begins) - 1;
  std::vector<double> out(checked_product("begins", groups, n_items));
  if (!run(n_threads, no_progress,
           [&](Monitor& monitor) { return rank::group_standard_errors(law, out.data(), monitor); }))
    throw py::value_error("blocks must be factors");
  return take(std::move(out), groups, n_items);
}

/// The parts of some columns that the games do not see; None where the iteration did not converge.
py::object unseen(const Sides& sides, const Array<double>& columns, int n_threads) {
  const auto given = matrix_view(columns, "columns");
  if (given.rows != sides.view().items()) throw py::value_error("columns must have one row an item");
  std::vector<double> x(given.data, given.data + checked_product("columns", given.rows, given.cols));
  const bool found = run(n_threads, no_progress, [&](Monitor& monitor) {
    return rank::unseen_parts(sides.view(), x.data(), given.cols, monitor);
  });
  return found ? py::object(take(std::move(x), given.rows, given.cols)) : py::none();
}

}  // namespace

void register_teams(py::module_& m) {
  py::class_<Sides>(m, "Sides")
      .def(py::init<Array<std::int64_t>, Array<std::int32_t>, Array<double>, Array<std::int64_t>,
                    Array<std::int32_t>, Array<double>>(),
           "offsets"_a, "items"_a, "weights"_a, "item_offsets"_a, "games"_a, "item_weights"_a)
      .def("unseen", &unseen, "columns"_a, "n_threads"_a);
  py::class_<Teams>(m, "Teams")
      .def(py::init<const Sides&, Array<double>, Array<double>, Array<double>, Array<double>,
                    OptionalArray<double>, const std::string&, double, OptionalArray<double>, bool,
                    OptionalArray<std::int64_t>, OptionalArray<std::int32_t>>(),
           "sides"_a, "effects"_a, "ridge"_a, "wins"_a, "losses"_a, "ties"_a, "ties_model"_a, "prior"_a,
           "springs"_a, "centred"_a, "group_begins"_a, "group_whole"_a, py::keep_alive<1, 2>())
      .def("fit", &fit_teams, "strengths"_a, "tie"_a, "effects"_a, "tol"_a, "max_iter"_a, "n_threads"_a,
           "progress"_a)
      .def("derivatives", &derivatives, "strengths"_a, "tie"_a, "effects"_a, "n_threads"_a)
      .def("group_factors", &group_factors, "strengths"_a, "tie"_a, "effects"_a, "n_threads"_a)
      .def_static("group_errors", &group_errors, "n_items"_a, "tension"_a, "begins"_a, "items"_a, "blocks"_a,
                  "border"_a, "sigma"_a, "n_threads"_a)
      .def("solve", &solve, "strengths"_a, "tie"_a, "effects"_a, "right_sides"_a, "accuracy"_a,
           "n_threads"_a);
}

}  // namespace steelyard::bindings
