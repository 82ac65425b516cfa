import typing

import numpy
import numpy.typing

def _agreements(
    predictions: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    classes: typing.SupportsInt | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> numpy.typing.NDArray[numpy.int32]: ...
def _expected_entropies(
    predictions: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    classes: typing.SupportsInt | typing.SupportsIndex,
    beliefs: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    gain: typing.SupportsFloat | typing.SupportsIndex,
    law: str = "even",
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> numpy.typing.NDArray[numpy.float64]: ...
@typing.overload
def _greedy_location(
    points: numpy.typing.NDArray[numpy.float32],
    power: typing.SupportsFloat | typing.SupportsIndex,
    precomputed: bool,
    weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    ceiling: typing.SupportsFloat | typing.SupportsIndex,
    indices: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    k: typing.SupportsInt | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> tuple[typing.Any, ...]: ...
@typing.overload
def _greedy_location(
    points: numpy.typing.NDArray[numpy.float64],
    power: typing.SupportsFloat | typing.SupportsIndex,
    precomputed: bool,
    weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    ceiling: typing.SupportsFloat | typing.SupportsIndex,
    indices: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    k: typing.SupportsInt | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> tuple[typing.Any, ...]: ...
@typing.overload
def _lloyd_step(
    points: numpy.typing.NDArray[numpy.float32],
    weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    centers: numpy.typing.NDArray[numpy.float32],
    update: str,
    move: bool,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> tuple[typing.Any, ...]: ...
@typing.overload
def _lloyd_step(
    points: numpy.typing.NDArray[numpy.float64],
    weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    centers: numpy.typing.NDArray[numpy.float64],
    update: str,
    move: bool,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> tuple[typing.Any, ...]: ...
@typing.overload
def _lloyd_step(
    points: numpy.typing.NDArray[numpy.uint16],
    weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    centers: numpy.typing.NDArray[numpy.float32],
    update: str,
    move: bool,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> tuple[typing.Any, ...]: ...
@typing.overload
def _medoid_bounds(
    points: numpy.typing.NDArray[numpy.float32],
    power: typing.SupportsFloat | typing.SupportsIndex,
    precomputed: bool,
    weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    indices: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    cost: typing.SupportsFloat | typing.SupportsIndex,
    ceiling: typing.SupportsFloat | typing.SupportsIndex,
    passes: typing.SupportsInt | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> tuple[typing.Any, ...]: ...
@typing.overload
def _medoid_bounds(
    points: numpy.typing.NDArray[numpy.float64],
    power: typing.SupportsFloat | typing.SupportsIndex,
    precomputed: bool,
    weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    indices: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    cost: typing.SupportsFloat | typing.SupportsIndex,
    ceiling: typing.SupportsFloat | typing.SupportsIndex,
    passes: typing.SupportsInt | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> tuple[typing.Any, ...]: ...
@typing.overload
def _seed_centers(
    points: numpy.typing.NDArray[numpy.float32],
    weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    k: typing.SupportsInt | typing.SupportsIndex,
    power: typing.SupportsFloat | typing.SupportsIndex,
    seed: tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex],
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
    candidates: typing.SupportsInt | typing.SupportsIndex = 1,
) -> tuple[typing.Any, ...]: ...
@typing.overload
def _seed_centers(
    points: numpy.typing.NDArray[numpy.float64],
    weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    k: typing.SupportsInt | typing.SupportsIndex,
    power: typing.SupportsFloat | typing.SupportsIndex,
    seed: tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex],
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
    candidates: typing.SupportsInt | typing.SupportsIndex = 1,
) -> tuple[typing.Any, ...]: ...
@typing.overload
def _seed_centers(
    points: numpy.typing.NDArray[numpy.uint16],
    weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    k: typing.SupportsInt | typing.SupportsIndex,
    power: typing.SupportsFloat | typing.SupportsIndex,
    seed: tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex],
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
    candidates: typing.SupportsInt | typing.SupportsIndex = 1,
) -> tuple[typing.Any, ...]: ...
@typing.overload
def _swap_medoids(
    points: numpy.typing.NDArray[numpy.float32],
    power: typing.SupportsFloat | typing.SupportsIndex,
    precomputed: bool,
    weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    indices: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    most: typing.SupportsInt | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> tuple[typing.Any, ...]: ...
@typing.overload
def _swap_medoids(
    points: numpy.typing.NDArray[numpy.float64],
    power: typing.SupportsFloat | typing.SupportsIndex,
    precomputed: bool,
    weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    indices: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    most: typing.SupportsInt | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> tuple[typing.Any, ...]: ...
