"""Strengths against closed forms, the reference, an independent solver, and what must not change them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from steelyard.rank import Comparisons, bradley_terry
from steelyard.reference import rank as reference
from support.examples import examples
from support.games import MODELS, as_modelled, random_cells, to_comparisons

SOLVERS = ("auto", "newton", "newman", "zermelo")


def two_items(wins: int, losses: int, ties: int) -> Comparisons:
    return Comparisons.from_counts([[0, wins], [losses, 0]], ties=[[0, ties], [ties, 0]], items=["a", "b"])


@pytest.mark.parametrize("solver", SOLVERS)
def test_two_items_without_ties_differ_by_the_log_odds(solver):
    fit = bradley_terry(two_items(7, 2, 0), solver=solver)
    assert fit.strengths[0] - fit.strengths[1] == pytest.approx(np.log(7 / 2), abs=1e-9)
    assert fit.tie_parameter == 0.0


@pytest.mark.parametrize("solver", SOLVERS)
def test_davidson_of_two_items_is_saturated(solver):
    # three outcomes, two parameters: nu = t / sqrt(w l), s_a - s_b = log(w / l)
    fit = bradley_terry(two_items(8, 2, 5), solver=solver)
    assert fit.tie_parameter == pytest.approx(5 / 4, rel=1e-9)
    assert fit.strengths[0] - fit.strengths[1] == pytest.approx(np.log(4), abs=1e-9)
    assert [fit.predict("a", "b").win, fit.predict("a", "b").tie] == pytest.approx([8 / 15, 5 / 15], rel=1e-9)


@pytest.mark.parametrize("solver", SOLVERS)
def test_rao_kupper_of_two_items_is_saturated(solver):
    # sigma(x - delta) = w / n, sigma(-x - delta) = l / n
    fit = bradley_terry(two_items(8, 2, 5), ties="rao-kupper", solver=solver)
    win, loss = np.log(8 / 7), np.log(2 / 13)
    assert fit.strengths[0] - fit.strengths[1] == pytest.approx((win - loss) / 2, abs=1e-9)
    assert fit.tie_parameter == pytest.approx(np.exp(-(win + loss) / 2), rel=1e-9)


def test_without_ties_theta_is_one():
    fit = bradley_terry(two_items(3, 2, 0), ties="rao-kupper")
    assert fit.tie_parameter == 1.0
    assert fit.predict("a", "b").tie == 0.0
    assert fit.covariance().tie_standard_error is None


def test_on_a_tree_each_edge_gives_its_log_odds():
    # 200 items in a chain, a million wins to one: strengths reach beyond +-1000
    n = 200
    counts = np.zeros((n, n))
    counts[np.arange(n - 1), np.arange(1, n)] = 1_000_000
    counts[np.arange(1, n), np.arange(n - 1)] = 1
    fit = bradley_terry(Comparisons.from_counts(counts))
    assert fit.info.converged
    np.testing.assert_allclose(-np.diff(fit.strengths), np.log(1e6), rtol=1e-6)
    assert fit.strengths[0] > 1000
    assert fit.predict(0, n - 1).win == 1.0
    assert fit.predict(n - 1, 0).win < 1e-300


@pytest.mark.parametrize("prior", [0.0, 0.7])
@pytest.mark.parametrize("home", [False, True])
@pytest.mark.parametrize("ties", MODELS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_finds_the_reference_optimum_of_every_model(solver, ties, home, prior):
    cells = random_cells(3, 9)
    used, model = as_modelled(cells, ties)
    at, decrement = reference.newton(used, 9, model=model, home=home, prior=prior)
    assert decrement < 1e-9
    fit = bradley_terry(to_comparisons(cells), ties=ties, home=home, prior=prior, solver=solver)
    assert fit.info.converged
    np.testing.assert_allclose(fit.strengths, at.s - at.s.mean(), atol=1e-8)
    np.testing.assert_allclose(fit.info.shift, at.s.mean(), atol=1e-8)
    assert fit.log_likelihood == pytest.approx(reference.log_likelihood(used, at, model), abs=1e-8)
    if home:
        assert fit.home_advantage == pytest.approx(at.home, abs=1e-8)
    if model != "none":
        assert np.log(fit.tie_parameter) == pytest.approx(at.tie, abs=1e-8)


@pytest.mark.parametrize("ties", MODELS)
def test_an_independent_solver_finds_no_higher_likelihood(ties):
    cells, prior = random_cells(8, 6), 0.5
    used, model = as_modelled(cells, ties)

    def loss(p: np.ndarray) -> float:
        at = reference.Point(p[:6], np.exp(p[6]) if model == "rao-kupper" else p[6], p[7])
        penalty = prior * np.logaddexp([at.s, -at.s], 0).sum()
        return penalty - reference.log_likelihood(used, at, model)

    found = minimize(
        loss, np.zeros(8), method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-8, "maxfun": 100_000}
    )
    fit = bradley_terry(to_comparisons(cells), ties=ties, home=True, prior=prior)
    np.testing.assert_allclose(fit.strengths + fit.info.shift, found.x[:6], atol=2e-4)
    tie = np.log(fit.tie_parameter) if model != "none" else 0.0
    here = loss(
        np.array(
            [
                *(fit.strengths + fit.info.shift),
                np.log(tie) if model == "rao-kupper" else tie,
                fit.home_advantage,
            ]
        )
    )
    assert here <= found.fun + 1e-9


@given(seed=st.integers(0, 10_000), n=st.integers(2, 8), ties=st.sampled_from(MODELS))
@examples(20)
def test_turning_every_outcome_turns_the_strengths(seed, n, ties):
    cells = random_cells(seed, n + 2)
    turned = reference.Cells(cells.left, cells.right, cells.losses, cells.wins, cells.ties, cells.home)
    forth = bradley_terry(to_comparisons(cells), ties=ties)
    back = bradley_terry(to_comparisons(turned), ties=ties)
    np.testing.assert_allclose(forth.strengths, -back.strengths, atol=1e-8)


@given(seed=st.integers(0, 10_000), factor=st.integers(2, 50), ties=st.sampled_from(MODELS))
@examples(20)
def test_more_of_the_same_moves_nothing_but_the_likelihood(seed, factor, ties):
    cells = random_cells(seed, 6)
    more = reference.Cells(
        cells.left, cells.right, factor * cells.wins, factor * cells.losses, factor * cells.ties, cells.home
    )
    one, many = (bradley_terry(to_comparisons(c), ties=ties, home=True) for c in (cells, more))
    np.testing.assert_allclose(one.strengths, many.strengths, atol=1e-8)
    assert many.log_likelihood == pytest.approx(factor * one.log_likelihood, rel=1e-9)


@given(seed=st.integers(0, 10_000))
@examples(20)
def test_new_names_change_nothing(seed):
    cells = random_cells(seed, 7)
    names = np.random.default_rng(seed).permutation(7)
    renamed = reference.Cells(
        names[cells.left], names[cells.right], cells.wins, cells.losses, cells.ties, cells.home
    )
    plain, other = (bradley_terry(to_comparisons(c), home=True) for c in (cells, renamed))
    np.testing.assert_allclose(plain.strengths, other.strengths[names], atol=1e-8)


def test_observed_and_expected_scores_agree_at_the_optimum():
    cells = random_cells(11, 8)
    fit = bradley_terry(to_comparisons(cells))
    chances = fit.predict(cells.left, cells.right)
    games = cells.wins + cells.losses + cells.ties
    for observed, expected in ((cells.wins - cells.losses, chances.win - chances.loss),):
        gap = np.zeros(8)
        np.add.at(gap, cells.left, observed - games * expected)
        np.add.at(gap, cells.right, games * expected - observed)
        np.testing.assert_allclose(gap, 0, atol=1e-7)
    assert (games * chances.tie).sum() == pytest.approx(cells.ties.sum(), abs=1e-7)


@given(x=st.floats(-2000, 2000), nu=st.floats(0.01, 50))
def test_chances_add_up_however_far_apart(x, nu):
    from steelyard.rank._chances import outcome_chances

    for ties, parameter in (("davidson", nu), ("rao-kupper", 1 + nu), ("half", None)):
        win, tie, loss = outcome_chances(x, ties, parameter)
        assert min(win, tie, loss) >= 0
        assert win + tie + loss == pytest.approx(1, abs=1e-12)


def test_home_advantage_belongs_to_the_side_at_home():
    cells = random_cells(2, 5)
    fit = bradley_terry(to_comparisons(cells), home=True)
    at_home, away = fit.predict(0, 1, home=1), fit.predict(0, 1, home=-1)
    shift = np.log(at_home.win / at_home.loss) - np.log(away.win / away.loss)
    assert shift == pytest.approx(2 * fit.home_advantage, abs=1e-9)
    np.testing.assert_allclose(fit.predict([0, 0], [1, 1], home=[1, -1]).win, [at_home.win, away.win])


def test_a_cycle_of_equal_wins_is_a_tie_of_all():
    fit = bradley_terry(Comparisons.from_pairs([0, 1, 2], [1, 2, 0]))
    np.testing.assert_allclose(fit.strengths, 0, atol=1e-12)
