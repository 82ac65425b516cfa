"""`fit_judges`: strengths with a position bias and a reliability of each judge; their agreement."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from ..._errors import finish
from ..._validate import (
    Progress,
    check_choice,
    check_level,
    check_nonnegative,
    check_positive,
    check_progress,
    check_steps,
    check_threads,
)
from .._chances import RankInfo, outcome_chances
from .._inference import ROUND_STEPS, ROUND_TOL, SINGULAR, Refitted, Story, draw_counts
from .._table import Comparisons, require_comparisons
from .bradley_terry import bradley_terry
from .fit import scarce_items
from .judge_problem import MOST, JudgeInformation, JudgeProblem, Meetings

Floats = npt.NDArray[np.float64]

_TIES = ("davidson", "half", "drop")
_SPREADS = (0.01, 0.03, 0.1, 0.3, 1.0)
_DOUBT = 2.0  # of log evidence: by less a wider spread may look better where judges are all alike


@dataclass(frozen=True, repr=False, eq=False)
class JudgeFit(Refitted):
    """Strengths, and how far each judge can be trusted.

    Attributes
    ----------
    items : ndarray, shape (n_items,)
        Labels.
    strengths : ndarray, shape (n_items,)
        Natural-log strengths with mean 0, as a judge of reliability 1 sees them.
    judges : ndarray, shape (n_judges,)
        Labels.
    reliabilities : ndarray, shape (n_judges,)
        1 on average by the prior, 0 noise, negative where a judge is turned around.
    biases : ndarray, shape (n_judges,)
        Towards the side at home (shown first), in natural-log strength; 0 without a home column.
    tie_parameter : float or None
        Davidson's nu; None where ties are not modelled.
    alpha : float
        Krippendorff's alpha of the judges; see `agreement`.
    log_likelihood : float
        Of the data, without priors.
    ties : str
    prior : float
    comparisons : Comparisons
    info : RankInfo
        ``info.error_bound`` is the Newton decrement at a local optimum: of others it says nothing.
    """

    items: npt.NDArray[Any]
    strengths: Floats
    judges: npt.NDArray[Any]
    reliabilities: Floats
    biases: Floats
    tie_parameter: float | None
    alpha: float
    log_likelihood: float
    ties: str
    prior: float
    comparisons: Comparisons
    info: RankInfo = field(repr=False)
    _problem: JudgeProblem = field(repr=False)
    _point: Floats = field(repr=False)

    @cached_property
    def scarce(self) -> npt.NDArray[np.bool_]:
        """As of `BradleyTerryFit`."""
        return scarce_items(self.comparisons, self.ties)

    def judge_table(self, *, level: float = 0.95) -> dict[str, npt.NDArray[Any]]:
        """What is known of each judge, the most reliable first.

        Parameters
        ----------
        level : float, default 0.95
            Of the intervals, by the posterior's normal approximation at this optimum, the common scale of
            strengths and reliabilities held.

        Returns
        -------
        dict of str to ndarray
            Columns ``judge``, ``reliability``, ``lower``, ``upper``, ``bias``, ``bias_lower``,
            ``bias_upper``, ``comparisons`` and ``verdict``: 'noise' where the interval of the reliability
            holds 0, 'turned around' where it lies below, else ''.

        Examples
        --------
        >>> from steelyard.rank import Comparisons, fit_judges
        >>> votes = Comparisons.from_pairs(
        ...     list("ab" * 20 + "ba" * 10), list("ba" * 20 + "ab" * 10), judge=[1] * 30 + [2] * 30
        ... )
        >>> fit_judges(votes).judge_table()["comparisons"].tolist()
        [30.0, 30.0]
        """
        n, k = len(self), len(self.judges)
        half = NormalDist().inv_cdf(0.5 + check_level(level) / 2)
        problem = self._problem
        _, _, H = problem.derivatives(self._point)
        # The data knows products alone; the common scale, which priors hold, is not in doubt here.
        scale = np.zeros(problem.size)
        scale[:n], scale[n : n + k] = self.strengths, -self.reliabilities
        scale *= math.sqrt(1e6 * float(H.diagonal().sum())) / max(float(np.linalg.norm(scale)), 1e-300)
        factor = problem.anchored(H).factor()
        if factor is None:
            raise ValueError(SINGULAR)
        moved = factor.solve(scale[:, None])[:, 0]  # one more direction is held: Sherman and Morrison
        held = moved[n : n + k * (1 + problem.home)] ** 2 / (1.0 + float(scale @ moved))
        errors = np.sqrt(np.maximum(factor.own_variances() - held, 0.0))
        slope = half * errors[:k]
        lean = half * errors[k : 2 * k] if problem.home else np.zeros(k)
        lower, upper = self.reliabilities - slope, self.reliabilities + slope
        verdict = np.where(upper < 0, "turned around", np.where(lower <= 0, "noise", ""))
        order = np.argsort(-self.reliabilities, kind="stable")
        columns = {
            "judge": self.judges,
            "reliability": self.reliabilities,
            "lower": lower,
            "upper": upper,
            "bias": self.biases,
            "bias_lower": self.biases - lean,
            "bias_upper": self.biases + lean,
            "comparisons": np.bincount(problem.judge, problem.counts.sum(axis=1), minlength=k),
            "verdict": verdict,
        }
        return {name: column[order] for name, column in columns.items()}

    # ---- for what lies below

    def _refit(self, rng: np.random.Generator, n_threads: int) -> Callable[[], dict[str, Any]]:
        problem, at, n = self._problem, self._point, len(self)
        draw = draw_counts(problem.counts, problem.squared)

        def refit() -> dict[str, Any]:
            found, account = problem.with_counts(draw(rng)).fit(at, ROUND_TOL, ROUND_STEPS, None)
            return {"strengths": found[:n], "info": account}

        return refit

    def _story(self, level: float) -> Story:
        table = self.judge_table(level=level)
        facts = [("Agreement of judges", f"Krippendorff's alpha {self.alpha:.2f}")]
        for verdict in ("noise", "turned around"):
            names = table["judge"][table["verdict"] == verdict].tolist()
            if names:
                facts.append((f"Judges: {verdict}", _listed(names)))
        return Story(
            f"{self.comparisons.n_comparisons:,.12g} comparisons of {len(self):,} items by "
            f"{len(self.judges):,} judges",
            f"Bradley-Terry with a bias and a reliability a judge, ties {self.ties}; a local optimum",
            self.comparisons.components(ties="drop" if self.ties == "drop" else "keep").describe(),
            self.prior,
            tuple(facts),
            expected="chance to win before a judge of reliability 1, and half that of a tie,",
        )

    def _information(self, n_threads: int) -> JudgeInformation:
        return JudgeInformation(self._problem, self._point)

    def _expected_scores(self, x: Floats) -> Floats:
        win, tie, _ = outcome_chances(x, self.ties, self.tie_parameter)
        return np.asarray(win + 0.5 * tie)

    def __repr__(self) -> str:
        state = "converged to a local optimum" if self.info.converged else "NOT converged"
        best = ", ".join(f"{self.items[i]} {self.strengths[i]:+.3f}" for i in self.order[:5])
        worst = np.argsort(self.reliabilities, kind="stable")[:3]
        doubt = ", ".join(f"{self.judges[j]} {self.reliabilities[j]:+.2f}" for j in worst)
        return (
            f"JudgeFit: {len(self):,} items, {len(self.judges):,} judges, alpha {self.alpha:.2f}\n"
            f"{state}: Newton decrement {self.info.error_bound:.1e}, {self.info.iterations} steps\n"
            f"best: {best}\nleast reliable: {doubt}"
        )


def fit_judges(
    comparisons: Comparisons,
    *,
    ties: str = "davidson",
    prior: float = 0.0,
    reliability_spread: float | None = None,
    bias_spread: float | None = None,
    tol: float = 1e-8,
    max_iter: int = 200,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> JudgeFit:
    """Fit strengths together with a position bias and a reliability of each judge.

    Judge j sees x = r_j (s_left - s_right) + b_j (for the side at home: the one shown first); chances of x
    are `bradley_terry`'s. A judge with r_j = 0 is noise, one below 0 turned around.

    Parameters
    ----------
    comparisons : Comparisons
        With judges: ``from_frame(judge=COLUMN)``, where left stands for the side shown first unless `home`
        says otherwise, or ``from_pairs(judge=...)``; biases are fitted where there is a home column.
    ties : {'davidson', 'half', 'drop'}
        As of `bradley_terry`.
    prior : float, default 0
        As of `bradley_terry`, on each strength.
    reliability_spread : float, optional
        Standard deviation of the normal prior of reliabilities, about 1. Default: of 0.01, 0.03, 0.1, 0.3 and
        1 the least that makes the data as likely as any does, to a factor of e^2 (by Laplace's method), so
        that judges whom the data does not tell apart are taken as alike.
    bias_spread : float, optional
        Of biases, about 0; likewise.
    tol : float, default 1e-8
        Largest Newton decrement to accept, in standard errors.
    max_iter : int, default 200
        Newton steps, failed ones included.
    n_threads : int, optional
        Of the plain fit that it starts from.
    progress : callable, optional
        Called as progress(iteration, max_iter).

    Returns
    -------
    JudgeFit

    Raises
    ------
    DisconnectedError
        Without a prior, if the plain fit has no finite optimum.
    ValueError, TypeError
        If an argument does not fit, or there are no judges.
    KeyboardInterrupt
        On Ctrl-C; ``.partial`` holds the fit so far.

    Warns
    -----
    ConvergenceWarning
        If the decrement stays above `tol`; without a prior, naming the judges whose votes make strengths
        grow without bound.

    Notes
    -----
    The likelihood is not concave: a product of strengths and reliabilities. The fit starts from the plain
    one, with all judges alike, and ends where the Hessian is positive definite and the Newton decrement at
    most `tol`: a local optimum. Of another, such as the mirror image with all judges turned around, the
    certificate says nothing; if most judges are turned around, so is the answer. Judges meet in items alone
    and are eliminated first: O(rows + sum over judges of (items seen)^2 + items^3) time a step, O(rows +
    items^2) memory; up to 3,000 items, and any number of judges.

    Examples
    --------
    >>> from steelyard.rank import Comparisons, fit_judges
    >>> good, bad = "ab" * 2 + "a" * 14, "ba" * 8
    >>> other = {"a": "b", "b": "a"}
    >>> votes = Comparisons.from_pairs(
    ...     list(good * 2 + bad), [other[x] for x in good * 2 + bad], judge=[1] * 18 + [2] * 18 + [3] * 16
    ... )
    >>> fit = fit_judges(votes)
    >>> print(fit.reliabilities.round(2))
    [1.11 1.11 0.56]
    """
    require_comparisons(comparisons)
    if comparisons.judge is None:
        raise ValueError("comparisons needs judges; give from_frame(judge=COLUMN) or from_pairs(judge=...)")
    ties, prior = check_choice(ties, "ties", _TIES), check_nonnegative(prior, "prior")
    spreads = tuple(
        None if given is None else check_positive(given, name)
        for given, name in ((reliability_spread, "reliability_spread"), (bias_spread, "bias_spread"))
    )
    tol, steps = check_positive(tol, "tol"), check_steps(max_iter, "max_iter")
    check_threads(n_threads)
    if comparisons.n_items > MOST:
        raise ValueError(
            f"comparisons has {comparisons.n_items:,} items: up to {MOST:,} may be judged; keep fewer "
            "(filter(min_games=...))"
        )
    problem = _problem(comparisons, ties, prior, (spreads[0] or 0.3, spreads[1] or 0.3))
    plain = bradley_terry(comparisons, ties=ties, prior=prior, n_threads=n_threads)
    start = np.concatenate(
        [
            plain.strengths + (plain.info.shift if prior > 0 else 0.0),
            np.ones(problem.judges),
            np.zeros(problem.judges * problem.home),
            [math.log(plain.tie_parameter or 1.0)] * problem.tied,
        ]
    )
    callback = check_progress(progress)
    for which in (0, 1):
        if spreads[which] is None and (which == 0 or problem.home):
            tried = [problem.with_spread(which, spread) for spread in _SPREADS]
            evidence = [one.evidence(start) for one in tried]
            least = next(k for k, found in enumerate(evidence) if found >= max(evidence) - _DOUBT)
            problem = tried[least]
    at, account = problem.fit(start, tol, steps, callback)
    return finish(_result(comparisons, problem, ties, at, account), "fit_judges", n_threads=n_threads)


def _problem(table: Comparisons, ties: str, prior: float, spreads: tuple[float, float]) -> JudgeProblem:
    tied = np.zeros(table.n_rows) if table.ties is None or ties == "drop" else table.ties
    squares = [
        count if square is None else square
        for count, square in (
            (table.left_wins, table.left_squared),
            (table.right_wins, table.right_squared),
            (tied, table.ties_squared if ties != "drop" else tied),
        )
    ]
    counts = [table.left_wins, table.right_wins, tied]
    model = ties == "davidson" and bool(tied.any())
    if ties == "half":
        counts = [counts[0] + 0.5 * tied, counts[1] + 0.5 * tied, 0.0 * tied]
        squares = [squares[0] + 0.5 * squares[2], squares[1] + 0.5 * squares[2], 0.0 * tied]
    home = table.home is not None and bool(table.home.any())
    return JudgeProblem(
        table.left,
        table.right,
        np.asarray(table.judge),
        np.zeros(table.n_rows) if table.home is None else table.home.astype(np.float64),
        np.column_stack(counts),
        np.column_stack(squares),
        table.n_items,
        len(np.asarray(table.judge_labels)),
        home,
        model,
        prior,
        spreads,
        Meetings.of(
            np.asarray(table.judge),
            table.left,
            table.right,
            table.n_items,
            len(np.asarray(table.judge_labels)),
        ),
    )


def _result(
    table: Comparisons, problem: JudgeProblem, ties: str, at: Floats, account: dict[str, Any]
) -> JudgeFit:
    n, k = problem.n, problem.judges
    shift = float(at[:n].mean())
    if problem.prior == 0:
        at = np.concatenate([at[:n] - shift, at[n:]])
    names = np.asarray(table.judge_labels)[account.pop("endless")].tolist()
    message = "" if account["converged"] else "no local optimum was reached; raise max_iter, or set a prior"
    if names:
        message = (
            f"strengths grow without bound, for nothing contradicts the votes of {_listed(names)} between "
            "strong and weak items, and reliabilities can't be told from their scale; set a prior"
        )
    info = RankInfo(**account, message=message, shift=shift if problem.prior > 0 else 0.0)
    log_p, _, _ = problem.scores(at, problem.parts(at)[0])
    nu = math.exp(at[-1]) if problem.tied else 0.0
    return JudgeFit(
        items=table.items,
        strengths=at[:n] - at[:n].mean(),
        judges=np.asarray(table.judge_labels),
        reliabilities=at[n : n + k].copy(),
        biases=at[n + k : n + 2 * k].copy() if problem.home else np.zeros(k),
        tie_parameter=nu if ties == "davidson" else None,
        alpha=agreement(table),
        log_likelihood=float((problem.counts * np.where(problem.counts > 0, log_p, 0.0)).sum()),
        ties=ties,
        prior=problem.prior,
        comparisons=table,
        info=info,
        _problem=problem,
        _point=at,
    )


def _listed(names: list[Any]) -> str:
    more = f" and {len(names) - 10:,} more" if len(names) > 10 else ""
    return ", ".join(map(str, names[:10])) + more


def agreement(comparisons: Comparisons) -> float:
    """Krippendorff's alpha of the judges: 1 where all agree, 0 where they agree as by chance.

    Parameters
    ----------
    comparisons : Comparisons
        With judges. What is judged is a pair of items, whatever the order shown; a win, a tie and a loss are
        1, 0 and -1 on an interval scale.

    Returns
    -------
    float
        NaN where no pair has two judges, or all outcomes are the same.

    Raises
    ------
    ValueError, TypeError
        If there are no judges.

    Notes
    -----
    Each judgement is paired with those of other judges on the same pair, weighted so that it counts once; a
    judge who sees a pair often is not paired with himself.

    References
    ----------
    .. [1] Krippendorff, "Computing Krippendorff's alpha-reliability" (2011).

    Examples
    --------
    >>> from steelyard.rank import Comparisons, agreement
    >>> votes = Comparisons.from_pairs(list("aabb"), list("bbcc"), judge=[1, 2, 1, 2])
    >>> agreement(votes + Comparisons.from_pairs(list("cc"), list("aa"), judge=[1, 2]))
    1.0
    """
    require_comparisons(comparisons)
    if comparisons.judge is None:
        raise ValueError("comparisons needs judges; give from_frame(judge=COLUMN) or from_pairs(judge=...)")
    tied = np.zeros(comparisons.n_rows) if comparisons.ties is None else comparisons.ties
    counts = np.column_stack([comparisons.right_wins, tied, comparisons.left_wins])
    pair = comparisons.left.astype(np.int64) * comparisons.n_items + comparisons.right
    _, unit = np.unique(pair, return_inverse=True)
    units, judges = int(unit.max()) + 1, int(comparisons.judge.max()) + 1
    own, cell = np.unique(unit.astype(np.int64) * judges + comparisons.judge, return_inverse=True)
    by_judge = np.zeros((len(own), 3))
    np.add.at(by_judge, cell, counts)
    of_unit = own // judges
    total = np.zeros((units, 3))
    np.add.at(total, of_unit, by_judge)
    others = total[of_unit] - by_judge
    size = others.sum(axis=1)
    keep = size > 0
    together = by_judge[keep].T @ (others[keep] / size[keep, None])
    together = 0.5 * (together + together.T)
    apart = np.square(np.subtract.outer([-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]))
    margin = together.sum(axis=1)
    number = float(margin.sum())
    expected = float((np.outer(margin, margin) * apart).sum())
    if expected == 0.0 or number <= 1.0:
        return math.nan
    return 1.0 - (number - 1.0) * float((together * apart).sum()) / expected
