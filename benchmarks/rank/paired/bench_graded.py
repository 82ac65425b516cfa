"""Do grades tell more than who won? Log loss of win, tie and loss in games to come, from the same games.

Football: national teams; fitted to the games of 2000 to 2015, judged on 2016 to 2023. A grade is a goal
difference: 3 and more, 1 or 2, a tie. The prior of each model is chosen on 2012 to 2015. Simulated: 20 items,
five grades by the cumulative model, fitted to 400 games, judged on 20,000.
Time: two hundred thousand games of 2,000 items. Run: python bench_graded.py
"""

from __future__ import annotations

import time

import numpy as np

from steelyard import datasets
from steelyard.rank import GradedComparisons, bradley_terry, graded
from steelyard.reference.rank import graded_log_chances

FIVE = ["much better", "better", "tie", "worse", "much worse"]
PRIORS = (0.3, 1.0, 3.0, 10.0)


def grades_of(difference, far):
    return np.array(FIVE)[2 - np.sign(difference) * (1 + (np.abs(difference) >= far))]


def log_loss(chances, difference):
    """Of the outcomes win, tie, loss: columns of `chances`."""
    return float(-np.log(chances[np.arange(len(difference)), 1 - np.sign(difference)]).mean())


def by_outcome(p):
    return np.column_stack([p[:, :2].sum(axis=1), p[:, 2], p[:, 3:].sum(axis=1)])


def losses(fit_on, judge_on, prior):
    """Graded in both links, and Rao and Kupper's and Davidson's models of who won."""
    a, b, d, side = fit_on
    table = GradedComparisons.from_grades(a, b, grades_of(d, 3), levels=FIVE, home=side)
    known = np.isin(judge_on[0], table.items) & np.isin(judge_on[1], table.items)
    left, right, truth, home = (part[known] for part in judge_on)
    out = {}
    for link in ("cumulative", "adjacent"):
        fit = graded(table, link=link, prior=prior, home=bool(side.any()))
        out[f"graded, {link}"] = log_loss(by_outcome(fit.predict(left, right, home)), truth)
    for ties in ("rao-kupper", "davidson"):
        fit = bradley_terry(table.signs(), ties=ties, prior=prior, home=bool(side.any()))
        p = fit.predict(left, right, home)
        out[f"signs, {ties}"] = log_loss(np.column_stack([p.win, p.tie, p.loss]), truth)
    return out


def football():
    columns = datasets.load_football().columns
    year = np.array([int(str(day)[:4]) for day in columns["date"]])
    difference = np.asarray(columns["home_score"], dtype=int) - np.asarray(columns["away_score"], dtype=int)
    neutral = np.array([str(value).lower() == "true" for value in columns["neutral"]])
    games = [np.asarray(columns[name]) for name in ("home_team", "away_team")]
    games += [difference, np.where(neutral, 0, 1)]

    def between(first, last):
        return [part[(year >= first) & (year < last)] for part in games]

    chosen = {prior: losses(between(2000, 2012), between(2012, 2016), prior) for prior in PRIORS}
    for model in chosen[1.0]:
        prior = min(PRIORS, key=lambda p: chosen[p][model])
        found = losses(between(2000, 2016), between(2016, 2024), prior)[model]
        print(f"football   {model:22} prior {prior:<4g} log loss {found:.4f}")


def simulated():
    rng, found = np.random.default_rng(0), {}
    for _ in range(10):
        s = rng.normal(size=20)

        def play(games, s=s):
            a = rng.integers(0, 20, games)
            b = (a + rng.integers(1, 20, games)) % 20
            chances = np.exp(graded_log_chances(s[a] - s[b], 5, np.array([0.4, 1.3]), "cumulative"))
            grade = (rng.random(games)[:, None] > np.cumsum(chances, axis=1)).sum(axis=1)
            return [a, b, np.array([-3, -1, 0, 1, 3])[grade], np.zeros(games, dtype=int)]

        for model, loss in losses(play(400), play(20_000), 0.3).items():
            found.setdefault(model, []).append(loss)
    for model, values in found.items():
        print(f"simulated  {model:22} prior 0.3  log loss {np.mean(values):.4f}")


def speed():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 2000, 200_000)
    b = (a + rng.integers(1, 2000, len(a))) % 2000
    table = GradedComparisons.from_grades(a, b, np.array(FIVE)[rng.integers(0, 5, len(a))], levels=FIVE)
    for link in ("cumulative", "adjacent"):
        start = time.process_time()
        fit = graded(table, link=link, n_threads=1)
        print(f"time       {link:22} {time.process_time() - start:.2f} CPU s, {fit.info.iterations} steps")


if __name__ == "__main__":
    football()
    simulated()
    speed()
