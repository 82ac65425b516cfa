import typing

import numpy
import numpy.typing

class _Space:
    @property
    def size(self) -> int: ...

def _careful_product(
    space: _Space,
    scale: typing.SupportsFloat | typing.SupportsIndex,
    v: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    aim: typing.SupportsFloat | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> tuple[typing.Any, ...]: ...
def _chosen_products(
    space: _Space,
    scale: typing.SupportsFloat | typing.SupportsIndex,
    rows: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    v: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> typing.Any: ...
def _count_law(
    p: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> tuple[typing.Any, ...]: ...
def _cross_distances(
    x: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    y: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    metric: str,
    power: typing.SupportsFloat | typing.SupportsIndex = 2.0,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> typing.Any: ...
def _ensemble_weights(
    predictions: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    loss: str,
    y: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None = None,
    weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None = None,
    levels: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None = None,
    tol: typing.SupportsFloat | typing.SupportsIndex = 1e-10,
    max_iter: typing.SupportsInt | typing.SupportsIndex = 100,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> dict[str, typing.Any]: ...
def _expected_auc(
    p: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    scores: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    exact_limit: typing.SupportsInt | typing.SupportsIndex,
    progress: typing.Any = None,
) -> tuple[typing.Any, ...]: ...
def _far_space(
    points: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    by_all_pairs: bool = False,
) -> _Space: ...
def _least_quotient(
    space: _Space,
    scale: typing.SupportsFloat | typing.SupportsIndex,
    landmarks: typing.SupportsInt | typing.SupportsIndex = 0,
    neighbours: typing.SupportsInt | typing.SupportsIndex = 0,
    max_iter: typing.SupportsInt | typing.SupportsIndex = 1000,
    jitter: typing.SupportsFloat | typing.SupportsIndex = 0.0,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> float: ...
def _line_weights(
    positions: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    scale: typing.SupportsFloat | typing.SupportsIndex,
) -> numpy.typing.NDArray[numpy.float64]: ...
def _local_weights(
    space: _Space,
    scale: typing.SupportsFloat | typing.SupportsIndex,
    first: typing.SupportsInt | typing.SupportsIndex,
    neighbours: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> typing.Any: ...
def _matrix_space(distances: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> _Space: ...
def _nearest_neighbours(
    space: _Space,
    k: typing.SupportsInt | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> typing.Any: ...
def _point_space(
    points: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    metric: str,
    power: typing.SupportsFloat | typing.SupportsIndex = 2.0,
) -> _Space: ...
def _pool_neighbours(
    values: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
) -> numpy.typing.NDArray[numpy.float64]: ...
def _similarity_product(
    space: _Space,
    scales: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    v: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    single: bool = False,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> typing.Any: ...
def _smallest_distance(space: _Space, n_threads: typing.SupportsInt | typing.SupportsIndex = 1) -> float: ...
def _unit_rows(
    rows: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    pole: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> tuple[typing.Any, ...]: ...
def _weights_by_cholesky(
    space: _Space,
    scale: typing.SupportsFloat | typing.SupportsIndex,
    mixed: bool,
    tol: typing.SupportsFloat | typing.SupportsIndex,
    jitter: typing.SupportsFloat | typing.SupportsIndex = 0.0,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> dict[str, typing.Any]: ...
def _weights_by_gradients(
    space: _Space,
    scales: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    tol: typing.SupportsFloat | typing.SupportsIndex,
    stop: str = "residual",
    landmarks: typing.SupportsInt | typing.SupportsIndex = 0,
    neighbours: typing.SupportsInt | typing.SupportsIndex = 0,
    single: bool = True,
    max_iter: typing.SupportsInt | typing.SupportsIndex = 1000,
    jitter: typing.SupportsFloat | typing.SupportsIndex = 0.0,
    start: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None = None,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> dict[str, typing.Any]: ...
def _wide_weighting(
    high: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    low: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    pole: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    metric: str,
    power: typing.SupportsFloat | typing.SupportsIndex,
    scale: typing.SupportsFloat | typing.SupportsIndex,
    most: typing.SupportsInt | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> dict[str, typing.Any]: ...
