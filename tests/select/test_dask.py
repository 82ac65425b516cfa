"""Dask: the same answer for any scheduler, unbiased samples, empty blocks."""

from __future__ import annotations

import contextlib
import functools

import dask
import dask.array as da
import distributed
import numpy as np
import pandas
import pytest

import steelyard.dask as over_dask
from steelyard.rank import Comparisons
from steelyard.reference import select as reference


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
    distinct = over_dask.sensitivity_sample(blocks(), 80, clusters=10, replace=False, rng=1)
    return [
        distinct.indices,
        distinct.weights,
        small.indices,
        small.weights,
        found.centers,
        found.labels.compute(),
        sample.indices,
        sample.weights,
    ]


@contextlib.contextmanager
def processes():
    """Two of a cluster."""
    with (
        dask.config.set({"distributed.worker.daemon": False}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster),
    ):
        yield


@pytest.mark.parametrize(
    "scheduled",
    [
        functools.partial(dask.config.set, scheduler="threads"),
        pytest.param(processes, marks=pytest.mark.slow),  # seconds until they are there
    ],
    ids=["threads", "processes"],
)
def test_schedulers_and_processes_give_the_same_bits(scheduled):
    with dask.config.set(scheduler="synchronous"):
        first = everything()
    with scheduled():
        second = everything()
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_coreset_over_blocks_is_unbiased():
    with dask.config.set(scheduler="synchronous"):
        totals = []
        for seed in range(60):
            small = over_dask.coreset(blocks(), 60, clusters=5, rng=seed)
            np.testing.assert_array_equal(small.points, X[small.indices])
            totals.append([small.weights.sum(), *(small.weights @ small.points)])
    totals = np.array(totals)
    assert (np.abs(totals.mean(0) - [1200, *X.sum(0)]) < 5 * totals.std(0) / np.sqrt(60)).all()


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
        for seed in range(30):
            sample = over_dask.sensitivity_sample(blocks(), 60, clusters=8, losses=losses, rng=seed)
            totals.append(sample.estimate(LOSS[sample.indices], control=asked).total)
        many = over_dask.sensitivity_sample(blocks(), 50_000, clusters=8, losses=losses, rng=0)
    assert abs(np.mean(totals) - LOSS.sum()) < 5 * np.std(totals) / np.sqrt(30)
    rows, first = np.unique(many.indices, return_index=True)
    share = np.bincount(many.indices, minlength=1200) / 50_000
    p = many.probabilities[first]
    z = (share[rows] - p) / np.sqrt(p * (1 - p) / 50_000)
    assert np.abs(z).max() < 5.5
    assert p.sum() == pytest.approx(1)


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("size", [2, 90, 700])
def test_distinct_rows_over_blocks_have_the_inclusion_probabilities_of_arrays(asked, size):
    options = {"clusters": 8, "losses": (lambda rows: LOSS[rows]) if asked else None, "mix": 0.02, "rng": 3}
    with dask.config.set(scheduler="synchronous"):
        many = over_dask.sensitivity_sample(blocks(), 300_000, **options)
        sample = over_dask.sensitivity_sample(blocks(), size, replace=False, **options)
    chances = np.zeros(1200)
    chances[many.indices] = many.probabilities
    assert chances.sum() == pytest.approx(1)
    pi = reference.inclusion_probabilities(chances, size)
    assert (pi[pi < 1].size < 1200) == (size == 700)  # some are certain
    assert len(np.unique(sample.indices)) == len(sample) == size
    np.testing.assert_allclose(sample.inclusion_probabilities, pi[sample.indices], rtol=1e-9)
    np.testing.assert_allclose(sample.weights, 1 / pi[sample.indices], rtol=1e-9)
    assert np.isin(np.flatnonzero(pi == 1), sample.indices).all()


@pytest.mark.slow
def test_rows_are_drawn_as_often_as_they_should_be_from_any_blocks():
    """The draws alone: from probabilities that are the same each time, with blocks of one row and of none."""
    rng = np.random.default_rng(0)
    lengths = [5, 0, 1, 9, 1, 4]
    distances = rng.pareto(1.0, 20)
    labels = rng.integers(0, 3, 20)
    law = over_dask._Law(np.array([0.1, 0.0, 0.2]), np.array([0.5, 1.0, 0.2]), 0.05)
    chances = law.chances((labels,), distances)
    law = over_dask._Law(law.even / chances.sum(), law.steep / chances.sum(), law.floor / chances.sum())
    pi = reference.inclusion_probabilities(chances / chances.sum(), 7)
    ends = np.cumsum(lengths)
    state = over_dask._States.__new__(over_dask._States)
    state.parts = [(part,) for part in np.split(labels, ends[:-1])]
    state.distances = np.split(distances, ends[:-1])
    count = np.zeros(20)
    rounds = 100
    with dask.config.set(scheduler="synchronous"):
        for seed in range(rounds):
            found = over_dask._drawn_without(state, law, 7, [seed], np.random.default_rng(seed))
            rows = np.concatenate([ends[b] - lengths[b] + f[0] for b, f in enumerate(found)])
            assert len(np.unique(rows)) == 7
            count[rows] += 1
    z = (count - rounds * pi) / np.sqrt(rounds * pi * (1 - pi) + 1e-9)
    assert pi.max() == 1
    assert np.abs(z).max() < 4.5
    # As many rows that matter as draws; the others have what rounding left them.
    state.distances = np.split(np.where(np.arange(20) % 3, 1e-16, 1.0), ends[:-1])
    law = over_dask._Law(np.zeros(3), np.full(3, 1 / 7), 0.0)
    with dask.config.set(scheduler="synchronous"):
        found = over_dask._drawn_without(state, law, 7, [0], np.random.default_rng(0))
    rows = np.concatenate([ends[b] - lengths[b] + f[0] for b, f in enumerate(found)])
    np.testing.assert_array_equal(np.sort(rows), np.arange(0, 20, 3))


@pytest.mark.slow
def test_totals_from_distinct_rows_are_unbiased_and_intervals_cover():
    found = []
    with dask.config.set(scheduler="synchronous"):
        for seed in range(60):
            sample = over_dask.sensitivity_sample(
                blocks(), 60, clusters=8, losses=lambda r: LOSS[r], replace=False, rng=seed
            )
            found.append(sample.estimate(LOSS[sample.indices], control=True))
    totals = np.array([f.total for f in found])
    assert abs(totals.mean() - LOSS.sum()) < 5 * totals.std() / np.sqrt(60)
    assert np.mean([f.lower <= LOSS.sum() <= f.upper for f in found]) > 0.88
    assert np.mean([f.standard_error for f in found]) > 0.85 * totals.std()


def test_all_rows_over_blocks_are_drawn_once():
    sample = over_dask.sensitivity_sample(blocks(), 1200, clusters=5, replace=False, rng=0)
    np.testing.assert_array_equal(sample.indices, np.arange(1200))
    np.testing.assert_array_equal(sample.weights, 1)


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
            lambda: over_dask.sensitivity_sample(blocks(), 1201, clusters=2, replace=False),
            ValueError,
            "size must be at most 1200 without replacement, got 1201",
        ),
        (
            lambda: over_dask.sensitivity_sample(
                da.from_array(np.repeat(np.eye(2), 30, axis=0), chunks=(20, 2)),
                40,
                clusters=2,
                losses=lambda rows: np.where(rows < 30, 0.0, 1.0),
                mix=0.0,
                replace=False,
            ),
            ValueError,
            "size must be at most 30 without replacement, got 40",
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


def test_a_row_is_named_by_its_place_in_the_whole_array():
    X = np.random.default_rng(0).normal(size=(90, 2))
    X[70, 1] = np.nan
    for call in (lambda a: over_dask.kmeans(a, 3), lambda a: over_dask.coreset(a, 10, clusters=2)):
        with pytest.raises(ValueError, match=r"first: row 70\)"):
            call(da.from_array(X, chunks=(30, 2)))


def test_a_data_frame_is_told_how_to_become_an_array():
    class Frame:
        ndim = 2

        def to_delayed(self): ...

        def to_dask_array(self): ...

    with pytest.raises(TypeError, match=r"got Frame; X\.to_dask_array\(lengths=True\) is one"):
        over_dask.kmeans(Frame(), 2)
