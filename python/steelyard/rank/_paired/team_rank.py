"""Who can't be told apart by games between sides, and directions without a finite optimum."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..._linear_programs import solve_linear_program
from .team_problem import TeamProblem, sides_of

Floats = npt.NDArray[np.float64]

_DENSE = 600  # items of an eigenvalue decomposition
_SEEN = 1e-6  # of a random vector: a smaller part is rounding
_LISTED = 4
_PROGRAM_SECONDS = 5.0


class Undetermined(NamedTuple):
    """Partners who always play together; and the rest, grouped by those who stand or fall together."""

    partners: list[npt.NDArray[np.intp]]
    groups: list[npt.NDArray[np.intp]]
    names: list[str]  # effects

    def __bool__(self) -> bool:
        return bool(self.partners or self.groups or self.names)


def undetermined(problem: TeamProblem, threads: int) -> Undetermined:
    """What the games, without priors, do not determine."""
    if not problem.has_free:
        return Undetermined([], [], _dependent_effects(problem))
    from scipy import sparse

    matrix, n = problem.games.matrix, problem.n
    wide, sides = matrix, None
    if problem.games.home is not None:
        wide = sparse.csr_array(sparse.hstack([matrix, problem.effects[:, :1]]))
    elif n > _DENSE:
        sides = problem.sides
    parts = _unseen(wide, sides, threads)
    if parts is None:
        return Undetermined([], [], [])
    if problem.balanced:
        parts[:n] -= parts[:n].mean(axis=0)  # the common shift is no matter
    if np.square(wide @ parts).sum() > 1e-12 * np.square(parts).sum() * abs(wide).sum() / wide.shape[1]:
        return Undetermined([], [], [])
    involved = np.linalg.norm(parts, axis=1) > _SEEN
    names = ["home_advantage"] if involved[n:].any() else []
    where = np.flatnonzero(involved[:n])
    partners = _alike(_directions(matrix, where), where, 1e-11)
    rest = np.setdiff1d(where, np.concatenate(partners)) if partners else where
    groups = _alike(parts[rest], rest, 1e-5)
    single = np.setdiff1d(rest, np.concatenate(groups)) if groups else rest
    return Undetermined(partners, groups + ([single] if len(single) else []), names)


def _unseen(matrix: Any, sides: Any, threads: int) -> Floats | None:
    """The parts of random vectors that the games do not see."""
    n = matrix.shape[1]
    given = np.random.default_rng(0).standard_normal((n, 2))
    if n > _DENSE:
        found = (sides_of(matrix) if sides is None else sides).unseen(given, threads)
        return None if found is None else np.array(found)
    gram = (matrix.T @ matrix).toarray()
    size = np.sqrt(np.where(np.diag(gram) > 0, np.diag(gram), 1.0))
    values, vectors = np.linalg.eigh(gram / np.outer(size, size))
    # Of the scaled matrix: null vectors v / size. Orthonormal again, for a projection.
    null, _ = np.linalg.qr(vectors[:, values < 1e-11 * n] / size[:, None])
    return np.asarray(null @ (null.T @ given))


def _directions(matrix: Any, where: npt.NDArray[np.intp]) -> Floats:
    """Equal for columns in proportion: who always plays with whom, in the same shares."""
    rng = np.random.default_rng(1)
    sums = np.asarray(matrix.T @ rng.standard_normal((matrix.shape[0], 3)))[where]
    norm = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.where(norm > 0, norm, 1.0))


def _alike(values: Floats, where: npt.NDArray[np.intp], accuracy: float) -> list[npt.NDArray[np.intp]]:
    """Groups of two or more rows that are equal to rounding."""
    if len(where) < 2:
        return []
    order = np.lexsort(np.round(values / accuracy).T[::-1])
    apart = np.abs(np.diff(values[order], axis=0)).max(axis=1) > 10 * accuracy
    groups = np.split(where[order], np.flatnonzero(apart) + 1)
    return [np.sort(group) for group in groups if len(group) > 1]


def _dependent_effects(problem: TeamProblem) -> list[str]:
    """Names of the effects that take part in a combination which changes no game."""
    columns = problem.effects
    size = np.linalg.norm(columns, axis=0)
    names = (("home_advantage",) if problem.home else ()) + problem.feature_names
    zero = size <= 1e-12 * max(float(size.max()), 1e-300)
    scaled = columns / np.where(zero, 1.0, size)
    values, vectors = np.linalg.eigh(scaled.T @ scaled + np.diag(zero * 1.0))
    null = vectors[:, values < 1e-11 * len(values)]
    involved = zero | (np.linalg.norm(null, axis=1) > _SEEN)
    return [name for name, odd in zip(names, involved, strict=True) if odd]


def in_words(found: Undetermined, labels: npt.NDArray[Any]) -> str:
    """Who can't be told apart, by name."""
    parts = []
    if found.partners:
        more = f", and {len(found.partners) - 3} more such groups" if len(found.partners) > 3 else ""
        listed = "; ".join(_listed(labels[group]) for group in found.partners[:3])
        parts.append(f"always together, in the same shares (only their sum is known): {listed}{more}")
    if len(found.groups) > 1:
        more = f" and {len(found.groups) - 3} more" if len(found.groups) > 3 else ""
        listed = " against ".join(f"[{_listed(labels[group])}]" for group in found.groups[:3])
        parts.append(f"no game tells how high these stand against each other: {listed}{more}")
    elif found.groups:
        parts.append(f"not told apart by the games: {_listed(labels[found.groups[0]])}")
    if found.names:
        parts.append(f"{', '.join(found.names)}: another combination of these gives the same chances")
    return "; ".join(parts)


def _listed(labels: npt.NDArray[Any]) -> str:
    shown = [str(label) for label in labels[:_LISTED]]
    if len(labels) > _LISTED:
        return ", ".join(shown) + f" and {len(labels) - _LISTED} more"
    return " and ".join(shown) if len(shown) == 2 else ", ".join(shown)


def rising(problem: TeamProblem) -> list[str]:
    """Items and effects that move along a direction in which the likelihood never falls; by a linear program.

    A win asks that x does not fall, a loss that it does not rise, a tie both; a prior holds its parameters.
    """
    from scipy import sparse

    effects = sparse.csr_array(problem.effects)
    matrix = problem.games.matrix if problem.has_free else problem.games.matrix[:, :0]
    asked = sparse.csr_array(sparse.hstack([matrix, effects]))
    outcome = problem.games.outcome
    signed = sparse.csr_array(asked.multiply(np.where(outcome == 0, 1, outcome)[:, None]))
    tied = asked[np.flatnonzero(outcome == 0)]
    rows = sparse.csr_array(sparse.vstack([signed, -tied]))
    free = 0.0 if problem.prior > 0 else 1.0
    held = [(-free, free)] * matrix.shape[1] + [(-1.0, 1.0)] * int(problem.home)
    slope = 0.0 if problem.ridge > 0 else 1.0
    held += [(-slope, slope)] * len(problem.feature_names)
    found = solve_linear_program(
        -np.asarray(rows.sum(axis=0)).ravel(),
        A_ub=-rows,
        b_ub=np.zeros(rows.shape[0]),
        bounds=held,
        options={"time_limit": _PROGRAM_SECONDS},
    )
    if found.x is None or -found.fun < 1e-7:
        return []
    names = [str(label) for label in problem.games.items[: matrix.shape[1]]]
    names += (["home_advantage"] if problem.home else []) + list(problem.feature_names)
    return [names[k] for k in np.argsort(-np.abs(found.x), kind="stable") if abs(found.x[k]) > 1e-6]
