"""Covariances, standard errors and contrasts of fitted strengths."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._errors import interrupted
from ..._results import Result
from ..._validate import seed_words
from .information import Information
from .uncertainty import FEWEST_DRAWS, Uncertainty, against, normal_intervals, number_of_draws

Floats = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, repr=False, eq=False)
class Covariance(Uncertainty, Result):
    """Covariance of strengths, each taken against the mean of all items.

    Attributes
    ----------
    matrix : ndarray, shape (k, k)
        Of the strengths of `items`.
    items : ndarray, shape (k,)
        Labels.
    kind : {'sandwich', 'hessian'}
        'hessian' trusts the model: the inverse of the observed information. 'sandwich' trusts the
        independence of the comparisons alone (of the clusters, where there are any), and holds if the model
        is wrong.
    clusters : int or None
        Number of clusters of a clustered sandwich.
    approximate : bool
        Under a prior, or with ties as half wins, the Hessian is no sampling covariance: take it as a rough
        one.
    tie_standard_error, home_standard_error : float or None
        Of the tie parameter (by the delta method) and of the home advantage, where they were fitted.
    """

    matrix: Floats
    items: npt.NDArray[Any]
    kind: str
    clusters: int | None
    approximate: bool
    tie_standard_error: float | None
    home_standard_error: float | None

    @property
    def standard_errors(self) -> Floats:
        """Square roots of the diagonal, shape (k,)."""
        return np.sqrt(np.diag(self.matrix))

    def contrast_errors(self) -> Floats:
        """Standard errors of all differences, shape (k, k)."""
        d = np.diag(self.matrix)
        return np.sqrt(np.maximum(d[:, None] + d[None, :] - 2 * self.matrix, 0.0))

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``item`` and ``standard_error``, in the order of `items`; the matrix is `matrix`.

        Returns
        -------
        dict of str to ndarray

        Examples
        --------
        >>> from steelyard.rank import Comparisons, bradley_terry
        >>> fit = bradley_terry(Comparisons.from_counts([[0, 30], [10, 0]], items=["ann", "ben"]))
        >>> fit.covariance("hessian").to_frame()["standard_error"].round(4).tolist()
        [0.1826, 0.1826]
        """
        return {"item": self.items, "standard_error": self.standard_errors}

    # ---- as an uncertainty

    @property
    def _source(self) -> str:
        """Its kind."""
        return self.kind

    def _refuse_others(self, items: npt.NDArray[Any]) -> None:
        if np.array_equal(self.items, items):
            return
        if len(self.items) < len(items) and np.isin(self.items, items).all():
            raise ValueError(
                f"uncertainty is a covariance of {len(self.items)} of the {len(items)} items: "
                "it must be one of all, made without items"
            )
        raise ValueError("uncertainty is a covariance of a fit with other items")

    def _noise(
        self, where: Positions, strengths: Floats, draws: int | None, rng: Any, n_threads: int
    ) -> tuple[Floats, Floats]:
        n = len(self.items)
        count = number_of_draws(draws, int(np.clip(5e6 / n, FEWEST_DRAWS, 10_000)), n)
        seed, stream = seed_words(rng)
        return self.contrast_errors()[where], _gaussian(self.matrix, count, seed, stream, n_threads)

    def _intervals(
        self, where: Positions, middle: Floats, reference: int | None, level: float
    ) -> tuple[Floats | None, Floats, Floats]:
        return normal_intervals(middle, _standard_errors(self.matrix, reference)[where], level)

    def __repr__(self) -> str:
        note = ", approximate" if self.approximate else ""
        per = "" if self.clusters is None else f", {self.clusters} clusters"
        errors = self.standard_errors
        return (
            f"Covariance({self.kind}{per}{note}): {len(self.items)} items, "
            f"standard errors {errors.min():.3g} to {errors.max():.3g}"
        )


@dataclass(frozen=True, repr=False, eq=False)
class Contrast(Result):
    """Strength of a minus strength of b.

    Attributes
    ----------
    estimate, standard_error : float
        In natural-log strength.
    lower, upper : float
        Interval at `level`, by the normal approximation.
    p_value : float
        Two-sided, of no difference.
    level : float
        Of the interval.
    kind : {'sandwich', 'hessian'}
        Where the standard error comes from.
    approximate : bool
        As in `Covariance`.
    """

    estimate: float
    standard_error: float
    lower: float
    upper: float
    p_value: float
    level: float
    kind: str
    approximate: bool

    def __repr__(self) -> str:
        note = ", approximate" if self.approximate else ""
        return (
            f"Contrast: {self.estimate:+.4g}, {self.level:.0%} interval {self.lower:+.4g} to "
            f"{self.upper:+.4g}, p = {self.p_value:.2g} ({self.kind}{note})"
        )


def covariance(
    information: Information, items: npt.NDArray[Any], kind: str, where: Positions | None = None
) -> Covariance:
    """Covariance of the strengths at some positions (default all)."""
    n, extra = information.n, information.size - information.n
    positions = np.arange(n) if where is None else where
    k = len(positions)
    if where is None:
        if n > information.most:
            raise ValueError(
                f"items: a full covariance of {n:,} items takes {8 * n * n / 1e9:.0f} GB; name the items "
                f"wanted, up to {information.most:,}"
            )
        columns = information.inverse()
        if information.prior > 0:
            columns[:, :n] -= columns[:, :n].mean(axis=1, keepdims=True)
    else:
        right = np.zeros((information.size, k + extra))
        right[:n, :k] = -1.0 / n
        right[positions, np.arange(k)] += 1.0
        right[n + np.arange(extra), k + np.arange(extra)] = 1.0
        columns = information.solve(right)
    if kind == "sandwich":
        full = information.quadratic(columns)
    else:
        rows = np.concatenate([positions, n + np.arange(extra)])
        full = columns[rows]
        full[:k] -= columns[:n].mean(axis=0)
    errors = {
        name: scale * float(np.sqrt(variance))
        for (name, scale), variance in zip(information.extra.items(), np.diag(full)[k:], strict=False)
    }
    return Covariance(
        matrix=0.5 * (full[:k, :k] + full[:k, :k].T),
        items=items[positions],
        kind=kind,
        clusters=information.clusters if kind == "sandwich" else None,
        approximate=information.approximate(kind),
        tie_standard_error=errors.get("tie_parameter"),
        home_standard_error=errors.get("home_advantage"),
    )


def extra_covariance(information: Information, kind: str) -> Floats:
    """Of the parameters beside the strengths as the kernels have them: tie, home, coefficients."""
    right = np.eye(information.size, information.size - information.n, -information.n)
    columns = information.solve(right)
    full = information.quadratic(columns) if kind == "sandwich" else columns[information.n :]
    return np.asarray(0.5 * (full + full.T))


def standard_errors(
    information: Information, kind: str, where: Positions | None = None, reference: int | None = None
) -> Floats:
    """Of the strengths at some positions (default all) minus that of the reference (default: their mean)."""
    n = information.n
    if where is None and n <= information.most:
        return _standard_errors(covariance(information, np.arange(n), kind).matrix, reference)
    rows = np.arange(n) if where is None else where
    return information.standard_errors(rows, against(reference, n), kind)


def contrast(estimate: float, error: float, level: float, kind: str, approximate: bool) -> Contrast:
    """A difference with its interval and p-value by the normal approximation."""
    half = NormalDist().inv_cdf(0.5 + level / 2) * error
    p_value = math.erfc(abs(estimate) / error / math.sqrt(2)) if error > 0 else float(estimate == 0)
    return Contrast(estimate, error, estimate - half, estimate + half, p_value, level, kind, approximate)


def _standard_errors(matrix: Floats, reference: int | None) -> Floats:
    d = np.diag(matrix)
    variance = d if reference is None else d + d[reference] - 2 * matrix[reference]
    return np.sqrt(np.maximum(variance, 0.0))


def _gaussian(matrix: Floats, draws: int, seed: int, stream: int, threads: int) -> Floats:
    """Draws with this covariance up to a common shift, which contrasts do not see."""
    n = len(matrix)
    size = float(np.trace(matrix)) / n
    # The common shift has no variance; and with few clusters other directions have none. 1e-10 of the mean
    # variance makes the factorisation safe and moves a standard error by 1e-5 of its size at most.
    lifted = matrix + size / n
    lifted[range(n), range(n)] += 1e-10 * size
    out = _core.rank._gaussian_draws(np.linalg.cholesky(lifted), draws, seed, stream, threads)
    if out is None:
        raise interrupted(None)
    return np.asarray(out)
