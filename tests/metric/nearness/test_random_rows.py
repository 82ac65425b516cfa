"""Constraints drawn at random: the answer of looking at all, with a proven gap."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from steelyard import metric


class AllRows:
    def __init__(self, A, b):
        self.A, self.b = A, b

    def __call__(self, x):
        broken = self.A @ x > self.b
        return self.A[broken], self.b[broken]


def polytope(seed, m=400, n=6):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(m, n)), np.ones(m), 2 * rng.normal(size=n)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, sparse.coo_matrix])
@pytest.mark.parametrize("seed", range(6))
def test_it_finds_what_looking_at_all_rows_finds(seed, form):
    A, b, x0 = polytope(seed)
    whole = metric.project_and_forget(x0, AllRows(A, b), tol=1e-8, max_iter=20_000, passes=50)
    oracle = metric.RandomRows(form(A), b, size=40, interior=np.zeros(6), rng=seed)
    found = metric.project_and_forget(x0, oracle, tol=1e-8, max_iter=20_000, passes=50)
    np.testing.assert_allclose(found.x, whole.x, atol=1e-6)
    assert found.info.error_kind == "rigorous"
    assert found.info.error_bound <= 1e-8
    assert found.info.lower_bound <= whole.objective * (1 + 1e-7)
    assert np.isfinite(found.info.trace["gap"]).all()
    assert (A @ found.x - b).max() <= 1e-6


def test_weights_count_in_the_certificate():
    A, b, x0 = polytope(3)
    w = np.random.default_rng(0).uniform(0.5, 2.0, 6)
    oracle = metric.RandomRows(A, b, interior=np.zeros(6), rng=0)
    found = metric.project_and_forget(x0, oracle, w, max_iter=20_000, passes=50)
    whole = metric.project_and_forget(x0, AllRows(A, b), w, max_iter=20_000, passes=50)
    assert found.objective == pytest.approx(whole.objective, rel=1e-5)
    assert found.info.error_bound <= 1e-6


def test_without_an_inner_point_all_rows_hold_but_nothing_is_proven():
    A, b, x0 = polytope(1)
    oracle = metric.RandomRows(A, b, size=5, rng=0)
    found = metric.project_and_forget(x0, oracle, max_iter=20_000, passes=50)
    assert found.info.converged
    assert found.info.error_bound is None
    assert "no proof" in found.info.message
    assert (A @ found.x - b).max() <= 1e-4
    assert oracle.rows_seen >= len(b)  # looked at all before it ended


def test_a_rare_broken_row_is_not_missed():
    # One row in 5,000 cuts; draws of one would end at once without the last look.
    A = np.vstack([np.zeros((4999, 1)) + 1e-3, [[1.0]]])
    oracle = metric.RandomRows(A, np.ones(5000), size=1, interior=[0.0], rng=0)
    found = metric.project_and_forget([3.0], oracle)
    assert found.x[0] == pytest.approx(1.0, abs=1e-6)


def test_a_seed_repeats():
    A, b, x0 = polytope(2)
    runs = [
        metric.project_and_forget(x0, metric.RandomRows(A, b, interior=np.zeros(6), rng=7)).x
        for _ in range(2)
    ]
    np.testing.assert_array_equal(*runs)


def test_an_oracle_that_looks_at_a_part_is_asked_for_the_rest_before_the_end():
    class Lazy:
        def __call__(self, x):
            return np.zeros((0, 1)), np.zeros(0)

        def check(self, x):
            return np.array([[1.0]]), np.array([1.0])

        def feasible(self, x):
            return np.minimum(x, 1.0)

    found = metric.project_and_forget([3.0], Lazy())
    assert found.x[0] == pytest.approx(1.0)
    assert found.info.error_bound <= 1e-6
    Lazy.feasible = lambda self, x: np.zeros(2)
    with pytest.raises(ValueError, match=r"oracle\.feasible must have length 1"):
        metric.project_and_forget([3.0], Lazy())
    Lazy.feasible = lambda self, x: np.array([3.0])
    with pytest.raises(ValueError, match=r"oracle\.feasible must speak of a point within all"):
        metric.project_and_forget([3.0], Lazy())


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((np.ones(3), np.ones(3)), {}, "A must be 2-dimensional"),
        ((np.ones((3, 2)), np.ones(4)), {}, r"A of the oracle must have shape \(4, 2\)"),
        ((np.ones((3, 2)), [1, np.nan, 1]), {}, "b of the oracle has 1 entries"),
        ((np.zeros((1, 2)), [-1.0]), {}, "row of zeros"),
        ((np.ones((3, 2)), np.ones(3)), {"size": 0}, "size must be at least 1"),
        ((np.ones((3, 2)), np.ones(3)), {"interior": [1.0]}, "interior must have length 2"),
        ((np.ones((3, 2)), np.ones(3)), {"interior": [1.0, 1.0]}, "breaks 3 rows"),
    ],
)
def test_what_is_no_system_is_refused(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        metric.RandomRows(*arguments, **options)


def test_points_that_are_none_are_refused_by_name():
    oracle = metric.RandomRows(np.eye(3), np.ones(3), interior=np.zeros(3), rng=0)
    for x in (np.array(["2020-01-01"] * 3, "M8[D]"), [1.0, np.nan, 0.0], [1.0, 2.0], None, "abc"):
        for ask in (oracle, oracle.check, oracle.feasible):
            with pytest.raises((TypeError, ValueError), match=r"^x "):
                ask(x)
