"""Strengths of items that play in sides: the model, who can't be told apart, and what a fit offers."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy import sparse

from steelyard import DisconnectedWarning, SeparationError, rank
from steelyard.rank import Comparisons, bradley_terry, team_strengths
from steelyard.reference import rank as reference


def line_ups(n=9, games=300, seed=0, ties=0.15, spread=1.0):
    """Sides of one to three, results by the model, and the strengths behind them."""
    rng = np.random.default_rng(seed)
    s = spread * rng.normal(size=n)
    left, right, outcome = [], [], []
    for _ in range(games):
        who = rng.permutation(n)
        a, b = rng.integers(1, 4, 2)
        left.append(who[:a].tolist())
        right.append(who[a : a + b].tolist())
        x = s[left[-1]].sum() - s[right[-1]].sum()
        outcome.append(0 if rng.random() < ties else 1 if rng.random() < 1 / (1 + np.exp(-x)) else -1)
    return left, right, np.array(outcome), s


def dense(left, right, n):
    out = np.zeros((len(left), n))
    for row, (a, b) in enumerate(zip(left, right, strict=True)):
        np.add.at(out[row], a, 1.0)
        np.add.at(out[row], b, -1.0)
    return out


class TestModel:
    @pytest.mark.parametrize("ties", ["davidson", "rao-kupper", "half"])
    @pytest.mark.parametrize("prior", [0.0, 0.7])
    def test_it_agrees_with_the_reference(self, ties, prior):
        left, right, outcome, _ = line_ups()
        fit = team_strengths(left, right, outcome, ties=ties, prior=prior, tol=1e-10)
        wins, losses, tied = ((outcome == k) * 1.0 for k in (1, -1, 0))
        if ties == "half":
            wins, losses, tied = wins + tied / 2, losses + tied / 2, 0 * tied
        model = "none" if ties == "half" else ties
        other = reference.team_strengths(dense(left, right, 9), wins, losses, tied, model=model, prior=prior)
        np.testing.assert_allclose(fit.strengths + fit.info.shift, other.s, atol=1e-9)
        if ties != "half":
            assert np.log(fit.tie_parameter) == pytest.approx(other.tie, abs=1e-9)

    @pytest.mark.parametrize("ties", ["davidson", "rao-kupper", "half", "drop"])
    def test_sides_of_one_are_bradley_and_terrys_model(self, ties):
        rng = np.random.default_rng(3)
        a = rng.integers(0, 8, 300)
        b = (a + rng.integers(1, 8, 300)) % 8
        outcome = rng.integers(-1, 2, 300)
        home = rng.integers(-1, 2, 300)
        teams = team_strengths(a[:, None], b[:, None], outcome, ties=ties, home=home, tol=1e-10)
        turn = np.where(outcome < 0, -1, 1)
        pairs = Comparisons.from_pairs(
            np.where(turn > 0, a, b), np.where(turn > 0, b, a), tie=outcome == 0, home=turn * home
        )
        fit = bradley_terry(pairs, ties=ties, home=True)
        np.testing.assert_allclose(teams.strengths, fit.strengths, atol=1e-9)
        assert teams.home_advantage == pytest.approx(fit.home_advantage, abs=1e-9)
        if ties != "half":  # its sandwich takes a tie as two half rows
            np.testing.assert_allclose(teams.standard_errors(), fit.standard_errors(), rtol=1e-7)
        np.testing.assert_allclose(
            teams.standard_errors(kind="hessian"), fit.standard_errors(kind="hessian"), rtol=1e-7
        )
        p, q = teams.predict([[0]], [[1]], home=1), fit.predict(0, 1, home=1)
        assert [*p.win, *p.tie, *p.loss] == pytest.approx([q.win, q.tie, q.loss], abs=1e-9)

    def test_lists_mappings_labels_and_matrices_are_the_same_games(self):
        left, right, outcome, _ = line_ups(games=150)
        fit = team_strengths(left, right, outcome)
        maps = team_strengths(
            [dict.fromkeys(side, 1.0) for side in left], [set(side) for side in right], outcome
        )
        table = dense(left, right, 9)
        sparse_fit = team_strengths(
            sparse.csr_array(np.maximum(table, 0)), sparse.csr_array(np.maximum(-table, 0)), outcome
        )
        for other in (maps, sparse_fit):
            np.testing.assert_array_equal(other.strengths, fit.strengths)

    def test_half_a_game_counts_half(self):
        rng = np.random.default_rng(4)
        table = rng.normal(size=(300, 6)).round(1)
        s = rng.normal(size=6)
        outcome = np.where(rng.random(300) < 1 / (1 + np.exp(-table @ s)), 1, -1)
        left = [{i: w for i, w in enumerate(row) if w > 0} for row in table]
        right = [{i: -w for i, w in enumerate(row) if w < 0} for row in table]
        fit = team_strengths(left, right, outcome, tol=1e-10)
        other = reference.team_strengths(table, (outcome == 1) * 1.0, (outcome == -1) * 1.0, np.zeros(300))
        np.testing.assert_allclose(fit.strengths + fit.info.shift, other.s, atol=1e-9)
        np.testing.assert_allclose(
            fit.predict(left[:5], right[:5]).win, 1 / (1 + np.exp(-table[:5] @ other.s)), atol=1e-9
        )

    def test_a_weight_of_two_is_the_game_twice_but_for_the_sandwich(self):
        left, right, outcome, _ = line_ups(games=200)
        twice = team_strengths(left * 2, right * 2, np.tile(outcome, 2))
        heavy = team_strengths(left, right, outcome, weight=2.0)
        np.testing.assert_allclose(heavy.strengths, twice.strengths, atol=1e-9)
        one = team_strengths(left, right, outcome)
        np.testing.assert_allclose(heavy.standard_errors(), one.standard_errors(), rtol=1e-6)
        np.testing.assert_allclose(twice.standard_errors(), one.standard_errors() / np.sqrt(2), rtol=1e-6)

    @pytest.mark.parametrize("n_threads", [2, 4])
    def test_the_bits_do_not_depend_on_threads(self, n_threads):
        rng = np.random.default_rng(0)
        who, won = rng.integers(0, 700, (40_000, 4)), rng.random(40_000) < 0.5
        one = team_strengths(who[:, :2], who[:, 2:], won, n_threads=1, prior=1)
        many = team_strengths(who[:, :2], who[:, 2:], won, n_threads=n_threads, prior=1)
        np.testing.assert_array_equal(one.strengths, many.strengths)

    def test_conjugate_gradients_and_sparse_factors_reach_the_same_optimum(self):
        rng = np.random.default_rng(5)
        n, games = 1500, 9000
        s = rng.normal(size=n)
        near = rng.integers(0, n - 11, games)[:, None] + np.argsort(rng.random((games, 12)))[:, :4]
        far = rng.integers(0, n, (games * 2, 10))
        for who, half, word in ((near, 2, "sparse"), (far, 5, "conjugate")):
            left, right = who[:, :half], who[:, half:]
            x = s[left].sum(axis=1) - s[right].sum(axis=1)
            won = rng.random(len(x)) < 1 / (1 + np.exp(-x))
            fit = team_strengths(left, right, won, prior=1.0, tol=1e-9, items=np.arange(n))
            assert word in fit.info.solver
            assert fit.info.error_kind == "asymptotic"
            # The gradient by the formula, judged by the prior's curvature alone: a bound from above.
            problem, free = fit._problem, fit.strengths + fit.info.shift
            p = 1 / (1 + np.exp(-(problem.games.matrix @ free)))
            g = problem.games.matrix.T @ (won - p) + 1 - 2 / (1 + np.exp(-free))
            curvature = 2 / (1 + np.exp(-free)) / (1 + np.exp(free))
            assert np.sqrt((g**2 / curvature).sum()) < 1e-6


class TestFeatures:
    def test_features_alone_are_a_logistic_regression_on_differences(self):
        left, right, outcome, s = line_ups(n=12, games=400, ties=0.0)
        rng = np.random.default_rng(0)
        table = {"form": s + rng.normal(size=12), "age": 30 + rng.normal(size=12)}
        fit = team_strengths(left, right, outcome, items=range(12), features=table, free=False, tol=1e-10)
        f = np.column_stack(list(table.values()))
        other = reference.team_strengths(
            dense(left, right, 12) @ f, (outcome == 1) * 1.0, (outcome == -1) * 1.0, np.zeros(len(outcome))
        )
        np.testing.assert_allclose(fit.coefficients.values / fit.coefficients.scales, other.s, rtol=1e-8)
        np.testing.assert_allclose(fit.strengths, f @ other.s - (f @ other.s).mean(), atol=1e-8)

    def test_a_feature_that_explains_strengths_draws_them_from_the_prior(self):
        left, right, outcome, s = line_ups(n=40, games=400, ties=0.0)
        with_it = team_strengths(
            left, right, outcome, items=range(40), features=s[:, None], prior=30.0, ridge=0.01
        )
        without = team_strengths(left, right, outcome, items=range(40), prior=30.0)
        truth = s - s.mean()
        assert np.abs(with_it.strengths - truth).mean() < 0.8 * np.abs(without.strengths - truth).mean()
        assert with_it.coefficients["x0"] > 3 * with_it.coefficients.standard_errors()[0]

    def test_errors_of_strengths_hold_what_features_share(self):
        left, right, outcome, s = line_ups(n=10, games=300)
        for free, prior in ((True, 1.0), (False, 0.0)):
            fit = team_strengths(
                left, right, outcome, items=range(10), features=np.column_stack([s, s**2]), free=free,
                prior=prior, ridge=0.5,
            )  # fmt: skip
            for kind in ("sandwich", "hessian"):
                full = fit.covariance(kind)
                some = fit.covariance(kind, items=[2, 7])
                np.testing.assert_allclose(full.matrix[np.ix_([2, 7], [2, 7])], some.matrix, atol=1e-9)
                draws = fit._information(1).draws(kind, 3000, 0)
                spread = (draws - draws.mean(axis=1, keepdims=True)).std(axis=0)
                np.testing.assert_allclose(spread, full.standard_errors, rtol=0.08)

    def test_features_without_items_or_prior_are_refused(self):
        left, right, outcome, s = line_ups()
        with pytest.raises(ValueError, match="features needs items"):
            team_strengths(left, right, outcome, features=s[:, None], prior=1)
        with pytest.raises(ValueError, match="prior must be positive"):
            team_strengths(left, right, outcome, features=s[:, None], items=range(9))
        with pytest.raises(ValueError, match="'a' is zero"):
            team_strengths(left, right, outcome, features={"a": 0 * s}, items=range(9), prior=1)

    def test_features_that_say_the_same_are_named(self):
        left, right, outcome, s = line_ups()
        table = {"cm": s, "inches": s / 2.54, "age": s**2}
        with pytest.raises(SeparationError, match="cm, inches") as caught:
            team_strengths(left, right, outcome, features=table, items=range(9), free=False)
        assert caught.value.flat
        assert "age" not in str(caught.value)
        with pytest.warns(DisconnectedWarning, match="cm, inches"):
            fit = team_strengths(left, right, outcome, features=table, items=range(9), free=False, ridge=1)
        assert fit.undetermined == (("cm", "inches"),)


class TestWhoIsToldApart:
    def named(self, sides):
        return [[f"n{i}" for i in side] for side in sides]

    def test_partners_who_always_play_together_are_named(self):
        left, right, outcome, _ = line_ups()
        left, right = self.named(left), self.named(right)
        left = [[*side, "p", "q"] if k % 3 == 0 else side for k, side in enumerate(left)]
        with pytest.raises(SeparationError, match=r"only their sum is known\): p and q") as caught:
            team_strengths(left, right, outcome)
        assert caught.value.flat
        assert caught.value.parameter == "p"
        with pytest.warns(DisconnectedWarning, match="p and q"):
            fit = team_strengths(left, right, outcome, prior=1)
        assert fit.undetermined == (("p", "q"),)
        assert fit.strengths[fit.index("p")] == pytest.approx(fit.strengths[fit.index("q")], abs=1e-9)

    def test_women_and_men_of_mixed_doubles_are_two_boards(self):
        rng = np.random.default_rng(0)
        pairs = [(rng.permutation(5), rng.permutation(5)) for _ in range(200)]
        left = [(f"m{m[0]}", f"w{w[0]}") for m, w in pairs]
        right = [(f"m{m[1]}", f"w{w[1]}") for m, w in pairs]
        with pytest.raises(SeparationError, match=r"stand against each other: .*m0, m1, m2, m3 and 1 more"):
            team_strengths(left, right, rng.random(200) < 0.5)

    @pytest.mark.parametrize("n", [60, 900])
    def test_small_and_large_tables_are_judged_alike(self, n):
        rng = np.random.default_rng(1)
        who = (
            np.argsort(rng.random((12 * n, n)), axis=1)[:, :4] if n < 100 else rng.integers(0, n, (12 * n, 4))
        )
        who = who[[len(set(row)) == 4 for row in who.tolist()]]
        left, right = who[:, :2], who[:, 2:]
        won = rng.random(len(who)) < 0.5
        assert team_strengths(left, right, won).undetermined == ()
        apart = who + np.where(rng.random(len(who))[:, None] < 0.5, n, 0)  # two leagues that never meet
        with pytest.raises(SeparationError, match="no game tells how high"):
            team_strengths(apart[:, :2], apart[:, 2:], won)

    def test_a_side_that_always_wins_has_no_finite_optimum(self):
        left = [["a", "b"], ["a", "c"], ["a", "b"], ["b", "c"], ["c", "b"], ["b", "c"]]
        right = [["c", "d"], ["b", "d"], ["d", "c"], ["d", "d"], ["d"], ["a"]]
        with pytest.raises(SeparationError, match="never falls as") as caught:
            team_strengths(left, right, [1, 1, 1, 1, -1, -1])
        assert not caught.value.flat
        assert team_strengths(left, right, [1, 1, 1, 1, -1, -1], prior=1).info.converged

    def test_a_home_side_that_an_item_always_has_is_named(self):
        left, right, outcome, _ = line_ups()
        host = [[*side, 100] for side in left]
        with pytest.raises(SeparationError, match="home_advantage"):
            team_strengths(host, right, outcome, home=1)


class TestReading:
    def test_unclear_or_impossible_games_are_refused_by_name(self):
        left, right = [["a"], ["b"]], [["b"], ["a"]]
        for arguments, message in [
            ((left, right, [0, 1]), "outcome holds 0 and 1"),
            ((left, right, [2, 1]), "outcome must be 1, 0 or -1, got 2 in row 0"),
            ((left, right, [1]), "outcome must have length 2"),
            ((left, right, ["left", "ann"]), "outcome must hold"),
            ((left, right[:1], [1, -1]), "left and right must have one side a game"),
            ((left, left, [1, -1]), "same side in 2 games"),
            (([{"a": -1.0}, ["b"]], right, [1, -1]), "left must hold weights"),
            ((left, [["b"], [None]], [1, -1]), "right has missing labels"),
            (("ab", right, [1, -1]), "left must be a sequence of sides"),
        ]:
            with pytest.raises((ValueError, TypeError), match=message):
                team_strengths(*arguments)

    def test_words_booleans_and_numbers_say_the_same(self):
        left, right, _, _ = line_ups()
        won = np.random.default_rng(0).random(300) < 0.5
        fits = [
            team_strengths(left, right, given)
            for given in (won, np.where(won, 1, -1), np.where(won, "left", "right"))
        ]
        assert all((fit.strengths == fits[0].strengths).all() for fit in fits)

    def test_games_of_weight_zero_count_as_never_played(self):
        left, right, outcome, _ = line_ups()
        fit = team_strengths([*left, [0]], [*right, [0]], [*outcome, 1], weight=[*np.ones(300), 0.0])
        np.testing.assert_array_equal(fit.strengths, team_strengths(left, right, outcome).strengths)


class TestResult:
    def test_the_bootstrap_spreads_as_the_sandwich(self):
        left, right, outcome, _ = line_ups(games=600)
        fit = team_strengths(left, right, outcome)
        rounds = fit.bootstrap(200, rng=0)
        np.testing.assert_allclose(rounds.strengths.std(axis=0), fit.standard_errors(), rtol=0.25)
        assert rounds.info.converged

    def test_it_survives_pickling_and_draws_and_ranks(self):
        left, right, outcome, _ = line_ups()
        fit = pickle.loads(pickle.dumps(team_strengths(left, right, outcome, home=1, tol=1e-9)))
        assert fit.rank_intervals(draws=200).lower.min() == 1
        assert len(fit.plot().get_yticks()) == 9
        assert "home advantage" in repr(fit)

    def test_true_strengths_lie_in_their_intervals(self):
        inside = []
        for seed in range(20):
            left, right, outcome, s = line_ups(games=250, seed=seed, ties=0.0)
            fit = team_strengths(left, right, outcome)
            columns = fit.to_frame(items=[0, 5])
            truth = (s - s.mean())[fit.positions(columns["item"].tolist())]
            inside += list((columns["lower"] <= truth) & (truth <= columns["upper"]))
        assert np.mean(inside) > 0.85

    def test_an_unknown_label_is_refused(self):
        left, right, outcome, _ = line_ups()
        fit = team_strengths(left, right, outcome)
        with pytest.raises(ValueError, match="which is not in items"):
            fit.predict([[0]], [[77]])
        with pytest.raises(ValueError, match="home must be 0"):
            fit.predict([[0]], [[1]], home=1)


def test_the_faces_name_them():
    assert rank.TeamFit.__module__ == "steelyard.rank"
