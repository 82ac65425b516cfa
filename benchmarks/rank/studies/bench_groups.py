"""Boards of 10,000 groups of 100 items, the width estimated.

`python benchmarks/rank/studies/bench_groups.py [GROUPS [ITEMS [GAMES [SEEDS]]]]`: items of each group, and
games that it plays. Prints processor seconds, since a machine is seldom idle, the peak of memory, and how
wide errors are beside what is stated; of several draws the width and that ratio of each, and what the ratio
is at the true width.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np

from steelyard.rank import Comparisons, GroupFits, fit_groups

WIDTH = 0.4


def drawn(groups: int, items: int, games: int, seed: int = 0) -> tuple[Comparisons, np.ndarray]:
    """Games of equally many a group between items whose strengths differ by WIDTH, and these strengths."""
    rng = np.random.default_rng(seed)
    strengths = rng.normal(size=items) + WIDTH * rng.normal(size=(groups, items))
    group = np.repeat(np.arange(groups), games)
    a = rng.integers(0, items, len(group))
    b = (a + rng.integers(1, items, len(group))) % items
    won = rng.random(len(group)) < 1 / (1 + np.exp(strengths[group, b] - strengths[group, a]))
    table = Comparisons.from_pairs(np.where(won, a, b), np.where(won, b, a), group=group, items=range(items))
    return table, strengths - strengths.mean(axis=1, keepdims=True)


def spread(fit: GroupFits, strengths: np.ndarray) -> float:
    return float(((fit.strengths - strengths) / fit.standard_errors).std())


def several(groups: int, items: int, games: int, seeds: int) -> None:
    found = []
    for seed in range(seeds):
        table, strengths = drawn(groups, items, games, seed)
        fit, known = fit_groups(table, prior=0.1), fit_groups(table, prior=0.1, width=WIDTH)
        found.append((fit.width, spread(fit, strengths), spread(known, strengths)))
    width, ratio, known = np.array(found).T
    print(
        f"{groups} groups of {items} items, {2 * games / items:g} games an item and group; true width {WIDTH}"
    )
    each, rms = ", ".join(f"{x:.2f}" for x in ratio), np.sqrt((ratio**2).mean())
    print(f"width {width.mean():.3f} +- {width.std():.3f}; errors over what is stated: {rms:.3f} ({each})")
    print(f"at the true width {np.sqrt((known**2).mean()):.3f}")


def main(groups: int = 10_000, items: int = 100, games: int = 200, seeds: int = 1) -> None:
    if seeds > 1:
        several(groups, items, games, seeds)
        return
    table, strengths = drawn(groups, items, games)
    begin, clock = time.process_time(), time.perf_counter()
    fit = fit_groups(table)
    cpu, clock = time.process_time() - begin, time.perf_counter() - clock
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(fit)
    print(f"{table.n_rows:,} rows: {cpu:.1f} s of processors, {clock:.1f} s on the clock, {held:.2f} GB")
    print(f"errors over what is stated: {spread(fit, strengths):.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
