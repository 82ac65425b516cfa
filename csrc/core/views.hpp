// Non-owning views of the arrays that kernels read and write. No Python here, no ownership, no copies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace steelyard {

/// Row-major matrix whose rows may lie further apart than its width.
template <class T>
struct MatrixView {
  T* data = nullptr;
  std::ptrdiff_t rows = 0;
  std::ptrdiff_t cols = 0;
  std::ptrdiff_t stride = cols;  ///< elements from one row to the next, >= cols

  T* row(std::ptrdiff_t i) const { return data + i * stride; }
  operator MatrixView<const T>() const { return {data, rows, cols, stride}; }
};

/// Compressed sparse rows: row i holds entries offsets[i] .. offsets[i + 1].
struct CsrPattern {
  std::span<const std::int64_t> offsets;  ///< rows + 1
  std::span<const std::int32_t> indices;  ///< column of each entry

  std::ptrdiff_t rows() const { return std::ssize(offsets) - 1; }
  std::ptrdiff_t entries() const { return std::ssize(indices); }
};

}  // namespace steelyard
