"""The magnitude as a function of scale."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import finish, interrupted, report
from .._results import Result
from .._spelling import shown
from .._validate import (
    Progress,
    check_count,
    check_positive,
    check_progress,
    check_room,
    check_threads,
    check_vector,
)
from ..plotting import plot_magnitude_function
from ._bounds import rounding
from ._choice import Request
from ._far import EXACT, deviation
from ._result import WeighInfo
from ._scales import median_distance, scale_by_rule
from ._solvers import attempt
from ._spaces import Space, check_space
from ._wide import UNDETERMINED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = npt.NDArray[np.float64]

_LOCK_STEP_FROM = 800  # points from which all scales share one iteration
_LANDMARKS = 100
_NEIGHBOURS = 7
_FAR_NEIGHBOURS = 15
_MAX_ITER = 1500


@dataclass(frozen=True, repr=False, eq=False)
class MagnitudeFunction(Result):
    """The magnitude |tX| at some scales t.

    Attributes
    ----------
    scales : ndarray, shape (n_scales,)
        Rising; read-only.
    magnitudes : ndarray, shape (n_scales,)
        2 * 1'w - w'Zw, each within ``info.error_bound`` (relative) of the magnitude; read-only.
    n : int
        Points that differ: what the magnitude tends to.
    info : WeighInfo
        `error_bound` is the largest relative error over the scales, an estimate.
    """

    scales: Array
    magnitudes: Array
    n: int
    info: WeighInfo

    def __repr__(self) -> str:
        return (
            f"MagnitudeFunction: {self.n} points, magnitude {self.magnitudes[0]:.4g} to "
            f"{self.magnitudes[-1]:.4g} over {len(self.scales)} scales {self.scales[0]:.4g} to "
            f"{self.scales[-1]:.4g} ({self.info.solver})"
        )

    def __call__(self, scale: Any) -> Any:
        """Interpolated, log over log; beyond the last scale its value, below the first towards 1 at 0."""
        t = np.asarray(scale, dtype=float)
        below = 1.0 + (self.magnitudes[0] - 1.0) * t / self.scales[0]
        with np.errstate(divide="ignore"):
            inside = np.exp(np.interp(np.log(t), np.log(self.scales), np.log(self.magnitudes)))
        return np.where(t < self.scales[0], below, inside)[()]

    def area(self) -> float:
        """Area under the curve from 0, where the magnitude is 1, to the last scale, by trapezia."""
        return float(np.trapezoid(np.append(1.0, self.magnitudes), np.append(0.0, self.scales)))

    def dimension(self) -> float:
        """Largest slope of log magnitude over log scale: the magnitude dimension seen at these scales."""
        if len(self.scales) < 2:
            raise ValueError("scales must be at least 2 for a slope, got 1")
        return float((np.diff(np.log(self.magnitudes)) / np.diff(np.log(self.scales))).max())

    def to_frame(self) -> dict[str, Array]:
        """Columns ``scale`` and ``magnitude``."""
        return {"scale": self.scales, "magnitude": self.magnitudes}

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """See `steelyard.plotting.plot_magnitude_function`."""
        return plot_magnitude_function(self, ax=ax)


def magnitude_function(
    X: Any,
    scales: Any = "auto",
    n_scales: int = 20,
    *,
    metric: str = "euclidean",
    tol: float = 1e-4,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> MagnitudeFunction:
    """The magnitude at many scales at once.

    Parameters
    ----------
    X, metric, n_threads, progress
        As for `weighting`.
    scales : 'auto' or array_like, shape (n_scales,)
        Positive numbers. 'auto': evenly spaced in the logarithm up to the scale at which the magnitude is
        .95 n, from .1 / median distance (or a hundredth of the last, if that is less).
    n_scales : int, default 20
        For 'auto'; at least 2.
    tol : float, default 1e-4
        Largest relative error, estimated, of each magnitude.

    Returns
    -------
    MagnitudeFunction

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    Warns
    -----
    ConvergenceWarning
        If a magnitude misses `tol`.

    Notes
    -----
    From 800 points in a space that theory makes positive definite, all scales iterate in lock-step on one
    pass over the distances, and exp is taken anew for each: no power of a matrix of similarities, which
    would underflow. Each magnitude is the lower bound 2 * 1'w - w'Zw in float64. O(n^2 (d + n_scales)) time
    an iteration, O(n n_scales (100 + 7)) numbers. Other spaces are solved scale by scale.

    References
    ----------
    .. [1] Limbeck, Andreeva, Sarkar, Rieck, "Metric space magnitude for evaluating the diversity of latent
       representations", NeurIPS 2024.

    Examples
    --------
    >>> from steelyard import weigh
    >>> f = weigh.magnitude_function([[0.0], [1.0]], [1.0, 2.0])
    >>> print(f.magnitudes.round(4))
    [1.4621 1.7616]
    """
    space = check_space(X, metric)
    if not space.symmetric:
        raise ValueError("X must be a symmetric distance for a magnitude function")
    request = Request(
        scale=1.0,
        tol=check_positive(tol, "tol"),
        threads=check_threads(n_threads),
        progress=check_progress(progress),
        stop="magnitude",
    )
    if isinstance(scales, str):
        if scales != "auto":
            raise ValueError(f"scales must be 'auto' or an array of positive numbers, got {shown(scales)}")
        all_scales = _auto_scales(
            space, check_room(check_count(n_scales, "n_scales", least=2), "n_scales"), request
        )
    else:
        all_scales = np.unique(check_vector(scales, "scales"))
        if not len(all_scales) or all_scales[0] <= 0:
            raise ValueError("scales must be positive numbers, at least one")
    found = _lock_step if _shares_iterations(space) else _one_by_one
    return finish(found(space, all_scales, request), "magnitude_function", n_threads=n_threads)


def _shares_iterations(space: Space) -> bool:
    # exp(-cosine distance) is a Gaussian kernel: singular to rounding, which takes a dense factorisation.
    return (
        space.positive_definite
        and space.metric != "cosine"
        and not space.on_a_line
        and space.n_unique >= _LOCK_STEP_FROM
    )


def _auto_scales(space: Space, count: int, request: Request) -> Array:
    last = scale_by_rule(space, "convergence", 0.95, 1e-2, request)
    return np.geomspace(min(0.1 / median_distance(space), 0.01 * last), last, count)


def _lock_step(space: Space, scales: Array, request: Request) -> MagnitudeFunction:
    out = _core.weigh._weights_by_gradients(
        space.quick,
        scales * space.unit,
        request.tol,
        stop="magnitude",
        landmarks=0 if space.has_far else _LANDMARKS,
        neighbours=_FAR_NEIGHBOURS if space.has_far else _NEIGHBOURS,
        max_iter=_MAX_ITER,
        n_threads=request.threads,
        progress=request.progress,
    )
    columns = out["columns"]
    values = np.array([column["lower_bound"] for column in columns])
    slack = np.array(
        [
            rounding(space, scale * space.unit, w, column["residual"]).bound
            for scale, w, column in zip(scales.tolist(), out["weights"].T, columns, strict=True)
        ]
    )
    off = [
        deviation(space, scale * space.unit, out, request.threads, k) if space.has_far else EXACT
        for k, scale in enumerate(scales.tolist())
    ]
    slack += np.array([one.weighted for one in off])
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = (np.array([column["error_estimate"] for column in columns]) + slack) / values
    bound = float(np.max(errors)) if (values > 0).all() else math.inf
    vague = bool((slack > request.tol * np.abs(values)).any())
    message = ""
    if not out["info"]["converged"]:
        message = (
            f"the error of a magnitude is {bound:.1e} > tol = {request.tol:.1e}; accept it by a larger tol"
        )
    elif vague:
        message = (
            f"{UNDETERMINED}: rounding can move a magnitude by {float((slack / values).max()):.1e} of it"
        )
    info = WeighInfo.from_core(
        out["info"],
        solver=f"{out['info']['solver']}, {len(scales)} scales in lock-step",
        error_bound=bound,
        error_kind="estimate",
        residual=max(column["residual"] for column in columns),
        residual_error=max(one.rms for one in off),
        residual_kind=off[0].kind,
        lower_bound=float(values[-1] - slack[-1]),
        positive_definite="theory",
        merged=space.merged,
        converged=bool(out["info"]["converged"]) and not vague,
        message=message,
    )
    return _function(space, scales, values, info)


def _one_by_one(space: Space, scales: Array, request: Request) -> MagnitudeFunction:
    parts, stopped = [], False
    try:
        for k, t in enumerate(scales.tolist()):
            one = replace(request, scale=t, tol=min(request.tol, 1e-6), progress=None)
            parts.append(attempt(space, one))
            report(request.progress, k + 1, len(scales))
    except KeyboardInterrupt:
        if not parts:
            raise interrupted(None) from None
        stopped, scales = True, scales[: len(parts)]
    values = np.array([part.magnitude for part in parts])
    bounds = [part.info.error_bound for part in parts]
    known = [b / abs(v) for b, v in zip(bounds, values.tolist(), strict=True) if b is not None and v]
    bound = max(known) if len(known) == len(bounds) else None
    converged = all(part.info.converged for part in parts)
    info = replace(
        parts[-1].info,
        converged=converged and not stopped,
        interrupted=stopped,
        seconds=sum(part.info.seconds for part in parts),
        tol=request.tol,
        error_bound=bound,
        error_kind="estimate",
        residual=max(part.info.residual for part in parts),
        message=_in_short([part.info.message for part in parts if part.info.message]),
    )
    return _function(space, scales, values, info)


def _in_short(messages: list[str]) -> str:
    """What is said at single scales, once."""
    found = list(dict.fromkeys(messages))
    return "" if not found else found[0] + (f" (and so on at {len(found) - 1} scales)" if found[1:] else "")


def _function(space: Space, scales: Array, values: Array, info: WeighInfo) -> MagnitudeFunction:
    scales = scales.copy()
    for array in (scales, values):
        array.flags.writeable = False
    return MagnitudeFunction(scales, values, space.n_unique, info)


def _check_function(f: object, name: str) -> MagnitudeFunction:
    if not isinstance(f, MagnitudeFunction):
        raise TypeError(
            f"{name} must be a MagnitudeFunction (see magnitude_function), got {type(f).__name__}"
        )
    return f


def magnitude_area(f: MagnitudeFunction, g: MagnitudeFunction | None = None) -> float:
    """Area under a magnitude function, or with `g` the area of f minus that of g over their common scales.

    Parameters
    ----------
    f : MagnitudeFunction
    g : MagnitudeFunction, optional

    Returns
    -------
    float
        Large for diverse spaces (MagArea of Limbeck et al., NeurIPS 2024).

    Raises
    ------
    TypeError
        If f or g is no MagnitudeFunction.

    Examples
    --------
    >>> from steelyard import weigh
    >>> f = weigh.magnitude_function([[0.0], [1.0]], [1.0, 2.0])
    >>> print(round(weigh.magnitude_area(f), 4))
    2.8429
    """
    f = _check_function(f, "f")
    if g is None:
        return f.area()
    t, a, b = _on_common_scales(f, _check_function(g, "g"))
    return float(np.trapezoid(a - b, t))


def magnitude_difference(f: MagnitudeFunction, g: MagnitudeFunction) -> float:
    """Area between two magnitude functions, over their common scales.

    Parameters
    ----------
    f, g : MagnitudeFunction

    Returns
    -------
    float
        0 for equal functions (MagDiff of Limbeck et al., NeurIPS 2024).

    Raises
    ------
    TypeError
        If f or g is no MagnitudeFunction.

    Examples
    --------
    >>> from steelyard import weigh
    >>> f = weigh.magnitude_function([[0.0], [1.0]], [1.0, 2.0])
    >>> print(weigh.magnitude_difference(f, f))
    0.0
    """
    t, a, b = _on_common_scales(_check_function(f, "f"), _check_function(g, "g"))
    return float(np.trapezoid(np.abs(a - b), t))


def _on_common_scales(f: MagnitudeFunction, g: MagnitudeFunction) -> tuple[Array, Array, Array]:
    """From 0 to the end of the shorter one, at the scales of both."""
    last = min(f.scales[-1], g.scales[-1])
    t = np.union1d(f.scales, g.scales)
    t = t[t <= last]
    return (
        np.append(0.0, t),
        np.append(1.0, np.asarray(f(t))),
        np.append(1.0, np.asarray(g(t))),
    )


def magnitude_dimension(X: Any, scales: Any = "auto", n_scales: int = 40, **options: Any) -> float:
    """Largest slope of log magnitude over log scale.

    Parameters
    ----------
    X, scales, n_scales
        As for `magnitude_function`; more scales see a sharper slope.
    **options
        Passed on to `magnitude_function`.

    Returns
    -------
    float
        Tends to the dimension of what the points are drawn from as their number grows, slowly.

    Raises
    ------
    ValueError, TypeError
        As `magnitude_function`.

    Examples
    --------
    >>> import numpy as np
    >>> from steelyard import weigh
    >>> print(round(weigh.magnitude_dimension(np.linspace(0, 1, 200)[:, None]), 2))
    0.95
    """
    return magnitude_function(X, scales, n_scales, **options).dimension()
