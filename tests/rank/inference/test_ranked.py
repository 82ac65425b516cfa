"""What every fit with one strength an item offers, whatever the model."""

from __future__ import annotations

import pickle

import matplotlib
import numpy as np
import pytest

import steelyard
from steelyard.rank import BootstrapResult, Comparisons, Covariance, bradley_terry, plackett_luce
from steelyard.rank._paired import information as pairs
from steelyard.rank._rankings import information as rankings
from support.games import simulate

NAMES = [f"item{k}" for k in range(7)]


def pair_fit(prior=0.0):
    games = simulate(1, np.array([2.0, 1.9, 1.0, 0.2, 0.1, 0.0, -1.5]), 120, nu=0.3)
    renamed = Comparisons.from_pairs(
        np.repeat(
            np.array(NAMES)[np.r_[games.left, games.right]],
            np.r_[games.left_wins, games.right_wins].astype(int),
        ),
        np.repeat(
            np.array(NAMES)[np.r_[games.right, games.left]],
            np.r_[games.left_wins, games.right_wins].astype(int),
        ),
    )
    return bradley_terry(renamed, prior=prior)


def ranking_fit(prior=0.0, **options):
    rng = np.random.default_rng(2)
    s = np.linspace(1.5, -1.5, 7)
    rows = []
    for _ in range(400):
        chosen = rng.choice(7, rng.integers(2, 6), replace=False)
        best_first = chosen[np.argsort(-(s[chosen] + rng.gumbel(size=len(chosen))))]
        rows.append([NAMES[k] for k in best_first])
    return plackett_luce(rows, prior=prior, **options)


def first_choices(prior=0.0):
    rng = np.random.default_rng(3)
    s = np.linspace(1.0, -1.0, 7)
    rows = [rng.choice(7, 4, replace=False) for _ in range(500)]
    ordered = [row[np.argsort(-(s[row] + rng.gumbel(size=4)))] for row in rows]
    return plackett_luce(
        choices=([NAMES[row[0]] for row in ordered], [[NAMES[k] for k in row[1:]] for row in ordered]),
        prior=prior,
    )


FITS = {"pairs": pair_fit, "rankings": ranking_fit, "first choices": first_choices}


@pytest.fixture(params=FITS, scope="module")
def fit(request):
    return FITS[request.param]()


def test_labels_are_found_in_one_way(fit):
    assert len(fit) == 7
    assert [fit.index(name) for name in NAMES] == list(range(7))
    assert fit.positions().tolist() == list(range(7))
    assert fit.positions(["item3", "item0"]).tolist() == [3, 0]
    for call in (fit.index, lambda x: fit.positions([x]), lambda x: fit.contrast(x, "item0")):
        with pytest.raises(KeyError, match="no item 'nobody' among the 7 items"):
            call("nobody")
    with pytest.raises(KeyError, match=r"no item \[1\]"):
        fit.index([1])


def test_a_covariance_is_centred_and_its_parts_agree(fit):
    for kind in ("sandwich", "hessian"):
        found = fit.covariance(kind)
        assert isinstance(found, Covariance)
        assert found.kind == kind
        assert not found.approximate
        assert found.clusters is None
        np.testing.assert_allclose(found.matrix.sum(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(found.standard_errors, fit.standard_errors(kind=kind), rtol=1e-12)
        np.testing.assert_allclose(
            found.contrast_errors()[2], fit.standard_errors("item2", kind=kind), atol=1e-9
        )
        some = fit.covariance(kind, items=["item5", "item1"])
        np.testing.assert_allclose(some.matrix, found.matrix[np.ix_([5, 1], [5, 1])], atol=1e-9)


def test_a_contrast_is_that_of_the_covariance(fit):
    for kind in ("sandwich", "hessian"):
        found = fit.contrast("item1", "item4", kind=kind, level=0.9)
        assert found.estimate == fit.strengths[1] - fit.strengths[4]
        assert found.standard_error == pytest.approx(fit.covariance(kind).contrast_errors()[1, 4], rel=1e-7)
        assert found.upper - found.lower == pytest.approx(2 * 1.6448536269514722 * found.standard_error)
        assert 0 <= found.p_value < 0.05
    assert fit.contrast("item1", "item1").p_value == 1


@pytest.mark.parametrize("prior", [0.0, 0.8])
@pytest.mark.parametrize("kind", ["sandwich", "hessian"])
@pytest.mark.parametrize("model", FITS)
def test_draws_of_the_scores_have_the_covariance_of_the_fit(model, kind, prior):
    fit = FITS[model](prior)
    draws = fit._information(2).draws(kind, 8_000, 0)
    draws = draws - draws.mean(axis=1, keepdims=True)
    expected = fit.covariance(kind)
    assert expected.approximate == (kind == "hessian" and prior > 0)
    np.testing.assert_allclose(np.cov(draws.T), expected.matrix, atol=0.05 * np.diag(expected.matrix).max())


@pytest.mark.parametrize("kind", ["sandwich", "hessian"])
def test_weighted_rankings_have_draws_too(kind):
    weight = np.random.default_rng(0).uniform(0.2, 3.0, 400)
    fit = ranking_fit(sample_weight=weight)
    draws = fit._information(2).draws(kind, 8_000, 0)
    draws = draws - draws.mean(axis=1, keepdims=True)
    expected = fit.covariance(kind).matrix
    np.testing.assert_allclose(np.cov(draws.T), expected, atol=0.05 * np.diag(expected).max())


def test_rank_sets_and_tiers_follow_the_contrasts(fit):
    sets = fit.rank_intervals()
    errors = fit.covariance().contrast_errors()
    surely = fit.strengths[:, None] - fit.strengths > sets.critical_value * errors
    np.fill_diagonal(surely, False)
    np.testing.assert_array_equal(sets.lower, 1 + surely.sum(axis=0))
    np.testing.assert_array_equal(sets.upper, 7 - surely.sum(axis=1))
    assert fit.tiers().groups[0][0] == fit.items[fit.order[0]]
    assert sum(len(group) for group in fit.tiers().groups) == 7
    some = fit.rank_intervals(items=["item6", "item0"], method="marginal")
    whole = fit.rank_intervals(method="marginal")
    np.testing.assert_array_equal(some.lower, whole.lower[[6, 0]])
    np.testing.assert_array_equal(some.upper, whole.upper[[6, 0]])


def test_tiers_do_not_depend_on_the_order_asked_for(fit):
    judge = fit.covariance()
    turned = fit.rank_intervals(items=NAMES[::-1], uncertainty=judge).tiers()
    plain = fit.rank_intervals(uncertainty=judge).tiers()
    assert turned.tier.tolist() == plain.tier.tolist()
    assert len(plain) > 1
    with pytest.raises(ValueError, match="tiers needs rank sets of all 7 items"):
        fit.rank_intervals(items=["item0"] * 7, uncertainty=judge).tiers()


def test_a_bootstrap_agrees_with_the_sandwich_and_judges(fit):
    rounds = fit.bootstrap(400, rng=0)
    assert isinstance(rounds, BootstrapResult)
    assert rounds.fit is fit
    assert rounds.info.converged
    assert rounds.info.error_bound <= 1e-6
    np.testing.assert_allclose(rounds.strengths.std(axis=0), fit.standard_errors(), rtol=0.2)
    frame = fit.to_frame(uncertainty=rounds, level=0.8)
    np.testing.assert_array_equal(frame["lower"], rounds.intervals(0.8)[0][fit.order])
    assert fit.rank_intervals(uncertainty=rounds).uncertainty == "bayesian bootstrap"
    assert rounds.tiers().groups[0].tolist() == fit.tiers().groups[0].tolist()
    assert "400 bayesian rounds of 7 items" in repr(rounds)
    again = fit.bootstrap(400, rng=0, n_threads=1)
    np.testing.assert_array_equal(again.strengths, rounds.strengths)


def test_the_board_has_ratings_with_intervals(fit):
    frame = fit.to_frame()
    marks = ["provisional"] * (fit.scarce is not None)
    assert list(frame) == ["item", "rating", "standard_error", "lower", "upper", *marks]
    assert frame["item"].tolist() == fit.items[fit.order].tolist()
    np.testing.assert_array_equal(frame["standard_error"], fit.standard_errors()[fit.order])
    chances = fit.to_frame(scale="probability", uncertainty=None)["rating"]
    np.testing.assert_allclose(chances, 1 / (1 + np.exp(-np.sort(fit.strengths)[::-1])), rtol=1e-12)


def test_it_is_drawn(fit):
    matplotlib.use("agg")
    axes = fit.plot(top=3)
    assert [tick.get_text() for tick in axes.get_yticklabels()] == fit.items[fit.order[:3]].tolist()


def test_a_copy_finds_its_labels_again(fit):
    fit.index("item0")
    copy = pickle.loads(pickle.dumps(fit))
    assert "_places" not in copy.__dict__
    assert copy.index("item5") == 5
    np.testing.assert_array_equal(copy.covariance().matrix, fit.covariance().matrix)


# ---- one covariance for several questions


@pytest.mark.parametrize("kind", ["sandwich", "hessian"])
def test_a_covariance_answers_as_its_name_does_bit_for_bit(fit, kind):
    judge = fit.covariance(kind)
    for scale in ("log", "elo", "probability"):
        by_name, shared = (fit.to_frame(scale=scale, level=0.9, uncertainty=u) for u in (kind, judge))
        for name, column in by_name.items():
            np.testing.assert_array_equal(shared[name], column)
    by_name, shared = (fit.to_frame(anchor={"item3": 5.0}, uncertainty=u) for u in (kind, judge))
    np.testing.assert_array_equal(shared["lower"], by_name["lower"])
    for method in ("simultaneous", "marginal"):
        one, two = (fit.rank_intervals(method=method, uncertainty=u) for u in (kind, judge))
        np.testing.assert_array_equal(one.critical_value, two.critical_value)
        np.testing.assert_array_equal(one._errors, two._errors)
        np.testing.assert_array_equal(one.lower, two.lower)
        assert one.uncertainty == two.uncertainty == kind
        assert one.draws == two.draws


def test_some_items_of_a_covariance_are_parts_of_its_answer(fit):
    judge = fit.covariance()
    whole = fit.to_frame(uncertainty=judge)
    some = fit.to_frame(uncertainty=judge, items=["item4", "item2"])
    rows = np.isin(whole["item"], ["item4", "item2"])
    np.testing.assert_array_equal(some["lower"], whole["lower"][rows])
    sets = fit.rank_intervals(method="marginal", uncertainty=judge, items=["item4", "item2"])
    full = fit.rank_intervals(method="marginal", uncertainty=judge)
    np.testing.assert_array_equal(sets.critical_value, full.critical_value[[4, 2]])
    np.testing.assert_array_equal(sets.lower, full.lower[[4, 2]])


@pytest.mark.parametrize(
    ("model", "room"), [("pairs", pairs.PairInformation), ("rankings", rankings.RankingInformation)]
)
def test_the_inverse_is_computed_once(model, room, monkeypatch):
    fit, calls = FITS[model](), []
    inverse = room.inverse
    monkeypatch.setattr(room, "inverse", lambda self: calls.append(1) or inverse(self))
    judge = fit.covariance()
    fit.to_frame(uncertainty=judge)
    fit.rank_intervals(uncertainty=judge)
    fit.tiers(uncertainty=judge)
    assert len(calls) == 1
    fit.to_frame()
    fit.rank_intervals()
    assert len(calls) == 3


def test_a_covariance_of_other_items_is_refused(fit):
    for call in (lambda u: fit.to_frame(uncertainty=u), lambda u: fit.rank_intervals(uncertainty=u)):
        with pytest.raises(ValueError, match="uncertainty is a covariance of 2 of the 7 items"):
            call(fit.covariance(items=["item0", "item1"]))
        others = bradley_terry(Comparisons.from_pairs(["a", "b"], ["b", "a"]))
        with pytest.raises(ValueError, match="uncertainty is a covariance of a fit with other items"):
            call(others.covariance())
        with pytest.raises(ValueError, match="uncertainty is a bootstrap of a fit with other items"):
            call(others.bootstrap(3, rng=0))
        with pytest.raises(ValueError, match="uncertainty must be one of"):
            call("guess")


# ---- the one ending


def split_answers():
    return [[0, 1, np.nan, np.nan], [1, 0, np.nan, np.nan], [np.nan, np.nan, 1, 0], [np.nan, np.nan, 0, 1]]


def test_rasch_and_bradley_terry_warn_at_the_same_line_of_the_user():
    games = Comparisons.from_pairs(["a", "b", "c", "d"], ["b", "a", "d", "c"])
    with pytest.warns(steelyard.DisconnectedWarning) as caught:
        steelyard.rank.rasch(split_answers(), prior=1), bradley_terry(games, prior=1)
    lines = {(warning.filename, warning.lineno) for warning in caught}
    assert len(caught) == 2
    assert len(lines) == 1
    assert lines.pop()[0] == __file__


def test_what_misses_its_tolerance_says_who_did():
    with pytest.warns(steelyard.ConvergenceWarning, match="bradley_terry did not reach tol=1e-10: zermelo"):
        bradley_terry(pair_fit().comparisons, solver="zermelo", max_iter=1)
    with pytest.warns(steelyard.ConvergenceWarning, match="plackett_luce did not reach tol=1e-10"):
        ranking_fit(solver="zermelo", max_iter=1)
