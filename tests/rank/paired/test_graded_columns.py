"""Grades in `Comparisons`: columns beside them, sums of tables, clusters and covariates in the fit."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from steelyard import SeparationError
from steelyard.rank import Comparisons, GradedComparisons, bradley_terry, graded
from steelyard.reference.rank import graded_log_chances

FIVE = ["much better", "better", "tie", "worse", "much worse"]
COLUMNS = {"left": "left", "right": "right", "outcome": "outcome", "outcome_levels": FIVE}


def votes(size=600, seed=0):
    rng = np.random.default_rng(seed)
    s = rng.normal(size=6)
    left = rng.integers(0, 6, size)
    right = (left + rng.integers(1, 6, size)) % 6
    z = rng.normal(size=size)
    chances = np.exp(graded_log_chances(s[left] - s[right] + 0.5 * z, 5, np.array([0.4, 1.3]), "cumulative"))
    grade = (rng.random(size)[:, None] > np.cumsum(chances, axis=1)).sum(axis=1)
    return {
        "left": left,
        "right": right,
        "outcome": np.array(FIVE)[4 - grade],
        "long": z,
        "who": rng.integers(0, 15, size),
        "day": np.arange(size) // 60,
    }


def part(columns, some):
    return {name: values[some] for name, values in columns.items()}


class TestTable:
    def test_levels_in_comparisons_are_those_of_graded_comparisons(self):
        table = Comparisons.from_frame(votes(), **COLUMNS)
        plain = GradedComparisons.from_frame(votes(), outcome_levels=FIVE)
        for link in ("cumulative", "adjacent"):
            one, other = graded(table, link=link), graded(plain, link=link)
            np.testing.assert_array_equal(one.strengths, other.strengths)
            np.testing.assert_allclose(one.standard_errors(), other.standard_errors(), rtol=1e-12)

    def test_other_models_see_who_was_better(self):
        table = Comparisons.from_frame(votes(), **COLUMNS)
        signs = graded(table).comparisons.signs()
        np.testing.assert_allclose(
            bradley_terry(table).strengths, bradley_terry(signs).strengths, rtol=0, atol=1e-9
        )

    def test_duckdb_counts_the_same(self):
        duckdb, pandas = pytest.importorskip("duckdb"), pytest.importorskip("pandas")
        frame = pandas.DataFrame(votes())  # noqa: F841 - found by its name
        relation = duckdb.sql("SELECT * FROM frame")
        for more in ({}, {"covariates": "long", "cluster": "who", "time": "day"}):
            here, there = (Comparisons.from_frame(x, **COLUMNS, **more) for x in (votes(), relation))
            for name in ("left", "right", "left_wins", "right_wins", "ties", "grade"):
                np.testing.assert_array_equal(getattr(here, name), getattr(there, name))

    def test_sums_are_the_whole_in_any_order(self):
        columns, more = votes(), {"covariates": "long", "cluster": "who", "time": "day"}
        whole = Comparisons.from_frame(columns, **COLUMNS, **more)
        first, second = (
            Comparisons.from_frame(part(columns, some), **COLUMNS, **more)
            for some in (slice(0, 250), slice(250, None))
        )
        for added in (first + second, second + first):
            assert added.outcome_levels == tuple(FIVE)
            np.testing.assert_array_equal(added.grade, whole.grade)
            fits = [graded(table, covariates=True) for table in (added, whole)]
            np.testing.assert_allclose(fits[0].strengths, fits[1].strengths, rtol=0, atol=1e-9)

    def test_tables_of_other_levels_are_not_added(self):
        other = {**COLUMNS, "outcome_levels": [*FIVE[:4], "awful"]}
        columns = votes()
        columns = part(columns, columns["outcome"] != "much worse")
        with pytest.raises(ValueError, match="same outcome levels"):
            Comparisons.from_frame(columns, **COLUMNS) + Comparisons.from_frame(columns, **other)

    def test_graded_comparisons_add_up_soft_ones_too(self):
        a, b, p = ["x", "y", "z"], ["y", "z", "x"], [0.9, 0.3, 0.6]
        whole = GradedComparisons.from_chances([*a, "w"], [*b, "x"], [*p, 0.2])
        added = GradedComparisons.from_chances(a, b, p) + GradedComparisons.from_chances(["w"], ["x"], [0.2])
        assert added.items.tolist() == ["w", "x", "y", "z"]
        np.testing.assert_array_equal(added.counts, whole.counts)
        hard = [
            GradedComparisons.from_frame(part(votes(), some), outcome_levels=FIVE)
            for some in (slice(0, 300), slice(300, None))
        ]
        np.testing.assert_array_equal(
            (hard[0] + hard[1]).counts, GradedComparisons.from_frame(votes(), outcome_levels=FIVE).counts
        )
        with pytest.raises(ValueError, match="same soft"):
            added + GradedComparisons.from_grades(["x"], ["y"], ["win"], levels=["win", "loss"])

    def test_numbers_are_levels_by_what_they_spell(self):
        columns = {"left": ["a", "b"], "right": ["b", "a"], "outcome": [2.0, -1.0]}
        table = Comparisons.from_frame(columns, **{**COLUMNS, "outcome_levels": [2, 1, 0, -1, -2]})
        assert table.to_frame()["grade"].tolist() == ["2", "1"]
        assert pickle.loads(pickle.dumps(table)).outcome_levels == ("2", "1", "0", "-1", "-2")

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"outcome_levels": ["better", "worse"]}, r"hold outcome_levels alone, got 'tie' in row 1"),
            ({"outcome_levels": ["better"]}, "outcome_levels must be 2 to 32"),
            ({"outcome_map": {"tie": 0}}, "outcome_levels needs outcome"),
            ({"outcome": None, "left_score": "left", "right_score": "right"}, "outcome_levels needs outcome"),
        ],
    )
    def test_wrong_use_is_named(self, change, words):
        columns = {"left": ["a", "b"], "right": ["b", "a"], "outcome": ["better", "tie"]}
        with pytest.raises(ValueError, match=words):
            Comparisons.from_frame(columns, **{**COLUMNS, **change})


class TestFit:
    def test_coefficients_are_found(self):
        table = Comparisons.from_frame(votes(4000), **COLUMNS, covariates="long")
        fit = graded(table, covariates=True)
        found = fit.coefficients.to_frame()
        scale = fit.coefficients.scales[0]
        assert found["lower"][0] < 0.5 * scale < found["upper"][0]
        plain = graded(table, covariates=["long"], standardize=False)
        assert plain.coefficients["long"] == pytest.approx(fit.coefficients["long"] / scale)
        np.testing.assert_allclose(
            fit.predict(0, 1, covariates={"long": 1.0}),
            np.exp(
                graded_log_chances(
                    fit.strengths[[0]] - fit.strengths[1] + plain.coefficients["long"],
                    5,
                    fit.thresholds,
                    "cumulative",
                )
            )[0, ::-1],
            rtol=1e-9,
        )

    def test_three_levels_with_everything_are_the_model_of_ties(self):
        columns = votes()
        columns["outcome"] = np.array(["w", "w", "t", "l", "l"])[
            [FIVE.index(x) for x in columns["outcome"].tolist()]
        ]
        more = {"covariates": "long", "cluster": "who", "time": "day", "home": True}
        three = {**COLUMNS, "outcome_levels": ["w", "t", "l"]}
        table = Comparisons.from_frame(columns, **three, **more)
        options = {"covariates": True, "home": True, "half_life": 5.0, "prior": 0.2, "tol": 1e-12}
        for link, ties in (("cumulative", "rao-kupper"), ("adjacent", "davidson")):
            fit, other = graded(table, link=link, **options), bradley_terry(table, ties=ties, **options)
            np.testing.assert_allclose(fit.strengths, other.strengths, rtol=0, atol=1e-10)
            assert fit.home_advantage == pytest.approx(other.home_advantage, abs=1e-10)
            assert fit.coefficients["long"] == pytest.approx(other.coefficients["long"], abs=1e-10)
            for kind in ("sandwich", "hessian"):
                np.testing.assert_allclose(
                    fit.covariance(kind).matrix, other.covariance(kind).matrix, rtol=1e-6, atol=1e-12
                )
                np.testing.assert_allclose(
                    fit.coefficients.standard_errors(kind),
                    other.coefficients.standard_errors(kind),
                    rtol=1e-6,
                )
            np.testing.assert_allclose(
                fit.standard_errors(items=[0, 2]), other.standard_errors(items=[0, 2]), rtol=1e-6
            )
            np.testing.assert_array_equal(fit.scarce, other.scarce)

    def test_votes_given_twice_by_one_judge_tell_no_more(self):
        columns = votes()
        twice = {name: np.concatenate([values, values]) for name, values in columns.items()}
        once, doubled = (
            graded(Comparisons.from_frame(x, **COLUMNS, cluster="who")).standard_errors()
            for x in (columns, twice)
        )
        np.testing.assert_allclose(once, doubled, rtol=1e-6)

    def test_the_bootstrap_draws_clusters(self):
        table = Comparisons.from_frame(votes(), **COLUMNS, cluster="who", covariates="long")
        fit = graded(table, covariates=True)
        rounds = fit.bootstrap(100, rng=0)
        assert rounds.coefficients.shape == (100, 1)
        spread = rounds.coefficients.std(axis=0) / fit.coefficients.standard_errors()
        assert 0.7 < spread[0] < 1.3

    def test_a_column_that_strengths_determine_is_named(self):
        columns = votes()
        columns["first"] = (columns["left"] == 0) * 1.0 - (columns["right"] == 0)
        table = Comparisons.from_frame(columns, **COLUMNS, covariates=["long", "first"])
        with pytest.raises(SeparationError, match="first has no finite optimum"):
            graded(table, covariates=True)

    def test_a_coefficient_at_infinity_is_named(self):
        columns = votes(200)
        columns["sure"] = np.sign(2 - np.array([FIVE.index(x) for x in columns["outcome"].tolist()])) * 1.0
        table = Comparisons.from_frame(columns, **COLUMNS, covariates="sure")
        with pytest.raises(SeparationError, match=r"no finite optimum"):
            graded(table, covariates=True)

    def test_wrong_use_is_named(self):
        with pytest.raises(ValueError, match=r"give Comparisons.from_frame\(outcome_levels"):
            graded(Comparisons.from_pairs(["a"], ["b"]))
        soft = GradedComparisons.from_chances(["a", "b"], ["b", "a"], [0.6, 0.3])
        with pytest.raises(ValueError, match="half_life and at need comparisons with times"):
            graded(soft, half_life=3.0)
        with pytest.raises(ValueError, match="covariates needs comparisons with covariates"):
            graded(soft, covariates=True)
