"""Ensembles: the convex combination of predictions that did best where the outcome is known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import finish, interrupted
from .._info import Info
from .._points import read_weights
from .._results import Result
from .._spelling import shown
from .._validate import (
    Progress,
    check_choice,
    check_positive,
    check_progress,
    check_steps,
    check_threads,
    check_vector,
    real_array,
)
from ._conformal import conformal_offsets, isotonic, widened

Floats = npt.NDArray[np.float64]

LOSSES = ("squared", "pinball", "log")
_CROSSING = ("sort", "isotonic")
_SHAPES = {"squared": "(n, K)", "pinball": "(n, K, levels)", "log": "(n, K), or (n, K, classes) with y"}
_SUM = 1e-3  # how far the probabilities of all classes may be from 1 together


@dataclass(frozen=True, repr=False, eq=False)
class EnsembleWeights(Result):
    """Weights of K sets of predictions, at least 0 and with sum 1.

    Attributes
    ----------
    weights : ndarray of float64, shape (K,), or (levels, K) with groups
        The convex combination.
    kind : {'squared', 'pinball', 'log'}
        The loss.
    loss : float
        Mean loss of the combination on the rows it was fitted to: mean squared error, mean pinball loss over
        rows and levels, or minus the mean logarithm.
    gap : float
        The least loss that any convex combination has is at least ``loss - gap``, what rounding can hide
        included.
    single_losses : ndarray of float64, shape (K,)
        Mean loss of each set of predictions alone; inf where a probability of 0 came true.
    best_single : int
        The one with the smallest.
    levels : ndarray of float64, shape (levels,), or None
        Of the quantiles, with loss='pinball'.
    offsets : ndarray of float64, shape (levels,), or None
        What `predict` adds to each quantile; None before `calibrate`.
    info : Info
        How they were found. ``error_bound`` is gap / loss ('squared', 'pinball') or the gap itself ('log').
    """

    weights: Floats
    kind: str
    loss: float
    gap: float
    single_losses: Floats
    best_single: int
    levels: Floats | None
    offsets: Floats | None
    info: Info

    def __repr__(self) -> str:
        state = "converged" if self.info.converged else "NOT converged"
        positive = int((np.atleast_2d(self.weights) > 0).any(axis=0).sum())
        return (
            f"EnsembleWeights: {positive} of {self.weights.shape[-1]} have weight, {self.kind} loss "
            f"{self.loss:.6g} (best single: {self.single_losses[self.best_single]:.6g}, column "
            f"{self.best_single})\n{state}: gap {self.gap:.2g} ({self.info.solver})"
        )

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``column``, ``weight`` (or ``weight_LEVEL``) and ``loss`` alone, for a data frame."""
        table: dict[str, npt.NDArray[Any]] = {"column": np.arange(self.weights.shape[-1])}
        if self.weights.ndim == 1:
            table["weight"] = self.weights
        else:
            assert self.levels is not None
            table |= {f"weight_{level:g}": row for level, row in zip(self.levels, self.weights, strict=True)}
        return {**table, "loss": self.single_losses}

    def predict(self, predictions: npt.ArrayLike, *, crossing: str = "sort") -> Floats:
        """Combine predictions of the same K models on other rows.

        Parameters
        ----------
        predictions : array_like, shape (m, K), (m, K, levels) or (m, K, classes)
            In the shape, but for the rows, that the weights were fitted to; with 'log' either shape.
        crossing : {'sort', 'isotonic'}, default 'sort'
            How quantiles that cross are put in order: sorted, or the nearest increasing ones by least
            squares. Neither raises the mean pinball loss. After `calibrate`, quantiles are also moved
            outwards until they don't cross.

        Returns
        -------
        ndarray of float64, shape (m,), (m, levels) or (m, classes)
        """
        how = check_choice(crossing, "crossing", _CROSSING)
        given, _ = _read_predictions(predictions, self.kind)
        k = self.weights.shape[-1]
        if given.shape[1] != k:
            raise ValueError(f"predictions must have {k} columns of models, got shape {given.shape}")
        if self.kind != "pinball":
            return np.asarray(np.einsum("ik...,k->i...", given, self.weights))
        assert self.levels is not None
        if given.shape[2] != len(self.levels):
            raise ValueError(f"predictions must have {len(self.levels)} levels, got shape {given.shape}")
        weights = np.broadcast_to(self.weights, (len(self.levels), k))
        mixed = np.einsum("ikl,lk->il", given, weights)
        mixed = np.sort(mixed, axis=1) if how == "sort" else isotonic(mixed)
        return mixed if self.offsets is None else widened(mixed + self.offsets, self.levels)

    def calibrate(
        self, predictions: npt.ArrayLike, y: npt.ArrayLike, *, crossing: str = "sort"
    ) -> EnsembleWeights:
        """Quantiles that keep their word on exchangeable rows, by conformal calibration on rows held out.

        A pair of levels tau and 1 - tau is moved apart (or together) by one amount, so that the two hold
        at least 1 - 2 tau of new rows between them [1]_. A level without its mirror image is moved alone:
        at least tau of new rows lie below one above 1/2, above 1 - tau below one of less. Level 1/2 stays.

        Parameters
        ----------
        predictions : array_like, shape (m, K, levels)
            On rows that neither the models nor the weights have seen.
        y : array_like, shape (m,)
            What came.
        crossing : {'sort', 'isotonic'}, default 'sort'
            As for `predict`; use the same there.

        Returns
        -------
        EnsembleWeights
            With `offsets`.

        Raises
        ------
        ValueError
            If the loss isn't 'pinball', or there are too few rows for a level.

        Notes
        -----
        The promise is for each pair or level, on average over calibration rows and a new row that are
        exchangeable; it says nothing of shifted data or of single rows.

        References
        ----------
        .. [1] Romano, Patterson, Candes, "Conformalized quantile regression", NeurIPS 2019.
        """
        if self.levels is None:
            raise ValueError(f"kind must be 'pinball' to calibrate quantiles, got {self.kind!r}")
        bare = replace(self, offsets=None)
        quantiles = bare.predict(predictions, crossing=crossing)
        came = check_vector(y, "y", length=len(quantiles))
        offsets = conformal_offsets(quantiles, came, self.levels)
        offsets.flags.writeable = False
        return replace(self, offsets=offsets)


def _read_predictions(predictions: Any, kind: str) -> tuple[Floats, float]:
    """The predictions, and the sum of their squares: inf where float64 can't hold it."""
    array = real_array(predictions, "predictions")
    allowed = {"squared": (2,), "pinball": (3,), "log": (2, 3)}[kind]
    if array.ndim not in allowed or 0 in array.shape:
        raise ValueError(
            f"predictions must have shape {_SHAPES[kind]} for loss={kind!r}, not empty, got {array.shape}"
        )
    values = np.ascontiguousarray(array, dtype=np.float64)
    flat = values.reshape(-1)
    with np.errstate(over="ignore", invalid="ignore"):
        squares = float(flat @ flat)  # a twentieth of what it costs to look at each entry
    bad: npt.NDArray[np.intp] = np.zeros(0, dtype=np.intp)
    if not np.isfinite(squares):
        bad = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
    if len(bad):
        raise ValueError(
            f"predictions has {len(bad)} rows with NaN or infinite entries (first: row {bad[0]})"
        )
    if kind == "log" and values.min() < 0:
        row = int(np.flatnonzero((values < 0).reshape(len(values), -1).any(axis=1))[0])
        raise ValueError(f"predictions must hold probabilities, at least 0, got less in row {row}")
    return values, squares


def _check_levels(levels: Any, count: int) -> Floats:
    if levels is None:
        raise ValueError("levels must be given with loss='pinball': one for each quantile")
    values = check_vector(np.atleast_1d(real_array(levels, "levels")), "levels", length=count)
    if not ((values > 0) & (values < 1)).all():
        raise ValueError(f"levels must lie strictly between 0 and 1, got {shown(values.tolist())}")
    if not (np.diff(values) > 0).all():
        raise ValueError(f"levels must be sorted, each but once, got {shown(values.tolist())}")
    return values


def _check_groups(groups: Any, count: int) -> list[npt.NDArray[np.intp]] | None:
    """Positions of the levels of each group; None: one set of weights for all."""
    if groups is None:
        return None
    if isinstance(groups, str):
        check_choice(groups, "groups", ("level",))
        return [np.array([k]) for k in range(count)]
    if not isinstance(groups, Iterable):
        raise TypeError(f"groups must be None, 'level' or a label for each level, got {shown(groups)}")
    labels = list(groups)
    if len(labels) != count:
        raise ValueError(f"groups must have a label for each of the {count} levels, got {len(labels)}")
    try:
        distinct = list(dict.fromkeys(labels))
    except TypeError:
        raise TypeError("groups must have labels that can be told apart, such as words or numbers") from None
    return [np.array([k for k, own in enumerate(labels) if own == one]) for one in distinct]


def _of_outcome(predictions: Floats, y: Any) -> Floats:
    """Probabilities of the class that came, shape (n, K)."""
    if predictions.ndim == 2:
        if y is not None:
            raise ValueError(
                "y must be None where predictions has shape (n, K): probabilities of what came; with y, "
                "give (n, K, classes)"
            )
        return predictions
    n, _, classes = predictions.shape
    if y is None:
        raise ValueError("y must be given where predictions has shape (n, K, classes)")
    came = check_vector(y, "y", length=n)
    if (came != np.floor(came)).any() or (came < 0).any() or (came >= classes).any():
        raise ValueError(f"y must hold positions of classes, integers from 0 to {classes - 1}")
    off = np.abs(predictions.sum(axis=2) - 1).max(axis=1)
    if off.max() > _SUM:
        raise ValueError(
            "predictions must hold probabilities of the classes, with sum 1, got a sum off by "
            f"{off.max():.3g} in row {int(off.argmax())}"
        )
    return np.ascontiguousarray(predictions[np.arange(n), :, came.astype(np.intp)])


def _refuse_impossible(probabilities: Floats) -> None:
    if probabilities.min() > 0:
        return
    zero = np.flatnonzero(~probabilities.any(axis=1))
    if len(zero):
        raise ValueError(
            f"predictions must not give what came probability 0 in every column, got {len(zero)} such rows "
            f"(first: row {zero[0]}): their log loss is infinite whatever the weights"
        )


def _in_range(predictions: Floats, y: Floats, squares: float) -> tuple[Floats, Floats, int]:
    """Both times 2^-shift, where their squares would overflow or vanish."""
    if 1e-180 < squares < 1e200 and np.abs(y).max() < 1e100:
        return predictions, y, 0
    largest = max(float(np.abs(predictions).max()), float(np.abs(y).max()))
    if largest == 0 or 1e-100 < largest < 1e100:
        return predictions, y, 0
    shift = int(np.frexp(largest)[1])
    return np.ldexp(predictions, -shift), np.ldexp(y, -shift), shift


def _in_units(found: dict[str, Any], shift: int) -> dict[str, Any]:
    """Loss, gap and single losses in the units of y."""
    if shift == 0:
        return found
    with np.errstate(over="ignore", under="ignore"):
        scaled = {name: np.ldexp(found[name], shift) for name in ("loss", "gap", "singles")}
    return {**found, **scaled}


def ensemble_weights(
    predictions: npt.ArrayLike,
    y: npt.ArrayLike | None = None,
    *,
    loss: str = "squared",
    levels: npt.ArrayLike | None = None,
    groups: Any = None,
    sample_weight: npt.ArrayLike | None = None,
    tol: float = 1e-10,
    max_iter: int = 100,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> EnsembleWeights:
    """Weights, at least 0 and with sum 1, by which predictions together do best.

    Fit them to predictions for rows that the models have not seen (held out, or out of fold): on rows that
    they were fitted to, the one that learnt them by heart gets all the weight.

    Parameters
    ----------
    predictions : array_like
        'squared': shape (n, K), what K models said of n rows. 'pinball': (n, K, levels), their quantiles.
        'log': (n, K), the probability (or density) that each gave to what came; or (n, K, classes) with `y`.
    y : array_like, shape (n,), or None
        What came; with 'log' the position of the class, or None.
    loss : {'squared', 'pinball', 'log'}, default 'squared'
        Mean squared error; mean pinball loss of quantiles, over rows and levels; minus the mean logarithm of
        the probability.
    levels : array_like, shape (levels,), or None
        With 'pinball': those of the quantiles, sorted.
    groups : None, 'level' or sequence of labels, one a level
        With 'pinball': None gives all levels the same weights, 'level' each its own, labels each group its
        own.
    sample_weight : array_like, shape (n,), or None
        Of the rows, at least 0.
    tol : float, default 1e-10
        Of gap / loss, with 'log' of the gap itself. A gap at the level of rounding counts as reached.
    max_iter : int, default 100
        Steps of the solver.
    n_threads : int or None, default None
        Threads; None means the default of `steelyard.build_info`.
    progress : callable or None, default None
        Called as ``progress(done, total)``.

    Returns
    -------
    EnsembleWeights
        With ``.predict(predictions)`` for other rows.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If shapes don't fit, entries are NaN or infinite, levels aren't sorted, or all models gave
        probability 0 to what came.
    KeyboardInterrupt
        On Ctrl-C, with the best weights so far as ``.partial`` (None before there are any).

    Warns
    -----
    ConvergenceWarning
        If the gap misses `tol`.

    Notes
    -----
    All three are convex, and the gap says how far from the best the answer can be: for 'squared' the
    Frank-Wolfe gap [1]_, with residuals from the rows and not from the Gram matrix; for 'log'
    max_k mean(p_k / p_mixture) - 1 [2]_; for 'pinball' the primal less the dual value of the linear program.

    'squared': the Gram matrix of the errors, one pass, then `solve_simplex_qp` on K numbers. 'log':
    sequential quadratic programs, about 5 to 10 passes. 'pinball': an interior point method in K dimensions,
    10 to 40 passes over n * levels rows. A pass costs O(n K^2). Memory: 'squared' O(K^2), 'log' and 'pinball'
    a copy of the predictions and, for 'pinball', 9 numbers a row. Same bits for any n_threads. Where columns
    are equal, or nearly, the weights are not unique though the loss is.

    References
    ----------
    .. [1] Jaggi, "Revisiting Frank-Wolfe: projection-free sparse convex optimization", ICML 2013.
    .. [2] Lindsay, "The geometry of mixture likelihoods", Ann. Statist. 11 (1983).

    Examples
    --------
    Two models, one too high and one too low:

    >>> from steelyard.weigh import ensemble_weights
    >>> y = [1.0, 2.0, 3.0, 4.0]
    >>> both = [[1.5, 0.0], [2.5, 1.0], [3.5, 2.0], [4.5, 3.0]]
    >>> found = ensemble_weights(both, y)
    >>> found.weights.round(3)
    array([0.667, 0.333])
    >>> found.predict([[10.5, 9.0]]).round(3)
    array([10.])
    """
    kind = check_choice(loss, "loss", LOSSES)
    values, squares = _read_predictions(predictions, kind)
    n = len(values)
    quantiles = _check_levels(levels, values.shape[2]) if kind == "pinball" else None
    if kind != "pinball" and (levels is not None or groups is not None):
        name = "levels" if levels is not None else "groups"
        raise ValueError(f"{name} must be None for loss={kind!r}")
    parts = None if quantiles is None else _check_groups(groups, len(quantiles))
    options: dict[str, Any] = {
        "tol": check_positive(tol, "tol"),
        "max_iter": check_steps(max_iter, "max_iter"),
        "n_threads": check_threads(n_threads),
        "progress": check_progress(progress),
    }
    weight = read_weights(sample_weight, n)
    came: Floats | None = None
    if kind == "log":
        values = _of_outcome(values, y)
    elif y is None:
        raise ValueError(f"y must be given with loss={kind!r}")
    else:
        came = check_vector(y, "y", length=n)
    if weight is not None:
        rows = np.flatnonzero(weight)
        values, came = values[rows], None if came is None else came[rows]
        weight = weight[rows] / weight.sum()
    if kind == "log":
        _refuse_impossible(values)
        found = [_core.weigh._ensemble_weights(values, "log", weights=weight, **options)]
    elif quantiles is None:
        assert came is not None
        scaled, target, shift = _in_range(values, came, squares)
        one = _core.weigh._ensemble_weights(scaled, "squared", y=target, weights=weight, **options)
        found = [_in_units(one, 2 * shift)]
    else:
        assert came is not None
        found = _of_levels(*_in_range(values, came, squares), quantiles, weight, parts, options)
    result = _together(found, kind, quantiles, parts)
    return finish(result, "ensemble_weights", n_threads=n_threads)


def _of_levels(
    predictions: Floats,
    y: Floats,
    shift: int,
    levels: Floats,
    weight: Floats | None,
    parts: list[npt.NDArray[np.intp]] | None,
    options: dict[str, Any],
) -> list[dict[str, Any]]:
    """One answer for each group of levels, whose rows stand below each other."""
    k = predictions.shape[1]
    found: list[dict[str, Any]] = []
    for part in [np.arange(len(levels))] if parts is None else parts:
        rows = np.ascontiguousarray(predictions[:, :, part].transpose(0, 2, 1)).reshape(-1, k)
        one = _core.weigh._ensemble_weights(
            rows,
            "pinball",
            y=np.repeat(y, len(part)),
            weights=None if weight is None else np.repeat(weight / len(part), len(part)),
            levels=np.tile(levels[part], len(y)),
            **options,
        )
        found.append(_in_units(one, shift))
        if one["info"]["interrupted"]:
            break
    return found


def _together(
    found: list[dict[str, Any]],
    kind: str,
    levels: Floats | None,
    parts: list[npt.NDArray[np.intp]] | None,
) -> EnsembleWeights:
    """One result of the answers of all groups."""
    if not len(found[-1]["weights"]) or (parts is not None and len(found) < len(parts)):
        raise interrupted(None)  # before there was a point for every group
    shares = [1.0] if parts is None else [len(part) / sum(map(len, parts)) for part in parts]
    loss, gap = (
        float(sum(s * one[name] for s, one in zip(shares, found, strict=True))) for name in ("loss", "gap")
    )
    singles = np.sum([s * one["singles"] for s, one in zip(shares, found, strict=True)], axis=0)
    weights = found[0]["weights"]
    if parts is not None:
        assert levels is not None
        weights = np.empty((len(levels), len(weights)))
        for part, one in zip(parts, found, strict=True):
            weights[part] = one["weights"]
    for array in (weights, singles):
        array.flags.writeable = False
    worst = max(found, key=lambda one: (not one["info"]["converged"], one["info"]["error_bound"]))["info"]
    bound = gap if kind == "log" or loss == 0 else gap / loss
    message = (
        ""
        if worst["converged"]
        else (
            f"stopped after {worst['iterations']} steps with {'gap' if kind == 'log' else 'relative gap'} "
            f"{worst['error_bound']:.2g} > tol={worst['tol']:.2g}; raise max_iter or tol"
        )
    )
    info = Info.from_core(
        worst,
        iterations=sum(one["info"]["iterations"] for one in found),
        seconds=sum(one["info"]["seconds"] for one in found),
        error_bound=bound,
        message=message,
    )
    best = int(np.argmin(singles))
    return EnsembleWeights(weights, kind, loss, gap, singles, best, levels, None, info)
