"""The slope of a grade scale: time, effective sample and coverage over 50 simulations of m = 0.85.

200 climbers, 48,679 ascents over 60 months, abilities N(18, 5) with monthly steps N(0, 0.5). Grades follow
what earlier tries showed (half a grade up after a send, down after a failure, and a spread of 2). `informed`
simulates climbers who choose by their hidden ability instead, which no method that takes grades as given can
undo.
"""

from __future__ import annotations

import numpy as np
import pytest

from steelyard.rank import grade_scale

SLOPE = 0.85


def simulate(seed, *, informed=False, climbers=200, tries=48_679, months=60):
    rng = np.random.default_rng(seed)
    activity = rng.lognormal(0, 1, climbers)
    who = np.sort(rng.choice(climbers, tries, p=activity / activity.sum()))
    when = rng.integers(0, months, tries)
    when = when[np.lexsort([when, who])]
    steps = 0.5 * rng.normal(size=(climbers, months))
    steps[:, 0] = rng.normal(18, 5, climbers)
    ability = np.cumsum(steps, axis=1)[who, when]
    luck, spread = rng.random(tries), rng.normal(-0.5, 2, tries)
    if informed:
        grade = np.rint(ability + spread)
        sent = luck < 1 / (1 + np.exp(-SLOPE * (ability - grade)))
        return {"climber": who, "grade": grade, "sent": sent, "time": when}
    grade, sent, level = np.empty(tries), np.empty(tries, bool), 18.0
    for k in range(tries):
        level = 18.0 if k == 0 or who[k] != who[k - 1] else level
        grade[k] = np.rint(level + spread[k])
        sent[k] = luck[k] < 1 / (1 + np.exp(-SLOPE * (ability[k] - grade[k])))
        level += 0.5 if sent[k] else -0.5
    return {"climber": who, "grade": grade, "sent": sent, "time": when}


def test_one_analysis(benchmark):
    tries = simulate(0)
    benchmark.group = "grade scale, 4 chains of 1,000 draws"
    found = benchmark.pedantic(grade_scale, (tries,), {"time_unit": 1, "rng": 0}, rounds=3)
    benchmark.extra_info["effective sample of m"] = f"{found.effective_size:.0f}"
    benchmark.extra_info["R-hat"] = f"{found.r_hat:.4f}"


@pytest.mark.parametrize("informed", [False, True])
def test_coverage(benchmark, informed):
    seeds = 10 if informed else 50
    covered, fewest, slopes = 0, np.inf, []

    def run():
        nonlocal covered, fewest
        for seed in range(seeds):
            found = grade_scale(simulate(seed, informed=informed), time_unit=1, rng=seed)
            low, high = found.slope_interval()
            covered += low < SLOPE < high
            fewest = min(fewest, found.effective_size)
            slopes.append(found.slope)

    benchmark.group = "grade scale, coverage"
    benchmark.pedantic(run, rounds=1)
    benchmark.extra_info["covered"] = f"{covered} of {seeds}"
    benchmark.extra_info["smallest effective sample of m"] = f"{fewest:.0f}"
    benchmark.extra_info["mean slope"] = f"{np.mean(slopes):.3f}"
