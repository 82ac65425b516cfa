"""What Laplace's method leaves out of the evidence of groups: its terms of second order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ... import _core
from .._chances import outcome_chances
from .._paired import TeamPoint, TeamProblem

Floats = npt.NDArray[np.float64]

_STEP = 0.1  # of finite differences, which are off by a thousandth
_PAIRS = 4000  # of a group; where more have met, its items have games enough
_BLOCK = 512


def second_order(problem: TeamProblem, at: TeamPoint, width: float, most: int, whole: bool) -> float:
    """Log of the integral over the differences d and the whole m above Laplace's method.

    With V the inverse Hessian, x = a'(m, d) the games and k3, k4 derivatives of - log p by x:
    - sum k4 v_aa^2 / 8 + |sum k3 v_aa a|_V^2 / 8 + sum k3 k3' v_ab^3 / 12 over games and pairs of them of
    the same group, where v_ab = a'V b given m. That m moves is in the second term, unless `whole` says not
    to; tie parameter and home advantage are held. Of more than `most` differences some groups stand for all.
    Time: the sum of items^3 and of (pairs that met)^2 over groups, and m^3.

    Shun and McCullagh, "Laplace approximation of high dimensional integrals", JRSS B 57 (1995).
    """
    assert problem.groups is not None
    (begins, columns), matrix = problem.groups, problem.games.matrix
    sizes, base, tension = np.diff(begins), int(begins[0]), width**-2
    own = matrix.indices >= base  # two in each game
    ends, sign = matrix.indices[own].reshape(-1, 2).astype(np.int64), matrix.data[own][::2]
    bends = _bends(problem, at)
    bends[1] *= np.where(ends[:, 0] < ends[:, 1], sign, -sign)
    ends.sort(axis=1)
    starts = np.searchsorted(ends[:, 0], begins)  # games of a group stand side by side
    total, seen, pull = 0.0, 0, np.zeros(base)
    schur = np.zeros((base, base) if whole else (0, 0))
    for g in range(0, len(sizes), max(1, int(sizes.sum()) // most)):
        rows, n = slice(starts[g], starts[g + 1]), int(sizes[g])
        first, second = (ends[rows] - begins[g]).T
        pair, place = np.unique(first * n + second, return_inverse=True)
        first, second = np.divmod(pair, n)
        k2, k3, k4 = (np.bincount(place, one[rows], len(pair)) for one in bends)
        precision = np.diag(tension + np.bincount(first, k2, n) + np.bincount(second, k2, n))
        precision[first, second] = precision[second, first] = -k2
        v = _core.linalg._inverse_positive_definite(precision)
        if v is None:
            return 0.0
        seen += n
        along = v[first] - v[second]
        alone = along[range(len(pair)), first] - along[range(len(pair)), second]
        lean = np.bincount(first, k3 * alone, n) - np.bincount(second, k3 * alone, n)
        moved = v @ lean
        total += float(lean @ moved) / 8 - float(k4 @ alone**2) / 8
        for begin in range(0, len(pair) if len(pair) <= _PAIRS else 0, _BLOCK):
            block = slice(begin, begin + _BLOCK)
            between = along[block][:, first] - along[block][:, second]
            total += float(k3[block] @ (between * between * between) @ k3) / 12
        if whole:
            into = columns[begins[g] - base : begins[g + 1] - base]
            known = np.flatnonzero(into >= 0)
            pull[into[known]] += tension * moved[known]
            schur[np.ix_(into[known], into[known])] -= tension**2 * v[np.ix_(known, known)]
            schur[into[known], into[known]] += tension
    scale = int(sizes.sum()) / max(seen, 1)
    if whole:
        win = 0.5 * (1.0 + np.tanh(0.5 * at.free[:base]))
        schur *= scale
        schur[range(base), range(base)] += 2.0 * problem.prior * win * (1.0 - win)
        inverse = _core.linalg._inverse_positive_definite(schur)
        if inverse is not None:
            total += scale * float(pull @ inverse @ pull) / 8
    return scale * total


def _bends(problem: TeamProblem, at: TeamPoint) -> list[Floats]:
    """Second, third and fourth derivatives of - log p by x of each game, times its weight."""
    x, outcome = problem.arguments(at), problem.games.outcome
    nu = np.exp(at.tie) if problem.model != "none" else None

    def loss(step: int) -> Floats:
        win, tie, lost = outcome_chances(x + step * _STEP, problem.model, nu)
        drawn = tie if problem.model != "none" else np.sqrt(win * lost)  # half a win and half a loss
        p = np.where(outcome > 0, win, np.where(outcome < 0, lost, drawn))
        return np.asarray(-np.log(np.maximum(p, 1e-300)))

    a, b, c, d, e = (problem.games.weight * loss(step) for step in (-2, -1, 0, 1, 2))
    return [
        (16 * (b + d) - 30 * c - a - e) / (12 * _STEP**2),
        (e - a - 2 * (d - b)) / (2 * _STEP**3),
        (a + e - 4 * (b + d) + 6 * c) / _STEP**4,
    ]
