// Words that choose: an unknown one is refused, never taken for a default.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "bindings/arrays.hpp"

namespace steelyard::bindings {

/// The enumerator whose word is `name`; `words` name the values 0, 1, ... in turn.
template <class Enum>
Enum choice(std::initializer_list<std::string_view> words, std::string_view name, const char* argument) {
  int value = 0;
  for (const auto word : words) {
    if (word == name) return static_cast<Enum>(value);
    ++value;
  }
  std::string text = std::string(argument) + " must be one of ";
  for (const auto word : words) text.append(word == *words.begin() ? "'" : ", '").append(word).append("'");
  throw py::value_error(text.append(", got '").append(name).append("'"));
}

}  // namespace steelyard::bindings
