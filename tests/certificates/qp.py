"""Quadratic programs over a simplex or box against an active-set method in 1,200 bits."""

from __future__ import annotations

import warnings

import numpy as np
from flint import arb, arb_mat, ctx
from scipy.optimize import lsq_linear

from steelyard import _core, weigh
from steelyard.reference import balance as reference

from . import truth
from .trials import Claim, trial

EPS = np.finfo(float).eps
BITS = 1200  # 1e150 beside 1e-150, and digits to spare


class Program:
    """min x'Kx / 2 - q'x over lower <= x <= upper, and sum x as given unless None."""

    def __init__(self, K, q, lower, upper, summed):
        self.n, self.summed = len(q), summed
        self.K, self.q = truth.matrix(K), truth.column(q)
        self.lower = [truth.ball(v) for v in lower]
        self.upper = [truth.ball(v) if np.isfinite(v) else None for v in upper]
        size = max(float(np.abs(K).max(initial=0)), 1e-300)
        self.ridge = truth.ball(size) * arb(2) ** -700  # makes faces definite; less than can be seen

    def value(self, x):
        return (truth.inner(x, self.K * x) / 2 - truth.inner(self.q, x)).mid()

    def slope(self, x):
        return self.K * x - self.q

    def gap(self, x):
        """g'x - min g's over feasible s."""
        g = [v[0].mid() for v in self.slope(x).table()]
        at = [v[0] for v in x.table()]
        if not self.summed:
            ends = [self.lower[i] if g[i] > 0 else self.upper[i] for i in range(self.n)]
            return sum((g[i] * (at[i] - ends[i]) for i in range(self.n)), arb(0)).mid()
        best, rest = list(self.lower), (sum(at, arb(0)) - sum(self.lower, arb(0))).mid()
        for i in sorted(range(self.n), key=lambda i: _Key(g[i])):
            room = rest if self.upper[i] is None else self.upper[i] - self.lower[i]
            part = room if room < rest else rest
            best[i] += part
            rest = (rest - part).mid()
        return sum((g[i] * (at[i] - best[i]) for i in range(self.n)), arb(0)).mid()

    def face(self, x, free):
        """The minimum over the coordinates in `free`, the others held; and the slope common to them."""
        m, rows = len(free), self.slope(x)
        system = [[self.K[i, j] + (self.ridge if i == j else 0) for j in free] for i in free]
        right = [[-rows[i, 0]] for i in free]
        if self.summed:
            system = [[*row, arb(1)] for row in system] + [[arb(1)] * m + [arb(0)]]
            right.append([arb(0)])
        step = truth.middle(arb_mat(system)).solve(truth.middle(arb_mat(right)), algorithm="approx")
        return [step[k, 0].mid() for k in range(m)]

    def minimum(self, start, most=400):
        """Active sets from a feasible point: to the least value on a face, or the first bound on the way."""
        x = truth.column(start)
        at = [v[0] for v in x.table()]
        free = [i for i in range(self.n) if self._inside(at, i)]
        for _ in range(most):
            x = truth.column(at)
            if free:
                step = self.face(x, free)
                length, stop = arb(1), None
                for k, i in enumerate(free):
                    bound = self.lower[i] if step[k] < 0 else self.upper[i]
                    if bound is not None and step[k] != 0 and (bound - at[i]) / step[k] < length:
                        length, stop = ((bound - at[i]) / step[k]).mid(), i
                for k, i in enumerate(free):
                    at[i] = (at[i] + length * step[k]).mid()
                if stop is not None:
                    at[stop] = self.lower[stop] if step[free.index(stop)] < 0 else self.upper[stop]
                    free.remove(stop)
                    continue
            enters = self._entering(truth.column(at), at, free)
            if enters is None:
                break
            free = sorted({*free, *enters})
        return truth.column(at)

    def _inside(self, at, i):
        return at[i] > self.lower[i] and (self.upper[i] is None or at[i] < self.upper[i])

    def _entering(self, x, at, free):
        """A held coordinate (a pair, where the sum is held and none is free) that lowers the value."""
        g = [v[0].mid() for v in self.slope(x).table()]
        level = g[free[0]] if free and self.summed else arb(0)
        held = [i for i in range(self.n) if i not in free]
        up = [i for i in held if self.upper[i] is None or at[i] < self.upper[i]]
        down = [i for i in held if at[i] > self.lower[i]]
        tiny = self.ridge * 1000
        if self.summed and not free:
            if not up or not down:
                return None
            i, j = min(up, key=lambda i: _Key(g[i])), max(down, key=lambda i: _Key(g[i]))
            return [i, j] if i != j and g[i] < g[j] - tiny else None
        gains = [(level - g[i], i) for i in up] + [(g[i] - level, i) for i in down]
        if not gains:
            return None
        gain, i = max(gains, key=lambda pair: _Key(pair[0]))
        return [i] if gain > tiny else None


class _Key:
    """Order of balls by their middles."""

    def __init__(self, value):
        self.value = value.mid()

    def __lt__(self, other):
        return bool(self.value < other.value)


def negative_curvature(K, summed):
    """How far the least eigenvalue on the feasible directions lies below zero, with its own rounding."""
    n = len(K)
    size = np.abs(K).max(initial=0)
    if size == 0 or n == 1:
        return 0.0
    centre = np.eye(n) - (1.0 / n if summed else 0.0)
    return float(max(0.0, -np.linalg.eigvalsh(centre @ (K / size) @ centre).min())) * size


@trial(
    solver="weigh.solve_simplex_qp",
    states="gap, info.error_bound, the sum of x",
    kind="rigorous",
    truth="active sets in 1,200 bits",
    zoo="programs",
    largest=25,
    note="where rounding has made K indefinite, up to that curvature times |x - optimum|^2 / 2",
)
def gap_of_programs(instance):
    K, q, lower, upper, total = (instance[key] for key in ("K", "q", "lower", "upper", "total"))
    summed = bool(np.isfinite(total))
    bent = negative_curvature(K, summed)
    found = weigh.solve_simplex_qp(K, q, lower=lower, upper=upper, total=float(total) if summed else None)
    if not found.info.convex or bent > 1e-9 * np.abs(K).max():
        yield Claim(None, np.nan, reason="K is indefinite on the feasible directions")
        return
    with ctx.workprec(BITS):
        program = Program(K, q, lower, upper, summed)
        x = truth.column(found.x)
        y = program.minimum(found.x.tolist())
        above = program.value(x) - program.value(y)
        parts = truth.inner(x, program.K * x) / 2 + abs(truth.inner(program.q, x))
        away = float(truth.inner(x - y, x - y).mid())
        slack = float(bent * away / 2 + abs(float(parts.mid())) * 2.0**-1000)
        off = abs(sum((v[0] for v in x.table()), arb(0)) - truth.ball(total)) if summed else arb(0)
        parts = parts.mid()
        relative = float((above / parts).mid()) if parts > 0 else 0.0
        size = float(parts)
        above = float(above)
    if not np.isfinite(size):
        yield Claim(None, np.nan, reason="the objective is beyond float64")
        return
    yield Claim(found.gap, above, slack, EPS * size, "gap")
    if size > 1e-290:  # else the objective is nothing in float64
        yield Claim(found.info.error_bound, relative, slack / size if size > 0 else 0.0, EPS, "relative gap")
    if summed:
        stated = 8 * EPS * (abs(total) + float(np.abs(found.x).sum()))
        yield Claim(stated, float(off), floor=stated, about="sum")


def kernel_balls(X, kernel):
    """The kernel of scale 1 of points as they are."""
    rows = [[arb(v) for v in row] for row in np.asarray(X, dtype=float).tolist()]
    shape = {
        "energy": lambda r: -r,
        "laplacian": lambda r: (-r).exp(),
        "gaussian": lambda r: (-r * r / 2).exp(),
        "matern32": lambda r: (1 + arb(3).sqrt() * r) * (-arb(3).sqrt() * r).exp(),
        "matern52": lambda r: (1 + arb(5).sqrt() * r + 5 * r * r / 3) * (-arb(5).sqrt() * r).exp(),
    }[kernel]

    def entry(a, b):
        return shape(sum(((x - y) ** 2 for x, y in zip(a, b, strict=True)), arb(0)).sqrt()).mid()

    return arb_mat([[entry(a, b) for b in rows] for a in rows])


@trial(
    solver="weigh.solve_simplex_qp",
    states="gap of points under a kernel, held and by blocks",
    kind="rigorous",
    truth="kernels in balls, active sets in 1,200 bits",
    zoo="points",
    largest=16,
)
def gap_of_kernel_programs(instance):
    X = np.asarray(instance["X"], dtype=float)
    n = len(X)
    if np.abs(X).max() > 1e12:
        yield Claim(None, np.nan, reason="points far beyond the scale of the kernel")
        return
    kernel = ("energy", "laplacian", "gaussian", "matern32", "matern52")[n % 5]
    q = np.cos(np.arange(n) + X[:, 0] / (1 + np.abs(X[:, 0]))) / 8
    held = weigh.solve_simplex_qp(X, q, kernel=kernel, tol=1e-8)
    swept = _core.linalg._kernel_qp(
        X, kernel, 1.0, -q, np.full(n, np.inf), None, np.ones(1), None, None, 1e-8,
        direct=1, block=4, finish=0, max_sweeps=6,
    )  # fmt: skip
    with ctx.workprec(BITS):
        program = Program(np.eye(n), q, np.zeros(n), np.full(n, np.inf), True)
        program.K = kernel_balls(X, kernel)
        for x, gap, about in ((held.x, held.gap, "held"), (swept["w"], swept["gap"], "blocks")):
            at = truth.column(x)
            y = program.minimum(x.tolist())
            above = float((program.value(at) - program.value(y)).mid())
            parts = abs(float(program.value(at))) + abs(float(truth.inner(program.q, at).mid()))
            yield Claim(gap, above, 1e-30, EPS * parts, about)


# ---- balancing weights


def part(K, rows, cols):
    return arb_mat([[K[int(i), int(j)] for j in cols] for i in rows])


def program_of(K, own, target, v, upper):
    """min w'Kw / 2 - (Kv)'w over the simplex with a bound, K in balls; and v'Kv."""
    m = len(own)
    program = Program(np.zeros((m, m)), np.zeros(m), np.zeros(m), np.full(m, upper), True)
    program.K = truth.middle(part(K, own, own))
    program.q = truth.middle(part(K, own, target) * v)
    size = max(float(abs(program.K[i, j].mid())) for i in range(m) for j in range(m))
    program.ridge = truth.ball(max(size, 1e-300)) * arb(2) ** -700
    constant = truth.inner(v, part(K, target, target) * v).mid()
    return program, constant


def shares(weights):
    """As a column that sums to 1 in balls."""
    total = sum((truth.ball(w) for w in weights), arb(0)).mid()
    return arb_mat([[(truth.ball(w) / total).mid()] for w in weights])


def gap_of_weights(K, own, target, v, w, upper):
    """How far weights are above the least discrepancy, and the size of its terms."""
    program, constant = program_of(K, own, target, v, upper)
    x = shares(w)
    y = program.minimum([float(z[0].mid()) for z in x.table()])
    above = 2 * (program.value(x) - program.value(y))
    return float(above.mid()), abs(float(constant)) + abs(float(truth.inner(program.q, x).mid()))


@trial(
    solver="weigh.balance",
    states="gap: how far the imbalance is above the least",
    kind="rigorous",
    truth="active sets on exact distances in 1,200 bits",
    zoo="points",
    largest=18,
    note="of an arm that is alike to rounding, 64 units of float64 at the size of the terms",
)
def gap_of_balance(instance):
    X, rng = np.asarray(instance["X"], dtype=float), instance.rng()
    arm = rng.permutation(np.arange(len(X)) % 2)
    if len(X) < 4:
        yield Claim(None, np.nan, reason="fewer than four rows")
        return
    estimand = str(rng.choice(["att", "ate"]))
    found = weigh_quietly(X, arm, estimand)
    with ctx.workprec(BITS):
        K, above, size, alike = kernel_balls(X, "energy"), 0.0, 0.0, 0.0
        for own in [0, 1] if estimand == "ate" else [0]:
            rows = np.flatnonzero(arm == own)
            goal = np.arange(len(X)) if estimand == "ate" else np.flatnonzero(arm == 1)
            v = arb_mat([[arb(1) / len(goal)] for _ in goal])
            more, terms = gap_of_weights(K, rows, goal, v, found.weights[rows].tolist(), np.inf)
            above, size = above + more, size + terms
            alike += 64 * EPS * terms if np.ptp(found.weights[rows]) == 0 else 0.0
    if found.imbalance_before == 0:
        yield Claim(None, np.nan, reason="alike to rounding")
        return
    yield Claim(found.gap * found.imbalance_before, above, alike, EPS * size, "gap")


def weigh_quietly(X, arm, estimand):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return weigh.balance(X, arm, estimand=estimand, standardize=False, tol=1e-12)


@trial(
    solver="weigh.match_samples",
    states="gap: how far the discrepancy is above the least",
    kind="rigorous",
    truth="active sets on exact distances in 1,200 bits",
    zoo="points",
    largest=18,
)
def gap_of_matches(instance):
    X, rng = np.asarray(instance["X"], dtype=float), instance.rng()
    if len(X) < 2:
        yield Claim(None, np.nan, reason="one row")
        return
    cut = int(rng.integers(1, len(X)))
    upper = float(rng.choice([1.0, 1.5, 1000.0]))
    found = weigh.match_samples(X[:cut], X[cut:], kernel="energy", standardize=False, upper=upper, tol=1e-12)
    with ctx.workprec(BITS):
        goal = np.arange(cut, len(X))
        v = arb_mat([[arb(1) / len(goal)] for _ in goal])
        above, size = gap_of_weights(
            kernel_balls(X, "energy"), np.arange(cut), goal, v, found.source_weights.tolist(), upper / cut
        )
    if found.discrepancy_before == 0:
        yield Claim(None, np.nan, reason="alike to rounding")
        return
    yield Claim(found.gap * found.discrepancy_before, above, 0.0, EPS * size, "gap")


class Ball:
    """min |F x|^2 over 0 <= x <= upper, its last t coordinates in a ball about ones, by its multiplier."""

    def __init__(self, H, upper, t, radius):
        size, turn = np.linalg.eigh(H)
        self.F = np.sqrt(np.maximum(size, 0))[:, None] * turn.T
        self.upper, self.t, self.radius = upper, t, radius

    def at(self, rho):
        """Distance from ones, and the lower bound of this multiplier."""
        n = len(self.upper) - self.t
        A = np.r_[self.F, np.sqrt(rho) * np.eye(self.t, len(self.upper), n)]
        goal = np.r_[np.zeros(len(self.F)), np.full(self.t, np.sqrt(rho))]
        x = lsq_linear(A, goal, (0, self.upper), method="bvls", tol=1e-15, max_iter=1000).x
        away = float(np.linalg.norm(x[n:] - 1))
        return away, float(np.sum((self.F @ x) ** 2) + rho * (away**2 - self.radius**2))

    def least(self):
        """The best of these bounds, by bisection."""
        low, high, best = -40.0, 10.0, 0.0
        for _ in range(24):
            middle = 0.5 * (low + high)
            away, bound = self.at(np.exp(middle))
            best = max(best, bound)
            low, high = (middle, high) if away > self.radius else (low, middle)
        return best


@trial(
    solver="weigh.match_samples",
    states="gap of double weighting: how far the discrepancy is above the least within the ball",
    kind="rigorous",
    truth="bounds of the ball's multiplier by SciPy's BVLS",
    zoo="points",
    largest=14,
)
def gap_of_double_weights(instance):
    X, rng = np.asarray(instance["X"], dtype=float), instance.rng()
    if len(X) < 2 or not 1e-100 < np.abs(X).max() < 1e12:
        yield Claim(None, np.nan, reason="one row, or points far from the scale of the kernel")
        return
    n, D = int(rng.integers(1, len(X))), float(rng.choice([1.2, 4.0, 25.0]))
    t = len(X) - n
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        found = weigh.match_samples(X[:n], X[n:], double=D, upper=3.0, scale=1.0, standardize=False, tol=1e-8)
    side = np.r_[np.full(n, 1 / n), np.full(t, -1 / t)]
    with np.errstate(under="ignore"):
        H = side[:, None] * side * reference.kernel(X, X, "gaussian", 1.0)
        upper, radius = np.r_[np.full(n, 3 / np.sqrt(D)), np.ones(t)], (1 - 1 / np.sqrt(D)) * np.sqrt(t)
        x = np.r_[found.source_weights, found.target_weights]
        above = float(x @ H @ x) - Ball(H, upper, t, radius).least()
    before = found.discrepancy_before
    yield Claim(found.gap * before, max(above, 0.0), 1e-11, 1e-11, "gap")
    yield Claim(1e-9, max(float(np.linalg.norm(x[n:] - 1)) / radius - 1, 0.0), 0.0, 1e-9, "ball")
