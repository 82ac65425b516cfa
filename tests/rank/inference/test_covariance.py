"""Covariances against closed forms, row-level computation, the reference and the bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from steelyard.rank import Comparisons, bradley_terry
from steelyard.rank._paired import information as _information
from steelyard.reference import rank as reference
from support.games import MODELS, as_modelled, ladder, random_cells, simulate, to_comparisons


@given(wins=st.integers(1, 500), losses=st.integers(1, 500))
def test_two_items_have_the_variance_of_a_log_odds(wins, losses):
    fit = bradley_terry(Comparisons.from_counts([[0, wins], [losses, 0]]))
    expected = np.sqrt(1 / wins + 1 / losses)
    for kind in ("hessian", "sandwich"):  # the model is saturated: they agree
        assert fit.contrast(0, 1, kind=kind).standard_error == pytest.approx(expected, rel=1e-7)
        np.testing.assert_allclose(fit.covariance(kind).contrast_errors()[0, 1], expected, rtol=1e-7)


def test_a_contrast_gives_interval_and_p_value():
    found = bradley_terry(Comparisons.from_counts([[0, 30], [10, 0]])).contrast(0, 1, level=0.9)
    error = np.sqrt(1 / 30 + 1 / 10)
    assert found.estimate == pytest.approx(np.log(3))
    assert found.upper - found.lower == pytest.approx(2 * 1.6448536269514722 * error)
    assert found.p_value == pytest.approx(2 * norm.sf(np.log(3) / error))
    assert found.level == 0.9
    assert not found.approximate


@pytest.mark.parametrize("prior", [0.0, 0.8])
@pytest.mark.parametrize("home", [False, True])
@pytest.mark.parametrize("ties", ["davidson", "rao-kupper", "drop"])
def test_the_sandwich_is_that_of_the_reference_game_by_game(ties, home, prior):
    cells = random_cells(3, 7)
    used, model = as_modelled(cells, ties)
    at, _ = reference.newton(used, 7, model=model, home=home, prior=prior)
    expected = reference.sandwich(used, at, model=model, home=home, prior=prior)
    found = bradley_terry(to_comparisons(cells), ties=ties, home=home, prior=prior).covariance()
    np.testing.assert_allclose(found.matrix, expected[:7, :7], atol=1e-9)
    errors = np.sqrt(np.diag(expected)[7:]).tolist()
    if home:
        assert found.home_standard_error == pytest.approx(errors.pop(), rel=1e-6)
    if model != "none":
        parameter = np.exp(at.tie)
        assert found.tie_standard_error == pytest.approx(parameter * errors.pop(), rel=1e-6)  # delta method


@pytest.mark.parametrize("home", [False, True])
@pytest.mark.parametrize("prior", [0.0, 0.8])
@pytest.mark.parametrize("ties", MODELS)
def test_the_hessian_kind_is_the_inverse_information(ties, prior, home):
    cells = random_cells(4, 6)
    used, model = as_modelled(cells, ties)
    at, _ = reference.newton(used, 6, model=model, home=home, prior=prior)
    _, information = reference.derivatives(used, at, model=model, home=home, prior=prior)
    inverse = np.linalg.pinv(information, rcond=1e-12)
    centre = np.eye(6) - 1 / 6
    found = bradley_terry(to_comparisons(cells), ties=ties, prior=prior, home=home).covariance("hessian")
    np.testing.assert_allclose(found.matrix, centre @ inverse[:6, :6] @ centre, atol=1e-8)
    assert found.approximate == (prior > 0 or ties == "half")


def test_grouped_and_row_level_results_agree_with_weights():
    # every vote with a weight of its own, as rows of their own and grouped
    rng = np.random.default_rng(0)
    first = rng.integers(0, 5, 400)
    second = (first + rng.integers(1, 5, 400)) % 5
    weight, tie = rng.uniform(0.2, 3, 400), rng.random(400) < 0.2
    grouped = Comparisons.from_pairs(first, second, tie=tie, weight=weight)
    apart = Comparisons.from_pairs(first, second, tie=tie, weight=weight, time=np.arange(400.0))
    assert apart.n_rows == 400
    assert grouped.n_rows == 10
    one, many = bradley_terry(grouped), bradley_terry(apart)
    np.testing.assert_allclose(one.strengths, many.strengths, atol=1e-9)
    np.testing.assert_allclose(one.covariance().matrix, many.covariance().matrix, rtol=1e-8)
    # and both are sum of weight^2 score score' by hand
    at = reference.Point(one.strengths.copy(), np.log(one.tie_parameter))
    scores = []
    for i, j, t, w in zip(first, second, tie, weight, strict=True):
        vote = reference.Cells(
            np.array([i]), np.array([j]), np.array([float(not t)]), np.zeros(1), np.array([float(t)])
        )
        scores.append(w * reference.derivatives(vote, at, model="davidson", home=False, prior=0.0)[0])
    cells = reference.Cells(first, second, weight * ~tie, 0 * weight, weight * tie)
    _, information = reference.derivatives(cells, at, model="davidson", home=False, prior=0.0)
    inverse = np.linalg.pinv(information, rcond=1e-12)
    expected = inverse @ np.array(scores).T @ np.array(scores) @ inverse
    np.testing.assert_allclose(one.covariance().matrix, expected[:5, :5], atol=1e-8)


@pytest.mark.parametrize("ties", ["davidson", "half"])
def test_clusters_enter_as_sums_of_their_scores(ties):
    rng = np.random.default_rng(1)
    first = rng.integers(0, 5, 600)
    second = (first + rng.integers(1, 5, 600)) % 5
    tie, voter = rng.random(600) < 0.2, rng.integers(0, 37, 600)
    fit = bradley_terry(Comparisons.from_pairs(first, second, tie=tie, cluster=voter), ties=ties)
    found = fit.covariance()
    votes = reference.Cells(first, second, 1.0 * ~tie, np.zeros(600), 1.0 * tie)
    used, model = as_modelled(votes, ties)
    at = reference.Point(fit.strengths.copy(), np.log(fit.tie_parameter) if model != "none" else 0.0)
    total = []
    for v in range(37):
        mine = reference.Cells(*(column[voter == v] for column in vars(used).values()))
        total.append(reference.derivatives(mine, at, model=model, home=False, prior=0.0)[0])
    _, information = reference.derivatives(used, at, model=model, home=False, prior=0.0)
    inverse = np.linalg.pinv(information, rcond=1e-12)
    expected = 37 / 36 * inverse @ np.array(total).T @ np.array(total) @ inverse
    np.testing.assert_allclose(found.matrix, expected[:5, :5], atol=1e-9)
    assert found.clusters == 37


@pytest.mark.parametrize("ties", MODELS)
def test_scores_of_clusters_add_up_over_any_parts_of_the_rows(ties, monkeypatch):
    rng = np.random.default_rng(6)
    first = rng.integers(0, 6, 500)
    second = (first + rng.integers(1, 6, 500)) % 6
    tie, home, voter = rng.random(500) < 0.2, rng.integers(-1, 2, 500), rng.integers(0, 40, 500)
    votes = Comparisons.from_pairs(first, second, tie=tie, home=home, cluster=voter)
    fit = bradley_terry(votes, ties=ties, home=True)
    whole = fit.covariance()
    monkeypatch.setattr(_information, "_ROWS", 17)
    parts = fit.covariance()
    np.testing.assert_allclose(parts.matrix, whole.matrix, rtol=1e-12, atol=1e-15)
    assert parts.home_standard_error == pytest.approx(whole.home_standard_error, rel=1e-12)


def test_one_cluster_has_no_sandwich():
    games = Comparisons.from_pairs([0, 1, 0], [1, 0, 1], cluster=["x", "x", "x"])
    with pytest.raises(ValueError, match="cluster"):
        bradley_terry(games).covariance()


@pytest.mark.parametrize("kind", ["sandwich", "hessian"])
@pytest.mark.parametrize("prior", [0.0, 0.5])
def test_selected_columns_are_those_of_the_whole(kind, prior):
    fit = bradley_terry(to_comparisons(random_cells(2, 9)), home=True, prior=prior)
    whole, part = fit.covariance(kind), fit.covariance(kind, items=[7, 2])
    np.testing.assert_allclose(part.matrix, whole.matrix[np.ix_([7, 2], [7, 2])], atol=1e-9)
    assert part.items.tolist() == [7, 2]
    assert part.tie_standard_error == pytest.approx(whole.tie_standard_error, rel=1e-7)
    assert part.home_standard_error == pytest.approx(whole.home_standard_error, rel=1e-7)
    np.testing.assert_allclose(fit.standard_errors(kind=kind, items=[7, 2]), part.standard_errors, rtol=1e-7)


@pytest.mark.parametrize("kind", ["sandwich", "hessian"])
def test_standard_errors_against_an_item_are_those_of_contrasts(kind):
    fit = bradley_terry(to_comparisons(random_cells(2, 6)))
    against = fit.standard_errors(3, kind=kind)
    np.testing.assert_allclose(against, fit.covariance(kind).contrast_errors()[3], atol=1e-9)
    assert against[3] == 0
    assert fit.contrast(1, 3, kind=kind).standard_error == pytest.approx(against[1], rel=1e-7)


def test_many_items_are_solved_for_in_columns():
    fit = bradley_terry(ladder(1, 5200, 6, spread=3))
    with pytest.raises(ValueError, match="items"):
        fit.covariance()
    some = fit.items[[10, 2000]].tolist()
    near, far = fit.contrast(some[0], some[0] + 1), fit.contrast(*some)
    assert 0 < near.standard_error < far.standard_error
    assert fit.covariance(items=some).contrast_errors()[0, 1] == pytest.approx(far.standard_error, rel=1e-6)


def test_the_sandwich_is_right_where_the_model_is_wrong():
    # Votes come in copies of ten: the Hessian believes in ten times as many.
    base = simulate(4, np.array([0.5, 0.0, -0.5]), 300)
    first = (
        np.repeat(base.left, base.left_wins.astype(int)).tolist()
        + np.repeat(base.right, base.right_wins.astype(int)).tolist()
    )
    second = (
        np.repeat(base.right, base.left_wins.astype(int)).tolist()
        + np.repeat(base.left, base.right_wins.astype(int)).tolist()
    )
    voter = np.arange(len(first))
    copied = Comparisons.from_pairs(np.repeat(first, 10), np.repeat(second, 10), cluster=np.repeat(voter, 10))
    once, ten = bradley_terry(base), bradley_terry(copied)
    np.testing.assert_allclose(ten.standard_errors(), once.standard_errors(), rtol=0.02)
    np.testing.assert_allclose(
        ten.standard_errors(kind="hessian"), once.standard_errors() / np.sqrt(10), rtol=0.05
    )


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda f: f.covariance("robust"), "kind"),
        (lambda f: f.covariance(items="0"), "items"),
        (lambda f: f.covariance(items=[]), "items"),
        (lambda f: f.contrast(0, 1, level=95), "level"),
        (lambda f: f.standard_errors(kind=None), "kind"),
        (lambda f: f.standard_errors(n_threads=0), "n_threads"),
    ],
)
def test_a_bad_argument_is_named(call, name):
    fit = bradley_terry(to_comparisons(random_cells(2, 4)))
    with pytest.raises((ValueError, TypeError), match=name):
        call(fit)


def test_an_unknown_item_is_named():
    fit = bradley_terry(to_comparisons(random_cells(2, 4)))
    for call in (
        lambda: fit.contrast(0, 77),
        lambda: fit.covariance(items=[77]),
        lambda: fit.standard_errors(77),
    ):
        with pytest.raises(KeyError, match="77"):
            call()


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper", "half", "drop"])
def test_with_covariates_the_squares_of_scores_are_held_once_a_pair(ties, monkeypatch):
    monkeypatch.setattr(_information, "_EDGES", 7)  # blocks that begin and end inside of pairs
    rng = np.random.default_rng(5)
    a = rng.integers(0, 5, 300)
    b = (a + rng.integers(1, 5, 300)) % 5
    side = rng.choice([1, 0, -1], 300)
    table = Comparisons.from_pairs(
        a, b, tie=rng.random(300) < 0.2, home=side, covariates=rng.normal(size=(300, 2))
    )
    fit = bradley_terry(table, ties=ties, home=True, covariates=True, prior=0.5)
    information = fit._information(1)
    assert len(information._squares.gg) == 10
    x, e = information._part(slice(None))
    ends = np.eye(5)[table.left] - np.eye(5)[table.right]
    tie = int(fit._problem.model != "none")
    J = np.zeros((information.size, information.size))
    counts = (table.left_wins, table.right_wins, None if ties == "drop" else table.ties)
    for count, (g, t) in zip(counts, information._scores(x), strict=True):
        if count is not None:
            rows = np.hstack([g[:, None] * ends, t[:, None][:, :tie], g[:, None] * e])
            J += rows.T @ (count[:, None] * rows)
    some = rng.normal(size=(information.size, 6))
    some[:5] -= some[:5].mean(axis=0)
    np.testing.assert_allclose(information.quadratic(some), some.T @ J @ some, rtol=1e-11, atol=1e-9)
    np.testing.assert_allclose(information.variances(some), np.diag(some.T @ J @ some), rtol=1e-11)
