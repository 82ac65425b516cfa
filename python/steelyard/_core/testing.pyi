import collections.abc
import typing

import numpy
import numpy.typing

def _busy(
    seconds: typing.SupportsFloat | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> tuple[typing.Any, ...]: ...
def _cholesky(a: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> typing.Any: ...
def _cholesky_solve(
    l: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    b: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
) -> typing.Any: ...
def _cholesky_solve_transposed(
    l: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    b: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
) -> typing.Any: ...
def _conjugate_gradients(
    offsets: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    indices: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    values: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    b: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    tol: typing.SupportsFloat | typing.SupportsIndex = 1e-10,
    max_iter: typing.SupportsInt | typing.SupportsIndex = 1000,
    project_mean: bool = False,
    jacobi: bool = True,
    start: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None = None,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> dict[str, typing.Any]: ...
def _earlier_neighbours(
    x: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    rank: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    k: typing.SupportsInt | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> typing.Any: ...
def _exp(
    x: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
) -> numpy.typing.NDArray[numpy.float64]: ...
def _exp_distance_sums(
    x: numpy.ndarray,
    y: numpy.ndarray,
    t: typing.SupportsFloat | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> typing.Any: ...
def _exp_f32(
    x: typing.Annotated[numpy.typing.ArrayLike, numpy.float32],
) -> numpy.typing.NDArray[numpy.float32]: ...
def _far_field_product(
    x: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    v: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    p: typing.SupportsInt | typing.SupportsIndex,
    scale: typing.SupportsFloat | typing.SupportsIndex,
    single: bool = False,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    kernel: str = "laplacian",
) -> tuple[typing.Any, ...]: ...
def _interpolation_error(
    shape: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
    p: typing.SupportsInt | typing.SupportsIndex,
    rate: typing.SupportsFloat | typing.SupportsIndex,
) -> tuple[typing.Any, ...]: ...
def _metric_pair_order(
    n: typing.SupportsInt | typing.SupportsIndex,
    sweeps: typing.SupportsInt | typing.SupportsIndex,
    seed: tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex],
) -> numpy.typing.NDArray[numpy.int32]: ...
def _nearest(
    x: numpy.ndarray, y: numpy.ndarray, n_threads: typing.SupportsInt | typing.SupportsIndex = 1
) -> typing.Any: ...
def _parallel_sum(
    values: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    grain: typing.SupportsInt | typing.SupportsIndex = 1000,
) -> float: ...
def _random(
    kind: str,
    size: typing.SupportsInt | typing.SupportsIndex,
    seed: typing.SupportsInt | typing.SupportsIndex,
    stream: typing.SupportsInt | typing.SupportsIndex,
    a: typing.SupportsFloat | typing.SupportsIndex = 0.0,
    b: typing.SupportsFloat | typing.SupportsIndex = 0.0,
) -> typing.Any: ...
def _selected_inverse(
    offsets: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    indices: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    diagonal: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    off_diagonal: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    b: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
) -> tuple[typing.Any, ...]: ...
def _sparse_cholesky(
    offsets: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    indices: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    diagonal: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    off_diagonal: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    b: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    max_flops: typing.SupportsFloat | typing.SupportsIndex = ...,
) -> typing.Any: ...
def _squared_distance_sums(
    x: numpy.ndarray, y: numpy.ndarray, n_threads: typing.SupportsInt | typing.SupportsIndex = 1
) -> typing.Any: ...
def _squared_distances(
    x: numpy.ndarray, y: numpy.ndarray, n_threads: typing.SupportsInt | typing.SupportsIndex = 1
) -> typing.Any: ...
