"""The effect that weights estimate, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from .._errors import interrupted, report
from .._results import Result
from .._validate import Progress
from ._arms import Arms
from ._imbalance import balanced

Floats = npt.NDArray[np.float64]

ERRORS = ("residual", "subsample")
_FEW = 3.0  # effective rows a coefficient, below which the regression of the residuals is a mean


@dataclass(frozen=True, repr=False)
class Effect(Result):
    """An effect, or with estimand 'population' a mean, and how sure it is.

    Attributes
    ----------
    estimate : float
        Weighted mean of the treated less that of the arm it is compared with; with estimand 'population' the
        weighted mean itself.
    standard_error : float
        As `errors` says.
    lower, upper : float
        Of the interval.
    level : float
        Its level.
    errors : str
        ``'residual'`` or ``'subsample'``.
    """

    estimate: float
    standard_error: float
    lower: float
    upper: float
    level: float
    errors: str

    @property
    def interval(self) -> tuple[float, float]:
        """Both ends."""
        return self.lower, self.upper

    def __repr__(self) -> str:
        return (
            f"Effect: {self.estimate:.6g} +- {self.standard_error:.3g}, {100 * self.level:g} % interval "
            f"{self.lower:.6g} to {self.upper:.6g} ({self.errors} errors)"
        )


def contrast(y: Floats, weights: Floats, arms: Arms, against: int) -> float:
    """Of the treated arm and another; with 'population' the mean alone."""
    own = arms.codes == arms.treated
    mean = float(weights[own] @ y[own])
    if arms.estimand == "population":
        return mean
    other = arms.codes == against
    return mean - float(weights[other] @ y[other])


def residual_error(y: Floats, weights: Floats, arms: Arms, against: int) -> float:
    """From residuals of a regression in each weighted arm, and the scatter of what it says of the target.

    The estimate is the mean of m_a(x) - m_b(x) over the target plus the weighted residuals of both arms, plus
    what imbalance remains. An arm that is the target itself enters by its outcomes.
    """
    target = arms.target()
    goal = np.flatnonzero(target)
    weighted = arms.weighted()
    told, variance = np.zeros(len(goal)), 0.0
    pair = [(arms.treated, 1.0)] + ([] if arms.estimand == "population" else [(against, -1.0)])
    for arm, sign in pair:
        if arm not in weighted:
            told += sign * y[goal]
            continue
        rows = np.flatnonzero((arms.codes == arm) & (weights > 0))
        said, residuals = _regressed(arms.points[rows], y[rows], weights[rows], arms.points[goal])
        told += sign * said
        variance += float((weights[rows] * residuals) @ (weights[rows] * residuals))
    t = target[goal]
    room = 1.0 - float(t @ t)
    scatter = float((t * (told - t @ told)) @ (t * (told - t @ told)))
    variance += scatter / room if room > 1e-12 else float("inf")
    return float(np.sqrt(variance))


def _regressed(x: Floats, y: Floats, w: Floats, at: Floats) -> tuple[Floats, Floats]:
    """What a weighted linear regression says at other points, and its residuals."""
    effective = 1.0 / float(w @ w)
    columns = x.shape[1] if effective >= _FEW * (x.shape[1] + 1) else 0
    design = np.column_stack([np.ones(len(x)), x[:, :columns]])
    root = np.sqrt(w)
    basis, values, back = np.linalg.svd(root[:, None] * design, full_matrices=False)
    kept = values > 1e-10 * values[0]
    basis, values, back = basis[:, kept], values[kept], back[kept]
    middle = float(w @ y)
    slopes = back.T @ ((basis.T @ (root * (y - middle))) / values)
    residuals = y - middle - design @ slopes
    return np.column_stack([np.ones(len(at)), at[:, :columns]]) @ slopes + middle, residuals


def subsample_error(
    y: Floats,
    arms: Arms,
    against: int,
    *,
    count: int,
    tol: float,
    rng: np.random.Generator,
    n_threads: int,
    progress: Progress | None,
) -> float:
    """Spread of the estimate over halves of each arm, drawn without replacement.

    A half scatters about the whole as the whole does about the truth, so that no factor is needed.
    """
    found = []
    for done, rows in enumerate(_halves(arms, count, rng)):
        report(progress, done, count)
        part = arms.subset(rows)
        again = balanced(part, tol=tol, n_threads=n_threads, progress=None)
        if any(info.interrupted for info in again.infos):
            raise interrupted(None)
        found.append(contrast(y[rows], again.weights, part, against))
    return float(np.std(found, ddof=1))


def _halves(arms: Arms, count: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.intp]]:
    members = [arms.rows(arm) for arm in range(arms.count)]
    for _ in range(count):
        yield np.sort(np.concatenate([rng.choice(m, (len(m) + 1) // 2, replace=False) for m in members]))


def interval(estimate: float, error: float, level: float, freedom: int | None) -> tuple[float, float]:
    """By the normal law, or Student's t."""
    if freedom is None:
        wide = NormalDist().inv_cdf(0.5 + 0.5 * level)
    else:
        from scipy.stats import t

        wide = float(t.ppf(0.5 + 0.5 * level, freedom))
    return estimate - wide * error, estimate + wide * error
