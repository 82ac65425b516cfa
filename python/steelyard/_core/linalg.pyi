import typing

import numpy
import numpy.typing

def _cholesky_inverse(l: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> typing.Any: ...
def _cholesky_large(a: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> typing.Any: ...
def _inverse_positive_definite(
    matrix: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
) -> typing.Any: ...
def _is_positive_definite(matrix: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> bool: ...
def _simplex_qp(
    K: typing.Any,
    q: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    lower: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    upper: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    total: typing.SupportsFloat | typing.SupportsIndex | None,
    tol: typing.SupportsFloat | typing.SupportsIndex,
    max_iter: typing.SupportsInt | typing.SupportsIndex = 0,
    cache_bytes: typing.SupportsInt | typing.SupportsIndex = 268435456,
    factor_limit: typing.SupportsInt | typing.SupportsIndex = 8000,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> dict[str, typing.Any]: ...
