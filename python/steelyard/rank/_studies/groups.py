"""`fit_groups`: one board a group of comparisons, shrunk to the whole as far as the data says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ... import _core
from ..._errors import finish, interrupted, report, warn
from ..._validate import (
    Progress,
    check_choice,
    check_flag,
    check_nonnegative,
    check_positive,
    check_progress,
    check_steps,
    check_threads,
)
from .._chances import RankInfo
from .._paired import TIES, TeamPoint, TeamProblem, bradley_terry
from .._table import Comparisons, SideGames, require_comparisons
from .group_bend import second_order
from .group_fits import GroupFits
from .group_law import SINGULAR, GroupLaw, require_room
from .group_volume import estimated_log_volume

Floats = npt.NDArray[np.float64]

_MOST = 3000  # parameters that are held in one matrix; beyond, group by group
_NUMBERS = 2**28  # in all matrices
_LEAST, _LARGEST = 0.01, 5.0  # widths that are tried
_MOST_ITEMS = 3000  # whose Schur complement is factored at each width
_SEARCH_TOL = 1e-4  # decrement of the fits on the way, with few parameters
_SOME, _AROUND = 30_000, 0.08  # differences that tell a width nearly; where all are asked beside it
_SURE, _TRIED, _KEPT = 0.005, 30, 4  # how close in logarithm, in how many widths; fits to go on from
_BENT = 10_000  # differences that tell what the second order adds
_FEW = 3.0  # games an item and group
_WIDEST = 1e100  # whose square float64 holds


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
    deviation `width` is the one that makes the data most likely, the strengths integrated out. Few
    comparisons in a group then say little there, and many say what they say.

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
    UserWarning
        If the width is estimated from fewer than three games an item and group.

    Notes
    -----
    Strengths of two groups can be compared only against something: here the mean over the items that all
    groups have. Standard errors of shrunk groups hold the prior at `width`, which is taken as known, and take
    comparisons as independent and the model as true. The width is sought from 0.01 to 5, where the marginal
    likelihood, by Laplace's method with its terms of second order, times a weak prior, w exp(-w),
    is largest [2]_: without the prior few groups often say 0, and errors are then far too small.

    Each group is eliminated by itself, and the whole is a Schur complement: time in proportion to the sum of
    groups' items^3, and to items^3, for each step; memory to the sum of squares, up to 2 GB. Where
    differences are many, some of the groups tell where to look for the width. Beyond 3,000 items widths are
    compared by an estimate of the determinant (quadrature of Lanczos), and items^3 is paid once.

    References
    ----------
    .. [1] Rubin, "Estimation in parallel randomized experiments", J. Educ. Stat. 6 (1981).
    .. [2] Chung, Rabe-Hesketh, Dorie, Gelman, Liu, "A nondegenerate penalized likelihood estimator for
       variance parameters in multilevel models", Psychometrika 78 (2013).

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
    require_comparisons(comparisons)
    if comparisons.group is None:
        raise ValueError("comparisons needs groups; give from_frame(group=COLUMN) or from_pairs(group=...)")
    shrink, home = check_flag(shrink, "shrink"), check_flag(home, "home")
    given = None if width is None else check_positive(width, "width")
    if given is not None and not 1 / _WIDEST <= given <= _WIDEST:
        raise ValueError(f"width must be between {1 / _WIDEST:g} and {_WIDEST:g}, got {given:g}")
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
        met = float(result.games.sum()) / len(model.cells)
        if given is None and met < _FEW:
            warn(
                f"comparisons has {met:.1f} games an item and group, from which the width can hardly be told "
                f"({result.width:.3g}); give width, or keep items with more games",
                UserWarning,
            )
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


# ---- each for itself


def _apart(
    table: Comparisons, options: dict[str, Any], n_threads: int | None, progress: Progress | None
) -> GroupFits:
    labels = np.asarray(table.group_labels)
    games, n = _games(table, len(labels)), table.n_items
    common = np.asarray((games > 0).all(axis=0))
    if not common.any():
        raise ValueError("no item is in all groups: their boards have nothing in common to stand against")
    strengths, covariances, accounts = np.full((len(labels), n), np.nan), [], []
    errors = strengths.copy()
    for g, part in enumerate(_parts(table)):
        fit = bradley_terry(part, **options, n_threads=n_threads)
        rows = table_positions(table, fit.items)
        strengths[g, rows] = fit.strengths - fit.strengths[common[rows]].mean()
        matrix = _centred(fit.covariance().matrix, len(rows), common[rows])
        errors[g, rows] = np.sqrt(np.maximum(np.diag(matrix), 0.0))
        covariances.append(matrix)
        accounts.append(fit.info)
        report(progress, g + 1, len(labels))
    worst = max(accounts, key=lambda info: info.error_bound or 0.0)
    info = replace(
        worst, converged=all(i.converged for i in accounts), seconds=sum(i.seconds for i in accounts)
    )
    whole = np.nanmean(strengths, axis=0)
    return GroupFits(
        labels, table.items, strengths, errors, games, whole, None, None, None, info, tuple(covariances)
    )


def _parts(table: Comparisons) -> Iterator[Comparisons]:
    """The comparisons of each group, by halving: rows times the logarithm of the number of groups."""
    group = np.asarray(table.group)
    last = int(group.max())
    if last == 0:
        yield table
        return
    low = group <= last // 2
    for half in (low, ~low):
        yield from _parts(table._part(half, None))


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
        n = self.n = table.n_items
        self.groups = len(self.labels)
        ends = [np.asarray(table.group, dtype=np.int64) * n + side for side in (table.left, table.right)]
        self.cells = np.unique(np.concatenate(ends))  # of groups x items, those that met
        begins = np.searchsorted(self.cells, n * np.arange(self.groups + 1))
        require_room(np.diff(begins), n, _NUMBERS)
        self.first = 1 if prior == 0 else 0
        # Columns: m, then d of the items that a group has; that of others is what its prior says.
        size = n + len(self.cells)
        left, right = (n + np.searchsorted(self.cells, end) for end in ends)
        columns = np.column_stack([table.left, left, table.right, right])
        signs = np.tile([1.0, 1.0, -1.0, -1.0], table.n_rows)
        matrix = sparse.csr_array(
            (signs, columns.ravel(), 4 * np.arange(table.n_rows + 1)), shape=(table.n_rows, size)
        )
        matrix = sparse.csr_array(matrix[:, self.first :])
        counts = [table.left_wins, table.right_wins] + ([] if table.ties is None else [table.ties])
        keep = [np.flatnonzero(c) for c in (counts[:2] if ties == "drop" else counts)]
        rows = np.concatenate(keep)
        near = np.argsort(np.asarray(table.group)[rows], kind="stable")  # games of a group side by side
        outcome = np.repeat(np.array([1, -1, 0], dtype=np.int8)[: len(keep)], [len(k) for k in keep])
        weight = np.concatenate([c[k] for c, k in zip(counts, keep, strict=False)])
        rows = rows[near]
        games = SideGames(
            np.arange(size - self.first),
            matrix[rows],
            outcome[near],
            weight[near],
            table.home[rows] if home and table.home is not None else None,
        )
        none = np.zeros((size - self.first, 0))
        blocks = (begins + (n - self.first)).astype(np.int64), (self.cells % n - self.first).astype(np.int32)
        self.problem = TeamProblem(
            games, ties, prior, 0.0, none, (), np.zeros(0), True, springs=None, groups=blocks
        )

    def at_width(self, width: float) -> TeamProblem:
        """With normal priors of this standard deviation on the differences."""
        springs = np.zeros(len(self.problem.games.items))
        springs[self.n - self.first :] = width**-2
        other = replace(self.problem, springs=springs)
        for name in ("effects", "sides", "model", "counts"):
            other.__dict__[name] = getattr(self.problem, name)
        return other

    def evidence(self, width: float, start: TeamPoint, tol: float, steps: int) -> tuple[float, TeamPoint]:
        """Log of marginal likelihood times prior of the width, up to a constant, and the optimum there."""
        problem = self.at_width(width)
        out = problem.fit(start, tol=tol, max_iter=steps, n_threads=self.threads)
        if out["info"]["interrupted"]:
            raise interrupted(None)
        at = TeamPoint(out["strengths"], float(out["tie"]), out["effects"])
        base = self.n - self.first
        d, m, volume = at.free[base:], at.free[:base], float(out["log_volume"])
        if base > _MOST_ITEMS:
            volume = estimated_log_volume(problem, at, base, width, self.threads)
        value = out["log_likelihood"] - 0.5 * float(d @ d) / width**2 - len(d) * math.log(width)
        value -= problem.prior * float(np.logaddexp(0, m).sum() + np.logaddexp(0, -m).sum())
        if not math.isfinite(volume):
            return -math.inf, at
        value += second_order(problem, at, width, _BENT, base <= _MOST_ITEMS) - 0.5 * volume
        return value + math.log(width) - width, at

    def _fewer(self) -> _Shrunk | None:
        """Every so many groups, where there are far more differences than a first guess needs."""
        every, group = len(self.cells) // _SOME, np.asarray(self.table.group)
        if every < 4 or self.n > _MOST_ITEMS:
            return None
        problem = self.problem
        part = self.table._part(group % every == 0, None)
        return _Shrunk(part, problem.ties, problem.home, problem.prior, self.threads)

    def best_width(self, start: TeamPoint, steps: int, progress: Progress | None) -> tuple[float, TeamPoint]:
        """By golden section and parabolas over its logarithm; fits go on from the line through two others."""
        from scipy.optimize import minimize_scalar

        known: list[tuple[float, float, TeamPoint]] = []
        done = 0
        tol = _SEARCH_TOL * max(1.0, min(100.0, math.sqrt(len(self.cells) / 100)))

        def loss(place: float) -> float:
            nonlocal done
            near = sorted(known, key=lambda other: abs(other[1] - place))[:2]
            begin = _between(near, place) if len(near) > 1 else near[0][2] if near else start
            value, at = self.evidence(math.exp(place), begin, tol, steps)
            known.append((-value, place, at))
            if len(known) > _KEPT:  # the points hold all strengths of all groups
                known.remove(max(known, key=lambda other: abs(other[1] - place)))
            report(progress, min(done := done + 1, _TRIED), _TRIED)
            return -value

        def search(ends: tuple[float, float]) -> float:
            options = {"xatol": _SURE, "maxiter": _TRIED}
            return float(minimize_scalar(loss, bounds=ends, method="bounded", options=options).x)

        ends, few = (math.log(_LEAST), math.log(_LARGEST)), self._fewer()
        if few is None:
            best = search(ends)
        else:
            middle = math.log(few.best_width(few.problem.start(), steps, None)[0])
            low, at, high = (loss(middle + step) for step in (-_AROUND, 0.0, _AROUND))
            bend = low - 2.0 * at + high
            best = middle + 0.5 * _AROUND * (low - high) / bend if bend > 0 else math.inf
            if abs(best - middle) > 1.5 * _AROUND:
                best = search(ends)
        return math.exp(best), min(known, key=lambda other: abs(other[1] - best))[2]

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
            width, start = self.best_width(start, steps, progress)
        problem = self.at_width(width)
        out = problem.fit(start, tol=tol, max_iter=steps, n_threads=self.threads)
        at = TeamPoint(out["strengths"], float(out["tie"]), out["effects"])
        n, groups, free = self.n, self.groups, np.zeros(self.n)
        free[self.first :] = at.free[: n - self.first]
        differences = np.zeros((groups, n))
        differences.reshape(-1)[self.cells] = at.free[n - self.first :]
        strengths = free + differences
        info = RankInfo.from_core(out["info"])
        if not info.converged:
            info = replace(
                info, message=f"Newton decrement {info.error_bound:.1e}; raise max_iter, or set a prior"
            )
        law: GroupLaw | None = None
        matrices: tuple[Floats, ...] = ()
        if len(at.free) > _MOST:
            law = GroupLaw.at(problem, at, n, width, self.threads)
            errors = law.standard_errors(self.threads)
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
        n, groups = self.n, self.groups
        place = np.concatenate([np.arange(self.first, n), n + self.cells])
        full = np.diag(np.repeat([0.0, width**2], [n, n * groups]))
        full[np.ix_(place, place)] = np.asarray(inverse)[: len(place), : len(place)]
        # Strengths of the groups: m + d, block by block.
        m, d, cross = full[:n, :n], full[n:, n:], full[:n, n:]
        sums = d + np.tile(m, (groups, groups)) + np.tile(cross, (groups, 1)) + np.tile(cross, (groups, 1)).T
        return _centred(sums, n, np.ones(n, dtype=bool))


def _between(known: list[tuple[float, float, TeamPoint]], place: float) -> TeamPoint:
    """On the line through the points at two places, no further from the nearer than they are apart."""
    (_, here, a), (_, there, b) = known
    share = min(max((place - here) / (there - here), -1.0), 1.0)
    return TeamPoint(
        a.free + share * (b.free - a.free),
        a.tie + share * (b.tie - a.tie),
        a.effects + share * (b.effects - a.effects),
    )
