"""Parameters without a finite optimum: what is said of them, and a linear program that finds them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..._errors import SeparationError
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
    csrc/rank/paired/separation.hpp has it; a prior holds the strengths. Given up after a few seconds, for
    which Ctrl-C has to wait.
    """
    from scipy import sparse
    from scipy.optimize import linprog

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
    found = linprog(
        -asked.sum(axis=0),
        A_ub=-asked,
        b_ub=np.zeros(asked.shape[0]),
        bounds=bounds,
        options={"time_limit": _PROGRAM_SECONDS},
    )
    if found.x is None or -found.fun < 1e-7:
        return None
    return np.asarray(found.x[n + (problem.model == "none") :])
