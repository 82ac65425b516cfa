#include "select/model_selection.hpp"

#include <cmath>
#include <vector>

#include "core/index.hpp"
#include "core/pool.hpp"

namespace steelyard::select {

bool expected_entropies(MatrixView<const std::int32_t> predictions, std::int32_t classes,
                        std::span<const double> beliefs, double gain, LabelLaw law, std::span<double> out,
                        Monitor& monitor) {
  const auto models = predictions.cols;
  std::vector<double> terms(beliefs.size());
  double all = 0.0;
  for (std::size_t j = 0; j < beliefs.size(); ++j)
    all += terms[j] = beliefs[j] > 0.0 ? beliefs[j] * std::log(beliefs[j]) : 0.0;
  const double log_gain = std::log(gain);
  return parallel_for(predictions.rows, grain_for(3.0 * static_cast<double>(models) + 20.0), monitor,
                      [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
                        std::vector<double> sums(2 * at(classes), 0.0);  // S and U of each class
                        std::vector<std::int32_t> seen;
                        for (auto i = begin; i < end; ++i) {
                          const std::int32_t* row = predictions.row(i);
                          seen.clear();
                          for (std::ptrdiff_t j = 0; j < models; ++j) {
                            double* own = sums.data() + 2 * row[j];
                            if (own[0] == 0.0 && own[1] == 0.0) seen.push_back(row[j]);
                            own[0] += beliefs[at(j)];
                            own[1] += terms[at(j)];
                          }
                          double total = 0.0;
                          std::int32_t counted = 0;
                          for (const auto c : seen) {
                            double* own = sums.data() + 2 * c;
                            if (own[0] > 0.0) {
                              const double z = 1.0 + (gain - 1.0) * own[0];
                              const double entropy =
                                  std::log(z) - (all + (gain - 1.0) * own[1] + gain * own[0] * log_gain) / z;
                              total += law == LabelLaw::own ? z * entropy : entropy;
                              ++counted;
                            }
                            own[0] = own[1] = 0.0;
                          }
                          out[at(i)] = (total - all * (classes - counted)) /
                                       (law == LabelLaw::own ? classes + gain - 1.0 : classes);
                        }
                      });
}

bool agreements(MatrixView<const std::int32_t> predictions, std::int32_t classes, std::span<std::int32_t> out,
                Monitor& monitor) {
  const auto models = predictions.cols;
  return parallel_for(predictions.rows, grain_for(3.0 * static_cast<double>(models)), monitor,
                      [&](std::ptrdiff_t begin, std::ptrdiff_t end) {
                        std::vector<std::int32_t> count(at(classes), 0);
                        for (auto i = begin; i < end; ++i) {
                          const std::int32_t* row = predictions.row(i);
                          for (std::ptrdiff_t j = 0; j < models; ++j) ++count[at(row[j])];
                          for (std::ptrdiff_t j = 0; j < models; ++j)
                            out[at(i * models + j)] = count[at(row[j])];
                          for (std::ptrdiff_t j = 0; j < models; ++j) count[at(row[j])] = 0;
                        }
                      });
}

}  // namespace steelyard::select
