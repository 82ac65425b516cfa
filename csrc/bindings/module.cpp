#include "bindings/register.hpp"

PYBIND11_MODULE(_core, m, pybind11::mod_gil_not_used()) {
  m.doc() = "Compiled kernels of steelyard. Private: use the functions of the steelyard package.";
  steelyard::bindings::register_core(m);
  pybind11::module_ part;
#define STEELYARD_REGISTER(submodule, topic) \
  part = m.def_submodule(#submodule);        \
  steelyard::bindings::register_##topic(part);
  STEELYARD_TOPICS(STEELYARD_REGISTER)
#undef STEELYARD_REGISTER
}
