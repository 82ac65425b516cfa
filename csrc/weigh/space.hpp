// A finite metric space as the solvers of weigh see it: what they need of Z = exp(-scale D), never Z itself.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "core/monitor.hpp"
#include "core/views.hpp"
#include "distances/similarity.hpp"

namespace steelyard::weigh {

enum class Precision { single, full };

/// How far a product can be from Zv beside the rounding of double: |error_i| <= row_i, proven if `rigorous`.
struct Deviation {
  double rms = 0.0;       ///< of row_i
  double weighted = 0.0;  ///< sum_i |v_i| row_i
  bool rigorous = true;
};

class Space {
 public:
  virtual ~Space() = default;
  virtual std::ptrdiff_t size() const = 0;

  /// Y <- Z V, both n x columns row-major, column c at scales[c]. False when stopped.
  virtual bool product(Precision precision, std::span<const double> scales, const double* v, double* y,
                       Monitor& monitor) const = 0;

  /// The same for one product that stands alone, which says how far it is.
  virtual bool told_product(Precision precision, std::span<const double> scales, const double* v, double* y,
                            Monitor& monitor) const {
    return product(precision, scales, v, y, monitor);
  }

  /// The same in double for what a residual is judged by: with |row|_rms <= aim where that can be proven. A
  /// deviation a column.
  virtual bool careful_product(std::span<const double> scales, double, const double* v, double* y,
                               std::span<Deviation>, Monitor& monitor) const {
    return product(Precision::full, scales, v, y, monitor);
  }

  /// Whether products are approximate by design.
  virtual bool approximates() const { return false; }

  /// out (row-major) <- distances between chosen points. One thread; `scratch` is resized as needed.
  virtual void chosen(std::span<const std::int32_t> rows, std::span<const std::int32_t> cols, double* out,
                      std::vector<double>& scratch) const = 0;

  /// out (rows x (stop - start)) <- distances from points first .. first + rows - 1 to points start .. stop -
  /// 1; start is a multiple of 64. Four rows from a multiple of 4 cost as much as one. One thread.
  virtual void rows(std::ptrdiff_t first, std::ptrdiff_t rows, std::ptrdiff_t start, std::ptrdiff_t stop,
                    double* out) const = 0;
  virtual void rows(std::ptrdiff_t first, std::ptrdiff_t rows, std::ptrdiff_t start, std::ptrdiff_t stop,
                    float* out) const = 0;

  /// The same points in another order.
  virtual std::unique_ptr<const Space> reordered(std::span<const std::int32_t> order,
                                                 Monitor& monitor) const = 0;

  /// An order that puts points near one another together, where products are faster for it; empty elsewhere.
  virtual std::vector<std::int32_t> grouped(Monitor&) const { return {}; }

  /// All points in an order of ever finer nets; empty where that would take long.
  virtual std::vector<std::int32_t> nets() const { return {}; }

  /// out (n x k) <- the nearest points of lower rank, nearest first, -1 where there are fewer. False where this
  /// space has no quicker way than to look at all pairs.
  virtual bool earlier_neighbours(std::span<const std::int32_t>, std::ptrdiff_t, std::vector<std::int32_t>&,
                                  Monitor&) const {
    return false;
  }

  /// Smallest distance between two different points. n^2 / 2 distances unless there is a quicker way.
  virtual double smallest_distance(Monitor& monitor) const;
};

/// Points with a metric. `points` must outlive it, unless it owns them.
class PointSpace : public Space {
 public:
  PointSpace(MatrixView<const double> points, simd::Metric metric, double power);
  PointSpace(std::vector<double>&& owned, std::ptrdiff_t d, simd::Metric metric, double power);

  std::ptrdiff_t size() const override { return points_.rows; }
  bool product(Precision precision, std::span<const double> scales, const double* v, double* y,
               Monitor& monitor) const override;
  bool told_product(Precision precision, std::span<const double> scales, const double* v, double* y,
                    Monitor& monitor) const override;
  void chosen(std::span<const std::int32_t> rows, std::span<const std::int32_t> cols, double* out,
              std::vector<double>& scratch) const override;
  void rows(std::ptrdiff_t first, std::ptrdiff_t rows, std::ptrdiff_t start, std::ptrdiff_t stop,
            double* out) const override;
  void rows(std::ptrdiff_t first, std::ptrdiff_t rows, std::ptrdiff_t start, std::ptrdiff_t stop,
            float* out) const override;
  std::unique_ptr<const Space> reordered(std::span<const std::int32_t> order,
                                         Monitor& monitor) const override;
  std::vector<std::int32_t> grouped(Monitor& monitor) const override;

 protected:
  MatrixView<const double> points() const { return points_; }
  /// The coordinates in another order.
  std::vector<double> moved(std::span<const std::int32_t> order) const;

 private:
  bool product_of(Precision precision, std::span<const double> scales, const double* v, double* y,
                  Monitor& monitor, bool tell) const;

  /// Null when stopped: points packed in part are not kept.
  template <class Real>
  const distances::PackedPoints<Real>* packed(std::unique_ptr<const distances::PackedPoints<Real>>& slot,
                                              Monitor& monitor) const;

  std::vector<double> owned_;
  MatrixView<const double> points_;
  simd::Metric metric_;
  double power_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<const distances::PackedPoints<float>> single_;
  mutable std::unique_ptr<const distances::PackedPoints<double>> full_;
};

/// Given distances (n x n, symmetric). `distances` must outlive it.
class MatrixSpace final : public Space {
 public:
  explicit MatrixSpace(MatrixView<const double> distances) : distances_(distances) {}

  std::ptrdiff_t size() const override { return order_.empty() ? distances_.rows : std::ssize(order_); }
  bool product(Precision precision, std::span<const double> scales, const double* v, double* y,
               Monitor& monitor) const override;
  void chosen(std::span<const std::int32_t> rows, std::span<const std::int32_t> cols, double* out,
              std::vector<double>& scratch) const override;
  void rows(std::ptrdiff_t first, std::ptrdiff_t rows, std::ptrdiff_t start, std::ptrdiff_t stop,
            double* out) const override;
  void rows(std::ptrdiff_t first, std::ptrdiff_t rows, std::ptrdiff_t start, std::ptrdiff_t stop,
            float* out) const override;
  std::unique_ptr<const Space> reordered(std::span<const std::int32_t> order,
                                         Monitor& monitor) const override;

 private:
  template <class Real>
  void copy_rows(std::ptrdiff_t first, std::ptrdiff_t rows, std::ptrdiff_t start, std::ptrdiff_t stop,
                 Real* out) const;

  MatrixView<const double> distances_;
  std::vector<std::int32_t> order_;  ///< empty: as given
};

/// The k nearest of each point, found in single precision: among all others, or (`before`) among those of
/// lower number only. n x k numbers of points, nearest first, -1 where there are fewer. n^2 (/ 2) distances.
std::vector<std::int32_t> nearest_neighbours(const Space& space, std::ptrdiff_t k, bool before,
                                             Monitor& monitor);

/// Farthest-point sampling from the first point: each next landmark is the point farthest from those before; in
/// the end near-copies of landmarks join them, unless these are many. n m distances. Gonzalez, Theor. Comput. Sci. 38 (1985).
std::vector<std::int32_t> farthest_points(const Space& space, std::ptrdiff_t m, Monitor& monitor);

}  // namespace steelyard::weigh
