#include "weigh/ensembles/panels.hpp"

#include <cmath>

#include "simd/table.hpp"

namespace steelyard::weigh {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t most_sums = ptrdiff_t{1} << 22;  // numbers that all chunks together add up

/// Where a thread lays out a block that is not kept.
double* panel_room(std::size_t size) {
  thread_local std::vector<double> room;
  if (room.size() < size) room.resize(size);
  return room.data();
}

}  // namespace

Panels::Panels(MatrixView<const double> predictions, std::span<const double> y, bool kept, Monitor& monitor)
    : p_(predictions), y_(y) {
  if (!kept) return;
  const auto blocks = (p_.rows + block_rows - 1) / block_rows;
  auto room =
      std::make_unique_for_overwrite<double[]>(checked_product("predictions", blocks, p_.cols, stride));
  parallel_for(blocks, 16, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    for (auto b = begin; b < end && !monitor.poll(); ++b) {
      const auto first = b * block_rows, count = std::min(block_rows, p_.rows - first);
      simd::kernels().columns->pack(p_.row(first), p_.stride, y_.empty() ? nullptr : y_.data() + first, count,
                                    p_.cols, room.get() + b * p_.cols * stride, stride);
    }
  });
  kept_ = std::move(room);
}

bool Panels::divide_by_largest(std::vector<double>& logs, Monitor& monitor) {
  logs.assign(at(p_.rows), 0.0);
  const auto blocks = (p_.rows + block_rows - 1) / block_rows;
  return parallel_for(blocks, 16, monitor, [&](ptrdiff_t begin, ptrdiff_t end) {
    double largest[block_rows], halves[2][block_rows];
    for (auto b = begin; b < end && !monitor.poll(); ++b) {
      const auto first = b * block_rows, count = std::min(block_rows, p_.rows - first);
      double* columns = kept_.get() + b * p_.cols * stride;
      std::fill_n(largest, count, 0.0);
      for (ptrdiff_t k = 0; k < p_.cols; ++k) {
        for (ptrdiff_t r = 0; r < count; ++r) largest[r] = std::max(largest[r], columns[k * stride + r]);
      }
      // By a power of two, in two halves that float64 holds: quotients are exact, the largest is 1/2 to 1.
      for (ptrdiff_t r = 0; r < count; ++r) {
        int power = 0;
        std::frexp(largest[r], &power);
        logs[at(first + r)] = power * 0.693147180559945309417;
        halves[0][r] = std::ldexp(1.0, -(power / 2));
        halves[1][r] = std::ldexp(1.0, -(power - power / 2));
      }
      for (ptrdiff_t k = 0; k < p_.cols; ++k) {
        double* column = columns + k * stride;
        for (ptrdiff_t r = 0; r < count; ++r) column[r] = column[r] * halves[0][r] * halves[1][r];
      }
    }
  });
}

const double* Panels::block(ptrdiff_t first, ptrdiff_t count) const {
  if (kept_ != nullptr) return kept_.get() + first / block_rows * p_.cols * stride;
  double* room = panel_room(at(p_.cols * stride));
  simd::kernels().columns->pack(p_.row(first), p_.stride, y_.empty() ? nullptr : y_.data() + first, count,
                                p_.cols, room, stride);
  return room;
}

ptrdiff_t Panels::chunk_rows(ptrdiff_t width) const {
  const auto most = std::clamp<ptrdiff_t>(most_sums / std::max<ptrdiff_t>(width, 1), 1, 64);
  const auto blocks = (rows() + block_rows - 1) / block_rows;
  const auto each = std::max<ptrdiff_t>((blocks + most - 1) / most, 8);
  return each * block_rows;
}

}  // namespace steelyard::weigh
