// Row-major lower is column-major upper: A = U' U.
#include "linalg/cholesky_blas.hpp"

#include <algorithm>
#include <cmath>

#include "linalg/blas.hpp"
#include "linalg/cholesky.hpp"

namespace steelyard::linalg {
namespace {

using std::ptrdiff_t;

constexpr ptrdiff_t blas_block = 256;
constexpr ptrdiff_t blas_columns = 1024;  // of a trailing update between two looks at Ctrl-C

int as_int(ptrdiff_t n) { return static_cast<int>(n); }

template <class Real>
struct BlasOf;
template <>
struct BlasOf<double> {
  static auto gemm() { return blas().dgemm; }
  static auto syrk() { return blas().dsyrk; }
  static auto trsm() { return blas().dtrsm; }
  static auto potrf() { return blas().dpotrf; }
};
template <>
struct BlasOf<float> {
  static auto gemm() { return blas().sgemm; }
  static auto syrk() { return blas().ssyrk; }
  static auto trsm() { return blas().strsm; }
  static auto potrf() { return blas().spotrf; }
};

/// C (n x m, column-major) -= A' B with A (k x n) and B (k x m), all within one matrix of leading dimension
/// ld.
template <class Real>
void subtract_gemm(Real* a, Real* b, Real* c, ptrdiff_t n, ptrdiff_t m, ptrdiff_t k, ptrdiff_t ld) {
  char t = 'T', plain = 'N';
  int in = as_int(n), im = as_int(m), ik = as_int(k), ild = as_int(ld);
  Real minus = -1, one = 1;
  BlasOf<Real>::gemm()(&t, &plain, &in, &im, &ik, &minus, a, &ild, b, &ild, &one, c, &ild);
}

template <class Real>
void subtract_syrk(Real* a, Real* c, ptrdiff_t n, ptrdiff_t k, ptrdiff_t ld) {
  char upper = 'U', t = 'T';
  int in = as_int(n), ik = as_int(k), ild = as_int(ld);
  Real minus = -1, one = 1;
  BlasOf<Real>::syrk()(&upper, &t, &in, &ik, &minus, a, &ild, &one, c, &ild);
}

template <class Real>
bool potrf(Real* a, ptrdiff_t n, ptrdiff_t ld) {
  char upper = 'U';
  int in = as_int(n), ild = as_int(ld), info = 0;
  BlasOf<Real>::potrf()(&upper, &in, a, &ild, &info);
  for (ptrdiff_t i = 0; i < n && info == 0; ++i) {
    if (!std::isfinite(a[i * ld + i])) info = 1;  // OpenBLAS lets NaN pass
  }
  return info == 0;
}

/// B (n x m) <- U^{-T} B, or U^{-1} B.
template <class Real>
void trsm(Real* u, Real* b, ptrdiff_t n, ptrdiff_t m, ptrdiff_t ld, ptrdiff_t b_ld, bool transposed = true) {
  char left = 'L', upper = 'U', t = transposed ? 'T' : 'N', plain = 'N';
  int in = as_int(n), im = as_int(m), ild = as_int(ld), ib = as_int(b_ld);
  Real one = 1;
  BlasOf<Real>::trsm()(&left, &upper, &t, &plain, &in, &im, &one, u, &ild, b, &ib);
}

template <class Real>
bool factor(Real* a, ptrdiff_t n, ptrdiff_t ld, Monitor& monitor) {
  const auto entry = [&](ptrdiff_t row, ptrdiff_t col) { return a + col * ld + row; };  // column-major
  for (ptrdiff_t k = 0; k < n; k += blas_block) {
    const ptrdiff_t nb = std::min(blas_block, n - k), next = k + nb;
    if (monitor.poll() || !potrf(entry(k, k), nb, ld)) return false;
    for (ptrdiff_t j = next; j < n; j += blas_columns) {
      const ptrdiff_t m = std::min(blas_columns, n - j);
      trsm(entry(k, k), entry(k, j), nb, m, ld, ld);
      if (monitor.poll()) return false;
    }
    for (ptrdiff_t j = next; j < n; j += blas_columns) {
      const ptrdiff_t m = std::min(blas_columns, n - j);
      if (j > next) subtract_gemm(entry(k, next), entry(k, j), entry(next, j), j - next, m, nb, ld);
      subtract_syrk(entry(k, j), entry(j, j), m, nb, ld);
      if (monitor.poll()) return false;
    }
  }
  return true;
}

template <class Real>
void solve_vector(const Real* l, ptrdiff_t n, ptrdiff_t ld, Real* b, bool half) {
  Real* u = const_cast<Real*>(l);  // BLAS has no const; it does not write here
  trsm(u, b, n, 1, ld, n);
  if (!half) trsm(u, b, n, 1, ld, n, false);
}

}  // namespace

bool cholesky_by_blas(double* a, ptrdiff_t n, ptrdiff_t stride, Monitor& monitor) {
  return factor(a, n, stride, monitor);
}

void solve_by_blas(double* l, double* b, ptrdiff_t n, ptrdiff_t columns, ptrdiff_t stride) {
  trsm(l, b, n, columns, stride, n);
  trsm(l, b, n, columns, stride, n, false);
}

bool cholesky(float* a, ptrdiff_t n, ptrdiff_t stride, Monitor& monitor) {
  return factor(a, n, stride, monitor);
}

void cholesky_solve_vector(const double* l, ptrdiff_t n, ptrdiff_t stride, double* b, bool half) {
  solve_vector(l, n, stride, b, half);
}

void cholesky_solve_vector(const float* l, ptrdiff_t n, ptrdiff_t stride, float* b, bool half) {
  solve_vector(l, n, stride, b, half);
}

}  // namespace steelyard::linalg
