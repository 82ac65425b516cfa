"""What this installation is made of."""

from __future__ import annotations

import importlib
from importlib.metadata import version
from typing import Any

from ._core import _build_facts

__version__ = version("steelyard")


def build_info(*, load_blas: bool = False) -> dict[str, Any]:
    """Compiler, flags, instruction set, threads and BLAS of this installation.

    Parameters
    ----------
    load_blas : bool, default False
        Load SciPy's BLAS now (it is loaded when a large dense system first needs it).

    Returns
    -------
    dict
        ``version``, ``compiler``, ``flags``, ``sanitizers``, ``isa`` ('base', 'v3' or 'v4' of x86-64 as
        chosen at import, capped by the environment variable STEELYARD_ISA), ``threads`` (used when a call
        does not say; the environment variable STEELYARD_NUM_THREADS overrides it), ``numpy``, ``scipy``,
        ``blas`` (where BLAS comes from) and ``blas_loaded``.

    Raises
    ------
    ImportError
        If `load_blas` and SciPy's BLAS does not fit (64-bit integers).

    Examples
    --------
    >>> import steelyard
    >>> steelyard.build_info()["isa"] in {"base", "v3", "v4"}
    True
    """
    if load_blas:
        importlib.import_module("steelyard._blas")
    return {
        "version": __version__,
        **_build_facts(),
        "numpy": version("numpy"),
        "scipy": version("scipy"),
        "blas": "scipy.linalg.cython_blas",
    }
