# cython: freethreading_compatible=True
"""BLAS and LAPACK of SciPy, handed to the core when this module is imported.

SciPy documents `scipy.linalg.cython_blas` and `cython_lapack` as its interface for compiled code; the functions are
those that SciPy itself runs, so that one process holds one BLAS and one pool of BLAS threads.
"""

cimport scipy.linalg.cython_blas as _cython_blas
cimport scipy.linalg.cython_lapack as _cython_lapack
from libc.stdint cimport uintptr_t

import scipy.linalg.cython_blas as _blas_module

from steelyard import _core


def _check_lp64():
    """The capsule of a function is named by its C signature: integers must be plain ``int *``."""
    signature = repr(_blas_module.__pyx_capi__["dgemm"])
    if "int *" not in signature or "int64" in signature or "long" in signature or "blas_int" in signature:
        raise ImportError(
            "steelyard needs a SciPy whose BLAS takes 32-bit integers (LP64), but this one has dgemm as "
            f"{signature}; install a SciPy wheel from PyPI"
        )


def addresses():
    """Addresses of the functions that the core calls, by name."""
    return {
        "dgemm": <uintptr_t><void*>_cython_blas.dgemm,
        "dsyrk": <uintptr_t><void*>_cython_blas.dsyrk,
        "dtrsm": <uintptr_t><void*>_cython_blas.dtrsm,
        "dpotrf": <uintptr_t><void*>_cython_lapack.dpotrf,
        "sgemm": <uintptr_t><void*>_cython_blas.sgemm,
        "ssyrk": <uintptr_t><void*>_cython_blas.ssyrk,
        "strsm": <uintptr_t><void*>_cython_blas.strsm,
        "spotrf": <uintptr_t><void*>_cython_lapack.spotrf,
    }


_check_lp64()
_core._set_blas(addresses())
