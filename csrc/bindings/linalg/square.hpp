// Square matrices on their way to a factor.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "bindings/arrays.hpp"

namespace steelyard::bindings {

inline std::ptrdiff_t square_size(const Array<double>& a, const char* name) {
  const auto view = matrix_view(a, name);
  if (view.rows != view.cols) throw py::value_error(std::string(name) + " must be square");
  return view.rows;
}

inline std::vector<double> copied(const Array<double>& a) { return {a.data(), a.data() + a.size()}; }

inline py::object lower_triangle(std::vector<double>&& l, std::ptrdiff_t n) {
  for (std::ptrdiff_t i = 0; i < n; ++i) std::fill(l.begin() + i * n + i + 1, l.begin() + (i + 1) * n, 0.0);
  return take(std::move(l), n, n);
}

}  // namespace steelyard::bindings
