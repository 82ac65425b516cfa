#include <algorithm>
#include <cstring>

#include "bindings/arrays.hpp"
#include "bindings/register.hpp"
#include "core/index.hpp"
#include "core/pool.hpp"
#include "linalg/blas.hpp"
#include "simd/table.hpp"

namespace steelyard::bindings {

py::dict to_dict(const Info& info) {
  static const char* const kinds[] = {"rigorous", "asymptotic", "estimate"};
  const auto columns = static_cast<py::ssize_t>(info.trace.columns.size());
  const auto rows = columns == 0 ? 0 : static_cast<py::ssize_t>(info.trace.values.size()) / columns;
  py::array_t<double> trace({rows, columns});
  std::copy(info.trace.values.begin(), info.trace.values.end(), trace.mutable_data());
  return py::dict("converged"_a = info.converged, "interrupted"_a = info.interrupted,
                  "iterations"_a = info.iterations, "solver"_a = info.solver, "seconds"_a = info.seconds,
                  "tol"_a = info.tol, "error_bound"_a = info.error_bound,
                  "error_kind"_a = kinds[static_cast<int>(info.error_kind)], "message"_a = info.message,
                  "trace_columns"_a = info.trace.columns, "trace_values"_a = trace);
}

namespace {

/// Imports steelyard._blas, whose import calls _set_blas below.
void load_blas() {
  const py::gil_scoped_acquire locked;
  try {
    py::module_::import("steelyard._blas");
  } catch (const py::error_already_set& error) {
    if (!is_interrupt(error)) throw;
    py::module_::import("steelyard._blas");
    PyErr_SetInterrupt();  // the next poll of the kernel sees it
  }
}

template <class Function>
void set_pointer(Function& target, const py::dict& addresses, const char* name) {
  void* address = PyLong_AsVoidPtr(py::object(addresses[name]).ptr());
  if (address == nullptr) throw py::import_error(std::string("steelyard: SciPy's BLAS has no ") + name);
  std::memcpy(&target, &address, sizeof(address));
}

void set_blas(const py::dict& addresses) {
  linalg::Blas table;
  set_pointer(table.dgemm, addresses, "dgemm");
  set_pointer(table.dsyrk, addresses, "dsyrk");
  set_pointer(table.dtrsm, addresses, "dtrsm");
  set_pointer(table.dpotrf, addresses, "dpotrf");
  set_pointer(table.sgemm, addresses, "sgemm");
  set_pointer(table.ssyrk, addresses, "ssyrk");
  set_pointer(table.strsm, addresses, "strsm");
  set_pointer(table.spotrf, addresses, "spotrf");
  linalg::set_blas(table);
}

py::dict build_facts() {
  return py::dict("compiler"_a = STEELYARD_COMPILER, "flags"_a = STEELYARD_FLAGS,
                  "sanitizers"_a = STEELYARD_SANITIZERS, "isa"_a = simd::isa_name(),
                  "threads"_a = default_threads(), "blas_loaded"_a = linalg::blas_ready());
}

}  // namespace

void register_core(py::module_& m) {
  linalg::set_blas_loader(&load_blas);
  simd::kernels();  // a wrong STEELYARD_ISA is reported at import
  m.def("_set_blas", &set_blas, "addresses"_a);
  m.def("_build_facts", &build_facts);
  m.def("_default_threads", &default_threads);
  m.def("_most_threads", &most_threads);
}

}  // namespace steelyard::bindings
