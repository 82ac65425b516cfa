// Markov chains between Python and the samplers: arrays that can be pickled and handed back.
#pragma once

#include "bindings/arrays.hpp"
#include "rank/over_time/chains.hpp"

namespace steelyard::bindings {

/// `n_chains` fresh chains, or as many as there are rows of `positions`. Refuses moves past counting.
inline std::vector<rank::Chain> read_chains(const OptionalArray<double>& positions,
                                            const OptionalArray<double>& steps,
                                            const OptionalArray<std::int64_t>& moves, std::int64_t n_chains,
                                            std::int64_t warmup, std::int64_t draws, std::ptrdiff_t size) {
  room_for<double>("n_chains", n_chains, size);
  const auto count = room_for<rank::Chain>("n_chains", n_chains);
  checked_product("n_warmup", n_chains, warmup);
  checked_product("n_draws", n_chains, draws);
  std::vector<rank::Chain> chains(count);
  if (!positions) return chains;
  const auto rows = matrix_view(*positions, "positions");
  const auto step = vector_view(steps, "steps");
  const auto move = vector_view(moves, "moves");
  if (rows.rows != n_chains || rows.cols != size || step.size() != chains.size() ||
      move.size() != chains.size())
    throw py::value_error("positions, steps and moves must describe the chains");
  for (std::size_t c = 0; c < chains.size(); ++c) {
    const double* row = rows.row(static_cast<std::ptrdiff_t>(c));
    chains[c].position.assign(row, row + size);
    chains[c].step = step[c];
    chains[c].moves = move[c];
  }
  return chains;
}

inline py::dict write_chains(const std::vector<rank::Chain>& chains, std::ptrdiff_t size) {
  std::vector<double> positions, steps, acceptance;
  std::vector<std::int64_t> moves, gradients, divergences;
  for (const auto& chain : chains) {
    // A chain that was stopped before it began has no position yet.
    positions.insert(positions.end(), chain.position.begin(), chain.position.end());
    positions.resize(positions.size() + at(size) - chain.position.size(), 0.0);
    steps.push_back(chain.step);
    acceptance.push_back(chain.acceptance);
    moves.push_back(chain.moves);
    gradients.push_back(chain.gradients);
    divergences.push_back(chain.divergences);
  }
  const auto count = static_cast<py::ssize_t>(chains.size());
  return py::dict("positions"_a = take(std::move(positions), count, size), "steps"_a = take(std::move(steps)),
                  "moves"_a = take(std::move(moves)), "acceptance"_a = take(std::move(acceptance)),
                  "gradients"_a = take(std::move(gradients)), "divergences"_a = take(std::move(divergences)));
}

}  // namespace steelyard::bindings
