"""Parameters without a finite optimum: what is said of them, and a linear program that finds them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..._errors import SeparationError
from ..._linear_programs import solve_linear_program
from .graded_problem import GradedProblem
from .problem import PairProblem

Floats = npt.NDArray[np.float64]

_PROGRAM_SECONDS = 5.0


def require_finite_extras(problem: PairProblem) -> None:
    """Raises where the tie parameter or the home advantage has no finite optimum."""
    found = problem.separation() if problem.extra_names else None
    if found is not None:
        raise SeparationError(separation_message(**found), **found)


def separation_message(parameter: str, flat: bool) -> str:
    """Why there is no finite optimum, and what to do."""
    if flat:
        why = "the data does not determine it (another value fits as well, with other strengths)"
    else:
        why = "the likelihood keeps rising as it goes to infinity"
    ways = {"home_advantage": "home=False", "tie_parameter": "ties='half' or ties='drop'"}
    way = ways.get(parameter, "covariates=[...] names those to keep")
    return f"{parameter} has no finite optimum on this data: {why}. Fit without it ({way}) or add comparisons"


def rising_direction(problem: PairProblem) -> Floats | None:
    """Of tie, home and coefficients, a direction along which the likelihood never falls, or None.

    By a linear program (HiGHS): wins ask dx >= u, losses -dx >= u, ties |dx| <= u, as
    csrc/rank/paired/separation.hpp has it; a prior holds the strengths. Given up after a few seconds.
    """
    from scipy import sparse

    graph, n, p = problem.graph, problem.n, len(problem.covariates)
    wins, losses, ties = problem.counts
    edges = np.arange(len(graph.left))
    ends = np.ones(len(edges))
    blocks = [
        sparse.csr_array((ends, (edges, graph.left)), shape=(len(edges), n))
        - sparse.csr_array((ends, (edges, graph.right)), shape=(len(edges), n))
    ]
    if problem.home:
        blocks.append(sparse.csr_array(np.asarray(graph.home, dtype=np.float64)[:, None]))
    blocks.append(sparse.csr_array(np.asarray(graph.covariates).reshape(-1, p)))
    x = sparse.csr_array(sparse.hstack(blocks))
    won, lost = wins > 0, losses > 0
    parts, pull = [x[won], -x[lost]], [np.full(int(won.sum()), -1.0), np.full(int(lost.sum()), -1.0)]
    if problem.model != "none" and ties is not None:
        tied = ties > 0
        parts += [x[tied], -x[tied]]
        pull += [np.ones(int(tied.sum()))] * 2
    asked = sparse.csr_array(sparse.vstack(parts))
    by_tie = np.concatenate(pull)[:, None] * (problem.model != "none")
    asked = sparse.csr_array(sparse.hstack([asked[:, :n], sparse.csr_array(by_tie), asked[:, n:]]))
    held = (0.0, 0.0)
    bounds = [held if problem.prior > 0 or i == 0 else (-1.0, 1.0) for i in range(n)]
    bounds += [(-1.0, 1.0) if problem.model != "none" else held] + [(-1.0, 1.0)] * problem.effects
    found = solve_linear_program(
        -asked.sum(axis=0),
        A_ub=-asked,
        b_ub=np.zeros(asked.shape[0]),
        bounds=bounds,
        options={"time_limit": _PROGRAM_SECONDS},
    )
    if found.x is None or -found.fun < 1e-7:
        return None
    return np.asarray(found.x[n + (problem.model == "none") :])


def rising_grade(problem: GradedProblem) -> str | None:
    """A parameter that moves along a direction in which the likelihood of grades never falls, or None.

    By linear programs, as `rising_direction`. Far out a cumulative grade asks that its ends move apart around
    x, an adjacent one that its logit falls behind no other. A random objective finds flat directions too.
    """
    from scipy import sparse

    graph, counts, n, free = problem.graph, problem.counts, problem.n, problem.free
    edges, size = len(graph.left), n + len(problem.names)
    ends = np.ones(edges)
    blocks = [
        sparse.csr_array((ends, (np.arange(edges), graph.left)), shape=(edges, n))
        - sparse.csr_array((ends, (np.arange(edges), graph.right)), shape=(edges, n)),
        sparse.csr_array((edges, free)),
    ]
    if problem.home:
        blocks.append(sparse.csr_array(np.asarray(graph.home, dtype=np.float64)[:, None]))
    if problem.covariates:
        blocks.append(sparse.csr_array(np.asarray(graph.covariates).reshape(edges, -1)))
    x = sparse.csr_array(sparse.hstack(blocks))
    parts = []
    for grade in range(counts.shape[1]):
        rows = x[np.flatnonzero(counts[:, grade])]
        for slope, thresholds in _asked_of_grade(problem, grade):
            row = np.zeros((1, size))
            row[0, n : n + free] = thresholds
            parts.append(slope * rows + sparse.csr_array(np.ones((rows.shape[0], 1))) @ sparse.csr_array(row))
    asked = sparse.csr_array(sparse.vstack(parts))
    held = (0.0, 0.0)
    bounds = [held if problem.prior > 0 or i == 0 else (-1.0, 1.0) for i in range(n)]
    bounds += [(-1.0, 1.0)] * (size - n)
    objective = np.random.default_rng(0).normal(size=size)
    for sign in (1.0, -1.0):
        found = solve_linear_program(
            sign * objective,
            A_ub=-asked,
            b_ub=np.zeros(asked.shape[0]),
            bounds=bounds,
            method="highs",
            options={"time_limit": _PROGRAM_SECONDS},
        )
        if found.status == 0 and found.fun < -1e-7:
            moving = np.abs(found.x)
            late = int(np.argmax(moving[n:])) if size > n else 0
            return problem.names[late] if size > n and moving[n + late] > 1e-7 else "strengths"
    return None


def _asked_of_grade(problem: GradedProblem, grade: int) -> list[tuple[float, Floats]]:
    """Forms in x (a factor) and the thresholds that must not fall, lest the grade's chance vanish."""
    levels, free = len(problem.comparisons.levels), problem.free

    def weights(k: int) -> Floats:
        fold = min(k, levels - 1 - k) - 1
        return np.asarray(np.arange(free) == fold, dtype=np.float64)

    def boundary(j: int) -> Floats:
        above = 2 * j > levels
        index = (j if above else levels - j) - levels // 2 - 1
        return np.asarray((np.arange(free) == index) * (1.0 if above else -1.0))

    if problem.link == "adjacent":
        return [
            ((grade - k) / (levels - 1), weights(grade) - weights(k)) for k in range(levels) if k != grade
        ]
    upper = [(-1.0, boundary(grade + 1))] if grade + 1 < levels else []
    return upper + ([(1.0, -boundary(grade))] if grade > 0 else [])
