"""Maximum diversity against closed forms and the theorem of Leinster and Meckes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import ConvergenceWarning, _core
from steelyard.weigh import _diversity, _spaces, max_diversity
from support import hostile
from support.examples import examples


def similarities(X, scale):
    return np.exp(-scale * np.linalg.norm(X[:, None] - X, axis=-1))


def points(seed, n, d):
    return np.random.default_rng(seed).normal(size=(n, d))


@pytest.mark.parametrize("distance", [1e-9, 0.1, 1.0, 50.0])
def test_two_points_share_evenly(distance):
    best = max_diversity([[0.0], [distance]])
    np.testing.assert_allclose(best.distribution, [0.5, 0.5])
    assert best.magnitude == pytest.approx(1 + math.tanh(distance / 2), rel=1e-14)


@pytest.mark.parametrize("n", [1, 3, 40])
def test_equidistant_points_are_uniform(n):
    best = max_diversity(1.0 - np.eye(n), metric="precomputed", scale=0.7)
    np.testing.assert_allclose(best.distribution, 1 / n, rtol=1e-12)
    assert best.magnitude == pytest.approx(n / (1 + (n - 1) * math.exp(-0.7)), rel=1e-12)


def test_points_on_a_line_have_the_diversity_of_their_magnitude():
    x = np.sort(points(0, 50, 1), axis=0)
    gaps = np.tanh(np.diff(x[:, 0]) / 2)
    weights = (np.append(1, gaps) + np.append(gaps, 1)) / 2
    best = max_diversity(x)
    assert best.magnitude == pytest.approx(weights.sum(), rel=1e-12)
    np.testing.assert_allclose(best.distribution, weights / weights.sum(), rtol=1e-7)


@given(st.integers(0, 1000), st.integers(2, 60), st.integers(1, 4), st.floats(0.01, 20))
@examples(25)
def test_on_its_support_it_is_the_weighting_over_the_magnitude(seed, n, d, scale):
    X = points(seed, n, d)
    best = max_diversity(X, scale=scale)
    Z = similarities(X, scale)
    p = best.distribution
    assert best.info.converged
    assert (p >= 0).all()
    assert p.sum() == pytest.approx(1, abs=1e-13)
    assert p @ Z @ p - (Z @ p).min() == pytest.approx(best.gap, abs=1e-12)
    assert best.gap <= 1e-10 * p @ Z @ p
    w = np.linalg.solve(Z[np.ix_(best.support, best.support)], np.ones(len(best.support)))
    assert best.magnitude == pytest.approx(w.sum(), rel=1e-9)
    assert 1 - 1e-12 <= best.magnitude <= n * (1 + 1e-12)


def test_a_nonnegative_weighting_attains_it():
    X = points(1, 30, 5)
    w = np.linalg.solve(similarities(X, 5.0), np.ones(30))
    assert (w > 0).all()
    best = max_diversity(X, scale=5.0)
    assert best.magnitude == pytest.approx(w.sum(), rel=1e-10)
    np.testing.assert_allclose(best.distribution, w / w.sum(), rtol=1e-8)
    assert len(best.support) == 30


@pytest.mark.parametrize("metric", ["euclidean", "precomputed"])
def test_duplicates_share_their_mass_evenly(metric):
    X = points(2, 12, 2)
    X[3] = 0.0
    twice = np.concatenate([X, X[:5], X[:2]])
    twice[12 + 3] = -0.0
    given_as = np.linalg.norm(twice[:, None] - twice, axis=-1) if metric == "precomputed" else twice
    once, more = max_diversity(X), max_diversity(given_as, metric=metric)
    assert more.info.merged == 7
    assert more.magnitude == pytest.approx(once.magnitude, rel=1e-12)
    counts = np.r_[3, 3, 2, 2, 2, np.ones(7)]
    np.testing.assert_allclose(more.distribution[:12] * counts, once.distribution, atol=1e-9)
    np.testing.assert_array_equal(more.distribution[12:17], more.distribution[:5])


def test_near_duplicates_do_no_harm():
    X = points(3, 40, 2)
    near = np.concatenate([X, X + 1e-13])
    best = max_diversity(near)
    assert best.info.converged
    assert best.magnitude == pytest.approx(max_diversity(X).magnitude, rel=1e-9)


def test_the_order_of_the_points_changes_nothing():
    X, order = points(4, 60, 2), np.random.default_rng(0).permutation(60)
    np.testing.assert_allclose(
        max_diversity(X[order]).distribution, max_diversity(X).distribution[order], atol=1e-9
    )


def complete_bipartite(a, b):
    side = np.r_[np.zeros(a), np.ones(b)]
    d = np.where(side[:, None] == side, 2.0, 1.0)
    np.fill_diagonal(d, 0.0)
    return d


def test_an_indefinite_space_is_refused_unless_a_local_answer_will_do():
    d = complete_bipartite(3, 2)
    with pytest.raises(ValueError, match=r"X must have positive semidefinite similarities.*local=True"):
        max_diversity(d, metric="precomputed", scale=0.1)
    best = max_diversity(d, metric="precomputed", scale=0.1, local=True)
    assert best.info.definite == "no"
    assert "first-order" in best.info.message
    assert best.info.error_kind == "estimate"
    Z = np.exp(-0.1 * d)
    assert best.distribution @ Z @ best.distribution - (Z @ best.distribution).min() <= 1e-9
    assert max_diversity(d, metric="precomputed", scale=1.0).info.definite == "cholesky"


def test_a_singular_space_is_not_taken_for_an_indefinite_one():
    # The square of a circle's chord: Z = exp(-d) of a 4-cycle whose factor is rank one times rank two.
    d = complete_bipartite(2, 2)
    assert max_diversity(d, metric="precomputed", scale=1e-17).magnitude == pytest.approx(1.0)
    assert max_diversity(d, metric="precomputed", scale=1e-17).info.definite == "eigenvalues"


def test_infinite_distances_mean_nothing_in_common():
    d = np.array([[0, 1, np.inf], [1, 0, np.inf], [np.inf, np.inf, 0]])
    assert max_diversity(d, metric="precomputed").magnitude == pytest.approx(2 + math.tanh(0.5))


def test_rows_on_demand_give_the_same(monkeypatch):
    X = points(5, 120, 3)
    stored = max_diversity(X)
    monkeypatch.setattr("steelyard.weigh._diversity._STORED", 10)
    made = max_diversity(X)
    np.testing.assert_allclose(made.distribution, stored.distribution, atol=1e-12)


def test_the_bits_do_not_depend_on_threads(equal_over_threads):
    X = points(6, 250, 3)
    found = equal_over_threads(lambda threads: max_diversity(X, n_threads=threads))
    assert found.info.converged


@pytest.mark.parametrize("variant", hostile.params(hostile.VALID))
def test_any_layout_gives_the_same_answer(variant):
    hostile.check_same(lambda X: max_diversity(X).distribution, np.arange(12.0).reshape(6, 2) % 5, variant)


@pytest.mark.parametrize("variant", hostile.params(hostile.INVALID))
def test_nonsense_is_refused(variant):
    hostile.check_refused(max_diversity, np.arange(12.0).reshape(6, 2), variant, "X")


@pytest.mark.parametrize(
    ("X", "options", "message"),
    [
        ([[0, 1], [2, 0]], {"metric": "precomputed"}, "X must be a symmetric distance"),
        ([[0, -1], [-1, 0]], {"metric": "precomputed"}, "X must hold distances >= 0"),
        ([[1, 1], [1, 0]], {"metric": "precomputed"}, "X must have a diagonal of zeros"),
        ([[0, 1]], {"metric": "precomputed"}, "X must be a square"),
        ([[0, np.nan], [np.nan, 0]], {"metric": "precomputed"}, "X must hold distances"),
        ([[0.0], [1.0]], {"metric": "sine"}, "metric must be one of"),
        ([[0.0], [1.0]], {"scale": 0}, "scale must be positive"),
        ([[0.0], [1.0]], {"local": 1}, "local must be True or False"),
    ],
)
def test_arguments_are_checked_by_name(X, options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        max_diversity(X, **options)


def endless_diversity():
    X = points(0, 9000, 3)  # too many to hold Z
    while True:
        max_diversity(X, scale=2.0)


def test_ctrl_c_leaves_the_best_distribution_so_far(ctrl_c):
    outcome = ctrl_c(endless_diversity, after=0.6)
    assert outcome.raised
    assert outcome.partial.info.interrupted
    assert outcome.partial.distribution.sum() == pytest.approx(1.0)


def test_the_repr_counts_effective_points():
    assert "2 effective points of 2" in repr(max_diversity([[0.0], [99.0]]))


def test_positive_definiteness_is_decided_by_the_factor():
    assert _core.linalg._is_positive_definite(np.eye(3))
    assert not _core.linalg._is_positive_definite(np.ones((3, 3)))
    with pytest.raises(ValueError, match="square"):
        _core.linalg._is_positive_definite(np.ones((2, 3)))


@pytest.mark.parametrize(("d", "scale"), [(1, 8.0), (2, 3.0), (2, 40.0), (3, 6.0)])
def test_many_points_are_solved_by_supports_and_a_far_field(d, scale, monkeypatch):
    X = np.random.default_rng(d).uniform(size=(700, d))
    exact = max_diversity(X, scale=scale)
    monkeypatch.setattr(_diversity, "_STORED", 500)
    monkeypatch.setattr(_spaces, "FAR_FROM", {1: 500, 2: 500, 3: 500})
    found = max_diversity(X, scale=scale)
    assert "far field" in found.info.solver
    assert "far field" not in exact.info.solver
    assert found.info.converged
    assert (found.distribution >= 0).all()
    assert found.distribution.sum() == pytest.approx(1, abs=1e-12)
    assert found.magnitude <= exact.magnitude * (1 + 1e-9)
    assert exact.magnitude <= found.magnitude / (1 - found.gap * found.magnitude) ** 2 * (1 + 1e-9)
    assert found.magnitude == pytest.approx(exact.magnitude, rel=1e-6)
    assert found.info.error_kind == ("estimate" if d == 3 else "rigorous")


def test_copies_share_their_mass_by_a_far_field_too(monkeypatch):
    X = np.random.default_rng(5).uniform(size=(600, 2))
    monkeypatch.setattr(_diversity, "_STORED", 500)
    monkeypatch.setattr(_spaces, "FAR_FROM", {2: 500})
    once, twice = max_diversity(X, scale=5.0), max_diversity(np.vstack([X, X]), scale=5.0)
    np.testing.assert_allclose(2 * twice.distribution[:600], once.distribution, atol=1e-12)
    assert twice.info.merged == 600


def test_a_gap_that_is_missed_is_said(monkeypatch):
    monkeypatch.setattr(_diversity, "_STORED", 500)
    monkeypatch.setattr(_spaces, "FAR_FROM", {3: 500})
    with pytest.warns(ConvergenceWarning, match="max_diversity"):
        found = max_diversity(np.random.default_rng(0).uniform(size=(600, 3)), scale=5.0, tol=1e-15)
    assert not found.info.converged
