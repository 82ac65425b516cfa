"""Weights that make groups alike: `balance` and what it returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .._errors import finish, warn
from .._info import Info
from .._results import Result
from .._spelling import shown
from .._validate import (
    Progress,
    check_choice,
    check_count,
    check_flag,
    check_level,
    check_positive,
    check_progress,
    check_rng,
    check_threads,
    check_vector,
)
from ..plotting import plot_balance
from ._arms import (
    KERNELS,
    Arms,
    Covariates,
    label_place,
    read_arms,
    read_base,
    read_covariates,
    read_estimand,
    read_kernel,
    standardised,
    treated_arm,
)
from ._differences import compared, moments
from ._effect import ERRORS, Effect, contrast, interval, residual_error, subsample_error
from ._imbalance import Balanced, balanced, joint_info

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = npt.NDArray[np.float64]
Columns = dict[str, npt.NDArray[Any]]

THIN = 0.1  # share of an arm's rows, below which its effective size is a warning
APART = 0.1  # standardised mean difference that should not remain


@dataclass(frozen=True, eq=False, repr=False)
class Balance(Result):
    """Weights that make groups alike, and how alike they are.

    Attributes
    ----------
    weights : ndarray of float64, shape (n,)
        At least zero; sum 1 in each arm. With estimand 'population' rows of other arms have none.
    arms : ndarray, shape (k,)
        The labels of the arms, sorted.
    treated : label
        The one that is meant by `treated`.
    estimand, kernel : str
        As asked.
    scale : float
        Of the kernel, per unit of distance between (standardised) rows; nan for 'energy', which has none.
    imbalance, imbalance_before : float
        Energy distance (or squared maximum mean discrepancy, for another kernel) between each weighted arm
        and what it should be like, summed over arms: with these weights, and with equal ones (or
        `sample_weight`).
    gap : float
        Certificate, as a share of `imbalance_before`: no weights make the imbalance (with its ridge) smaller
        than ``imbalance - gap * imbalance_before``.
    effective_sample_size : ndarray, shape (k,)
        Of each arm, 1 / sum w^2; nan of an arm without weights.
    notes : tuple of str
        What to be wary of; each was a warning.
    info : Info
        How it was found; ``error_bound`` is `gap`.
    """

    weights: Floats
    arms: npt.NDArray[Any]
    treated: Any
    estimand: str
    kernel: str
    scale: float
    imbalance: float
    imbalance_before: float
    gap: float
    effective_sample_size: Floats
    notes: tuple[str, ...]
    info: Info
    _arms: Arms = field(repr=False)
    _covariates: Covariates = field(repr=False)
    _tol: float = field(repr=False)

    def __len__(self) -> int:
        return len(self.weights)

    def __repr__(self) -> str:
        sizes = np.bincount(self._arms.codes, minlength=len(self.arms))
        parts = [
            f"{label}: {size:,} rows" + ("" if np.isnan(effective) else f", effective {effective:.1f}")
            for label, size, effective in zip(self.arms, sizes, self.effective_sample_size, strict=True)
        ]
        state = "converged" if self.info.converged else "NOT converged"
        lines = [
            f"Balance: {self.estimand}, {self.kernel}; {'; '.join(parts[:6])}",
            f"imbalance {self.imbalance_before:.4g} before, {self.imbalance:.4g} after",
            f"{state}: at most {self.gap:.2g} of the imbalance before above the least ({self.info.solver})",
        ]
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])

    def to_frame(self) -> Columns:
        """Columns ``row``, ``arm`` and ``weight`` of all rows as they came, for any data frame.

        Returns
        -------
        dict of str to ndarray
        """
        return {
            "row": np.arange(len(self)),
            "arm": np.asarray(self.arms)[self._arms.codes],
            "weight": self.weights,
        }

    def table(self) -> Columns:
        """How each covariate differs, before and after, for any data frame.

        Returns
        -------
        dict of str to ndarray
            A row a covariate and comparison, in the covariates' own units. ``arm`` is compared with
            ``against``: each weighted arm with the arm that it should be like ('att', 'atc'), the treated
            with each other arm, both weighted ('ate'), or the arm with all rows ('population').

            ``mean_target``, ``mean_before``, ``mean_after``: means (with 'ate' the target is the arm
            ``against``, with its weights). ``smd_before``, ``smd_after``: difference of means over
            ``denominator``, which weights never change: the standard deviation of the target arm ('att',
            'atc') or of all rows ('population'), or sqrt((s_1^2 + s_0^2) / 2) of the two arms ('ate').
            Where that is zero the standard deviation of all rows takes its place.
            ``variance_ratio_before``, ``variance_ratio_after``: variance over that of the target.
            ``ks_before``, ``ks_after``: largest distance of the distribution functions.

        Examples
        --------
        >>> import numpy as np
        >>> from steelyard import datasets, weigh
        >>> nsw = datasets.load_nsw().columns
        >>> X = np.column_stack([nsw["age"], nsw["re74"]])
        >>> table = weigh.balance(X, nsw["treat"]).table()
        >>> table["variable"].tolist(), table["smd_before"].round(2)
        (['x0', 'x1'], array([-0.11,  0.  ]))
        """
        parts = list(self._comparisons())
        names = np.array(self._covariates.names, dtype=object)
        d, unit = len(names), np.ldexp(1.0, self._covariates.shift)
        out: Columns = {
            "variable": np.tile(names, len(parts)),
            "arm": np.repeat(np.array([a for a, _, _ in parts], dtype=object), d),
            "against": np.repeat(np.array([b for _, b, _ in parts], dtype=object), d),
        }
        for name in parts[0][2]:
            column = np.concatenate([part[name] for _, _, part in parts])
            out[name] = column * unit if name.startswith(("mean", "denominator")) else column
        return out

    def _comparisons(self) -> Any:
        """Label, label of what it is compared with, and the columns."""
        arms, x = self._arms, self._covariates.values
        own = {arm: np.flatnonzero((arms.codes == arm) & (arms.base > 0)) for arm in range(arms.count)}
        whole = np.flatnonzero(arms.base)
        overall = moments(x[whole], arms.base[whole] / arms.base[whole].sum())[1]
        spread = {arm: moments(x[own[arm]], arms.shares(arm)[own[arm]])[1] for arm in own}
        if arms.estimand == "ate":
            pairs = [(arms.treated, arm) for arm in range(arms.count) if arm != arms.treated]
        elif arms.estimand == "population":
            pairs = [(arms.treated, -1)]
        else:
            goal = arms.treated if arms.estimand == "att" else 1 - arms.treated
            pairs = [(arm, goal) for arm in arms.weighted()]
        for arm, other in pairs:
            rows, goal_rows = own[arm], whole if other < 0 else own[other]
            variance = overall if other < 0 else spread[other]
            if arms.estimand == "ate":
                variance = (spread[arm] + spread[other]) / 2
            unit = np.sqrt(np.where(variance > 0, variance, overall))
            now = arms.target() if other < 0 else self.weights
            then = arms.target() if other < 0 else arms.shares(other)
            part = compared(
                x[rows],
                arms.shares(arm)[rows],
                self.weights[rows],
                x[goal_rows],
                then[goal_rows],
                now[goal_rows],
                unit,
            )
            label = "all" if other < 0 else self.arms.tolist()[other]
            yield self.arms.tolist()[arm], label, part

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Standardised mean differences before and after (love plot), with a line at .1.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; default a new figure.

        Returns
        -------
        matplotlib.axes.Axes
        """
        return plot_balance(self, ax=ax)

    def effect(
        self,
        y: npt.ArrayLike,
        errors: str = "residual",
        *,
        against: Any = None,
        level: float = 0.95,
        n_subsamples: int = 16,
        rng: Any = None,
        n_threads: int | None = None,
        progress: Progress | None = None,
    ) -> Effect:
        """The effect on an outcome: weighted mean of the treated less that of another arm.

        Parameters
        ----------
        y : array_like, shape (n,)
            Outcomes. Rows of arms that play no part may hold anything finite.
        errors : {'residual', 'subsample'}, default 'residual'
            - 'residual': from the residuals of a weighted linear regression in each weighted arm (of a
              mean, where there are less than three effective rows a coefficient), and the scatter of what
              it says of the target.
            - 'subsample': `n_subsamples` halves of each arm are balanced anew. The ordinary bootstrap can
              fail for these weights [1]_.
        against : label, optional
            The other arm; needed where there are more than two.
        level : float, default 0.95
            Of the interval, which is normal, or for 'subsample' Student's t.
        n_subsamples : int, default 16
            At least 2.
        rng : None, int or numpy.random.Generator
            For the subsamples.
        n_threads : int, optional
            Default: see `steelyard.build_info`.
        progress : callable, optional
            Called as progress(subsample, n_subsamples).

        Returns
        -------
        Effect

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit.

        Notes
        -----
        Given that nothing unseen drives both treatment and outcome: no weights can mend that, and no error
        here knows of it. Intervals speak of chance alone, not of bias from what imbalance remains; on the
        design of ``benchmarks/weigh/bench_balance.py`` those at 95 % cover .97 (residual) and .96 (subsample)
        at 300 rows, and .93 at 80.

        References
        ----------
        .. [1] arXiv 2601.15449.

        Examples
        --------
        >>> import numpy as np
        >>> from steelyard import datasets, weigh
        >>> nsw = datasets.load_nsw().columns
        >>> X = np.column_stack([nsw[name] for name in ("age", "educ", "re74", "re75")])
        >>> print(weigh.balance(X, nsw["treat"]).effect(nsw["re78"]))
        Effect: 18... interval ... (residual errors)
        """
        outcome = check_vector(y, "y", length=len(self))
        how = check_choice(errors, "errors", ERRORS)
        share = check_level(level)
        count = check_count(n_subsamples, "n_subsamples", least=2, most=100_000)
        generator, threads, callback = check_rng(rng), check_threads(n_threads), check_progress(progress)
        other = self._other(against)
        largest = float(np.abs(outcome).max()) or 1.0
        scaled = outcome / largest
        estimate = contrast(scaled, self.weights, self._arms, other)
        if how == "residual":
            error = residual_error(scaled, self.weights, self._arms, other)
        else:
            error = subsample_error(
                scaled,
                self._arms,
                other,
                count=count,
                tol=self._tol,
                rng=generator,
                n_threads=threads,
                progress=callback,
            )
        low, high = interval(estimate, error, share, None if how == "residual" else count - 1)
        with np.errstate(over="ignore"):
            return Effect(
                estimate=estimate * largest,
                standard_error=error * largest,
                lower=low * largest,
                upper=high * largest,
                level=share,
                errors=how,
            )

    def _other(self, against: Any) -> int:
        """The arm that the treated are compared with."""
        treated, count = self._arms.treated, len(self.arms)
        if self.estimand == "population":
            if against is not None:
                raise ValueError(f"against has no meaning with estimand='population', got {shown(against)}")
            return -1
        if against is None:
            if count > 2:
                raise ValueError(
                    f"against must name one of the {count} arms, as treated did: {self.arms.tolist()[:8]}"
                )
            return 1 - treated
        other = label_place(against, self.arms, "against")
        if other == treated:
            raise ValueError(f"against must be another arm than treated, got {shown(against)} for both")
        return other


def balance(
    X: npt.ArrayLike,
    treatment: npt.ArrayLike,
    *,
    treated: Any = None,
    estimand: str = "att",
    kernel: str = "energy",
    scale: float | str = "median",
    standardize: bool = True,
    ridge: float = 0.0,
    sample_weight: npt.ArrayLike | None = None,
    tol: float = 1e-4,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> Balance:
    """Weights that make the groups of a study alike in all that was measured beforehand.

    A comparison of who was treated with who was not mixes the effect with how the groups differed before.
    These weights make the distributions of the covariates as alike as they can be, by the energy distance or
    a maximum mean discrepancy: means, spreads and shapes at once, without a model of who is treated.

    Parameters
    ----------
    X : array_like or data frame, shape (n, d)
        Covariates, known before the treatment. Categories as columns of 0 and 1.
    treatment : array_like, shape (n,)
        The arm of each row: two or more labels.
    treated : label, optional
        Which arm is the treated one ('population': the one that answered). Needed for texts and for more than
        two arms; of two numbers the default is the larger, of False and True True.
    estimand : {'att', 'atc', 'ate', 'population'}, default 'att'
        Whom the weighted arms are to be like.

        - 'att': the treated, who keep their weights; each other arm is weighted.
        - 'atc': the controls; the treated are weighted. Two arms.
        - 'ate': all rows; every arm is weighted.
        - 'population': all rows; the treated arm alone is weighted, as those who answered a survey.
    kernel : {'energy', 'laplacian', 'gaussian', 'matern'}, default 'energy'
        Minus the distance r (energy distance), exp(-scale r), exp(-(scale r)^2 / 2), or Matern's of
        smoothness 3/2, (1 + sqrt(3) scale r) exp(-sqrt(3) scale r).
    scale : float or 'median', default 'median'
        Per unit of distance; 'median' is 1 / median distance. The energy distance needs none.
    standardize : bool, default True
        Divide each column by its standard deviation over all rows; columns that do not vary are refused.
    ridge : float, default 0
        Adds ridge * sum w^2 / 2 an arm to half the imbalance: larger effective sizes, less balance.
    sample_weight : array_like, shape (n,), optional
        Of the rows before balancing: the target is weighted by it, and so are the numbers 'before'. Rows with
        zero take no part.
    tol : float, default 1e-4
        Of `Balance.gap`, a share of the imbalance before. 1e-3 serves for estimates, 1e-6 for weights.
    n_threads : int, optional
        Default: see `steelyard.build_info`.
    progress : callable, optional
        Called as progress(done, total).

    Returns
    -------
    Balance

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit: a treatment of one value, rows with NaN, columns that do not vary, and
        the like.
    KeyboardInterrupt
        On Ctrl-C, with the best result so far as ``.partial``.

    Warns
    -----
    ConvergenceWarning
        If the gap misses `tol`.
    UserWarning
        If an arm's effective size falls below a tenth of its rows, or a standardised mean difference stays
        above .1: the groups hardly overlap, and the estimate rests on few rows or on what is left unlike.

    See Also
    --------
    match_samples : One sample weighted to be like another, with a bound on the weights.

    Notes
    -----
    A convex quadratic program an arm: w'Kw / 2 - w'Kt with w >= 0, sum w = 1, t the target's weights. The
    certificate is its Frank-Wolfe gap in float64 over all rows, with what rounding can hide. Equal rows count
    as one and share their weight. Weights rest on few rows: many are zero, which is what makes them sharp.
    Discriminators with an inner maximum that is not convex (sigmoids, networks) have no such certificate and
    are left out.

    References
    ----------
    .. [1] Huling, Mak, "Energy balancing of covariate distributions", Journal of Causal Inference 12 (2024).
    .. [2] Kong et al., "Covariate balancing using the integral probability metric for causal inference", ICML
       2023.

    Examples
    --------
    >>> import numpy as np
    >>> from steelyard import weigh
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 2))
    >>> treated = rng.random(300) < 1 / (1 + np.exp(-X[:, 0]))
    >>> y = 1.0 + 2.0 * X[:, 0] + 0.5 * treated
    >>> print(round(y[treated].mean() - y[~treated].mean(), 1))  # naive
    2.2
    >>> weights = weigh.balance(X, treated)
    >>> print(round(weights.effect(y).estimate, 1))
    0.5
    """
    covariates = read_covariates(X, "X")
    labels, codes = read_arms(treatment, len(covariates.values))
    word = read_estimand(estimand, labels)
    place = treated_arm(treated, labels)
    base = read_base(sample_weight, codes, labels)
    wanted = check_flag(standardize, "standardize")
    points = standardised(covariates, "X", wanted, base > 0)
    chosen = read_kernel(points, kernel, scale, ridge, 0 if wanted else covariates.shift, KERNELS)
    arms = Arms(points, codes, base, len(labels), word, place, chosen)
    accuracy, threads = check_positive(tol, "tol"), check_threads(n_threads)
    found = balanced(arms, tol=accuracy, n_threads=threads, progress=check_progress(progress))
    unit = 1.0 if wanted or kernel != "energy" else float(np.ldexp(1.0, covariates.shift))
    result = _result(found, arms, covariates, labels, kernel, unit, accuracy)
    for note in result.notes:
        warn(note, UserWarning)
    return finish(result, "balance", n_threads=n_threads)


def _result(
    found: Balanced,
    arms: Arms,
    covariates: Covariates,
    labels: npt.NDArray[Any],
    kernel: str,
    unit: float,
    tol: float,
) -> Balance:
    info = joint_info(found.infos, found.before, tol, found.gap)
    found.weights.flags.writeable = False
    with np.errstate(divide="ignore"):
        squares = np.bincount(arms.codes, found.weights**2, minlength=arms.count)
        effective = np.where(squares > 0, 1.0 / np.where(squares > 0, squares, 1.0), np.nan)
    fields: dict[str, Any] = {
        "weights": found.weights,
        "arms": labels,
        "treated": labels.tolist()[arms.treated],
        "estimand": arms.estimand,
        "kernel": kernel,
        "scale": float("nan") if kernel == "energy" else arms.kernel.scale,
        "imbalance": found.after * unit,
        "imbalance_before": found.before * unit,
        "gap": info.error_bound,
        "effective_sample_size": effective,
        "info": info,
        "_arms": arms,
        "_covariates": covariates,
        "_tol": tol,
    }
    notes = () if info.interrupted else tuple(_notes(Balance(**fields, notes=())))
    return Balance(**fields, notes=notes)


def _notes(found: Balance) -> list[str]:
    """What makes an estimate frail."""
    notes, arms = [], found._arms
    for arm in arms.weighted():
        size, effective = len(arms.rows(arm)), float(found.effective_sample_size[arm])
        if effective < THIN * size:
            notes.append(
                f"arm {shown(found.arms.tolist()[arm])}: {size:,} rows weigh as much as {effective:.1f} "
                "equal ones: few resemble the target, and the estimate rests on them"
            )
    table = found.table()
    apart = np.abs(table["smd_after"])
    far = np.flatnonzero(apart > APART)
    if len(far):
        order = far[np.argsort(-apart[far], kind="stable")]
        named = ", ".join(f"{table['variable'][k]} ({table['smd_after'][k]:+.2f})" for k in order[:4])
        more = f" and {len(far) - 4} more" if len(far) > 4 else ""
        notes.append(
            f"standardised mean differences above {APART:g} remain: {named}{more}; the groups do not overlap "
            "there"
        )
    return notes
