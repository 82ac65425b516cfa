"""Likelihoods of comparisons, histories and rankings in ball arithmetic, straight from their formulas."""

from __future__ import annotations

import itertools

import numpy as np
from flint import arb, arb_mat

from . import truth


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


class TeamModel(PairModel):
    """Likelihood of games between sides over (strengths, tie, home): rows of several items."""

    def __init__(self, sides, outcome, weight, at_home, ties, prior):
        self.n, self.home, self.prior, self.p = sides.shape[1], at_home is not None, truth.ball(prior), 0
        tied = outcome == 0
        self.model = ties if ties in ("davidson", "rao-kupper") and tied.any() else "none"
        half = 0.5 * tied if self.model == "none" and ties == "half" else 0.0 * tied
        kept = tied if self.model != "none" else 0 * tied
        columns = [weight * part for part in ((outcome > 0) + half, (outcome < 0) + half, kept)]
        first = self.n + (self.model != "none")
        self.cells, self.size = [], first + self.home
        for row, (side, *counts) in enumerate(zip(sides, *columns, strict=True)):
            design = [(int(i), truth.ball(side[i])) for i in np.flatnonzero(side)]
            if self.home and at_home[row]:
                design.append((first, truth.ball(at_home[row])))
            self.cells.append((None, None, *map(truth.ball, counts), design))
        self.shifts = self.prior == 0 and bool((np.abs(sides.sum(axis=1)) < 1e-12).all())

    def point(self, fit):
        at = super().point(fit)
        if self.prior > 0 or self.shifts:
            return at
        shift = truth.ball(fit.info.shift)
        return truth.column([at[i, 0] + (shift if i < self.n else 0) for i in range(self.size)])

    def derivatives(self, at, regular=True, squares=None):
        """Where a common shift changes x, the Hessian needs no help."""
        return super().derivatives(at, regular and self.shifts, squares)


class GroupModel(TeamModel):
    """Likelihood of comparisons in groups over (whole, differences of each group, tie, home)."""

    def __init__(self, table, ties, home, prior, width):
        n, rows = table.n_items, np.arange(len(table.left))
        self.items, self.spring = n, 1 / truth.ball(width) ** 2
        sides = np.zeros((len(rows), n * (len(table.group_labels) + 1)))
        for items, sign in ((table.left, 1.0), (table.right, -1.0)):
            sides[rows, items] = sides[rows, n * (table.group + 1) + items] = sign
        columns = [table.left_wins, table.right_wins]
        columns += [] if table.ties is None or ties == "drop" else [table.ties]
        kept = [np.flatnonzero(column) for column in columns]
        outcome = np.repeat([1, -1, 0][: len(kept)], [len(k) for k in kept])
        weight = np.concatenate([c[k] for c, k in zip(columns, kept, strict=True)])
        cells = np.concatenate(kept)
        at_home = table.home[cells] if home else None
        super().__init__(sides[cells], outcome, weight, at_home, ties, prior)

    def point(self, fit):
        """Up to a common shift of the whole, which its prior alone knows and a fit does not tell."""
        parts = [*fit.whole, *(fit.strengths - fit.whole).ravel()]
        if self.model != "none":
            parts.append(truth.ball(fit.tie_parameter).log())
        return truth.column([*parts, fit.home_advantage] if self.home else parts)

    def derivatives(self, at, regular=True, squares=None):
        prior, self.prior = self.prior, truth.ball(0.0)
        g, H = PairModel.derivatives(self, at, regular=False)
        self.prior = prior
        for i in range(self.items):
            win = 1 / (1 + (-at[i, 0]).exp())
            g[i, 0] += prior * (1 - 2 * win)
            H[i, i] += 2 * prior * win * (1 - win)
        for i in range(self.items, self.n):
            g[i, 0] -= self.spring * at[i, 0]
            H[i, i] += self.spring
        if prior == 0 and regular:
            lift = sum((H[i, i] for i in range(self.items)), arb(0)).mid() / self.items**2
            for i, j in itertools.product(range(self.items), range(self.items)):
                H[i, j] += lift
        return g, H


class JudgeModel:
    """Penalised likelihood over (strengths, slopes, biases, tie), x = slope (s_left - s_right) + bias e."""

    def __init__(self, table, ties, prior, spreads):
        plain = PairModel(table, ties, False, False, prior)
        self.cells, self.model, self.scores = plain.cells, plain.model, plain.scores
        self.n, self.judges = table.n_items, len(table.judge_labels)
        self.judge = table.judge.tolist()
        self.side = [truth.ball(e) for e in table.home] if table.home is not None else None
        self.prior = truth.ball(prior)
        self.springs = [1 / truth.ball(spread) ** 2 for spread in spreads]
        self.size = self.n + self.judges * (1 + (self.side is not None)) + (self.model != "none")

    def point(self, fit):
        shift = fit.info.shift if self.prior > 0 else 0.0
        parts = [truth.ball(s) + truth.ball(shift) for s in fit.strengths]
        parts += [truth.ball(r) for r in fit.reliabilities]
        parts += [truth.ball(b) for b in fit.biases] if self.side is not None else []
        return truth.column(parts + ([truth.ball(fit.tie_parameter).log()] if self.model != "none" else []))

    def derivatives(self, at, regular=True):
        size, n, k = self.size, self.n, self.judges
        g, H = [arb(0)] * size, [[arb(0)] * size for _ in range(size)]
        tie = at[size - 1, 0] if self.model != "none" else arb(0)
        for row, (i, j, *counts, _) in enumerate(self.cells):
            who = n + self.judge[row]
            r, gap = at[who, 0], at[i, 0] - at[j, 0]
            design = [(i, r), (j, -r), (who, gap)]
            x = r * gap
            if self.side is not None:
                x += at[who + k, 0] * self.side[row]
                design.append((who + k, self.side[row]))
            slopes, bends = self.scores(x, tie)
            gx = sum((c * s[0] for c, s in zip(counts, slopes, strict=True)), arb(0))
            xx = sum((c * b[0] for c, b in zip(counts, bends, strict=True)), arb(0))
            for p, v in design:
                g[p] += gx * v
                for q, u in design:
                    H[p][q] += xx * v * u
            for item, sign in ((i, 1), (j, -1)):  # x is no linear form of strengths and slopes
                H[item][who] -= sign * gx
                H[who][item] -= sign * gx
            if self.model != "none":
                g[-1] += sum((c * s[1] for c, s in zip(counts, slopes, strict=True)), arb(0))
                H[-1][-1] += sum((c * b[2] for c, b in zip(counts, bends, strict=True)), arb(0))
                xt = sum((c * b[1] for c, b in zip(counts, bends, strict=True)), arb(0))
                for p, v in design:
                    H[p][size - 1] += xt * v
                    H[size - 1][p] += xt * v
        for first, mean, spring in ((n, 1, self.springs[0]), (n + k, 0, self.springs[1])):
            for p in range(first, first + k) if first == n or self.side is not None else ():
                g[p] -= spring * (at[p, 0] - mean)
                H[p][p] += spring
        if self.prior > 0:
            for i in range(n):
                win = 1 / (1 + (-at[i, 0]).exp())
                g[i] += self.prior * (1 - 2 * win)
                H[i][i] += 2 * self.prior * win * (1 - win)
        elif regular:
            lift = sum((H[i][i] for i in range(n)), arb(0)).mid() / (n * n)
            for i, j in itertools.product(range(n), range(n)):
                H[i][j] += lift
        return arb_mat([[v] for v in g]), arb_mat(H)


class HistoryModel(PairModel):
    """A table of comparisons between nodes (an item on a date), which chains of springs hold together."""

    def __init__(self, history, nodes, ties, home, prior):
        super().__init__(nodes, ties, home, False, 0.0)
        items, times = history.node_items, history.node_times
        self.law = truth.ball(prior)
        self.first = [k for k in range(self.n) if k == 0 or items[k] != items[k - 1]]
        self.links = [
            (k, 1 / (truth.ball(history.volatility) ** 2 * (truth.ball(times[k]) - truth.ball(times[k - 1]))))
            for k in sorted(set(range(self.n)) - set(self.first))
        ]

    def derivatives(self, at, regular=True, squares=None):
        g, H = super().derivatives(at, regular=False)
        for k in self.first:
            win = 1 / (1 + (-at[k, 0]).exp())
            g[k, 0] += self.law * (1 - 2 * win)
            H[k, k] += 2 * self.law * win * (1 - win)
        for k, spring in self.links:
            pull = spring * (at[k, 0] - at[k - 1, 0])
            g[k, 0] -= pull
            g[k - 1, 0] += pull
            for a, b, sign in ((k, k, 1), (k - 1, k - 1, 1), (k, k - 1, -1), (k - 1, k, -1)):
                H[a, b] += sign * spring
        return g, H


class GradedModel:
    """Likelihood of graded comparisons over (strengths, thresholds, home), straight from the chances."""

    def __init__(self, table, link, home, prior, columns=False):
        self.n, self.levels, self.link, self.home = table.n_items, len(table.levels), link, home
        z = table.covariates if columns else np.zeros((len(table.left), 0))
        games = table.counts.sum(axis=1)
        self.columns, self.cluster = z.shape[1], table.cluster
        z = [[truth.ball(v) for v in row] for row in z]
        weight = [truth.ball(g) for g in games]
        total = sum(weight, arb(0))
        unit = [
            (sum((w * row[k] ** 2 for w, row in zip(weight, z, strict=True)), arb(0)) / total).sqrt()
            for k in range(self.columns)
        ]
        self.free, self.prior = (self.levels - 1) // 2, truth.ball(prior)
        at_home = np.zeros(len(table.left)) if table.home is None else table.home
        self.cells = []
        for k, (i, j, counts, h) in enumerate(
            zip(table.left, table.right, table.counts[:, ::-1], at_home, strict=True)
        ):
            row = [(int(i), arb(1)), (int(j), arb(-1))]
            if home and h:
                row.append((self.n + self.free, truth.ball(h)))
            row += [(self.n + self.free + home + c, v / unit[c]) for c, v in enumerate(z[k])]
            self.cells.append((row, [truth.ball(c) for c in counts]))

    def point(self, fit):
        shift = fit.info.shift if self.prior > 0 else 0.0
        parts = [truth.ball(s) + truth.ball(shift) for s in fit.strengths]
        parts += [truth.ball(t) for t in fit.thresholds]
        parts += [truth.ball(fit.home_advantage)] if self.home else []
        return truth.column(parts + [truth.ball(b) for b in fit._coefficients])

    def _forms(self, k):
        """The two ends of a cumulative grade, as (coefficient of x, of each threshold); None at infinity."""
        out = []
        for j in (k, k + 1):
            thresholds = [0] * self.free
            if 2 * j != self.levels and 0 < j < self.levels:
                above = 2 * j > self.levels
                thresholds[(j if above else self.levels - j) - self.levels // 2 - 1] = 1 if above else -1
            out.append([-1, *thresholds] if 0 < j < self.levels else None)
        return out

    def _grade(self, k, x, t):
        """Slopes and bends of log p of one grade over (x, thresholds)."""
        size = 1 + self.free
        if self.link == "adjacent":
            rows = []
            for g in range(self.levels):
                fold = min(g, self.levels - 1 - g) - 1
                rows.append([arb(2 * g - self.levels + 1) / (2 * (self.levels - 1))])
                rows[-1] += [arb(int(a == fold)) for a in range(self.free)]
            weight = [sum((r * v for r, v in zip(row, [x, *t], strict=True)), arb(0)).exp() for row in rows]
            total = sum(weight, arb(0))
            p = [w / total for w in weight]
            mean = [sum((q * row[a] for q, row in zip(p, rows, strict=True)), arb(0)) for a in range(size)]
            bends = [
                [
                    sum((q * r[a] * r[b] for q, r in zip(p, rows, strict=True)), arb(0)) - mean[a] * mean[b]
                    for b in range(size)
                ]
                for a in range(size)
            ]
            return [rows[k][a] - mean[a] for a in range(size)], bends
        lower, upper = self._forms(k)
        first, second = [arb(0)] * size, [[arb(0)] * size for _ in range(size)]
        chance = arb(0) if upper else arb(1)
        for form, sign in ((lower, -1), (upper, 1)):
            if form is None:
                continue
            y = sum((c * v for c, v in zip(form, [x, *t], strict=True)), arb(0))
            f = 1 / (1 + (-y).exp())
            chance += sign * f
            slope, bend = f * (1 - f), f * (1 - f) * (1 - 2 * f)
            for a in range(size):
                first[a] += sign * slope * form[a]
                for b in range(size):
                    second[a][b] += sign * bend * form[a] * form[b]
        value = [v / chance for v in first]
        return value, [
            [value[a] * value[b] - second[a][b] / chance for b in range(size)] for a in range(size)
        ]

    def derivatives(self, at, regular=True):
        n, size = self.n, self.n + self.free + self.home + self.columns
        g, H = [arb(0)] * size, [[arb(0)] * size for _ in range(size)]
        thresholds = [at[n + a, 0] for a in range(self.free)]
        for row, counts in self.cells:
            x = sum((at[p, 0] * v for p, v in row), arb(0))
            full = [(p, 0, v) for p, v in row] + [(n + a, 1 + a, arb(1)) for a in range(self.free)]
            for k, count in enumerate(counts):
                if count == 0:
                    continue
                slopes, bends = self._grade(k, x, thresholds)
                for p, a, v in full:
                    g[p] += count * slopes[a] * v
                    for q, b, u in full:
                        H[p][q] += count * bends[a][b] * v * u
        if self.prior > 0:
            for i in range(n):
                win = 1 / (1 + (-at[i, 0]).exp())
                g[i] += self.prior * (1 - 2 * win)
                H[i][i] += 2 * self.prior * win * (1 - win)
        elif regular:
            lift = sum((H[i][i] for i in range(n)), arb(0)).mid() / (n * n)
            for i, j in itertools.product(range(n), range(n)):
                H[i][j] += lift
        return arb_mat([[v] for v in g]), arb_mat(H)

    def meat(self, at):
        """Sum over clusters of their scores' squares, times C / (C - 1)."""
        size = self.n + self.free + self.home + self.columns
        thresholds, scores = [at[self.n + a, 0] for a in range(self.free)], {}
        for who, (row, counts) in zip(self.cluster.tolist(), self.cells, strict=True):
            own = scores.setdefault(who, [arb(0)] * size)
            x = sum((at[p, 0] * v for p, v in row), arb(0))
            full = [(p, 0, v) for p, v in row] + [(self.n + a, 1 + a, arb(1)) for a in range(self.free)]
            for k, count in enumerate(counts):
                slopes, _ = self._grade(k, x, thresholds)
                for p, a, v in full:
                    own[p] += count * slopes[a] * v
        factor, table = arb(len(scores)) / (len(scores) - 1), list(scores.values())
        return arb_mat(
            [[factor * sum((u[p] * u[q] for u in table), arb(0)) for q in range(size)] for p in range(size)]
        )


class RankingModel:
    """Plackett and Luce's likelihood of weighted rankings."""

    def __init__(self, places, weight, n, prior):
        self.n, self.prior = n, truth.ball(prior)
        rows = [row[row >= 0].tolist() for row in places]
        self.rankings = [(row, truth.ball(w)) for row, w in zip(rows, weight, strict=True)]

    def point(self, fit):
        shift = fit.info.shift if self.prior > 0 else 0.0
        return truth.column([truth.ball(s) + truth.ball(shift) for s in fit.strengths])

    def derivatives(self, at, regular=True, scores=False):
        g = [arb(0)] * self.n
        H = [[arb(0)] * self.n for _ in range(self.n)]
        J = [[arb(0)] * self.n for _ in range(self.n)]
        value = [at[i, 0].exp() for i in range(self.n)]
        for row, w in self.rankings:
            own = dict.fromkeys(row, arb(0))
            for k in range(len(row) - 1):
                rest = row[k:]
                total = sum((value[i] for i in rest), arb(0))
                share = {i: value[i] / total for i in rest}
                own[row[k]] += 1
                for i in rest:
                    own[i] -= share[i]
                    H[i][i] += w * share[i]
                    for j in rest:
                        H[i][j] -= w * share[i] * share[j]
            for i in row:
                g[i] += w * own[i]
                for j in row if scores else ():
                    J[i][j] += w * w * own[i] * own[j]
        if self.prior > 0:
            for i in range(self.n):
                win = 1 / (1 + (-at[i, 0]).exp())
                g[i] += self.prior * (1 - 2 * win)
                H[i][i] += 2 * self.prior * win * (1 - win)
        elif regular:
            lift = sum((H[i][i] for i in range(self.n)), arb(0)).mid() / (self.n * self.n)
            for i, j in itertools.product(range(self.n), range(self.n)):
                H[i][j] += lift
        if scores:
            return arb_mat(H), arb_mat(J)
        return arb_mat([[v] for v in g]), arb_mat(H)


class TiedModel:
    """The likelihood of rankings with ties, a sum over all sets at each choice."""

    def __init__(self, rows, weight, n, prior, sizes):
        self.n, self.prior, self.sizes = n, truth.ball(prior), sizes
        self.rankings = [(row, truth.ball(w)) for row, w in zip(rows, weight, strict=True)]

    def point(self, fit):
        shift = fit.info.shift if self.prior > 0 else 0.0
        strengths = [truth.ball(s) + truth.ball(shift) for s in fit.strengths]
        return truth.column(strengths + [truth.ball(fit.tie_parameters[k - 2]).log() for k in self.sizes])

    def _design(self, some):
        """The log weight of a set as a sparse row."""
        row = [(i, arb(1) / len(some)) for i in some]
        return row + ([(self.n + self.sizes.index(len(some)), arb(1))] if len(some) > 1 else [])

    def derivatives(self, at, regular=True, scores=False):
        size = self.n + len(self.sizes)
        g = [arb(0)] * size
        H = [[arb(0)] * size for _ in range(size)]
        J = [[arb(0)] * size for _ in range(size)]
        for row, w in self.rankings:
            own = [arb(0)] * size
            for u, chosen in enumerate(row):
                rest = [i for tied in row[u:] for i in tied]
                if len(rest) < 2:
                    continue
                sets = [s for k in [1, *self.sizes] for s in itertools.combinations(rest, k)]
                designs = [self._design(some) for some in sets]
                values = [sum((at[p, 0] * v for p, v in design), arb(0)).exp() for design in designs]
                total, mean = sum(values, arb(0)), [arb(0)] * size
                for design, value in zip(designs, values, strict=True):
                    for p, v in design:
                        mean[p] += v * value / total
                        for q, x in design:
                            H[p][q] += w * v * x * value / total
                for p, v in self._design(chosen):
                    own[p] += v
                for p in range(size):
                    own[p] -= mean[p]
                    for q in range(size):
                        H[p][q] -= w * mean[p] * mean[q]
            for p in range(size):
                g[p] += w * own[p]
                for q in range(size) if scores else ():
                    J[p][q] += w * w * own[p] * own[q]
        if self.prior > 0:
            for i in range(self.n):
                win = 1 / (1 + (-at[i, 0]).exp())
                g[i] += self.prior * (1 - 2 * win)
                H[i][i] += 2 * self.prior * win * (1 - win)
        elif regular:
            lift = sum((H[i][i] for i in range(self.n)), arb(0)).mid() / (self.n * self.n)
            for i, j in itertools.product(range(self.n), range(self.n)):
                H[i][j] += lift
        if scores:
            return arb_mat(H), arb_mat(J)
        return arb_mat([[v] for v in g]), arb_mat(H)


def centred_errors(H, n, prior, J=None):
    """Standard errors of strengths against their mean: of H^+, or of the sandwich H^+ J H^+."""
    size = H.nrows()
    lifted = arb_mat(H.table())
    if prior == 0:
        lift = sum((H[i, i] for i in range(n)), arb(0)).mid() / (n * n)
        for i, j in itertools.product(range(n), range(n)):
            lifted[i, j] += lift
    centre = arb_mat([[arb(i == j) - (arb(1) / n if i < n else 0) for j in range(n)] for i in range(size)])
    x = truth.middle(lifted).solve(centre, algorithm="approx")
    full = x.transpose() * J * x if J is not None else centre.transpose() * x
    return np.array([float(full[i, i].mid().sqrt()) if full[i, i] > 0 else 0.0 for i in range(n)])
