#include "bindings/arrays.hpp"
#include "bindings/register.hpp"
#include "bindings/run.hpp"
#include "core/pool.hpp"
#include "rank/table/comparison_table.hpp"
#include "rank/table/components.hpp"
#include "rank/table/labels.hpp"
#include "rank/table/pair_graph.hpp"

namespace steelyard::bindings {
namespace {

template <class T>
py::object or_none(std::vector<T>&& values) {
  if (values.empty()) return py::none();
  return take(std::move(values));
}

py::dict grouped(const rank::Votes& votes, std::int32_t items, int n_threads) {
  rank::Table table =
      run(n_threads, no_progress, [&](Monitor& monitor) { return rank::group(votes, items, monitor); });
  return py::dict(
      "left"_a = take(std::move(table.left)), "right"_a = take(std::move(table.right)),
      "left_wins"_a = take(std::move(table.left_wins)), "right_wins"_a = take(std::move(table.right_wins)),
      "ties"_a = or_none(std::move(table.ties)), "left_squared"_a = or_none(std::move(table.left_squared)),
      "right_squared"_a = or_none(std::move(table.right_squared)),
      "ties_squared"_a = or_none(std::move(table.ties_squared)), "home"_a = or_none(std::move(table.home)),
      "source"_a = or_none(std::move(table.source)));
}

py::dict group(const Array<std::int32_t>& first, const Array<std::int32_t>& second,
               const OptionalArray<std::int8_t>& home, const OptionalArray<std::int64_t>& extra,
               const OptionalArray<double>& covariates, const OptionalArray<std::int8_t>& outcome,
               const OptionalArray<double>& weight, const OptionalArray<double>& count, std::int32_t items,
               int n_threads) {
  rank::Votes votes;
  votes.first = vector_view(first, "first");
  votes.second = vector_view(second, "second");
  votes.home = vector_view(home, "home");
  votes.extra = vector_view(extra, "extra");
  votes.covariates = vector_view(covariates, "covariates");
  votes.outcome = vector_view(outcome, "outcome");
  votes.weight = vector_view(weight, "weight");
  votes.count = vector_view(count, "count");
  return grouped(votes, items, n_threads);
}

py::dict merge(const Array<std::int32_t>& first, const Array<std::int32_t>& second,
               const OptionalArray<std::int8_t>& home, const OptionalArray<std::int64_t>& extra,
               const OptionalArray<double>& covariates, const Array<double>& wins,
               const Array<double>& losses, const OptionalArray<double>& ties,
               const OptionalArray<double>& wins_squared, const OptionalArray<double>& losses_squared,
               const OptionalArray<double>& ties_squared, std::int32_t items, int n_threads) {
  rank::Votes votes;
  votes.first = vector_view(first, "first");
  votes.second = vector_view(second, "second");
  votes.home = vector_view(home, "home");
  votes.extra = vector_view(extra, "extra");
  votes.covariates = vector_view(covariates, "covariates");
  votes.wins = vector_view(wins, "wins");
  votes.losses = vector_view(losses, "losses");
  votes.ties = vector_view(ties, "ties");
  votes.wins_squared = vector_view(wins_squared, "wins_squared");
  votes.losses_squared = vector_view(losses_squared, "losses_squared");
  votes.ties_squared = vector_view(ties_squared, "ties_squared");
  return grouped(votes, items, n_threads);
}

py::tuple encode_integers(const Array<std::int64_t>& first, const Array<std::int64_t>& second) {
  const auto a = vector_view(first, "first"), b = vector_view(second, "second");
  rank::Encoded out = run(default_threads(), no_progress,
                          [&](Monitor& monitor) { return rank::encode_integers(a, b, monitor); });
  return py::make_tuple(take(std::move(out.items)), take(std::move(out.first)), take(std::move(out.second)));
}

py::tuple weak_components(const Array<std::int32_t>& left, const Array<std::int32_t>& right,
                          std::int32_t items) {
  const auto a = vector_view(left, "left"), b = vector_view(right, "right");
  auto found =
      run(1, no_progress, [&](Monitor& monitor) { return rank::weak_components(a, b, items, &monitor); });
  return py::make_tuple(take(std::move(found.label)), found.count);
}

py::tuple strong_components(const Array<std::int32_t>& left, const Array<std::int32_t>& right,
                            const Array<double>& forward, const Array<double>& backward, std::int32_t items) {
  const auto a = vector_view(left, "left"), b = vector_view(right, "right");
  const auto won = vector_view(forward, "forward"), lost = vector_view(backward, "backward");
  auto found = run(1, no_progress, [&](Monitor& monitor) {
    return rank::strong_components(a, b, won, lost, items, &monitor);
  });
  return py::make_tuple(take(std::move(found.label)), found.count);
}

rank::PairGraph make_pair_graph(const Array<std::int32_t>& left, const Array<std::int32_t>& right,
                                const Array<double>& left_wins, const Array<double>& right_wins,
                                const OptionalArray<double>& ties, const OptionalArray<double>& left_squared,
                                const OptionalArray<double>& right_squared,
                                const OptionalArray<double>& ties_squared,
                                const OptionalArray<std::int8_t>& home,
                                const OptionalArray<double>& covariates, std::int32_t items, bool keep_home) {
  const rank::TableColumns table{vector_view(left, "left"),
                                 vector_view(right, "right"),
                                 vector_view(left_wins, "left_wins"),
                                 vector_view(right_wins, "right_wins"),
                                 vector_view(ties, "ties"),
                                 vector_view(left_squared, "left_squared"),
                                 vector_view(right_squared, "right_squared"),
                                 vector_view(ties_squared, "ties_squared"),
                                 vector_view(home, "home"),
                                 vector_view(covariates, "covariates")};
  // Viewed columns live as long as the graph, which dies with the GIL held.
  const auto owner = std::make_shared<std::vector<py::object>>();
  const auto keep = [&](const auto&... arrays) { (owner->push_back(arrays), ...); };
  const auto keep_any = [&](const auto&... arrays) { ((arrays ? owner->push_back(*arrays) : void()), ...); };
  keep(left, right, left_wins, right_wins);
  keep_any(ties, left_squared, right_squared, ties_squared, home, covariates);
  return run(1, no_progress, [&](Monitor& monitor) {
    return rank::build_pair_graph(table, items, keep_home, &monitor, owner);
  });
}

template <class T>
auto column(std::vector<T> rank::PairGraph::* member) {
  return [member](const py::object& self) {
    return readonly_view(self.cast<const rank::PairGraph&>().*member, self);
  };
}

template <class T>
auto column(rank::Column<T> rank::PairGraph::* member) {
  return [member](const py::object& self) {
    return readonly_view(std::span<const T>(self.cast<const rank::PairGraph&>().*member), self);
  };
}

template <class T>
auto optional_column(rank::Column<T> rank::PairGraph::* member) {
  return [member](const py::object& self) -> std::optional<py::array_t<T>> {
    const std::span<const T> values = self.cast<const rank::PairGraph&>().*member;
    if (values.empty()) return std::nullopt;
    return readonly_view(values, self);
  };
}

void register_graph(py::module_& m) {
  using rank::PairGraph;
  py::class_<PairGraph>(
      m, "PairGraph",
      "One edge per pair of items and home sign (with covariates: per row): what the solvers walk.")
      .def(py::init(&make_pair_graph), "left"_a, "right"_a, "left_wins"_a, "right_wins"_a, "ties"_a,
           "left_squared"_a, "right_squared"_a, "ties_squared"_a, "home"_a, "covariates"_a, "items"_a,
           "keep_home"_a)
      .def_readonly("items", &PairGraph::items)
      .def_property_readonly("left", column(&PairGraph::left))
      .def_property_readonly("right", column(&PairGraph::right))
      .def_property_readonly("wins", column(&PairGraph::wins))
      .def_property_readonly("losses", column(&PairGraph::losses))
      .def_property_readonly("ties", optional_column(&PairGraph::ties))
      .def_property_readonly("left_squared", optional_column(&PairGraph::left_squared))
      .def_property_readonly("right_squared", optional_column(&PairGraph::right_squared))
      .def_property_readonly("ties_squared", optional_column(&PairGraph::ties_squared))
      .def_property_readonly("home", optional_column(&PairGraph::home))
      .def_property_readonly("covariates", optional_column(&PairGraph::covariates))
      .def_property_readonly("offsets", column(&PairGraph::offsets))
      .def_property_readonly("neighbours", column(&PairGraph::neighbours))
      .def_property_readonly("edge", column(&PairGraph::edge))
      .def_property_readonly("edge_of_row", column(&PairGraph::edge_of_row));
}

}  // namespace

void register_tables(py::module_& m) {
  register_graph(m);
  m.def("_group", &group, "first"_a, "second"_a, "home"_a, "extra"_a, "covariates"_a, "outcome"_a, "weight"_a,
        "count"_a, "items"_a, "n_threads"_a);
  m.def("_merge", &merge, "first"_a, "second"_a, "home"_a, "extra"_a, "covariates"_a, "wins"_a, "losses"_a,
        "ties"_a, "wins_squared"_a, "losses_squared"_a, "ties_squared"_a, "items"_a, "n_threads"_a);
  m.def("_encode_integers", &encode_integers, "first"_a, "second"_a);
  m.def("_weak_components", &weak_components, "left"_a, "right"_a, "items"_a);
  m.def("_strong_components", &strong_components, "left"_a, "right"_a, "forward"_a, "backward"_a, "items"_a);
}

}  // namespace steelyard::bindings
