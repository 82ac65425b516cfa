"""What trials found and what is right instead, as small as it could be made."""

from __future__ import annotations

import numpy as np
import pytest

from certificates import qp, rank, truth, zoo
from certificates.rank_models import GradedModel, PairModel, RankingModel, centred_errors
from steelyard.rank import Comparisons, GradedComparisons, bradley_terry, graded, plackett_luce


def distance(model, fit):
    """To the optimum, in standard errors."""
    at = model.point(fit)
    best, _, _ = truth.newton(model.derivatives, at)
    _, H = model.derivatives(best, regular=False)
    return truth.norm(at - best, H)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("prior", [0.0, 1e-3])
@pytest.mark.parametrize("size", [1.0, 1e6, 1e12])
def test_a_decrement_is_no_smaller_than_what_rounding_leaves(size, prior):
    """A weak prior hardly holds the common shift, and one pair two groups that played many games."""
    counts = np.zeros((6, 6))
    counts[:3, :3], counts[3:, 3:] = 3 * size, 2 * size
    counts[0, 1] = counts[4, 5] = 7 * size / 3
    counts[2, 3], counts[3, 2] = 0.3, 0.1
    table = Comparisons.from_counts(counts - np.diag(np.diag(counts)))
    fit = bradley_terry(table, prior=prior)
    assert distance(PairModel(table, "drop", False, False, prior), fit) <= fit.info.error_bound


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("link", ["adjacent", "cumulative"])
@pytest.mark.parametrize("prior", [0.0, 0.1])
def test_grades_state_what_rounding_leaves_between_groups_that_hardly_met(link, prior):
    """Sums of large gradients within a group hide the small flow to the other, on which all depends."""
    cells = [(0, 1, 2, 1e3), (0, 1, 3, 2.0), (0, 2, 2, 110.0), (0, 2, 1, 0.6), (1, 2, 2, 42.0),
             (1, 2, 3, 1e3), (0, 5, 0, 1.6e-6), (0, 5, 3, 3.6e-4), (3, 4, 0, 6.5e3), (3, 4, 3, 6.4e4),
             (3, 5, 1, 2.5e5), (3, 5, 0, 6e-6), (4, 5, 2, 315.0), (4, 5, 3, 1.2e5), (1, 2, 1, 0.01),
             (3, 5, 3, 1.04)]  # fmt: skip
    left, right, level, weight = (np.array(column) for column in zip(*cells, strict=True))
    table = GradedComparisons.from_grades(
        left, right, np.array(list("dcba"))[level], levels=list("abcd"), weight=weight, items=range(6)
    )
    fit = graded(table, link=link, prior=prior)
    assert distance(GradedModel(table, link, False, prior), fit) <= fit.info.error_bound


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_rankings_in_many_copies_leave_what_rounding_leaves():
    rows = np.array([[0, 1, 2, 3]] * 9 + [[3, 2, 1, 0]])
    weight = np.full(10, 1e7)
    for solver in ("newton", "newman"):
        fit = plackett_luce(rows, sample_weight=weight, prior=1e-3, solver=solver)
        assert distance(RankingModel(rows, weight, 4, 1e-3), fit) <= fit.info.error_bound


@pytest.mark.parametrize("solver", ["newman", "zermelo"])
def test_a_fit_that_stopped_early_allows_for_curvature_on_the_way(solver):
    table = Comparisons.from_counts([[0, 90, 20], [5, 0, 40], [1, 9, 0]])
    with pytest.warns(UserWarning, match="did not reach"):
        fit = bradley_terry(table, solver=solver, max_iter=2)
    assert distance(PairModel(table, "drop", False, False, 0.0), fit) <= fit.info.error_bound


def test_a_large_common_shift_does_not_drown_a_sandwich():
    """Under a weak prior H^+ b holds a shift that J does not see; what is left of it in float64 is large."""
    counts = np.array([[0, 3e6, 1e6], [2e6, 0, 1e6], [1e6, 2e6, 0]])
    table = Comparisons.from_counts(counts)
    fit = bradley_terry(table, prior=1e-3, tol=1e-6)
    model = PairModel(table, "drop", False, False, 1e-3)
    squares = [[truth.ball(v) for v in row] for row in np.c_[table.left_wins, table.right_wins, np.zeros(3)]]
    H, J = model.derivatives(model.point(fit), regular=False, squares=squares)
    np.testing.assert_allclose(fit.standard_errors(), centred_errors(H, 3, 1e-3, J), rtol=1e-6)
    np.testing.assert_allclose(
        fit.standard_errors(items=[0, 1]), centred_errors(H, 3, 1e-3, J)[:2], rtol=1e-6
    )


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("ties", ["drop", "davidson"])
@pytest.mark.parametrize("prior", [1e-3, 0.1])
def test_a_sandwich_holds_where_strengths_and_home_are_known_together_alone(ties, prior):
    """Every game has the same side at home: squares of each would cancel to nothing."""
    home = np.array([0, 0, 0, 0, 3, 3, 4, 4, 0, 3])
    away = np.array([1, 1, 2, 2, 5, 5, 5, 5, 1, 5])
    won = np.array([1, 0, 0, 1, 1, 0, 1, 0, 2, 2])
    weight = np.array([3e3, 120.0, 8.7e5, 7.6e4, 1.7e5, 5e3, 0.18, 2.5, 40.0, 900.0])
    table = Comparisons.from_pairs(
        np.where(won == 0, away, home), np.where(won == 0, home, away), tie=won == 2, weight=weight,
        home=np.where(won == 0, -1, 1), items=range(6),
    )  # fmt: skip
    fit = bradley_terry(table, ties=ties, prior=prior, home=True)
    model = PairModel(table, ties, True, False, prior)
    best, _, _ = truth.newton(model.derivatives, model.point(fit))
    tied = table.ties_squared if ties == "davidson" else 0 * table.ties_squared
    columns = np.c_[table.left_squared, table.right_squared, tied]
    squares = [[truth.ball(v) for v in row] for row in columns]
    H, J = model.derivatives(best, regular=False, squares=squares)
    true = centred_errors(H, 6, prior, J)
    np.testing.assert_allclose(fit.standard_errors(), true, rtol=1e-6)
    np.testing.assert_allclose(fit.standard_errors(items=[1, 3]), true[[1, 3]], rtol=1e-6)


def test_a_weak_hold_between_groups_does_not_drown_a_sandwich_of_rankings():
    rows = np.array([[0, 1, 2]] * 30 + [[2, 1, 0]] * 10 + [[3, 4, 5]] * 25 + [[5, 3, 4]] * 5)
    with pytest.warns(UserWarning, match="prior alone"):
        fit = plackett_luce(rows, prior=1e-6)
    model = RankingModel(rows, np.ones(len(rows)), 6, 1e-6)
    best, _, _ = truth.newton(model.derivatives, model.point(fit))
    H, J = model.derivatives(best, regular=False, scores=True)
    np.testing.assert_allclose(fit.standard_errors(), centred_errors(H, 6, 1e-6, J), rtol=1e-5)


def test_a_gap_of_nothing_still_says_what_rounding_hides():
    rng = np.random.default_rng(0)
    for n in (2, 3, 5, 8):
        E = rng.normal(size=(2 * n, n))
        data = {"K": E.T @ E, "q": rng.normal(size=n), "total": 1.0}
        bounds = {"lower": np.zeros(n), "upper": np.full(n, np.inf)}
        claims = list(qp.gap_of_programs(zoo.Instance("programs", "full rank", 0, {**data, **bounds})))
        assert not any(claim.broken for claim in claims)
        assert all(claim.stated > 0 for claim in claims if claim.about == "gap")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_existence_is_judged_as_by_linear_programs_on_games_of_three():
    """Every outcome of the three games, with each model of ties."""
    for outcomes in np.ndindex(3, 3, 3):
        data = {
            "left": np.array([0, 0, 1]), "right": np.array([1, 2, 2]), "outcome": np.array(outcomes) - 1,
            "count": np.ones(3), "weight": np.ones(3), "home": np.ones(3, dtype=int), "n": 3,
        }  # fmt: skip
        for seed in range(4):
            made = zoo.Instance("comparisons", "three games", seed, data)
            assert not any(claim.broken for claim in rank.existence_of_an_optimum(made))
