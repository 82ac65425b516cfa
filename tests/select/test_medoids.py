"""Medoids and facility location against enumeration, the definition, and hostile arrays."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from steelyard import ConvergenceWarning
from steelyard.reference import select as reference
from steelyard.select import facility_location, medoids


def some(seed, n=9, d=3, dtype=float):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(dtype)


def least_cost(C, k, w):
    return min(reference.medoid_cost(C, s, w) for s in itertools.combinations(range(len(C)), k))


def largest_value(S, k, w):
    return max(reference.location_value(S, s, w) for s in itertools.combinations(range(len(S)), k))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("power", [1.0, 2.0, 1.5])
@pytest.mark.parametrize("precomputed", [False, True])
def test_costs_are_those_of_the_definition_and_bounds_hold(dtype, power, precomputed):
    for seed in range(12):
        rng = np.random.default_rng(seed)
        X, k = some(seed, int(rng.integers(2, 10)), int(rng.integers(1, 20)), dtype), 1 + seed % 2
        w = None if seed % 3 else rng.random(len(X))
        D = cdist(X.astype(float), X.astype(float))
        source, metric = (D, "precomputed") if precomputed else (X, "euclidean")
        found = medoids(source, k, metric=metric, power=power, sample_weight=w, bound_iter=20, rng=seed)
        cost, best = reference.medoid_cost(D**power, found.indices, w), least_cost(D**power, k, w)
        assert found.cost == pytest.approx(cost, rel=1e-5 if dtype == np.float32 else 1e-12)
        assert cost - best <= found.info.error_bound * cost * (1 + 1e-12) + 1e-300
        assert np.allclose(D[found.indices[found.labels], range(len(X))], D[found.indices].min(axis=0))


def test_no_single_exchange_lowers_the_cost():
    X = some(3, 60, 2)
    D = cdist(X, X)
    found = medoids(X, 5, rng=0)
    for out, i in itertools.product(range(5), range(60)):
        tried = np.concatenate([np.delete(found.indices, out), [i]])
        assert reference.medoid_cost(D, tried) >= found.cost * (1 - 1e-9)


def test_fifty_passes_certify_two_per_cent_on_groups():
    rng = np.random.default_rng(0)
    X = (20 * rng.normal(size=(12, 8))[rng.integers(0, 12, 700)] + rng.normal(size=(700, 8))).astype("f4")
    assert medoids(X, 12, bound_iter=50, rng=0).info.error_bound < 0.02
    assert medoids(X, 12, rng=0).info.error_bound is None


@pytest.mark.parametrize("n", [1, 4, 5, 31, 32, 33, 65, 130])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sizes_around_vector_widths(n, dtype):
    X = some(n, n, 5, dtype)
    found, near = medoids(X, 1, rng=0), cdist(X.astype(float), X.astype(float)).sum(axis=1)
    assert found.cost == pytest.approx(near.min(), rel=1e-5, abs=1e-12)
    chosen = facility_location(X, min(n, 3), metric="euclidean")
    S = 2 * np.linalg.norm(X - X.mean(0), axis=1).max() - cdist(X.astype(float), X.astype(float))
    assert chosen.value == pytest.approx(reference.location_value(np.maximum(S, 0), chosen.indices), rel=1e-5)


@pytest.mark.parametrize("passes", [0, 20])
def test_locations_have_the_value_of_the_definition_and_bounds_hold(passes):
    for seed in range(20):
        X, k = some(seed, 3 + seed % 7, 2 + seed % 5), 1 + seed % 3
        w = None if seed % 3 else np.random.default_rng(seed).random(len(X))
        unit = X / np.linalg.norm(X, axis=1, keepdims=True)
        S = np.maximum(unit @ unit.T, 0)
        for source, metric in ((X, "cosine"), (S, "precomputed")):
            found = facility_location(source, k, metric=metric, sample_weight=w, bound_iter=passes)
            assert found.value == pytest.approx(reference.location_value(S, found.indices, w))
            assert found.value == pytest.approx(found.gains.sum())
            assert found.bound >= largest_value(S, k, w) * (1 - 1e-12)
            assert found.share > 1 - 1 / np.e


def test_greedy_takes_the_largest_gain_each_time():
    S = np.exp(-cdist(some(5, 80), some(5, 80)))
    found = facility_location(S, 10, metric="precomputed")
    for step in range(10):
        before = list(found.indices[:step])
        values = [reference.location_value(S, [*before, i]) for i in range(80)]
        assert values[found.indices[step]] == pytest.approx(max(values))


def test_a_given_subset_is_continued():
    X = some(7, 50)
    found = facility_location(X, 6, init=[4, 9])
    assert found.indices[:2].tolist() == [4, 9]
    assert len(np.unique(found.indices)) == 6
    assert len(medoids(X, 6, init=[4, 9], rng=0).indices) == 6
    best = medoids(X, 6, rng=0)
    again = medoids(X, 6, init=best.indices)
    assert again.indices.tolist() == best.indices.tolist()


def test_any_number_of_threads_gives_the_same_bits():
    X = some(1, 700, 9, np.float32)
    one, two = (medoids(X, 20, bound_iter=5, rng=0, n_threads=t) for t in (1, 2))
    assert (one.indices == two.indices).all()
    assert (one.cost, one.info.error_bound) == (two.cost, two.info.error_bound)
    one, two = (facility_location(X, 20, bound_iter=5, n_threads=t) for t in (1, 2))
    assert (one.indices == two.indices).all()
    assert (one.value, one.bound) == (two.value, two.bound)


def test_points_take_the_weight_of_their_medoid():
    found = medoids([[0.0], [1.0], [9.0], [9.5]], 2, rng=0)
    spread = found.transfer_weights([2.0, 5.0])
    assert (spread == np.array([2.0, 5.0])[found.labels]).all()
    with pytest.raises(ValueError, match="weights"):
        found.transfer_weights([1.0])


def test_the_unit_of_the_data_scales_the_cost():
    X = some(2, 40)
    for power, far in ((1.0, 600), (2.0, 400)):
        small, large = (medoids(X * 2.0**s, 4, power=power, rng=0).cost for s in (-far, far))
        plain = medoids(X, 4, power=power, rng=0).cost
        assert small / 2.0 ** (-far * power) == pytest.approx(plain)
        assert large / 2.0 ** (far * power) == pytest.approx(plain)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_copies_of_medoids_are_no_better_where_nothing_costs_anything(dtype):
    points = np.random.default_rng(0).normal(size=(4, 2)).round(3)
    found = medoids(np.repeat(points, 10, axis=0).astype(dtype), 4, rng=0)
    assert found.cost == 0
    assert found.info.converged


def test_fewer_points_that_differ_than_k_are_told():
    with pytest.warns(UserWarning, match="only 2 points differ"):
        found = medoids([[0.0], [0.0], [1.0]], 3, rng=0, bound_iter=3)
    assert (found.cost, found.info.error_bound) == (0.0, 0.0)


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "precomputed"])
def test_rows_that_gain_nothing_are_told(metric):
    X = np.tile(some(0, 3), (4, 1))
    source = np.maximum(X @ X.T, 0) if metric == "precomputed" else X
    with pytest.warns(UserWarning, match="k=5, but only [123] rows gain anything"):
        found = facility_location(source, 5, metric=metric)
    assert len(set(found.indices.tolist())) == 5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        facility_location(X, 2, metric="euclidean")


def test_ctrl_c_keeps_the_rows_chosen_so_far():
    X = some(0, 40)
    whole = facility_location(X, 6)

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        facility_location(X, 6, progress=stop)
    found = caught.value.partial
    count = len(found.indices)
    assert 1 <= count < 6
    np.testing.assert_array_equal(found.indices, whole.indices[:count])
    np.testing.assert_allclose(found.gains, whole.gains[:count])
    assert found.info.interrupted
    assert not found.info.converged
    assert whole.value <= found.bound
    assert f"{count} of k=6 rows" in found.info.message


def test_swaps_cut_short_are_told():
    X = some(0, 300)
    with pytest.warns(ConvergenceWarning, match="raise max_iter"):
        medoids(X, 30, init=np.arange(30), max_iter=1)


@pytest.mark.parametrize(
    ("call", "word"),
    [
        (lambda X: medoids(X, 10), "k must be"),
        (lambda X: medoids(X, 0), "k must be"),
        (lambda X: medoids(X, 2, metric="precomputed"), "square"),
        (lambda X: medoids(-np.ones((3, 3)), 2, metric="precomputed"), ">= 0"),
        (lambda X: medoids(np.full((3, 3), np.inf), 2, metric="precomputed"), "infinite"),
        (lambda X: medoids(X, 2, init=[1, 1]), "init"),
        (lambda X: medoids(X, 2, init=[1, 99]), "init"),
        (lambda X: medoids(X, 2, init=[0.5, 1.0]), "init"),
        (lambda X: medoids(X, 2, init="best"), "init"),
        (lambda X: medoids(X * np.nan, 2), "NaN"),
        (lambda X: medoids(X, 2, power=0), "power"),
        (lambda X: medoids(X, 2, sample_weight=-np.ones(9)), "sample_weight"),
        (lambda X: facility_location(X, 2, reach=1.0), "reach"),
        (lambda X: facility_location(X, 2, metric="euclidean", reach=-1.0), "reach"),
        (lambda X: facility_location(X, 2, init=[0, 1, 2]), "init"),
    ],
)
def test_bad_input_gets_words(call, word):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=word):
            call(some(0))
