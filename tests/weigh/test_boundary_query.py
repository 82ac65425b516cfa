"""Boundary points, and which points to label next."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard import weigh
from steelyard.reference import weigh as reference
from support import hostile


def points(n, d=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


# ---- boundary


def test_the_boundary_of_a_grid_is_its_frame():
    side = np.arange(7)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    frame = np.flatnonzero(((grid == 0) | (grid == 6)).any(axis=1))
    found = weigh.boundary(grid, n_points=len(frame))
    assert sorted(found.indices.tolist()) == frame.tolist()
    np.testing.assert_array_equal(np.flatnonzero(found.mask), frame)


def test_the_boundary_of_points_on_a_line_is_its_ends():
    x = np.random.default_rng(0).permutation(np.linspace(0, 1, 31))
    found = weigh.boundary(x[:, None], n_points=2)
    assert {x[i] for i in found.indices} == {0.0, 1.0}


def test_the_boundary_of_a_disc_is_its_rim():
    X = points(700)
    X = X[np.hypot(*X.T) < 1]
    found = weigh.boundary(X, share=0.08)
    radius = np.hypot(*X.T)
    assert len(found) == np.ceil(0.08 * len(X))
    assert np.median(radius[found.indices]) > 0.9 > np.median(radius) + 0.15


def test_the_rule_is_the_largest_weights():
    X = points(50)
    found = weigh.boundary(X, n_points=9, scale=1.5)
    w = reference.weighting(X, 1.5)
    assert set(found.indices) == set(np.argsort(-w)[:9])
    assert found.threshold == pytest.approx(np.sort(w)[-9], rel=1e-9)
    assert (found.weighting.weights[found.indices] >= found.threshold).all()
    assert not found.indices.flags.writeable


def test_distances_serve_as_well_as_points():
    X = points(40)
    D = reference.distances(X)
    by_points = weigh.boundary(X, scale=1.0).indices
    np.testing.assert_array_equal(weigh.boundary(D, scale=1.0, metric="precomputed").indices, by_points)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"n_points": 0}, "n_points"),
        ({"n_points": 11}, "n_points"),
        ({"share": 1.5}, "share"),
        ({"scale": -1.0}, "scale"),
    ],
)
def test_a_boundary_of_nonsense_is_refused(options, name):
    with pytest.raises(ValueError, match=name):
        weigh.boundary(points(10), **options)


# ---- query


def by_hand(labeled, pool, count, scale):
    """Greedy growth of the magnitude, each step solved afresh."""
    chosen = []
    for _ in range(count):
        known = np.vstack([labeled, pool[chosen]])
        gain = reference.differential_magnitude(known, pool, scale)
        gain[chosen] = -1
        chosen.append(int(gain.argmax()))
    return chosen


def test_magnitude_is_maximised_greedily():
    labeled, pool = points(6), points(40, seed=1)
    found = weigh.query(labeled, pool, 8, rule="magnitude", scale=1.3)
    assert found.indices.tolist() == by_hand(labeled, pool, 8, 1.3)
    grown = reference.magnitude(np.vstack([labeled, pool[found.indices]]), 1.3)
    assert found.magnitude == pytest.approx(grown, rel=1e-10)
    assert found.scores.sum() == pytest.approx(grown - reference.magnitude(labeled, 1.3), rel=1e-10)


def test_coverage_is_what_is_unknown_times_how_many_are_near():
    X, pool = points(6), points(50, seed=2)[np.r_[:50, 7, 7]]
    expected, chosen = [], []
    near = reference.similarity(pool, 1.1).mean(axis=0)
    for _ in range(4):
        known = np.vstack([X, pool[chosen]])
        k = reference.similarity(known, 1.1, Y=pool)
        left = 1 - np.sum(k * np.linalg.solve(reference.similarity(known, 1.1), k), axis=0)
        expected.append((left * near).max())
        chosen.append(int((left * near).argmax()))
    found = weigh.query(X, pool, 4, scale=1.1)
    assert found.rule == "coverage"
    assert found.indices.tolist() == chosen
    np.testing.assert_allclose(found.scores, expected, rtol=1e-9)


def test_ambiguity_is_the_ratio_of_class_weights_times_what_is_unknown():
    X, pool = points(20), points(50, seed=2)
    y = np.repeat(["a", "b"], 10)
    w = np.abs([reference.new_weights(X[y == c], pool, 1.1) for c in "ab"])
    Z, k = reference.similarity(X, 1.1), reference.similarity(X, 1.1, Y=pool)
    left = 1 - np.sum(k * np.linalg.solve(Z, k), axis=0)
    expected = left * w.min(axis=0) / w.max(axis=0)
    found = weigh.query(X, pool, 1, y=y, scale=1.1)
    assert found.rule == "ambiguity"
    assert found.indices[0] == expected.argmax()
    assert found.scores[0] == pytest.approx(expected.max(), rel=1e-9)


def test_the_point_between_two_classes_is_asked_for():
    X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    found = weigh.query(X, [[-1.5], [0.0], [1.5]], y=[0, 0, 1, 1], scale=1.0)
    assert found.indices.tolist() == [1]


def test_with_one_class_the_least_known_point_is_asked_for():
    found = weigh.query([[0.0], [1.0]], [[0.5], [7.0], [1.1]], y=[1, 1], scale=1.0)
    assert found.indices.tolist() == [1]


@pytest.mark.parametrize("rule", ["coverage", "magnitude"])
def test_copies_come_last_and_are_worth_nothing(rule):
    labeled = points(3)
    pool = np.vstack([labeled[:2], points(2, seed=1), points(2, seed=1)])
    found = weigh.query(labeled, pool, 6, rule=rule, scale=1.0)
    assert sorted(found.indices.tolist()) == list(range(6))
    assert (found.scores[:2] > 0).all()
    assert (found.scores[2:] == 0).all()


@pytest.mark.parametrize("metric", ["euclidean", "cityblock", "angular", "hamming"])
def test_every_metric_of_points_can_be_queried(metric):
    X = np.rint(3 * points(30, 5)) + 0.5
    found = weigh.query(X[:8], X[8:], 5, metric=metric, y=np.arange(8) % 3)
    assert len(set(found.indices)) == 5


def test_the_scale_is_that_of_all_points():
    labeled, pool = points(10), points(40, seed=1)
    both = np.vstack([labeled, pool])
    for rule, how in (("coverage", "median"), ("magnitude", "fraction")):
        assert weigh.query(labeled, pool, rule=rule).scale == pytest.approx(
            weigh.find_scale(both, how), rel=1e-6
        )


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"n_queries": 6}, "n_queries"),
        ({"n_queries": 0}, "n_queries"),
        ({"y": [0, 1]}, "y"),
        ({"y": [0, 1, np.nan, 0]}, "y"),
        ({"rule": "ambiguity"}, "needs y"),
        ({"rule": "entropy"}, "rule"),
        ({"metric": "precomputed"}, "metric"),
        ({"X_pool": points(5, 3)}, "X_pool must have 2 features, got 3"),
    ],
)
def test_a_query_of_nonsense_is_refused(change, name):
    asked = {"X_labeled": points(4), "X_pool": points(5, seed=1), "scale": 1.0} | change
    with pytest.raises(ValueError, match=name):
        weigh.query(**asked)


@pytest.mark.parametrize("variant", hostile.params(hostile.INVALID))
def test_spoilt_arrays_are_refused_by_name(variant):
    hostile.check_refused(lambda a: weigh.query(a, points(6), scale=1.0), points(6), variant, "X_labeled")
    hostile.check_refused(lambda a: weigh.query(points(6), a, scale=1.0), points(6), variant, "X_pool")
    hostile.check_refused(lambda a: weigh.boundary(a, scale=1.0), points(6), variant, "X")


@pytest.mark.parametrize("variant", hostile.params(hostile.VALID))
def test_any_layout_gives_the_same_answer(variant):
    base = np.rint(9 * points(8, seed=3))
    hostile.check_same(lambda a: weigh.query(points(5), a, 3, scale=0.5).scores, base, variant)
    hostile.check_same(lambda a: weigh.boundary(a, n_points=3, scale=0.5).indices, base, variant)
