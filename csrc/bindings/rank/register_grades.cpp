#include "bindings/arrays.hpp"
#include "bindings/rank/chains.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "rank/over_time/grade_scale.hpp"

namespace steelyard::bindings {
namespace {

void check_offsets(std::span<const std::int64_t> offsets, std::ptrdiff_t end, const char* name) {
  bool rising = !offsets.empty() && offsets.front() == 0 && offsets.back() == end;
  for (std::size_t i = 1; rising && i < offsets.size(); ++i) rising = offsets[i] >= offsets[i - 1];
  if (!rising) throw py::value_error(std::string(name) + " must rise from 0 to the number of entries");
}

rank::Ascents make_ascents(const Array<std::int64_t>& chains, const Array<double>& precision,
                           const Array<std::int64_t>& cells, const Array<double>& grade,
                           const Array<double>& sent, const Array<double>& failed,
                           const std::array<double, 4>& laws) {
  const rank::Ascents out{vector_view(chains, "chains"),
                          vector_view(precision, "precision"),
                          vector_view(cells, "cells"),
                          vector_view(grade, "grade"),
                          vector_view(sent, "sent"),
                          vector_view(failed, "failed"),
                          laws[0],
                          laws[1],
                          laws[2],
                          laws[3]};
  check_offsets(out.chains, out.nodes(), "chains");
  check_offsets(out.cells, std::ssize(out.grade), "cells");
  if (std::ssize(out.cells) != out.nodes() + 1 || out.sent.size() != out.grade.size() ||
      out.failed.size() != out.grade.size())
    throw py::value_error("cells, sent and failed must describe the ascents");
  return out;
}

py::tuple mode(const Array<std::int64_t>& chains, const Array<double>& precision,
               const Array<std::int64_t>& cells, const Array<double>& grade, const Array<double>& sent,
               const Array<double>& failed, const std::array<double, 4>& laws) {
  const auto ascents = make_ascents(chains, precision, cells, grade, sent, failed, laws);
  auto found = run(1, no_progress, [&](Monitor& monitor) { return rank::find_mode(ascents, monitor); });
  return py::make_tuple(take(std::move(found.at)), found.decrement, found.iterations);
}

py::dict sample_grades(const Array<std::int64_t>& chains, const Array<double>& precision,
                       const Array<std::int64_t>& cells, const Array<double>& grade,
                       const Array<double>& sent, const Array<double>& failed,
                       const std::array<double, 4>& laws, const Array<double>& at,
                       const OptionalArray<double>& positions, const OptionalArray<double>& steps,
                       const OptionalArray<std::int64_t>& moves, const OptionalArray<double>& mean,
                       const OptionalArray<double>& squares, const OptionalArray<std::int64_t>& counts,
                       std::int64_t n_chains, std::int64_t warmup, std::int64_t draws, std::uint64_t seed,
                       int n_threads, const py::object& progress) {
  const auto ascents = make_ascents(chains, precision, cells, grade, sent, failed, laws);
  const auto start = vector_view(at, "at");
  const auto size = ascents.nodes() + 1;
  if (std::ssize(start) != size) throw py::value_error("at must have one number a node, and the slope");
  const rank::GradeMode found{{start.begin(), start.end()}, 0.0, 0};
  auto walkers = read_chains(positions, steps, moves, n_chains, warmup, draws, size);
  const auto rows = room_for<double>("n_draws", n_chains, draws);
  const auto moments = room_for<double>("n_chains", n_chains, size - 1);
  std::vector<double> slope(rows), log_posterior(rows), means(moments, 0.0), spread(moments, 0.0);
  for (const auto& [given, own] : {std::pair{&mean, &means}, std::pair{&squares, &spread}}) {
    if (!*given) continue;
    if (steelyard::at((*given)->size()) != moments)
      throw py::value_error("mean and squares must have one number a chain and node");
    std::copy_n((*given)->data(), moments, own->begin());
  }
  std::vector<std::int64_t> held(steelyard::at(n_chains), 0);
  if (counts) {
    const auto given = vector_view(counts, "counts");
    if (given.size() != held.size()) throw py::value_error("counts must have one number a chain");
    std::copy(given.begin(), given.end(), held.begin());
  }
  const auto [made, stopped] = run_partial(n_threads, progress, [&](Monitor& monitor) {
    return rank::sample_grades(ascents, found, walkers, {warmup, draws}, seed, held,
                               {slope.data(), log_posterior.data(), means.data(), spread.data()}, monitor);
  });
  return py::dict("slope"_a = take(std::move(slope), n_chains, draws),
                  "log_posterior"_a = take(std::move(log_posterior), n_chains, draws),
                  "mean"_a = take(std::move(means), n_chains, size - 1),
                  "squares"_a = take(std::move(spread), n_chains, size - 1),
                  "counts"_a = take(std::move(held)), "made"_a = made, "interrupted"_a = stopped,
                  "chains"_a = write_chains(walkers, size));
}

}  // namespace

void register_grades(py::module_& m) {
  m.def("_grade_mode", &mode, "chains"_a, "precision"_a, "cells"_a, "grade"_a, "sent"_a, "failed"_a,
        "laws"_a);
  m.def("_sample_grades", &sample_grades, "chains"_a, "precision"_a, "cells"_a, "grade"_a, "sent"_a,
        "failed"_a, "laws"_a, "at"_a, "positions"_a, "steps"_a, "moves"_a, "mean"_a, "squares"_a, "counts"_a,
        "n_chains"_a, "warmup"_a, "draws"_a, "seed"_a, "n_threads"_a, "progress"_a);
}

}  // namespace steelyard::bindings
