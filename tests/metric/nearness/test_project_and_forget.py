"""The general engine against closed forms, scikit-learn, an exact solver, and oracles that misbehave."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import nnls
from sklearn.isotonic import isotonic_regression

import steelyard
from steelyard import _core, metric
from steelyard.reference import project_and_forget as reference


class Halfspaces:
    """All rows that x breaks."""

    def __init__(self, A, b, form=np.asarray):
        self.A, self.b, self.form = np.asarray(A, float), np.asarray(b, float), form

    def __call__(self, x):
        broken = self.A @ x > self.b
        return self.form(self.A[broken]), self.b[broken]


def steps(n):
    return np.eye(n - 1, n) - np.eye(n - 1, n, 1)


def as_arrays(A):
    csr = sparse.csr_array(A)
    return csr.data, csr.indices, csr.indptr


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array, sparse.coo_matrix, as_arrays])
def test_isotonic_regression_in_every_form_of_rows(form):
    rng = np.random.default_rng(0)
    y, w = rng.normal(size=12), rng.uniform(0.5, 2.0, size=12)
    found = metric.project_and_forget(y, Halfspaces(steps(12), np.zeros(11), form), w, tol=1e-9)
    np.testing.assert_allclose(found.x, isotonic_regression(y, sample_weight=w), atol=1e-7)
    assert found.info.error_bound is None
    assert "no proof" in found.info.message


def test_the_simplex_in_closed_form():
    # The projection subtracts one number and clips: (1.2, 0.6, -1) -> (0.8, 0.2, 0).
    A = np.vstack([-np.eye(3), np.ones(3), -np.ones(3)])
    found = metric.project_and_forget([1.2, 0.6, -1.0], Halfspaces(A, [0, 0, 0, 1, -1]), tol=1e-10)
    np.testing.assert_allclose(found.x, [0.8, 0.2, 0.0], atol=1e-8)


@pytest.mark.parametrize("seed", range(30))
def test_it_is_the_answer_of_an_exact_solver(seed):
    rng = np.random.default_rng(seed)
    A, x0, w = rng.normal(size=(6, 4)), 3 * rng.normal(size=4), rng.uniform(0.5, 2, size=4)
    b = A @ rng.normal(size=4) + 0.1  # not empty
    with np.errstate(all="ignore"):
        # The least-distance problem min |u|, G u >= h by one NNLS (Lawson and Hanson, chapter 23).
        G, h = -A / np.sqrt(w), A @ x0 - b
        E = np.vstack([G.T, h])
        u, _ = nnls(E, np.r_[np.zeros(4), 1.0])
        r = E @ u - np.r_[np.zeros(4), 1.0]
        exact = x0 + (-r[:4] / r[4]) / np.sqrt(w)
    found = metric.project_and_forget(x0, Halfspaces(A, b), w, tol=1e-11, max_iter=20_000, passes=50)
    np.testing.assert_allclose(found.x, exact, atol=1e-5)
    pull = x0 - (found.A.T @ found.duals) / w
    np.testing.assert_allclose(found.x, pull, atol=1e-12)
    assert (found.duals > 0).all()


def test_the_plain_reference_agrees():
    y = np.random.default_rng(2).normal(size=8)
    oracle = Halfspaces(steps(8), np.zeros(7))
    plain = reference.project_and_forget(y, oracle)
    np.testing.assert_allclose(metric.project_and_forget(y, oracle, tol=1e-9).x, plain, atol=1e-7)


def test_a_warm_start_ends_at_once_and_keeps_the_duals():
    y = np.random.default_rng(1).normal(size=30)
    oracle = Halfspaces(steps(30), np.zeros(29))
    cold = metric.project_and_forget(y, oracle, tol=1e-8)
    warm = metric.project_and_forget(y, oracle, tol=1e-8, init=cold)
    assert warm.info.iterations == 1 < cold.info.iterations
    np.testing.assert_array_equal(warm.duals, cold.duals)


def test_a_row_that_comes_twice_or_holds_is_harmless():
    def oracle(x):  # x0 <= 1 twice, once with its entries split, and x1 <= 9, which holds
        A = sparse.csr_array(([1.0, 0.5, 0.5, 1.0], [0, 0, 0, 1], [0, 1, 3, 4]), shape=(3, 2))
        return A, np.array([1.0, 1.0, 9.0])

    found = metric.project_and_forget([3.0, 2.0], oracle)
    np.testing.assert_allclose(found.x, [1.0, 2.0])
    assert found.duals.tolist() == [2.0]


def test_a_bound_certifies_and_a_false_one_is_refused():
    class Capped(Halfspaces):
        upper = 2.0

        def bound(self, x):
            return self.upper

    oracle = Capped([[1.0]], [1.0])
    found = metric.project_and_forget([3.0], oracle)
    assert found.info.error_kind == "rigorous"
    assert found.info.error_bound <= 1e-6
    oracle.upper = 1.0
    with pytest.raises(ValueError, match="below the proven lower bound 2"):
        metric.project_and_forget([3.0], oracle)


def test_a_loose_bound_never_passes_for_convergence():
    class Loose(Halfspaces):
        def bound(self, x):
            return 4.0

    with pytest.warns(steelyard.ConvergenceWarning, match="gap 5"):
        found = metric.project_and_forget([3.0], Loose([[1.0]], [1.0]), max_iter=5)
    assert found.info.error_bound == pytest.approx(0.5)


def test_an_empty_polyhedron_ends_with_a_warning():
    with pytest.warns(steelyard.ConvergenceWarning, match="some x satisfies"):
        metric.project_and_forget([0.0], Halfspaces([[1.0], [-1.0]], [-1.0, -1.0]), max_iter=20)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "tuple"),
        ((np.ones((1, 3)), np.ones(1)), r"shape \(1, 2\)"),
        ((np.ones((2, 2)), np.ones(1)), r"shape \(1, 2\)"),
        ((np.full((1, 2), np.nan), np.ones(1)), "finite"),
        ((np.ones((1, 2)), np.array([np.nan])), "b of the oracle"),
        ((np.ones((1, 2), complex), np.ones(1)), "real numbers"),
        ((np.zeros((1, 2)), -np.ones(1)), "no x satisfies"),
        ((([1.0], [7], [0, 1]), np.ones(1)), "ind"),
    ],
)
def test_an_oracle_that_misbehaves_is_told_so(answer, says):
    with pytest.raises((TypeError, ValueError), match=says):
        metric.project_and_forget([1.0, 2.0], lambda x: answer)


def test_the_oracle_s_own_exception_passes_through_and_x_is_not_its_to_change():
    with pytest.raises(ZeroDivisionError):
        metric.project_and_forget([1.0], lambda x: 1 / 0)

    def writes(x):
        x[0] = 5.0

    with pytest.raises(ValueError, match="read-only"):
        metric.project_and_forget([1.0], writes)


def test_ctrl_c_in_the_oracle_carries_the_result_so_far():
    def oracle(x):
        if x[0] < 3.0:
            raise KeyboardInterrupt
        return np.array([[1.0]]), np.array([1.0])

    with pytest.raises(KeyboardInterrupt) as caught:
        metric.project_and_forget([3.0], oracle)
    assert caught.value.partial.x == pytest.approx([1.0])
    assert caught.value.partial.info.interrupted


class Chain:
    """x_0 <= x_1 <= ..., as sparse rows; the running maximum is feasible."""

    def __init__(self, n):
        self.n = n

    def __call__(self, x):
        k = np.flatnonzero(x[:-1] > x[1:])
        data, index = np.tile([1.0, -1.0], len(k)), np.c_[k, k + 1].ravel()
        return (data, index, np.arange(0, 2 * len(k) + 1, 2)), np.zeros(len(k))

    def feasible(self, x):
        return np.maximum.accumulate(x)


@pytest.mark.parametrize("n", [100, 1000])
@pytest.mark.parametrize("kind", ["noise", "trend", "falling", "walk", "tails"])
def test_a_long_chain_is_projected_on_to_the_tolerance(n, kind):
    rng = np.random.default_rng(n)
    noise = rng.normal(size=n)
    y = {
        "noise": noise,
        "trend": np.linspace(0, 3, n) + noise,
        "falling": np.arange(n, 0.0, -1),
        "walk": noise.cumsum(),
        "tails": rng.standard_cauchy(n),
    }[kind]
    found = metric.project_and_forget(y, Chain(n), tol=1e-6, max_iter=100)
    assert found.info.converged
    assert found.info.error_bound <= 1e-6
    best = isotonic_regression(y)
    least = 0.5 * np.square(best - y).sum()
    assert found.info.lower_bound <= least * (1 + 1e-12)
    assert found.objective == pytest.approx(least, rel=1e-5)
    np.testing.assert_allclose(found.x, best, atol=1e-3 * np.abs(y).max())


@pytest.mark.parametrize("weighted", [False, True])
def test_passes_with_momentum_and_face_steps_raise_the_dual_to_the_optimum(weighted):
    rng = np.random.default_rng(2)
    n = 60
    y, w = rng.normal(size=n), rng.uniform(0.1, 10, n) if weighted else None
    A = sparse.csr_array(steps(n))
    state = _core.metric._BregmanState(y, w)
    state.add(A.indptr.astype(np.int64), A.indices.astype(np.int32), A.data, np.zeros(n - 1))
    best = isotonic_regression(y, sample_weight=w)
    least = 0.5 * (np.square(best - y) * (1 if w is None else w)).sum()
    values = [state.restore()]
    for _ in range(12):
        assert state.project(10, momentum=True)
        assert state.face_step(100)
        values.append(state.restore())
        state.add(A.indptr.astype(np.int64), A.indices.astype(np.int32), A.data, np.zeros(n - 1))
    assert max(values) <= least * (1 + 1e-13)
    assert values[-1] == pytest.approx(least, rel=1e-9)
