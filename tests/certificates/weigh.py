"""Weightings, magnitudes and diversities against solves in ball arithmetic."""

from __future__ import annotations

import numpy as np
from flint import arb, arb_mat

from steelyard import weigh

from . import truth
from .trials import Claim, trial

EPS = np.finfo(float).eps


def distinct_magnitude(X, scale):
    """1' Z^-1 1 of the distinct rows, as a ball."""
    rows = np.unique(np.asarray(X, dtype=float), axis=0)
    points = [[truth.ball(x) for x in row] for row in rows.tolist()]
    t = truth.ball(scale)

    def similarity(a, b):
        return (-t * sum(((x - y) ** 2 for x, y in zip(a, b, strict=True)), arb(0)).sqrt()).exp()

    Z = arb_mat(
        [[arb(1) if i == j else similarity(a, b) for j, b in enumerate(points)] for i, a in enumerate(points)]
    )
    ones = arb_mat([[1]] * len(rows))
    return truth.inner(ones, Z.solve(ones))


@trial(
    solver="weigh.weighting",
    states="info.lower_bound, info.error_bound",
    kind="estimate",
    truth="solve in 256-bit balls",
    zoo="points",
    largest=30,
)
def euclidean_magnitude(instance):
    X, rng = instance["X"], instance.rng()
    size = float(np.abs(X - X[0]).max()) or 1.0
    scale = float(10.0 ** rng.uniform(-3, 2)) / size
    if not 1e-290 < scale < 1e290:
        return
    found = weigh.weighting(X, scale=scale)
    info = found.info
    if info.lower_bound is None or info.error_bound is None:
        yield Claim(None, np.nan, reason=info.message)
        return
    exact = distinct_magnitude(X, scale)
    if not exact.rel_accuracy_bits() > 60:  # points nearer than 256 bits can tell
        return
    below = float((exact - truth.ball(info.lower_bound)).mid())
    yield Claim(
        stated=info.error_bound,
        true=abs(below),
        rounding=abs(float(exact.mid())) * EPS,
        about=f"scale {scale!r}",
    )
