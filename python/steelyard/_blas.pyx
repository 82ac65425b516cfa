# cython: freethreading_compatible=True
"""BLAS and LAPACK of SciPy, handed to the core when this module is imported.

SciPy documents `scipy.linalg.cython_blas` and `cython_lapack` as its interface for compiled code; the functions are
those that SciPy itself runs, so that one process holds one BLAS and one pool of BLAS threads. Their capsules are read
as `cimport` would, but when this is imported alone: to build it, SciPy is not needed.
"""

from cpython.pycapsule cimport PyCapsule_GetName, PyCapsule_GetPointer
from libc.stdint cimport uintptr_t

from scipy.linalg import cython_blas, cython_lapack

from steelyard import _core


cdef uintptr_t _address(module, str name) except 0:
    """Of a function in a capsule, which is named by its C signature: integers must be plain ``int *``."""
    capsule = module.__pyx_capi__[name]
    cdef const char* signature = PyCapsule_GetName(capsule)
    words = signature.decode()
    if "int *" not in words or "int64" in words or "long" in words or "blas_int" in words:
        raise ImportError(
            "steelyard needs a SciPy whose BLAS takes 32-bit integers (LP64), but this one has "
            f"{name} as {words}; install a SciPy wheel from PyPI"
        )
    return <uintptr_t>PyCapsule_GetPointer(capsule, signature)


def addresses():
    """Addresses of the functions that the core calls, by name."""
    names = {cython_blas: ("gemm", "syrk", "trsm"), cython_lapack: ("potrf",)}
    return {
        real + name: _address(module, real + name) for module in names for name in names[module] for real in "ds"
    }


_core._set_blas(addresses())
