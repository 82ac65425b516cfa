"""Directed distances: counts, the nearest ones, their bound."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import nnls

from steelyard import metric
from steelyard.reference import metric as reference

pytestmark = pytest.mark.smoke


def travel_times(n, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    d = np.linalg.norm(x[:, None] - x, axis=2) * np.exp(0.5 * rng.normal(size=(n, n)))
    return d * (1 - np.eye(n))


def rows(n):
    """x_ij - x_ik - x_kj <= 0 and -x_ij <= 0 over the entries of a square."""
    out = [-row for row in np.eye(n * n)]
    for i, j, k in itertools.permutations(range(n), 3):
        row = np.zeros((n, n))
        row[i, j], row[i, k], row[k, j] = 1.0, -1.0, -1.0
        out.append(row.ravel())
    return np.array(out)


@pytest.mark.parametrize("n", [3, 4, 9, 17, 33])
@pytest.mark.parametrize("tol", [0.0, 0.3])
def test_each_direction_is_counted_for_itself(n, tol):
    d = np.random.default_rng(n).normal(size=(n, n)) * (1 - np.eye(n))
    triples = list(itertools.permutations(range(n), 3))
    broken = {
        (i, j, k): d[i, j] - (d[i, k] + d[k, j]) for i, j, k in triples if d[i, k] + d[k, j] < d[i, j] - tol
    }
    report = metric.violations(d, symmetric=False, tol=tol, top=4)
    assert (report.n_triangles, report.n_broken) == (len(triples), len(broken))
    assert report.n_pairs == len({(i, j) for i, j, _ in broken})
    assert report.largest == max(broken.values(), default=0.0)
    assert report.n_negative == np.count_nonzero(d < 0)
    for i, j, k, excess in report.worst:
        assert d[i, j] - (d[i, k] + d[k, j]) == excess


def test_the_report_names_both_legs_in_their_direction():
    report = metric.violations([[0, 1, 5], [9, 0, 2], [9, 9, 0]], symmetric=False)
    assert "3 items, directed, not a metric" in repr(report)
    assert "worst: d(0, 2) exceeds d(0, 1) + d(1, 2) by 2" in repr(report)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_least_squares_are_those_of_an_active_set(seed, negative, weighted):
    n = 5
    d = travel_times(n, seed) - (0.8 * (1 - np.eye(n)) if negative else 0.0)
    w = np.random.default_rng(seed).uniform(0.2, 3.0, (n, n)) if weighted else np.ones((n, n))
    A = rows(n)
    duals, _ = nnls(A.T / np.sqrt(w.ravel())[:, None], np.sqrt(w.ravel()) * d.ravel(), maxiter=10_000)
    best = d - (A.T @ duals / w.ravel()).reshape(n, n)
    found = metric.nearest_metric(d, symmetric=False, weights=w if weighted else None, tol=1e-9)
    np.testing.assert_allclose(found.distances, best, atol=1e-6)
    assert found.info.converged
    assert found.info.lower_bound <= found.objective == pytest.approx(0.5 * (w * (best - d) ** 2).sum())
    np.testing.assert_allclose(reference.closure(found.distances), found.distances, atol=1e-12)


def test_the_duals_prove_the_bound():
    d = travel_times(12)
    found = metric.nearest_metric(d, symmetric=False)
    g = np.zeros_like(d)
    for (i, j, k), dual in zip(found.triangles, found.duals, strict=True):
        g[i, j] += dual
        g[i, k] -= dual
        g[k, j] -= dual
    assert (found.duals > 0).all()
    assert (g * d).sum() - 0.5 * (g * g).sum() == pytest.approx(found.info.lower_bound)


def test_symmetric_distances_stay_symmetric():
    d = travel_times(9)
    d = d + d.T
    one, both = metric.nearest_metric(d), metric.nearest_metric(d, symmetric=False)
    np.testing.assert_allclose(both.distances, one.distances, atol=1e-4)
    assert both.objective == pytest.approx(2 * one.objective)


def test_a_directed_metric_comes_back_and_a_closure_is_one():
    d = reference.closure(travel_times(20))
    assert metric.nearest_metric(d, symmetric=False).objective == pytest.approx(0.0, abs=1e-20)
    found = metric.nearest_metric(travel_times(20), symmetric=False, decrease_only=True)
    np.testing.assert_allclose(found.distances, d, rtol=1e-15)
    assert metric.violations(found.distances, symmetric=False, tol=1e-12).is_metric


def test_a_result_is_a_start_and_any_threads_give_the_same_bits():
    d = travel_times(25)
    found = metric.nearest_metric(d, symmetric=False, n_threads=1)
    np.testing.assert_array_equal(
        metric.nearest_metric(d, symmetric=False, n_threads=2).distances, found.distances
    )
    again = metric.nearest_metric(d * 1.0001, symmetric=False, init=found)
    assert again.info.converged
    assert again.info.iterations < found.info.iterations
    assert len(found.to_frame()["distance"]) == 25 * 24


@pytest.mark.parametrize(
    ("D", "options", "message"),
    [
        ([1.0, 2.0, 3.0], {}, "square and not empty for symmetric=False"),
        ([[0.0, np.nan], [1.0, 0.0]], {}, "needs them all"),
        ([[1.0, 2.0], [1.0, 0.0]], {}, "zero diagonal"),
        (np.zeros((3, 3)), {"norm": "l1"}, "symmetric=False goes with norm='l2'"),
        (np.zeros((3, 3)), {"missing": "free"}, "missing='free' goes with symmetric=True"),
        (np.zeros((3, 3)), {"weights": np.zeros((3, 3))}, "weights must be positive"),
        (np.zeros((3, 3)), {"weights": np.ones((2, 2))}, "weights must be those of 3 items"),
        (
            np.zeros((3, 3)),
            {"init": metric.nearest_metric([1.0, 5.0, 1.0])},
            "init must be a result of symmetric=False",
        ),
        (-np.ones((3, 3)) + np.eye(3), {"decrease_only": True}, "6 negative entries"),
    ],
)
def test_what_can_not_be_answered_is_refused(D, options, message):
    with pytest.raises(ValueError, match=message):
        metric.nearest_metric(D, symmetric=False, **options)
    if "init" in options:
        with pytest.raises(ValueError, match="init must be a result of symmetric=True"):
            metric.nearest_metric(D, init=metric.nearest_metric(D, symmetric=False))
