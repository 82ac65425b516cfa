// BLAS and LAPACK as SciPy ships them; the core links none of its own.
//
// LP64 Fortran interface, column-major. Never call these inside a parallel region of ours.
#pragma once

namespace steelyard::linalg {

struct Blas {
  void (*dgemm)(char* ta, char* tb, int* m, int* n, int* k, double* alpha, double* a, int* lda, double* b,
                int* ldb, double* beta, double* c, int* ldc) = nullptr;
  void (*dsyrk)(char* uplo, char* trans, int* n, int* k, double* alpha, double* a, int* lda, double* beta,
                double* c, int* ldc) = nullptr;
  void (*dtrsm)(char* side, char* uplo, char* ta, char* diag, int* m, int* n, double* alpha, double* a,
                int* lda, double* b, int* ldb) = nullptr;
  void (*dpotrf)(char* uplo, int* n, double* a, int* lda, int* info) = nullptr;
  void (*sgemm)(char* ta, char* tb, int* m, int* n, int* k, float* alpha, float* a, int* lda, float* b,
                int* ldb, float* beta, float* c, int* ldc) = nullptr;
  void (*ssyrk)(char* uplo, char* trans, int* n, int* k, float* alpha, float* a, int* lda, float* beta,
                float* c, int* ldc) = nullptr;
  void (*strsm)(char* side, char* uplo, char* ta, char* diag, int* m, int* n, float* alpha, float* a,
                int* lda, float* b, int* ldb) = nullptr;
  void (*spotrf)(char* uplo, int* n, float* a, int* lda, int* info) = nullptr;
};

/// The table; asks the loader to fill it on first use (the loader imports steelyard._blas).
/// Throws std::runtime_error when SciPy's BLAS can't be had.
const Blas& blas();

void set_blas(const Blas& table);
void set_blas_loader(void (*loader)());
bool blas_ready();

}  // namespace steelyard::linalg
