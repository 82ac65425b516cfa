"""Coefficients without a finite optimum, by a linear program."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .model import Cells, ModelSpec

Array = npt.NDArray[np.float64]

_PROGRAM_SECONDS = 5.0


def rising_direction(cells: Cells, spec: ModelSpec) -> Array | None:
    """Of tie, home and coefficients, a direction along which the likelihood never falls, or None.

    By a linear program (HiGHS): wins ask dx >= u, losses -dx >= u, ties |dx| <= u, as
    csrc/rank/paired/separation.hpp has it; a prior holds the strengths. Given up after a few seconds, for
    which Ctrl-C has to wait.
    """
    from scipy import sparse
    from scipy.optimize import linprog

    graph, n, p = cells.graph, cells.graph.items, len(spec.covariates)
    edges = np.arange(len(graph.left))
    ends = np.ones(len(edges))
    blocks = [
        sparse.csr_array((ends, (edges, graph.left)), shape=(len(edges), n))
        - sparse.csr_array((ends, (edges, graph.right)), shape=(len(edges), n))
    ]
    if spec.home:
        blocks.append(sparse.csr_array(np.asarray(graph.home, dtype=np.float64)[:, None]))
    blocks.append(sparse.csr_array(np.asarray(graph.covariates).reshape(-1, p)))
    x = sparse.csr_array(sparse.hstack(blocks))
    won, lost = cells.wins > 0, cells.losses > 0
    parts, pull = [x[won], -x[lost]], [np.full(int(won.sum()), -1.0), np.full(int(lost.sum()), -1.0)]
    if spec.ties != "none" and cells.ties is not None:
        tied = cells.ties > 0
        parts += [x[tied], -x[tied]]
        pull += [np.ones(int(tied.sum()))] * 2
    asked = sparse.csr_array(sparse.vstack(parts))
    by_tie = np.concatenate(pull)[:, None] * (spec.ties != "none")
    asked = sparse.csr_array(sparse.hstack([asked[:, :n], sparse.csr_array(by_tie), asked[:, n:]]))
    held = (0.0, 0.0)
    bounds = [held if spec.prior > 0 or i == 0 else (-1.0, 1.0) for i in range(n)]
    bounds += [(-1.0, 1.0) if spec.ties != "none" else held] + [(-1.0, 1.0)] * spec.effects
    found = linprog(
        -asked.sum(axis=0),
        A_ub=-asked,
        b_ub=np.zeros(asked.shape[0]),
        bounds=bounds,
        options={"time_limit": _PROGRAM_SECONDS},
    )
    if found.x is None or -found.fun < 1e-7:
        return None
    return np.asarray(found.x[n + (spec.ties == "none") :])
