"""One rule for times: what is read as a date, what stays a number, what is refused."""

from __future__ import annotations

import datetime

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rank import Comparisons, whole_history

DAYS = st.dates(datetime.date(1800, 1, 1), datetime.date(2100, 12, 31))


def relation_of(frame):
    """By way of objects: an old DuckDB does not know the strings of a new pandas."""
    text = {name: object for name, kind in frame.dtypes.items() if str(kind) in ("str", "string")}
    return duckdb.from_df(frame.astype(text))


def times(values, **options):
    n = len(values)
    return Comparisons.from_pairs(["a"] * n, ["b"] * n, time=values, **options).time


def read(values, **options):
    return sorted(times(values, **options).astype(str).tolist())


@pytest.mark.parametrize(
    ("values", "days"),
    [
        (["2014-08-16", "2014-08-17T23:59:59+02:00"], ["2014-08-16", "2014-08-17"]),
        (["2014/8/1", "2014.08.16", "2014-08-17 9:30"], ["2014-08-01", "2014-08-16", "2014-08-17"]),
        (["2014-08", "2015-01-02"], ["2014-08-01", "2015-01-02"]),
        (["20140816", "20140817"], ["2014-08-16", "2014-08-17"]),
        ([20140816, 20140817], ["2014-08-16", "2014-08-17"]),
        (np.array([18000101.0, 21001231.0]), ["1800-01-01", "2100-12-31"]),
        (["16/08/2014", "1/9/2014"], ["2014-08-16", "2014-09-01"]),
        (["8/16/2014", "9/1/2014"], ["2014-08-16", "2014-09-01"]),
        (["16.8.2014", "05.05.2015 18:00"], ["2014-08-16", "2015-05-05"]),
        (["5/5/2014", "6/6/2014"], ["2014-05-05", "2014-06-06"]),
    ],
)
def test_what_names_a_day_in_one_way_is_a_day(values, days):
    assert read(values) == days


@pytest.mark.parametrize(
    "values",
    [
        [1, 2, 3],
        ["1", "2", "3"],
        [1999, 2004],
        ["1999", "2004"],
        [140816, 140817],
        ["140816"],
        [20140816, 20140832],
        ["20140816", "99999999"],
        [17991231, 20140816],
        [20140816, 20140816.5],
        ["1.7e9", "-3"],
    ],
)
def test_other_numbers_stay_numbers(values):
    found = times(values)
    assert found.dtype == np.float64
    assert sorted(found.tolist()) == sorted(map(float, values))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (
            ["2014-08-16", "16/08/14"],
            r"year of two digits, such as '16/08/14' in row 1: .*date_format='%d/%m/%y'",
        ),
        (["16-08-14"], r"two digits.*date_format='%d-%m-%y' or date_format='%m-%d-%y'"),
        (["99/01/02"], "two digits"),
        (["1/8/2014", "2/8/2014"], r"day or the month first, such as '1/8/2014' in row 0: .*'%d/%m/%Y'"),
        (
            ["16/8/2014", "8/16/2014"],
            r"day first, '16/8/2014' in row 0, and with the month first, '8/16/2014'",
        ),
        (["16/8/2014", "16.8.2014"], r"different forms, '16/8/2014' in row 0 and '16.8.2014' in row 1"),
        (["2014-08-16", "16/8/2014"], "different forms"),
        (["2014-02-30"], r"'2014-02-30' in row 0, which is no day of the calendar"),
        (["31/02/2014"], "no day of the calendar"),
        (["2014-08-16", "soon"], r"got 'soon' in row 1 \(other forms: date_format='%d %b %Y'\)"),
        (["2014-08-16 noon"], "got '2014-08-16 noon'"),
        ([datetime.date(2014, 8, 16), 3], "got 3 in row 1"),
        ([datetime.date(2014, 8, 16), "3"], "mixes dates and numbers"),
        (["2014-08-16", ""], "time has 1 missing dates .first: row 1"),
    ],
)
def test_what_can_be_misread_is_refused_with_the_way_out(values, says):
    with pytest.raises(ValueError, match=says):
        times(values)


def test_a_format_settles_what_is_refused():
    assert read(["16/08/14", "01/02/99"], date_format="%d/%m/%y") == ["1999-02-01", "2014-08-16"]
    mixed = ["16/08/14", "16/08/2015"]
    assert read(mixed, date_format=["%d/%m/%y", "%d/%m/%Y"]) == ["2014-08-16", "2015-08-16"]
    assert read([140816, 140817], date_format="%y%m%d") == ["2014-08-16", "2014-08-17"]
    with pytest.raises(
        ValueError, match=r"'8/16/14' in row 1, which is not of the form date_format='%d/%m/%y'"
    ):
        times(["16/08/14", "8/16/14"], date_format="%d/%m/%y")
    for wrong in ("", [], "day first", [3]):
        with pytest.raises(ValueError, match="date_format must be a format"):
            times(["2014-08-16"], date_format=wrong)


@given(
    st.lists(DAYS, min_size=1, max_size=6),
    st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y", "%m/%d/%Y"]),
)
def test_a_date_is_never_read_as_another_day(days, form):
    values = [day.strftime(form) for day in days]
    try:
        found = times(values)
    except ValueError as error:
        assert "day or the month first" in str(error)  # noqa: PT017
        assert form in ("%d.%m.%Y", "%m/%d/%Y")
    else:
        assert found.astype(str).tolist() == sorted({str(day) for day in days})


@pytest.mark.parametrize(
    "values", [["16/08/2014", "1/9/2014"], ["20140816", "20140817"], [20140816, 20140817], [1, 2]]
)
def test_frames_and_relations_follow_the_same_rule(values):
    frame = pd.DataFrame({"left": ["a", "b"], "right": ["b", "a"], "winner": ["a", "b"], "day": values})
    columns = {"left": "left", "right": "right", "outcome": "winner", "time": "day"}
    expected = times(values)
    for data in (frame, relation_of(frame)):
        np.testing.assert_array_equal(Comparisons.from_frame(data, **columns).time, expected)
    short = frame.assign(day=["16/08/14", "17/08/14"])
    for data in (short, relation_of(short)):
        assert Comparisons.from_frame(data, **columns, date_format="%d/%m/%y").time.astype(str).tolist() == [
            "2014-08-16",
            "2014-08-17",
        ]
        with pytest.raises(ValueError, match="two digits, such as '16/08/14' in row 0"):
            Comparisons.from_frame(data, **columns)


def test_a_history_of_numbers_is_asked_by_numbers_of_any_length():
    table = Comparisons.from_pairs(["a", "b", "a"], ["b", "a", "b"], time=[20140800, 20140816, 20140899])
    fit = whole_history(table, volatility=0.1)
    assert np.isfinite(fit.strength("a", 20140816).mean)


def test_periods_are_bounded_by_dates_of_eight_digits_too():
    table = Comparisons.from_pairs(["a"] * 3, ["b"] * 3, time=["20140816", "20140817", "20150101"])
    for since in ("20140817", 20140817, "2014-08-17", datetime.date(2014, 8, 17)):
        assert table.filter(since=since).n_comparisons == 2
    assert table.filter(until="2014-08").n_comparisons == 2
    for wrong in ("20140832", "16/08/14", 5):
        with pytest.raises(ValueError, match="since must be a date"):
            table.filter(since=wrong)


def test_rows_of_a_relation_are_named_by_their_place():
    rows = [("a", "b", "left", 1.0, 1), ("b", "a", "left", 2.0, 1), ("a", "b", "x", 1.0, 1)]
    frame = pd.DataFrame(rows, columns=["left", "right", "who", "w", "n"])
    columns = {"left": "left", "right": "right", "outcome": "who"}
    with pytest.raises(ValueError, match=r"'x' in column 'who' \(row 2\)"):
        Comparisons.from_frame(relation_of(frame), **columns)
    for change, says in (
        ({"w": [1.0, -2.0, 1.0]}, "column 'w' must be zero or positive, got -2.0 in row 1"),
        ({"w": [1.0, 1.0, None]}, r"column 'w' has missing entries \(first: row 2\)"),
        ({"w": ["1", "x", "2"]}, "column 'w' must hold numbers, got 'x' in row 1"),
        (
            {"left": ["a", "b", "b"], "right": ["b", "a", "b"]},
            r"1 rows .*\(first: row 2, b in column",
        ),
    ):
        with pytest.raises(ValueError, match=says):
            Comparisons.from_frame(
                relation_of(frame.assign(who="left", **change)), **columns, weight="w", count="n"
            )
