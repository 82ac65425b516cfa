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
