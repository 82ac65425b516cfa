// One register_*.cpp a topic, which fills one submodule of _core. A new topic is one line of this list.
#pragma once

#include <pybind11/pybind11.h>

/// What takes a class comes behind what binds it. `testing`: what tests alone call.
#define STEELYARD_TOPICS(TOPIC) \
  TOPIC(linalg, linalg)         \
  TOPIC(linalg, qp)             \
  TOPIC(metric, clustering)     \
  TOPIC(metric, cycles)         \
  TOPIC(metric, itml)           \
  TOPIC(metric, nearness)       \
  TOPIC(rank, tables)           \
  TOPIC(rank, rank)             \
  TOPIC(rank, graded)           \
  TOPIC(rank, grades)           \
  TOPIC(rank, history)          \
  TOPIC(rank, rankings)         \
  TOPIC(rank, responses)        \
  TOPIC(rank, sequential)       \
  TOPIC(rank, teams)            \
  TOPIC(rank, uncertainty)      \
  TOPIC(select, select)         \
  TOPIC(weigh, weigh)           \
  TOPIC(weigh, ensembles)       \
  TOPIC(testing, distances)     \
  TOPIC(testing, numbers)       \
  TOPIC(testing, pair_order)    \
  TOPIC(testing, pool)          \
  TOPIC(testing, solvers)

namespace steelyard::bindings {

void register_core(pybind11::module_& m);  ///< fills _core itself

#define STEELYARD_DECLARE(submodule, topic) void register_##topic(pybind11::module_& m);
STEELYARD_TOPICS(STEELYARD_DECLARE)
#undef STEELYARD_DECLARE

}  // namespace steelyard::bindings
