"""Metric learning against the optimality conditions, an independent solver and the reference."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.datasets import load_iris
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

import steelyard
from steelyard import _core, metric
from steelyard.reference import itml as reference
from support import isa
from support.examples import examples

pytestmark = pytest.mark.kernel

NONE = np.zeros(0, np.int32)


@parametrize_with_checks([metric.ITMLSupervised(), metric.ITMLSupervised(n_constraints="all")])
def test_scikit_learn_accepts_the_estimator(estimator, check):
    check(estimator)


# Each of these fits on rows of a table; ITML learns from pairs of them, and refuses the rows in words.
FITS_ROWS = [
    "check_dict_unchanged",
    "check_dont_overwrite_parameters",
    "check_dtype_object",
    "check_estimators_dtypes",
    "check_estimators_fit_returns_self",
    "check_estimators_nan_inf",
    "check_estimators_overwrite_params",
    "check_estimators_pickle",
    "check_f_contiguous_array_estimator",
    "check_fit2d_1feature",
    "check_fit2d_1sample",
    "check_fit2d_predict1d",
    "check_fit_check_is_fitted",
    "check_fit_idempotent",
    "check_fit_score_takes_y",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
    "check_n_features_in",
    "check_n_features_in_after_fitting",
    "check_pipeline_consistency",
    "check_positive_only_tag_during_fit",
    "check_readonly_memmap_input",
    "check_requires_y_none",
    "check_transformer_data_not_an_array",
    "check_transformer_general",
    "check_transformer_n_iter",
    "check_transformer_preserve_dtypes",
]


class SaysItTakesRows(metric.ITML):
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        return tags


def causes(error):
    while error is not None:
        yield str(error)
        error = error.__cause__ or error.__context__


def test_checks_that_fit_rows_fail_on_the_estimator_of_pairs_and_no_others():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        done = check_estimator(SaysItTakesRows(), on_fail=None, on_skip=None)
    failed = [check for check in done if check["status"] == "failed"]
    assert {check["check_name"] for check in failed} <= set(FITS_ROWS)
    assert len(failed) > 20
    for check in failed:
        assert any("pairs must have shape (n_pairs, 2, n_features), got (" in text
                   for text in causes(check["exception"])), check["check_name"]  # fmt: skip


def test_tags_say_that_pairs_are_wanted():
    tags = metric.ITML().__sklearn_tags__()
    assert tags.input_tags.three_d_array
    assert not tags.input_tags.two_d_array
    assert tags.target_tags.required


@pytest.mark.parametrize("n_constraints", [200, "all"])
def test_points_labelled_minus_one_are_unlabelled(n_constraints):
    X, y = load_iris(return_X_y=True)
    rng = np.random.default_rng(0)
    hidden = rng.random(len(y)) < 0.4
    partly = np.where(hidden, -1, y)
    model = metric.ITMLSupervised(n_constraints=n_constraints, random_state=0)
    some = model.fit(X, partly).get_mahalanobis_matrix()
    own = model.fit(X[~hidden], y[~hidden]).get_mahalanobis_matrix()
    np.testing.assert_array_equal(some, own)
    np.testing.assert_array_equal(model.fit(X, partly.astype(float)).get_mahalanobis_matrix(), own)
    words = np.array(["a", "b", "-1"])[y]
    assert np.isfinite(model.fit(X, words).components_).all()  # text is a name, whatever it says


def test_minus_one_and_one_class_are_not_taken_for_two():
    X = np.random.default_rng(0).normal(size=(20, 2))
    with pytest.raises(ValueError, match="got 10 labelled points, all 1; where -1 is a class, call it 0"):
        metric.ITMLSupervised().fit(X, np.repeat([-1, 1], 10))
    with pytest.raises(ValueError, match="got 0 labelled points"):
        metric.ITMLSupervised().fit(X, np.full(20, -1))


def instance(seed, n=12, d=3, m=20):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) * rng.uniform(0.3, 3, d)
    first = rng.integers(0, n, m)
    second = (first + rng.integers(1, n, m)) % n
    return X, first, second, rng.random(m) < 0.5


def learn(X, first, second, similar, near, far, gamma=1.0, tol=1e-10, sweeps=20_000, seed=0):
    return _core.metric._learn_metric(
        X,
        np.asarray(first, np.int32),
        np.asarray(second, np.int32),
        np.asarray(similar, np.int8),
        None,
        near,
        far,
        gamma,
        tol,
        sweeps,
        (seed, 1),
    )


def objective(A, v, similar, near, far, gamma):
    """With the best slacks."""
    p = np.einsum("ck,kl,cl->c", v, A, v)
    b = np.where(similar, near, far)
    xi = np.where(similar, np.maximum(p, b), np.minimum(p, b))
    return np.trace(A) - np.linalg.slogdet(A)[1] - len(A) + gamma * (xi / b - np.log(xi / b) - 1).sum()


@pytest.mark.parametrize("gamma", [0.2, 1.0, 7.0])
def test_it_is_the_minimum_that_a_general_solver_finds(gamma):
    for seed in range(6):
        X, first, second, similar = instance(seed)
        found = learn(X, first, second, similar, 0.5, 6.0, gamma)
        v = X[first] - X[second]
        lower = np.tril_indices(3)

        def cost(free, v=v, similar=similar, lower=lower):
            root = np.zeros((3, 3))
            root[lower] = free
            return objective(root @ root.T + 1e-12 * np.eye(3), v, similar, 0.5, 6.0, gamma)

        start = np.linalg.cholesky(found["matrix"])[lower]
        rng = np.random.default_rng(seed)
        best = min(
            minimize(cost, start * rng.uniform(0.7, 1.3, 6), method="Nelder-Mead", options=options).fun
            for options in [{"maxiter": 20_000, "maxfev": 20_000, "xatol": 1e-9, "fatol": 1e-12}]
        )
        assert found["upper"] == pytest.approx(best, abs=1e-6)
        assert found["lower"] <= best + 1e-9
        assert cost(start) == pytest.approx(found["upper"], abs=1e-8)


def test_one_pair_in_closed_form():
    # p = 4 against near = 1: 1/p' = 1/4 + z, 1/xi = 1 - z, equal at z = 3/8.
    found = learn(np.array([[0.0], [2.0]]), [0], [1], [1], 1.0, 9.0)
    assert found["matrix"][0, 0] == pytest.approx(0.4)
    # A pair within its bound moves nothing.
    still = learn(np.array([[0.0], [2.0]]), [0], [1], [1], 5.0, 9.0)
    assert still["matrix"][0, 0] == 1.0
    assert still["upper"] == 0.0


@examples(12)
@given(st.integers(0, 10**6), st.sampled_from([1, 2, 7, 8, 9, 17]), st.floats(0.1, 10))
def test_bounds_are_those_of_the_reference_and_meet(seed, d, gamma):
    X, first, second, similar = instance(seed, d=d)
    found = learn(X, first, second, similar, 1.0, 2.0 * d, gamma, tol=1e-8)
    v = X[first] - X[second]
    _, duals = reference.fit(v, similar, 1.0, 2.0 * d, gamma, sweeps=300)
    upper, lower = reference.bounds(v, similar, 1.0, 2.0 * d, gamma, duals)
    assert found["info"]["converged"]
    assert lower <= found["upper"] + 1e-8 * max(1, upper)
    assert found["lower"] <= upper + 1e-8 * max(1, upper)
    assert np.linalg.eigvalsh(found["matrix"]).min() > 0
    assert objective(found["matrix"], v, similar, 1.0, 2.0 * d, gamma) == pytest.approx(
        found["upper"], rel=1e-8, abs=1e-8
    )


@pytest.mark.parametrize("gamma", [0.3, 1.0, 3.0])
def test_the_papers_steps_end_where_gamma_is_one_and_bounds_are_shrunk(gamma):
    X, first, second, similar = instance(3)
    pairs, y = np.stack([X[first], X[second]], axis=1), np.where(similar, 1, -1)
    v = X[first] - X[second]
    expected, _ = reference.fit(v, similar, 0.5, 6.0, gamma=gamma, paper=True, sweeps=2000)
    bounds = np.sqrt([0.5, 6.0])
    model = metric.ITML(gamma, variant="project-and-forget", tol=1e-9, max_iter=20_000, random_state=0)
    found = model.fit(pairs, y, bounds=bounds)
    np.testing.assert_allclose(found.get_mahalanobis_matrix(), expected, atol=1e-5)
    assert found.info_.error_kind == "rigorous"
    assert found.info_.lower_bound <= found.info_.objective
    assert found.info_.objective == pytest.approx(
        objective(found.get_mahalanobis_matrix(), v, similar, 0.5 / gamma, 6.0 / gamma, 1.0), abs=1e-8
    )
    np.testing.assert_allclose(found.bounds_, bounds)
    if gamma == 1.0:
        plain = metric.ITML(tol=1e-9, max_iter=20_000, random_state=0).fit(pairs, y, bounds=bounds)
        np.testing.assert_array_equal(found.components_, plain.components_)


@pytest.mark.parametrize("d", [1, 3, 8, 9, 17, 33])
@pytest.mark.parametrize("m", [1, 7, 8, 9, 40])
def test_steps_in_batches_end_where_single_steps_do(d, m):
    X, first, second, similar = instance(m, n=max(4, m), d=d, m=m)
    found = learn(X, first, second, similar, 0.5 * d, 3.0 * d, tol=1e-11)
    v = X[first] - X[second]
    expected, duals = reference.fit(v, similar, 0.5 * d, 3.0 * d, sweeps=400)
    upper, lower = reference.bounds(v, similar, 0.5 * d, 3.0 * d, 1.0, duals)
    assert found["info"]["converged"]
    assert lower - 1e-9 <= found["upper"] <= upper + 1e-9
    np.testing.assert_allclose(found["matrix"], found["matrix"].T)
    np.testing.assert_allclose(found["matrix"], expected, rtol=1e-3, atol=1e-4)


def bounds_hold(X, first, second, similar, near, far, gamma, found):
    """The bounds are those of the matrix, and a lower one of the reference's optimum."""
    v = X[first] - X[second]
    assert np.linalg.eigvalsh(found["matrix"]).min() > 0
    assert objective(found["matrix"], v, similar, near, far, gamma) == pytest.approx(found["upper"], rel=1e-7)
    _, duals = reference.fit(v, similar, near, far, gamma, sweeps=100)
    upper, _ = reference.bounds(v, similar, near, far, gamma, duals)
    assert found["lower"] <= upper * (1 + 1e-9)


@examples(8)
@given(
    st.integers(0, 10**6), st.sampled_from([32, 40, 65]), st.floats(0.1, 30), st.sampled_from([1e-3, 1e-9])
)
def test_single_precision_ends_where_the_reference_does(seed, d, gamma, tol):
    X, first, second, similar = instance(seed, n=40, d=d, m=90)
    found = learn(X, first, second, similar, 0.5 * d, 3.0 * d, gamma, tol=tol)
    assert found["info"]["converged"]
    assert found["upper"] - found["lower"] <= tol * max(1, found["upper"])
    bounds_hold(X, first, second, similar, 0.5 * d, 3.0 * d, gamma, found)


@pytest.mark.parametrize("kind", ["near-copies", "copies", "stretched", "far from 0"])
def test_what_single_precision_cannot_tell_apart(kind):
    """Dissimilar pairs must move apart that differ by little or in a direction that the metric has shrunk."""
    d, m = 36, 150
    X, first, second, similar = instance(5, n=60, d=d, m=m)
    rng = np.random.default_rng(5)
    if kind.endswith("copies"):
        X[30:] = X[:30] + (1e-7 * rng.normal(size=(30, d)) if kind == "near-copies" else 0)
        first[:20], second[:20], similar[:20] = np.arange(20), np.arange(30, 50), np.arange(20) < 5
    elif kind == "stretched":
        X *= np.geomspace(1e-6, 1e6, d)
    else:
        X += 1e5
    found = learn(X, first, second, similar, 1.0, 20.0, tol=1e-7)
    assert found["info"]["converged"]
    if kind != "copies":
        bounds_hold(X, first, second, similar, 1.0, 20.0, 1.0, found)
    assert found["skipped"] == np.sum((X[first] == X[second]).all(axis=1))


@pytest.mark.parametrize("d", [3, 20, 36, 64])
@pytest.mark.parametrize(("gamma", "gap"), [(100.0, 0.1), (1e4, 1.0)])
def test_pairs_that_must_move_far_apart_leave_the_matrix_positive_definite(d, gamma, gap):
    """The duals reach the end of their digits: I - sum lambda v v' is then singular to rounding.

    How far the gap closes there is up to the rounding of LAPACK: the lower bound must still be one.
    """
    for seed in range(3):
        rng = np.random.default_rng(seed)
        X, first = 1e-6 * rng.normal(size=(40, d)), rng.integers(0, 40, 100)
        second, similar = (first + rng.integers(1, 40, 100)) % 40, np.zeros(100, bool)
        found = learn(X, first, second, similar, 1.0, 1.0, gamma, tol=1e-3, sweeps=100, seed=seed)
        assert np.linalg.eigvalsh(found["matrix"]).min() > 0
        assert found["upper"] - found["lower"] < gap * found["upper"]
        v = X[first] - X[second]
        assert objective(found["matrix"], v, similar, 1.0, 1.0, gamma) == pytest.approx(found["upper"], 1e-6)


@pytest.mark.parametrize("unit", [1.0, 2.0**40])
def test_a_cluster_and_one_point_far_from_it_do_not_lose_the_matrix_in_single_precision(unit):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        X, first = 1e-5 * unit * rng.normal(size=(40, 32)), rng.integers(0, 40, 100)
        X[0] = 0.01 * unit * rng.normal(size=32)
        second = (first + rng.integers(1, 40, 100)) % 40
        found = learn(X, first, second, np.zeros(100), unit**2, unit**2, 3.0, tol=1e-3)
        assert found["info"]["converged"]
        assert np.linalg.eigvalsh(found["matrix"]).min() > 0


@pytest.mark.parametrize("unit", [1e-25, 1e-9, 1e9, 1e25])
def test_the_unit_of_the_coordinates_does_not_matter(unit):
    X, first, second, similar = instance(6, n=40, d=33, m=60)
    expected = learn(X, first, second, similar, 10.0, 100.0, tol=1e-9)["matrix"]
    found = learn(unit * X, first, second, similar, 10.0 * unit**2, 100.0 * unit**2, tol=1e-9)["matrix"]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shrink", [1e-5, 1e-7])
def test_bounds_do_not_cross_where_the_matrix_is_all_but_singular(shrink):
    x = 100 * np.random.default_rng(0).normal(size=(1, 2, 3))
    near = shrink * np.linalg.norm(x[0, 0] - x[0, 1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = metric.ITML(1.0, random_state=0, tol=1e-6).fit(x, [1], bounds=(near, 1.0)).info_
    assert found.lower_bound < found.objective
    assert found.converged == (shrink == 1e-5)


def test_near_may_exceed_far():
    X, first, second, similar = instance(2)
    found = learn(X, first, second, similar, 6.0, 0.5, tol=1e-9)
    v = X[first] - X[second]
    _, duals = reference.fit(v, similar, 6.0, 0.5, sweeps=1000)
    upper, lower = reference.bounds(v, similar, 6.0, 0.5, 1.0, duals)
    assert found["info"]["converged"]
    assert lower - 1e-8 <= found["upper"] <= upper + 1e-8
    pairs, y = np.stack([X[first], X[second]], axis=1), np.where(similar, 1, -1)
    model = metric.ITML(random_state=0).fit(pairs, y, bounds=(2.0, 1.0))
    assert "near=2 exceeds far=1" in model.info_.message
    np.testing.assert_array_equal(model.bounds_, [2.0, 1.0])


def test_all_pairs_of_labels_are_the_listed_pairs():
    X, y = load_iris(return_X_y=True)
    X, y = X[::5] / 3.0, y[::5].astype(np.int32)
    i, j = np.triu_indices(len(X), 1)
    listed = learn(X, i, j, y[i] == y[j], 0.1, 1.0, tol=1e-9)
    whole = _core.metric._learn_metric(
        X, NONE, NONE, np.zeros(0, np.int8), y, 0.1, 1.0, 1.0, 1e-9, 5000, (0, 0)
    )
    np.testing.assert_allclose(whole["matrix"], listed["matrix"], rtol=1e-4, atol=1e-5)
    assert whole["upper"] == pytest.approx(listed["upper"], rel=1e-8)


@pytest.mark.parametrize("d", [17, 45])
@pytest.mark.parametrize("level", isa.LEVELS)
def test_every_instruction_set_gives_the_answer(level, d):
    X, first, second, similar = instance(0, d=d)
    here = learn(X, first, second, similar, 1.0, 30.0)["matrix"]
    there = isa.on_isa(level, _learned, d)
    np.testing.assert_allclose(there, here, rtol=1e-5, atol=1e-6)


def _learned(d):
    X, first, second, similar = instance(0, d=d)
    return learn(X, first, second, similar, 1.0, 30.0)["matrix"]


def test_distances_transform_and_matrix_are_one_metric():
    X, y = load_iris(return_X_y=True)
    model = metric.ITMLSupervised(random_state=0).fit(X, y)
    A = model.get_mahalanobis_matrix()
    pairs = np.stack([X[:20], X[60:80]], axis=1)
    v = pairs[:, 0] - pairs[:, 1]
    np.testing.assert_allclose(model.pair_distance(pairs), np.sqrt(np.einsum("ck,kl,cl->c", v, A, v)))
    np.testing.assert_allclose(model.pair_score(pairs), -model.pair_distance(pairs))
    moved = model.transform(X)
    np.testing.assert_allclose(np.linalg.norm(moved[:20] - moved[60:80], axis=1), model.pair_distance(pairs))
    assert np.linalg.eigvalsh(A).min() > 0
    assert 0 < model.info_.error_bound <= 1e-3
    assert model.info_.lower_bound <= model.info_.objective
    assert model.n_iter_ == model.info_.iterations == len(model.info_.trace)
    assert np.isfinite(model.info_.trace["gap"]).all()
    assert (np.diff(model.info_.trace["gap"]) <= 0).all()


@pytest.mark.parametrize("prior", ["covariance", np.diag([1.0, 4.0, 9.0])])
def test_a_prior_is_the_identity_of_other_coordinates(prior):
    X, first, second, similar = instance(5, n=30, m=60)
    pairs, y = np.stack([X[first], X[second]], axis=1), np.where(similar, 1, -1)
    found = metric.ITML(prior=prior, random_state=0, tol=1e-9, max_iter=20_000).fit(
        pairs, y, bounds=(0.7, 2.5)
    )
    points = np.unique(pairs.reshape(-1, 3), axis=0)
    A0 = np.linalg.inv(np.cov(points, rowvar=False)) if isinstance(prior, str) else prior
    root = np.linalg.cholesky(A0)
    plain = metric.ITML(random_state=0, tol=1e-9, max_iter=20_000).fit(pairs @ root, y, bounds=(0.7, 2.5))
    np.testing.assert_allclose(
        found.get_mahalanobis_matrix(), root @ plain.get_mahalanobis_matrix() @ root.T, rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize("factor", [1e-150, 1e-5, 1e6, 1e150])
def test_units_do_not_matter(factor):
    X, first, second, similar = instance(6, n=30, m=60)
    pairs, y = np.stack([X[first], X[second]], axis=1), np.where(similar, 1, -1)
    one = metric.ITML(random_state=0, tol=1e-6).fit(pairs, y)
    other = metric.ITML(random_state=0, tol=1e-6).fit(factor * pairs, y)
    np.testing.assert_allclose(other.bounds_, factor * one.bounds_, rtol=1e-12)
    np.testing.assert_allclose(other.components_, one.components_, rtol=1e-4, atol=1e-6)


def test_a_common_offset_costs_no_digits():
    X, first, second, similar = instance(6, n=30, m=60)
    pairs, y = np.stack([X[first], X[second]], axis=1), np.where(similar, 1, -1)
    pairs = np.round(pairs * 2**20) / 2**20
    one, other = (metric.ITML(random_state=0).fit(pairs + offset, y) for offset in (0.0, 2.0**30))
    np.testing.assert_allclose(other.components_, one.components_, rtol=1e-12, atol=1e-13)


def test_equal_and_nearly_equal_points_leave_the_matrix_positive_definite():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3))
    X[20:] = X[:20] + 1e-9 * rng.normal(size=(20, 3))
    X[30] = X[10]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", steelyard.ConvergenceWarning)
        model = metric.ITMLSupervised(n_constraints="all", random_state=0, max_iter=50).fit(
            X, np.arange(40) % 2
        )
        apart = metric.ITMLSupervised(n_constraints="all", max_iter=50).fit(X, np.r_[:20, :20] >= 10)
    for found in (model, apart):
        assert np.isfinite(found.components_).all()
        assert np.linalg.eigvalsh(found.get_mahalanobis_matrix()).min() > 0
    assert "1 pairs of equal points say nothing" in model.info_.message


def test_hopeless_bounds_end_with_a_semidefinite_matrix_and_a_warning():
    # Both kinds to the same tiny distance: A^-1 from the duals is not positive definite to rounding.
    X, first, second, similar = instance(0, n=30, d=4, m=60)
    pairs, y = np.stack([X[first], X[second]], axis=1), np.where(similar, 1, -1)
    with pytest.warns(steelyard.ConvergenceWarning, match="did not reach tol"):
        model = metric.ITML(random_state=0, tol=1e-15, max_iter=3).fit(pairs, y, bounds=(1e-8, 1e-8))
    A = model.get_mahalanobis_matrix()
    assert np.isfinite(model.components_).all()
    assert np.linalg.eigvalsh(A).min() >= -1e-12 * np.abs(A).max()
    assert not np.allclose(A, np.eye(4))


def test_a_seed_repeats_and_another_agrees_within_the_tolerance():
    X, y = load_iris(return_X_y=True)
    one = metric.ITMLSupervised(n_constraints="all", random_state=3).fit(X, y)
    same = metric.ITMLSupervised(n_constraints="all", random_state=3).fit(X, y)
    np.testing.assert_array_equal(one.components_, same.components_)
    other = metric.ITMLSupervised(n_constraints="all", random_state=4).fit(X, y)
    assert other.info_.objective == pytest.approx(one.info_.objective, rel=2e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gamma": 0.0}, "gamma must be positive"),
        ({"tol": -1.0}, "tol must be positive"),
        ({"max_iter": 0}, "max_iter must be at least 1"),
        ({"prior": "random"}, "prior must be one of"),
        ({"prior": -np.eye(3)}, "prior must be positive definite"),
        ({"prior": np.ones((2, 3))}, "prior must be a finite symmetric matrix"),
        ({"variant": "lmnn"}, "variant must be one of"),
    ],
)
def test_wrong_parameters_are_refused_by_name(options, message):
    X, first, second, similar = instance(0)
    pairs, y = np.stack([X[first], X[second]], axis=1), np.where(similar, 1, -1)
    with pytest.raises(ValueError, match=message):
        metric.ITML(**options).fit(pairs, y)


def test_wrong_data_is_refused_by_name():
    X, first, second, similar = instance(0)
    pairs, y = np.stack([X[first], X[second]], axis=1), np.where(similar, 1, -1)
    model = metric.ITML()
    with pytest.raises(ValueError, match="pairs must have shape"):
        model.fit(X, y)
    with pytest.raises(ValueError, match="y must be 1"):
        model.fit(pairs, np.arange(len(y)))
    with pytest.raises(ValueError, match="bounds must be two positive distances"):
        model.fit(pairs, y, bounds=(0.0, 1.0))
    with pytest.raises(ValueError, match="within a factor"):
        model.fit(pairs, y, bounds=(1e-200, 1.0))
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.where(pairs > 1, np.nan, pairs), y)
    with pytest.raises(ValueError, match="points that differ"):
        model.fit(np.ones((4, 2, 3)), [1, 1, -1, -1])
    with pytest.raises(ValueError, match="linearly independent"):
        metric.ITML(prior="covariance").fit(np.repeat(pairs, 2, axis=2), y)
    with pytest.raises(ValueError, match="n_constraints must be one of"):
        metric.ITMLSupervised(n_constraints="every").fit(X, np.arange(12) % 2)
    with pytest.raises(ValueError, match="pairs must have 3 features"):
        model.fit(pairs, y).pair_distance(pairs[:, :, :2])


def test_a_missed_tolerance_is_said():
    X, y = load_iris(return_X_y=True)
    with pytest.warns(steelyard.ConvergenceWarning, match="did not reach tol=1e-12"):
        model = metric.ITMLSupervised(tol=1e-12, max_iter=1, random_state=0).fit(X, y)
    assert not model.info_.converged


def long_call():
    X = np.random.default_rng(0).normal(size=(1000, 40))
    metric.ITMLSupervised(n_constraints="all", tol=1e-15, max_iter=10**6).fit(X, np.arange(1000) % 2)


def test_ctrl_c_brings_the_best_so_far(ctrl_c):
    answer = ctrl_c(long_call, after=0.5, within="metric._learn_metric")
    assert answer.raised
    assert answer.has_partial
    assert answer.seconds < 1.0
    assert answer.partial.components_.shape == (40, 40)
