#include "simd/table.hpp"

namespace steelyard::simd {
namespace {

using std::ptrdiff_t;

void pack_few(const double* rows, ptrdiff_t row_stride, const double* shift, ptrdiff_t n, ptrdiff_t k,
              double* columns, ptrdiff_t stride) {
  ptrdiff_t c = 0;
  for (; c + 4 <= k; c += 4) {
    const double* from = rows + c;
    double *o0 = columns + c * stride, *o1 = o0 + stride, *o2 = o1 + stride, *o3 = o2 + stride;
    for (ptrdiff_t r = 0; r < n; ++r, from += row_stride) {
      const double s = shift != nullptr ? shift[r] : 0.0;
      o0[r] = from[0] - s;
      o1[r] = from[1] - s;
      o2[r] = from[2] - s;
      o3[r] = from[3] - s;
    }
  }
  for (; c < k; ++c) {
    double* out = columns + c * stride;
    for (ptrdiff_t r = 0; r < n; ++r) out[r] = rows[r * row_stride + c] - (shift != nullptr ? shift[r] : 0.0);
  }
}

/// Few rows at a time, so that memory is read in its order, and once.
void pack(const double* rows, ptrdiff_t row_stride, const double* shift, ptrdiff_t n, ptrdiff_t k,
          double* columns, ptrdiff_t stride) {
  constexpr ptrdiff_t few = 32;
  for (ptrdiff_t r = 0; r < n; r += few) {
    pack_few(rows + r * row_stride, row_stride, shift != nullptr ? shift + r : nullptr,
             n - r < few ? n - r : few, k, columns + r, stride);
  }
}

ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

/// 4 x 4 columns at a time, all sums in registers; at the edge the last column stands in for what is beyond it.
template <bool weighted>
void gram_of(const double* columns, ptrdiff_t stride, ptrdiff_t n, ptrdiff_t k, const double* weights,
             double* gram) {
  for (ptrdiff_t i = 0; i < k; i += 4) {
    const double *a0 = columns + i * stride, *a1 = columns + least(i + 1, k - 1) * stride,
                 *a2 = columns + least(i + 2, k - 1) * stride, *a3 = columns + least(i + 3, k - 1) * stride;
    for (ptrdiff_t j = 0; j <= i; j += 4) {
      const double *b0 = columns + j * stride, *b1 = columns + least(j + 1, k - 1) * stride,
                   *b2 = columns + least(j + 2, k - 1) * stride, *b3 = columns + least(j + 3, k - 1) * stride;
      double s00 = 0, s01 = 0, s02 = 0, s03 = 0, s10 = 0, s11 = 0, s12 = 0, s13 = 0;
      double s20 = 0, s21 = 0, s22 = 0, s23 = 0, s30 = 0, s31 = 0, s32 = 0, s33 = 0;
#pragma omp simd reduction(+ : s00, s01, s02, s03, s10, s11, s12, s13, s20, s21, s22, s23, s30, s31, s32, s33)
      for (ptrdiff_t r = 0; r < n; ++r) {
        const double w = weighted ? weights[r] : 1.0;
        const double x0 = weighted ? w * a0[r] : a0[r], x1 = weighted ? w * a1[r] : a1[r];
        const double x2 = weighted ? w * a2[r] : a2[r], x3 = weighted ? w * a3[r] : a3[r];
        s00 += x0 * b0[r];
        s01 += x0 * b1[r];
        s02 += x0 * b2[r];
        s03 += x0 * b3[r];
        s10 += x1 * b0[r];
        s11 += x1 * b1[r];
        s12 += x1 * b2[r];
        s13 += x1 * b3[r];
        s20 += x2 * b0[r];
        s21 += x2 * b1[r];
        s22 += x2 * b2[r];
        s23 += x2 * b3[r];
        s30 += x3 * b0[r];
        s31 += x3 * b1[r];
        s32 += x3 * b2[r];
        s33 += x3 * b3[r];
      }
      const double sums[4][4] = {
          {s00, s01, s02, s03}, {s10, s11, s12, s13}, {s20, s21, s22, s23}, {s30, s31, s32, s33}};
      for (ptrdiff_t p = 0; p < 4 && i + p < k; ++p) {
        for (ptrdiff_t q = 0; q < 4 && j + q <= i + p; ++q) gram[(i + p) * k + j + q] += sums[p][q];
      }
    }
  }
}

void gram(const double* columns, ptrdiff_t stride, ptrdiff_t n, ptrdiff_t k, const double* weights,
          double* out) {
  if (weights != nullptr) {
    gram_of<true>(columns, stride, n, k, weights, out);
  } else {
    gram_of<false>(columns, stride, n, k, nullptr, out);
  }
}

void combine(const double* columns, ptrdiff_t stride, ptrdiff_t n, ptrdiff_t k, const double* x,
             double* out) {
  for (ptrdiff_t r = 0; r < n; ++r) out[r] = 0.0;
  ptrdiff_t c = 0;
  for (; c + 4 <= k; c += 4) {
    const double *a0 = columns + c * stride, *a1 = a0 + stride, *a2 = a1 + stride, *a3 = a2 + stride;
    const double x0 = x[c], x1 = x[c + 1], x2 = x[c + 2], x3 = x[c + 3];
#pragma omp simd
    for (ptrdiff_t r = 0; r < n; ++r) out[r] += (a0[r] * x0 + a1[r] * x1) + (a2[r] * x2 + a3[r] * x3);
  }
  for (; c < k; ++c) {
    const double *a = columns + c * stride, factor = x[c];
#pragma omp simd
    for (ptrdiff_t r = 0; r < n; ++r) out[r] += a[r] * factor;
  }
}

void dots(const double* columns, ptrdiff_t stride, ptrdiff_t n, ptrdiff_t k, const double* x, double* out) {
  ptrdiff_t c = 0;
  for (; c + 4 <= k; c += 4) {
    const double *a0 = columns + c * stride, *a1 = a0 + stride, *a2 = a1 + stride, *a3 = a2 + stride;
    double s0 = 0.0, s1 = 0.0, s2 = 0.0, s3 = 0.0;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
    for (ptrdiff_t r = 0; r < n; ++r) {
      s0 += a0[r] * x[r];
      s1 += a1[r] * x[r];
      s2 += a2[r] * x[r];
      s3 += a3[r] * x[r];
    }
    out[c] += s0, out[c + 1] += s1, out[c + 2] += s2, out[c + 3] += s3;
  }
  for (; c < k; ++c) {
    const double* a = columns + c * stride;
    double sum = 0.0;
#pragma omp simd reduction(+ : sum)
    for (ptrdiff_t r = 0; r < n; ++r) sum += a[r] * x[r];
    out[c] += sum;
  }
}

}  // namespace

extern const Columns STEELYARD_FOR_ISA(columns_);
const Columns STEELYARD_FOR_ISA(columns_){pack, gram, combine, dots};

}  // namespace steelyard::simd
