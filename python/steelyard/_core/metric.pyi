import collections.abc
import typing

import numpy
import numpy.typing

class _SignedGraph:
    def __init__(
        self,
        offsets: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
        weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        sizes: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        background: typing.SupportsFloat | typing.SupportsIndex = 0.0,
        forbidden: typing.SupportsFloat | typing.SupportsIndex = 0.0,
    ) -> None: ...
    def agreement(self, labels: typing.Annotated[numpy.typing.ArrayLike, numpy.int32]) -> float: ...
    def pack_bad_triangles(self) -> float: ...
    def relax(
        self,
        costs: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        offset: typing.SupportsFloat | typing.SupportsIndex,
        known: typing.SupportsFloat | typing.SupportsIndex,
        tol: typing.SupportsFloat | typing.SupportsIndex,
        max_steps: typing.SupportsInt | typing.SupportsIndex = 200,
        n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
        progress: typing.Any = None,
    ) -> dict[str, typing.Any]: ...
    def round(
        self,
        x: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
        rule: str,
        trials: typing.SupportsInt | typing.SupportsIndex,
        keep: typing.SupportsInt | typing.SupportsIndex,
        seed: tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex],
        n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    ) -> list[numpy.typing.NDArray[numpy.int32]]: ...
    def search(
        self,
        starts: collections.abc.Sequence[typing.Annotated[numpy.typing.ArrayLike, numpy.int32]],
        seed: tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex],
        restarts: typing.SupportsInt | typing.SupportsIndex = 24,
        rounds: typing.SupportsInt | typing.SupportsIndex = 12,
        n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
        progress: typing.Any = None,
    ) -> tuple[typing.Any, ...]: ...

class _CycleEngine:
    def __init__(
        self,
        graph: _SignedGraph,
        pairs_per_entry: typing.SupportsFloat | typing.SupportsIndex,
        seed: tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex],
    ) -> None: ...
    def proof(self) -> tuple[typing.Any, ...]: ...
    def step(
        self,
        seconds: typing.SupportsFloat | typing.SupportsIndex,
        n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    ) -> tuple[typing.Any, ...]: ...
    def suggest(self, labels: typing.Annotated[numpy.typing.ArrayLike, numpy.int32]) -> None: ...
    @property
    def bound(self) -> float: ...
    @property
    def complete(self) -> bool: ...
    @property
    def cost(self) -> float: ...
    @property
    def labels(self) -> numpy.typing.NDArray[numpy.int32]: ...
    @property
    def pairs(self) -> int: ...
    @property
    def rows_held(self) -> int: ...

class _BregmanState:
    def __init__(
        self,
        start: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None = None,
    ) -> None: ...
    def add(
        self,
        starts: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        indices: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
        values: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        bounds: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        duals: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None = None,
    ) -> None: ...
    def face_step(
        self, iterations: typing.SupportsInt | typing.SupportsIndex, progress: typing.Any = None
    ) -> bool: ...
    def forget(self) -> None: ...
    def project(
        self,
        passes: typing.SupportsInt | typing.SupportsIndex,
        momentum: bool = False,
        progress: typing.Any = None,
    ) -> bool: ...
    def restore(self) -> float: ...
    def rows(self) -> tuple[typing.Any, ...]: ...
    def x(self) -> numpy.typing.NDArray[numpy.float64]: ...
    @property
    def active(self) -> int: ...
    @property
    def nonzeros(self) -> int: ...
    @property
    def violation(self) -> float: ...

class _MeasuredGraph:
    def __init__(
        self,
        n: typing.SupportsInt | typing.SupportsIndex,
        left: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
        right: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    ) -> None: ...
    def distances(
        self,
        x: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    ) -> typing.Any: ...
    def find_cycles(
        self,
        x: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        slack: typing.SupportsFloat | typing.SupportsIndex,
        n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    ) -> typing.Any: ...

class _Nearness:
    def __init__(
        self,
        n: typing.SupportsInt | typing.SupportsIndex,
        target: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None = None,
        upper: typing.SupportsFloat | typing.SupportsIndex = ...,
    ) -> None: ...
    def duals(self) -> tuple[numpy.typing.NDArray[numpy.int32], numpy.typing.NDArray[numpy.float64]]: ...
    def feasible(self) -> numpy.typing.NDArray[numpy.float64]: ...
    def load(
        self,
        n: typing.SupportsInt | typing.SupportsIndex,
        corners: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
        duals: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    ) -> None: ...
    def pull(
        self, n_threads: typing.SupportsInt | typing.SupportsIndex = 1
    ) -> numpy.typing.NDArray[numpy.float64]: ...
    def set_target(
        self,
        n: typing.SupportsInt | typing.SupportsIndex,
        target: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    ) -> None: ...
    def solution(self) -> numpy.typing.NDArray[numpy.float64]: ...
    def solve(
        self,
        tol: typing.SupportsFloat | typing.SupportsIndex,
        max_rounds: typing.SupportsInt | typing.SupportsIndex = 1000,
        n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
        progress: typing.Any = None,
    ) -> dict[str, typing.Any]: ...
    @property
    def active(self) -> int: ...
    @property
    def dual(self) -> float: ...
    @property
    def primal(self) -> float: ...
    @property
    def violation(self) -> float: ...

def _common_neighbours(
    offsets: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    indices: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> tuple[typing.Any, ...]: ...
def _directed_closure(
    distances: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> typing.Any: ...
def _directed_triangles(
    distances: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    slack: typing.SupportsFloat | typing.SupportsIndex,
    groups: typing.SupportsInt | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> tuple[typing.Any, ...]: ...
def _learn_metric(
    points: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    first: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    second: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    similar: typing.Annotated[numpy.typing.ArrayLike, numpy.int8],
    labels: typing.Annotated[numpy.typing.ArrayLike, numpy.int32] | None,
    near: typing.SupportsFloat | typing.SupportsIndex,
    far: typing.SupportsFloat | typing.SupportsIndex,
    gamma: typing.SupportsFloat | typing.SupportsIndex,
    tol: typing.SupportsFloat | typing.SupportsIndex,
    max_sweeps: typing.SupportsInt | typing.SupportsIndex,
    seed: tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex],
    progress: typing.Any = None,
) -> dict[str, typing.Any]: ...
def _merge_pairs(
    n: typing.SupportsInt | typing.SupportsIndex,
    u: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    v: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
) -> tuple[typing.Any, ...]: ...
def _metric_closure(
    n: typing.SupportsInt | typing.SupportsIndex,
    distances: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> typing.Any: ...
def _solve_l1(
    n: typing.SupportsInt | typing.SupportsIndex,
    target: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    upper: typing.SupportsFloat | typing.SupportsIndex,
    offset: typing.SupportsFloat | typing.SupportsIndex,
    known: typing.SupportsFloat | typing.SupportsIndex,
    reach: typing.SupportsFloat | typing.SupportsIndex,
    tol: typing.SupportsFloat | typing.SupportsIndex,
    max_steps: typing.SupportsInt | typing.SupportsIndex = 200,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> dict[str, typing.Any]: ...
def _symmetric_rows(
    n: typing.SupportsInt | typing.SupportsIndex,
    left: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    right: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
) -> tuple[typing.Any, ...]: ...
def _violations(
    distances: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    tol: typing.SupportsFloat | typing.SupportsIndex,
    top: typing.SupportsInt | typing.SupportsIndex,
    directed: bool = False,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> tuple[typing.Any, ...]: ...
