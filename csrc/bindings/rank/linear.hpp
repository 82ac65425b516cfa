// The words for linear solvers.
#pragma once

#include <string>

#include "bindings/choice.hpp"
#include "rank/options.hpp"

namespace steelyard::bindings {

inline rank::Linear linear_of(const std::string& word) {
  return choice<rank::Linear>({"auto", "dense", "sparse", "cg"}, word, "linear");
}

}  // namespace steelyard::bindings
