// A symmetric matrix given by its rows, for solvers that never need all of it at once.
#pragma once

#include <cstddef>
#include <list>
#include <span>
#include <unordered_map>
#include <vector>

#include "core/monitor.hpp"
#include "core/views.hpp"

namespace steelyard::qp {

/// K (n x n, symmetric), row by row. Called on the solver's own thread; may use the pool itself.
class SymmetricRows {
 public:
  virtual ~SymmetricRows() = default;
  virtual std::ptrdiff_t size() const = 0;
  /// out (indices.size() x n, row-major) <- those rows of K.
  virtual void rows(std::span<const std::ptrdiff_t> indices, double* out) = 0;
  /// Row i where it lies in memory already, else nullptr.
  virtual const double* stored(std::ptrdiff_t) const { return nullptr; }

  /// Whether products come without the rows; then the next two are called, as RowCache's are described.
  virtual bool multiplies() const { return false; }
  virtual bool accumulate(std::span<const std::ptrdiff_t>, const double*, double*, std::ptrdiff_t, Monitor&) {
    return false;
  }
  virtual void fill_diagonal(std::span<double>) {}
  /// How many roundings an entry goes through; 0: it is exact.
  virtual double rounding() const { return 0.0; }
};

/// A matrix in memory.
class DenseRows final : public SymmetricRows {
 public:
  explicit DenseRows(MatrixView<const double> k) : k_(k) {}
  std::ptrdiff_t size() const override { return k_.rows; }
  void rows(std::span<const std::ptrdiff_t> indices, double* out) override;
  const double* stored(std::ptrdiff_t i) const override { return k_.data + i * k_.stride; }

 private:
  MatrixView<const double> k_;
};

/// The rows used last, within a bound on memory (but never fewer than 2 rows); rows in memory pass through.
class RowCache {
 public:
  RowCache(SymmetricRows& source, std::size_t bytes);

  std::ptrdiff_t size() const { return n_; }
  bool multiplies() const { return source_.multiplies(); }
  void fill_diagonal(std::span<double> out) { source_.fill_diagonal(out); }
  double rounding() const { return source_.rounding(); }

  /// Row i. Valid until two other rows have been asked for.
  const double* row(std::ptrdiff_t i);

  /// y_c += sum_j x_c[j] K_j for the listed j, for `columns` pairs of vectors of length n (x and y are
  /// columns x n). One pass over the listed rows, in batches; sums in the order of the list, so the same bits
  /// for any number of threads. False when stopped.
  bool accumulate(std::span<const std::ptrdiff_t> list, const double* x, double* y, std::ptrdiff_t columns,
                  Monitor& monitor);

  /// visit(position, row) for the listed rows in their order, fetched in batches. False when stopped.
  template <class Visit>
  bool for_each(std::span<const std::ptrdiff_t> list, Monitor& monitor, const Visit& visit) {
    for (std::size_t begin = 0; begin < list.size(); begin += batch_) {
      if (monitor.poll()) return false;
      const auto part = list.subspan(begin, std::min(batch_, list.size() - begin));
      fetch(part);
      for (std::size_t k = 0; k < part.size(); ++k) visit(begin + k, fetched_[k]);
    }
    return true;
  }

  std::size_t rows_made() const { return made_; }

 private:
  using Slot = std::pair<std::ptrdiff_t, std::vector<double>>;

  void fetch(std::span<const std::ptrdiff_t> part);  ///< fetched_[k] <- row part[k]

  SymmetricRows& source_;
  std::ptrdiff_t n_;
  std::size_t capacity_, batch_, made_ = 0;
  std::list<Slot> recent_;  ///< the latest first
  std::unordered_map<std::ptrdiff_t, std::list<Slot>::iterator> where_;
  std::vector<double> scratch_;
  std::vector<const double*> fetched_;
};

}  // namespace steelyard::qp
