"""Covariances, standard errors and contrasts of fitted strengths."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..._validate import check_choice, check_level, check_threads

if TYPE_CHECKING:
    from .._paired import BradleyTerryFit
    from .._paired.information import Information

Array = npt.NDArray[np.float64]

KINDS = ("sandwich", "hessian")
FULL_LIMIT = 5000
_BATCH = 32


@dataclass(frozen=True, repr=False, eq=False)
class Covariance:
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

    matrix: Array
    items: npt.NDArray[Any]
    kind: str
    clusters: int | None
    approximate: bool
    tie_standard_error: float | None
    home_standard_error: float | None

    @property
    def standard_errors(self) -> Array:
        """Square roots of the diagonal, shape (k,)."""
        return np.sqrt(np.diag(self.matrix))

    def contrast_errors(self) -> Array:
        """Standard errors of all differences, shape (k, k)."""
        d = np.diag(self.matrix)
        return np.sqrt(np.maximum(d[:, None] + d[None, :] - 2 * self.matrix, 0.0))

    def __repr__(self) -> str:
        note = ", approximate" if self.approximate else ""
        per = "" if self.clusters is None else f", {self.clusters} clusters"
        errors = self.standard_errors
        return (
            f"Covariance({self.kind}{per}{note}): {len(self.items)} items, "
            f"standard errors {errors.min():.3g} to {errors.max():.3g}"
        )


@dataclass(frozen=True, repr=False)
class Contrast:
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
    fit: BradleyTerryFit, *, kind: str = "sandwich", items: Any = None, n_threads: int | None = None
) -> Covariance:
    """Covariance of the strengths of `items` (default all)."""
    kind = check_choice(kind, "kind", KINDS)
    from .._paired.information import Information

    info = Information(fit, check_threads(n_threads))
    positions = _positions(fit, items)
    k, n, extra = len(positions), info.n, info.size - info.n
    if items is None:
        if n > FULL_LIMIT:
            raise ValueError(
                f"items: a full covariance of {n} items takes {8 * n * n / 1e9:.0f} GB; "
                f"name up to {FULL_LIMIT} items"
            )
        columns = info.inverse()
        if fit.prior > 0:
            columns[:, :n] -= columns[:, :n].mean(axis=1, keepdims=True)
    else:
        right = np.zeros((info.size, k + extra))
        right[:n, :k] = -1.0 / n
        right[positions, np.arange(k)] += 1.0
        right[n + np.arange(extra), k + np.arange(extra)] = 1.0
        columns = info.solve(right)
    if kind == "sandwich":
        full = info.quadratic(columns)
    else:
        rows = np.concatenate([positions, n + np.arange(extra)])
        full = columns[rows]
        full[:k] -= columns[:n].mean(axis=0)
    matrix = 0.5 * (full[:k, :k] + full[:k, :k].T)
    errors = dict(zip(fit._spec.extra_names, np.sqrt(np.diag(full)[k:]).tolist(), strict=False))
    tie = errors.get("tie_parameter")
    return Covariance(
        matrix=matrix,
        items=fit.items[positions],
        kind=kind,
        clusters=_clusters(fit, kind),
        approximate=_approximate(fit, kind),
        tie_standard_error=None if tie is None else tie * float(fit.tie_parameter or 0.0),
        home_standard_error=errors.get("home_advantage"),
    )


def extra_covariance(fit: BradleyTerryFit, kind: str, n_threads: int) -> Array:
    """Of the parameters beside the strengths as the kernels have them: tie, home, coefficients."""
    from .._paired.information import Information

    info = Information(fit, n_threads)
    right = np.eye(info.size, fit._spec.extra, -info.n)
    columns = info.solve(right)
    full = info.quadratic(columns) if kind == "sandwich" else columns[info.n :]
    return np.asarray(0.5 * (full + full.T))


def standard_errors(
    fit: BradleyTerryFit,
    *,
    reference: Any = "mean",
    kind: str = "sandwich",
    items: Any = None,
    n_threads: int | None = None,
) -> Array:
    """Standard errors of the strengths of `items` minus the reference."""
    kind = check_choice(kind, "kind", KINDS)
    from .._paired.information import Information

    info = Information(fit, check_threads(n_threads))
    positions = _positions(fit, items)
    base = None if isinstance(reference, str) and reference == "mean" else fit.index(reference)
    if items is None and info.n <= FULL_LIMIT:
        v = covariance(fit, kind=kind, n_threads=n_threads).matrix
        d = np.diag(v)
        variance = d if base is None else d + d[base] - 2 * v[base]
        return np.sqrt(np.maximum(variance, 0.0))
    parts = [_variances(info, kind, contrast) for contrast in _contrasts(info, positions, base)]
    return np.sqrt(np.maximum(np.concatenate(parts), 0.0))


def contrast(
    fit: BradleyTerryFit,
    a: Any,
    b: Any,
    *,
    level: float = 0.95,
    kind: str = "sandwich",
    n_threads: int | None = None,
) -> Contrast:
    """Strength of a minus strength of b."""
    level = check_level(level)
    i, j = fit.index(a), fit.index(b)
    error = (
        float(standard_errors(fit, reference=b, kind=kind, items=[a], n_threads=n_threads)[0])
        if i != j
        else 0.0
    )
    estimate = float(fit.strengths[i] - fit.strengths[j])
    half = NormalDist().inv_cdf(0.5 + level / 2) * error
    p_value = math.erfc(abs(estimate) / error / math.sqrt(2)) if error > 0 else float(estimate == 0)
    return Contrast(
        estimate, error, estimate - half, estimate + half, p_value, level, kind, _approximate(fit, kind)
    )


def _positions(fit: BradleyTerryFit, items: Any) -> npt.NDArray[np.intp]:
    if items is None:
        return np.arange(len(fit))
    if isinstance(items, str) or not np.iterable(items):
        raise TypeError(f"items must be a sequence of labels or None, got {items!r}")
    positions = np.array([fit.index(label) for label in items], dtype=np.intp)
    if len(positions) == 0:
        raise ValueError("items must name at least one item, got none")
    return positions


def _contrasts(info: Information, positions: npt.NDArray[np.intp], base: int | None) -> Iterator[Array]:
    """Right-hand sides e_i - e_base (or e_i - 1/n), some columns at a time."""
    for begin in range(0, len(positions), _BATCH):
        part = positions[begin : begin + _BATCH]
        right = np.zeros((info.size, len(part)))
        if base is None:
            right[: info.n] = -1.0 / info.n
        else:
            right[base] = -1.0
        right[part, np.arange(len(part))] += 1.0
        yield right


def _variances(info: Information, kind: str, right: Array) -> Array:
    x = info.solve(right)
    return np.asarray(np.einsum("ij,ij->j", right, x)) if kind == "hessian" else info.variances(x)


def _clusters(fit: BradleyTerryFit, kind: str) -> int | None:
    if kind == "hessian" or fit.comparisons.cluster is None:
        return None
    return len(np.unique(fit.comparisons.cluster))


def _approximate(fit: BradleyTerryFit, kind: str) -> bool:
    half = fit.ties == "half" and fit.comparisons.ties is not None
    return kind == "hessian" and (fit.prior > 0 or half)
