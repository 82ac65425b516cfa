// The large case of the dense Cholesky factorisation, in blocks of SciPy's BLAS.
//
// Layout as in cholesky.hpp. Bits depend on the thread count of BLAS.
#pragma once

#include <cstddef>

#include "core/monitor.hpp"

namespace steelyard::linalg {

/// Polled between blocks. False when not positive definite or stopped.
bool cholesky_by_blas(double* a, std::ptrdiff_t n, std::ptrdiff_t stride, Monitor& monitor);

/// B (n x columns, column-major without gaps) <- A^{-1} B.
void solve_by_blas(double* l, double* b, std::ptrdiff_t n, std::ptrdiff_t columns, std::ptrdiff_t stride);

}  // namespace steelyard::linalg
