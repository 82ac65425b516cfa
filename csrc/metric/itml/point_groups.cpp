#include "metric/itml/point_groups.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/index.hpp"
#include "metric/condensed_index.hpp"

namespace steelyard::metric {
namespace {

using std::ptrdiff_t;

template <class T>
void permute(std::vector<T>& items, Random& random) {
  for (ptrdiff_t k = std::ssize(items) - 1; k > 0; --k)
    std::swap(items[at(k)], items[at(random.below(k + 1))]);
}

}  // namespace

PointGroups::PointGroups(MatrixView<const double> points, ptrdiff_t size)
    : points_(points),
      size_(size),
      groups_((points.rows + 2 * lanes - 1) / (2 * lanes) * 2),
      mean_(at(points.cols), 0.0),
      order_(at(points.rows)),
      start_(at(points.rows)),
      values_(at(groups_ * lanes * size), 0.0) {
  for (ptrdiff_t i = 0; i < points.rows; ++i) {
    for (ptrdiff_t k = 0; k < points.cols; ++k)
      mean_[at(k)] += points.row(i)[k] / static_cast<double>(points.rows);
    start_[at(i)] = condensed_index(points.rows, i, 0);
  }
  std::iota(order_.begin(), order_.end(), ptrdiff_t{0});
  blocks_.reserve(at(pair_count(groups_)));
  for (std::int32_t i = 0; i < groups_; ++i)
    for (std::int32_t j = i + 1; j < groups_; ++j) blocks_.push_back({i, j});
}

void PointGroups::shuffle(Random& random) {
  permute(order_, random);
  permute(blocks_, random);
  for (ptrdiff_t r = 0; r < points_.rows; ++r) {
    const double* point = points_.row(order_[at(r)]);
    double* out = values_.data() + at(r / lanes * lanes * size_ + r % lanes);
    for (ptrdiff_t k = 0; k < points_.cols; ++k) out[k * lanes] = point[k] - mean_[at(k)];
  }
}

double PointGroups::square_about_mean(const double* point) const {
  double sum = 0.0;
  for (ptrdiff_t k = 0; k < points_.cols; ++k) sum += (point[k] - mean_[at(k)]) * (point[k] - mean_[at(k)]);
  return sum;
}

void PointGroups::read(ptrdiff_t block, BlockPairs& out) const {
  constexpr ptrdiff_t points = BlockPairs::points;
  for (std::size_t h = 0; h < 2; ++h) {
    out.group[h] = blocks_[at(block)][h];
    const ptrdiff_t begin = out.group[h] * lanes;
    out.count[h] = std::clamp<ptrdiff_t>(points_.rows - begin, 0, lanes);
    for (ptrdiff_t i = 0; i < out.count[h]; ++i) out.point[h * lanes + at(i)] = order_[at(begin + i)];
  }
  out.inside = out.group[0] / 2 == out.group[1] / 2;
  out.pairs = 0;
  const auto list = [&](ptrdiff_t i, ptrdiff_t from, ptrdiff_t to) {
    const ptrdiff_t a = out.point[at(i)], start = start_[at(a)];
    for (ptrdiff_t j = from; j < to; ++j) {
      const ptrdiff_t b = out.point[at(j)];
      const ptrdiff_t place = i * points + j;
      out.place[at(out.pairs++)] = static_cast<std::int16_t>(place);
      out.index[at(place)] = a < b ? start + b : start_[at(b)] + a;
    }
  };
  const ptrdiff_t middle = out.count[0], last = lanes + out.count[1];
  for (ptrdiff_t i = 0; out.inside && i < middle; ++i) list(i, i + 1, middle);
  for (ptrdiff_t i = lanes; out.inside && i < last; ++i) list(i, i + 1, last);
  for (ptrdiff_t i = 0; i < middle; ++i) list(i, lanes, last);
}

}  // namespace steelyard::metric
