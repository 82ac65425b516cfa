"""The slope of a grade scale against quadrature and its own simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, log_expit

import steelyard
from steelyard.rank import grade_scale
from support import threads

pytestmark = pytest.mark.kernel

TRIES = {
    "climber": ["ann"] * 9,
    "grade": [17, 18, 18, 19, 20, 18, 19, 20, 21],
    "sent": [True, True, False, True, False, True, True, True, False],
    "time": ["2020-01-05"] * 3 + ["2020-01-20"] * 2 + ["2020-04-02"] * 4,
}


def grid_moments():
    """Means and standard deviations of (C_1, C_2, m) on a fine grid."""
    c1, c2 = np.linspace(10, 28, 160)[:, None, None], np.linspace(10, 28, 161)[:, None]
    log_slope = np.linspace(-2.5, 1.5, 161)
    slope = np.exp(log_slope)
    log = -((c1 - 18) ** 2) / 50 - (c2 - c1) ** 2 / (2 * 0.25 * 3) - (log_slope + 0.5) ** 2 / (2 * 0.36)
    for k, (grade, sent) in enumerate(zip(TRIES["grade"], TRIES["sent"], strict=True)):
        log = log + log_expit((1 if sent else -1) * slope * ((c1 if k < 5 else c2) - grade))
    p = np.exp(log - log.max())
    p /= p.sum()
    out = []
    for value in (c1, c2, slope):
        mean = (p * value).sum()
        out.append((mean, np.sqrt((p * (value - mean) ** 2).sum())))
    return out


def test_it_has_the_moments_of_quadrature():
    scale = grade_scale(TRIES, n_draws=20000, rng=1)
    first, second, slope = grid_moments()
    few = np.sqrt(scale.effective_size)
    assert scale.node_periods.tolist() == [600, 603]
    for k, (mean, sd) in enumerate((first, second)):
        assert scale.abilities[k] == pytest.approx(mean, abs=5 * sd / few)
        assert scale.ability_errors[k] == pytest.approx(sd, rel=0.06)
    assert scale.slope == pytest.approx(slope[0], abs=5 * slope[1] / few)
    assert scale.slopes.std() == pytest.approx(slope[1], rel=0.06)
    low, high = scale.odds_ratio_interval(0.9)
    assert low == pytest.approx(np.exp(np.quantile(scale.slopes, 0.05)))
    assert low < scale.odds_ratio < high
    assert scale.ability("ann")[0].tolist() == [600, 603]


def simulated(seed, climbers=30, tries=3000, months=24, slope=0.85):
    """Each climber tries what the last tries suggest: grades depend on what is seen alone."""
    rng = np.random.default_rng(seed)
    who, when = np.sort(rng.integers(0, climbers, tries)), rng.integers(0, months, tries)
    when = when[np.lexsort([when, who])]
    walk = np.cumsum(0.5 * rng.normal(size=(climbers, months)), axis=1)
    ability = (rng.normal(18, 5, (climbers, 1)) + walk)[who, when]
    grade, sent, level = np.empty(tries), np.empty(tries, bool), 18.0
    for k in range(tries):
        level = 18.0 if k == 0 or who[k] != who[k - 1] else level
        grade[k] = np.rint(level + 1.5 * rng.normal())
        sent[k] = rng.random() < expit(slope * (ability[k] - grade[k]))
        level += 0.5 if sent[k] else -0.5
    return {"climber": who, "grade": grade, "sent": sent, "time": when}, ability


@pytest.mark.slow
def test_a_simulation_is_covered():
    inside, z = 0, []
    for seed in range(4):
        tries, ability = simulated(seed)
        scale = grade_scale(tries, time_unit=1, rng=seed)
        low, high = scale.slope_interval(0.99)
        inside += low < 0.85 < high
        frame = scale.to_frame()
        place = {key: k for k, key in enumerate(zip(frame["climber"], frame["period"], strict=True))}
        nodes = np.array([place[key] for key in zip(tries["climber"], tries["time"], strict=True)])
        truth = np.zeros(len(place))
        truth[nodes] = ability
        z.append((scale.abilities - truth) / scale.ability_errors)
    assert inside >= 3
    assert 0.9 < np.mean(np.abs(np.concatenate(z)) < 1.96) < 0.98


def test_draws_go_on_and_threads_change_no_bit():
    tries, _ = simulated(1, climbers=10, tries=1500)
    whole = threads.equal_over_threads(
        lambda n: grade_scale(tries, time_unit=1, rng=2, n_draws=600, n_threads=n).slopes
    )
    half = grade_scale(tries, time_unit=1, rng=2, n_draws=300)
    both = half.sample(300)
    np.testing.assert_array_equal(both.slopes, whole)
    one = grade_scale(tries, time_unit=1, rng=2, n_draws=600)
    np.testing.assert_allclose(both.abilities, one.abilities, rtol=1e-12)
    np.testing.assert_allclose(both.ability_errors, one.ability_errors, rtol=1e-9)


def test_names_and_order_do_not_matter_and_calendars_are_known():
    tries, _ = simulated(3, climbers=4, tries=800)
    plain = grade_scale(tries, time_unit=1, rng=2, n_draws=1000)
    turn = np.random.default_rng(0).permutation(800)
    mixed = {name: np.asarray(column)[turn] for name, column in tries.items()}
    mixed["climber"] = np.array(["a", "b", "c", "d"])[mixed["climber"]]
    np.testing.assert_array_equal(grade_scale(mixed, time_unit=1, rng=2, n_draws=1000).slopes, plain.slopes)
    yearly = grade_scale(TRIES, time_unit="year", rng=1)
    assert yearly.node_periods.tolist() == [2020]
    weekly = grade_scale(TRIES, time_unit="week", rng=1)
    assert np.diff(weekly.node_periods).tolist() == [2, 11]


def test_few_draws_are_not_trusted():
    with pytest.warns(steelyard.ConvergenceWarning, match="effective sample"):
        grade_scale(TRIES, n_draws=20, rng=1)


def without(name):
    return {key: value for key, value in TRIES.items() if key != name}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: grade_scale(without("grade")), ValueError, "no column 'grade'"),
        (lambda: grade_scale({**TRIES, "grade": [np.nan] * 9}), ValueError, "grade"),
        (
            lambda: grade_scale({**TRIES, "sent": ["maybe"] * 9}),
            ValueError,
            "column 'sent' must hold booleans",
        ),
        (lambda: grade_scale({**TRIES, "time": [np.inf] * 9}), ValueError, "time has"),
        (lambda: grade_scale({**TRIES, "time": range(9)}), ValueError, "needs dates"),
        (lambda: grade_scale({**TRIES, "time": [1]}), ValueError, "equal length"),
        (
            lambda: grade_scale({name: [] for name in TRIES}),
            (ValueError, TypeError),
            "no rows|dtype|must hold",
        ),
        (lambda: grade_scale(TRIES, first=18), ValueError, "first must be a pair"),
        (lambda: grade_scale(TRIES, first=(18, 0)), ValueError, r"first\[1\] must be positive"),
        (lambda: grade_scale(TRIES, slope_prior=(0, -1)), ValueError, r"slope_prior\[1\] must be"),
        (lambda: grade_scale(TRIES, volatility=0), ValueError, "volatility must be positive"),
        (lambda: grade_scale(TRIES, volatility=1e-9), ValueError, "volatility 1e-09 .* is too small"),
        (lambda: grade_scale(TRIES, volatility=1e-200), ValueError, "volatility 1e-200 .* is too small"),
        (lambda: grade_scale(TRIES, time_unit="aeon"), ValueError, "time_unit must be one of"),
        (lambda: grade_scale(TRIES, n_chains=1), ValueError, "n_chains must be at least 2"),
        (lambda: grade_scale(7), TypeError, "data frame|mapping|narwhals|frame"),
        (lambda: grade_scale(TRIES, rng=1).ability("ben"), KeyError, "no climber 'ben' among the 1 climbers"),
    ],
)
def test_wrong_arguments_are_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()


def endless_draws(n_warmup):
    return grade_scale(TRIES, n_draws=1_000_000, n_warmup=n_warmup, rng=1)


@pytest.mark.filterwarnings("ignore::steelyard.ConvergenceWarning")
@pytest.mark.parametrize("n_warmup", [50, 100_000_000])
def test_ctrl_c_leaves_what_can_go_on(ctrl_c, n_warmup):
    found = ctrl_c(endless_draws, n_warmup, after=0.5, within="rank._sample_grades")
    assert found.raised
    before = found.partial.slopes
    assert (before.size > 0) == (n_warmup == 50)
    assert ("no draws yet" in repr(found.partial)) == (before.size == 0)
    if before.size:
        more = found.partial.sample(20)
        np.testing.assert_array_equal(more.slopes[:, :-20], before)
    else:  # warms up again
        again = replace(found.partial, _problem={**found.partial._problem, "warmup": 20}).sample(10)
        fresh = grade_scale(TRIES, n_draws=10, n_warmup=20, rng=1)
        np.testing.assert_array_equal(again.slopes, fresh.slopes)
