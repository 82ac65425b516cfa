"""The Rasch model against a general optimiser, plain NumPy and its own simulation."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import minimize
from scipy.sparse.csgraph import connected_components
from scipy.special import expit

import steelyard
from steelyard.rank import rasch
from steelyard.reference import tables as reference
from support import hostile, threads
from support.examples import examples


def answers(seed, persons=8, items=9, missing=0.0):
    """Chains of right and of wrong answers lead from everybody to everybody: the maximum is finite."""
    rng = np.random.default_rng(seed)
    while True:
        x = rng.normal(size=(persons, 1)) - rng.normal(size=items)
        table = (rng.random((persons, items)) < expit(x)).astype(float)
        table[rng.random(table.shape) < missing] = np.nan
        nobody, nothing = np.zeros((persons, persons)), np.zeros((items, items))
        beats = np.block([[nobody, table == 1], [(table == 0).T, nothing]])
        if connected_components(beats, connection="strong")[0] == 1:
            return table


def minus_log_likelihood(free, table):
    persons = table.shape[0]
    x = free[:persons, None] - free[None, persons:]
    known = ~np.isnan(table)
    return -(np.where(known, np.nan_to_num(table) * x, 0) - np.where(known, np.logaddexp(0, x), 0)).sum()


@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_joint_maximum_with_the_errors_of_its_curvature(seed, missing):
    table = answers(seed, missing=missing)
    fit = rasch(table)
    at = np.r_[fit.abilities, fit.difficulties]
    found = minimize(
        minus_log_likelihood, np.zeros(len(at)), args=(table,), method="BFGS", options={"gtol": 1e-9}
    )
    assert minus_log_likelihood(at, table) <= found.fun + 1e-9
    free = found.x - found.x[len(table) :].mean()
    np.testing.assert_allclose(at, free, atol=1e-4)
    assert fit.difficulties.mean() == pytest.approx(0, abs=1e-12)
    x = fit.abilities[:, None] - fit.difficulties
    w = np.where(np.isnan(table), 0.0, expit(x) * expit(-x))
    curvature = np.block([[np.diag(w.sum(1)), -w], [-w.T, np.diag(w.sum(0))]])
    persons, items = table.shape
    contrast = np.eye(persons + items)
    contrast[:, persons:] -= 1 / items
    variance = np.diag(contrast @ np.linalg.pinv(curvature) @ contrast.T)
    np.testing.assert_allclose(np.r_[fit.ability_errors, fit.difficulty_errors] ** 2, variance, rtol=1e-8)
    assert fit.predict(0, 1) == pytest.approx(expit(x[0, 1]))


@examples(20)
@given(st.integers(0, 10**6), st.integers(4, 8), st.integers(4, 9), st.sampled_from([0.0, 0.2]))
def test_it_is_the_optimum_of_the_reference(seed, persons, items, missing):
    table = answers(seed, persons, items, missing)
    fit = rasch(table)
    abilities, difficulties = reference.rasch(table)
    np.testing.assert_allclose(fit.abilities, abilities, atol=1e-8)
    np.testing.assert_allclose(fit.difficulties, difficulties, atol=1e-8)


@examples(20)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 9), st.sampled_from([0.1, 2.0]))
def test_under_a_prior_it_is_the_optimum_of_the_reference_for_any_answers(seed, persons, items, prior):
    rng = np.random.default_rng(seed)
    table = (rng.random((persons, items)) < 0.5).astype(float)
    table[rng.random(table.shape) < 0.3] = np.nan
    table[0, 0] = 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", steelyard.DisconnectedWarning)
        fit = rasch(table, prior=prior)
    abilities, difficulties = reference.rasch(table, prior)
    np.testing.assert_allclose(fit.abilities, abilities, atol=1e-8)
    np.testing.assert_allclose(fit.difficulties, difficulties, atol=1e-8)


@examples(15)
@given(st.integers(0, 10**6))
def test_order_does_not_matter_and_turning_right_and_wrong_turns_the_scale(seed):
    table = answers(seed)
    rng = np.random.default_rng(seed)
    p, q = rng.permutation(table.shape[0]), rng.permutation(table.shape[1])
    fit, moved, turned = rasch(table), rasch(table[np.ix_(p, q)]), rasch(1 - table)
    np.testing.assert_allclose(moved.abilities, fit.abilities[p], atol=1e-8)
    np.testing.assert_allclose(moved.difficulty_errors, fit.difficulty_errors[q], rtol=1e-8)
    np.testing.assert_allclose(turned.abilities, -fit.abilities, atol=1e-8)
    np.testing.assert_allclose(turned.ability_errors, fit.ability_errors, rtol=1e-6)


def test_a_simulation_is_covered():
    rng = np.random.default_rng(1)
    ability, difficulty = 0.7 * rng.normal(size=60), 0.7 * rng.normal(size=400)
    table = (rng.random((60, 400)) < expit(ability[:, None] - difficulty)).astype(int)
    fit = rasch(table)
    z = (fit.abilities - (ability - difficulty.mean())) / fit.ability_errors
    assert np.mean(np.abs(z) < 1.96) > 0.85
    assert np.corrcoef(fit.difficulties, difficulty)[0, 1] > 0.9


def test_sparse_and_dense_are_the_same_answers():
    table = answers(3, missing=0.4)
    rows, cols = np.nonzero(~np.isnan(table))
    given_ones = sparse.coo_array((table[rows, cols].astype(int), (rows, cols)), shape=table.shape)
    np.testing.assert_array_equal(rasch(given_ones).abilities, rasch(table).abilities)


def test_perfect_scores_need_a_prior_and_are_named():
    table = answers(0)
    table[2] = 1
    with pytest.raises(steelyard.DisconnectedError, match=r"1 persons have right answers only \(cleo\)"):
        rasch(table, persons=["ann", "ben", "cleo", *"defgh"])
    table[:, 4] = 0
    with pytest.raises(steelyard.DisconnectedError, match=r"1 items have no right answer \(4\)"):
        rasch(np.delete(table, 2, axis=0))
    with pytest.warns(steelyard.DisconnectedWarning, match="item 4"):
        fit = rasch(table, prior=0.5)
    assert fit.abilities.argmax() == 2
    assert fit.difficulties.argmax() == 4
    assert np.isfinite(fit.ability_errors).all()


def test_threads_change_no_bit():
    abilities, errors = threads.equal_over_threads(
        lambda n: (lambda fit: (fit.abilities, fit.ability_errors))(rasch(answers(2), n_threads=n))
    )
    assert (errors > 0).all()
    assert np.isfinite(abilities).all()


@pytest.mark.parametrize("variant", hostile.params(hostile.VALID))
def test_any_layout_gives_the_same_answer(variant):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hostile.check_same(lambda x: rasch(x).abilities, answers(5), variant)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rasch([[0.5]]), "responses must be 0, 1 or NaN, got 0.5"),
        (lambda: rasch([0, 1]), "responses must have shape"),
        (lambda: rasch([[np.nan]]), "responses has no answers"),
        (lambda: rasch([[0, 1], [1, 0]], persons=["a"]), "persons must have 2 labels"),
        (lambda: rasch([[0, 1], [1, 0]], prior=-1), "prior must be zero or positive"),
        (lambda: rasch([[0, 1], [1, 0]], kind="exact"), "kind must be one of"),
        (lambda: rasch([[0, np.inf], [1, 0]]), "responses must be 0, 1 or NaN"),
    ],
)
def test_wrong_arguments_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def normal_answers(seed, persons=400, items=6, spread=1.5):
    rng = np.random.default_rng(seed)
    x = spread * rng.normal(size=(persons, 1)) - np.linspace(-2, 2, items)
    return (rng.random((persons, items)) < expit(x)).astype(float)


def test_the_marginal_method_does_not_overstate_the_spread_of_difficulties():
    joint, marginal = [], []
    truth = np.linspace(-2, 2, 6)
    for seed in range(8):
        table = normal_answers(seed)
        kept = table[(table.mean(axis=1) > 0) & (table.mean(axis=1) < 1)]
        joint.append(truth @ rasch(kept).difficulties / (truth @ truth))
        fit = rasch(table, method="marginal")
        assert fit.difficulties.mean() == pytest.approx(0, abs=1e-12)
        marginal.append(truth @ fit.difficulties / (truth @ truth))
    error = np.std(marginal, ddof=1) / np.sqrt(8)
    assert abs(np.mean(marginal) - 1) < 3.5 * error
    assert np.mean(joint) == pytest.approx(6 / 5, abs=0.1)


def test_errors_of_marginal_difficulties_are_their_spread():
    fits = [rasch(normal_answers(seed, 250, 4), method="marginal", prior=0.0) for seed in range(40)]
    away = np.array([fit.difficulties - np.linspace(-2, 2, 4) for fit in fits])
    stated = np.array([fit.difficulty_errors for fit in fits])
    # The mean of 160 squares in two units, about 3.3 of its standard deviations.
    assert np.mean((away / stated) ** 2) == pytest.approx(1, abs=0.35)
    abilities = fits[0].abilities
    assert np.corrcoef(abilities, normal_answers(0, 250, 4).sum(axis=1))[0, 1] > 0.99
    assert fits[0].predict(0, 1) == pytest.approx(expit(abilities[0] - fits[0].difficulties[1]))


def test_marginal_fits_take_persons_with_all_answers_right_and_refuse_a_sandwich():
    table = np.array([[1, 1, 1], [0, 0, 0], [1, 0, 1], [0, 1, 0]])
    fit = rasch(table, method="marginal")
    assert fit.abilities.argmax() == 0
    assert np.isfinite(fit.ability_errors).all()
    with pytest.raises(ValueError, match="kind must be 'hessian' with method='marginal'"):
        rasch(table, method="marginal", kind="sandwich")
    with pytest.raises(ValueError, match="method must be one of"):
        rasch(table, method="both")
