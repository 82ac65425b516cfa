"""Weightings, magnitudes and diversities against solves in ball arithmetic and closed forms."""

from __future__ import annotations

import math
import warnings
from contextlib import contextmanager
from fractions import Fraction

import flint
import numpy as np
from flint import arb, arb_mat

from steelyard import ConvergenceWarning, _core, weigh

from . import truth
from .trials import Claim, trial

EPS = np.finfo(float).eps
BITS = {"cosine": 1600}  # near-copies of a smooth kernel are near-copies of a singular one
METRICS = ("euclidean", "cityblock", "minkowski(1.5)", "cosine", "angular")


@contextmanager
def precision(bits):
    """Balls of so many bits within."""
    before, flint.ctx.prec = flint.ctx.prec, bits
    try:
        yield
    finally:
        flint.ctx.prec = before


# ---- distances in balls


def unit(row):
    length = sum((x * x for x in row), arb(0)).sqrt()
    return [x / length for x in row]


def distance(a, b, metric):
    gaps = [x - y for x, y in zip(a, b, strict=True)]
    if metric == "cityblock":
        return sum((abs(g) for g in gaps), arb(0))
    if metric.startswith("minkowski"):
        p = arb(metric[10:-1])
        powers = [abs(g) ** p if g != 0 else arb(0) for g in gaps]
        return sum(powers, arb(0)) ** (1 / p)
    squared = sum((g * g for g in gaps), arb(0))
    if metric == "euclidean":
        return squared.sqrt()
    if metric == "cosine":
        return squared / 2
    both = sum(((x + y) ** 2 for x, y in zip(a, b, strict=True)), arb(0))
    return 2 * arb.atan2(squared.sqrt(), both.sqrt())


def key(row, metric):
    """What rows of distance 0 have in common."""
    numbers = [Fraction(x) for x in row]
    if metric not in ("cosine", "angular"):
        return tuple(numbers)
    largest = max(abs(x) for x in numbers)
    return tuple(x / largest for x in numbers)


class Exact:
    """Distinct points and their Z in balls."""

    def __init__(self, X, metric, scale):
        rows = np.asarray(X, dtype=float).tolist()
        self.first, self.group = {}, []
        for row in rows:
            self.group.append(self.first.setdefault(key(row, metric), len(self.first)))
        chosen = [rows[self.group.index(g)] for g in range(len(self.first))]
        points = [[arb(x) for x in row] for row in chosen]
        if metric in ("cosine", "angular"):
            points = [unit(p) for p in points]
        t = arb(scale)
        n = len(points)
        Z = [[arb(1)] * n for _ in range(n)]
        for i in range(n):
            for j in range(i):
                Z[i][j] = Z[j][i] = (-t * distance(points[i], points[j], metric)).exp()
        self.n, self.Z = n, arb_mat(Z)

    def weights(self):
        return self.Z.solve(arb_mat([[1]] * self.n))

    def magnitude(self):
        w = self.weights()
        return sum((w[i, 0] for i in range(self.n)), arb(0))


def drawn(instance, metrics=METRICS):
    """(X, metric, scale) of an instance; None where there is nothing to ask."""
    rng, X = instance.rng(), np.asarray(instance["X"], dtype=float)
    metric = str(rng.choice(metrics))
    if metric in ("cosine", "angular"):
        X = X[np.abs(X).max(axis=1) > 0]
        size = 1.0
    else:
        size = float(np.abs(X - X[:1]).max(initial=0)) or 1.0
    scale = float(10.0 ** rng.uniform(-3, 2)) / size
    if not len(X) or not 1e-290 < scale < 1e290 or np.abs(X).max() > 1e150:
        return None
    return X, metric, scale


def solved(X, metric, scale, ask):
    """What `ask` says of the exact space, or None where even the balls are too wide."""
    with precision(BITS.get(metric, truth.BITS)):
        try:
            found = ask(Exact(X, metric, scale))
        except ZeroDivisionError:
            return None
    return found if found.rel_accuracy_bits() > 60 else None


def quiet(ask, *args, **options):
    """(answer, what it warns of)."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = ask(*args, **options)
    return found, "; ".join(str(w.message) for w in caught if issubclass(w.category, ConvergenceWarning))


METHODS = ("auto", "auto", "cholesky", "mixed", "cg")


@trial(
    solver="weigh.weighting",
    states="info.lower_bound",
    kind="rigorous",
    truth="solve in balls of 256 to 1,600 bits",
    zoo="points",
    largest=20,
)
def never_above_the_magnitude(instance):
    made = drawn(instance)
    exact = None if made is None else solved(*made, Exact.magnitude)
    if exact is None:
        return
    X, metric, scale = made
    method = str(instance.rng().permutation(METHODS)[0])
    found, _ = quiet(weigh.weighting, X, metric=metric, scale=scale, method=method)
    info, size = found.info, float(exact.mid())
    about = f"{metric} {method} scale {scale!r}"
    if info.lower_bound is None:
        yield Claim(None, np.nan, reason=info.message, about=about)
        return
    yield Claim(
        stated=max(found.magnitude - info.lower_bound, 0.0),
        true=float((arb(found.magnitude) - exact).mid()),
        rounding=size * EPS,
        floor=100 * size * EPS,
        about=about,
    )


@trial(
    solver="weigh.weighting",
    states="info.error_bound",
    kind="estimate",
    truth="solve in balls of 256 to 1,600 bits",
    zoo="points",
    largest=20,
    note="None where 106 bits don't tell all points apart",
)
def how_far_above_the_lower_bound(instance):
    made = drawn(instance)
    exact = None if made is None else solved(*made, Exact.magnitude)
    if exact is None:
        return
    X, metric, scale = made
    method = str(instance.rng().permutation(METHODS)[0])
    found, _ = quiet(weigh.weighting, X, metric=metric, scale=scale, method=method)
    info, size = found.info, float(exact.mid())
    about = f"{metric} {method} scale {scale!r}"
    if info.error_bound is None:
        yield Claim(None, np.nan, reason=info.message, about=about)
        return
    above = float((exact - arb(info.lower_bound)).mid())
    yield Claim(info.error_bound, abs(above), rounding=size * EPS, floor=100 * size * EPS, about=about)


@trial(
    solver="weigh.weighting",
    states="info.weight_error",
    kind="estimate",
    truth="solve in balls of 256 to 1,600 bits",
    zoo="points",
    largest=20,
)
def how_far_single_weights_are(instance):
    made = drawn(instance)
    if made is None:
        return
    X, metric, scale = made
    with precision(BITS.get(metric, truth.BITS)):
        exact = Exact(X, metric, scale)
        try:
            w = exact.weights()
        except ZeroDivisionError:
            return
        values = [w[i, 0] for i in range(exact.n)]
        if min(v.rel_accuracy_bits() for v in values) < 60:
            return
        method = str(instance.rng().permutation(METHODS)[0])
        found, _ = quiet(weigh.weighting, X, metric=metric, scale=scale, method=method)
        sums = np.bincount(exact.group, found.weights, exact.n)
        gaps = [float((v - arb(float(s))).mid()) for v, s in zip(values, sums, strict=True)]
        size = math.hypot(*(float(v.mid()) for v in values))
    info = found.info
    if info.weight_error is None or info.merged > len(X) - exact.n:
        yield Claim(None, np.nan, reason="not looked at, or near-copies merged")
        return
    floor = 4 * EPS * size * math.sqrt(exact.n)
    about = f"{metric} {method} scale {scale!r}"
    yield Claim(info.weight_error, math.hypot(*gaps), rounding=floor, floor=100 * floor, about=about)


@trial(
    solver="weigh.magnitude",
    states="relative error at most tol, or a ConvergenceWarning",
    kind="estimate",
    truth="solve in balls of 256 to 1,600 bits",
    zoo="points",
    largest=20,
)
def magnitude_to_its_tolerance(instance):
    made = drawn(instance)
    exact = None if made is None else solved(*made, Exact.magnitude)
    if exact is None:
        return
    X, metric, scale = made
    value, said = quiet(weigh.magnitude, X, metric=metric, scale=scale)
    size = float(exact.mid())
    if said:
        yield Claim(None, np.nan, reason=said, about=metric)
        return
    true = abs(float((exact - arb(value)).mid()))
    yield Claim(1e-8 * size, true, rounding=size * EPS, floor=1e-8 * size, about=f"{metric} scale {scale!r}")


@trial(
    solver="weigh.magnitude_function",
    states="info.error_bound, relative",
    kind="estimate",
    truth="solve in balls of 256 to 1,600 bits",
    zoo="points",
    largest=12,
    share=0.5,
)
def function_at_each_scale(instance):
    made = drawn(instance)
    if made is None:
        return
    X, metric, scale = made
    scales = scale * np.array([0.1, 1.0, 7.0])
    found, said = quiet(weigh.magnitude_function, X, scales, metric=metric)
    bound = found.info.error_bound
    if bound is None:
        yield Claim(None, np.nan, reason=said or found.info.message)
        return
    for t, value in zip(found.scales.tolist(), found.magnitudes.tolist(), strict=True):
        exact = solved(X, metric, t, Exact.magnitude)
        if exact is not None:
            size = float(exact.mid())
            true = abs(float((exact - arb(value)).mid())) / size
            yield Claim(bound, true, rounding=EPS, floor=100 * EPS, about=f"{metric} scale {t!r}")


@trial(
    solver="weigh.magnitude_distance",
    states="error at most tol of the three magnitudes, or a ConvergenceWarning",
    kind="estimate",
    truth="solves in balls of 256 to 1,600 bits",
    zoo="points",
    largest=16,
    share=0.5,
)
def distance_of_two_halves(instance):
    made = drawn(instance)
    if made is None or len(made[0]) < 2:
        return
    X, metric, scale = made
    half = len(X) // 2
    parts = X, X[:half], X[half:]
    sizes = [solved(part, metric, scale, Exact.magnitude) for part in parts]
    if None in sizes:
        return
    value, said = quiet(weigh.magnitude_distance, X[:half], X[half:], metric=metric, scale=scale)
    if said:
        yield Claim(None, np.nan, reason=said)
        return
    exact, whole = 2 * sizes[0] - sizes[1] - sizes[2], float((2 * sizes[0] + sizes[1] + sizes[2]).mid())
    true = abs(float((exact - arb(value)).mid()))
    yield Claim(1e-8 * whole, true, rounding=whole * EPS, floor=1e-8 * whole, about=f"{metric} {scale!r}")


# ---- far fields


@trial(
    solver="weigh.weighting",
    states="info.residual + info.residual_error",
    kind="rigorous",
    truth="all pairs in extended precision",
    zoo="points",
    largest=300,
    note="by the far field; and of its products at a few nodes row by row",
)
def residuals_of_a_far_field(instance):
    made = drawn(instance, ("euclidean",))
    if made is None:
        return
    X, _, scale = made
    X = np.ascontiguousarray(X[:, : 1 + int(instance.rng().integers(2))])
    found, said = quiet(weigh.weighting, X, scale=scale, method="far", tol=1e-6)
    Z = similarities(X, scale)
    w = found.weights.astype(np.longdouble)
    _, first = np.unique(X, axis=0, return_index=True)
    true = float(np.sqrt(np.mean((1 - Z @ w)[first] ** 2)))
    reach = float(np.abs(X).max()) * scale
    rounding = (len(X) + 8 + 4 * reach) * EPS * float(np.abs(w).sum())
    if found.info.merged != len(X) - len(first):
        yield Claim(None, np.nan, reason=said or "near-copies merged")
        return
    yield Claim(found.info.residual + found.info.residual_error, true, rounding, 1e-6, f"scale {scale!r}")
    v = instance.rng().choice([-1.0, 1.0], len(X))
    unit = 2.0 ** np.frexp(np.abs(X).max())[1]  # the kernels are given points of a size near 1
    for p in (3, 5):
        y, _, largest, _ = _core.testing._far_field_product(X / unit, v, p, scale * unit)
        off = float(np.abs(y - Z @ v.astype(np.longdouble)).max())
        rounding = (len(X) + 8 + 4 * reach) * EPS * len(X)
        yield Claim(largest, off, rounding, np.inf, f"{p} nodes, scale {scale!r}")


@trial(
    solver="weigh.weighting",
    states="info.residual with certify=True, three features",
    kind="rigorous",
    truth="all pairs in extended precision",
    zoo="points",
    largest=200,
    note="by the far field; `certify` proves what is an estimate without it",
)
def residuals_proven_in_three_dimensions(instance):
    made = drawn(instance, ("euclidean",))
    if made is None:
        return
    X, _, scale = made
    X = np.ascontiguousarray(np.resize(X.T, (3, len(X))).T)
    found, said = quiet(weigh.weighting, X, scale=scale, method="far", tol=1e-6, certify=True)
    info = found.info
    _, first = np.unique(X, axis=0, return_index=True)
    if info.merged != len(X) - len(first) or info.residual_kind != "rigorous":
        yield Claim(None, np.nan, reason=said or "near-copies merged, or not proven")
        return
    w = found.weights.astype(np.longdouble)
    true = float(np.sqrt(np.mean((1 - similarities(X, scale) @ w)[first] ** 2)))
    reach = float(np.abs(X).max()) * scale
    rounding = (len(X) + 8 + 4 * reach) * EPS * float(np.abs(w).sum())
    yield Claim(info.residual + info.residual_error, true, rounding, 1e-6, f"scale {scale!r}")


def similarities(X, scale):
    """Z in extended precision."""
    wide = X.astype(np.longdouble)
    gaps = wide[:, None] - wide
    return np.exp(-np.longdouble(scale) * np.sqrt((gaps * gaps).sum(axis=2)))


# ---- given similarities


@trial(
    solver="weigh.solve_similarity",
    states="info.weight_error",
    kind="estimate",
    truth="solve in balls of 256 bits",
    zoo="points",
    largest=20,
)
def weights_of_given_similarities(instance):
    made = drawn(instance, ("euclidean",))
    if made is None:
        return
    X, _, scale = made
    rng = instance.rng()
    D = np.linalg.norm(X[:, None] - X, axis=2)
    Z = np.exp(-scale * D)
    if rng.random() < 0.5:
        Z = Z * rng.uniform(0.5, 1.0, Z.shape)
        np.fill_diagonal(Z, 1.0)
    found, _ = quiet(weigh.solve_similarity, Z)
    info = found.info
    if found.weighting is None or info.weight_error is None or info.rank < len(Z):
        yield Claim(None, np.nan, reason=info.message or "singular to rounding")
        return
    try:
        w = truth.matrix(Z).solve(arb_mat([[1]] * len(Z)))
    except ZeroDivisionError:
        return
    values = [w[i, 0] for i in range(len(Z))]
    if min(v.rel_accuracy_bits() for v in values) < 60:
        return
    gaps = [abs(float((v - arb(x)).mid())) for v, x in zip(values, found.weighting.tolist(), strict=True)]
    size = max(abs(float(v.mid())) for v in values)
    yield Claim(info.weight_error * size, max(gaps), rounding=EPS * size, floor=100 * EPS * size)


# ---- greatest diversity


@trial(
    solver="weigh.max_diversity",
    states="gap: the maximum is at most magnitude / (1 - gap * magnitude)^2",
    kind="rigorous",
    truth="the solution on its support in balls, its optimality checked there",
    zoo="points",
    largest=20,
    note="and 64 n units of float64, as p'Zp is a sum of n^2 terms",
)
def diversity_and_its_gap(instance):
    made = drawn(instance, ("euclidean", "cityblock", "angular"))
    if made is None:
        return
    X, metric, scale = made
    found, said = quiet(weigh.max_diversity, X, metric=metric, scale=scale)
    with precision(truth.BITS):
        exact = Exact(X, metric, scale)
        best = best_diversity(exact, found.distribution)
    if best is None:
        return
    size = float(best.mid())
    share = found.gap * found.magnitude
    if not share < 1:
        yield Claim(None, np.nan, reason=said or "the gap says nothing")
        return
    yield Claim(
        stated=found.magnitude / (1 - share) ** 2 - found.magnitude + 64 * exact.n * EPS * size,
        true=float((best - arb(found.magnitude)).mid()),
        rounding=EPS * size,
        floor=64 * exact.n * EPS * size,
        about=f"{metric} scale {scale!r}",
    )


def best_diversity(exact, distribution):
    """1 / min p'Zp by the weighting of a support that balls prove optimal; None where they can't."""
    masses = np.bincount(exact.group, distribution, exact.n)
    support = [i for i in range(exact.n) if masses[i] > 0]
    for _ in range(2 * exact.n):
        part = arb_mat([[exact.Z[i, j] for j in support] for i in support])
        try:
            w = part.solve(arb_mat([[1]] * len(support)))
        except ZeroDivisionError:
            return None
        negative = [i for k, i in enumerate(support) if w[k, 0] < 0]
        if negative:
            support = [i for i in support if i not in negative[:1]]
            continue
        if not all(w[k, 0] > 0 for k in range(len(support))):
            return None
        potential = [
            sum((exact.Z[i, j] * w[k, 0] for k, j in enumerate(support)), arb(0)) for i in range(exact.n)
        ]
        outside = [i for i in range(exact.n) if i not in support]
        low = [i for i in outside if potential[i] < 1]
        if low:
            support = sorted([*support, min(low, key=lambda i: float(potential[i].mid()))])
            continue
        if not all(potential[i] > 1 for i in outside):
            return None
        return sum((w[k, 0] for k in range(len(support))), arb(0))
    return None
