// Markov chains between Python and the samplers: a list of dicts that can be pickled and handed back.
#pragma once

#include "bindings/arrays.hpp"
#include "rank/hmc.hpp"

namespace steelyard::bindings {

/// `earlier`, or that many fresh chains when it is empty.
inline std::vector<rank::Chain> read_chains(const py::list& earlier, int n_chains, std::ptrdiff_t size) {
  std::vector<rank::Chain> chains(earlier.empty() ? static_cast<std::size_t>(n_chains) : earlier.size());
  for (std::size_t c = 0; c < earlier.size(); ++c) {
    const auto given = earlier[c].cast<py::dict>();
    const auto position = given["position"].cast<Array<double>>();
    const auto xi = vector_view(position, "position");
    if (std::ssize(xi) != size) throw py::value_error("position must have one number a parameter");
    chains[c].xi.assign(xi.begin(), xi.end());
    chains[c].step = given["step"].cast<double>();
    chains[c].moves = given["moves"].cast<std::int64_t>();
  }
  return chains;
}

inline py::list write_chains(std::vector<rank::Chain>&& chains) {
  py::list out;
  for (auto& chain : chains) {
    out.append(py::dict("position"_a = take(std::move(chain.xi)), "step"_a = chain.step,
                        "moves"_a = chain.moves, "acceptance"_a = chain.acceptance,
                        "gradients"_a = chain.gradients, "divergences"_a = chain.divergences));
  }
  return out;
}

}  // namespace steelyard::bindings
