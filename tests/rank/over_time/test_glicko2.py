"""Glicko-2 against Glickman's worked example, plain Python, the calendar and what users pass."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rank import glicko2
from steelyard.reference import sequential as reference
from support.examples import examples

C = 400 / np.log(10)


def games(seed, n=12, m=200):
    rng = np.random.default_rng(seed)
    first = rng.integers(0, n, m)
    second = (first + rng.integers(1, n, m)) % n
    return first, second, rng.random(m) < 0.2


def grown(deviation, volatility, periods):
    """A deviation after some periods of rest, Glickman's step 6 each."""
    for _ in range(periods):
        deviation = C * np.hypot(deviation / C, volatility)
    return deviation


# Glickman's worked example: a player meets three opponents who, in this period, meet nobody else.
EXAMPLE = {"a": (1400, 30), "b": (1550, 100), "c": (1700, 300), "p": (1500, 200)}


@pytest.mark.parametrize("period", [None, [5, 5, 5], np.array(["2024-03"] * 3, "datetime64[M]")])
def test_glickmans_example(period):
    found = glicko2(["p", "b", "c"], ["a", "p", "p"], initial=EXAMPLE, period=period)
    assert found.items.tolist() == list(EXAMPLE)
    assert found.ratings[3] == pytest.approx(1464.06, abs=0.02)
    assert found.deviations[3] == pytest.approx(151.52, abs=0.01)
    assert found.volatilities[3] == pytest.approx(0.05999, abs=1e-5)
    plain = reference.glicko2((1500, 200, 0.06), [(1400, 30, 1), (1550, 100, 0), (1700, 300, 0)])
    np.testing.assert_allclose(
        [found.ratings[3], found.deviations[3], found.volatilities[3]], plain, rtol=1e-7
    )


def test_a_player_who_rests_keeps_all_but_the_deviation():
    # Step 6 of the example's author: phi' = sqrt(phi^2 + sigma^2).
    found = glicko2(["a", "a"], ["b", "b"], initial={**EXAMPLE, "p": (1500, 200, 0.07)}, period=[1, 2])
    at = found.items.tolist().index("p")
    assert (found.ratings[at], found.volatilities[at]) == (1500, 0.07)
    assert found.deviations[at] == pytest.approx(grown(200, 0.07, 2), rel=1e-12)


@examples(20)
@given(st.lists(st.integers(0, 30), min_size=2, max_size=6, unique=True).map(sorted), st.integers(0, 10**6))
def test_periods_without_games_are_those_of_a_dummy_pair_that_plays_in_each(when, seed):
    first, second, tie = games(seed, n=4, m=len(when))
    found = glicko2(first, second, tie=tie, period=when, items=range(6))
    every = np.arange(when[0], when[-1] + 1)
    rows = np.concatenate([when, every])
    order = np.argsort(rows, kind="stable")
    sides = [np.r_[side, np.full(len(every), dummy)][order] for side, dummy in ((first, 4), (second, 5))]
    plain = glicko2(
        *sides, tie=np.r_[tie, np.ones(len(every), bool)][order], period=rows[order], items=range(6)
    )
    for name in ("ratings", "deviations", "volatilities"):
        np.testing.assert_allclose(getattr(found, name)[:4], getattr(plain, name)[:4], rtol=1e-12)
    assert found.n_periods == len(every)


WHEN = np.array(["2024-01-10", "2024-01-20", "2024-12-05"], "datetime64[D]")


@pytest.mark.parametrize(
    ("length", "periods"),
    # 2024-01-10 is a Wednesday: to 2024-12-05 it is 330 days, 47 weeks from Monday on.
    [("year", 1), ("month", 12), ("week", 48), ("day", 331), (None, 331), (10, 34), (330, 2), (331, 1)],
)
def test_periods_are_those_of_the_calendar_or_so_many_days_long(length, periods):
    found = glicko2(["a", "b", "a"], ["b", "c", "c"], period=WHEN, period_length=length)
    assert found.n_periods == periods


@pytest.mark.parametrize("unit", ["Y", "M", "W"])
def test_dates_of_a_coarse_unit_are_periods_of_it(unit):
    word = {"Y": "year", "M": "month", "W": "week"}[unit]
    dates = WHEN.astype(f"datetime64[{unit}]")
    found = glicko2(["a", "b", "a"], ["b", "c", "c"], period=dates)
    plain = glicko2(["a", "b", "a"], ["b", "c", "c"], period=dates, period_length=word)
    np.testing.assert_array_equal(found.deviations, plain.deviations)
    assert found.n_periods == plain.n_periods


def test_numbers_that_a_length_divides_only_up_to_rounding_are_in_their_own_period():
    tenths = np.arange(7) / 10
    found = glicko2([0] * 7, [1] * 7, period=tenths, period_length=0.1)
    plain = glicko2([0] * 7, [1] * 7, period=np.arange(7))
    np.testing.assert_array_equal(found.ratings, plain.ratings)
    assert found.n_periods == 7


def test_the_periods_between_two_calls_count():
    days = np.datetime64("2020-02-29") + np.array([0, 1, 40, 400])
    first, second = [0, 1, 2, 0], [1, 2, 3, 3]
    for length in ("month", "week", 7, 30.5):
        whole = glicko2(first, second, period=days, period_length=length)
        early = glicko2(first[:2], second[:2], period=days[:2], period_length=length)
        late = glicko2(first[2:], second[2:], period=days[2:], initial=early)
        np.testing.assert_allclose(late.deviations, whole.deviations, rtol=1e-12)
        assert early.n_periods + late.n_periods == whole.n_periods
        with pytest.raises(ValueError, match="period must begin after the last one of initial"):
            glicko2([0], [1], period=days[1:2], initial=early)
        with pytest.raises(ValueError, match="period_length must be that of initial"):
            glicko2([0], [1], period=days[3:], period_length="year", initial=early)
        with pytest.raises(TypeError, match="period must hold dates, as it did for initial"):
            glicko2([0], [1], period=[7000], initial=early)


def test_items_that_are_new_start_as_those_before_them():
    early = glicko2([0], [1], initial=1000)
    assert glicko2([2], [3], tie=[True], initial=early).ratings[2:] == pytest.approx(1000)
    board = glicko2(["new"], ["x"], tie=[True], initial={"ann": 900, "ben": (1100, 50)}, deviation=200)
    assert board.ratings == pytest.approx([900, 1100, 1000, 1000])
    assert board.deviations[0] == pytest.approx(200)
    assert board.deviations[1] == pytest.approx(grown(50, 0.06, 1))


@examples(20)
@given(st.integers(0, 10**6), st.floats(0.3, 1.2))
def test_a_period_is_that_of_the_reference(seed, tau):
    first, second, tie = games(seed, n=6, m=30)
    start = glicko2(first[:10], second[:10], tie=tie[:10], items=range(6))
    found = glicko2(first[10:], second[10:], tie=tie[10:], initial=start, tau=tau)
    score = np.where(tie, 0.5, 1.0)[10:]
    for item in set(first[10:].tolist() + second[10:].tolist()):
        met = [(b, s) for a, b, s in zip(first[10:], second[10:], score, strict=True) if a == item]
        met += [(a, 1 - s) for a, b, s in zip(first[10:], second[10:], score, strict=True) if b == item]
        opponents = [(start.ratings[j], start.deviations[j], s) for j, s in met]
        player = (start.ratings[item], start.deviations[item], start.volatilities[item])
        plain = reference.glicko2(player, opponents, tau)
        np.testing.assert_allclose(
            [found.ratings[item], found.deviations[item], found.volatilities[item]], plain, rtol=1e-7
        )


def test_rest_raises_the_deviation_up_to_the_first_one():
    rows = [0, 2, 2], [1, 3, 3]
    found = glicko2(*rows, period=[1, 2, 3])
    once = glicko2([0], [1])
    grown = np.sqrt((once.deviations[0] * np.log(10) / 400) ** 2 + 2 * once.volatilities[0] ** 2)
    assert found.deviations[0] == pytest.approx(grown * 400 / np.log(10))
    long = glicko2([0] + [2] * 9999, [1] + [3] * 9999, period=np.arange(10_000))
    assert long.deviations[0] == 350
    assert found.n_periods == 3


def test_periods_carry_over_to_the_next_call():
    first, second, tie = games(3, m=60)
    period = np.repeat([1, 2, 3, 4], 15)
    whole = glicko2(first, second, tie=tie, period=period, items=range(12))
    early = glicko2(first[:30], second[:30], tie=tie[:30], period=period[:30], items=range(12))
    late = glicko2(first[30:], second[30:], tie=tie[30:], period=period[30:], initial=early)
    np.testing.assert_allclose(late.ratings, whole.ratings, rtol=1e-12)
    np.testing.assert_allclose(late.deviations, whole.deviations, rtol=1e-12)
    dates = np.array("2020-01-01", "datetime64[D]") + period
    np.testing.assert_array_equal(
        glicko2(first, second, tie=tie, period=dates, items=range(12)).ratings, whole.ratings
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: glicko2([0], [1], tau=0), "tau must be positive"),
        (lambda: glicko2([0, 1], [1, 0], period=[2, 1]), "period must not fall"),
        (lambda: glicko2([0], [1], period=[[1]]), "period must have shape"),
        (lambda: glicko2([0], [1], period=[np.nan]), "period has 1 entries that are NaN"),
        (lambda: glicko2([0], [1], period_length=1), "period_length goes with period"),
        (lambda: glicko2([0], [1], period=[1], period_length="month"), "period_length='month' needs dates"),
        (
            lambda: glicko2([0], [1], period=[1], period_length="fortnight"),
            "period_length must be one of 'day'",
        ),
        (lambda: glicko2([0], [1], period=[1], period_length=0), "period_length must be positive"),
        (lambda: glicko2([0] * 2, [1] * 2, period=[0, 1e300], period_length=1e-3), "fewer than 2.53 periods"),
        (lambda: glicko2([0], [1], initial={}), "initial must name at least one item"),
        (lambda: glicko2([0], [1], initial={0: (1500, 0)}), "initial's deviation of 0 must be positive"),
        (lambda: glicko2([0], [1], initial={0: (1, 2, 3, 4)}), "up to 3 numbers .rating, deviation, volat"),
    ],
)
def test_wrong_arguments_are_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("tau", [1e-300, 1e-17, 1e-11, 1e-3, 1.0, 1e3, 1e200])
def test_volatility_is_found_for_any_tau(tau):
    found = glicko2([0, 0, 1], [1, 1, 0], tau=tau)
    assert np.isfinite(found.volatilities).all()
    if tau <= 1e-11:
        np.testing.assert_allclose(found.volatilities, glicko2([0], [1], tau=1e-9).volatilities, rtol=1e-12)
