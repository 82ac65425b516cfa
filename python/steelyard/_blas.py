"""BLAS and LAPACK of SciPy, handed to the core when this module is imported.

SciPy documents `scipy.linalg.cython_blas` and `cython_lapack` as its interface for compiled code; the
functions are those that SciPy itself runs, so that one process holds one BLAS and one pool of BLAS threads.
Each lies in a capsule that is named by its C signature: to build this library takes nothing of SciPy's,
NumPy's or Cython's.
"""

from __future__ import annotations

import ctypes
from typing import Any

from scipy.linalg import cython_blas, cython_lapack

from . import _core

_BLAS = ("dgemm", "dsyrk", "dtrsm", "sgemm", "ssyrk", "strsm")
_LAPACK = ("dpotrf", "spotrf")

_name_of = ctypes.pythonapi.PyCapsule_GetName
_name_of.restype, _name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
_pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
_pointer_of.restype, _pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]


def _address(capsule: Any, function: str) -> int:
    """Of a function whose integers are plain ``int *``."""
    signature = _name_of(capsule)
    says = signature.decode()
    if "int *" not in says or "int64" in says or "long" in says or "blas_int" in says:
        raise ImportError(
            "steelyard needs a SciPy whose BLAS takes 32-bit integers (LP64), but this one has "
            f"{function} as {says}; install a SciPy wheel from PyPI"
        )
    return _pointer_of(capsule, signature) or 0


def addresses() -> dict[str, int]:
    """Addresses of the functions that the core calls, by name."""
    blas, lapack = cython_blas.__pyx_capi__, cython_lapack.__pyx_capi__
    return {
        **{name: _address(blas[name], name) for name in _BLAS},
        **{name: _address(lapack[name], name) for name in _LAPACK},
    }


_core._set_blas(addresses())
