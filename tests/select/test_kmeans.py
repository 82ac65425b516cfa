"""k-means against the definition, its own optimality conditions, and hostile arrays."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

import steelyard
from steelyard.reference import select as reference
from steelyard.select import coreset, kmeans, kmeans_plusplus, lightweight_coreset, sensitivity_sample
from support import hostile, threads
from support.examples import examples


def groups(seed, n=300, k=4, d=3, spread=8.0, dtype=float):
    rng = np.random.default_rng(seed)
    centers = spread * rng.normal(size=(k, d))
    return (centers[rng.integers(0, k, n)] + rng.normal(size=(n, d))).astype(dtype)


def test_groups_that_are_apart_are_found_by_the_best_of_some_candidates():
    X = groups(0, n=4000, k=60, d=8, spread=30.0)
    plain, best = ([kmeans(X, 60, n_local_trials=t, rng=seed).cost for seed in range(8)] for t in (1, None))
    assert np.median(best) < 0.6 * np.median(plain)
    assert best == [kmeans(X, 60, rng=seed).cost for seed in range(8)]
    with pytest.raises(ValueError, match="n_local_trials must be at least 1"):
        kmeans(X, 60, n_local_trials=0)


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_steps_are_those_of_the_definition(seed, weighted, power):
    X = groups(seed)
    rng = np.random.default_rng(seed)
    w = rng.integers(1, 4, len(X)).astype(float) if weighted else None
    start = X[rng.choice(len(X), 4, replace=False)] + 0.3
    for steps in (1, 5):
        centers, labels, cost = reference.kmeans(X, start, steps, w, power)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", steelyard.ConvergenceWarning)  # some have converged by then
            found = kmeans(X, 4, init=start, max_iter=steps, tol=0, sample_weight=w, power=power)
        np.testing.assert_allclose(found.centers, centers, rtol=1e-10)
        np.testing.assert_array_equal(found.labels, labels)
        assert found.cost == pytest.approx(cost, rel=1e-12)


@examples(20)
@given(
    st.integers(0, 10**6), st.sampled_from(["euclidean", "cosine"]), st.sampled_from([np.float32, np.float64])
)
def test_the_cost_falls_to_a_point_where_means_and_labels_agree(seed, metric, dtype):
    X = groups(seed, dtype=dtype)
    found = kmeans(X, 5, metric=metric, tol=0, rng=seed)
    costs = found.info.trace["cost"]
    assert (np.diff(costs) <= 1e-6 * costs[:-1]).all()
    unit = X / np.linalg.norm(X, axis=1, keepdims=True) if metric == "cosine" else X
    gaps = ((unit[:, None].astype(float) - found.centers[None]) ** 2).sum(-1)
    eps = 40 * np.finfo(dtype).eps * (1 + np.abs(unit).max() ** 2)
    assert (gaps[np.arange(len(X)), found.labels] <= gaps.min(1) + eps).all()
    for c in range(len(found.centers)):
        mean = unit[found.labels == c].astype(float).mean(0)
        mean = mean / np.linalg.norm(mean) if metric == "cosine" else mean
        np.testing.assert_allclose(found.centers[c], mean, atol=2e-4 if dtype == np.float32 else 1e-7)
    np.testing.assert_array_equal(found.assign(X), found.labels)


def test_medians_are_geometric_medians():
    X = groups(3, n=120, k=3)
    found = kmeans(X, 3, power=1, tol=0, max_iter=2000, rng=0)
    for c in range(3):
        own = X[found.labels == c]
        best = minimize(
            lambda m, own=own: np.linalg.norm(own - m, axis=1).sum(),
            own.mean(0),
            method="BFGS",
            options={"gtol": 1e-7},
        )
        assert np.linalg.norm(own - found.centers[c], axis=1).sum() <= best.fun + 1e-6
    costs = found.info.trace["cost"]
    assert (np.diff(costs) <= 1e-12 * costs[:-1]).all()


def test_a_median_that_is_a_point_stays_there():
    X = np.array([[0.0, 0.0]] * 5 + [[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
    found = kmeans(X, 1, power=1, init=[[0.0, 0.0]], tol=0)
    np.testing.assert_array_equal(found.centers, [[0.0, 0.0]])
    found = kmeans(np.r_[X[:1], X[5:] + 3], 1, power=1, init=[[0.0, 0.0]], tol=0, max_iter=5000)
    best = minimize(
        lambda m: np.linalg.norm(np.r_[X[:1], X[5:] + 3] - m, axis=1).sum(), [1.0, 1.0], method="Nelder-Mead"
    )
    assert found.cost <= best.fun + 1e-4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_data_far_from_the_origin_is_clustered_as_if_it_were_there(dtype):
    shift = 1024.0 if dtype == np.float32 else 2.0**30
    X = (np.round(groups(1, spread=20.0) * 64) / 64).astype(dtype)
    start = X[[0, 50, 100, 150]]
    near = kmeans(X, 4, init=start)
    far = kmeans(X + dtype(shift), 4, init=start + dtype(shift))
    np.testing.assert_array_equal(far.labels, near.labels)
    assert far.cost == pytest.approx(near.cost, rel=1e-3)


def test_half_precision_is_read_as_it_is():
    X = groups(2, dtype=np.float16)
    half = kmeans(X, 4, rng=1)
    single = kmeans(X.astype(np.float32), 4, rng=1)
    np.testing.assert_array_equal(half.labels, single.labels)
    np.testing.assert_array_equal(half.centers, single.centers)
    assert half.centers.dtype == np.float32
    every = np.arange(2**16, dtype=np.uint16).view(np.float16)
    finite = every[np.isfinite(every)][:, None]
    seeds = kmeans_plusplus(finite, 3, rng=0)
    np.testing.assert_array_equal(seeds.centers, finite[seeds.indices].astype(np.float32))
    found = kmeans(finite, 2, init=[[-100.0], [100.0]], max_iter=1, tol=1.0)
    np.testing.assert_array_equal(
        kmeans(finite.astype(np.float32), 2, init=[[-100.0], [100.0]], max_iter=1, tol=1.0).labels,
        found.labels,
    )


def test_a_file_is_clustered_where_it_lies(tmp_path):
    X = groups(4, n=2000, dtype=np.float32)
    np.save(tmp_path / "x.npy", X)
    lies = np.load(tmp_path / "x.npy", mmap_mode="r")
    found = kmeans(lies, 4, rng=3)
    np.testing.assert_array_equal(found.labels, kmeans(X, 4, rng=3).labels)
    np.testing.assert_array_equal(found.assign(lies), found.labels)


def test_rows_of_several_windows_are_summed_together():
    X = groups(10, n=10_000, k=3, d=512)
    w = np.random.default_rng(0).integers(1, 4, len(X)).astype(float)
    start = X[[0, 10, 20, 30]] + 0.1
    for power in (1, 2):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", steelyard.ConvergenceWarning)
            options = {"init": start, "max_iter": 2, "tol": 0, "sample_weight": w, "power": power}
            centers = threads.equal_over_threads(lambda n, o=options: kmeans(X, 4, n_threads=n, **o).centers)
        np.testing.assert_allclose(centers, reference.kmeans(X, start, 2, w, power)[0], rtol=1e-8, atol=1e-10)


def test_threads_change_no_bit():
    X = groups(5, n=9000, k=7, dtype=np.float32)
    for power in (1, 2):
        labels, centers = threads.equal_over_threads(
            lambda n, power=power: (lambda f: (f.labels, f.centers))(
                kmeans(X, 7, rng=1, power=power, tol=1e-3, n_threads=n)
            )
        )
        assert len(np.unique(labels)) == 7
        assert np.isfinite(centers).all()


def test_empty_clusters_start_again_and_too_few_points_are_said():
    X = groups(6)
    start = np.r_[X[:3], [[1e6, 1e6, 1e6]]]
    found = kmeans(X, 4, init=start)
    assert np.bincount(found.labels).min() > 0
    assert found.info.trace["empty"][0] == 1
    few = np.repeat(np.eye(3), 5, axis=0)
    with pytest.warns(UserWarning, match="only 3 points differ"):
        short = kmeans(few, 5, rng=0)
    assert len(short.centers) == 3
    assert short.cost == 0
    w = np.zeros(len(X))
    w[:20] = 1
    weighed = kmeans(X, 3, sample_weight=w, rng=0)
    np.testing.assert_allclose(weighed.cost, kmeans(X[:20], 3, init=weighed.centers, tol=0).cost, rtol=0.2)


def test_weights_count_as_copies():
    X = groups(7, n=60)
    w = np.random.default_rng(0).integers(1, 5, 60)
    start = X[:3]
    many = kmeans(np.repeat(X, w, axis=0), 3, init=start)
    one = kmeans(X, 3, init=start, sample_weight=w)
    np.testing.assert_allclose(one.centers, many.centers, rtol=1e-10)
    assert one.cost == pytest.approx(many.cost)


def test_a_subsample_is_only_taken_when_asked_for():
    X = groups(8, n=3000)
    found = kmeans(X, 4, train_size=500, rng=2)
    assert len(found.labels) == 3000
    assert "fitted on 500 of 3,000 points" in found.info.message
    assert found.cost == pytest.approx(kmeans(X, 4, init=found.centers).cost, rel=0.05)
    assert kmeans(X, 4, rng=2).info.message == ""


def test_steps_that_end_early_say_so():
    with pytest.warns(steelyard.ConvergenceWarning, match="in step 1 .*; raise max_iter"):
        found = kmeans(groups(0), 4, init="random", max_iter=1, tol=0, rng=0)
    assert not found.info.converged


def test_other_starts():
    X = groups(9)
    seeds = kmeans_plusplus(X, 4, rng=5)
    np.testing.assert_array_equal(kmeans(X, 4, init=seeds).centers, kmeans(X, 4, init=seeds.centers).centers)
    assert len(kmeans(X, 4, init="random", rng=0).centers) == 4


@pytest.mark.parametrize("variant", hostile.params(hostile.VALID))
def test_any_layout_gives_the_same_answer(variant):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hostile.check_same(lambda x: kmeans(x, 1, rng=0).centers, groups(1, n=40), variant)


@pytest.mark.parametrize("variant", hostile.params(hostile.INVALID))
def test_nonsense_is_refused_by_name(variant):
    hostile.check_refused(lambda x: kmeans(x, 3), groups(1, n=40), variant, "X")


UNITS = [
    (np.float64, -667),
    (np.float64, -1000),
    (np.float64, 600),
    (np.float64, 1010),
    (np.float32, -83),
    (np.float32, 70),
    (np.float32, 120),
]


@pytest.mark.parametrize(("dtype", "exponent"), UNITS)
def test_the_unit_of_the_data_does_not_matter(dtype, exponent):
    """Powers of two from 1e-301 to 1e304: squares of most do not exist."""
    usual = groups(2, n=80, dtype=dtype)
    points = np.ldexp(usual, exponent)
    for options in ({}, {"power": 1}, {"train_size": 60}, {"init": "random"}):
        expected, found = (kmeans(x, 4, rng=0, **options) for x in (usual, points))
        np.testing.assert_array_equal(found.labels, expected.labels)
        np.testing.assert_array_equal(found.centers, np.ldexp(expected.centers, exponent))
        np.testing.assert_array_equal(found.assign(points), found.labels)
        assert (found.info.iterations, found.centers.dtype) == (expected.info.iterations, dtype)
    started = kmeans(points, 3, init=points[:3])
    np.testing.assert_array_equal(started.labels, kmeans(usual, 3, init=usual[:3]).labels)
    for trials in (1, 4):
        seeds = kmeans_plusplus(points, 6, n_local_trials=trials, rng=1)
        rows = kmeans_plusplus(usual, 6, n_local_trials=trials, rng=1).indices
        np.testing.assert_array_equal(seeds.indices, rows)
        np.testing.assert_array_equal(seeds.centers, points[rows])


@pytest.mark.parametrize(("dtype", "exponent"), UNITS)
def test_samples_do_not_depend_on_the_unit_of_the_data(dtype, exponent):
    usual = groups(2, n=80, dtype=dtype)
    points, loss = np.ldexp(usual, exponent), np.abs(usual).sum(axis=1).astype(float)
    draws = [
        lambda x: coreset(x, 20, clusters=4, rng=0).indices,
        lambda x: coreset(x, 20, clusters=kmeans(x, 4, rng=0), rng=0).indices,
        lambda x: lightweight_coreset(x, 20, rng=0).indices,
        lambda x: sensitivity_sample(x, 20, clusters=4, rng=0).indices,
        lambda x: sensitivity_sample(x, 20, clusters=4, losses=loss, rng=0).indices,
    ]
    for draw in draws:
        np.testing.assert_array_equal(draw(points), draw(usual))


def test_costs_that_are_no_numbers_are_none():
    points = groups(2, n=80)
    assert kmeans(points * 1e-200, 4, rng=0).cost == 0
    assert kmeans(points * 1e200, 4, rng=0).cost == np.inf
    small = kmeans((points * 1e-25).astype(np.float32), 4, rng=0)
    assert small.cost == pytest.approx(1e-50 * kmeans(points.astype(np.float32), 4, rng=0).cost, rel=1e-3)
    assert np.bincount(small.labels).tolist() == np.bincount(kmeans(points, 4, rng=0).labels).tolist()


def test_a_seed_that_is_none_is_refused_by_name():
    with pytest.raises(TypeError, match=r"rng must be None, an integer >= 0, .* got 'a'"):
        kmeans(np.eye(3), 2, rng="a")


X = groups(0, n=20)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kmeans(X, 21), "k must be at most"),
        (lambda: kmeans(X, 0), "k must be at least 1"),
        (lambda: kmeans(X, 2, power=3), "power must be 1 or 2"),
        (lambda: kmeans(X, 2, power=1, metric="cosine"), "power=1 needs"),
        (lambda: kmeans(X, 2, metric="cityblock"), "metric must be one of"),
        (lambda: kmeans(X, 2, init="grid"), "init must be one of"),
        (lambda: kmeans(X, 2, init=[[0.0, 0.0, 0.0]]), r"init must have shape \(2, 3\)"),
        (lambda: kmeans(X, 2, init=np.zeros((2, 5))), r"init must have shape \(2, 3\)"),
        (lambda: kmeans(X, 2, tol=-1), "tol must be zero or positive"),
        (lambda: kmeans(X, 2, sample_weight=-np.ones(20)), "sample_weight must be >= 0"),
        (lambda: kmeans(X, 2, sample_weight=np.ones(3)), "sample_weight must have length 20"),
        (lambda: kmeans(X, 2, train_size=1), "k must be at most the number of points, 1"),
        (lambda: kmeans(np.zeros((4, 2)), 2, metric="cosine"), "rows of zeros"),
        (lambda: kmeans(X * 1e-200, 2, init=np.full((2, 3), 1e200)), "init is too far from X"),
        (lambda: kmeans(X, 2).assign(np.zeros((3, 9))), r"X must have shape \(n, 3\)"),
    ],
)
def test_wrong_arguments_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
