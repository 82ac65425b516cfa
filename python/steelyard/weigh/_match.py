"""One sample weighted to be like another: kernel mean matching, and double weighting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .._errors import finish
from .._info import Info
from .._results import Result
from .._spelling import argument
from .._validate import (
    Progress,
    check_flag,
    check_number,
    check_positive,
    check_progress,
    check_threads,
)
from ._arms import KERNELS, Covariates, Kernel, read_covariates, read_kernel, standardised
from ._double import MOST, double_weights
from ._imbalance import joint_info, matched

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class SampleMatch(Result):
    """Weights that make a source sample like a target sample.

    Attributes
    ----------
    source_weights : ndarray of float64, shape (n,)
        Estimates of the density ratio target / source: between 0 and `upper`, mean 1. With `double` between 0
        and upper / sqrt(double), their mean near that of the target's.
    target_weights : ndarray of float64, shape (t,)
        Ones; with `double` between 0 and 1, within a ball about ones.
    discrepancy, discrepancy_before : float
        Squared maximum mean discrepancy (energy distance, for 'energy') of the weighted samples, and at equal
        weights.
    gap : float
        Certificate, as a share of `discrepancy_before`: no weights within the bounds have a discrepancy below
        ``discrepancy - gap * discrepancy_before``.
    effective_sample_size : float
        Of the source, (sum w)^2 / sum w^2.
    upper : float
        The bound on `source_weights`, as asked for.
    double : float or None
        As asked for.
    ball_residual : float
        With `double`, how far the target's weights stay inside their ball, as a share of its radius; else 0.
    n_programs : int
        Quadratic programs that were solved.
    kernel : str
        As asked for.
    scale : float
        Of the kernel, per unit of distance between (standardised) rows; nan for 'energy'.
    info : Info
        How it was found; ``error_bound`` is `gap`.
    """

    source_weights: Floats
    target_weights: Floats
    discrepancy: float
    discrepancy_before: float
    gap: float
    effective_sample_size: float
    upper: float
    double: float | None
    ball_residual: float
    n_programs: int
    kernel: str
    scale: float
    info: Info

    def __len__(self) -> int:
        return len(self.source_weights)

    def __repr__(self) -> str:
        state = "converged" if self.info.converged else "NOT converged"
        lines = [
            f"SampleMatch: {len(self):,} rows to {len(self.target_weights):,}",
            f"effective {self.effective_sample_size:.1f}, largest weight {self.source_weights.max():.4g}",
            f"discrepancy {self.discrepancy_before:.4g} before, {self.discrepancy:.4g} after ({self.kernel})",
            f"{state}: at most {self.gap:.2g} of that before above the least ({self.info.solver})",
        ]
        if self.info.message:
            lines.append(f"note: {self.info.message}")
        return "\n".join(lines)

    def to_frame(self) -> dict[str, npt.NDArray[Any]]:
        """Columns ``row`` and ``weight`` of the source, for any data frame.

        Returns
        -------
        dict of str to ndarray
        """
        return {"row": np.arange(len(self)), "weight": self.source_weights}


def match_samples(
    source: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    kernel: str = "gaussian",
    scale: float | str = "median",
    standardize: bool = True,
    upper: float = 1000.0,
    double: float | None = None,
    tol: float = 1e-6,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> SampleMatch:
    """Weights of a source sample, such that it looks like a target sample (kernel mean matching).

    For training or testing under covariate shift: weight the rows that have labels by what the rows to come
    look like. The weights estimate the ratio of the densities without estimating either.

    Parameters
    ----------
    source : array_like or data frame, shape (n, d)
        The rows to weight.
    target : array_like or data frame, shape (t, d)
        What they should be like.
    kernel : {'gaussian', 'energy', 'laplacian', 'matern'}, default 'gaussian'
        As for `balance`.
    scale : float or 'median', default 'median'
        Per unit of distance; 'median' is 1 / median distance over both samples.
    standardize : bool, default True
        Divide each column by its standard deviation over both samples.
    upper : float, default 1000
        Largest weight, where 1 is the mean: at least 1.
    double : float, optional
        Double weighting: above 1. The target's rows get weights too, at most 1 and no farther from ones than
        (1 - 1 / sqrt(double)) sqrt(t); the source's are at most upper / sqrt(double). What the source
        cannot reach of the target is left out, and the weights vary less.
    tol : float, default 1e-6
        Of `SampleMatch.gap`.
    n_threads : int, optional
        Default: see `steelyard.build_info`.
    progress : callable, optional
        Called as progress(done, total).

    Returns
    -------
    SampleMatch

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; if `double` is asked for more than 8,000 rows together, or of the kernel
        'energy'.
    KeyboardInterrupt
        On Ctrl-C, with the best result so far as ``.partial``.

    Warns
    -----
    ConvergenceWarning
        If the gap misses `tol`, or with `double` the means of the weights of both samples differ by more than
        1 - 1 / sqrt(n), which double weighting forbids and no multiplier here enforces.

    See Also
    --------
    balance : Groups of a study made alike.

    Notes
    -----
    Kernel mean matching minimises |mean w_i phi(x_i) - mean phi(y_j)|^2 over 0 <= w <= upper, mean w = 1, all
    rows at once: none is left out by batches [1]_. Double weighting [2]_ is a family of box programs in the
    multiplier of the ball, whose radius falls as the multiplier grows: its root is found from the feasible
    side. Kernel matrices are nearly singular: weights that differ much can have discrepancies that hardly do.

    References
    ----------
    .. [1] Huang et al., "Correcting sample selection bias by unlabeled data", NIPS 2006.
    .. [2] Segovia-Martin, Mazuelas, Liu, "Double-weighting for covariate shift adaptation", ICML 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from steelyard import weigh
    >>> rng = np.random.default_rng(0)
    >>> source, target = rng.normal(size=(200, 1)), rng.normal(0.5, 1.0, size=(200, 1))
    >>> match = weigh.match_samples(source, target)
    >>> print(round(source.mean(), 1), round(np.average(source[:, 0], weights=match.source_weights), 1))
    0.0 0.4
    """
    first, second, places, chosen = _read(source, target, kernel, scale, standardize)
    most = check_positive(upper, "upper")
    if most < 1:
        raise ValueError(f"{argument('upper')} must be at least 1, the mean of the weights, got {most}")
    accuracy, threads, callback = (
        check_positive(tol, "tol"),
        check_threads(n_threads),
        check_progress(progress),
    )
    n, t = len(first.values), len(second.values)
    here, there = np.ascontiguousarray(places[:n]), np.ascontiguousarray(places[n:])
    if double is not None:
        share = check_number(double, "double")
        if share <= 1:
            raise ValueError(
                f"{argument('double')} must be above 1; None leaves the target as it is, got {share}"
            )
        if kernel == "energy":
            raise ValueError(
                f"{argument('kernel')} must be positive definite with double, as 'laplacian' is: 'energy' is "
                "only where the weights of both samples have equal sums"
            )
        if n + t > MOST:
            raise ValueError(f"{argument('double')} takes at most {MOST:,} rows together, got {n + t:,}")
        result = _doubled(here, there, chosen, kernel, most, share, accuracy, threads, callback)
    else:
        part = matched(
            here,
            np.full(n, 1.0 / n),
            there,
            np.full(t, 1.0 / t),
            chosen,
            tol=accuracy,
            upper=most / n,
            n_threads=threads,
            progress=callback,
        )
        weights = part.weights * n
        info = joint_info((part.info,), part.before, accuracy, part.gap)
        scaled = kernel == "energy" and not standardize
        unit = float(np.ldexp(1.0, max(first.shift, second.shift))) if scaled else 1.0
        after, before = part.after * unit, part.before * unit
        result = _result(weights, np.ones(t), after, before, info, most, None, 0.0, 1, chosen, kernel)
    return finish(result, "match_samples", n_threads=n_threads)


def _read(
    source: Any, target: Any, kernel: Any, scale: Any, standardize: Any
) -> tuple[Covariates, Covariates, Floats, Kernel]:
    """Both samples, and all rows in the places where they are compared."""
    first, second = read_covariates(source, "source"), read_covariates(target, "target")
    if first.values.shape[1] != second.values.shape[1]:
        raise ValueError(
            f"{argument('target')} must have {first.values.shape[1]} columns, as {argument('source')}, got "
            f"{second.values.shape[1]}"
        )
    shift = max(first.shift, second.shift)
    values = np.concatenate([np.ldexp(x.values, x.shift - shift) for x in (first, second)])
    both = Covariates(values, first.names, shift)
    use = np.ones(len(values), dtype=bool)
    wanted = check_flag(standardize, "standardize")
    places = standardised(both, "source", wanted, use)
    return first, second, places, read_kernel(places, kernel, scale, 0.0, 0 if wanted else shift, KERNELS)


def _doubled(
    source: Floats,
    target: Floats,
    chosen: Kernel,
    kernel: str,
    upper: float,
    double: float,
    tol: float,
    n_threads: int,
    progress: Progress | None,
) -> SampleMatch:
    found = double_weights(
        source, target, chosen, upper=upper, double=double, tol=tol, n_threads=n_threads, progress=progress
    )
    return _result(
        found.source,
        found.target,
        found.after,
        found.before,
        found.info,
        upper,
        double,
        found.ball_residual,
        found.n_programs,
        chosen,
        kernel,
    )


def _result(
    source: Floats,
    target: Floats,
    after: float,
    before: float,
    info: Info,
    upper: float,
    double: float | None,
    ball: float,
    programs: int,
    chosen: Kernel,
    kernel: str,
) -> SampleMatch:
    for weights in (source, target):
        weights.flags.writeable = False
    squares = float(source @ source)
    return SampleMatch(
        source_weights=source,
        target_weights=target,
        discrepancy=after,
        discrepancy_before=before,
        gap=float("inf") if info.error_bound is None else info.error_bound,
        effective_sample_size=float(source.sum()) ** 2 / squares if squares > 0 else 0.0,
        upper=upper,
        double=double,
        ball_residual=ball,
        n_programs=programs,
        kernel=kernel,
        scale=float("nan") if kernel == "energy" else chosen.scale,
        info=info,
    )
