// Dense Cholesky factorisation A = L L' of symmetric positive definite matrices.
//
// Row-major, lower triangle; the strict upper triangle is neither read nor written.
#pragma once

#include <cstddef>
#include <vector>

#include "core/monitor.hpp"

namespace steelyard::linalg {

/// Largest n for which `cholesky` stays with the own kernel.
inline constexpr std::ptrdiff_t own_cholesky_limit = 512;

/// Own blocked factorisation: no BLAS, one thread, the same bits everywhere. For the many small systems of
/// bootstrap workers. n^3/3 flops, in place. False when a pivot is not positive (or NaN): A is then spoilt.
bool cholesky_own(double* a, std::ptrdiff_t n, std::ptrdiff_t stride);
/// Polled between blocks; false too when stopped.
bool cholesky_own(double* a, std::ptrdiff_t n, std::ptrdiff_t stride, Monitor& monitor);

/// The first `columns` columns of L, with the remaining lower triangle updated by them: one front of a
/// multifrontal factorisation. `scratch` is resized as needed.
bool cholesky_partial(double* a, std::ptrdiff_t n, std::ptrdiff_t columns, std::ptrdiff_t stride,
                      std::vector<double>& scratch);

/// The own kernel up to own_cholesky_limit, SciPy's BLAS in blocks beyond it (polled between blocks, so that
/// Ctrl-C is answered within 0.1 s). False when not positive definite or stopped. Its bits depend on the BLAS
/// thread count.
bool cholesky(double* a, std::ptrdiff_t n, std::ptrdiff_t stride, Monitor& monitor);

/// In single precision: SciPy's BLAS for any n. For preconditioners.
bool cholesky(float* a, std::ptrdiff_t n, std::ptrdiff_t stride, Monitor& monitor);

/// One vector by SciPy's BLAS: b <- A^{-1} b, or (`half`) b <- L^{-1} b.
void cholesky_solve_vector(const double* l, std::ptrdiff_t n, std::ptrdiff_t stride, double* b,
                           bool half = false);
void cholesky_solve_vector(const float* l, std::ptrdiff_t n, std::ptrdiff_t stride, float* b,
                           bool half = false);

/// B <- A^{-1} B for B (n x columns, row-major); one thread, no BLAS. 2 n^2 flops a column.
void cholesky_solve(const double* l, std::ptrdiff_t n, std::ptrdiff_t stride, double* b,
                    std::ptrdiff_t columns, std::ptrdiff_t b_stride);

/// B (n x columns, row-major) <- L^{-T} B: turns standard normal columns into columns with covariance A^{-1}.
void cholesky_solve_transposed(const double* l, std::ptrdiff_t n, std::ptrdiff_t stride, double* b,
                               std::ptrdiff_t columns, std::ptrdiff_t b_stride);

/// A^{-1} from L, full symmetric matrix, in place. 2 n^3 / 3 flops; blocked through BLAS beyond
/// own_cholesky_limit.
bool cholesky_inverse(double* l, std::ptrdiff_t n, std::ptrdiff_t stride, Monitor& monitor);
/// The same without BLAS or polling, for many small ones: (L^{-1})'(L^{-1}). `scratch` grows to 2 n^2.
void cholesky_inverse_own(double* l, std::ptrdiff_t n, std::ptrdiff_t stride, std::vector<double>& scratch);

}  // namespace steelyard::linalg
