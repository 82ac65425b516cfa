#include "bindings/register.hpp"

PYBIND11_MODULE(_core, m, pybind11::mod_gil_not_used()) {
  m.doc() = "Compiled kernels of steelyard. Private: use the functions of the steelyard package.";
  steelyard::bindings::register_core(m);
  steelyard::bindings::register_simd(m);
  steelyard::bindings::register_tables(m);
  steelyard::bindings::register_linalg(m);
  steelyard::bindings::register_clustering(m);
  steelyard::bindings::register_cycles(m);
  steelyard::bindings::register_grades(m);
  steelyard::bindings::register_rank(m);
  steelyard::bindings::register_history(m);
  steelyard::bindings::register_itml(m);
  steelyard::bindings::register_nearness(m);
  steelyard::bindings::register_qp(m);
  steelyard::bindings::register_rankings(m);
  steelyard::bindings::register_select(m);
  steelyard::bindings::register_sequential(m);
  steelyard::bindings::register_uncertainty(m);
  steelyard::bindings::register_weigh(m);
}
