"""Fits of comparisons and rankings against Newton's method in 256 bits, closed forms and simulation."""

from __future__ import annotations

import itertools

import numpy as np
from flint import arb, arb_mat

from steelyard import DisconnectedError, SeparationError, rank
from steelyard.rank import Comparisons

from . import truth
from .trials import Claim, trial

EPS = np.finfo(float).eps

# ---- paired comparisons: the model in ball arithmetic


class PairModel:
    """Likelihood of a table of comparisons over (strengths, tie, home, coefficients)."""

    def __init__(self, table, ties, home, covariates, prior):
        self.n, self.home, self.prior = table.n_items, home, truth.ball(prior)
        self.p = table.covariates.shape[1] if covariates else 0
        tied = np.zeros(len(table.left)) if table.ties is None else table.ties
        self.model = ties if ties in ("davidson", "rao-kupper") and tied.sum() > 0 else "none"
        half = 0.5 * tied if ties == "half" else 0.0
        kept = tied if self.model != "none" else np.zeros(len(tied))
        at_home = np.zeros(len(tied)) if table.home is None else table.home
        z = table.covariates if covariates else np.zeros((len(tied), 0))
        rows = zip(
            table.left,
            table.right,
            table.left_wins + half,
            table.right_wins + half,
            kept,
            at_home,
            z,
            strict=True,
        )
        self.cells = [
            (int(i), int(j), *map(truth.ball, (w, m, t)), self._design(int(i), int(j), h, zs))
            for i, j, w, m, t, h, zs in rows
        ]
        self.size = self.n + (self.model != "none") + home + self.p

    def _design(self, i, j, h, z):
        """x of a cell as a sparse row: positions and values."""
        first = self.n + (self.model != "none")
        row = [(i, arb(1)), (j, arb(-1))]
        if self.home and h:
            row.append((first, truth.ball(h)))
        return row + [(first + self.home + k, truth.ball(v)) for k, v in enumerate(z.tolist())]

    def point(self, fit):
        """The fit's parameters."""
        shift = fit.info.shift if self.prior > 0 else 0.0
        parts = [truth.ball(s) + truth.ball(shift) for s in fit.strengths]
        if self.model != "none":
            parts.append(truth.ball(fit.tie_parameter).log())
        if self.home:
            parts.append(truth.ball(fit.home_advantage))
        if self.p:
            found = fit.coefficients
            parts += [truth.ball(v) / truth.ball(s) for v, s in zip(found.values, found.scales, strict=True)]
        return truth.column(parts)

    def scores(self, x, tie):
        """d log p / dx and / d tie of a win, a loss and a tie; and the curvatures (xx, xt, tt) of each."""
        if self.model == "rao-kupper":
            win, loss = 1 / (1 + (tie - x).exp()), 1 / (1 + (tie + x).exp())
            a, b = win * (1 - win), loss * (1 - loss)
            e = (2 * tie).exp()
            both = 2 * e / (e - 1)
            slopes = [
                (1 - win, win - 1),
                (loss - 1, loss - 1),
                (loss - win, win + loss - 2 + both),
            ]
            bends = [(a, -a, a), (b, b, b), (a + b, b - a, a + b + 2 * both / (e - 1))]
            return slopes, bends
        up, down = (x / 2).exp(), (-x / 2).exp()
        middle = tie.exp() if self.model == "davidson" else arb(0)
        total = up + down + middle
        mean, tied = (up - down) / (2 * total), middle / total
        xx, xt, tt = (up + down) / (4 * total) - mean * mean, -mean * tied, tied * (1 - tied)
        half = arb(1) / 2
        slopes = [(half - mean, -tied), (-half - mean, -tied), (-mean, 1 - tied)]
        return slopes, [(xx, xt, tt)] * 3

    def derivatives(self, at, regular=True, squares=None):
        """Gradient and negative Hessian; with `squares` (of wins, losses, ties a cell), also J."""
        size, n = self.size, self.n
        g = [arb(0)] * size
        H = [[arb(0)] * size for _ in range(size)]
        J = [[arb(0)] * size for _ in range(size)]
        tie = at[n, 0] if self.model != "none" else arb(0)
        for k, (_, _, *counts, design) in enumerate(self.cells):
            x = sum((at[p, 0] * v for p, v in design), arb(0))
            slopes, bends = self.scores(x, tie)
            gx = sum((c * s[0] for c, s in zip(counts, slopes, strict=True)), arb(0))
            xx = sum((c * b[0] for c, b in zip(counts, bends, strict=True)), arb(0))
            for p, v in design:
                g[p] += gx * v
                for q, u in design:
                    H[p][q] += xx * v * u
            if self.model != "none":
                g[n] += sum((c * s[1] for c, s in zip(counts, slopes, strict=True)), arb(0))
                H[n][n] += sum((c * b[2] for c, b in zip(counts, bends, strict=True)), arb(0))
                xt = sum((c * b[1] for c, b in zip(counts, bends, strict=True)), arb(0))
                for p, v in design:
                    H[p][n] += xt * v
                    H[n][p] += xt * v
            if squares is not None:
                full = design + ([(n, None)] if self.model != "none" else [])
                for c, (sx, st) in zip(squares[k], slopes, strict=True):
                    row = [(p, st if v is None else sx * v) for p, v in full]
                    for (p, a), (q, b) in itertools.product(row, row):
                        J[p][q] += c * a * b
        if self.prior > 0:
            for i in range(n):
                win = 1 / (1 + (-at[i, 0]).exp())
                g[i] += self.prior * (1 - 2 * win)
                H[i][i] += 2 * self.prior * win * (1 - win)
        elif regular:
            lift = sum((H[i][i] for i in range(n)), arb(0)).mid() / (n * n)
            for i, j in itertools.product(range(n), range(n)):
                H[i][j] += lift
        if squares is not None:
            return arb_mat(H), arb_mat(J)
        return arb_mat([[v] for v in g]), arb_mat(H)


def table_of(instance, covariates=False, home=True):
    """The columns of an instance as Comparisons."""
    d = instance.data
    won = d["outcome"] >= 0
    first, second = np.where(won, d["left"], d["right"]), np.where(won, d["right"], d["left"])
    turn = np.where(won, 1, -1)
    return Comparisons.from_pairs(
        first,
        second,
        tie=d["outcome"] == 0,
        count=d["count"],
        weight=d["weight"],
        home=turn * d["home"] if home else None,
        covariates={"a": turn * d["z"][:, 0], "b": turn * d["z"][:, 1]} if covariates else None,
        items=range(d["n"]),
    )


def chosen(instance, *, covariates=False):
    """A model for an instance, and the fit if there is one."""
    rng = instance.rng()
    home = bool(rng.random() < 0.4)
    options = {
        "ties": str(rng.choice(["davidson", "rao-kupper", "half", "drop"])),
        "prior": float(rng.choice([0.0, 0.0, 0.1, 1.0, 1e-3])),
        "home": home,
        "covariates": covariates,
    }
    if not covariates:
        options["solver"] = str(rng.choice(["auto", "auto", "newton", "newman", "zermelo"]))
    if covariates:
        options["standardize"] = bool(rng.random() < 0.5)
    table = table_of(instance, covariates=covariates)
    if table.home is None or not table.home.any():
        options["home"] = False
    return table, options


def fitted(table, options):
    try:
        return rank.bradley_terry(table, **options)
    except (DisconnectedError, SeparationError):
        return None
    except ValueError as error:
        if "nothing is left" in str(error) or "without ties" in str(error):
            return None
        raise


def decrement_claim(model, fit, about):
    """The distance to the optimum in standard errors, which no contrast exceeds in its own."""
    at = model.point(fit)
    best, _, left = truth.newton(model.derivatives, at)
    _, plain = model.derivatives(best, regular=False)
    away = truth.norm(at - best, plain)
    return Claim(stated=fit.info.error_bound, true=away, rounding=left, floor=EPS, about=about)


@trial(
    solver="rank.bradley_terry",
    states="info.error_bound",
    kind="asymptotic",
    truth="Newton's method in 256 bits",
    zoo="comparisons",
)
def decrement_of_comparisons(instance):
    table, options = chosen(instance)
    fit = fitted(table, options)
    if fit is not None:
        model = PairModel(table, options["ties"], options["home"], False, options["prior"])
        yield decrement_claim(model, fit, f"{options}")
