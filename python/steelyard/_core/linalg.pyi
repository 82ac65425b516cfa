import typing

import numpy
import numpy.typing

def _cholesky_inverse(l: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> typing.Any: ...
def _cholesky_large(a: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> typing.Any: ...
def _inverse_positive_definite(
    matrix: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
) -> typing.Any: ...
def _is_positive_definite(matrix: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> bool: ...
def _kernel_matrix(
    x: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    y: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    kernel: str,
    scale: typing.SupportsFloat | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> typing.Any: ...
def _kernel_product(
    x: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    y: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    kernel: str,
    scale: typing.SupportsFloat | typing.SupportsIndex,
    v: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> typing.Any: ...
def _kernel_qp(
    points: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    kernel: str,
    scale: typing.SupportsFloat | typing.SupportsIndex,
    linear: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    upper: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    ridge: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    totals: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    groups: typing.Annotated[numpy.typing.ArrayLike, numpy.int32] | None,
    init: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    gap_tol: typing.SupportsFloat | typing.SupportsIndex,
    tol: typing.SupportsFloat | typing.SupportsIndex = 0.0,
    max_sweeps: typing.SupportsInt | typing.SupportsIndex = 100,
    max_seconds: typing.SupportsFloat | typing.SupportsIndex = 0.0,
    memory: typing.SupportsInt | typing.SupportsIndex = 1073741824,
    direct: typing.SupportsInt | typing.SupportsIndex = 1200,
    dense: typing.SupportsInt | typing.SupportsIndex = 3000,
    block: typing.SupportsInt | typing.SupportsIndex = 400,
    finish: typing.SupportsInt | typing.SupportsIndex = 3000,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> dict[str, typing.Any]: ...
def _simplex_qp(
    K: typing.Any,
    q: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    lower: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    upper: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    total: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    tol: typing.SupportsFloat | typing.SupportsIndex,
    max_iter: typing.SupportsInt | typing.SupportsIndex = 0,
    cache_bytes: typing.SupportsInt | typing.SupportsIndex = 268435456,
    factor_limit: typing.SupportsInt | typing.SupportsIndex = 8000,
    groups: typing.Annotated[numpy.typing.ArrayLike, numpy.int32] | None = None,
    init: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None = None,
    rough: typing.SupportsFloat | typing.SupportsIndex = 0.0001,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> dict[str, typing.Any]: ...
