"""The ratio of two densities, from a sample of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import _core
from .._errors import finish, interrupted
from .._info import Info
from .._points import read_points
from .._results import Result
from .._validate import (
    Progress,
    check_choice,
    check_count,
    check_nonnegative,
    check_number,
    check_positive,
    check_progress,
    check_rng,
    check_threads,
)

Floats = npt.NDArray[np.float64]

METHODS = ("kliep", "ulsif", "rulsif")
_BLOCK = 1_000_000  # kernel values at a time
_PAIRS = 2000  # points whose distances give the median


@dataclass(frozen=True, repr=False, eq=False)
class DensityRatio(Result):
    """An estimate of p_numerator(x) / p_denominator(x), a sum of Gaussian bumps.

    Attributes
    ----------
    centres : ndarray of float64, shape (k, d)
        Middles of the bumps: rows of the numerator.
    coefficients : ndarray of float64, shape (k,)
        Their heights, at least 0.
    width : float
        Standard deviation s of a bump exp(-|x - c|^2 / (2 s^2)).
    method : {'kliep', 'ulsif', 'rulsif'}
    alpha : float
        With 'rulsif' the ratio is that to alpha p_numerator + (1 - alpha) p_denominator; else 0.
    ridge : float
        With 'ulsif' and 'rulsif', what was added to the diagonal; else 0.
    objective : float
        'kliep': mean log ratio over the numerator. 'ulsif' and 'rulsif': mean of ratio^2 / 2 over the
        denominator (the mixture) less the mean ratio over the numerator.
    numerator_ratio, denominator_ratio : ndarray of float64
        The ratio at the rows of both samples: those of the denominator are importance weights.
    effective_sample_size : float
        (sum w)^2 / sum w^2 of the weights of the denominator.
    info : Info
        How the coefficients were found. ``error_bound`` with 'kliep': no other heights have a larger
        objective by more than that; with the others the residual of a linear system over its right side,
        before heights below 0 are cut.
    """

    centres: Floats
    coefficients: Floats
    width: float
    method: str
    alpha: float
    ridge: float
    objective: float
    numerator_ratio: Floats
    denominator_ratio: Floats
    effective_sample_size: float
    info: Info

    def __repr__(self) -> str:
        state = "converged" if self.info.converged else "NOT converged"
        return (
            f"DensityRatio: {self.method}, {int((self.coefficients > 0).sum())} of {len(self.centres)} "
            f"bumps of width {self.width:.4g}, effective size {self.effective_sample_size:.1f} of "
            f"{len(self.denominator_ratio)}\n{state}: {self.info.solver}"
        )

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``row`` and ``weight`` of the denominator, for any data frame."""
        return {"row": np.arange(len(self.denominator_ratio)), "weight": self.denominator_ratio}

    def ratio(self, X: npt.ArrayLike) -> Floats:
        """The ratio at other points.

        Parameters
        ----------
        X : array_like, shape (m, d)

        Returns
        -------
        ndarray of float64, shape (m,)
        """
        points = np.asarray(read_points(X, "X", "euclidean"), dtype=np.float64)
        if points.shape[1] != self.centres.shape[1]:
            raise ValueError(f"X must have {self.centres.shape[1]} columns, got shape {points.shape}")
        step = max(1, _BLOCK // len(self.centres))
        parts = [points[k : k + step] for k in range(0, len(points), step)]
        return np.concatenate([_bumps(part, self.centres, self.width) @ self.coefficients for part in parts])


def _bumps(X: Floats, centres: Floats, width: float) -> Floats:
    """exp(-|x - c|^2 / (2 width^2)), shape (n, k)."""
    squares = np.zeros((len(X), len(centres)))
    with np.errstate(over="ignore", under="ignore"):
        for column, middle in zip(X.T, centres.T, strict=True):
            squares += ((column[:, None] - middle) / width) ** 2
        return np.asarray(np.exp(-0.5 * squares))


def _median_width(numerator: Floats, centres: Floats) -> float:
    """Median distance between rows of the numerator and the centres, those of a row to itself left out."""
    rows = numerator[np.linspace(0, len(numerator) - 1, min(len(numerator), _PAIRS)).astype(int)]
    with np.errstate(over="ignore"):
        apart = np.sqrt(sum(np.subtract.outer(a, b) ** 2 for a, b in zip(rows.T, centres.T, strict=True)))
    apart = apart[apart > 0]
    if not len(apart) or not np.isfinite(width := float(np.median(apart))):
        raise ValueError(
            "scale must be a number where the median distance of the numerator is 0 or overflows"
        )
    return width


def _kliep(
    top: Floats, bottom: Floats, tol: float, threads: int, progress: Progress | None
) -> tuple[Floats, float, Info]:
    """max mean log(ratio) over the numerator, mean ratio 1 over the denominator: weights of densities."""
    means = bottom.mean(axis=0)
    kept = means > 1e-300
    if not kept.any() or not (covered := top[:, kept].any(axis=1)).all():
        row = 0 if not kept.any() else int(np.argmin(covered))
        raise ValueError(
            f"numerator must lie within reach of the bumps, got row {row} where all are 0 (or that reach no "
            "row of the denominator); raise scale"
        )
    densities = top[:, kept] / means[kept]
    found = _core.weigh._ensemble_weights(
        np.ascontiguousarray(densities), "log", tol=tol, n_threads=threads, progress=progress
    )
    if not len(found["weights"]):
        raise interrupted(None)
    heights = np.zeros(len(means))
    heights[kept] = found["weights"] / means[kept]
    message = "" if found["info"]["converged"] else f"stopped with gap {found['gap']:.2g}; raise tol"
    return heights, -found["loss"], Info.from_core(found["info"], message=message)


def _least_squares(
    top: Floats, bottom: Floats, alpha: float, ridge: float, tol: float
) -> tuple[Floats, float, Info]:
    """min theta'H theta / 2 - h'theta + ridge |theta|^2 / 2, negative heights cut."""
    H = (1 - alpha) * (bottom.T @ bottom) / len(bottom)
    if alpha > 0:
        H += alpha * (top.T @ top) / len(top)
    h = top.mean(axis=0)
    system = H + ridge * np.eye(len(H))
    heights = np.linalg.solve(system, h)
    residual = float(np.abs(system @ heights - h).max() / np.abs(h).max())
    cut = int((heights < 0).sum())
    heights = np.maximum(heights, 0.0)
    info = Info(
        converged=residual <= max(tol, 1e-12),
        iterations=1,
        solver="linear system",
        seconds=0.0,
        tol=tol,
        error_bound=residual,
        error_kind="estimate",
        message=f"{cut} heights below 0 were cut to 0" if cut else "",
    )
    return heights, float(heights @ H @ heights / 2 - h @ heights), info


def density_ratio(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike,
    *,
    method: str = "kliep",
    scale: float | str = "median",
    alpha: float = 0.1,
    ridge: float = 0.1,
    n_centres: int = 100,
    tol: float = 1e-10,
    rng: Any = None,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> DensityRatio:
    """How much likelier points are in one population than in another, from a sample of each.

    Importance weights for covariate shift: with the new rows as numerator and the old ones as denominator,
    ``denominator_ratio`` weights the old rows so that they look like the new.

    Parameters
    ----------
    numerator : array_like, shape (n, d)
        Standardise columns first if their units differ.
    denominator : array_like, shape (m, d)
    method : {'kliep', 'ulsif', 'rulsif'}, default 'kliep'
        'kliep' [1]_: the largest likelihood of the numerator, with mean ratio 1 over the denominator. 'ulsif'
        [2]_: least squares in closed form, heights below 0 cut. 'rulsif' [3]_: the same, relative to a
        mixture of both, which stays bounded by 1 / alpha where the denominator is thin.
    scale : float or 'median', default 'median'
        Standard deviation of the bumps. 'median': the median distance in the numerator.
    alpha : float, default 0.1
        Share of the numerator in the mixture, at least 0 and below 1, for 'rulsif' alone.
    ridge : float, default 0.1
        Of the least squares, at least 0.
    n_centres : int, default 100
        Bumps; at random rows of the numerator.
    tol : float, default 1e-10
        Of ``info.error_bound``.
    rng : None, int or numpy.random.Generator, default None
        For the choice of centres.
    n_threads : int or None, default None
        Threads; None means the default of `steelyard.build_info`.
    progress : callable or None, default None
        Called as ``progress(done, total)``.

    Returns
    -------
    DensityRatio
        With ``.ratio(X)`` for other points.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If samples have NaN or infinite entries or columns that don't match, or rows of the numerator are out
        of reach of all bumps.
    KeyboardInterrupt
        On Ctrl-C.

    Warns
    -----
    ConvergenceWarning
        If the gap misses `tol`.

    Notes
    -----
    KLIEP is the mixture of densities bump / (mean bump over the denominator) of largest likelihood: the
    solver of `ensemble_weights` with loss='log' finds it with a proven gap, where gradient ascent stops
    early. Cutting heights below 0 biases least squares: mean ratios over the denominator stray from 1. No
    method knows whether bumps of that width can follow the true ratio; look at the effective
    size, and compare widths. O((n + m) k d) time and 8 (n + m) k bytes, for k centres.

    References
    ----------
    .. [1] Sugiyama et al., "Direct importance estimation for covariate shift adaptation", Ann. Inst. Statist.
       Math. 60 (2008).
    .. [2] Kanamori, Hido, Sugiyama, "A least-squares approach to direct importance estimation", JMLR 10
       (2009).
    .. [3] Yamada et al., "Relative density-ratio estimation for robust distribution comparison", Neural
       Computation 25 (2013).

    Examples
    --------
    >>> import numpy as np
    >>> from steelyard.weigh import density_ratio
    >>> old = np.linspace(-3, 3, 200)[:, None]
    >>> found = density_ratio(old[old[:, 0] > 0], old, rng=0)
    >>> found.ratio([[2.0], [-2.0]]).round(1)
    array([2.2, 0. ])
    """
    how = check_choice(method, "method", METHODS)
    top = np.asarray(read_points(numerator, "numerator", "euclidean"), dtype=np.float64)
    bottom = np.asarray(read_points(denominator, "denominator", "euclidean"), dtype=np.float64)
    if top.shape[1] != bottom.shape[1]:
        raise ValueError(f"denominator must have {top.shape[1]} columns as numerator, got {bottom.shape[1]}")
    share = check_number(alpha, "alpha")
    if not 0 <= share < 1:
        raise ValueError(f"alpha must be at least 0 and below 1, got {share}")
    diagonal = check_nonnegative(ridge, "ridge")
    count = check_count(n_centres, "n_centres")
    accuracy = check_positive(tol, "tol")
    generator = check_rng(rng)
    threads = check_threads(n_threads)
    callback = check_progress(progress)
    if isinstance(scale, str):
        check_choice(scale, "scale", ("median",))
    chosen = np.sort(generator.choice(len(top), min(count, len(top)), replace=False))
    centres = np.ascontiguousarray(top[chosen])
    width = _median_width(top, centres) if isinstance(scale, str) else check_positive(scale, "scale")
    above, below = _bumps(top, centres, width), _bumps(bottom, centres, width)
    if how == "kliep":
        share = diagonal = 0.0
        heights, objective, info = _kliep(above, below, accuracy, threads, callback)
    else:
        share = share if how == "rulsif" else 0.0
        if diagonal == 0 and np.linalg.matrix_rank(below) < len(centres):
            raise ValueError("ridge must be positive where bumps are linearly dependent, got 0")
        heights, objective, info = _least_squares(above, below, share, diagonal, accuracy)
    ratios = above @ heights, below @ heights
    for array in (centres, heights, *ratios):
        array.flags.writeable = False
    squares = float(ratios[1] @ ratios[1])
    size = float(ratios[1].sum() ** 2 / squares) if squares > 0 else 0.0
    result = DensityRatio(
        centres, heights, width, how, share, diagonal, objective, ratios[0], ratios[1], size, info
    )
    return finish(result, "density_ratio", n_threads=n_threads)
