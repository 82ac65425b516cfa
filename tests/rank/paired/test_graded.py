"""Graded outcomes: the two models, their limits, their fits and what is said where there is none."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy import optimize

from steelyard import DisconnectedError, DisconnectedWarning, SeparationError, _core, rank
from steelyard.rank import GradedComparisons, graded
from steelyard.reference.rank import graded_log_chances

FIVE = ["much better", "better", "tie", "worse", "much worse"]


def simulated(n=8, games=900, levels=5, link="cumulative", seed=0, home=0.0, weight=False):
    """Games by the model itself, with the strengths and thresholds that made them."""
    rng = np.random.default_rng(seed)
    s = rng.normal(size=n)
    free = (levels - 1) // 2
    thresholds = 0.4 + 0.9 * np.arange(free) if link == "cumulative" else 0.3 * (1 + np.arange(free))
    a = rng.integers(0, n, games)
    b = (a + rng.integers(1, n, games)) % n
    side = rng.integers(-1, 2, games) if home else np.zeros(games, dtype=int)
    chances = np.exp(graded_log_chances(s[a] - s[b] + home * side, levels, thresholds, link))
    grade = (rng.random(games)[:, None] > np.cumsum(chances, axis=1)).sum(axis=1)
    names = [f"level {k}" for k in range(levels)]
    table = GradedComparisons.from_grades(
        a,
        b,
        np.array(names)[levels - 1 - grade],
        levels=names,
        home=side if home else None,
        weight=rng.choice([0.5, 1.0, 2.0], games) if weight else None,
        items=range(n),
    )
    return table, s - s.mean(), thresholds


def plain_log_likelihood(table, parameters, link, home=False, prior=0.0):
    n = table.n_items
    s, rest = parameters[:n], parameters[n:]
    x = s[table.left] - s[table.right]
    if home:
        x = x + table.home * rest[-1]
    free = (len(table.levels) - 1) // 2
    value = (table.counts[:, ::-1] * graded_log_chances(x, len(table.levels), rest[:free], link)).sum()
    return value + prior * (-np.logaddexp(0, s) - np.logaddexp(0, -s)).sum()


@pytest.mark.parametrize("link", ["cumulative", "adjacent"])
@pytest.mark.parametrize("levels", [2, 3, 4, 5, 6, 7])
class TestKernel:
    def test_the_chances_are_those_of_the_reference(self, link, levels):
        x = np.linspace(-6, 6, 25)
        free = (levels - 1) // 2
        thresholds = 0.3 + 0.7 * np.arange(free)
        log_chance, _, _ = _core.rank._grade_terms(link, levels, thresholds, x)
        np.testing.assert_allclose(
            log_chance, graded_log_chances(x, levels, thresholds, link), rtol=1e-10, atol=1e-12
        )

    def test_swapping_the_sides_reverses_the_scale(self, link, levels):
        x = np.array([-700.0, -30.0, -0.3, 0.0, 0.3, 30.0, 700.0])
        thresholds = 0.3 + 0.7 * np.arange((levels - 1) // 2)
        one, _, _ = _core.rank._grade_terms(link, levels, thresholds, x)
        other, _, _ = _core.rank._grade_terms(link, levels, thresholds, -x)
        assert np.isfinite(one).all()
        np.testing.assert_allclose(one, other[:, ::-1], rtol=1e-13, atol=1e-300)

    def test_the_derivatives_are_those_of_the_likelihood(self, link, levels):
        table, s, thresholds = simulated(4, 60, levels, link, home=0.4)
        rng = np.random.default_rng(1)
        at = np.concatenate([s + 0.1 * rng.normal(size=4), thresholds + 0.05, [0.2]])
        graph, counts = table._pairs(True)
        given = (graph, counts, link, True, 0.7, at[:4], at[4:-1], at[-1:])
        found = _core.rank._graded_derivatives(*given, n_threads=1)
        gradient = np.concatenate([found["gradient"], found["extra_gradient"]])
        matrix = np.zeros((len(at), len(at)))
        np.subtract.at(matrix, (graph.right, graph.left), found["cell_curvature"])
        matrix += matrix.T
        matrix[range(4), range(4)] = found["diagonal"]
        matrix[:4, 4:], matrix[4:, :4], matrix[4:, 4:] = (
            found["border"],
            found["border"].T,
            found["extra_hessian"],
        )

        def value(p):
            return plain_log_likelihood(table, p, link, True, 0.7)

        h = 1e-4
        steps = h * np.eye(len(at))
        slopes = [(value(at + e) - value(at - e)) / (2 * h) for e in steps]
        np.testing.assert_allclose(gradient, slopes, atol=1e-5)
        bends = [
            [
                (value(at + d + e) - value(at + d - e) - value(at - d + e) + value(at - d - e)) / (4 * h * h)
                for e in steps
            ]
            for d in steps
        ]
        np.testing.assert_allclose(-matrix, bends, atol=2e-4)

    def test_the_fit_is_the_maximum(self, link, levels):
        table, _, _ = simulated(4, 300, levels, link, home=0.4)
        fit = graded(table, link=link, home=True, prior=0.5)
        assert fit.info.converged
        best = np.concatenate([fit._point.strengths, fit.thresholds, [fit.home_advantage]])
        top = plain_log_likelihood(table, best, link, True, 0.5)

        def loss(p):
            ordered = link == "adjacent" or (np.diff(np.concatenate([[0.0], p[4:-1]])) > 0).all()
            return -plain_log_likelihood(table, p, link, True, 0.5) if ordered else 1e9

        other = optimize.minimize(loss, best + 0.03, method="BFGS")
        assert top >= -other.fun - 1e-9
        np.testing.assert_allclose(other.x, best, atol=2e-3)


class TestThreeLevels:
    @pytest.mark.parametrize(("link", "ties"), [("cumulative", "rao-kupper"), ("adjacent", "davidson")])
    @pytest.mark.parametrize("prior", [0.0, 0.3])
    @pytest.mark.parametrize("home", [False, True])
    def test_are_the_models_of_ties(self, link, ties, prior, home):
        table, _, _ = simulated(7, 700, 3, link, home=0.3)
        fit = graded(table, link=link, prior=prior, home=home, tol=1e-12)
        other = rank.bradley_terry(table.signs(), ties=ties, prior=prior, home=home, tol=1e-12)
        np.testing.assert_allclose(fit.strengths, other.strengths, rtol=0, atol=1e-10)
        assert abs(fit.thresholds[0] - np.log(other.tie_parameter)) <= 1e-10
        assert fit.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-12)
        if home:
            assert abs(fit.home_advantage - other.home_advantage) <= 1e-10
        for kind in ("sandwich", "hessian"):
            np.testing.assert_allclose(
                fit.covariance(kind).matrix, other.covariance(kind).matrix, rtol=1e-7, atol=1e-12
            )
            np.testing.assert_allclose(
                fit.standard_errors(kind=kind, items=[0, 3]),
                other.standard_errors(kind=kind, items=[0, 3]),
                rtol=1e-7,
            )
        win, tie, loss = fit.predict(0, 1)
        p = other.predict(0, 1)
        np.testing.assert_allclose([win, tie, loss], [p.win, p.tie, p.loss], atol=1e-10)

    @pytest.mark.parametrize("link", ["cumulative", "adjacent"])
    def test_two_levels_are_bradley_and_terry(self, link):
        table, _, _ = simulated(6, 400, 2, link)
        fit, other = graded(table, link=link), rank.bradley_terry(table.signs())
        np.testing.assert_allclose(fit.strengths, other.strengths, atol=1e-9)


class TestTruth:
    @pytest.mark.parametrize("link", ["cumulative", "adjacent"])
    def test_many_games_give_the_strengths_back(self, link):
        table, s, thresholds = simulated(6, 40_000, 5, link, seed=3)
        fit = graded(table, link=link)
        z = (fit.strengths - s) / fit.standard_errors()
        assert np.abs(z).max() < 4
        np.testing.assert_allclose(fit.thresholds, thresholds, atol=0.08)

    def test_five_grades_tell_more_than_their_signs(self):
        """Squared errors of the strengths, where both models hold."""
        graded_errors, sign_errors = [], []
        for seed in range(12):
            table, s, _ = simulated(10, 1200, 5, seed=seed)
            graded_errors.append(np.square(graded(table, prior=0.1).strengths - s).mean())
            signs = rank.bradley_terry(table.signs(), ties="rao-kupper", prior=0.1)
            sign_errors.append(np.square(signs.strengths - s).mean())
        assert np.mean(graded_errors) < 0.95 * np.mean(sign_errors)

    def test_intervals_hold_the_truth_as_often_as_they_say(self):
        inside = []
        for seed in range(60):
            table, s, _ = simulated(5, 300, 5, seed=100 + seed)
            fit = graded(table)
            inside.append(np.abs(fit.strengths - s) <= 1.96 * fit.standard_errors())
        assert 0.90 <= np.mean(inside) <= 0.99


class TestSoft:
    def test_certain_chances_are_outcomes(self):
        table, _, _ = simulated(5, 200, 2)
        rows = [
            (table.left[r], table.right[r], 1.0 - k)
            for r, counts in enumerate(table.counts)
            for k in (0, 1)
            for _ in range(int(counts[k]))
        ]
        left, right, p = zip(*rows, strict=True)
        soft = GradedComparisons.from_chances(left, right, p, items=range(5))
        one, other = graded(soft), graded(table)
        np.testing.assert_allclose(one.strengths, other.strengths, atol=1e-9)
        np.testing.assert_allclose(one.standard_errors(), other.standard_errors(), rtol=1e-7)

    def test_the_error_of_a_constant_judge_vanishes(self):
        """A judge whose chance is always the same leaves no noise; two half rows would see some."""
        soft = GradedComparisons.from_chances(["a"] * 50, ["b"] * 50, [0.7] * 50)
        fit = graded(soft)
        assert fit.strengths[0] - fit.strengths[1] == pytest.approx(np.log(0.7 / 0.3), abs=1e-9)
        assert fit.standard_errors()[0] < 1e-8
        assert fit.covariance("hessian").approximate

    def test_errors_are_those_of_repeated_data(self):
        """Chances of a noisy judge: the spread over data sets is what the sandwich says."""
        rng = np.random.default_rng(5)
        found, said = [], []
        for _ in range(200):
            x = np.log(0.65 / 0.35) + rng.normal(size=60)
            fit = graded(GradedComparisons.from_chances(["a"] * 60, ["b"] * 60, 1 / (1 + np.exp(-x))))
            found.append(fit.strengths[0])
            said.append(fit.standard_errors()[0])
        assert np.mean(said) == pytest.approx(np.std(found), rel=0.15)

    def test_turned_rows_say_the_same(self):
        one = GradedComparisons.from_chances(["a", "b"], ["b", "a"], [0.8, 0.4])
        other = GradedComparisons.from_chances(["b", "a"], ["a", "b"], [0.2, 0.6])
        np.testing.assert_allclose(graded(one).strengths, graded(other).strengths, atol=1e-12)

    @pytest.mark.parametrize("bad", [[1.2, 0.5], [np.nan, 0.5], [[0.5, 0.2], [0.1, 0.9]]])
    def test_chances_are_checked(self, bad):
        with pytest.raises(ValueError, match="chances"):
            GradedComparisons.from_chances(["a", "b"], ["b", "a"], bad)


class TestNoOptimum:
    def test_a_level_that_never_occurs_is_named(self):
        table = GradedComparisons.from_grades(
            ["a", "b", "a"], ["b", "a", "b"], ["better", "better", "tie"], levels=FIVE
        )
        with pytest.raises(SeparationError, match="'much better' and 'much worse' never occur"):
            graded(table)

    def test_items_that_always_win_outright_are_named(self):
        table = GradedComparisons.from_grades(
            ["a", "a", "b", "c"],
            ["b", "c", "c", "b"],
            ["win", "win", "win", "tie"],
            levels=["win", "tie", "loss"],
        )
        with pytest.raises(DisconnectedError, match="a"):
            graded(table)
        with pytest.warns(DisconnectedWarning):
            assert graded(table, prior=1).info.converged

    @pytest.mark.parametrize("link", ["cumulative", "adjacent"])
    def test_an_optimum_at_infinity_is_no_fit(self, link):
        """Two pairs, one of which knows ties alone: the tie parameter runs away with the other's distance."""
        table = GradedComparisons.from_grades(
            ["a", "b", "a"], ["b", "c", "c"], ["tie", "tie", "win"], levels=["win", "tie", "loss"]
        )
        with pytest.raises(SeparationError, match="no finite optimum"):
            graded(table, link=link)


class TestTable:
    def test_of_any_frame(self):
        pd = pytest.importorskip("pandas")
        df = pd.DataFrame({"left": ["a", "b"], "right": ["b", "a"], "outcome": ["better", "much worse"]})
        table = GradedComparisons.from_frame(df, outcome_levels=FIVE)
        assert table.counts.tolist() == [[1, 1, 0, 0, 0]]

    def test_equal_rows_are_counted_together(self):
        table = GradedComparisons.from_grades(list("aab"), list("bba"), ["tie"] * 3, levels=FIVE)
        assert table.to_frame()["tie"].tolist() == [3]

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"outcome": ["better", "best"]}, "outcome must hold levels alone, got 'best'"),
            ({"levels": ["one"]}, "levels must be 2 to 32"),
            ({"levels": ["x", "x"]}, "levels must be 2 to 32"),
            ({"right": ["b", "b"]}, "can't meet itself"),
            ({"weight": [1, 0]}, "weight must be"),
            ({"home": [2, 0]}, "home must be"),
        ],
    )
    def test_wrong_use_is_named(self, change, words):
        given = {
            "left": ["a", "b"],
            "right": ["b", "a"],
            "outcome": ["better", "tie"],
            "levels": FIVE,
            **change,
        }
        if change.get("levels") and "outcome" not in change:
            given["outcome"] = [given["levels"][0]] * 2
        with pytest.raises(ValueError, match=words):
            GradedComparisons.from_grades(
                given.pop("left"), given.pop("right"), given.pop("outcome"), **given
            )


class TestFit:
    def test_weights_are_squared_in_errors(self):
        table, _, _ = simulated(5, 300, 5)
        double = GradedComparisons(
            table.items,
            table.left,
            table.right,
            table.levels,
            2 * table.counts,
            4 * table.squared,
            table.home,
            table.soft,
        )
        one, other = graded(table), graded(double)
        np.testing.assert_allclose(one.strengths, other.strengths, atol=1e-9)
        np.testing.assert_allclose(one.standard_errors(), other.standard_errors(), rtol=1e-7)

    def test_the_bootstrap_spreads_as_the_errors_say(self):
        table, _, _ = simulated(5, 600, 5)
        fit = graded(table)
        spread = fit.bootstrap(300, rng=0).strengths.std(axis=0)
        np.testing.assert_allclose(spread, fit.standard_errors(), rtol=0.25)

    def test_draws_spread_as_the_errors_say(self):
        table, _, _ = simulated(5, 600, 5, home=0.3)
        fit = graded(table, home=True, prior=0.5)
        for kind in ("sandwich", "hessian"):
            draws = fit._information(1).draws(kind, 2000, 0)
            draws = draws - draws.mean(axis=1, keepdims=True)
            np.testing.assert_allclose(draws.std(axis=0), fit.standard_errors(kind=kind), rtol=0.1)

    def test_the_threads_change_nothing(self):
        table, _, _ = simulated(200, 20_000, 5)
        one, two = graded(table, prior=1, n_threads=1), graded(table, prior=1, n_threads=2)
        assert one.strengths.tobytes() == two.strengths.tobytes()

    def test_survives_pickling(self):
        table, _, _ = simulated(5, 300, 5, home=0.3)
        fit = pickle.loads(pickle.dumps(graded(table, home=True)))
        assert fit.predict([0, 1], [1, 0], home=[1, -1]).shape == (2, 5)

    def test_predicts_all_levels(self):
        table, _, _ = simulated(5, 300, 5)
        fit = graded(table)
        p = fit.predict([0, 1, 2], 3)
        np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-14)
        np.testing.assert_allclose(fit.predict(3, 0), p[0][::-1], rtol=1e-12)

    def test_wrong_use_is_named(self):
        table, _, _ = simulated(5, 300, 5)
        with pytest.raises(TypeError, match="comparisons must be a Comparisons with outcome_levels"):
            graded([["a", "b"]])
        with pytest.raises(ValueError, match="home=True needs"):
            graded(table, home=True)
        with pytest.raises(ValueError, match="home must be 0"):
            graded(table).predict(0, 1, home=1)
