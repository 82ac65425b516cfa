"""`fit_judges`: strengths with a position bias and a reliability of each judge; their agreement."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import NormalDist
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._errors import finish, interrupted, report
from ..._validate import (
    Progress,
    check_choice,
    check_count,
    check_level,
    check_nonnegative,
    check_positive,
    check_progress,
    check_rng,
    check_room,
    check_steps,
    check_threads,
)
from .._chances import RankInfo, outcome_chances
from .._inference import (
    ROUND_TOL,
    SINGULAR,
    BootstrapResult,
    Information,
    Ranked,
    finish_rounds,
    refit_rounds,
    without_shift,
)
from .._table import Comparisons
from .bradley_terry import bradley_terry

Floats = npt.NDArray[np.float64]

_MOST = 3000
_TIES = ("davidson", "half", "drop")
_SPREADS = (0.03, 0.1, 0.3, 1.0)


@dataclass(frozen=True, repr=False, eq=False)
class JudgeFit(Ranked):
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
        scale *= math.sqrt(1e6 * float(np.trace(H))) / max(float(np.linalg.norm(scale)), 1e-300)
        inverse = np.linalg.inv(problem.anchored(H) + np.outer(scale, scale))
        errors = np.sqrt(np.maximum(np.diag(inverse)[n:], 0.0))
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

    def bootstrap(
        self,
        n_rounds: int = 200,
        *,
        rng: Any = None,
        n_threads: int | None = None,
        progress: Progress | None = None,
    ) -> BootstrapResult:
        """Refits to comparisons with random weights: the Bayesian bootstrap, from this optimum.

        Parameters
        ----------
        n_rounds : int, default 200
        rng : None, int, SeedSequence, BitGenerator or Generator, optional
        n_threads : int, optional
            Has no effect.
        progress : callable, optional
            Called as progress(rounds done, n_rounds).

        Returns
        -------
        BootstrapResult

        Raises
        ------
        KeyboardInterrupt
            On Ctrl-C; ``.partial`` holds the rounds so far.
        """
        rounds = check_room(check_count(n_rounds, "n_rounds"), "n_rounds", len(self))
        callback, generator = check_progress(progress), check_rng(rng)
        check_threads(n_threads)
        problem, n = self._problem, len(self)
        with np.errstate(divide="ignore", invalid="ignore"):
            shape = np.where(problem.counts > 0, problem.counts**2 / problem.squared, 0.0)
            scale = np.where(problem.counts > 0, problem.squared / problem.counts, 0.0)

        def refit() -> dict[str, Any]:
            at, account = problem.with_counts(scale * generator.standard_gamma(shape)).fit(
                self._point, ROUND_TOL, 50, None
            )
            return {"strengths": at[:n], "info": account}

        strengths, _, info = refit_rounds(refit, rounds, n, callback)
        return finish_rounds(BootstrapResult(strengths, None, None, None, "bayesian", self, info), n_threads)

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


@dataclass(frozen=True, eq=False)
class JudgeProblem:
    """Rows of comparisons by judge: x = r_j (s_left - s_right) + b_j e; parameters (s, r, b, log nu).

    Priors: r_j normal about 1, b_j about 0, and `bradley_terry`'s of the strengths.
    """

    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    judge: npt.NDArray[np.int32]
    side: Floats
    counts: Floats  # rows x (win, loss, tie)
    squared: Floats
    n: int
    judges: int
    home: bool
    tied: bool  # nu is a parameter
    prior: float
    spreads: tuple[float, float]

    @property
    def size(self) -> int:
        """Number of parameters."""
        return self.n + self.judges * (1 + self.home) + self.tied

    def with_counts(self, counts: Floats) -> JudgeProblem:
        """The same rows with other counts."""
        return JudgeProblem(**{**self.__dict__, "counts": counts})

    def with_spread(self, which: int, spread: float) -> JudgeProblem:
        """The same with another prior of the reliabilities (0) or the biases (1)."""
        spreads = (spread, self.spreads[1]) if which == 0 else (self.spreads[0], spread)
        return JudgeProblem(**{**self.__dict__, "spreads": spreads})

    def evidence(self, start: Floats) -> float:
        """Log marginal likelihood up to a constant, by Laplace's method."""
        at, account = self.fit(start, 1e-4, 60, None)
        if account["interrupted"]:
            raise interrupted(None)
        value, _, H = self.derivatives(at)
        sign, volume = np.linalg.slogdet(self.anchored(H))
        priors = self.judges * (math.log(self.spreads[0]) + self.home * math.log(self.spreads[1]))
        return value - priors - 0.5 * float(volume) if sign > 0 else -math.inf

    def arguments(self, at: Floats) -> tuple[Floats, Any]:
        """x, and its derivatives by all parameters but nu: rows x parameters, sparse."""
        from scipy import sparse

        rows, n = np.arange(len(self.left)), self.n
        gap, slope = at[self.left] - at[self.right], at[n + self.judge]
        columns, values = [self.left, self.right, n + self.judge], [slope, -slope, gap]
        x = slope * gap
        if self.home:
            place = n + self.judges + self.judge
            x = x + at[place] * self.side
            columns.append(place)
            values.append(self.side)
        ends = (np.tile(rows, len(columns)), np.concatenate(columns))
        return x, sparse.csr_array((np.concatenate(values), ends), shape=(len(rows), self.size))

    def scores(self, at: Floats, x: Floats) -> tuple[Floats, Floats, Floats]:
        """Log chances of win, loss and tie, and their derivatives by x and log nu: rows x 3."""
        model, nu = ("davidson", math.exp(at[-1])) if self.tied else ("none", 1.0)
        parts = _core.rank._outcome_scores(model, nu, x)
        by_x, by_tie = (np.column_stack([part[k] for part in parts]) for k in (0, 1))
        up, down, middle = 0.5 * x, -0.5 * x, np.full(len(x), at[-1] if self.tied else -np.inf)
        logits = np.column_stack([up, down, middle])
        return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True), by_x, by_tie

    def derivatives(self, at: Floats) -> tuple[float, Floats, Floats]:
        """Penalised log-likelihood, gradient and negative Hessian."""
        n, k = self.n, self.judges
        x, by = self.arguments(at)
        log_p, by_x, by_tie = self.scores(at, x)
        seen = self.counts > 0
        value = float((self.counts * np.where(seen, log_p, 0.0)).sum())
        slope = (self.counts * np.where(seen, by_x, 0.0)).sum(axis=1)
        games, p = self.counts.sum(axis=1), np.exp(log_p)
        g = np.asarray(by.T @ slope)
        # Davidson's model is an exponential family in (x, log nu): its Hessian is what is expected.
        curved = np.where(p > 0, by_x, 0.0)
        bend = games * (p * curved**2).sum(axis=1)
        H = (by.T @ by.multiply(bend[:, None])).toarray()
        for sign, end in ((-1.0, self.left), (1.0, self.right)):  # x is no linear form of s and r
            np.add.at(H, (n + self.judge, end), sign * slope)
            np.add.at(H, (end, n + self.judge), sign * slope)
        if self.tied:
            g[-1] = (self.counts * by_tie).sum()
            cross = np.asarray(by.T @ (games * (p * by_x * by_tie).sum(axis=1)))
            H[-1, :] += cross
            H[:, -1] += cross
            H[-1, -1] = (games * (p * by_tie**2).sum(axis=1)).sum()
        for begin, middle, spread in ((n, 1.0, self.spreads[0]), (n + k, 0.0, self.spreads[1])):
            if begin == n or self.home:
                some = slice(begin, begin + k)
                away = at[some] - middle
                value -= 0.5 * float(away @ away) / spread**2
                g[some] -= away / spread**2
                H[range(begin, begin + k), range(begin, begin + k)] += spread**-2
        if self.prior > 0:
            s = at[:n]
            win = 0.5 * (1.0 + np.tanh(0.5 * s))
            value -= self.prior * float((np.logaddexp(0, s) + np.logaddexp(0, -s)).sum())
            g[:n] += self.prior * (1.0 - 2.0 * win)
            H[range(n), range(n)] += 2.0 * self.prior * win * (1.0 - win)
        return value, g, H

    def anchored(self, H: Floats) -> Floats:
        """Without a prior, with a curvature for the common shift, which is no parameter."""
        out = H.copy()
        if self.prior == 0:
            out[: self.n, : self.n] += np.trace(H[: self.n, : self.n]) / self.n**2
        return out

    def fit(
        self, start: Floats, tol: float, steps: int, progress: Progress | None
    ) -> tuple[Floats, dict[str, Any]]:
        """Newton's method, lifted to a descent where the Hessian is not positive definite."""
        clock, at, lift, bound, done, stopped = perf_counter(), start.copy(), 0.0, math.inf, False, False
        value, g, H = self.derivatives(at)
        taken = 0
        try:
            while True:
                scale = np.maximum(np.abs(np.diag(self.anchored(H))), 1e-8)
                step = self._step(H, g, lift * scale)
                if step is not None and lift == 0.0:
                    bound = math.sqrt(max(float(g @ step), 0.0))
                    done = bound <= tol
                if done or taken >= steps:
                    break
                taken += 1
                if step is not None:
                    new = self.derivatives(at + step)
                    if new[0] >= value - 1e-12 * abs(value):
                        at, (value, g, H) = at + step, new
                        lift = 0.1 * lift if lift > 1e-6 else 0.0
                        report(progress, taken, steps)
                        continue
                lift = max(10.0 * lift, 1e-4)
        except KeyboardInterrupt:
            stopped = True
        return at, {
            "converged": done,
            "iterations": taken,
            "solver": "newton, damped (dense Cholesky)",
            "seconds": perf_counter() - clock,
            "tol": tol,
            "error_bound": bound,
            "error_kind": "asymptotic",
            "interrupted": stopped,
        }

    def _step(self, H: Floats, g: Floats, lift: Floats) -> Floats | None:
        """(H + lift)^{-1} g; None unless positive definite."""
        from scipy import linalg

        matrix = self.anchored(H)
        matrix[range(self.size), range(self.size)] += lift
        try:
            return np.asarray(linalg.cho_solve(linalg.cho_factor(matrix), g))
        except linalg.LinAlgError:
            return None


class JudgeInformation(Information):
    """H and J over (strengths, reliabilities, biases, log nu) at a local optimum; J of comparisons."""

    most = _MOST

    def __init__(self, problem: JudgeProblem, at: Floats) -> None:
        self.problem, self.at = problem, at
        self.n, self.size, self.prior = problem.n, problem.size, problem.prior
        _, _, self._H = problem.derivatives(at)
        x, self._by = problem.arguments(at)
        self._log_p, self._by_x, self._by_tie = problem.scores(at, x)

    def approximate(self, kind: str) -> bool:
        """The judges have priors."""
        return kind == "hessian"

    def inverse(self) -> Floats:
        found = _core.linalg._inverse_positive_definite(self.problem.anchored(self._H))
        if found is None:
            raise ValueError(SINGULAR)
        return self._centred(np.asarray(found))

    def _centred(self, x: Floats) -> Floats:
        return without_shift(x, self.n) if self.prior == 0 else x

    def solve(self, right_sides: Floats) -> Floats:
        return self._centred(np.asarray(np.linalg.solve(self.problem.anchored(self._H), right_sides)))

    def _moved(self, x: Floats) -> list[Floats]:
        """What columns do to the weighted score of each row, one a class of outcome."""
        shift = np.asarray(self._by @ x)
        out = []
        for k in range(3):
            weight = np.sqrt(self.problem.squared[:, k])
            keep = weight > 0
            moved = np.where(keep, weight * self._by_x[:, k], 0.0)[:, None] * shift
            if self.problem.tied:
                moved = moved + (weight * self._by_tie[:, k])[:, None] * x[-1]
            out.append(moved)
        return out

    def quadratic(self, x: Floats) -> Floats:
        return np.asarray(sum(part.T @ part for part in self._moved(x)))

    def variances(self, x: Floats) -> Floats:
        return np.asarray(sum(np.square(part).sum(axis=0) for part in self._moved(x)))

    def draw_scores(self, rng: np.random.Generator, draws: int, kind: str) -> Floats:
        if kind == "hessian":
            root = np.linalg.cholesky(self.problem.anchored(self._H))
            return np.asarray(root @ rng.standard_normal((self.size, draws)))
        basis = np.eye(self.size)
        values, vectors = np.linalg.eigh(self.quadratic(basis))
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        return np.asarray(root @ rng.standard_normal((self.size, draws)))


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
        Standard deviation of the normal prior of reliabilities, about 1. Default: the one of 0.03, 0.1, 0.3
        and 1 that makes the data most likely, by Laplace's method.
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
        If the decrement stays above `tol`.

    Notes
    -----
    The likelihood is not concave: a product of strengths and reliabilities. The fit starts from the plain
    one, with all judges alike, and ends where the Hessian is positive definite and the Newton decrement at
    most `tol`: a local optimum. Of another, such as the mirror image with all judges turned around, the
    certificate says nothing; if most judges are turned around, so is the answer. O((items + 2 judges)^3) time
    a step; up to 3,000 parameters.

    Examples
    --------
    >>> from steelyard.rank import Comparisons, fit_judges
    >>> good, bad = "ab" * 2 + "a" * 14, "ba" * 8
    >>> other = {"a": "b", "b": "a"}
    >>> votes = Comparisons.from_pairs(
    ...     list(good * 2 + bad), [other[x] for x in good * 2 + bad], judge=[1] * 18 + [2] * 18 + [3] * 16
    ... )
    >>> fit = fit_judges(votes)
    >>> fit.reliabilities.argmin(), bool(fit.reliabilities[2] < 0.2)
    (np.int64(2), True)
    """
    if not isinstance(comparisons, Comparisons):
        raise TypeError(
            "comparisons must be a Comparisons (see Comparisons.from_pairs), "
            f"got {type(comparisons).__name__}"
        )
    if comparisons.judge is None:
        raise ValueError("comparisons needs judges; give from_frame(judge=COLUMN) or from_pairs(judge=...)")
    ties, prior = check_choice(ties, "ties", _TIES), check_nonnegative(prior, "prior")
    spreads = tuple(
        None if given is None else check_positive(given, name)
        for given, name in ((reliability_spread, "reliability_spread"), (bias_spread, "bias_spread"))
    )
    tol, steps = check_positive(tol, "tol"), check_steps(max_iter, "max_iter")
    check_threads(n_threads)
    problem = _problem(comparisons, ties, prior, (spreads[0] or 0.3, spreads[1] or 0.3))
    if problem.size > _MOST:
        raise ValueError(
            f"comparisons has {problem.n} items and {problem.judges} judges: items + 2 judges may be up to "
            f"{_MOST}; keep fewer (filter(min_games=...))"
        )
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
            problem = max(
                (problem.with_spread(which, spread) for spread in _SPREADS), key=lambda p: p.evidence(start)
            )
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
    )


def _result(
    table: Comparisons, problem: JudgeProblem, ties: str, at: Floats, account: dict[str, Any]
) -> JudgeFit:
    n, k = problem.n, problem.judges
    shift = float(at[:n].mean())
    if problem.prior == 0:
        at = np.concatenate([at[:n] - shift, at[n:]])
    message = "" if account["converged"] else "no local optimum was reached; raise max_iter, or set a prior"
    info = RankInfo(**account, message=message, shift=shift if problem.prior > 0 else 0.0)
    x, _ = problem.arguments(at)
    log_p, _, _ = problem.scores(at, x)
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
    if not isinstance(comparisons, Comparisons):
        raise TypeError(f"comparisons must be a Comparisons, got {type(comparisons).__name__}")
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
