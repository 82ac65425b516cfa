"""Nearest metrics, projections, clusterings and learned metrics against exact rationals and enumeration.

Costs of metrics are compared as fractions. HiGHS and NNLS only guess which constraints hold with equality:
the point and the duals are then solved for in rationals, and are the truth where they are feasible. Where
not, the cost of a metric made of fractions (closed by shortest paths) stands above the optimum, zero below.
"""

from __future__ import annotations

import functools
import warnings
from fractions import Fraction

import numpy as np
from flint import arb, fmpq, fmpq_mat
from scipy import sparse
from scipy.optimize import linprog, minimize, nnls

from steelyard import metric

from . import truth
from .trials import Claim, trial

EPS = float(np.finfo(float).eps)
TINY = 1e-320  # below it float64 has no digits


# ---- metrics of fractions


class Problem:
    """Measured pairs of n items: `sides[e] = (i, j)`, exact numbers `d` and `w`."""

    def __init__(self, instance, *, weighted, most):
        n = instance["n"]
        i, j = np.triu_indices(n, 1)
        known = np.asarray(instance["known"], dtype=bool)
        self.n = n
        self.D = np.where(known, instance["D"], np.nan)
        self.W = np.array(instance["W"])
        self.sides = list(zip(i[known].tolist(), j[known].tolist(), strict=True))
        self.d = [Fraction(v) for v in self.D[known].tolist()]
        self.w = [Fraction(v) if weighted else Fraction(1) for v in self.W[known].tolist()]
        size = np.abs(instance["D"]).max(initial=0)
        self.fits = 2 <= n <= most and len(self.d) > 0 and 1e-150 <= size <= 1e150
        if weighted and self.fits:
            cost = float(self.W.max()) * size ** (2 if weighted == "squares" else 1) * len(self.d)
            self.fits = cost < 1e300

    def ways(self, i, j):
        return ((i, j), (j, i))

    def options(self, weighted):
        free = {"missing": "free"} if np.isnan(self.D).any() else {}
        return {**free, "weights": self.W} if weighted else free

    def closure(self, lengths):
        """Shortest paths on measured pairs (FW), with the number of pairs and the way of each."""
        far = {(i, i): (Fraction(0), ()) for i in range(self.n)}
        for e, (i, j) in enumerate(self.sides):
            length = max(lengths[e], Fraction(0))
            for pair in self.ways(i, j):
                far[pair] = (length, (e,))
        nodes = range(self.n)
        for k in nodes:
            row = [(j, far[k, j]) for j in nodes if (k, j) in far]
            for i in nodes:
                if (i, k) not in far or i == k:
                    continue
                length, way = far[i, k]
                for j, (more, rest) in row:
                    if (i, j) not in far or length + more < far[i, j][0]:
                        far[i, j] = (length + more, way + rest)
        return [far[side] for side in self.sides]

    def closed(self, lengths):
        return [length for length, _ in self.closure(lengths)]

    def cost(self, x, norm):
        change = [abs(a - b) for a, b in zip(x, self.d, strict=True)]
        if norm == "linf":
            return max(change)
        if norm == "l1":
            return sum(w * c for w, c in zip(self.w, change, strict=True))
        return sum(w * c * c for w, c in zip(self.w, change, strict=True)) / 2

    def cycles(self, lengths):
        """Rows (an edge, then its shorter way) that `lengths` break."""
        rows = [(e, *way) for e, (length, way) in enumerate(self.closure(lengths)) if length < lengths[e]]
        return rows + [(e,) for e, length in enumerate(lengths) if length < 0]

    def excess(self, row):
        if len(row) == 1:
            return -self.d[row[0]]
        return self.d[row[0]] - sum(self.d[e] for e in row[1:])

    def matrix(self, rows):
        A = np.zeros((len(rows), len(self.d)))
        for r, row in enumerate(rows):
            A[r, list(row[1:])] = -1.0
            A[r, row[0]] = 1.0 if len(row) > 1 else -1.0
        return A


class Directed(Problem):
    """Both ways of each pair, of which the second takes the numbers from the end; all are known."""

    def __init__(self, instance, *, most):
        known = np.ones(len(instance["D"]), dtype=bool)
        super().__init__(
            {"n": instance["n"], "D": instance["D"], "W": instance["W"], "known": known},
            weighted="squares",
            most=most,
        )
        i, j = np.triu_indices(self.n, 1)
        self.sides += [(b, a) for a, b in self.sides]
        self.d += self.d[::-1]
        self.w += self.w[::-1]
        D, self.D, W, self.W = self.D, np.zeros((self.n, self.n)), self.W, np.ones((self.n, self.n))
        self.D[i, j], self.D[j, i], self.W[i, j], self.W[j, i] = D, D[::-1], W, W[::-1]

    def ways(self, i, j):
        return ((i, j),)


def solve_rational(rows, right):
    """M x = right, M square and regular, else None."""
    M = fmpq_mat([[_fmpq(v) for v in row] for row in rows])
    if M.det() == 0:
        return None
    x = M.solve(fmpq_mat([[_fmpq(v)] for v in right]))
    return [Fraction(int(x[k, 0].p), int(x[k, 0].q)) for k in range(len(right))]


def _fmpq(value):
    value = Fraction(value)
    return fmpq(value.numerator, value.denominator)


def largest_change(problem):
    """The optimum, exactly: Newton's method on t in fractions."""
    t = max([Fraction(0), *(-v for v in problem.d)])
    while True:
        lengths = [v + t for v in problem.d]
        wanted = t
        for e, (length, way) in enumerate(problem.closure(lengths)):
            if length < problem.d[e] - t:
                wanted = max(wanted, (problem.d[e] - sum(problem.d[f] for f in way)) / (1 + len(way)))
        if wanted == t:
            return t
        t = wanted


def optimum(problem, norm):
    """Exact bounds of the optimum from below and above; equal where an active set was guessed."""
    best = problem.cost(problem.closed(problem.d), norm)
    guess = _active_sum if norm == "l1" else _active_squares
    rows, x, low = [], problem.d, Fraction(0)
    for _ in range(30):
        new = [row for row in problem.cycles(x) if row not in rows]
        if not new:
            break
        rows += new
        found = guess(problem, rows)
        if found is None:
            break
        x, value = found
        low = max(low, value)
        best = min(best, problem.cost(problem.closed(x), norm))
    return low, best


def _scaled(problem, rows):
    """Excesses in units of the largest, weights in units of their middle, both as floats."""
    excess = [problem.excess(row) for row in rows]
    unit = max(excess)
    logarithms = [float(np.log(float(w))) for w in problem.w]
    middle = Fraction(float(np.exp(np.mean(logarithms))))
    return np.array([float(e / unit) for e in excess]), np.array([float(w / middle) for w in problem.w])


def _active_sum(problem, rows):
    """A vertex of min sum w |y|, A y <= -excess, from HiGHS's, and a proven bound of its program."""
    e, w = _scaled(problem, rows)
    A = problem.matrix(rows) / w
    m = len(w)
    exact = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    found = linprog(np.ones(2 * m), np.c_[A, -A], -e, method="highs-ds", options=exact)
    if found.status != 0:
        return None
    z = found.x[:m] - found.x[m:]
    duals = np.maximum(-found.ineqlin.marginals, 0.0)
    moved, held = np.flatnonzero(np.abs(z) > 1e-9), np.flatnonzero(duals > 1e-9)
    # Duals exactly: of pairs that move, the pull is -+ w.
    signs = _exact_matrix(problem, rows)
    if len(moved) != len(held):
        return None
    if not len(moved):
        return list(problem.d), Fraction(0)
    y = solve_rational([[signs[r][c] for c in moved] for r in held], [-problem.excess(rows[r]) for r in held])
    pulls = [-problem.w[c] if z[c] > 0 else problem.w[c] for c in moved]
    lam = solve_rational([[signs[r][c] for r in held] for c in moved], pulls)
    if y is None or lam is None:
        return None
    x = list(problem.d)
    for c, change in zip(moved, y, strict=True):
        x[c] += change
    pull = [sum(v * signs[r][c] for v, r in zip(lam, held, strict=True)) for c in range(m)]
    proven = min(lam) >= 0 and all(abs(p) <= w for p, w in zip(pull, problem.w, strict=True))
    value = sum(v * problem.excess(rows[r]) for v, r in zip(lam, held, strict=True))
    return x, value if proven else Fraction(0)


def _exact_matrix(problem, rows):
    return [[Fraction(int(v)) for v in row] for row in problem.matrix(rows)]


def _active_squares(problem, rows):
    """The nearest point under the rows, from the support of NNLS, and the value of its dual."""
    e, w = _scaled(problem, rows)
    A = problem.matrix(rows)
    B = (A / np.sqrt(w)).T
    # Some right-hand side with A x = excess, as small as can be.
    small = np.linalg.lstsq(B.T, e, rcond=None)[0]
    held = np.flatnonzero(nnls(B, small, maxiter=1000)[0] > 1e-9)
    if not len(held):
        return list(problem.d), Fraction(0)
    signs = [_exact_matrix(problem, [rows[r]])[0] for r in held]
    gram = [
        [sum(a * b / v for a, b, v in zip(p, q, problem.w, strict=True) if a and b) for q in signs]
        for p in signs
    ]
    excess = [problem.excess(rows[r]) for r in held]
    lam = solve_rational(gram, excess)
    if lam is None:
        return None
    pull = [sum(v * s[c] for v, s in zip(lam, signs, strict=True)) for c in range(len(w))]
    x = [d - p / v for d, p, v in zip(problem.d, pull, problem.w, strict=True)]
    gain = sum(v * g for v, g in zip(lam, excess, strict=True))
    value = gain - sum(p * p / v for p, v in zip(pull, problem.w, strict=True)) / 2
    return x, value if min(lam) >= 0 else Fraction(0)


def lower_bound_claim(objective, lower, low, high, about, floor):
    """Against an optimum between two fractions."""
    middle = (low + high) / 2
    return Claim(
        stated=float(Fraction(objective) - Fraction(lower)),
        true=float(Fraction(objective) - middle),
        rounding=max(float((high - low) / 2), TINY),
        floor=floor,
        about=about,
    )


def _nearest(instance, norm, most, weighted):
    problem = Problem(instance, weighted=weighted, most=most)
    if not problem.fits:
        return None
    found = metric.nearest_metric(problem.D, norm=norm, n_threads=1, **problem.options(weighted))
    return problem, found


@trial(
    solver="metric.nearest_metric",
    states="info.lower_bound, norm='linf'",
    kind="rigorous",
    truth="Newton's method on paths in fractions",
    zoo="dissimilarities",
    largest=14,
)
def largest_change_of_a_metric(instance):
    made = _nearest(instance, "linf", 14, "")
    if made is None:
        return
    problem, found = made
    best = largest_change(problem)
    size = float(max(map(abs, problem.d)))
    yield lower_bound_claim(found.objective, found.info.lower_bound, best, best, "", 8 * EPS * size)


@trial(
    solver="metric.nearest_metric",
    states="info.lower_bound, norm='l1'",
    kind="rigorous",
    truth="vertex of a linear program in fractions",
    zoo="dissimilarities",
    largest=9,
)
def sum_of_changes_of_a_metric(instance):
    made = _nearest(instance, "l1", 9, "sums")
    if made is None:
        return
    problem, found = made
    low, high = optimum(problem, "l1")
    size = float(sum(w * abs(d) for w, d in zip(problem.w, problem.d, strict=True)))
    yield lower_bound_claim(found.objective, found.info.lower_bound, low, high, "", 8 * EPS * size)


@trial(
    solver="metric.nearest_metric",
    states="info.lower_bound, norm='l2'",
    kind="rigorous",
    truth="projection onto a face in fractions",
    zoo="dissimilarities",
    largest=9,
)
def least_squares_of_a_metric(instance):
    made = _nearest(instance, "l2", 9, "squares")
    if made is None:
        return
    problem, found = made
    low, high = optimum(problem, "l2")
    # The tolerance is 1e-6 of an answer no smaller than 1e-12 of ||D||^2.
    size = float(sum(w * d * d for w, d in zip(problem.w, problem.d, strict=True)))
    yield lower_bound_claim(found.objective, found.info.lower_bound, low, high, "", 1e-18 * size)


@trial(
    solver="metric.nearest_metric",
    states="info.lower_bound, symmetric=False",
    kind="rigorous",
    truth="projection onto a face in fractions",
    zoo="dissimilarities",
    largest=6,
)
def least_squares_of_a_directed_metric(instance):
    problem = Directed(instance, most=6)
    if not problem.fits:
        return
    found = metric.nearest_metric(problem.D, symmetric=False, weights=problem.W, n_threads=1)
    low, high = optimum(problem, "l2")
    size = float(sum(w * d * d for w, d in zip(problem.w, problem.d, strict=True)))
    yield lower_bound_claim(found.objective, found.info.lower_bound, low, high, "", 1e-18 * size)


# ---- other constraints: the increasing sequence nearest to y


class Increasing:
    """x_0 <= x_1 <= ..., with some sequence that increases."""

    def __init__(self, n):
        self.n = n

    def __call__(self, x):
        k = np.flatnonzero(x[:-1] > x[1:])
        index = np.c_[k, k + 1].ravel()
        A = sparse.csr_array((np.tile([1.0, -1.0], len(k)), index, np.arange(0, 2 * len(k) + 1, 2)),
                             shape=(len(k), self.n))  # fmt: skip
        return A, np.zeros(len(k))

    def feasible(self, x):
        return np.maximum.accumulate(x)


def pooled(y, w):
    """Cost of the nearest increasing sequence: neighbours that violate are pooled, in fractions."""
    blocks = []
    for value, weight in zip(y, w, strict=True):
        p, q = _fmpq(weight), _fmpq(value)
        blocks.append((p, p * q, p * q * q, 1))
        while len(blocks) > 1 and blocks[-2][1] * blocks[-1][0] > blocks[-1][1] * blocks[-2][0]:
            second = blocks.pop()
            blocks[-1] = tuple(a + b for a, b in zip(blocks[-1], second, strict=True))
    cost = sum((s - t * t / p for p, t, s, count in blocks if count > 1), fmpq(0)) / 2
    return Fraction(int(cost.p), int(cost.q))


@trial(
    solver="metric.project_and_forget",
    states="info.lower_bound",
    kind="rigorous",
    truth="pool adjacent violators in fractions",
    zoo="dissimilarities",
    largest=14,
)
def nearest_increasing_sequence(instance):
    y, w = instance["D"], instance["W"]
    size = np.abs(y).max(initial=0)
    if len(y) < 2 or not 1e-140 < size < 1e140:
        return
    found = metric.project_and_forget(y, Increasing(len(y)), w)
    best = pooled(y.tolist(), w.tolist())
    floor = 1e-18 * float(sum(Fraction(v) * Fraction(u) ** 2 for u, v in zip(y, w, strict=True)))
    yield lower_bound_claim(found.objective, found.info.lower_bound, best, best, "", floor)


# ---- clusterings


@functools.cache
def partitions(n):
    """Labels of all partitions of n items."""
    rows = [[0]]
    for _ in range(1, n):
        rows = [[*row, c] for row in rows for c in range(max(row) + 2)]
    return np.array(rows)


def least_cost(c, i, j, n):
    """Of any partition: the cheapest few by float64, in fractions."""
    labels = partitions(n)
    together = labels[:, i] == labels[:, j]
    unit = np.abs(c).max(initial=0) or 1.0
    cost = np.where(together, np.maximum(-c / unit, 0), np.maximum(c / unit, 0)).sum(axis=1)
    near = np.flatnonzero(cost <= cost.min() + 1e-12 * (1 + cost.min()))[:20]
    exact = [Fraction(v) for v in c.tolist()]
    return min(
        sum((abs(v) for v, t in zip(exact, together[row], strict=True) if (v < 0) == t), Fraction(0))
        for row in near
    )


@trial(
    solver="metric.correlation_clustering",
    states="lower_bound",
    kind="rigorous",
    truth="all partitions, costs in fractions",
    zoo="graphs",
    largest=8,
)
def cost_of_a_clustering(instance):
    n, c = instance["n"], np.asarray(instance["weight"], dtype=float)
    if not 2 <= n <= 8 or not len(c) or not 1e-150 <= np.abs(c).max() <= 1e150:
        return
    i, j = instance["u"], instance["v"]
    S = np.zeros((n, n))
    S[i, j] = S[j, i] = c
    best = least_cost(c, i, j, n)
    for relax in (True, False):
        found = metric.correlation_clustering(S, formulation="signed", relax=relax, rng=0, n_threads=1)
        floor = 4 * EPS * float(np.abs(c).sum()) + 0.01 * float(best)
        yield lower_bound_claim(found.cost, found.lower_bound, best, best, f"relax={relax}", floor)


# ---- violations, and learned metrics


@trial(
    solver="metric.violations",
    states="largest, up to two roundings",
    kind="rigorous",
    truth="all triangles in fractions",
    zoo="dissimilarities",
    largest=14,
)
def largest_excess(instance):
    n = instance["n"]
    if n < 3 or not 1e-150 <= np.abs(instance["D"]).max() <= 1e150:
        return
    report = metric.violations(instance["D"])
    square = np.zeros((n, n))
    square[np.triu_indices(n, 1)] = instance["D"]
    exact = [[Fraction(v) for v in row] for row in (square + square.T).tolist()]
    excess = max(
        exact[i][j] - exact[i][k] - exact[j][k]
        for i in range(n) for j in range(i) for k in range(n) if k not in (i, j)
    )  # fmt: skip
    largest = float(np.abs(instance["D"]).max())
    yield Claim(
        stated=2 * EPS * largest,
        true=float(abs(Fraction(report.largest) - max(excess, Fraction(0)))),
        floor=2 * EPS * largest,
    )


def log_det_objective(A, v, similar, near, far, gamma):
    """LogDet divergence from the identity plus gamma times that of the best slacks, in balls."""
    M = truth.matrix(A)
    total = sum((M[k, k] for k in range(len(A))), arb(0)) - M.det().log() - len(A)
    for row, kind in zip(v.tolist(), similar, strict=True):
        x = truth.column(row)
        p, b = truth.inner(x, M * x), truth.ball(near if kind else far) ** 2
        if (p > b) == bool(kind):
            total += truth.ball(gamma) * (p / b - (p / b).log() - 1)
    return total


@trial(
    solver="metric.ITML, metric.ITMLSupervised",
    states="info_.lower_bound",
    kind="rigorous",
    truth="BFGS, its objective in 256-bit balls",
    zoo="points",
    largest=16,
    share=0.5,
)
def log_det_of_a_learned_metric(instance):
    X, rng = np.asarray(instance["X"], dtype=float), instance.rng()
    if len(X) < 3 or X.shape[1] > 3:
        return
    size = np.abs(X - X[0]).max()
    if not 1e-100 < size < 1e100:
        return
    first, second = np.triu_indices(len(X), 1)
    pairs = np.stack([X[first], X[second]], axis=1)
    kinds = np.where(rng.random(len(pairs)) < 0.5, 1, -1)
    bounds = (0.3 * size, 0.8 * size)
    model = metric.ITML(tol=1e-4, max_iter=200, random_state=0).fit(pairs, kinds, bounds)
    yield log_det_claim(model, pairs, kinds, bounds)
    labels = rng.integers(0, 2, len(X))
    if len(set(labels)) == 2:
        model = metric.ITMLSupervised(n_constraints="all", tol=1e-4, max_iter=200, random_state=0)
        kinds = np.where(labels[first] == labels[second], 1, -1)
        yield log_det_claim(model.fit(X, labels, bounds=bounds), pairs, kinds, bounds)


def log_det_claim(model, pairs, kinds, bounds):
    # In units of the far bound: the prior and the data scale together.
    far, near = 1.0, bounds[0] / bounds[1]
    v = pairs[:, 0] - pairs[:, 1]
    apart = np.abs(v).max(axis=1) > 0
    v, similar = v[apart] / bounds[1], kinds[apart] == 1
    d = pairs.shape[2]
    lower = np.tril_indices(d)

    def factor(z):
        L = np.zeros((d, d))
        L[lower] = z
        return L

    def value(z):
        A = factor(z) @ factor(z).T
        sign, log = np.linalg.slogdet(A)
        if sign <= 0:
            return 1e300
        p, b = np.einsum("ck,kl,cl->c", v, A, v), np.where(similar, near, far) ** 2
        xi = np.maximum(np.where(similar, np.maximum(p, b), np.minimum(p, b)), 1e-300)
        return np.trace(A) - log - d + (xi / b - np.log(xi / b) - 1).sum()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        best = minimize(value, np.linalg.cholesky(model.get_mahalanobis_matrix() + 1e-12 * np.eye(d))[lower])
    A = factor(best.x) @ factor(best.x).T
    high = float(log_det_objective(A, v, similar, near, far, 1.0).mid())
    info = model.info_
    return Claim(
        stated=info.objective - info.lower_bound,
        true=info.objective - high,
        rounding=1e-13 * max(abs(high), 1.0),
        floor=1e-4 * max(info.objective, 1.0),
    )
