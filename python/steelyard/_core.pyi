import collections.abc
import typing

import numpy
import numpy.typing

class PairGraph:
    def __init__(
        self,
        left: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
        right: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
        left_wins: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        right_wins: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        ties: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
        left_squared: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
        right_squared: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
        ties_squared: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
        home: typing.Annotated[numpy.typing.ArrayLike, numpy.int8] | None,
        covariates: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
        items: typing.SupportsInt | typing.SupportsIndex,
        keep_home: bool,
    ) -> None: ...
    @property
    def covariates(self) -> numpy.typing.NDArray[numpy.float64] | None: ...
    @property
    def edge(self) -> numpy.typing.NDArray[numpy.uint32]: ...
    @property
    def edge_of_row(self) -> numpy.typing.NDArray[numpy.uint32]: ...
    @property
    def home(self) -> numpy.typing.NDArray[numpy.int8] | None: ...
    @property
    def items(self) -> int: ...
    @property
    def left(self) -> numpy.typing.NDArray[numpy.int32]: ...
    @property
    def left_squared(self) -> numpy.typing.NDArray[numpy.float64] | None: ...
    @property
    def losses(self) -> numpy.typing.NDArray[numpy.float64]: ...
    @property
    def neighbours(self) -> numpy.typing.NDArray[numpy.int32]: ...
    @property
    def offsets(self) -> numpy.typing.NDArray[numpy.int64]: ...
    @property
    def right(self) -> numpy.typing.NDArray[numpy.int32]: ...
    @property
    def right_squared(self) -> numpy.typing.NDArray[numpy.float64] | None: ...
    @property
    def ties(self) -> numpy.typing.NDArray[numpy.float64] | None: ...
    @property
    def ties_squared(self) -> numpy.typing.NDArray[numpy.float64] | None: ...
    @property
    def wins(self) -> numpy.typing.NDArray[numpy.float64]: ...

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
    def forget(self) -> None: ...
    def project(
        self, passes: typing.SupportsInt | typing.SupportsIndex, progress: typing.Any = None
    ) -> bool: ...
    def restore(self) -> float: ...
    def rows(self) -> tuple[typing.Any, ...]: ...
    def x(self) -> numpy.typing.NDArray[numpy.float64]: ...
    @property
    def active(self) -> int: ...
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

class PairPoint:
    def bootstrap(
        self,
        method: str,
        tie_use: str,
        rounds: typing.SupportsInt | typing.SupportsIndex,
        seed: typing.SupportsInt | typing.SupportsIndex,
        stream: typing.SupportsInt | typing.SupportsIndex,
        tol: typing.SupportsFloat | typing.SupportsIndex,
        cluster: typing.Annotated[numpy.typing.ArrayLike, numpy.int32] | None,
        row_wins: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
        row_losses: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
        row_ties: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
        clusters: typing.SupportsInt | typing.SupportsIndex,
        n_threads: typing.SupportsInt | typing.SupportsIndex,
        progress: typing.Any,
    ) -> dict[str, typing.Any]: ...
    def dependent_column(self, n_threads: typing.SupportsInt | typing.SupportsIndex) -> int | None: ...
    def derivatives(self, n_threads: typing.SupportsInt | typing.SupportsIndex) -> dict[str, typing.Any]: ...
    def solve(
        self,
        right_sides: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        accuracy: typing.SupportsFloat | typing.SupportsIndex,
        n_threads: typing.SupportsInt | typing.SupportsIndex,
        progress: typing.Any,
    ) -> typing.Any: ...

class PairProblem:
    def __init__(
        self,
        graph: PairGraph,
        wins: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        losses: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        ties: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
        ties_model: str,
        home: bool,
        prior: typing.SupportsFloat | typing.SupportsIndex,
    ) -> None: ...
    def at(
        self,
        strengths: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        tie: typing.SupportsFloat | typing.SupportsIndex,
        home_advantage: typing.SupportsFloat | typing.SupportsIndex,
        coefficients: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    ) -> PairPoint: ...
    def fit(
        self,
        start: PairPoint,
        solver: str,
        linear: str,
        tol: typing.SupportsFloat | typing.SupportsIndex,
        max_iter: typing.SupportsInt | typing.SupportsIndex,
        warm_sweeps: typing.SupportsInt | typing.SupportsIndex,
        n_threads: typing.SupportsInt | typing.SupportsIndex,
        progress: typing.Any,
    ) -> dict[str, typing.Any]: ...
    def separation(self) -> typing.Any: ...
    @property
    def losses(self) -> numpy.typing.NDArray[numpy.float64]: ...
    @property
    def ties(self) -> numpy.typing.NDArray[numpy.float64] | None: ...
    @property
    def ties_model(self) -> str: ...
    @property
    def wins(self) -> numpy.typing.NDArray[numpy.float64]: ...

class HistoryPosterior:
    def entries(self) -> int: ...
    def log_determinant(self) -> float: ...
    def marginals(self) -> tuple[typing.Any, ...]: ...
    def solve(
        self, b: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]
    ) -> numpy.typing.NDArray[numpy.float64]: ...

class HistoryProblem:
    def __init__(
        self,
        games: PairProblem,
        starts: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        precision: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        held: typing.Annotated[numpy.typing.ArrayLike, numpy.int8] | None,
        prior: typing.SupportsFloat | typing.SupportsIndex,
        first_mean: typing.SupportsFloat | typing.SupportsIndex,
        first_precision: typing.SupportsFloat | typing.SupportsIndex,
    ) -> None: ...
    def at(
        self,
        strengths: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        tie: typing.SupportsFloat | typing.SupportsIndex,
        home_advantage: typing.SupportsFloat | typing.SupportsIndex,
    ) -> PairPoint: ...
    def fit(
        self,
        start: PairPoint,
        tol: typing.SupportsFloat | typing.SupportsIndex,
        max_iter: typing.SupportsInt | typing.SupportsIndex,
        n_threads: typing.SupportsInt | typing.SupportsIndex,
        progress: typing.Any,
    ) -> dict[str, typing.Any]: ...
    def posterior(
        self,
        mode: PairPoint,
        max_flops: typing.SupportsFloat | typing.SupportsIndex,
        max_bytes: typing.SupportsFloat | typing.SupportsIndex,
        n_threads: typing.SupportsInt | typing.SupportsIndex,
    ) -> tuple[typing.Any, ...]: ...
    def sample(
        self,
        mode: PairPoint,
        posterior: HistoryPosterior,
        positions: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
        steps: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
        moves: typing.Annotated[numpy.typing.ArrayLike, numpy.int64] | None,
        n_chains: typing.SupportsInt | typing.SupportsIndex,
        warmup: typing.SupportsInt | typing.SupportsIndex,
        draws: typing.SupportsInt | typing.SupportsIndex,
        kept: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        seed: typing.SupportsInt | typing.SupportsIndex,
        n_threads: typing.SupportsInt | typing.SupportsIndex,
        progress: typing.Any,
    ) -> dict[str, typing.Any]: ...
    @property
    def games(self) -> PairProblem: ...
    @property
    def precision(self) -> numpy.typing.NDArray[numpy.float64]: ...

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

class Rankings:
    def __init__(
        self,
        starts: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        codes: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
        stages: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
        items: typing.SupportsInt | typing.SupportsIndex,
    ) -> None: ...

class _Space:
    @property
    def size(self) -> int: ...

def _best_shift(strengths: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> float: ...
def _build_facts() -> dict[str, typing.Any]: ...
def _busy(
    seconds: typing.SupportsFloat | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> tuple[typing.Any, ...]: ...
def _cholesky(a: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> typing.Any: ...
def _cholesky_inverse(l: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> typing.Any: ...
def _cholesky_large(a: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> typing.Any: ...
def _cholesky_solve(
    l: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    b: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
) -> typing.Any: ...
def _cholesky_solve_transposed(
    l: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    b: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
) -> typing.Any: ...
def _chosen_products(
    space: _Space,
    scale: typing.SupportsFloat | typing.SupportsIndex,
    rows: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    v: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> typing.Any: ...
def _common_neighbours(
    offsets: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    indices: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> tuple[typing.Any, ...]: ...
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
def _contrast_maxima(
    draws: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    items: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    scale: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    apart: bool,
    n_threads: typing.SupportsInt | typing.SupportsIndex,
) -> typing.Any: ...
def _count_scores(
    models: typing.SupportsInt | typing.SupportsIndex,
    starts: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    model: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    score: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    direction: typing.Annotated[numpy.typing.ArrayLike, numpy.int8],
    tolerance: typing.SupportsFloat | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> tuple[typing.Any, ...]: ...
def _cross_distances(
    x: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    y: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    metric: str,
    power: typing.SupportsFloat | typing.SupportsIndex = 2.0,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> typing.Any: ...
def _default_threads() -> int: ...
def _elo(
    first: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    second: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    score: typing.Annotated[numpy.typing.ArrayLike, numpy.int8] | None,
    weight: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    margin: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    home: typing.Annotated[numpy.typing.ArrayLike, numpy.int8] | None,
    start: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    k: typing.SupportsFloat | typing.SupportsIndex,
    scale: typing.SupportsFloat | typing.SupportsIndex,
    home_advantage: typing.SupportsFloat | typing.SupportsIndex,
    history: bool,
) -> tuple[typing.Any, ...]: ...
def _encode_integers(
    first: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    second: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
) -> tuple[typing.Any, ...]: ...
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
def _expected_entropies(
    predictions: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    classes: typing.SupportsInt | typing.SupportsIndex,
    beliefs: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    gain: typing.SupportsFloat | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> numpy.typing.NDArray[numpy.float64]: ...
def _fit_plackett_luce(
    rankings: Rankings,
    weight: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    prior: typing.SupportsFloat | typing.SupportsIndex,
    solver: str,
    linear: str,
    tol: typing.SupportsFloat | typing.SupportsIndex,
    max_iter: typing.SupportsInt | typing.SupportsIndex,
    warm_sweeps: typing.SupportsInt | typing.SupportsIndex,
    strengths: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    n_threads: typing.SupportsInt | typing.SupportsIndex,
    progress: typing.Any,
) -> dict[str, typing.Any]: ...
def _gaussian_draws(
    factor: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    draws: typing.SupportsInt | typing.SupportsIndex,
    seed: typing.SupportsInt | typing.SupportsIndex,
    stream: typing.SupportsInt | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex,
) -> typing.Any: ...
def _glicko2(
    first: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    second: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    score: typing.Annotated[numpy.typing.ArrayLike, numpy.int8] | None,
    starts: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    rating: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    deviation: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    volatility: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    tau: typing.SupportsFloat | typing.SupportsIndex,
    most_deviation: typing.SupportsFloat | typing.SupportsIndex,
) -> tuple[typing.Any, ...]: ...
def _grade_mode(
    chains: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    precision: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    cells: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    grade: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    sent: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    failed: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    laws: typing.Annotated[
        collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], "FixedSize(4)"
    ],
) -> tuple[typing.Any, ...]: ...
def _group(
    first: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    second: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    home: typing.Annotated[numpy.typing.ArrayLike, numpy.int8] | None,
    extra: typing.Annotated[numpy.typing.ArrayLike, numpy.int64] | None,
    outcome: typing.Annotated[numpy.typing.ArrayLike, numpy.int8] | None,
    weight: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    count: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    items: typing.SupportsInt | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex,
) -> dict[str, typing.Any]: ...
def _inverse_positive_definite(
    matrix: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
) -> typing.Any: ...
def _is_positive_definite(matrix: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> bool: ...
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
def _line_weights(
    positions: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    scale: typing.SupportsFloat | typing.SupportsIndex,
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
def _local_weights(
    space: _Space,
    scale: typing.SupportsFloat | typing.SupportsIndex,
    first: typing.SupportsInt | typing.SupportsIndex,
    neighbours: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> typing.Any: ...
def _matrix_space(distances: typing.Annotated[numpy.typing.ArrayLike, numpy.float64]) -> _Space: ...
def _merge(
    first: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    second: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    home: typing.Annotated[numpy.typing.ArrayLike, numpy.int8] | None,
    extra: typing.Annotated[numpy.typing.ArrayLike, numpy.int64] | None,
    wins: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    losses: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    ties: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    wins_squared: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    losses_squared: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    ties_squared: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    items: typing.SupportsInt | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex,
) -> dict[str, typing.Any]: ...
def _metric_closure(
    n: typing.SupportsInt | typing.SupportsIndex,
    distances: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> typing.Any: ...
def _metric_pair_order(
    n: typing.SupportsInt | typing.SupportsIndex,
    sweeps: typing.SupportsInt | typing.SupportsIndex,
    seed: tuple[typing.SupportsInt | typing.SupportsIndex, typing.SupportsInt | typing.SupportsIndex],
) -> numpy.typing.NDArray[numpy.int32]: ...
def _nearest(
    x: numpy.ndarray, y: numpy.ndarray, n_threads: typing.SupportsInt | typing.SupportsIndex = 1
) -> typing.Any: ...
def _nearest_neighbours(
    space: _Space,
    k: typing.SupportsInt | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> typing.Any: ...
def _outcome_chances(
    ties_model: str,
    tie_parameter: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    x: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
) -> tuple[typing.Any, ...]: ...
def _outcome_scores(
    ties_model: str,
    tie_parameter: typing.SupportsFloat | typing.SupportsIndex,
    x: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
) -> tuple[typing.Any, ...]: ...
def _parallel_sum(
    values: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    grain: typing.SupportsInt | typing.SupportsIndex = 1000,
) -> float: ...
def _point_space(
    points: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    metric: str,
    power: typing.SupportsFloat | typing.SupportsIndex = 2.0,
) -> _Space: ...
def _random(
    kind: str,
    size: typing.SupportsInt | typing.SupportsIndex,
    seed: typing.SupportsInt | typing.SupportsIndex,
    stream: typing.SupportsInt | typing.SupportsIndex,
    a: typing.SupportsFloat | typing.SupportsIndex = 0.0,
    b: typing.SupportsFloat | typing.SupportsIndex = 0.0,
) -> typing.Any: ...
def _ranking_derivatives(
    rankings: Rankings,
    weight: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    prior: typing.SupportsFloat | typing.SupportsIndex,
    strengths: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    hessian: bool,
    x: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    n_threads: typing.SupportsInt | typing.SupportsIndex,
) -> dict[str, typing.Any]: ...
def _repeated_place(
    starts: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    codes: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    items: typing.SupportsInt | typing.SupportsIndex,
) -> int: ...
def _sample_grades(
    chains: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    precision: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    cells: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    grade: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    sent: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    failed: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    laws: typing.Annotated[
        collections.abc.Sequence[typing.SupportsFloat | typing.SupportsIndex], "FixedSize(4)"
    ],
    at: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    positions: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    steps: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    moves: typing.Annotated[numpy.typing.ArrayLike, numpy.int64] | None,
    mean: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    squares: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    counts: typing.Annotated[numpy.typing.ArrayLike, numpy.int64] | None,
    n_chains: typing.SupportsInt | typing.SupportsIndex,
    warmup: typing.SupportsInt | typing.SupportsIndex,
    draws: typing.SupportsInt | typing.SupportsIndex,
    seed: typing.SupportsInt | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex,
    progress: typing.Any,
) -> dict[str, typing.Any]: ...
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
def _selected_inverse(
    offsets: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    indices: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    diagonal: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    off_diagonal: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    b: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
) -> tuple[typing.Any, ...]: ...
def _set_blas(addresses: dict[str, typing.Any]) -> None: ...
def _similarity_product(
    space: _Space,
    scales: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    v: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    single: bool = False,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
) -> typing.Any: ...
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
def _smallest_distance(space: _Space, n_threads: typing.SupportsInt | typing.SupportsIndex = 1) -> float: ...
def _solve_l1(
    n: typing.SupportsInt | typing.SupportsIndex,
    target: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    upper: typing.SupportsFloat | typing.SupportsIndex,
    offset: typing.SupportsFloat | typing.SupportsIndex,
    tol: typing.SupportsFloat | typing.SupportsIndex,
    max_steps: typing.SupportsInt | typing.SupportsIndex = 200,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> dict[str, typing.Any]: ...
def _solve_ranking_system(
    rankings: Rankings,
    weight: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    prior: typing.SupportsFloat | typing.SupportsIndex,
    strengths: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    right_sides: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    linear: str,
    accuracy: typing.SupportsFloat | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex,
) -> typing.Any: ...
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
def _strong_components(
    left: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    right: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    forward: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    backward: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    items: typing.SupportsInt | typing.SupportsIndex,
) -> tuple[typing.Any, ...]: ...
def _violations(
    distances: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    tol: typing.SupportsFloat | typing.SupportsIndex,
    top: typing.SupportsInt | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex = 1,
    progress: typing.Any = None,
) -> tuple[typing.Any, ...]: ...
def _weak_components(
    left: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    right: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    items: typing.SupportsInt | typing.SupportsIndex,
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
