// The one infinity in double precision.
#pragma once

#include <limits>

namespace steelyard {

inline constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace steelyard
