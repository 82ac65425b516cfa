#include "distances/similarity.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <type_traits>
#include <utility>

#include "core/index.hpp"
#include "core/pool.hpp"
#include "distances/shifted_panels.hpp"
#include "simd/table.hpp"

namespace steelyard::distances {
namespace {

using std::ptrdiff_t;

ptrdiff_t round_up(ptrdiff_t n, ptrdiff_t step) { return (n + step - 1) / step * step; }

/// Points of a block of columns, a multiple of every panel's width: it stays in the cache while a task's rows
/// pass by.
template <class Real>
ptrdiff_t block_points(ptrdiff_t runs) {
  constexpr ptrdiff_t cache_bytes = 512 * 1024, bytes = sizeof(Real);
  return std::clamp<ptrdiff_t>(cache_bytes / (runs * bytes) / 64 * 64, 256, 2048);
}

constexpr ptrdiff_t tile_limit = 128;  // numbers in a tile, at most
constexpr ptrdiff_t buffer_bytes = ptrdiff_t{128} << 20;

/// Rows of a task, a multiple of every panel's width.
ptrdiff_t rows_per_task(ptrdiff_t n, ptrdiff_t columns) {
  const double all = 4.0 * static_cast<double>(n) * static_cast<double>(columns);  // bytes of half a buffer
  const double tasks = std::clamp(static_cast<double>(buffer_bytes) / all, 4.0, 128.0);
  const auto rows = static_cast<ptrdiff_t>(static_cast<double>(n) / tasks);
  return std::max<ptrdiff_t>(128, round_up(rows, 32));
}

/// The coordinates as the kernels want them: Jaccard's with their sums behind.
std::vector<double> with_sums(MatrixView<const double> points) {
  std::vector<double> out(checked_product("working memory", points.rows, points.cols + 1));
  for (ptrdiff_t i = 0; i < points.rows; ++i) {
    double* row = out.data() + i * (points.cols + 1);
    std::copy_n(points.row(i), points.cols, row);
    double sum = 0.0;
    for (ptrdiff_t k = 0; k < points.cols; ++k) sum += row[k];
    row[points.cols] = sum;
  }
  return out;
}

template <class Real>
Real power_of(simd::Metric metric, double power, ptrdiff_t d) {
  return static_cast<Real>(metric == simd::Metric::hamming ? 1.0 / static_cast<double>(d) : power);
}

/// Calls work(points) with the sums added where the metric needs them.
template <class Work>
auto prepared(MatrixView<const double> points, simd::Metric metric, const Work& work) {
  if (metric != simd::Metric::jaccard) return work(points);
  const auto wide = with_sums(points);
  return work(MatrixView<const double>{wide.data(), points.rows, points.cols + 1, points.cols + 1});
}

int index_of(simd::Metric metric) { return static_cast<int>(metric); }

}  // namespace

/// The vectors as columns of Real, padded with zeros to whole panels.
template <class Real>
struct PackedPoints<Real>::Vectors {
  ptrdiff_t columns, stride;
  std::vector<Real> values;

  Vectors(const double* v, ptrdiff_t n, ptrdiff_t columns_in, ptrdiff_t stride_in)
      : columns(columns_in), stride(stride_in), values(at(columns_in * stride_in), Real{0}) {
    for (ptrdiff_t i = 0; i < n; ++i) {
      for (ptrdiff_t c = 0; c < columns; ++c) {
        values[at(c * stride + i)] = static_cast<Real>(v[i * columns + c]);
      }
    }
  }
};

template <class Real>
bool PackedPoints<Real>::expands(simd::Metric metric, ptrdiff_t d) {
  return tile_of<Real>().expanded[index_of(metric)] != nullptr && d >= tile_of<Real>().expanded_from;
}

template <class Real>
PackedPoints<Real>::PackedPoints(MatrixView<const double> points, simd::Metric metric, double power,
                                 Monitor& monitor)
    : n_(points.rows),
      d_(points.cols),
      runs_(points.cols + (metric == simd::Metric::jaccard ? 1 : 0)),
      height_(tile_of<Real>().rows),
      metric_(metric),
      power_(power_of<Real>(metric, power, points.cols)) {
  if (tile_of<Real>().expanded[index_of(metric)] != nullptr) {
    pack_moved(points, monitor);
    return;
  }
  prepared(points, metric, [&](MatrixView<const double> all) {
    x_ = pack<Real>(all, tile_of<Real>().rows, monitor);
    y_ = pack<Real>(all, tile_of<Real>().cols, monitor);
  });
}

template <class Real>
void PackedPoints<Real>::pack_moved(MatrixView<const double> points, Monitor& monitor) {
  const auto& tile = tile_of<Real>();
  const ptrdiff_t wide = tile.rows * tile.expanded_panels;
  // Double keeps the points as they are: a shift would round what tells near-copies apart.
  std::vector<double> shift(at(d_), 0.0);
  if (std::is_same_v<Real, float>) {
    const ptrdiff_t step = std::max<ptrdiff_t>(1, n_ / 4096);
    shift = middle(MatrixView<const double>{points.data, n_ / step, d_, step * points.stride});
  }
  std::vector<Real> moved(checked_product("working memory", n_, d_));
  std::vector<Real> halves(at(round_up(n_, 64)), Real{0});
  parallel_for(n_, grain_for(static_cast<double>(d_)), monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    for (auto i = begin; i < end; ++i) {
      Real* row = moved.data() + i * d_;
      double half = 0.0;
      for (ptrdiff_t k = 0; k < d_; ++k) {
        row[k] = static_cast<Real>(points.row(i)[k] - shift[at(k)]);
        half += 0.5 * static_cast<double>(row[k]) * static_cast<double>(row[k]);
      }
      halves[at(i)] = static_cast<Real>(half);
    }
  });
  const MatrixView<const Real> view{moved.data(), n_, d_, d_};
  x_ = pack<Real>(view, tile.rows, monitor);
  x_.resize(checked_product("working memory", round_up(n_, wide), d_), Real{0});
  y_ = pack<Real>(view, tile.cols, monitor);
  if (!expands(metric_, d_)) return;
  if (n_ == 0 || !std::isfinite(Real{8} * *std::max_element(halves.begin(), halves.end()))) return;
  halves_ = std::move(halves);
  height_ = wide;
}

/// Rows begin .. end against all columns from begin on; adds to `sums` (columns x (n - begin)).
template <class Real>
class PackedPoints<Real>::Task {
 public:
  Task(const PackedPoints& points, std::span<const Real> scales, const Vectors& in, Monitor& monitor,
       ptrdiff_t begin, ptrdiff_t end, double* sums)
      : p_(points),
        scales_(scales),
        in_(in),
        monitor_(monitor),
        begin_(begin),
        end_(end),
        width_(points.n_ - begin),
        sums_(sums),
        column_sums_(at(in.columns * in.stride)),
        lanes_(at(in.columns * points.height_ * tile_.cols)),
        x_values_(at(in.columns * points.height_)) {}

  void run() {
    const ptrdiff_t points = block_points<Real>(p_.runs_);
    against(begin_, end_, nullptr);
    for (ptrdiff_t start = end_; start < p_.n_ && !monitor_.stopped(); start += points) {
      const ptrdiff_t stop = std::min(start + points, p_.n_);
      const ptrdiff_t padded = round_up(stop - start, tile_.cols);
      for (ptrdiff_t c = 0; c < in_.columns; ++c)
        std::fill_n(column_sums_.data() + c * in_.stride, padded, Real{0});
      against(start, stop, column_sums_.data());
      for (ptrdiff_t c = 0; c < in_.columns; ++c) {
        const Real* from = column_sums_.data() + c * in_.stride;
        double* to = sums_ + c * width_ + start - begin_;
        for (ptrdiff_t j = 0; j < stop - start; ++j) to[j] += static_cast<double>(from[j]);
      }
    }
  }

 private:
  /// Columns start .. stop; null: their own sums are not wanted.
  void against(ptrdiff_t start, ptrdiff_t stop, Real* column_sums) {
    const auto product = (p_.halves_.empty() ? tile_.products : tile_.expanded)[index_of(p_.metric_)];
    const auto half = [this](ptrdiff_t place) {
      return p_.halves_.empty() ? nullptr : p_.halves_.data() + place;
    };
    for (ptrdiff_t i = begin_; i < end_; i += p_.height_) {
      if (monitor_.poll()) return;
      const ptrdiff_t rows = std::min(p_.height_, end_ - i);
      read_values(i, rows);
      std::fill(lanes_.begin(), lanes_.end(), Real{0});
      product({p_.x_.data() + i * p_.runs_, p_.y_.data() + start * p_.runs_,
               (stop - start + tile_.cols - 1) / tile_.cols, p_.d_, p_.power_, in_.columns, scales_.data(),
               x_values_.data(), in_.values.data() + start, column_sums, in_.stride, lanes_.data(), half(i),
               half(start)});
      add_lanes(i, rows);
    }
  }

  void read_values(ptrdiff_t i, ptrdiff_t rows) {
    const ptrdiff_t height = p_.height_;
    for (ptrdiff_t c = 0; c < in_.columns; ++c) {
      for (ptrdiff_t r = 0; r < height; ++r)
        x_values_[at(c * height + r)] = r < rows ? in_.values[at(c * in_.stride + i + r)] : Real{0};
    }
  }

  void add_lanes(ptrdiff_t i, ptrdiff_t rows) {
    const ptrdiff_t cols = tile_.cols, count = p_.height_ * cols;
    for (ptrdiff_t c = 0; c < in_.columns; ++c) {
      for (ptrdiff_t r = 0; r < rows; ++r) {
        const Real* lane = lanes_.data() + c * count + r * cols;
        double sum = 0.0;
        for (ptrdiff_t j = 0; j < cols; ++j) sum += static_cast<double>(lane[j]);
        sums_[c * width_ + i + r - begin_] += sum;
      }
    }
  }

  const simd::Tile<Real>& tile_ = tile_of<Real>();
  const PackedPoints& p_;
  std::span<const Real> scales_;
  const Vectors& in_;
  Monitor& monitor_;
  ptrdiff_t begin_, end_, width_;
  double* sums_;
  std::vector<Real> column_sums_, lanes_, x_values_;
};

template <class Real>
bool PackedPoints<Real>::product(std::span<const double> scales, const double* v, double* y, Monitor& monitor,
                                 bool tell) const {
  const auto columns = std::ssize(scales);
  const Vectors in(v, n_, columns, round_up(n_, tile_of<Real>().cols));
  const std::vector<Real> own(scales.begin(), scales.end());
  const ptrdiff_t rows = rows_per_task(n_, columns), tasks = (n_ + rows - 1) / rows;
  std::vector<std::vector<double>> sums(at(tasks));
  std::atomic<ptrdiff_t> ended{0};
  const bool done = parallel_for(tasks, 1, monitor, [&](ptrdiff_t t, ptrdiff_t) {
    sums[at(t)].assign(checked_product("working memory", columns, n_ - t * rows), 0.0);
    Task(*this, own, in, monitor, t * rows, std::min((t + 1) * rows, n_), sums[at(t)].data()).run();
    const ptrdiff_t count = ++ended;
    if (tell) monitor.progress(static_cast<double>(count), static_cast<double>(tasks));
  });
  if (!done || monitor.stopped()) return false;
  if (tell) monitor.progress(static_cast<double>(tasks), static_cast<double>(tasks));  // whoever ended last
  return parallel_for(n_, 2048, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    for (auto i = begin; i < end; ++i) {
      for (ptrdiff_t c = 0; c < columns; ++c) y[i * columns + c] = 0.0;
    }
    for (ptrdiff_t t = 0; t < tasks && t * rows < end; ++t) {
      const ptrdiff_t first = t * rows, width = n_ - first;
      for (ptrdiff_t c = 0; c < columns; ++c) {
        const double* from = sums[at(t)].data() + c * width;
        for (auto i = std::max(begin, first); i < end; ++i) y[i * columns + c] += from[i - first];
      }
    }
  });
}

template <class Real>
void PackedPoints<Real>::distances(ptrdiff_t first, ptrdiff_t rows, ptrdiff_t start, ptrdiff_t stop,
                                   Real* out, ptrdiff_t stride) const {
  const auto& tile = tile_of<Real>();
  Real numbers[tile_limit];
  for (ptrdiff_t i = first / tile.rows * tile.rows; i < first + rows; i += tile.rows) {
    for (ptrdiff_t j = start; j < stop; j += tile.cols) {
      tile.distances[index_of(metric_)](x_.data() + i * runs_, y_.data() + j * runs_, d_, power_, numbers);
      const ptrdiff_t width = std::min(tile.cols, stop - j);
      for (ptrdiff_t r = std::max<ptrdiff_t>(0, first - i); r < std::min(tile.rows, first + rows - i); ++r) {
        std::copy_n(numbers + r * tile.cols, width, out + (i + r - first) * stride + j - start);
      }
    }
  }
}

bool cross_distances(MatrixView<const double> x, MatrixView<const double> y, simd::Metric metric,
                     double power, MatrixView<double> out, Monitor& monitor) {
  const auto& tile = tile_of<double>();
  const ptrdiff_t d = x.cols;
  const double p = power_of<double>(metric, power, d);
  const auto packed = [&](MatrixView<const double> points, ptrdiff_t width) {
    return prepared(points, metric, [&](MatrixView<const double> all) {
      return std::pair(pack<double>(all, width, monitor), all.cols);
    });
  };
  const auto [x_packed, runs] = packed(x, tile.rows);
  const auto y_packed = packed(y, tile.cols).first;
  const ptrdiff_t panels = (x.rows + tile.rows - 1) / tile.rows, size = runs;
  const double cost = static_cast<double>(tile.rows * y.rows * (d + 2));
  return parallel_for(
      panels, grain_for(cost), monitor, [&, &x_packed = x_packed](ptrdiff_t begin, ptrdiff_t end) {
        double numbers[tile_limit];
        for (auto i = begin * tile.rows; i < end * tile.rows && !monitor.poll(); i += tile.rows) {
          for (ptrdiff_t j = 0; j < y.rows; j += tile.cols) {
            tile.distances[index_of(metric)](x_packed.data() + i * size, y_packed.data() + j * size, d, p,
                                             numbers);
            for (ptrdiff_t r = 0; r < std::min(tile.rows, x.rows - i); ++r) {
              std::copy_n(numbers + r * tile.cols, std::min(tile.cols, y.rows - j), out.row(i + r) + j);
            }
          }
        }
      });
}

void chosen_distances(MatrixView<const double> points, simd::Metric metric, double power,
                      std::span<const std::int32_t> rows, std::span<const std::int32_t> cols, double* out,
                      std::vector<double>& scratch) {
  const auto& tile = tile_of<double>();
  const ptrdiff_t d = points.cols, runs = d + (metric == simd::Metric::jaccard ? 1 : 0);
  const auto n = std::ssize(rows), m = std::ssize(cols);
  const double p = power_of<double>(metric, power, d);
  const ptrdiff_t x_size = round_up(n, tile.rows) * runs, y_size = round_up(m, tile.cols) * runs;
  scratch.assign(at(x_size + y_size), 0.0);
  const auto gather = [&](std::span<const std::int32_t> chosen, ptrdiff_t width, double* packed) {
    for (ptrdiff_t i = 0; i < std::ssize(chosen); ++i) {
      const double* row = points.row(chosen[at(i)]);
      double* panel = packed + i / width * width * runs + i % width;
      double sum = 0.0;
      for (ptrdiff_t k = 0; k < d; ++k) sum += panel[k * width] = row[k];
      if (runs > d) panel[d * width] = sum;
    }
  };
  gather(rows, tile.rows, scratch.data());
  gather(cols, tile.cols, scratch.data() + x_size);
  double numbers[tile_limit];
  for (ptrdiff_t i = 0; i < n; i += tile.rows) {
    for (ptrdiff_t j = 0; j < m; j += tile.cols) {
      tile.distances[index_of(metric)](scratch.data() + i * runs, scratch.data() + x_size + j * runs, d, p,
                                       numbers);
      for (ptrdiff_t r = 0; r < std::min(tile.rows, n - i); ++r) {
        std::copy_n(numbers + r * tile.cols, std::min(tile.cols, m - j), out + (i + r) * m + j);
      }
    }
  }
}

template class PackedPoints<float>;
template class PackedPoints<double>;

}  // namespace steelyard::distances
