// Which label would tell most of which model is best (Model Selector).
//
// Beliefs b over models; a label c multiplies the belief in every model that predicts it by gain = (1 - eps)
// / eps. For item i and class c, with S = sum b and U = sum b ln b over the models that predict c, B = sum b
// ln b over all and Z = 1 + (gain - 1) S, the entropy of the beliefs after the label is
//   H_c = ln Z - (B + (gain - 1) U + gain S ln gain) / Z,
// and -B for a class that no model predicts. The mean over classes is even (the authors'), or by the beliefs'
// own law of labels, in which class c has chance Z_c / (classes + gain - 1): then no entropy exceeds -B, and
// an item on which all models agree tells nothing. O(items models) for all items: no model is looked at twice.
#pragma once

#include <cstdint>
#include <span>

#include "core/monitor.hpp"
#include "core/views.hpp"

namespace steelyard::select {

enum class LabelLaw { even, own };

/// out[i] <- the entropy after a label of item i, the mean over all classes by `law`. `predictions`: items x models,
/// classes from 0 to `classes` - 1. `beliefs` are positive or 0 and add up to 1. False when stopped.
bool expected_entropies(MatrixView<const std::int32_t> predictions, std::int32_t classes,
                        std::span<const double> beliefs, double gain, LabelLaw law, std::span<double> out,
                        Monitor& monitor);

/// out[i, j] <- how many models predict for item i what model j does. False when stopped.
bool agreements(MatrixView<const std::int32_t> predictions, std::int32_t classes, std::span<std::int32_t> out,
                Monitor& monitor);

}  // namespace steelyard::select
