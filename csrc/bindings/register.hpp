// One register_*.cpp a topic; module.cpp calls them all.
#pragma once

#include <pybind11/pybind11.h>

namespace steelyard::bindings {

void register_clustering(pybind11::module_& m);
void register_core(pybind11::module_& m);
void register_cycles(pybind11::module_& m);
void register_grades(pybind11::module_& m);
void register_history(pybind11::module_& m);
void register_itml(pybind11::module_& m);
void register_linalg(pybind11::module_& m);
void register_nearness(pybind11::module_& m);
void register_qp(pybind11::module_& m);
void register_rank(pybind11::module_& m);
void register_rankings(pybind11::module_& m);
void register_select(pybind11::module_& m);
void register_sequential(pybind11::module_& m);
void register_simd(pybind11::module_& m);
void register_tables(pybind11::module_& m);
void register_uncertainty(pybind11::module_& m);
void register_weigh(pybind11::module_& m);

}  // namespace steelyard::bindings
