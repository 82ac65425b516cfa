// The only place where NumPy arrays become views of the core and back.
//
// No `forcecast`: what NumPy would not cast safely (complex, object, long double, strings) is refused here.
// NaN, masks, shapes and ranges are the Python wrapper's business.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <concepts>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/index.hpp"
#include "core/info.hpp"
#include "core/monitor.hpp"
#include "core/views.hpp"

namespace steelyard::bindings {

namespace py = pybind11;
using namespace pybind11::literals;

/// Contiguous and aligned; NumPy copies what is not.
template <class T>
using Array = py::array_t<T, py::array::c_style | static_cast<int>(py::detail::npy_api::NPY_ARRAY_ALIGNED_)>;
template <class T>
using OptionalArray = std::optional<Array<T>>;

template <class T>
std::span<const T> vector_view(const Array<T>& array, const char* name) {
  if (array.ndim() != 1) {
    throw py::value_error(std::string(name) + " must be 1-dimensional, got " + std::to_string(array.ndim()) +
                          " dimensions");
  }
  return {array.data(), at(array.size())};
}

template <class T>
std::span<const T> vector_view(const OptionalArray<T>& array, const char* name) {
  return array ? vector_view(*array, name) : std::span<const T>{};
}

template <class T>
MatrixView<const T> matrix_view(const Array<T>& array, const char* name) {
  if (array.ndim() != 2) {
    throw py::value_error(std::string(name) + " must be 2-dimensional, got " + std::to_string(array.ndim()) +
                          " dimensions");
  }
  return {array.data(), array.shape(0), array.shape(1), array.shape(1)};
}

/// The product of sizes, as many numbers of type T as there is room for: MemoryError, before any work, which
/// names the argument that asks for them. Nothing stays allocated and no page is touched.
template <class T, std::integral... Sizes>
std::size_t room_for(const char* name, Sizes... sizes) {
  std::size_t count = 0;
  try {
    count = checked_product(name, sizes...);
    // malloc, which AddressSanitizer lets fail where `new` ends the process; volatile: not to be optimised away.
    void* volatile room = std::malloc(count * sizeof(T));
    if (room == nullptr && count > 0) throw std::bad_alloc();
    std::free(room);
  } catch (const std::length_error& error) {
    PyErr_SetString(PyExc_MemoryError, error.what());
    throw py::error_already_set();
  } catch (const std::bad_alloc&) {
    const auto text = std::string(name) + " asks for " + std::to_string(count * sizeof(T) / 1'000'000) +
                      " MB, more than there is memory";
    PyErr_SetString(PyExc_MemoryError, text.c_str());
    throw py::error_already_set();
  }
  return count;
}

/// n (n - 1) / 2.
inline std::ptrdiff_t pairs_of(py::ssize_t n, const char* name) {
  return static_cast<std::ptrdiff_t>(checked_product(name, n, n > 0 ? n - 1 : 0) / 2);
}

/// Hands a vector to NumPy without copying it.
template <class T>
py::array_t<T> take(std::vector<T>&& values) {
  auto owner = std::make_unique<std::vector<T>>(std::move(values));
  const auto size = static_cast<py::ssize_t>(owner->size());
  const T* data = owner->data();
  const py::capsule keep(owner.release(), [](void* p) { delete static_cast<std::vector<T>*>(p); });
  return py::array_t<T>(size, data, keep);
}

template <class T>
py::array_t<T> take(std::vector<T>&& values, py::ssize_t rows, py::ssize_t cols) {
  return take(std::move(values)).reshape({rows, cols});
}

/// A view that keeps `owner` alive and can't be written through.
template <class T>
py::array_t<T> readonly_view(std::span<const T> values, const py::object& owner) {
  py::array_t<T> out(static_cast<py::ssize_t>(values.size()), values.data(), owner);
  out.attr("flags").attr("writeable") = false;
  return out;
}

template <class T>
py::array_t<T> readonly_view(const std::vector<T>& values, const py::object& owner) {
  return readonly_view(std::span<const T>(values), owner);
}

/// Did Ctrl-C meet Python code that a kernel called?
inline bool is_interrupt(const py::error_already_set& error) {
  return error.matches(PyExc_KeyboardInterrupt);
}

/// Ctrl-C and the progress callback. Both take the GIL, which kernels run without. A KeyboardInterrupt from
/// the callback is Ctrl-C like any other; its other exceptions pass through the kernel.
class PythonHost final : public Host {
 public:
  explicit PythonHost(py::object progress) : progress_(std::move(progress)) {}

  bool interrupted() override {
    const py::gil_scoped_acquire locked;
    if (PyErr_CheckSignals() == 0) return false;
    if (!PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) throw py::error_already_set();
    PyErr_Clear();  // the wrapper raises it again, with the partial result
    return true;
  }

  bool progress(double done, double total) override {
    if (progress_.is_none()) return false;
    const py::gil_scoped_acquire locked;
    try {
      progress_(done, total);
    } catch (const py::error_already_set& error) {
      if (!is_interrupt(error)) throw;
      return true;
    }
    return false;
  }

 private:
  py::object progress_;
};

/// steelyard._errors.interrupted(None): Ctrl-C during a step that has no result to hand over.
[[noreturn]] inline void raise_interrupted() {
  const py::object error = py::module_::import("steelyard._errors").attr("interrupted")(py::none());
  PyErr_SetObject(py::type::handle_of(error).ptr(), error.ptr());
  throw py::error_already_set();
}

/// The fields of steelyard.Info; the trace as column names and a matrix.
py::dict to_dict(const Info& info);

}  // namespace steelyard::bindings
