"""`fit_groups`: one board a group of comparisons, shrunk to the whole as far as the data says."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core, _labels
from ..._errors import finish, interrupted, report
from ..._results import Columns, Result
from ..._validate import (
    Progress,
    check_choice,
    check_count,
    check_flag,
    check_level,
    check_nonnegative,
    check_positive,
    check_progress,
    check_rng,
    check_room,
    check_steps,
    check_threads,
)
from ...plotting import plot_groups
from .._chances import RankInfo
from .._paired import TIES, TeamPoint, TeamProblem, bradley_terry
from .._table import Comparisons, SideGames, positions
from .group_law import SINGULAR, GroupLaw, require_room

Floats = npt.NDArray[np.float64]

_MOST = 3000  # parameters that are held in one matrix; beyond, group by group
_NUMBERS = 2**28  # in all matrices
_LEAST, _LARGEST = 0.01, 5.0  # widths that are tried
_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True, repr=False, eq=False)
class GroupFits(Result):
    """One board a group.

    Attributes
    ----------
    groups : ndarray, shape (n_groups,)
        Labels.
    items : ndarray, shape (n_items,)
        Labels.
    strengths : ndarray, shape (n_groups, n_items)
        Natural-log strengths, in each group with mean 0 over the items that all groups have; NaN where
        ``shrink=False`` and an item is not in a group.
    standard_errors : ndarray, shape (n_groups, n_items)
        Shrunk: of the posterior at `width`. Else of the sandwich.
    games : ndarray, shape (n_groups, n_items)
        Comparisons of each item in each group, by weight.
    whole : ndarray, shape (n_items,)
        Shrunk: what the groups are shrunk to. Else the mean of the groups.
    width : float or None
        Standard deviation of an item's strength in a group around the whole; None with ``shrink=False``.
    tie_parameter, home_advantage : float or None
        Those that shrunk groups share; None where there is none, and with ``shrink=False``.
    info : RankInfo
        ``info.error_bound`` is the largest Newton decrement of a fit.
    """

    groups: npt.NDArray[Any]
    items: npt.NDArray[Any]
    strengths: Floats
    standard_errors: Floats
    games: Floats
    whole: Floats
    width: float | None
    tie_parameter: float | None
    home_advantage: float | None
    info: RankInfo = field(repr=False)
    _covariances: tuple[Floats, ...] = field(repr=False)  # of all groups in one, one a group, or none
    _law: GroupLaw | None = field(default=None, repr=False)  # instead, of many

    def __len__(self) -> int:
        return len(self.groups)

    def board(self, group: Any, *, level: float = 0.95) -> dict[str, npt.NDArray[Any]]:
        """The leaderboard of one group, strongest first.

        Parameters
        ----------
        group : label
        level : float, default 0.95
            Of the intervals, each by itself.

        Returns
        -------
        dict of str to ndarray
            Columns ``item``, ``rating``, ``standard_error``, ``lower``, ``upper`` and ``games``.

        Raises
        ------
        KeyError
            If there is no such group.

        Examples
        --------
        >>> from steelyard.rank import Comparisons, fit_groups
        >>> games = Comparisons.from_pairs(["a", "b"] * 4, ["b", "a"] * 4, group=[1, 1, 1, 1, 2, 2, 2, 2])
        >>> fit_groups(games).board(1)["games"].tolist()
        [4.0, 4.0]
        """
        g = _labels.position(positions(self.groups), group, "group")
        half = NormalDist().inv_cdf(0.5 + check_level(level) / 2)
        rows = np.argsort(-self.strengths[g], kind="stable")
        rows = rows[np.isfinite(self.strengths[g, rows])]
        rating, error = self.strengths[g, rows], self.standard_errors[g, rows]
        return {
            "item": self.items[rows],
            "rating": rating,
            "standard_error": error,
            "lower": rating - half * error,
            "upper": rating + half * error,
            "games": self.games[g, rows],
        }

    def to_frame(self, *, level: float = 0.95) -> dict[str, npt.NDArray[Any]]:
        """All boards under each other: ``group`` and the columns of `board`.

        Parameters
        ----------
        level : float, default 0.95

        Returns
        -------
        dict of str to ndarray
        """
        boards = [self.board(label, level=level) for label in self.groups]
        sizes = [len(board["item"]) for board in boards]
        columns = {name: np.concatenate([board[name] for board in boards]) for name in boards[0]}
        return {"group": np.repeat(self.groups, sizes), **columns}

    def differences(
        self, level: float = 0.95, *, draws: int = 2000, rng: Any = 0
    ) -> dict[str, npt.NDArray[Any]]:
        """Which items stand higher in one group than in another: all statements hold together.

        Parameters
        ----------
        level : float, default 0.95
            Chance that all intervals hold together.
        draws : int, default 2000
            Simulated errors behind the critical value.
        rng : default 0
            As SPEC 7 has it, with a fixed seed by default.

        Returns
        -------
        dict of str to ndarray
            Columns ``item``, ``group_a``, ``group_b``, ``difference`` (a minus b, of strengths against the
            mean of their group), ``standard_error``, ``lower``, ``upper`` and ``real``: whether the interval
            leaves out 0. Of the items that both groups have, the surest first.

        Notes
        -----
        The critical value is the `level`-quantile of the largest |t| over all items and pairs of groups,
        simulated from the covariance. Beyond 3,000 parameters, so are the standard errors.

        Examples
        --------
        >>> from steelyard.rank import Comparisons, fit_groups
        >>> winner = ["a"] * 60 + ["b"] * 20 + ["a"] * 30 + ["b"] * 90
        >>> loser = ["b" if label == "a" else "a" for label in winner]
        >>> games = Comparisons.from_pairs(winner, loser, group=["x"] * 80 + ["y"] * 120)
        >>> found = fit_groups(games, shrink=False, prior=1).differences()
        >>> found["item"].tolist(), found["real"].tolist()
        (['a', 'b'], [True, True])
        """
        level, count = (
            check_level(level),
            check_room(check_count(draws, "draws"), "draws", self.strengths.size),
        )
        generator = check_rng(rng)
        pairs, largest = list(itertools.combinations(range(len(self)), 2)), np.zeros(count)
        own = [np.flatnonzero(games > 0) for games in self.games]
        noise = self._noise(own, count, generator)
        columns: list[list[Any]] = [[], [], [], [], []]
        for a, b in pairs:
            both, i, j = np.intersect1d(own[a], own[b], assume_unique=True, return_indices=True)
            apart = noise[a][:, i] - noise[b][:, j]
            error = np.sqrt((apart**2).mean(axis=0)) if self._law else self._errors_between(a, b)[both]
            t = np.divide(np.abs(apart), error, out=np.zeros_like(apart), where=error > 0)
            largest = np.maximum(largest, t.max(axis=1, initial=0.0))
            gap = self.strengths[a, both] - self.strengths[b, both]
            groups = (np.full(len(both), k) for k in (a, b))
            for column, part in zip(columns, (both, *groups, gap, error), strict=True):
                column.append(part)
        kinds = (np.intp, np.intp, np.intp, np.float64, np.float64)
        item, first, second, gap, error = (
            np.concatenate([np.zeros(0), *column]).astype(kind)
            for column, kind in zip(columns, kinds, strict=True)
        )
        critical = float(np.quantile(largest, level, method="higher"))
        with np.errstate(divide="ignore", invalid="ignore"):
            surest = np.argsort(-np.abs(gap / error), kind="stable")
        middle, half = gap[surest], critical * error[surest]
        return {
            "item": self.items[item[surest]],
            "group_a": self.groups[first[surest]],
            "group_b": self.groups[second[surest]],
            "difference": middle,
            "standard_error": error[surest],
            "lower": middle - half,
            "upper": middle + half,
            "real": np.abs(middle) > half,
        }

    def _noise(self, own: list[Any], count: int, rng: np.random.Generator) -> list[Floats]:
        """Draws of the errors of each group's own items."""
        if self._law is not None:
            return self._law.draws(count, rng)
        drawn = [_gaussian(matrix, count, rng) for matrix in self._covariances]
        every = np.concatenate(drawn, axis=1).reshape(count, *self.strengths.shape)
        return [every[:, g, items] for g, items in enumerate(own)]

    def _errors_between(self, a: int, b: int) -> Floats:
        """Standard errors of an item's difference between two groups."""
        n = len(self.items)
        variance = self.standard_errors[a] ** 2 + self.standard_errors[b] ** 2
        if len(self._covariances) == 1:
            both = self._covariances[0][a * n : (a + 1) * n, b * n : (b + 1) * n]
            variance = variance - 2.0 * np.diag(both)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)))

    def _head(self, rows: int) -> tuple[Columns, int]:
        order = np.argsort(-self.whole, kind="stable")[:rows]
        columns = {str(label): self.strengths[g, order] for g, label in enumerate(self.groups)}
        return {"item": self.items[order], **columns}, len(self.items)

    def plot(self, **options: Any) -> Any:
        """A heat map of items by groups; see `steelyard.plotting.plot_groups`.

        Parameters
        ----------
        **options
            As of `steelyard.plotting.plot_groups`.

        Returns
        -------
        matplotlib.axes.Axes
        """
        return plot_groups(self, **options)

    def __repr__(self) -> str:
        how = "fitted apart" if self.width is None else f"shrunk to the whole, width {self.width:.3g}"
        state = "converged" if self.info.converged else "NOT converged"
        return (
            f"GroupFits: {len(self.items)} items in {len(self)} groups, {how}\n"
            f"{state}: Newton decrement {self.info.error_bound:.1e}"
        )


def fit_groups(
    comparisons: Comparisons,
    *,
    shrink: bool = True,
    width: float | None = None,
    ties: str = "davidson",
    home: bool = False,
    prior: float = 0.0,
    tol: float = 1e-8,
    max_iter: int = 100,
    n_threads: int | None = None,
    progress: Progress | None = None,
) -> GroupFits:
    """One board a group (language, category, surface), each for itself or shrunk to the whole.

    Shrunk, an item's strength in a group is that of the whole plus a difference, normal about 0; its standard
    deviation `width` is the one that makes the data most likely, the strengths integrated out by Laplace's
    method. Few comparisons in a group then say little there, and many say what they say.

    Parameters
    ----------
    comparisons : Comparisons
        With groups: ``from_frame(group=COLUMN)`` or ``from_pairs(group=...)``.
    shrink : bool, default True
        False: `bradley_terry` of each group's comparisons.
    width : float, optional
        Instead of the estimate.
    ties : {'davidson', 'rao-kupper', 'half', 'drop'}
        As of `bradley_terry`; shrunk groups share the tie parameter and the home advantage.
    home : bool, default False
        Fit a home advantage.
    prior : float, default 0
        As of `bradley_terry`; shrunk, of the whole.
    tol : float, default 1e-8
        Largest Newton decrement to accept, in standard errors.
    max_iter : int, default 100
        Newton steps of a fit.
    n_threads : int, optional
        Default: see `steelyard.build_info`.
    progress : callable, optional
        Called as progress(done, total) after each fit.

    Returns
    -------
    GroupFits

    Raises
    ------
    DisconnectedError
        Without a prior, if the strengths of the whole (or of a group fitted apart) have no finite optimum.
    SeparationError
        As of `bradley_terry`.
    ValueError, TypeError
        If an argument does not fit, or there are no groups.
    KeyboardInterrupt
        On Ctrl-C.

    Warns
    -----
    ConvergenceWarning
        If a decrement stays above `tol`.

    Notes
    -----
    Strengths of two groups can be compared only against something: here the mean over the items that all
    groups have. Standard errors of shrunk groups hold the prior at `width`, which is taken as known, and take
    comparisons as independent and the model as true. The width is sought from 0.01 (no difference to be seen)
    to 5. Up to 3,000 parameters (items, and those of each group) are held in one matrix; beyond, items^2 and
    each group's own items^2 numbers, up to 2 GB, with O(items^3) time for each width that is tried.

    References
    ----------
    .. [1] Rubin, "Estimation in parallel randomized experiments", J. Educ. Stat. 6 (1981).

    Examples
    --------
    >>> from steelyard.rank import Comparisons, fit_groups
    >>> games = Comparisons.from_pairs(
    ...     ["a", "b", "a", "c", "b", "c"] * 4, ["b", "a", "c", "a", "c", "b"] * 4, group=["en", "de"] * 12
    ... )
    >>> fit = fit_groups(games, width=0.5)
    >>> print(fit.strengths[0].round(2), fit.width)
    [-0.59 -0.    0.59] 0.5
    """
    if not isinstance(comparisons, Comparisons):
        raise TypeError(
            "comparisons must be a Comparisons (see Comparisons.from_pairs), "
            f"got {type(comparisons).__name__}"
        )
    if comparisons.group is None:
        raise ValueError("comparisons needs groups; give from_frame(group=COLUMN) or from_pairs(group=...)")
    shrink, home = check_flag(shrink, "shrink"), check_flag(home, "home")
    given = None if width is None else check_positive(width, "width")
    if given is not None and not shrink:
        raise ValueError("width goes with shrink=True")
    ties, prior = check_choice(ties, "ties", TIES), check_nonnegative(prior, "prior")
    tol, steps = check_positive(tol, "tol"), check_steps(max_iter, "max_iter")
    threads, callback = check_threads(n_threads), check_progress(progress)
    options: dict[str, Any] = {"ties": ties, "home": home, "prior": prior, "tol": tol, "max_iter": steps}
    if not shrink:
        result = _apart(comparisons, options, n_threads, callback)
    else:
        model = _Shrunk(comparisons, ties, home, prior, threads)
        whole = bradley_terry(comparisons, **options, n_threads=n_threads)  # raises where there is none
        start = whole.strengths + (whole.info.shift if prior > 0 else 0.0)
        result = model.result(start, given, tol, steps, callback)
    return finish(result, "fit_groups", n_threads=n_threads)


def _games(table: Comparisons, n_groups: int) -> Floats:
    """Comparisons of each item in each group."""
    out = np.zeros((n_groups, table.n_items))
    for side in (table.left, table.right):
        np.add.at(out, (np.asarray(table.group), side), table._games())
    return out


def _centred(matrix: Floats, n: int, common: npt.NDArray[np.bool_]) -> Floats:
    """Covariance of strengths against the mean of some items, block by block."""
    share = common / common.sum()
    blocks = matrix.reshape(len(matrix) // n, n, len(matrix))
    blocks = blocks - np.einsum("i,gij->gj", share, blocks)[:, None, :]
    half = blocks.reshape(len(matrix), len(matrix) // n, n)
    half = half - (half @ share)[:, :, None]
    return np.asarray(half.reshape(matrix.shape))


def _gaussian(matrix: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Draws with this covariance, NaN where it is; the directions of means have none."""
    known = np.flatnonzero(np.isfinite(np.diag(matrix)))
    part = matrix[np.ix_(known, known)]
    values, vectors = np.linalg.eigh(part)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    out = np.full((count, len(matrix)), np.nan)
    out[:, known] = rng.standard_normal((count, len(known))) @ root.T
    return out


# ---- each for itself


def _apart(
    table: Comparisons, options: dict[str, Any], n_threads: int | None, progress: Progress | None
) -> GroupFits:
    labels, group = np.asarray(table.group_labels), np.asarray(table.group)
    games, n = _games(table, len(labels)), table.n_items
    common = np.asarray((games > 0).all(axis=0))
    if not common.any():
        raise ValueError("no item is in all groups: their boards have nothing in common to stand against")
    strengths, covariances, accounts = np.full((len(labels), n), np.nan), [], []
    for g in range(len(labels)):
        fit = bradley_terry(table._part(group == g, None), **options, n_threads=n_threads)
        rows = table_positions(table, fit.items)
        strengths[g, rows] = fit.strengths - fit.strengths[common[rows]].mean()
        matrix = np.full((n, n), np.nan)
        matrix[np.ix_(rows, rows)] = _centred(fit.covariance().matrix, len(rows), common[rows])
        covariances.append(matrix)
        accounts.append(fit.info)
        report(progress, g + 1, len(labels))
    worst = max(accounts, key=lambda info: info.error_bound or 0.0)
    errors = np.array([np.sqrt(np.maximum(np.diag(matrix), 0.0)) for matrix in covariances])
    info = replace(
        worst, converged=all(i.converged for i in accounts), seconds=sum(i.seconds for i in accounts)
    )
    whole = np.nanmean(strengths, axis=0)
    return GroupFits(
        labels, table.items, strengths, errors, games, whole, None, None, None, info, tuple(covariances)
    )


def table_positions(table: Comparisons, labels: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Where the items of a part stand in the whole."""
    return np.array([table.index(label) for label in labels.tolist()], dtype=np.intp)


# ---- shrunk


class _Shrunk:
    """Strengths m of the whole and differences d of each group, x = m_i + d_gi - m_j - d_gj (+ home).

    Without a prior the first item's m is 0: the common shift is no parameter.
    """

    def __init__(self, table: Comparisons, ties: str, home: bool, prior: float, threads: int) -> None:
        from scipy import sparse

        self.labels, self.table, self.threads = np.asarray(table.group_labels), table, threads
        self.n, self.groups = table.n_items, len(self.labels)
        group = np.asarray(table.group)
        parts = [np.flatnonzero(group == g) for g in range(self.groups)]
        self.active = tuple(
            np.unique(np.concatenate([table.left[rows], table.right[rows]])).astype(np.intp) for rows in parts
        )
        require_room(self.active, self.n, _NUMBERS)
        self.first = 1 if prior == 0 else 0
        # Columns: m, then d of the items that a group has; that of others is what its prior says.
        begins = self.n + np.concatenate([[0], np.cumsum([len(items) for items in self.active])])
        size = int(begins[-1])
        left, right = (np.empty(table.n_rows, dtype=np.int64) for _ in range(2))
        for begin, items, rows in zip(begins[:-1], self.active, parts, strict=True):
            left[rows] = begin + np.searchsorted(items, table.left[rows])
            right[rows] = begin + np.searchsorted(items, table.right[rows])
        ends: list[npt.NDArray[Any]] = [table.left, left, table.right, right]
        rows = np.tile(np.arange(table.n_rows), 4)
        signs = np.repeat([1.0, 1.0, -1.0, -1.0], table.n_rows)
        matrix = sparse.csr_array((signs, (rows, np.concatenate(ends))), shape=(table.n_rows, size))
        matrix = sparse.csr_array(matrix[:, self.first :])
        counts = [table.left_wins, table.right_wins] + ([] if table.ties is None else [table.ties])
        keep = [np.flatnonzero(c) for c in (counts[:2] if ties == "drop" else counts)]
        rows = np.concatenate(keep)
        games = SideGames(
            np.arange(size - self.first),
            matrix[rows],
            np.repeat(np.array([1, -1, 0], dtype=np.int8)[: len(keep)], [len(k) for k in keep]),
            np.concatenate([c[k] for c, k in zip(counts, keep, strict=False)]),
            table.home[rows] if home and table.home is not None else None,
        )
        none = np.zeros((size - self.first, 0))
        self.problem = TeamProblem(games, ties, prior, 0.0, none, (), np.zeros(0), True)

    def at_width(self, width: float) -> TeamProblem:
        """With normal priors of this standard deviation on the differences."""
        springs = np.zeros(len(self.problem.games.items))
        springs[self.n - self.first :] = width**-2
        other = replace(self.problem, springs=springs)
        for name in ("effects", "sides", "model", "counts"):
            other.__dict__[name] = getattr(self.problem, name)
        return other

    def evidence(self, width: float, start: TeamPoint, tol: float, steps: int) -> tuple[float, TeamPoint]:
        """Log marginal likelihood up to a constant, by Laplace's method, and the optimum there."""
        problem = self.at_width(width)
        out = problem.fit(start, tol=tol, max_iter=steps, n_threads=self.threads)
        if out["info"]["interrupted"]:
            raise interrupted(None)
        at = TeamPoint(out["strengths"], float(out["tie"]), out["effects"])
        d, m = at.free[self.n - self.first :], at.free[: self.n - self.first]
        sign, volume = self._volume(problem, at, width)
        value = out["log_likelihood"] - 0.5 * float(d @ d) / width**2 - len(d) * math.log(width)
        value -= problem.prior * float(np.logaddexp(0, m).sum() + np.logaddexp(0, -m).sum())
        return (value - 0.5 * float(volume) if sign > 0 else -math.inf), at

    def _volume(self, problem: TeamProblem, at: TeamPoint, width: float) -> tuple[float, float]:
        """Sign and logarithm of the Hessian's determinant."""
        if len(at.free) > _MOST:
            return 1.0, GroupLaw.at(problem, at, self.active, self.n, width, self.threads).log_volume
        sign, volume = np.linalg.slogdet(problem.hessian(at, self.threads))
        return float(sign), float(volume)

    def best_width(
        self, start: TeamPoint, tol: float, steps: int, progress: Progress | None
    ) -> tuple[float, TeamPoint]:
        """By golden section over its logarithm."""
        low, high, rounds = math.log(_LEAST), math.log(_LARGEST), 15
        places = [high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)]
        values = []
        for place in places:
            value, start = self.evidence(math.exp(place), start, tol, steps)
            values.append(value)
        for done in range(rounds):
            if values[0] >= values[1]:
                high, places, values = places[1], [places[1], places[0]], [values[1], values[0]]
                places[0], keep = high - _GOLDEN * (high - low), 0
            else:
                low, places, values = places[0], [places[1], places[0]], [values[1], values[0]]
                places[1], keep = low + _GOLDEN * (high - low), 1
            values[keep], start = self.evidence(math.exp(places[keep]), start, tol, steps)
            places, values = (list(x) for x in zip(*sorted(zip(places, values, strict=True)), strict=True))
            report(progress, done + 1, rounds)
        return math.exp(places[int(np.argmax(values))]), start

    def result(
        self,
        whole: Floats,
        width: float | None,
        tol: float,
        steps: int,
        progress: Progress | None,
    ) -> GroupFits:
        start = self.problem.start()
        start.free[: self.n - self.first] = (whole - whole[0] if self.first else whole)[self.first :]
        if width is None:
            width, start = self.best_width(start, 1e-6, steps, progress)
        problem = self.at_width(width)
        out = problem.fit(start, tol=tol, max_iter=steps, n_threads=self.threads)
        at = TeamPoint(out["strengths"], float(out["tie"]), out["effects"])
        n, groups, free = self.n, self.groups, np.zeros(self.n)
        free[self.first :] = at.free[: n - self.first]
        differences, ends = np.zeros((groups, n)), np.cumsum([len(items) for items in self.active])
        for g, d in enumerate(np.split(at.free[n - self.first :], ends[:-1])):
            differences[g, self.active[g]] = d
        strengths = free + differences
        info = RankInfo.from_core(out["info"])
        if not info.converged:
            info = replace(
                info, message=f"Newton decrement {info.error_bound:.1e}; raise max_iter, or set a prior"
            )
        law: GroupLaw | None = None
        matrices: tuple[Floats, ...] = ()
        if len(at.free) > _MOST:
            law = GroupLaw.at(problem, at, self.active, n, width, self.threads)
            errors = law.standard_errors()
        else:
            matrices = (self._covariance(problem, at, width),)
            errors = np.sqrt(np.maximum(np.diag(matrices[0]), 0.0)).reshape(groups, n)
        return GroupFits(
            self.labels,
            self.table.items,
            strengths - strengths.mean(axis=1, keepdims=True),
            errors,
            _games(self.table, groups),
            free - free.mean(),
            width,
            math.exp(at.tie) if problem.model != "none" else None,
            float(at.effects[0]) if problem.home else None,
            info,
            matrices,
            law,
        )

    def _covariance(self, problem: TeamProblem, at: TeamPoint, width: float) -> Floats:
        """Of the strengths of all groups, against the mean of each."""
        inverse = _core.linalg._inverse_positive_definite(problem.hessian(at, self.threads))
        if inverse is None:
            raise ValueError(SINGULAR)
        n, groups, size = self.n, self.groups, self.n * (self.groups + 1)
        place = np.concatenate(
            [np.arange(self.first, n), *(n * (g + 1) + items for g, items in enumerate(self.active))]
        )
        full = np.diag(np.repeat([0.0, width**2], [n, n * groups]))
        full[np.ix_(place, place)] = np.asarray(inverse)[: len(place), : len(place)]
        assert full.shape == (size, size)
        # Strengths of the groups: m + d, block by block.
        m, d, cross = full[:n, :n], full[n:, n:], full[:n, n:]
        sums = d + np.tile(m, (groups, groups)) + np.tile(cross, (groups, 1)) + np.tile(cross, (groups, 1)).T
        return _centred(sums, n, np.ones(n, dtype=bool))
