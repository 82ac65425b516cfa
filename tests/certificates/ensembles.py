"""Weights of predictions against active sets in 1,200 bits, HiGHS, and their own gaps without rounding."""

from __future__ import annotations

import numpy as np
from flint import arb, arb_mat, ctx

from steelyard import weigh
from steelyard.reference import ensembles as reference

from . import truth
from .qp import BITS, Program
from .trials import Claim, trial

EPS = np.finfo(float).eps


class Errors(Program):
    """min mean (P w - y)^2 over the simplex, the Gram matrix of the errors without rounding."""

    def __init__(self, P, y):
        n, k = P.shape
        E = truth.matrix(P) - truth.column(y) * arb_mat([[1] * k])
        self.E = E
        self.n, self.summed = k, True
        self.K, self.q = E.transpose() * E * (arb(2) / n), truth.column(np.zeros(k))
        self.lower, self.upper = [arb(0)] * k, [None] * k
        size = max(float(abs(x).mid()) for row in self.K.table() for x in row) if k else 0.0
        self.ridge = truth.ball(max(size, 1e-300)) * arb(2) ** -700


def unit_of(*arrays):
    """Their largest entry, so that squares do not overflow; 1 where all are 0."""
    return max(float(np.abs(a).max(initial=0)) for a in arrays) or 1.0


def simplex(w):
    """A point whose sum is 1 exactly."""
    x = truth.column(w)
    return x * (1 / sum((v[0] for v in x.table()), arb(0)))


@trial(
    solver="weigh.ensemble_weights",
    states="gap of squared loss",
    kind="rigorous",
    truth="active sets in 1,200 bits",
    zoo="predictions",
    largest=40,
    note="judged against n units of float64 at the size of predictions and targets, as they are before they "
    "are subtracted: a gap at the optimum is what rounding can hide there",
)
def gap_of_squared_loss(instance):
    P, y = instance["P"], instance["y"]
    found = weigh.ensemble_weights(P, y)
    with ctx.workprec(BITS):
        program = Errors(P, y)
        x = simplex(found.weights)
        least = program.value(program.minimum([v[0] for v in x.table()]))
        loss = program.value(x)
        above, size = float((loss - least).mid()), float(loss)
        unit = unit_of(P, y)
        terms = float((((np.abs(P) @ found.weights + np.abs(y)) / unit) ** 2).sum()) * unit**2
        stated = float(abs(loss - truth.ball(found.loss)).mid())
    yield Claim(found.gap, above, 1e-300, EPS * max(size, terms), "gap")
    yield Claim(found.gap + 1e-12 * size, stated, 1e-300, 1e-12 * size, "loss")


@trial(
    solver="weigh.ensemble_weights",
    states="gap of log loss",
    kind="rigorous",
    truth="max_k mean(p_k / p) - 1 without rounding, and expectation-maximisation",
    zoo="predictions",
    largest=40,
    note="the gap is of first order in what is left, the loss of second: near the optimum it is far above it",
)
def gap_of_log_loss(instance):
    rng = instance.rng()
    size = np.abs(instance["P"]).max(axis=1, keepdims=True)
    P = np.exp(-np.abs(instance["P"] / np.where(size > 0, size, 1)) * 10.0 ** rng.uniform(-2, 2))
    P[rng.random(P.shape) < 0.2] = 0.0
    P = P[P.any(axis=1)]
    if not len(P):
        return
    found = weigh.ensemble_weights(P, loss="log")
    with ctx.workprec(BITS):
        x, rows = simplex(found.weights), truth.matrix(P)
        mixed = [v[0] for v in (rows * x).table()]
        means = (arb_mat([[1 / m for m in mixed]]) * rows).table()[0]
        gap = max(float((m / len(P) - 1).mid()) for m in means)
        value = sum((m.log() for m in mixed), arb(0)) / len(P)
        best = truth.matrix(P) * simplex(reference.log_weights(P, 300))
        other = sum((v[0].log() for v in best.table()), arb(0)) / len(P)
        above = float((other - value).mid())
    yield Claim(found.gap, max(gap, 0.0), 1e-300, len(P) * EPS, "gap without rounding")
    yield Claim(found.gap, max(above, 0.0), 1e-300, EPS, "below the best that is known")


@trial(
    solver="weigh.ensemble_weights",
    states="gap of pinball loss",
    kind="rigorous",
    truth="loss of the weights that HiGHS finds",
    zoo="predictions",
    largest=40,
)
def gap_of_pinball_loss(instance):
    P, y, level = instance["P"], instance["y"], instance["level"]
    found = weigh.ensemble_weights(P[:, :, None], y, loss="pinball", levels=[level])
    errors = y[:, None] - P  # of weights with sum 1 they are all that counts
    unit = np.abs(errors).max()
    if unit == 0:
        yield Claim(found.gap, 0.0, 1e-300, EPS, "gap")
        return
    with np.errstate(under="ignore"):
        w = np.maximum(reference.pinball_weights(-errors / unit, np.zeros(len(y)), level)[0], 0)
        least = reference.pinball(errors @ (w / w.sum()), level).mean()
    yield Claim(found.gap, max(found.loss - least, 0.0), 16 * EPS * unit, EPS * unit, "gap")


@trial(
    solver="weigh.expected_performance",
    states="values",
    kind="rigorous",
    truth="all labels, one by one",
    zoo="predictions",
    largest=8,
    note="exact but for rounding: 1e-13 is what is held to",
)
def performance_of_all_labels(instance):
    rng, n = instance.rng(), len(instance["y"])
    p = rng.beta(*10.0 ** rng.uniform(-1, 1, 2), n)
    if n < 2 or not 0 < p.sum() < n:
        return
    p = np.round(p, int(rng.integers(1, 17)))
    if p.max() == 0 or p.min() == 1:
        return
    found = weigh.expected_performance(p, metrics=["f1", "auc"])
    labels = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
    chances = np.where(labels == 1, p, 1 - p).prod(axis=1)
    f1 = chances @ [reference.f1(y, (p >= 0.5).astype(int)) for y in labels]
    yield Claim(1e-13, abs(found["f1"] - f1), 1e-14, 1e-13, "f1")
    yield Claim(1e-13, abs(found["auc"] - reference.expected_auc(p, p)[0]), 1e-14, 1e-13, "auc")


@trial(
    solver="weigh.density_ratio",
    states="info.error_bound of kliep",
    kind="rigorous",
    truth="max_k mean(bump_k / (ratio mean bump_k)) - 1 without rounding",
    zoo="predictions",
    largest=30,
)
def gap_of_kliep(instance):
    rng, P = instance.rng(), instance["P"]
    size = np.abs(P).max()
    top = P / size if size > 0 else P
    bottom = top[rng.integers(0, len(top), len(top))] + 0.3 * rng.normal(size=top.shape)
    found = weigh.density_ratio(top, bottom, scale=10.0 ** rng.uniform(-0.3, 1), n_centres=5, rng=0)
    with ctx.workprec(BITS):
        s = truth.ball(found.width)
        bumps = [
            [[_bump(x, c, s) for c in found.centres.tolist()] for x in rows.tolist()]
            for rows in (top, bottom)
        ]
        means = [sum(column, arb(0)) / len(bottom) for column in zip(*bumps[1], strict=True)]
        heights = [truth.ball(h) for h in found.coefficients]
        total = sum((h * m for h, m in zip(heights, means, strict=True)), arb(0))
        ratio = [sum((h * b for h, b in zip(heights, row, strict=True)), arb(0)) / total for row in bumps[0]]
        gaps = [
            sum((row[k] / r for row, r in zip(bumps[0], ratio, strict=True)), arb(0)) / means[k] / len(top)
            - 1
            for k in range(len(means))
        ]
        gap = max(float(g.mid()) for g in gaps)
    yield Claim(found.info.error_bound, max(gap, 0.0), 64 * EPS * top.shape[1], EPS, "gap")


def _bump(x, c, s):
    return (
        -sum((((truth.ball(a) - truth.ball(b)) / s) ** 2 for a, b in zip(x, c, strict=True)), arb(0)) / 2
    ).exp()
