"""Balancing weights: closed forms, the reference, diagnostics, effects, and what is refused."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import parametrize_with_checks

from steelyard import ConvergenceWarning, datasets, weigh
from steelyard.reference import balance as reference
from steelyard.weigh._kernel_qp import minimise_kernel_qp

ESTIMANDS = ("att", "atc", "ate", "population")
KERNELS = ("energy", "laplacian", "gaussian", "matern")
COVARIATES = ("age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75")

pytestmark = pytest.mark.filterwarnings("ignore:(arm|standardised mean):UserWarning")


def study(n=60, d=2, seed=0, arms=2):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d))
    score = X[:, 0] + rng.normal(size=n)
    return X, np.searchsorted(np.quantile(score, np.arange(1, arms) / arms), score)


def targets(X, arm, estimand, treated=1):
    """Each weighted arm with the rows that it should be like, by the definition."""
    others = [a for a in np.unique(arm) if a != treated]
    if estimand == "att":
        return dict.fromkeys(others, arm == treated)
    if estimand == "atc":
        return {treated: arm == others[0]}
    everyone = np.ones(len(arm), dtype=bool)
    return dict.fromkeys([treated] if estimand == "population" else np.unique(arm), everyone)


# ---- the weights


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_weights_and_imbalances_are_those_of_the_reference(estimand, kernel):
    X, arm = study(24)
    found = weigh.balance(X, arm, estimand=estimand, kernel=kernel, scale=0.7, tol=1e-10)
    Z = reference.standardised(X)
    before = after = 0.0
    for own, goal in targets(X, arm, estimand).items():
        rows, even = np.flatnonzero(arm == own), np.full(goal.sum(), 1 / goal.sum())
        w = found.weights[rows]
        least = reference.match(Z[rows], Z[goal], even, kernel, 0.7)
        best = reference.discrepancy(Z[rows], least, Z[goal], even, kernel, 0.7)
        mine = reference.discrepancy(Z[rows], w, Z[goal], even, kernel, 0.7)
        assert w.sum() == pytest.approx(1, abs=1e-12)
        assert w.min() >= 0
        assert mine <= best + 1e-10
        after += mine
        equal = np.full(len(rows), 1 / len(rows))
        before += reference.discrepancy(Z[rows], equal, Z[goal], even, kernel, 0.7)
    assert found.imbalance == pytest.approx(after, abs=1e-12)
    assert found.imbalance_before == pytest.approx(before, abs=1e-12)
    assert found.gap <= 1e-9


def test_arms_that_are_not_weighted_keep_equal_weights_and_others_have_none():
    X, arm = study(arms=3)
    att = weigh.balance(X, arm, treated=2)
    np.testing.assert_allclose(att.weights[arm == 2], 1 / (arm == 2).sum())
    answered = weigh.balance(X, arm, treated=2, estimand="population")
    assert not answered.weights[arm != 2].any()
    assert np.isnan(answered.effective_sample_size[:2]).all()
    assert answered.effective_sample_size[2] == pytest.approx(1 / (answered.weights**2).sum())


def test_each_arm_of_several_is_weighted_as_if_it_were_alone_with_the_target():
    X, arm = study(arms=3)
    found = weigh.balance(X, arm, treated=1, standardize=False, tol=1e-11)
    for other in (0, 2):
        rows = arm != 2 - other
        alone = weigh.balance(X[rows], arm[rows], treated=1, standardize=False, tol=1e-11)
        np.testing.assert_allclose(found.weights[rows], alone.weights, atol=1e-8)


def test_a_point_of_the_target_among_the_controls_gets_all_weight():
    found = weigh.balance([[0.0], [1.0], [2.0], [1.0]], [0, 0, 0, 1], standardize=False)
    np.testing.assert_allclose(found.weights, [0, 1, 0, 1], atol=1e-12)
    assert found.imbalance == pytest.approx(0, abs=1e-12)


@settings(max_examples=20)
@given(st.integers(0, 2**31), st.floats(1e-3, 1e3), st.floats(-100, 100))
def test_units_and_origins_of_columns_do_not_matter(seed, unit, origin):
    X, arm = study(30, seed=seed % 100)
    one = weigh.balance(X, arm, tol=1e-10)
    other = weigh.balance(X * [unit, 1] + origin, arm, tol=1e-10)
    np.testing.assert_allclose(one.weights, other.weights, atol=1e-6)
    assert one.imbalance_before == pytest.approx(other.imbalance_before, rel=1e-6)


def test_the_energy_distance_has_the_unit_of_the_points():
    X, arm = study(30)
    one = weigh.balance(X, arm, standardize=False, tol=1e-10)
    for unit in (1e-200, 1e200):
        other = weigh.balance(X * unit, arm, standardize=False, tol=1e-10)
        np.testing.assert_allclose(one.weights, other.weights, atol=1e-7)
        assert other.imbalance_before == pytest.approx(one.imbalance_before * unit, rel=1e-9)
        assert other.table()["mean_before"] == pytest.approx(one.table()["mean_before"] * unit)


def test_equal_rows_share_their_weight_evenly_and_repeating_all_changes_nothing():
    X, arm = study(24)
    one = weigh.balance(X, arm, tol=1e-11)
    twice = weigh.balance(np.concatenate([X, X]), np.concatenate([arm, arm]), tol=1e-11)
    np.testing.assert_allclose(twice.weights[:24], one.weights / 2, atol=1e-8)
    np.testing.assert_array_equal(twice.weights[:24], twice.weights[24:])


def test_sample_weights_count_as_repeated_rows_and_zero_as_absence():
    X, arm = study(24)
    count = np.random.default_rng(1).integers(1, 4, 24)
    repeated = weigh.balance(np.repeat(X, count, 0), np.repeat(arm, count), standardize=False, tol=1e-11)
    found = weigh.balance(X, arm, sample_weight=count, standardize=False, tol=1e-11)
    sums = np.add.reduceat(repeated.weights, np.cumsum(count) - count)
    np.testing.assert_allclose(found.weights, sums, atol=1e-8)
    keep = np.arange(24) % 5 > 0
    without = weigh.balance(X, arm, sample_weight=keep.astype(float), tol=1e-11)
    np.testing.assert_allclose(without.weights[keep], weigh.balance(X[keep], arm[keep]).weights, atol=1e-3)
    assert not without.weights[~keep].any()


def test_a_ridge_evens_weights_out():
    X, arm = study()
    sizes = [weigh.balance(X, arm, ridge=r, tol=1e-9).effective_sample_size[0] for r in (0.0, 0.1, 1e5)]
    assert sizes[0] < sizes[1] < sizes[2]
    assert sizes[2] == pytest.approx((arm == 0).sum(), rel=1e-3)
    Z = reference.standardised(X)
    rows, goal = arm == 0, arm == 1
    w = reference.match(Z[rows], Z[goal], np.full(goal.sum(), 1 / goal.sum()), ridge=0.1)
    np.testing.assert_allclose(weigh.balance(X, arm, ridge=0.1, tol=1e-10).weights[rows], w, atol=1e-6)


def test_any_number_of_threads_gives_the_same_weights():
    X, arm = study(200)
    one, two = (weigh.balance(X, arm, estimand="ate", n_threads=k).weights for k in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_a_missed_tolerance_is_a_warning(monkeypatch):
    def stopped(*args, **options):
        found = minimise_kernel_qp(*args, **options)
        return dataclasses.replace(
            found, info=dataclasses.replace(found.info, converged=False, message="why")
        )

    monkeypatch.setattr("steelyard.weigh._imbalance.minimise_kernel_qp", stopped)
    X, arm = study()
    with pytest.warns(ConvergenceWarning, match=r"balance did not reach tol=0.0001: relative gap .*; why"):
        assert not weigh.balance(X, arm).info.converged


def test_a_gap_of_a_million_millionth_is_reached_with_what_rounding_hides():
    rng = np.random.default_rng(0)
    X = np.r_[rng.normal(size=(500, 4)), rng.normal(size=(250, 4)) + 0.4]
    found = weigh.balance(X, np.arange(750) >= 500, tol=1e-12)
    assert found.info.converged
    assert 0 < found.gap <= 1e-12


def test_groups_that_are_alike_keep_equal_weights():
    X, _ = study()
    found = weigh.balance(np.concatenate([X, X]), np.repeat([0, 1], 60))
    np.testing.assert_array_equal(found.weights, 1 / 60)
    assert (found.imbalance_before, found.gap, found.notes) == (0.0, 0.0, ())


# ---- diagnostics


@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_the_table_holds_the_references_differences(estimand):
    X, arm = study(50)
    found = weigh.balance(X, arm, estimand=estimand)
    table = found.table()
    own = arm == (1 if estimand != "att" else 0)
    goal = {"att": arm == 1, "atc": arm == 0, "ate": arm == 0}.get(estimand, np.ones(50, dtype=bool))
    deviation = {
        "att": X[arm == 1].std(axis=0, ddof=1),
        "atc": X[arm == 0].std(axis=0, ddof=1),
        "ate": np.sqrt((X[arm == 1].var(axis=0, ddof=1) + X[arm == 0].var(axis=0, ddof=1)) / 2),
        "population": X.std(axis=0, ddof=1),
    }[estimand]
    now = np.full(50, 1.0) if estimand == "population" else found.weights
    for k in range(2):
        x, y = X[own, k], X[goal, k]
        assert table["denominator"][k] == pytest.approx(deviation[k])
        for name, w, v in (
            ("before", np.ones(own.sum()), np.ones(goal.sum())),
            ("after", found.weights[own], now[goal]),
        ):
            assert table[f"smd_{name}"][k] == pytest.approx(
                reference.standardised_difference(x, w, y, v, deviation[k])
            )
            assert table[f"variance_ratio_{name}"][k] == pytest.approx(reference.variance_ratio(x, w, y, v))
            assert table[f"ks_{name}"][k] == pytest.approx(reference.kolmogorov_smirnov(x, w, y, v))


def test_names_of_a_data_frames_columns_are_kept():
    import pandas as pd

    X, arm = study()
    frame = pd.DataFrame(X, columns=["age", "income"])
    assert weigh.balance(frame, arm).table()["variable"].tolist() == ["age", "income"]
    assert weigh.balance(X, arm).table()["variable"].tolist() == ["x0", "x1"]


def test_a_column_without_spread_in_the_target_is_measured_by_the_spread_of_all():
    X, arm = study()
    X[arm == 1, 1] = 0.0
    table = weigh.balance(X, arm).table()
    assert table["denominator"][1] == pytest.approx(X[:, 1].std(ddof=1))
    assert np.isfinite(table["smd_after"]).all()
    assert np.isnan(table["variance_ratio_after"][1])


@pytest.mark.filterwarnings("default")
def test_thin_overlap_is_a_warning_and_stays_with_the_result():
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.normal(size=(200, 1)), rng.normal(4, 0.3, size=(50, 1))])
    with pytest.warns(UserWarning, match="arm|differences") as caught:
        found = weigh.balance(X, np.arange(250) >= 200)
    told = [str(w.message) for w in caught]
    assert found.notes == tuple(told)
    assert "arm False: 200 rows weigh as much as" in told[0]
    assert "standardised mean differences above 0.1 remain: x0 (-" in told[1]
    assert all(note in repr(found) for note in told)


@pytest.mark.filterwarnings("error")
def test_groups_that_overlap_warn_of_nothing():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    assert weigh.balance(X, rng.random(300) < 0.5).notes == ()


def test_the_love_plot_draws_what_the_table_says():
    X, arm = study(arms=3)
    found = weigh.balance(X, arm, treated=0)
    axes = found.plot()
    before, after, line = axes.get_lines()
    table = found.table()
    order = np.argsort(-np.abs(table["smd_before"]), kind="stable")
    np.testing.assert_allclose(before.get_xdata(), np.abs(table["smd_before"])[order])
    np.testing.assert_allclose(after.get_xdata(), np.abs(table["smd_after"])[order])
    assert set(line.get_xdata()) == {0.1}
    assert {tick.get_text() for tick in axes.get_yticklabels()} == {
        f"x{k} ({a}, 0)" for k in (0, 1) for a in (1, 2)
    }


# ---- effects


@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_an_effect_is_a_difference_of_weighted_means(estimand):
    X, arm = study()
    y = np.random.default_rng(1).normal(size=60)
    found = weigh.balance(X, arm, estimand=estimand)
    effect, w = found.effect(y), found.weights
    other = 0.0 if estimand == "population" else w[arm == 0] @ y[arm == 0]
    assert effect.estimate == pytest.approx(w[arm == 1] @ y[arm == 1] - other)
    assert effect.interval == (effect.lower, effect.upper)
    assert (effect.lower + effect.upper) / 2 == pytest.approx(effect.estimate)
    assert effect.upper - effect.lower == pytest.approx(2 * 1.959964 * effect.standard_error, rel=1e-6)


def test_residual_errors_are_those_of_the_formula():
    X, arm = study(100)
    y = X @ [1.0, 2.0] + np.random.default_rng(1).normal(size=100)
    found = weigh.balance(X, arm)
    w, control, treated = found.weights[arm == 0], arm == 0, arm == 1
    design = np.c_[np.ones(100), X]
    root = np.sqrt(w)[:, None]
    b = np.linalg.lstsq(root * design[control], root[:, 0] * y[control], rcond=None)[0]
    e = y - design @ b
    error = np.sqrt(e[treated].var(ddof=1) / treated.sum() + (w**2 * e[control] ** 2).sum())
    assert found.effect(y).standard_error == pytest.approx(error, rel=1e-6)


def test_an_effect_in_another_unit_is_the_same_effect():
    X, arm = study()
    y = np.random.default_rng(1).normal(size=60)
    found = weigh.balance(X, arm)
    for errors in ("residual", "subsample"):
        one = found.effect(y, errors, rng=0)
        huge = found.effect(y * 1e300, errors, rng=0)
        assert huge.standard_error == pytest.approx(one.standard_error * 1e300)
        moved = found.effect(y + 100, errors, rng=0)
        assert moved.estimate == pytest.approx(one.estimate)
        assert moved.standard_error == pytest.approx(one.standard_error)


def test_subsamples_are_halves_of_each_arm_balanced_anew():
    X, arm = study(60)
    y = np.random.default_rng(1).normal(size=60)
    found = weigh.balance(X, arm, standardize=False)
    rng, estimates = np.random.default_rng(5), []
    members = [np.flatnonzero(arm == a) for a in (0, 1)]
    for _ in range(4):
        rows = np.sort(np.concatenate([rng.choice(m, (len(m) + 1) // 2, replace=False) for m in members]))
        part = weigh.balance(X[rows], arm[rows], standardize=False)
        estimates.append(part.effect(y[rows]).estimate)
    effect = found.effect(y, "subsample", n_subsamples=4, rng=5)
    assert effect.standard_error == pytest.approx(np.std(estimates, ddof=1), rel=1e-6)
    assert effect.upper - effect.estimate == pytest.approx(3.182446 * effect.standard_error, rel=1e-6)


def test_ctrl_c_in_a_solver_ends_the_subsamples_and_the_balance(monkeypatch):
    X, arm = study(60)
    found = weigh.balance(X, arm)

    def stopped(*args, **options):
        made = minimise_kernel_qp(*args, **options)
        return dataclasses.replace(made, info=dataclasses.replace(made.info, interrupted=True))

    monkeypatch.setattr("steelyard.weigh._imbalance.minimise_kernel_qp", stopped)
    with pytest.raises(KeyboardInterrupt):
        found.effect(X[:, 0], "subsample", rng=0)
    with pytest.raises(KeyboardInterrupt) as caught:
        weigh.balance(X, arm, estimand="ate")
    partial = caught.value.partial
    np.testing.assert_allclose([partial.weights[arm == a].sum() for a in (0, 1)], 1)


def test_of_several_arms_one_is_named_to_compare_with():
    X, arm = study(arms=3)
    names = np.array(["low", "mid", "top"])[arm]
    y = np.random.default_rng(1).normal(size=60)
    found = weigh.balance(X, names, treated="top", estimand="ate")
    w = found.weights
    effect = found.effect(y, against="low")
    assert effect.estimate == pytest.approx(w[arm == 2] @ y[arm == 2] - w[arm == 0] @ y[arm == 0])
    with pytest.raises(ValueError, match="against must name one of the 3 arms"):
        found.effect(y)
    with pytest.raises(ValueError, match="against must be another arm than treated"):
        found.effect(y, against="top")
    with pytest.raises(ValueError, match="against must be one of 'low', 'mid', 'top', got 'new'"):
        found.effect(y, against="new")


@pytest.mark.slow
@pytest.mark.parametrize("errors", ["residual", "subsample"])
def test_intervals_hold_the_truth_as_often_as_they_say(errors):
    rng, held = np.random.default_rng(0), []
    for _ in range(400):
        X = rng.normal(size=(200, 3))
        treated = rng.random(200) < 1 / (1 + np.exp(0.8 - 0.7 * X[:, 0] - 0.4 * X[:, 1]))
        y = 1.5 * X[:, 0] + X[:, 1] * X[:, 0] * 0.5 + np.sin(2 * X[:, 2]) + rng.normal(size=200)
        effect = weigh.balance(X, treated).effect(y, errors, rng=rng)
        held.append(effect.lower <= 0 <= effect.upper)
    assert 0.91 <= np.mean(held) <= 0.985


# ---- known studies


def lalonde(load):
    data = load().columns
    return np.column_stack([data[name] for name in COVARIATES]), data["treat"], data["re78"]


def test_the_experiment_keeps_its_effect():
    X, treat, earnings = lalonde(datasets.load_nsw)
    found = weigh.balance(X, treat, tol=1e-10)
    assert found.effect(earnings).estimate == pytest.approx(1856, abs=1)
    table = found.table()
    assert np.abs(table["smd_before"]).max() == pytest.approx(0.28, abs=0.005)
    assert np.abs(table["smd_after"]).max() == pytest.approx(0.019, abs=0.001)


@pytest.mark.slow
def test_all_of_the_survey_gives_nearly_the_effect_of_the_experiment():
    X, treat, earnings = lalonde(datasets.load_lalonde)
    assert earnings[treat == 1].mean() - earnings[treat == 0].mean() == pytest.approx(-8498, abs=1)
    found = weigh.balance(X, treat, tol=1e-10)
    assert found.effect(earnings).estimate == pytest.approx(1886, abs=1)
    assert found.info.converged


# ---- what is refused


def refused(match, *, error=ValueError, X=None, treatment=None, **options):
    points, arm = study()
    with pytest.raises(error, match=match):
        weigh.balance(points if X is None else X, arm if treatment is None else treatment, **options)


def test_errors_name_the_argument():
    X, arm = study()
    hole = X.copy()
    hole[17, 0] = np.nan
    refused(r"X has NaN or infinite entries \(first: row 17\)", X=hole)
    refused("X must have columns that vary, got 1 constant: x1", X=np.c_[X[:, 0], np.ones(60)])
    refused(r"X must have shape \(n, d\)", X=X[:, 0])
    refused("treatment must have at least two values, got 1", treatment=np.ones(60, dtype=int))
    refused("treatment must have one label for each of the 60 rows", treatment=arm[:5])
    refused("treatment must name arms, got 60 different values", treatment=X[:, 0])
    refused(r"treatment has 1 rows without a label \(first: row 3\)", treatment=[*"abc", None, *"ab" * 28])
    refused("treated must name one of the values of treatment: 'a', 'b'", treatment=list("ab" * 30))
    refused("treated must be one of 0, 1, got 7", treated=7)
    refused("treated must name one of the values of treatment: 0, 1, 2", treatment=np.arange(60) % 3)
    refused("estimand='atc' needs two arms, got 3", treatment=np.arange(60) % 3, estimand="atc", treated=0)
    refused("estimand must be one of 'att'", estimand="ato")
    refused("kernel must be one of 'energy'", kernel="rbf")
    refused("scale must be positive", scale=-1.0, kernel="gaussian")
    refused("ridge must be zero or positive", ridge=-1.0)
    refused("tol must be positive", tol=0)
    refused(r"sample_weight must be positive somewhere in each arm.*all of 1", sample_weight=1.0 - arm)
    refused("standardize must be True or False", error=TypeError, standardize="yes")


def test_effects_name_the_argument():
    X, arm = study()
    found = weigh.balance(X, arm)
    with pytest.raises(ValueError, match="y must have length 60, got 3"):
        found.effect([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="errors must be one of 'residual', 'subsample'"):
        found.effect(np.ones(60), "bootstrap")
    answered = weigh.balance(X, arm, estimand="population")
    with pytest.raises(ValueError, match="against has no meaning"):
        answered.effect(np.ones(60), against=0)


@pytest.mark.parametrize("labels", [[False, True], ["a", "b"], [1.5, 2.5], [b"a", b"b"]])
def test_labels_of_any_kind_name_arms(labels):
    X, arm = study()
    numbers = weigh.balance(X, arm)
    found = weigh.balance(X, np.array(labels)[arm], treated=labels[1])
    np.testing.assert_array_equal(found.weights, numbers.weights)
    assert found.treated == labels[1]


def test_a_balance_comes_back_from_a_pickle_with_its_methods():
    X, arm = study()
    found = weigh.balance(X, arm)
    again = pickle.loads(pickle.dumps(found))
    y = X[:, 0]
    assert again.effect(y) == found.effect(y)
    np.testing.assert_array_equal(again.table()["smd_after"], found.table()["smd_after"])


# ---- scikit-learn


@parametrize_with_checks([weigh.BalancingWeights(), weigh.BalancingWeights("att", treated=1)])
def test_scikit_learn_accepts(estimator, check):
    check(estimator)


def test_the_estimator_gives_the_functions_weights():
    X, arm = study()
    found = weigh.BalancingWeights("att").fit(X, arm)
    np.testing.assert_array_equal(found.weights_, weigh.balance(X, arm).weights)
    assert found.balance_.estimand == "att"
    assert found.classes_.tolist() == [0, 1]
    with pytest.raises(ValueError, match="y must have at least two values, the arms, got"):
        weigh.BalancingWeights().fit(X, np.zeros(60, dtype=int))
