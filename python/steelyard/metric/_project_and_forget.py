"""Project and Forget for any family of linear constraints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .. import _core
from .._errors import finish
from .._info import Info
from .._results import Result
from .._spelling import shown
from .._validate import check_positive, check_progress, check_steps, check_vector, real_array

Array = npt.NDArray[np.float64]
Rows = tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], Array, Array]

# A search that adds at most this share of the rows held found little: then passes are doubled each round.
# From round _EARLY on, or from then on, they have momentum, and a face step follows.
_LITTLE, _EARLY = 0.01, 8
# Passes of a round over `passes`, numbers that the passes of a round touch, and iterations of a face step.
_MOST_PASSES, _MOST_WORK, _FACE = 10, 100_000_000, 100
_FAR = 1e152  # the squares of more entries than memory holds still add up in float64

_EPS = float(np.finfo(np.float64).eps)
SPENT = "more rounds would change roundings only; raise tol"
_COLUMNS = ("round", "gap", "violation", "active", "seconds")


@dataclass(frozen=True, kw_only=True)
class ProjectionInfo(Info):
    """Info of Project and Forget. `error_bound` is (P - lower_bound) / max(P, 1e-12 ||x0||_W^2) with P the
    least value of ``oracle.bound`` or of a point of ``oracle.feasible``, as good as that method's word; None
    without them.

    Attributes
    ----------
    lower_bound : float
        Value of the dual at the stored duals: no x within the constraints held has a smaller objective.
    violation : float
        Largest (a'x - b) / max|a| over the rows of the last search and those held, in units of the root mean
        square of x0 (1 if x0 = 0).
    active : int
        Constraints held.
    """

    lower_bound: float
    violation: float
    active: int


@dataclass(frozen=True, repr=False, eq=False)
class ProjectAndForget(Result):
    """What `project_and_forget` found.

    Attributes
    ----------
    x : ndarray, shape (n,)
        x0 - W^-1 A'duals, read-only. It breaks constraints by up to ``info.violation``.
    objective : float
        1/2 sum of weights * (x - x0)^2.
    duals : ndarray, shape (m,)
        Multipliers of the constraints held, > 0.
    A : scipy.sparse.csr_array, shape (m, n)
    b : ndarray, shape (m,)
        The constraints held, A x <= b.
    info : ProjectionInfo
    """

    x: Array
    objective: float
    duals: Array
    A: Any
    b: Array
    info: ProjectionInfo

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``row`` and ``x``, for any data frame."""
        return {"row": np.arange(len(self.x)), "x": self.x}

    def __repr__(self) -> str:
        state = "converged" if self.info.converged else "NOT converged"
        bound = self.info.error_bound
        gap = "no proven gap" if bound is None else f"relative gap {bound:.1e} ({self.info.error_kind})"
        held = f"{len(self.x):,} numbers, {len(self.b):,} constraints held"
        lines = [
            f"ProjectAndForget: {held}, objective {self.objective:.6g}",
            f"{state}: {gap}, violation {self.info.violation:.1e}, {self.info.iterations} rounds",
        ]
        return "\n".join([*lines, f"note: {self.info.message}"] if self.info.message else lines)


def project_and_forget(
    x0: Any,
    oracle: Callable[[Array], Any],
    weights: Any = None,
    *,
    tol: float = 1e-6,
    max_iter: int = 1000,
    passes: int = 10,
    init: ProjectAndForget | None = None,
    progress: Any = None,
) -> ProjectAndForget:
    """Project x0 onto a polyhedron that an oracle describes, remembering only the constraints that matter.

    Minimises 1/2 sum w (x - x0)^2 subject to all constraints a'x <= b that `oracle` can name.

    Parameters
    ----------
    x0 : array_like, shape (n,)
        Finite.
    oracle : callable
        ``oracle(x)`` returns ``(A, b)``: rows with A x > b, as many as it likes; A is scipy.sparse, a tuple
        (data, indices, indptr) or dense, shape (m, n). No rows means that x breaks none. Rows that hold are
        harmless. A row that comes again with the same indices, values and b is the same constraint and keeps
        its dual. Its exceptions pass through. If it has a method ``bound(x)``, which returns the objective
        of some point within all constraints, the gap to it is the certificate; inf where it knows none.
        ``feasible(x)`` may return such a point itself instead, or None; it is asked in rounds 1, 2, 4, ...
        and where the violation is at most tol. There a method ``check(x)``, which answers as ``oracle(x)``
        does, is asked too: for oracles such as `RandomRows` that do not look at all constraints each time.
    weights : array_like, shape (n,), optional
        Positive; default all 1.
    tol : float, default 1e-6
        Stop when violation and relative gap are at most this. Without ``oracle.bound`` the gap is that of x
        itself, P(x) - L, which proves nothing while x breaks constraints: `error_bound` is then None.
    max_iter : int, default 1000
        Rounds of search, projection and forgetting.
    passes : int, default 10
        Projections onto each held constraint a round, at first.
    init : ProjectAndForget, optional
        An earlier result for as many numbers: its constraints and duals are the start. They must be
        constraints of this problem too.
    progress : callable, optional
        Called as progress(round, 0.0).

    Returns
    -------
    ProjectAndForget
        ``info.trace`` has a row a round: ``gap``, ``violation``, ``active``, ``seconds``.

    Raises
    ------
    ValueError
        If x0, weights or what the oracle returns have the wrong shape or are not finite; if a row is all
        zeros with b < 0 (no x satisfies it); if ``oracle.bound`` is below the proven lower bound.

    Warns
    -----
    ConvergenceWarning
        If max_iter rounds do not reach tol: also what an empty polyhedron looks like.

    Notes
    -----
    Hildreth's projections in a fixed order [1]_. Once a search adds hardly any row, and from round 9 on,
    passes have momentum and conjugate gradients follow on all duals at once; of a search that adds hardly any
    they are doubled each round, up to ten times `passes`. Time a round: the oracle plus passes times the
    nonzeros held; memory 12 bytes a nonzero and about 60 a row held. ``lower_bound`` has its own rounding
    taken off.

    References
    ----------
    .. [1] R. Sonthalia and A. C. Gilbert, "Project and Forget: Solving Large-Scale Metric Constrained
       Problems", JMLR 23 (2022).

    Examples
    --------
    The increasing sequence nearest to 3, 1, 2:

    >>> import numpy as np
    >>> steps = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]])  # x0 <= x1 <= x2
    >>> def oracle(x):
    ...     broken = steps @ x > 0
    ...     return steps[broken], np.zeros(broken.sum())
    >>> project_and_forget([3.0, 1.0, 2.0], oracle).x.round(4)
    array([2., 2., 2.])
    """
    start = check_vector(x0, "x0")
    if np.abs(start).max(initial=0.0) > _FAR:
        raise ValueError(
            f"x0 has entries beyond +-{_FAR:g}, whose squares are beyond float64; take other units"
        )
    if not callable(oracle):
        raise TypeError(f"oracle must be callable as oracle(x) -> (A, b), got {shown(oracle)}")
    weight = _read_weights(weights, len(start))
    tol = check_positive(tol, "tol")
    max_iter = check_steps(max_iter, "max_iter")
    passes = check_steps(passes, "passes")
    callback = check_progress(progress)
    search = _Search(start, weight, oracle, tol, passes)
    if init is not None:
        search.load(init)
    return finish(search.run(max_iter, callback), "project_and_forget")


def _read_weights(weights: Any, n: int) -> Array | None:
    if weights is None:
        return None
    weight = check_vector(weights, "weights", length=n)
    if not (weight > 0).all():
        raise ValueError(f"weights must be positive, got {weight.min()}")
    if len(weight) and not (weight.min() >= 1e-150 and weight.max() <= 1e150):
        raise ValueError(
            f"weights must lie between 1e-150 and 1e150, got {weight.min():.3g} to {weight.max():.3g}"
        )
    return weight


class _Search:
    """The rounds, and what is known after each."""

    patient = True  # searches cost more than passes: late rounds take ever more

    def __init__(self, start: Array, weight: Array | None, oracle: Any, tol: float, passes: int) -> None:
        self.start, self.weight, self.oracle = start, weight, oracle
        self.tol, self.passes = tol, passes
        self.state = _core.metric._BregmanState(start, weight)
        self.unit = float(np.sqrt(np.mean(np.square(start)))) if len(start) else 0.0
        self.unit = self.unit or 1.0
        self.largest = float(np.abs(start).max(initial=0.0))
        self.bound = getattr(oracle, "bound", None)
        self.feasible = getattr(oracle, "feasible", None) if self.bound is None else None
        self.check = getattr(oracle, "check", None)
        self.upper = math.inf
        self.lower = 0.0
        self.violation = math.inf
        self.gap = math.inf
        self.trace: list[tuple[float, ...]] = []
        self.settled, self.many = False, passes
        self.spent, self.gap_before = False, math.inf

    def load(self, init: Any) -> None:
        if not isinstance(init, ProjectAndForget):
            raise TypeError(f"init must be a ProjectAndForget or None, got {type(init).__name__}")
        if len(init.x) != len(self.start):
            raise ValueError(f"init must be of {len(self.start)} numbers, got one of {len(init.x)}")
        A = init.A
        self.state.add(A.indptr.astype(np.int64), A.indices.astype(np.int32), A.data, init.b, init.duals)

    def run(self, max_iter: int, callback: Any) -> ProjectAndForget:
        began = time.perf_counter()
        stopped, rounds = False, 0
        try:
            while not self.converged and rounds < max_iter:
                rounds += 1
                self.look(rounds)
                active, seconds = float(self.state.active), time.perf_counter() - began
                self.trace.append((float(rounds), self.gap, self.violation, active, seconds))
                if callback is not None:
                    callback(float(rounds), 0.0)
                if self.converged or self.ends_in_rounding(rounds) or rounds == max_iter:
                    break
                if not self.advance():
                    stopped = True
                    break
        except KeyboardInterrupt:
            stopped = True
        return self.result(rounds, time.perf_counter() - began, stopped)

    def ends_in_rounding(self, rounds: int) -> bool:
        """Whether twice the rounds have not halved a gap and violations that are rounding."""
        small = self.violation * self.unit <= 64 * _EPS * self.largest and abs(self.gap) < 1e-10
        if rounds & (rounds - 1) == 0 and small:
            self.spent = abs(self.gap) >= 0.5 * self.gap_before
            self.gap_before = abs(self.gap)
        return self.spent

    @property
    def converged(self) -> bool:
        return self.violation <= self.tol and abs(self.gap) <= self.tol

    def advance(self) -> bool:
        """Projects onto the rows held and forgets those without a dual; False if Ctrl-C ended it."""
        if not self.settled and len(self.trace) <= _EARLY:
            return self.state.project(self.passes) and self.forget()
        most = _MOST_WORK // max(1, self.state.nonzeros)
        if self.settled and self.patient:
            self.many = max(self.passes, min(2 * self.many, _MOST_PASSES * self.passes, most))
        return (
            self.state.project(self.many, momentum=True)
            and self.state.face_step(
                max(_FACE, min(10 * self.many, most)) if self.settled and self.patient else _FACE
            )
            and self.state.project(2)
            and self.forget()
        )

    def forget(self) -> bool:
        self.state.forget()
        return True

    def look(self, number: int) -> None:
        """Asks the oracle about x, takes its rows, and bounds the optimum from both sides."""
        self.lower = self.state.restore()
        x = self.state.x()
        x.flags.writeable = False
        held = self.state.active
        worst = self.take(self.oracle(x), x)
        self.settled = self.state.active - held <= _LITTLE * held
        self.violation = max(worst, self.state.violation) / self.unit
        self.compare(x, number)
        if self.check is not None and self.violation <= self.tol:
            worst = max(worst, self.take(self.check(x), x))
            self.violation = max(worst, self.state.violation) / self.unit

    def take(self, answer: Any, x: Array) -> float:
        rows = read_rows(answer, len(x))
        self.state.add(*rows)
        return _worst(rows, x)

    def compare(self, x: Array, number: int) -> None:
        """The gap between the dual value and that of a feasible point, where one is known."""
        least = 1e-12 * self.value(np.zeros(len(x))) * 2
        if self.bound is not None or self.violation <= self.tol or number & (number - 1) == 0:
            self.upper = min(self.upper, self.feasible_value(x))
        upper = self.upper if self.certifies else self.value(x)
        if self.certifies and upper < self.lower - 1e-9 * (abs(self.lower) + least):
            raise ValueError(
                f"oracle.{'feasible' if self.bound is None else 'bound'} must speak of a point within all "
                f"constraints, got an objective of {upper}, below the proven lower bound {self.lower:.9g}"
            )
        unit = max(upper, least)
        if math.isinf(upper):
            self.gap = math.inf
        else:
            self.gap = (upper - self.lower) / unit if unit > 0 else 0.0

    @property
    def certifies(self) -> bool:
        return self.bound is not None or math.isfinite(self.upper)

    def feasible_value(self, x: Array) -> float:
        if self.bound is not None:
            return _read_bound(self.bound(x))
        point = None if self.feasible is None else self.feasible(x)
        return (
            math.inf if point is None else self.value(check_vector(point, "oracle.feasible", length=len(x)))
        )

    def value(self, x: Array) -> float:
        squares = np.square(x - self.start)
        return 0.5 * float(squares.sum() if self.weight is None else (self.weight * squares).sum())

    def result(self, rounds: int, seconds: float, stopped: bool) -> ProjectAndForget:
        self.state.forget()
        lower = self.state.restore()
        indptr, indices, data, b, duals = self.state.rows()
        x = self.state.x()
        for array in (x, b, duals):
            array.flags.writeable = False
        converged = self.converged and not stopped
        certain = self.certifies and math.isfinite(self.gap)
        table = np.array(self.trace).reshape(-1, len(_COLUMNS))
        trace = np.zeros(len(table), dtype=[(name, float) for name in _COLUMNS])
        for k, name in enumerate(_COLUMNS):
            trace[name] = table[:, k]
        trace.flags.writeable = False
        info = ProjectionInfo(
            converged=converged,
            iterations=rounds,
            solver="project and forget",
            seconds=seconds,
            tol=self.tol,
            error_bound=max(0.0, self.gap) if certain else None,
            error_kind="rigorous" if certain else "estimate",
            message=self.message(converged),
            trace=trace,
            interrupted=stopped,
            lower_bound=lower,
            violation=self.violation,
            active=len(b),
        )
        A = sparse.csr_array((data, indices, indptr), shape=(len(b), len(x)))
        return ProjectAndForget(x, self.value(x), duals, A, b, info)

    def message(self, converged: bool) -> str:
        if not converged:
            return (
                f"gap {self.gap:.1e} and violation {self.violation:.1e} after {len(self.trace)} rounds; "
                + (
                    SPENT
                    if self.spent
                    else "raise max_iter or tol, and see that some x satisfies all constraints"
                )
            )
        if not self.certifies:
            return "stopped on the violation and the gap of x itself: the oracle has no bound, so no proof"
        return ""


def _worst(rows: Rows, x: Array) -> float:
    indptr, indices, data, b = rows
    if len(b) == 0:
        return 0.0
    sums = np.add.reduceat(data * x[indices], indptr[:-1]) - b
    return float(max(0.0, (sums / np.maximum.reduceat(np.abs(data), indptr[:-1])).max()))


def _read_bound(value: Any) -> float:
    number = float(value)
    if math.isnan(number):
        raise ValueError("oracle.bound must return a number or inf, got nan")
    return number


def read_rows(answer: Any, n: int) -> Rows:
    """What an oracle returned as csr arrays: ascending indices, no zeros, no empty rows."""
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise TypeError(f"oracle must return a tuple (A, b), got {type(answer).__name__}")
    bounds = check_vector(answer[1], "b of the oracle")
    matrix = _read_matrix(answer[0], n, len(bounds))
    if not np.isfinite(matrix.data).all():
        raise ValueError("A of the oracle must be finite, got NaN or infinite entries")
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    filled = np.diff(matrix.indptr) > 0
    if not filled.all():
        if (bounds[~filled] < 0).any():
            raise ValueError("oracle returned a row of zeros with b < 0, which no x satisfies")
        matrix, bounds = matrix[filled], bounds[filled]
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data, bounds


def _read_matrix(A: Any, n: int, m: int) -> Any:
    if sparse.issparse(A):
        if A.dtype.kind not in "fiub":
            raise TypeError(f"A of the oracle must hold real numbers, got dtype {A.dtype}")
        matrix = sparse.csr_array(A, dtype=np.float64, copy=True)
    elif isinstance(A, tuple):
        if len(A) != 3:
            raise ValueError(
                f"A of the oracle must be (data, indices, indptr) where it is a tuple, got {len(A)}"
            )
        data, indices, indptr = (np.array(part) for part in A)
        matrix = sparse.csr_array((data.astype(np.float64), indices, indptr), shape=(len(indptr) - 1, n))
        matrix.check_format(full_check=True)
    else:
        dense = real_array(A, "A of the oracle")
        if dense.size == 0 and m == 0:
            dense = np.zeros((0, n))
        if dense.ndim != 2:
            raise ValueError(f"A of the oracle must be 2-dimensional, got shape {dense.shape}")
        matrix = sparse.csr_array(dense.astype(np.float64))
    if matrix.shape != (m, n):
        raise ValueError(f"A of the oracle must have shape ({m}, {n}) as b and x do, got {matrix.shape}")
    return matrix
