"""Which features know the labels: the evidence of a linear model, exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._points import read_points
from .._results import Result
from .._validate import check_choice, real_array, refuse_masked
from ._sample import Floats

_GRID = 240
_LOW, _HIGH = 1e-13, 1e9  # of lambda, in units of the largest squared singular value
_RANK = 1e-13  # relative singular values below are rounding
_MOST = 1e100


@dataclass(frozen=True, eq=False, repr=False)
class Evidence(Result):
    """How well features know labels: log evidence an item of a Bayesian linear model.

    Attributes
    ----------
    value : float
        Mean over the targets.
    targets : ndarray
        The classes, or the columns of y.
    per_target : ndarray, shape (n_targets,)
    alpha, beta : ndarray, shape (n_targets,)
        Precisions of coefficients and of noise, at the largest evidence.
    coefficients : ndarray, shape (n_features, n_targets)
        Their mean under the posterior.
    n_items : int
    """

    value: float
    targets: npt.NDArray[Any]
    per_target: Floats
    alpha: Floats
    beta: Floats
    coefficients: Floats
    n_items: int

    def __repr__(self) -> str:
        return (
            f"Evidence: {self.value:.6g} an item, mean of {len(self.targets):,} targets, from "
            f"{self.n_items:,} items of {len(self.coefficients):,} features"
        )

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``target``, ``evidence``, ``alpha`` and ``beta``."""
        return {
            "target": self.targets,
            "evidence": self.per_target,
            "alpha": self.alpha,
            "beta": self.beta,
        }


def logme(features: Any, y: Any, *, kind: str = "classification") -> Evidence:
    """How well a linear model on features can know labels, without training one (LogME, exactly).

    Parameters
    ----------
    features : array_like, shape (n_items, n_features)
        Of one model, at any layer; not centred here.
    y : array_like, shape (n_items,) or, for regression, (n_items, n_targets)
    kind : {'classification', 'regression'}, default 'classification'
        With classes each is a target of 0 and 1.

    Returns
    -------
    Evidence
        Larger is better. Compare features on the same items and targets.

    Raises
    ------
    ValueError
        If all labels are of one class, a target is 0 throughout, or features tell a target without error, so
        that the evidence has no maximum.

    Notes
    -----
    For y = F w + noise, w ~ N(0, 1 / alpha), noise ~ N(0, 1 / beta), the largest log evidence over alpha and
    beta, divided by the number of items [1]_. beta is eliminated in closed form; what remains is a function
    of alpha / beta alone, in which features beyond the rank do not enter, and is maximised on a grid of 22
    powers of ten and by bisection of its slope in the best cell. One thin singular value decomposition serves
    all targets. The released code counts features beyond the number of items in one of two terms only, and
    ranks columns of noise above pixels there.

    References
    ----------
    .. [1] K. You et al., "LogME: Practical Assessment of Pre-trained Models for Transfer Learning", ICML
       (2021).

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> y = np.arange(100) % 2
    >>> good, noise = y[:, None] + rng.normal(size=(100, 20)), rng.normal(size=(100, 500))
    >>> print(logme(good, y).value > logme(noise, y).value)
    True
    """
    check_choice(kind, "kind", ("classification", "regression"))
    F = np.asarray(read_points(features, "features", "euclidean"), dtype=np.float64)
    n = len(F)
    targets, Y = _targets_of(y, n, kind)
    top = float(np.abs(F).max(initial=0.0))
    if top == 0:
        raise ValueError("features are all 0: they know nothing")
    if not 1.0 / _MOST <= top <= _MOST:
        raise ValueError(
            f"features must have a largest entry between 1e-100 and 1e100, got {top:.3g}: scale them"
        )
    U, s, Vt = np.linalg.svd(F / top, full_matrices=False)
    keep = s > _RANK * s[0]
    U, s, Vt = U[:, keep], s[keep], Vt[keep]
    X = U.T @ Y
    rest = np.zeros(Y.shape[1]) if len(s) == n else ((Y - U @ X) ** 2).sum(axis=0)
    squares = s**2
    found = [_best(squares, X[:, k] ** 2, float(rest[k]), n, str(targets[k])) for k in range(len(targets))]
    value, ridge, beta = np.array(found).T
    coefficients = Vt.T @ (s[:, None] / (squares[:, None] + ridge) * X) / top
    return Evidence(float(value.mean()), targets, value, ridge * beta * top**2, beta, coefficients, n)


def _targets_of(y: Any, n: int, kind: str) -> tuple[npt.NDArray[Any], Floats]:
    if kind == "classification":
        labels = refuse_masked(y, "y")
        if labels.shape != (n,):
            raise ValueError(f"y must have shape ({n},), one label an item, got {labels.shape}")
        if labels.dtype.kind == "O" and any(x is None or x != x for x in labels.tolist()):
            raise ValueError("y has missing labels")
        if labels.dtype.kind == "f" and not np.isfinite(labels).all():
            raise ValueError("y has labels that are NaN or infinite")
        try:
            classes, place = np.unique(labels, return_inverse=True)
        except TypeError:
            raise TypeError("y must hold labels of one kind, numbers or texts") from None
        if len(classes) < 2:
            raise ValueError("y has one class only; there is nothing to tell apart")
        if len(classes) > n // 2 and labels.dtype.kind == "f":
            raise ValueError("y holds numbers rather than classes; say kind='regression'")
        return classes, np.eye(len(classes))[place.reshape(-1)]
    array = real_array(y, "y")
    if array.ndim not in (1, 2) or len(array) != n or array.size == 0:
        raise ValueError(f"y must have shape ({n},) or ({n}, n_targets), got {array.shape}")
    Y = array.astype(np.float64).reshape(n, -1)
    if not (np.abs(Y) <= _MOST).all():
        raise ValueError("y has entries that are NaN, infinite or beyond +-1e100")
    if not np.abs(Y).max(axis=0).all():
        raise ValueError(f"y is 0 throughout in column {int(np.abs(Y).max(axis=0).argmin())}")
    return np.arange(Y.shape[1]), Y


def _evidence(ridge: Floats, squares: Floats, x2: Floats, rest: float, n: int) -> Floats:
    """At the best beta, for each ridge = alpha / beta."""
    r = ridge[:, None]
    q = (x2 * (r / (squares + r))).sum(axis=1) + rest
    with np.errstate(divide="ignore"):
        fit = 0.5 * (np.log(n / q) - 1.0 - np.log(2.0 * np.pi))
    return np.asarray(fit - 0.5 / n * np.log1p(squares / r).sum(axis=1))


def _rises(ridge: float, squares: Floats, x2: Floats, rest: float, n: int) -> bool:
    """Whether the evidence rises with the logarithm of the ridge."""
    kept = squares / (squares + ridge)
    left = ridge / (squares + ridge)
    return bool(kept.sum() * ((x2 * left).sum() + rest) > n * (x2 * left * kept).sum())


def _best(squares: Floats, x2: Floats, rest: float, n: int, name: str) -> tuple[float, float, float]:
    """Largest evidence, and where: ridge and beta."""
    if len(squares) < n and rest <= 1e-26 * n * (float(x2.sum()) + rest):
        raise ValueError(f"features tell the target {name} without error: its evidence has no maximum")
    logs = np.linspace(np.log(_LOW * squares[0]), np.log(_HIGH * squares[0]), _GRID)
    grid = _evidence(np.exp(logs), squares, x2, rest, n)
    k = int(grid.argmax())
    low, high = float(logs[max(k - 1, 0)]), float(logs[min(k + 1, _GRID - 1)])
    while low < (middle := 0.5 * (low + high)) < high:
        low, high = (middle, high) if _rises(math.exp(middle), squares, x2, rest, n) else (low, middle)
    ridge = float(np.exp(0.5 * (low + high)))
    value = float(_evidence(np.array([ridge]), squares, x2, rest, n)[0])
    q = float((x2 * ridge / (squares + ridge)).sum()) + rest
    return value, ridge, n / q
