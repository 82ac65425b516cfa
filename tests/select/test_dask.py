"""Dask: the same answer for any scheduler, unbiased samples, empty blocks."""

from __future__ import annotations

import dask
import dask.array as da
import distributed
import numpy as np
import pandas
import pytest

import steelyard.dask as over_dask
from steelyard.rank import Comparisons


def groups(seed=0, n=1200, d=3, dtype=float):
    rng = np.random.default_rng(seed)
    centers = 6 * rng.normal(size=(5, d))
    return (centers[rng.integers(0, 5, n)] + rng.normal(size=(n, d))).astype(dtype)


X = groups()
BLOCKS = (300, 0, 450, 150, 300)
LOSS = np.abs(X).sum(axis=1)


def blocks(array=X):
    return da.from_array(array, chunks=(BLOCKS, (2, 1)))


def everything():
    """All that is drawn, with one seed."""
    small = over_dask.coreset(blocks(), 100, clusters=5, rng=1)
    found = over_dask.kmeans(blocks(), 5, rng=1)
    sample = over_dask.sensitivity_sample(blocks(), 80, clusters=10, losses=lambda r: LOSS[r], rng=1)
    return [
        small.indices,
        small.weights,
        found.centers,
        found.labels.compute(),
        sample.indices,
        sample.weights,
    ]


def test_schedulers_and_processes_give_the_same_bits():
    with dask.config.set(scheduler="synchronous"):
        first = everything()
    with dask.config.set(scheduler="threads"):
        second = everything()
    with (
        dask.config.set({"distributed.worker.daemon": False}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
    ):
        third = everything()
    for a, b, c in zip(first, second, third, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)


def test_a_coreset_over_blocks_is_unbiased():
    with dask.config.set(scheduler="synchronous"):
        totals = []
        for seed in range(150):
            small = over_dask.coreset(blocks(), 60, clusters=5, rng=seed)
            np.testing.assert_array_equal(small.points, X[small.indices])
            totals.append([small.weights.sum(), *(small.weights @ small.points)])
    totals = np.array(totals)
    assert (np.abs(totals.mean(0) - [1200, *X.sum(0)]) < 5 * totals.std(0) / np.sqrt(150)).all()


def test_labels_are_the_nearest_centres_and_the_cost_is_of_all_rows():
    found = over_dask.kmeans(blocks(X.astype(np.float32)), 5, rng=0)
    gaps = ((X[:, None] - found.centers[None]) ** 2).sum(-1)
    np.testing.assert_array_equal(found.labels.compute(), gaps.argmin(1))
    assert found.cost == pytest.approx(gaps.min(1).sum(), rel=1e-5)
    assert found.labels.chunks == (tuple(length for length in BLOCKS if length),)
    assert found.cost < 1.3 * 3 * 1200


@pytest.mark.parametrize("asked", [False, True])
def test_samples_over_blocks_are_unbiased_and_their_probabilities_right(asked):
    losses = (lambda rows: LOSS[rows]) if asked else None
    totals = []
    with dask.config.set(scheduler="synchronous"):
        for seed in range(120):
            sample = over_dask.sensitivity_sample(blocks(), 60, clusters=8, losses=losses, rng=seed)
            totals.append(sample.estimate(LOSS[sample.indices], control=asked).total)
        many = over_dask.sensitivity_sample(blocks(), 200_000, clusters=8, losses=losses, rng=0)
    assert abs(np.mean(totals) - LOSS.sum()) < 5 * np.std(totals) / np.sqrt(120)
    rows, first = np.unique(many.indices, return_index=True)
    share = np.bincount(many.indices, minlength=1200) / 200_000
    p = many.probabilities[first]
    z = (share[rows] - p) / np.sqrt(p * (1 - p) / 200_000)
    assert np.abs(z).max() < 5.5
    assert p.sum() == pytest.approx(1)


def test_unknown_lengths_and_many_blocks():
    lazy = blocks()[blocks()[:, 0] > -100]
    assert np.isnan(lazy.chunks[0]).all()
    np.testing.assert_array_equal(
        over_dask.coreset(lazy, 100, clusters=5, rng=1).indices,
        over_dask.coreset(blocks(), 100, clusters=5, rng=1).indices,
    )


def test_partitions_of_comparisons_are_counted_together():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 6, 300)
    frame = pandas.DataFrame({"left": a, "right": (a + rng.integers(1, 6, 300)) % 6, "winner": "left"})
    parts = [dask.delayed(frame.iloc[s]) for s in (slice(0, 100), slice(100, 100), slice(100, 300))]
    options = {"left": "left", "right": "right", "outcome": "winner"}
    whole, summed = Comparisons.from_frame(frame, **options), over_dask.comparisons(parts, **options)
    for name in ("items", "left", "right", "left_wins", "right_wins"):
        np.testing.assert_array_equal(getattr(summed, name), getattr(whole, name))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: over_dask.coreset(X, 10, clusters=2), TypeError, "X must be a two-dimensional dask.array"),
        (lambda: over_dask.coreset(blocks(), 2, clusters=3), ValueError, "clusters must be at most size"),
        (lambda: over_dask.coreset(blocks(X * np.nan), 10, clusters=2), ValueError, "X has NaN"),
        (lambda: over_dask.coreset(blocks()[:0], 10, clusters=2), ValueError, "X has no rows"),
        (lambda: over_dask.kmeans(blocks(), 0), ValueError, "k must be at least 1"),
        (
            lambda: over_dask.sensitivity_sample(blocks(), 5, clusters=2, replace=False),
            ValueError,
            "replace must be True",
        ),
        (
            lambda: over_dask.sensitivity_sample(blocks(), 5, clusters=2, losses=lambda r: -LOSS[r]),
            ValueError,
            "losses must be >= 0",
        ),
        (lambda: over_dask.sensitivity_sample(blocks(), 5, clusters=2, losses=LOSS), TypeError, "callable"),
        (lambda: over_dask.comparisons([]), ValueError, "frame has no partitions"),
    ],
)
def test_wrong_arguments_are_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()
