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

class Rankings:
    def __init__(
        self,
        starts: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        codes: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
        stages: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
        items: typing.SupportsInt | typing.SupportsIndex,
    ) -> None: ...

class TiedRankings:
    def __init__(
        self,
        starts: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        codes: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
        place: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
        orders: collections.abc.Sequence[typing.SupportsInt | typing.SupportsIndex],
        items: typing.SupportsInt | typing.SupportsIndex,
    ) -> None: ...

class _Responses:
    @staticmethod
    def dense(codes: typing.Annotated[numpy.typing.ArrayLike, numpy.uint8]) -> _Responses: ...
    @staticmethod
    def lists(
        offsets: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        listed: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
        codes: typing.Annotated[numpy.typing.ArrayLike, numpy.uint8],
        items: typing.SupportsInt | typing.SupportsIndex,
    ) -> _Responses: ...

class Sides:
    def __init__(
        self,
        offsets: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        items: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
        weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        item_offsets: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        games: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
        item_weights: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    ) -> None: ...
    def unseen(
        self,
        columns: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        n_threads: typing.SupportsInt | typing.SupportsIndex,
    ) -> typing.Any: ...

class Teams:
    @staticmethod
    def group_errors(
        n_items: typing.SupportsInt | typing.SupportsIndex,
        tension: typing.SupportsFloat | typing.SupportsIndex,
        begins: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
        items: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
        blocks: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        border: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        sigma: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        n_threads: typing.SupportsInt | typing.SupportsIndex,
    ) -> numpy.ndarray: ...
    def __init__(
        self,
        sides: Sides,
        effects: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        ridge: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        wins: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        losses: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        ties: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
        ties_model: str,
        prior: typing.SupportsFloat | typing.SupportsIndex,
        springs: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
        centred: bool,
        group_begins: typing.Annotated[numpy.typing.ArrayLike, numpy.int64] | None,
        group_whole: typing.Annotated[numpy.typing.ArrayLike, numpy.int32] | None,
    ) -> None: ...
    def derivatives(
        self,
        strengths: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        tie: typing.SupportsFloat | typing.SupportsIndex,
        effects: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        n_threads: typing.SupportsInt | typing.SupportsIndex,
    ) -> dict[str, typing.Any]: ...
    def fit(
        self,
        strengths: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        tie: typing.SupportsFloat | typing.SupportsIndex,
        effects: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        tol: typing.SupportsFloat | typing.SupportsIndex,
        max_iter: typing.SupportsInt | typing.SupportsIndex,
        n_threads: typing.SupportsInt | typing.SupportsIndex,
        progress: typing.Any,
    ) -> dict[str, typing.Any]: ...
    def group_factors(
        self,
        strengths: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        tie: typing.SupportsFloat | typing.SupportsIndex,
        effects: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        n_threads: typing.SupportsInt | typing.SupportsIndex,
    ) -> typing.Any: ...
    def solve(
        self,
        strengths: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        tie: typing.SupportsFloat | typing.SupportsIndex,
        effects: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        right_sides: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
        accuracy: typing.SupportsFloat | typing.SupportsIndex,
        n_threads: typing.SupportsInt | typing.SupportsIndex,
    ) -> typing.Any: ...

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
def _fit_graded(
    graph: PairGraph,
    counts: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    link: str,
    home: bool,
    prior: typing.SupportsFloat | typing.SupportsIndex,
    strengths: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    thresholds: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    effects: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    tol: typing.SupportsFloat | typing.SupportsIndex,
    max_iter: typing.SupportsInt | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex,
    progress: typing.Any,
) -> dict[str, typing.Any]: ...
def _fit_items(
    responses: _Responses,
    shared: bool,
    guessing: bool,
    fits_guess: bool,
    prior: typing.SupportsFloat | typing.SupportsIndex,
    log_slope: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    intercept: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    logit_guess: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    em_steps: typing.SupportsInt | typing.SupportsIndex,
    other: typing.Any,
    tol: typing.SupportsFloat | typing.SupportsIndex,
    max_iter: typing.SupportsInt | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex,
    progress: typing.Any,
) -> dict[str, typing.Any]: ...
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
def _fit_tied_rankings(
    rankings: TiedRankings,
    weight: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    prior: typing.SupportsFloat | typing.SupportsIndex,
    point: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    tol: typing.SupportsFloat | typing.SupportsIndex,
    max_iter: typing.SupportsInt | typing.SupportsIndex,
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
    numbers: typing.Annotated[numpy.typing.ArrayLike, numpy.int64],
    last: typing.SupportsInt | typing.SupportsIndex,
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
def _grade_terms(
    link: str,
    grades: typing.SupportsInt | typing.SupportsIndex,
    thresholds: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    x: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
) -> tuple[typing.Any, ...]: ...
def _graded_derivatives(
    graph: PairGraph,
    counts: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    link: str,
    home: bool,
    prior: typing.SupportsFloat | typing.SupportsIndex,
    strengths: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    thresholds: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    effects: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    n_threads: typing.SupportsInt | typing.SupportsIndex,
) -> dict[str, typing.Any]: ...
def _group(
    first: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    second: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    home: typing.Annotated[numpy.typing.ArrayLike, numpy.int8] | None,
    extra: typing.Annotated[numpy.typing.ArrayLike, numpy.int64] | None,
    covariates: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    outcome: typing.Annotated[numpy.typing.ArrayLike, numpy.int8] | None,
    weight: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    count: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    items: typing.SupportsInt | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex,
) -> dict[str, typing.Any]: ...
def _item_derivatives(
    responses: _Responses,
    shared: bool,
    guessing: bool,
    fits_guess: bool,
    prior: typing.SupportsFloat | typing.SupportsIndex,
    log_slope: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    intercept: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    logit_guess: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    step: typing.SupportsFloat | typing.SupportsIndex,
    direction: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    n_threads: typing.SupportsInt | typing.SupportsIndex,
) -> tuple[typing.Any, ...]: ...
def _merge(
    first: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    second: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    home: typing.Annotated[numpy.typing.ArrayLike, numpy.int8] | None,
    extra: typing.Annotated[numpy.typing.ArrayLike, numpy.int64] | None,
    covariates: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    wins: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    losses: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    ties: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    wins_squared: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    losses_squared: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    ties_squared: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    items: typing.SupportsInt | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex,
) -> dict[str, typing.Any]: ...
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
def _solve_graded(
    graph: PairGraph,
    counts: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    link: str,
    home: bool,
    prior: typing.SupportsFloat | typing.SupportsIndex,
    strengths: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    thresholds: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    effects: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    right_sides: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    accuracy: typing.SupportsFloat | typing.SupportsIndex,
    n_threads: typing.SupportsInt | typing.SupportsIndex,
) -> typing.Any: ...
def _solve_items(
    responses: _Responses,
    shared: bool,
    guessing: bool,
    fits_guess: bool,
    prior: typing.SupportsFloat | typing.SupportsIndex,
    log_slope: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    intercept: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    logit_guess: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    right_sides: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    n_threads: typing.SupportsInt | typing.SupportsIndex,
) -> typing.Any: ...
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
def _strong_components(
    left: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    right: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    forward: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    backward: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    items: typing.SupportsInt | typing.SupportsIndex,
) -> tuple[typing.Any, ...]: ...
def _tied_derivatives(
    rankings: TiedRankings,
    weight: typing.Annotated[numpy.typing.ArrayLike, numpy.float64] | None,
    prior: typing.SupportsFloat | typing.SupportsIndex,
    point: typing.Annotated[numpy.typing.ArrayLike, numpy.float64],
    n_threads: typing.SupportsInt | typing.SupportsIndex,
) -> dict[str, typing.Any]: ...
def _weak_components(
    left: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    right: typing.Annotated[numpy.typing.ArrayLike, numpy.int32],
    items: typing.SupportsInt | typing.SupportsIndex,
) -> tuple[typing.Any, ...]: ...
