#include "weigh/space.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "core/index.hpp"
#include "core/infinity.hpp"
#include "core/pool.hpp"
#include "distances/nearest.hpp"
#include "simd/table.hpp"

namespace steelyard::weigh {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t block = 2048;  // distances made at once for one row

constexpr ptrdiff_t strip = 4;  // rows that cost as much as one

/// Rows of a chunk that each meet up to n points.
ptrdiff_t rows_per_chunk(ptrdiff_t n) {
  return (grain_for(static_cast<double>(n)) + strip - 1) / strip * strip;
}

/// visit(first row, rows, start, stop) for strips of rows begin .. end and blocks of columns 0 .. last.
template <class Visit>
void for_each_block(ptrdiff_t begin, ptrdiff_t end, ptrdiff_t last, Monitor& monitor, const Visit& visit) {
  for (auto i = begin; i < end && !monitor.poll(); i += strip) {
    for (ptrdiff_t start = 0; start < last; start += block) {
      visit(i, std::min(strip, end - i), start, std::min(start + block, last));
    }
  }
}

/// The k smallest so far as a heap, largest on top.
class Nearest {
 public:
  explicit Nearest(ptrdiff_t k) : k_(at(k)) { heap_.reserve(k_ + 1); }

  void offer(const float* distances, ptrdiff_t n, ptrdiff_t first, ptrdiff_t without) {
    for (ptrdiff_t j = 0; j < n; j += skip) {
      const ptrdiff_t end = std::min(j + skip, n);
      float least = distances[j];
#pragma omp simd reduction(min : least)
      for (auto k = j; k < end; ++k) least = std::min(least, distances[k]);
      if (least < limit_) offer_each(distances, j, end, first, without);
    }
  }

  void write(std::int32_t* out) {
    std::sort_heap(heap_.begin(), heap_.end());
    for (std::size_t j = 0; j < k_; ++j) out[j] = j < heap_.size() ? heap_[j].second : -1;
    heap_.clear();
    limit_ = std::numeric_limits<float>::infinity();
  }

 private:
  static constexpr ptrdiff_t skip = 16;  // distances looked at together: few are near

  void offer_each(const float* distances, ptrdiff_t begin, ptrdiff_t end, ptrdiff_t first,
                  ptrdiff_t without) {
    for (auto j = begin; j < end; ++j) {
      if (!(distances[j] < limit_) || first + j == without) continue;
      heap_.emplace_back(distances[j], static_cast<std::int32_t>(first + j));
      std::push_heap(heap_.begin(), heap_.end());
      if (heap_.size() > k_) {
        std::pop_heap(heap_.begin(), heap_.end());
        heap_.pop_back();
      }
      if (heap_.size() == k_) limit_ = heap_.front().first;
    }
  }

  std::size_t k_;
  float limit_ = std::numeric_limits<float>::infinity();
  std::vector<std::pair<float, std::int32_t>> heap_;
};

/// Landmarks and what lies so near one of them that it is told from it by less than rounding in single precision:
/// what they leave of such a point is all rounding.
std::vector<std::int32_t> with_near_copies(std::vector<std::int32_t> landmarks,
                                           const std::vector<double>& nearest, double reach) {
  constexpr double near = 1e-4;  // of the distance that the landmarks leave open
  std::vector<std::int32_t> copies;
  for (std::size_t j = 0; j < nearest.size(); ++j) {
    if (nearest[j] > 0.0 && nearest[j] < near * reach) copies.push_back(static_cast<std::int32_t>(j));
  }
  if (copies.size() <= landmarks.size()) landmarks.insert(landmarks.end(), copies.begin(), copies.end());
  return landmarks;
}

}  // namespace

PointSpace::PointSpace(MatrixView<const double> points, simd::Metric metric, double power)
    : points_(points), metric_(metric), power_(power) {}

PointSpace::PointSpace(std::vector<double>&& owned, ptrdiff_t d, simd::Metric metric, double power)
    : owned_(std::move(owned)),
      points_{owned_.data(), std::ssize(owned_) / d, d, d},
      metric_(metric),
      power_(power) {}

template <class Real>
const distances::PackedPoints<Real>* PointSpace::packed(
    std::unique_ptr<const distances::PackedPoints<Real>>& slot, Monitor& monitor) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!slot) {
    auto made = std::make_unique<const distances::PackedPoints<Real>>(points_, metric_, power_, monitor);
    if (monitor.stopped()) return nullptr;
    slot = std::move(made);
  }
  return slot.get();
}

bool PointSpace::product(Precision precision, std::span<const double> scales, const double* v, double* y,
                         Monitor& monitor) const {
  return product_of(precision, scales, v, y, monitor, false);
}

bool PointSpace::told_product(Precision precision, std::span<const double> scales, const double* v, double* y,
                              Monitor& monitor) const {
  return product_of(precision, scales, v, y, monitor, true);
}

bool PointSpace::product_of(Precision precision, std::span<const double> scales, const double* v, double* y,
                            Monitor& monitor, bool tell) const {
  if (precision == Precision::single) {
    const auto* points = packed(single_, monitor);
    return points != nullptr && points->product(scales, v, y, monitor, tell);
  }
  const auto* points = packed(full_, monitor);
  return points != nullptr && points->product(scales, v, y, monitor, tell);
}

void PointSpace::chosen(std::span<const std::int32_t> rows, std::span<const std::int32_t> cols, double* out,
                        std::vector<double>& scratch) const {
  distances::chosen_distances(points_, metric_, power_, rows, cols, out, scratch);
}

void PointSpace::rows(ptrdiff_t first, ptrdiff_t rows, ptrdiff_t start, ptrdiff_t stop, double* out) const {
  Monitor alone;
  packed(full_, alone)->distances(first, rows, start, stop, out, stop - start);
}

void PointSpace::rows(ptrdiff_t first, ptrdiff_t rows, ptrdiff_t start, ptrdiff_t stop, float* out) const {
  Monitor alone;
  packed(single_, alone)->distances(first, rows, start, stop, out, stop - start);
}

std::vector<double> PointSpace::moved(std::span<const std::int32_t> order) const {
  std::vector<double> out(checked_product("working memory", order.size(), points_.cols));
  for (std::size_t i = 0; i < order.size(); ++i)
    std::copy_n(points_.row(order[i]), points_.cols, out.begin() + static_cast<ptrdiff_t>(i) * points_.cols);
  return out;
}

std::unique_ptr<const Space> PointSpace::reordered(std::span<const std::int32_t> order, Monitor&) const {
  return std::make_unique<PointSpace>(moved(order), points_.cols, metric_, power_);
}

/// By the nearest of a sample, evenly spaced in the given order: dense groups have their share of it.
std::vector<std::int32_t> PointSpace::grouped(Monitor& monitor) const {
  constexpr ptrdiff_t centres = 128, least = 2048;
  const ptrdiff_t n = points_.rows;
  if (n < least || !distances::PackedPoints<float>::expands(metric_, points_.cols)) return {};
  const MatrixView<const double> sample{points_.data, centres, points_.cols, n / centres * points_.stride};
  std::vector<std::int64_t> centre(at(n));
  std::vector<double> squared(at(n));
  if (!distances::nearest(points_, sample, std::span(centre), std::span(squared), monitor)) return {};
  std::vector<std::int32_t> order(at(n));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int32_t a, std::int32_t b) { return centre[at(a)] < centre[at(b)]; });
  return order;
}

bool MatrixSpace::product(Precision, std::span<const double> scales, const double* v, double* y,
                          Monitor& monitor) const {
  const auto columns = std::ssize(scales);
  const ptrdiff_t n = size();
  return parallel_for(n, rows_per_chunk(n * columns), monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    std::vector<double> distances(at(n)), z(at(n));
    for (auto i = begin; i < end && !monitor.poll(); ++i) {
      rows(i, 1, 0, n, distances.data());
      for (ptrdiff_t c = 0; c < columns; ++c) {
        const double scale = scales[at(c)];
        for (std::size_t j = 0; j < z.size(); ++j) z[j] = -scale * distances[j];
        simd::kernels().vector_math->exp(z.data(), n);
        double lanes[8] = {};
        for (ptrdiff_t j = 0; j < n; ++j) lanes[j % 8] += z[at(j)] * v[j * columns + c];
        double sum = 0.0;
        for (const double lane : lanes) sum += lane;
        y[i * columns + c] = sum;
      }
    }
  });
}

void MatrixSpace::chosen(std::span<const std::int32_t> rows, std::span<const std::int32_t> cols, double* out,
                         std::vector<double>&) const {
  for (const auto i : rows) {
    for (const auto j : cols) *out++ = distances_.row(i)[j];
  }
}

template <class Real>
void MatrixSpace::copy_rows(ptrdiff_t first, ptrdiff_t rows, ptrdiff_t start, ptrdiff_t stop,
                            Real* out) const {
  for (auto i = first; i < first + rows; ++i) {
    const double* from = distances_.row(order_.empty() ? i : order_[at(i)]);
    for (auto j = start; j < stop; ++j) {
      *out++ = static_cast<Real>(from[order_.empty() ? j : order_[at(j)]]);
    }
  }
}

void MatrixSpace::rows(ptrdiff_t first, ptrdiff_t rows, ptrdiff_t start, ptrdiff_t stop, double* out) const {
  copy_rows(first, rows, start, stop, out);
}

void MatrixSpace::rows(ptrdiff_t first, ptrdiff_t rows, ptrdiff_t start, ptrdiff_t stop, float* out) const {
  copy_rows(first, rows, start, stop, out);
}

std::unique_ptr<const Space> MatrixSpace::reordered(std::span<const std::int32_t> order, Monitor&) const {
  auto space = std::make_unique<MatrixSpace>(distances_);
  space->order_.assign(order.begin(), order.end());
  return space;
}

double Space::smallest_distance(Monitor& monitor) const {
  const ptrdiff_t n = size(), grain = rows_per_chunk(n);
  std::vector<double> least(at((n + grain - 1) / grain), infinity);
  parallel_for(n, grain, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    std::vector<double> distances(checked_product("working memory", strip, block));
    double& best = least[at(begin / grain)];
    for_each_block(begin, end, end, monitor,
                   [&](ptrdiff_t i, ptrdiff_t count, ptrdiff_t start, ptrdiff_t stop) {
                     rows(i, count, start, stop, distances.data());
                     for (ptrdiff_t r = 0; r < count; ++r) {
                       const double* row = distances.data() + r * (stop - start);
                       for (ptrdiff_t j = start; j < std::min(stop, i + r); ++j)
                         best = std::min(best, row[j - start]);
                     }
                   });
  });
  return *std::min_element(least.begin(), least.end());
}

std::vector<std::int32_t> nearest_neighbours(const Space& space, ptrdiff_t k, bool before, Monitor& monitor) {
  const ptrdiff_t n = space.size();
  std::vector<std::int32_t> out(checked_product("working memory", n, k), -1);
  parallel_for(n, rows_per_chunk(n), monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    std::vector<float> distances(checked_product("working memory", strip, block));
    std::vector<Nearest> nearest(at(strip), Nearest(k));
    for_each_block(begin, end, before ? end : n, monitor,
                   [&](ptrdiff_t i, ptrdiff_t rows, ptrdiff_t start, ptrdiff_t stop) {
                     space.rows(i, rows, start, stop, distances.data());
                     for (ptrdiff_t r = 0; r < rows; ++r) {
                       auto& own = nearest[at(r)];
                       const ptrdiff_t last = before ? std::min(stop, i + r) : stop;
                       own.offer(distances.data() + r * (stop - start), last - start, start, i + r);
                       if (stop == (before ? end : n)) own.write(out.data() + (i + r) * k);
                     }
                   });
  });
  return out;
}

std::vector<std::int32_t> farthest_points(const Space& space, ptrdiff_t m, Monitor& monitor) {
  const ptrdiff_t n = space.size(), grain = std::max<ptrdiff_t>(block, rows_per_chunk(4) / block * block);
  std::vector<double> nearest(at(n), infinity);
  std::vector<std::pair<double, ptrdiff_t>> farthest(at((n + grain - 1) / grain));
  std::vector<std::int32_t> chosen;
  ptrdiff_t next = 0;
  while (std::ssize(chosen) < std::min(m, n) && !monitor.poll()) {
    chosen.push_back(static_cast<std::int32_t>(next));
    parallel_for(n, grain, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
      std::vector<double> distances(at(end - begin));
      space.rows(next, 1, begin, end, distances.data());
      std::pair<double, ptrdiff_t> best{-1.0, begin};
      for (auto j = begin; j < end; ++j) {
        double& least = nearest[at(j)];
        least = std::min(least, distances[at(j - begin)]);
        if (least > best.first) best = {least, j};
      }
      farthest[at(begin / grain)] = best;
    });
    // The lowest number among equals, whatever thread found it.
    next = std::max_element(farthest.begin(), farthest.end(), [](const auto& a, const auto& b) {
             return a.first < b.first;
           })->second;
    if (nearest[at(next)] <= 0.0) break;  // every point is a landmark, or a copy of one
  }
  return chosen.empty() ? chosen : with_near_copies(std::move(chosen), nearest, nearest[at(next)]);
}

}  // namespace steelyard::weigh
