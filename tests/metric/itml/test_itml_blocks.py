"""Metric learning over all pairs of labelled points, block by block: the same steps, the same limit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_iris, load_wine

from steelyard import _core, metric
from steelyard.reference import itml as reference
from support import isa
from support.examples import examples

pytestmark = pytest.mark.kernel

NONE = np.zeros(0, np.int32)


def learn_all(X, y, near=0.5, far=6.0, gamma=1.0, tol=1e-10, sweeps=1000, seed=(0, 1)):
    y = np.asarray(y, np.int32)
    return _core.metric._learn_metric(
        X, NONE, NONE, NONE.astype(np.int8), y, near, far, gamma, tol, sweeps, seed
    )


def learn_listed(X, y, near=0.5, far=6.0, tol=1e-10, sweeps=20_000):
    i, j = np.triu_indices(len(X), 1)
    first, second = i.astype(np.int32), j.astype(np.int32)
    similar = (y[i] == y[j]).astype(np.int8)
    return _core.metric._learn_metric(X, first, second, similar, None, near, far, 1.0, tol, sweeps, (0, 1))


def instance(n, d, classes, seed=0):
    """The first feature keeps points so far apart that products tell their distances."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * rng.uniform(0.3, 3, d)
    X[:, 0] = 0.3 * (rng.permutation(n) - n / 2) + 0.1 * rng.random(n)
    return X, rng.integers(0, classes, n)


def expected_after_one_sweep(X, y, near, far, gamma, seed=(0, 1)):
    n = len(X)
    i, j = np.triu_indices(n, 1)
    number = np.zeros((n, n), int)
    number[i, j] = number[j, i] = np.arange(len(i))
    v, similar = X[i] - X[j], y[i] == y[j]
    order = number[tuple(_core.testing._metric_pair_order(n, 1, seed).T)]
    A, duals = reference.fit(v, similar, near, far, gamma, order=order)
    return A, duals, reference.bounds(v, similar, near, far, gamma, duals)


def objective(A, v, similar, near, far, gamma):
    p = np.einsum("ck,kl,cl->c", v, A, v)
    b = np.where(similar, near, far)
    xi = np.where(similar, np.maximum(p, b), np.minimum(p, b))
    return np.trace(A) - np.linalg.slogdet(A)[1] - len(A) + gamma * (xi / b - np.log(xi / b) - 1).sum()


@pytest.mark.parametrize("n", [2, 3, 8, 9, 16, 17, 24, 33, 97])
def test_a_sweep_takes_each_pair_once_and_no_two_sweeps_are_alike(n):
    m = n * (n - 1) // 2
    order = _core.testing._metric_pair_order(n, 3, (7, 1))
    assert order.shape == (3 * m, 2)
    for sweep in order.reshape(3, m, 2):
        assert len({frozenset(pair) for pair in sweep.tolist()}) == m
    if n > 8:
        assert not np.array_equal(order[:m], order[m : 2 * m])


@pytest.mark.parametrize("d", [1, 2, 7, 8, 9, 16, 17, 33, 64])
@pytest.mark.parametrize("n", [2, 3, 7, 8, 9, 15, 16, 17, 32, 33])
def test_a_sweep_is_the_references_step_by_step(n, d):
    X, y = instance(n, d, 3)
    found = learn_all(X, y, 0.5 * d, 3.0 * d, sweeps=1)
    A, duals, (upper, lower) = expected_after_one_sweep(X, y, 0.5 * d, 3.0 * d, 1.0)
    np.testing.assert_allclose(found["matrix"], A, rtol=1e-8, atol=1e-9)
    assert found["upper"] == pytest.approx(upper, rel=1e-9, abs=1e-9)
    assert found["lower"] == pytest.approx(lower, rel=1e-9, abs=1e-9)
    assert found["active"] == np.count_nonzero(duals)
    assert found["steps"] == n * (n - 1) // 2


@examples(20)
@given(
    st.integers(0, 10**6),
    st.integers(2, 40),
    st.integers(1, 12),
    st.integers(1, 40),
    st.floats(0.2, 5),
    st.floats(0.2, 5),
)
def test_any_labels_slacks_and_bounds_end_where_the_reference_cannot_do_better(
    seed, n, d, classes, gamma, near
):
    X, y = instance(n, d, classes, seed)
    found = learn_all(X, y, near, 3.0 * d, gamma, tol=1e-6, sweeps=20_000, seed=(seed, 2))
    assert found["info"]["converged"]
    assert np.linalg.eigvalsh(found["matrix"]).min() > 0
    i, j = np.triu_indices(n, 1)
    cost = objective(found["matrix"], X[i] - X[j], y[i] == y[j], near, 3.0 * d, gamma)
    assert found["upper"] == pytest.approx(cost, rel=1e-8, abs=1e-8)
    assert found["lower"] <= cost + 1e-9 * max(1.0, cost)
    upper, lower = expected_after_one_sweep(X, y, near, 3.0 * d, gamma, (seed, 2))[2]
    assert lower <= cost * (1 + 1e-8) + 1e-8
    assert found["lower"] <= upper * (1 + 1e-8) + 1e-8


def of_one_sweep(n, d):
    X, y = instance(n, d, 3)
    return learn_all(X, y, 0.5 * d, 3.0 * d, sweeps=1)["matrix"]


@pytest.mark.parametrize("level", isa.LEVELS)
@pytest.mark.parametrize(("n", "d"), [(17, 5), (40, 19)])
def test_every_instruction_set_takes_the_same_steps(level, n, d):
    there = isa.on_isa(level, of_one_sweep, n, d)
    np.testing.assert_allclose(there, of_one_sweep(n, d), rtol=1e-9, atol=1e-10)


def unbalanced():
    rng = np.random.default_rng(0)
    y = np.r_[np.zeros(90, int), np.ones(5, int), np.full(2, 2)]
    return rng.normal(size=(97, 6)) * np.linspace(0.3, 3, 6) + 0.7 * y[:, None], y


@pytest.mark.parametrize("data", ["iris", "wine", "unbalanced"])
def test_blocks_and_single_pairs_have_one_limit(data):
    if data == "unbalanced":
        X, y = unbalanced()
    else:
        X, y = {"iris": load_iris, "wine": load_wine}[data](return_X_y=True)
        X, y = (X / X.std(axis=0))[::2], y[::2]
    X = X / np.sqrt(X.shape[1])
    blocks, single = (learn(X, y, 0.3, 2.0, tol=1e-12) for learn in (learn_all, learn_listed))
    assert blocks["info"]["converged"]
    np.testing.assert_allclose(blocks["matrix"], single["matrix"], rtol=1e-6, atol=1e-6)
    assert blocks["upper"] == pytest.approx(single["upper"], rel=1e-10)
    assert blocks["lower"] == pytest.approx(single["lower"], rel=1e-10)
    assert blocks["active"] == single["active"]


def test_points_far_from_the_origin_are_as_good():
    X, y = instance(60, 5, 3)
    here = learn_all(X, y)
    there = learn_all(X + 1e6, y)
    assert there["info"]["converged"]
    np.testing.assert_allclose(there["matrix"], here["matrix"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("apart", [1e-3, 1e-5, 1e-7])
def test_distances_that_products_cannot_tell_are_measured_again(apart):
    # Twins of other classes, and families a million times their size apart.
    X, y = instance(40, 3, 2)
    X[20:] = X[:20] + apart * X[20:]
    y[20:] = 1 - y[:20]
    X[:10] += 1e3
    X[20:30] += 1e3
    i, j = np.triu_indices(40, 1)
    v, similar = X[i] - X[j], y[i] == y[j]
    found = learn_all(X, y, 1.0, 2.0, gamma=0.1, tol=1e-7, sweeps=300)
    listed = _core.metric._learn_metric(
        X, i.astype(np.int32), j.astype(np.int32), similar.astype(np.int8), None,
        1.0, 2.0, 0.1, 1e-7, 300, (0, 1),
    )  # fmt: skip
    assert found["info"]["error_bound"] <= max(1e-7, 3 * listed["info"]["error_bound"])
    assert found["upper"] == pytest.approx(listed["upper"], rel=1e-5)
    p = np.einsum("ck,kl,cl->c", v, found["matrix"], v)
    assert np.isfinite(p).all()
    assert (p > 0).all()


def test_gaps_fall_as_fast_as_in_random_order():
    X, y = load_wine(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    model = metric.ITMLSupervised(n_constraints="all", tol=1e-300, max_iter=16, random_state=0)
    with pytest.warns(UserWarning, match="did not reach tol"):
        model.fit(X, y)
    gaps = np.asarray(model.info_.trace["gap"])
    assert gaps[7] < 1e-2
    assert gaps[15] < 1e-4
