"""Plackett-Luce against brute force, a general optimiser, Bradley-Terry and what users pass."""

from __future__ import annotations

import warnings
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

import steelyard
from steelyard import _core
from steelyard.rank import Comparisons, bradley_terry, plackett_luce
from steelyard.reference import rankings as reference
from support.examples import examples


def log_chance(order, s, stages=None):
    """Of a ranking, by its definition."""
    stages = len(order) - 1 if stages is None else stages
    return sum(s[order[u]] - np.log(np.exp(s[order[u:]]).sum()) for u in range(stages))


def drawn(seed, n=6, count=40, most=5):
    """Random partial rankings, in which chance decides much: every item wins and loses."""
    rng = np.random.default_rng(seed)
    s = 0.7 * rng.normal(size=n)
    rows = []
    for _ in range(count):
        chosen = rng.choice(n, rng.integers(2, most + 1), replace=False)
        rows.append(chosen[np.argsort(-(s[chosen] + rng.gumbel(size=len(chosen))))])
    return rows


def fitted(rows, **options):
    return plackett_luce([row.tolist() for row in rows], items=range(6), **options)


@pytest.mark.parametrize("stages", [1, 2, 3])
def test_chances_of_all_orders_sum_to_one_and_derivatives_are_right(stages):
    s = np.array([0.3, -1.2, 2.0, 0.1])

    def call(order, at):
        table = _core.rank.Rankings(
            np.array([0, 4]), np.array(order, np.int32), np.array([stages], np.int32), 4
        )
        d = _core.rank._ranking_derivatives(table, None, 0.0, at, True, np.eye(4), 1)
        full = np.tril(d["hessian"], -1)
        full += full.T + np.diag(d["diagonal"])
        np.testing.assert_allclose(d["product"], full, atol=1e-15)
        np.testing.assert_array_equal(d["gradient"][list(order)], d["scores"])
        return d["log_likelihood"], d["gradient"], full

    total = 0.0
    for order in permutations(range(4)):
        value, gradient, curvature = call(order, s)
        assert value == pytest.approx(log_chance(np.array(order), s, stages), abs=1e-13)
        total += np.exp(value)
        for k, step in enumerate(1e-5 * np.eye(4)):
            up, down = call(order, s + step), call(order, s - step)
            assert (up[0] - down[0]) / 2e-5 == pytest.approx(gradient[k], abs=1e-8)
            np.testing.assert_allclose((up[1] - down[1]) / 2e-5, -curvature[k], atol=1e-8)
    assert total == pytest.approx({1: 6, 2: 2, 3: 1}[stages])  # the orders after the known places


@pytest.mark.parametrize("prior", [0.0, 0.5])
@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_maximum_that_a_general_solver_finds(seed, prior):
    rows = drawn(seed)
    weights = np.random.default_rng(seed).uniform(0.5, 2.0, len(rows))
    fit = fitted(rows, prior=prior, sample_weight=weights)

    def cost(s):
        likelihood = sum(w * log_chance(row, s) for w, row in zip(weights, rows, strict=True))
        return -likelihood + prior * (np.logaddexp(0, s) + np.logaddexp(0, -s)).sum()

    found = minimize(cost, np.zeros(6), method="BFGS", options={"gtol": 1e-8})
    at = fit.strengths + fit.info.shift
    assert cost(at) <= found.fun + 1e-9
    np.testing.assert_allclose(fit.strengths, found.x - found.x.mean(), atol=1e-4)
    assert fit.info.converged
    assert fit.info.error_bound <= 1e-10
    assert fit.strengths.mean() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("kind", ["hessian", "sandwich"])
def test_on_pairs_it_is_bradley_terry(kind):
    rng = np.random.default_rng(0)
    first = rng.integers(0, 8, 300)
    second = (first + rng.integers(1, 8, 300)) % 8
    pairs = np.c_[first, second]
    fit = plackett_luce(pairs)
    other = bradley_terry(Comparisons.from_pairs(first, second))
    np.testing.assert_allclose(fit.strengths, other.strengths, atol=1e-9)
    np.testing.assert_allclose(fit.standard_errors(kind=kind), other.standard_errors(kind=kind), rtol=1e-7)
    assert fit.predict([0, 1])[0] == pytest.approx(other.predict(0, 1).win)


@examples(20)
@given(st.integers(0, 10**6))
def test_order_names_and_splitting_do_not_matter(seed):
    rows = drawn(seed % 50)
    rng = np.random.default_rng(seed)
    fit = fitted(rows)
    shuffled = fitted([rows[k] for k in rng.permutation(len(rows))])
    np.testing.assert_allclose(shuffled.strengths, fit.strengths, atol=1e-8)
    doubled = fitted(rows + rows, sample_weight=np.full(2 * len(rows), 0.5))
    np.testing.assert_allclose(doubled.strengths, fit.strengths, atol=1e-8)
    names = rng.permutation(6)
    renamed = fitted([names[row] for row in rows])
    np.testing.assert_allclose(renamed.strengths[names], fit.strengths, atol=1e-8)


def test_every_form_of_input_is_the_same_rankings():
    rows = drawn(1)
    padded = np.full((len(rows), 5), -1)
    for k, row in enumerate(rows):
        padded[k, : len(row)] = row
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
    forms = [[row.tolist() for row in rows], rows, padded, (np.concatenate(rows), starts)]
    expected = plackett_luce(forms[0]).strengths
    for form in forms[1:]:
        np.testing.assert_array_equal(plackett_luce(form).strengths, expected)
    words = plackett_luce([[f"item {k}" for k in row] for row in rows])
    np.testing.assert_array_equal(words.strengths, expected)


def test_choices_know_the_first_place_alone():
    rows = drawn(2, count=80)
    fit = plackett_luce(
        choices=([row[0] for row in rows], [row[1:].tolist() for row in rows]), items=range(6)
    )
    found = minimize(
        lambda s: -sum(log_chance(row, s, 1) for row in rows),
        np.zeros(6),
        method="BFGS",
        options={"gtol": 1e-8},
    )
    np.testing.assert_allclose(fit.strengths, found.x - found.x.mean(), atol=1e-4)


def test_errors_cover_in_simulation_and_agree_with_the_bootstrap():
    fit = fitted(drawn(3, count=1500))
    spread = fit.bootstrap(200, rng=0).strengths.std(axis=0)
    np.testing.assert_allclose(spread, fit.standard_errors(), rtol=0.25)
    np.testing.assert_allclose(fit.standard_errors(kind="hessian"), fit.standard_errors(), rtol=0.2)
    assert fit.to_frame()["item"].tolist() == fit.order.tolist()
    np.testing.assert_array_equal(fit.bootstrap(3, rng=1).strengths, fit.bootstrap(3, rng=1).strengths)


def test_an_infinite_optimum_is_named_and_a_prior_helps():
    rows = [["a", "b", "c"], ["a", "c", "b"]]
    with pytest.raises(steelyard.DisconnectedError, match="a never lost") as caught:
        plackett_luce(rows)
    assert caught.value.report.n_strong == 2
    with pytest.warns(steelyard.DisconnectedWarning, match="a never lost"):
        fit = plackett_luce(rows, prior=1.0)
    assert fit.items[fit.order[0]] == "a"
    # A first choice says nothing about the order of the rest.
    with pytest.raises(steelyard.DisconnectedError):
        plackett_luce(choices=(["a", "b"], [["b", "c"], ["a", "c"]]))


def test_extreme_strengths_are_found():
    rng = np.random.default_rng(0)
    s = np.linspace(0, 30, 16)
    rows = [np.argsort(-(s + rng.gumbel(size=16))) for _ in range(3000)]
    rows += [row[::-1] for row in rows[:3]]
    fit = plackett_luce(rows)
    assert fit.info.converged
    assert (np.diff(fit.strengths) > 0).all()


def test_a_missed_tolerance_is_said():
    with pytest.warns(steelyard.ConvergenceWarning, match="did not reach tol"):
        fit = fitted(drawn(0), max_iter=1)
    assert not fit.info.converged
    assert fit.info.error_bound > 1e-10


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plackett_luce(), "give either rankings or choices"),
        (lambda: plackett_luce([]), "rankings is empty"),
        (lambda: plackett_luce([["a"]]), "at least two items each, got 1 in row 0"),
        (lambda: plackett_luce([["a", "b", "a"]]), "lists a twice in row 0"),
        (lambda: plackett_luce(np.array([[0, -1, 1]])), "-1 at the end of each row, see row 0"),
        (lambda: plackett_luce([[0, 1]], items=[0, 2]), "holds 1, which is not in items"),
        (lambda: plackett_luce([[0, 1], [1, 0]], sample_weight=[1.0, 0.0]), "sample_weight must be positive"),
        (lambda: plackett_luce([[0, 1], [1, 0]], sample_weight=[1.0]), "sample_weight must have length 2"),
        (lambda: plackett_luce([[0, 1], [1, 0]], prior=-1), "prior must be zero or positive"),
        (lambda: plackett_luce([[0, 1], [1, 0]], tol=0), "tol must be positive"),
        (lambda: plackett_luce(choices=([0, 1], [[1]])), "others for each of 2 winners"),
        (lambda: plackett_luce([["a", None], ["b", "a"]]), "missing"),
        (lambda: plackett_luce([[0, 1], [1, 0]]).covariance("exact"), "kind must be one of"),
    ],
)
def test_wrong_arguments_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_wrong_types_are_refused_by_name():
    with pytest.raises(TypeError, match="rankings must be sequences"):
        plackett_luce(5)
    with pytest.raises(TypeError, match="rankings must hold integers"):
        plackett_luce(np.array([[0.5, 1.5]]))
    with pytest.raises(TypeError, match="choices must be"):
        plackett_luce(choices=[0, 1])
    with pytest.raises(KeyError, match="no item 7"):
        plackett_luce([[0, 1], [1, 0]]).predict([0, 7])


def long_call(what):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = fitted(drawn(0), solver="zermelo", tol=1e-300, max_iter=10**9 if what == "fit" else 3)
        fit.bootstrap(10**6)


@pytest.mark.parametrize("what", ["fit", "bootstrap"])
def test_ctrl_c_brings_the_best_so_far(ctrl_c, what):
    answer = ctrl_c(long_call, what, after=0.5)
    assert answer.raised
    assert answer.has_partial
    assert answer.seconds < 1.0
    strengths = answer.partial.strengths if what == "fit" else answer.partial.strengths[-1]
    assert np.abs(strengths.mean()) < 1e-10


def test_a_bootstrap_tells_its_rounds_and_stops_between_two():
    fit, seen = fitted(drawn(0)), []
    whole = fit.bootstrap(9, rng=3, progress=lambda *call: seen.append(call))
    assert seen == [(k, 9) for k in range(1, 10)]

    def stop(done, total):
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        fit.bootstrap(9, rng=3, progress=stop)
    partial = caught.value.partial
    np.testing.assert_array_equal(partial.strengths, whole.strengths[:4])
    assert partial.info.interrupted
    assert "Ctrl-C after 4 rounds" in partial.info.message


@pytest.mark.parametrize("prior", [0.0, 0.7])
def test_the_classical_iteration_ends_at_the_same_strengths(prior):
    rows = drawn(4)
    plain = reference.fit(rows, 6, prior=prior, sweeps=1000)
    fit = fitted(rows, prior=prior)
    np.testing.assert_allclose(fit.strengths, plain - plain.mean(), atol=1e-6)
    assert fit.log_likelihood == pytest.approx(reference.log_likelihood(rows, plain), abs=1e-8)
