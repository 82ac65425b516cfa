"""Samples of blocks against their law by definition, and what they promise over 2,000 draws."""

from __future__ import annotations

import dask
import dask.array as da
import numpy as np

from steelyard import dask as blockwise
from steelyard.dask import _coreset, _sample
from steelyard.dask._blocks import Blocks, States, entropy_of

from .trials import DRAWS, Claim, Inclusion, Mean, statistical_trial, trial


def usual(instance):
    """Its points in units of 1 (blocks divide by a power of two themselves)."""
    X = np.asarray(instance["X"], dtype=float)
    size = np.abs(X).max(initial=0)
    return X / size if size > 1e-300 else X * 0


def in_blocks(instance, X):
    return da.from_array(X, chunks=(int(instance.rng().integers(1, len(X) + 1)), X.shape[1]))


def laws_of_one_cluster(X, mix):
    """Of one draw: an even part, a part by squared distances from the row next to the mean, the floor.

    One law for each row that may be the one, where several are as near.
    """
    away = ((X - X.mean(axis=0)) ** 2).sum(axis=1)
    for row in np.flatnonzero(away <= away.min() * (1 + 1e-6) + 1e-24):
        d = ((X - X[row]) ** 2).sum(axis=1)
        steep = d / d.sum() if d.sum() > 0 else 0 * d
        total = 1.0 + (d.sum() > 0)
        yield (1 - mix) * (1 / len(X) + steep) / total + mix / len(X)


@trial(
    solver="dask.sensitivity_sample",
    states="probabilities, to 1e-9",
    kind="estimate",
    truth="the law of one cluster by its definition",
    zoo="points",
    largest=20,
)
def probabilities_are_those_of_the_law(instance):
    X, rng = usual(instance), instance.rng()
    mix, size = float(rng.choice([0.1, 0.5, 1.0])), int(rng.integers(1, len(X) + 1))
    with dask.config.set(scheduler="synchronous"):
        found = blockwise.sensitivity_sample(
            in_blocks(instance, X), size, clusters=1, mix=mix, rng=instance.seed
        )
    p = found.probabilities
    off = min(np.abs(p / law[found.indices] - 1).max() for law in laws_of_one_cluster(X, mix))
    yield Claim(1e-9, float(off), about=f"mix {mix}")
    weights = np.abs(found.weights * size * p - 1).max()
    yield Claim(1e-9, float(weights), about="weights")


class InProcess:
    """Blocks at hand: what is drawn from them is what Dask's tasks draw, without Dask's time."""

    def __init__(self, state):
        self.blocks, self.k = state.blocks, state.k
        self.sizes, self.spreads, self.speakers = state.sizes, state.spreads, state.speakers
        self.parts, self.distances = dask.compute(list(state.parts), list(state.distances))

    def on_blocks(self, function, *same, each=None, keep=False):
        own = [()] * len(self.parts) if each is None else each
        blocks = zip(self.parts, self.distances, own, strict=True)
        return [function(part, distances, *same, *e) for part, distances, e in blocks]


@statistical_trial(
    solver="dask.sensitivity_sample",
    states="inclusion_probabilities; estimate: total",
    truth="the law by its definition; frequencies and sums of 2,000 draws",
    zoo="points",
    largest=8,
    share=0.03,
    note="the passes before the draws are made once",
)
def rows_of_blocks_are_drawn_as_often_as_said(instance):
    X = usual(instance)
    n, rng, mix = len(X), instance.rng(), 0.3
    size, value = int(rng.integers(1, n + 1)), rng.random(n)
    with dask.config.set(scheduler="synchronous"):
        state = InProcess(States(Blocks(in_blocks(instance, X)), X[[0]], 2.0, "euclidean"))
    law = _sample._law(state, None, np.zeros(1), mix)
    everything = [law.chances(part, away) for part, away in zip(state.parts, state.distances, strict=True)]
    p, generator = np.concatenate(everything), np.random.default_rng(instance.seed)
    assert abs(p.sum() - 1) < 1e-9
    for replace, draw in ((True, _sample._drawn_with), (False, _sample._drawn_without)):
        count, sums = np.zeros(n), []
        stated = 1 - (1 - p) ** size if replace else np.full(n, np.nan)
        for k in range(DRAWS):
            rows = draw(state, law, size, [instance.seed, k], generator)
            found = _sample._sample(state, np.zeros(0, dtype=np.int64), None, size, replace, rows)
            count[np.unique(found.indices)] += 1
            sums.append(found.weights @ value[found.indices])
            if not replace:
                stated[found.indices] = found.inclusion_probabilities
        drawn = count > 0
        assert replace or abs(stated[drawn].sum() - size) < 1e-6 or not drawn.all()
        stated = np.where(stated > 1 - 1e-11, 1.0, stated)
        yield Inclusion(count[drawn], DRAWS, stated[drawn], about=f"replace={replace}")
        yield Mean(np.array(sums), value.sum(), about=f"a sum, replace={replace}")


@statistical_trial(
    solver="dask.coreset",
    states="weights",
    truth="sums over all rows; 2,000 draws",
    zoo="points",
    largest=8,
    share=0.03,
)
def coresets_of_blocks_are_unbiased(instance):
    X = usual(instance)
    size, value = max(1, len(X) // 2), instance.rng().random(len(X))
    rows = da.from_array(X, chunks=((len(X) + 1) // 2, X.shape[1]))

    def merged(entropy):
        """What Dask's tasks make of two blocks at most."""
        firsts = range(0, len(X), (len(X) + 1) // 2)
        parts = [
            _coreset._block_coreset(
                X[f : f + (len(X) + 1) // 2], f, size, 1, 2.0, "euclidean", [*entropy, 3, b]
            )
            for b, f in enumerate(firsts)
        ]
        return _coreset._joined(*parts, size, [*entropy, 4, 0]) if len(parts) == 2 else parts[0]

    with dask.config.set(scheduler="synchronous"):
        asked = blockwise.coreset(rows, size, clusters=1, rng=instance.seed)
    same = merged(entropy_of(instance.seed))
    assert np.array_equal(asked.indices, same.indices)
    assert np.array_equal(asked.weights, same.weights)
    made = [merged([instance.seed, k]) for k in range(DRAWS)]
    weights = np.array([found.weights.sum() for found in made])
    yield Mean(weights, float(len(X)), about="total weight")
    yield Mean(np.array([m.weights @ value[m.indices] for m in made]), value.sum(), about="a sum")
