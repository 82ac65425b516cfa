"""from_pairs, sums and parts of Comparisons, against counting in a dictionary."""

import datetime
import pickle
from collections import defaultdict

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import _core
from steelyard.rank import Comparisons
from support import hostile, interrupt

COLUMNS = ("items", "left", "right", "left_wins", "right_wins", "ties", "left_squared", "right_squared")
COLUMNS += ("ties_squared", "home", "cluster", "cluster_labels", "time", "covariates")


def assert_same(a, b):
    for name in COLUMNS:
        x, y = getattr(a, name), getattr(b, name)
        assert (x is None) == (y is None), name
        if x is not None:
            assert x.dtype.kind == y.dtype.kind, name
            np.testing.assert_array_equal(x, y, err_msg=name)
    assert a.covariate_names == b.covariate_names


def naive_count(rows):
    """{(left, right, home, cluster, time, covariate): [wins, losses, ties, squares]}, turned by label."""
    table = defaultdict(lambda: np.zeros(6))
    for row in rows:
        a, b, home, x = row["first"], row["second"], row["home"], row["x"]
        won = 2 if row["tie"] else 0
        if a > b:
            a, b, home, x, won = b, a, -home, -x, 2 if row["tie"] else 1
        cell = table[a, b, home, row["cluster"], row["time"], x + 0.0]
        cell[won] += row["count"] * row["weight"]
        cell[3 + won] += row["count"] * row["weight"] ** 2
    return {key: cell for key, cell in table.items() if cell.any()}


def row_strategy(labels):
    return st.fixed_dictionaries(
        {
            "pair": st.permutations(labels).map(lambda p: p[:2]),
            "tie": st.booleans(),
            "weight": st.sampled_from([0.0, 0.5, 1.0, 2.0]),
            "count": st.sampled_from([0.0, 1.0, 3.0]),
            "home": st.sampled_from([-1, 0, 1]),
            "cluster": st.sampled_from(["u", "v", "w"]),
            "time": st.sampled_from([-2.5, 0.0, 1.0, 7.0]),
            "x": st.sampled_from([-1.0, 0.0, 1.5]),
        }
    ).map(lambda row: {**row, "first": row["pair"][0], "second": row["pair"][1]})


def column(rows, name):
    return [row[name] for row in rows]


def count_rows(rows, names=("weight", "count", "home", "cluster", "time"), covariates=True):
    extra = {name: column(rows, name) for name in names}
    if covariates:
        extra["covariates"] = {"x": column(rows, "x")}
    return Comparisons.from_pairs(
        column(rows, "first"), column(rows, "second"), tie=column(rows, "tie"), **extra
    )


def some_happened(rows):
    return any(row["weight"] * row["count"] > 0 for row in rows)


label_sets = st.sampled_from([[3, 1, 2, -7], ["b", "a", "d", "c"], [(1, "x"), (0, "y"), (0, "z")]])


@given(label_sets.flatmap(lambda labels: st.lists(row_strategy(labels), min_size=1).filter(some_happened)))
def test_grouped_rows_are_those_of_a_dictionary(rows):
    table = count_rows(rows)
    expected = naive_count(rows)
    assert len(table) == len(expected)
    columns = table.to_frame()
    zeros = np.zeros(len(table))
    for k in range(len(table)):
        key = (columns["left"].tolist()[k], columns["right"].tolist()[k])
        key += (table.home[k], columns["cluster"][k], table.time[k], table.covariates[k, 0])
        counts = [table.left_wins, table.right_wins, zeros if table.ties is None else table.ties]
        if table.left_squared is None:
            squares = counts
        else:
            ties_squared = zeros if table.ties_squared is None else table.ties_squared
            squares = [table.left_squared, table.right_squared, ties_squared]
        np.testing.assert_array_equal([c[k] for c in counts + squares], expected[key])


@given(label_sets.flatmap(lambda labels: st.lists(row_strategy(labels), min_size=1).filter(some_happened)))
def test_rows_are_sorted_and_distinct_with_left_below_right(rows):
    table = count_rows(rows)
    keys = list(
        zip(
            table.left,
            table.right,
            table.home,
            table.cluster,
            table.time,
            table.covariates[:, 0],
            strict=True,
        )
    )
    assert keys == sorted(set(keys))
    assert (table.left < table.right).all()


@given(
    st.lists(row_strategy([4, 1, 9, 2]), min_size=2),
    st.integers(0, 2**5 - 1),
    st.booleans(),
    st.data(),
)
def test_shards_add_up_to_the_whole(rows, which, covariates, data):
    names = [n for k, n in enumerate(("weight", "count", "home", "cluster", "time")) if which >> k & 1]
    cut = data.draw(st.integers(1, len(rows) - 1))
    for row in rows:
        row["weight"] = row["weight"] or 1.0
        row["count"] = row["count"] or 2.0
    whole = count_rows(rows, names, covariates)
    parts = count_rows(rows[:cut], names, covariates) + count_rows(rows[cut:], names, covariates)
    assert_same(whole, parts)


@given(st.lists(row_strategy(["b", "a", "d", "c"]), min_size=1).filter(some_happened), st.randoms())
def test_order_and_direction_of_rows_change_nothing(rows, random):
    shuffled = [
        {**row, "first": row["second"], "second": row["first"], "home": -row["home"], "x": -row["x"]}
        if row["tie"]
        else row
        for row in random.sample(rows, len(rows))
    ]
    assert_same(count_rows(rows), count_rows(shuffled))


@pytest.mark.parametrize("n_items", [2, 3, 17, 1000])
@pytest.mark.parametrize("home", [False, True])
def test_direct_and_sorted_counting_agree(n_items, home):
    rng = np.random.default_rng(n_items)
    a = rng.integers(0, n_items, 5000)
    b = (a + rng.integers(1, n_items, 5000)) % n_items
    options = {"tie": rng.random(5000) < 0.3, "items": np.arange(n_items)}
    if home:
        options["home"] = rng.integers(-1, 2, 5000)
    direct = Comparisons.from_pairs(a, b, **options)
    by_sorting = Comparisons.from_pairs(a, b, count=np.ones(5000), **options)
    assert_same(direct, by_sorting)


def test_absent_columns_are_none():
    table = Comparisons.from_pairs([0, 1], [1, 2])
    absent = (
        "ties",
        "left_squared",
        "ties_squared",
        "home",
        "cluster",
        "cluster_labels",
        "time",
        "covariates",
    )
    assert all(getattr(table, name) is None for name in absent)
    assert not table.has_ties
    assert table.covariate_names == ()


def test_a_column_of_false_ties_is_absent():
    assert Comparisons.from_pairs([0, 1], [1, 2], tie=[False, False]).ties is None


def test_weights_of_one_leave_no_squares():
    assert Comparisons.from_pairs([0, 1], [1, 2], weight=[1, 1]).left_squared is None


def test_squares_are_sums_of_count_times_squared_weight():
    table = Comparisons.from_pairs([0, 0, 1], [1, 1, 0], weight=[2.0, 3.0, 0.5], count=[1, 2, 4])
    assert table.left_wins.tolist() == [8.0]
    assert table.left_squared.tolist() == [22.0]
    assert table.right_squared.tolist() == [1.0]
    assert table.n_comparisons == 10.0


def test_rows_that_never_happened_leave_their_items():
    table = Comparisons.from_pairs([0, 1], [1, 2], count=[1, 0])
    assert table.items.tolist() == [0, 1, 2]
    assert len(table) == 1


def test_a_turned_row_swaps_wins_and_negates_home_and_covariates():
    table = Comparisons.from_pairs(["z"], ["a"], home=[1], covariates=[[2.0, -0.0]])
    assert table.to_frame()["left"].tolist() == ["a"]
    assert (table.left_wins[0], table.right_wins[0], table.home[0]) == (0.0, 1.0, -1)
    np.testing.assert_array_equal(table.covariates, [[-2.0, 0.0]])
    assert not np.signbit(table.covariates[0, 1])
    assert table.covariate_names == ("x0", "x1")


def test_one_number_stands_for_a_whole_column():
    table = Comparisons.from_pairs([0, 1], [1, 0], home=1, weight=2.0, count=3)
    assert table.home.tolist() == [-1, 1]
    assert table.right_wins.tolist() == [6.0, 0.0]


LABELS = {
    "int8": (np.array([3, 1], dtype=np.int8), np.array([1, 2], dtype=np.int8)),
    "uint64": (np.array([2**63 + 5, 1], dtype=np.uint64), np.array([1, 2], dtype=np.uint64)),
    "big range": (np.array([-(2**62), 2**62]), np.array([0, 5])),
    "float": ([0.5, 2.0], [2.0, 3.0]),
    "bool": ([True, False], [False, True]),
    "str": (["b", "a"], ["a", "ä"]),
    "bytes": ([b"b", b"a"], [b"a", b"c"]),
    "string dtype": (np.array(["b", "a"], dtype=np.dtypes.StringDType()), ["a", "c"]),
    "tuple": ([("b", 1), ("a", 2)], [("a", 2), ("c", 0)]),
    "date": (
        np.array(["2020-01-01", "2021-01-01"], dtype="M8[D]"),
        np.array(["2021-01-01", "2022-01-01"], dtype="M8[D]"),
    ),
    "int and float": ([1, 2], [1.5, 2.5]),
    "pandas str": (pd.Series(["b", "a"]), pd.Series(["a", "c"])),
    "pandas categorical": (pd.Series(["b", "a"], dtype="category"), pd.Series(["a", "c"], dtype="category")),
    "pandas Int64": (pd.Series([3, 1], dtype="Int64"), pd.Series([1, 2], dtype="Int64")),
    "polars": (pl.Series(["b", "a"]), pl.Series(["a", "c"])),
    "polars int": (pl.Series([3, 1]), pl.Series([1, 2])),
    "pyarrow": (pa.array(["b", "a"]), pa.array(["a", "c"])),
    "pyarrow chunked": (pa.chunked_array([["b"], ["a"]]), pa.chunked_array([["a", "c"]])),
    "trailing nul": (["a\0", "b"], ["a", "a"]),
    "big endian": (np.array([3, 1], dtype=">i8"), np.array([1, 2], dtype=">i8")),
    "strided": (np.arange(8)[::4], np.arange(8)[7::-4][:2]),
}


def listed(values):
    """As Python objects."""
    return [
        tuple(x) if isinstance(x, list) else x
        for x in (values.to_pylist() if hasattr(values, "to_pylist") else list(values))
    ]


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_any_kind_are_sorted_and_found(kind):
    winner, loser = LABELS[kind]
    table = Comparisons.from_pairs(winner, loser)
    expected = sorted({*listed(winner), *listed(loser)})
    assert list(table.items) == expected
    for k, label in enumerate(expected):
        assert table.index(label) == k
    games = {frozenset(pair) for pair in zip(listed(winner), listed(loser), strict=True)}
    assert {
        frozenset(pair) for pair in zip(table.items[table.left], table.items[table.right], strict=True)
    } == games


def test_items_fix_the_order_and_may_hold_more():
    table = Comparisons.from_pairs(["a", "b"], ["b", "c"], items=["c", "q", "b", "a"])
    assert table.items.tolist() == ["c", "q", "b", "a"]
    assert table.left.tolist() == [0, 2]
    assert table.right.tolist() == [2, 3]
    assert table.right_wins.tolist() == [1.0, 1.0]


def test_index_names_an_unknown_label():
    with pytest.raises(KeyError, match="'nobody' among the 2 items"):
        Comparisons.from_pairs(["a"], ["b"]).index("nobody")
    with pytest.raises(KeyError):
        Comparisons.from_pairs(["a"], ["b"]).index(["a"])


GOOD = {"winner": [0, 1, 2], "loser": [1, 2, 0]}
nan = float("nan")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"loser": [1, 2]}, ValueError, "winner and loser must have equal length, got 3 and 2"),
        ({"winner": [], "loser": []}, ValueError, "winner is empty"),
        ({"winner": [[0, 1, 2]]}, ValueError, r"winner must be 1-dimensional, got shape \(1, 3\)"),
        ({"winner": [0, 1, nan]}, ValueError, "winner has 1 missing or infinite labels .first: row 2"),
        (
            {"winner": ["a", None, "b"], "loser": ["b", "a", "c"]},
            ValueError,
            "winner has missing labels .first: row 1",
        ),
        ({"winner": ["a", "b", "c"], "loser": ["b", nan, "a"]}, ValueError, "loser"),
        (
            {"winner": pd.Series([1, None, 2], dtype="Int64")},
            ValueError,
            "winner has .*missing.* labels .first: row 1",
        ),
        (
            {"winner": pd.Series(["a", None, "b"]), "loser": ["b", "a", "c"]},
            ValueError,
            "winner has missing labels",
        ),
        ({"winner": np.ma.array([0, 1, 2], mask=[0, 1, 0])}, ValueError, "winner has masked entries"),
        (
            {"winner": ["a", 1, "b"], "loser": ["b", "a", "c"]},
            TypeError,
            "mix labels that can't be sorted .int, str",
        ),
        ({"winner": ["a", "b", "c"]}, TypeError, "can't be sorted .int, str"),
        ({"winner": [0, 1, 1j]}, TypeError, "winner must hold labels"),
        ({"winner": [[1], [2], [3, 4]]}, ValueError, "winner is ragged"),
        (
            {"winner": [0, 1, 2], "loser": [1, 1, 0]},
            ValueError,
            r"1 rows compare an item with itself .first: row 1, 1",
        ),
        ({"winner": [7, 7, 7], "loser": [7, 7, 7]}, ValueError, "a single item, 7"),
        ({"tie": [0, 1, 0]}, TypeError, "tie must hold booleans"),
        ({"tie": [True]}, ValueError, r"tie must have shape \(3,\)"),
        ({"weight": [1, -1, 1]}, ValueError, "weight must be zero or positive, got -1.0 in row 1"),
        ({"weight": [1, nan, 1]}, ValueError, "weight has 1 entries that are NaN or infinite .first: row 1"),
        ({"weight": ["1", "2", "3"]}, TypeError, "weight must hold real numbers"),
        ({"weight": [1, 2]}, ValueError, "weight must have length 3, got 2"),
        ({"weight": 0.0}, ValueError, "all weights or counts are zero"),
        ({"count": [1, float("inf"), 1]}, ValueError, "count has 1 entries"),
        ({"home": [1, 2, 0]}, ValueError, "home must be -1, 0 or 1, got 2 in row 1"),
        ({"home": [1, nan, 0]}, ValueError, "home must be -1, 0 or 1, got nan in row 1"),
        ({"home": ["a", "b", "c"]}, TypeError, "home must hold -1, 0 or 1"),
        ({"home": [1]}, ValueError, r"home must have shape \(3,\)"),
        ({"cluster": ["a", None, "b"]}, ValueError, "cluster has missing labels .first: row 1"),
        ({"cluster": [1, 2]}, ValueError, "cluster must have length 3"),
        ({"time": [1.0, nan, 2.0]}, ValueError, "time has 1 entries that are NaN"),
        (
            {"time": np.array(["2020-01-01", "NaT", "2020-01-01"], "M8[D]")},
            ValueError,
            "time has 1 missing dates",
        ),
        (
            {"time": ["2020-01-01", "soon", "2020-01-01"]},
            ValueError,
            "ISO dates such as .* got 'soon' in row 1",
        ),
        ({"time": [1j, 2j, 3j]}, TypeError, "time must hold numbers or dates"),
        ({"time": [1.0]}, ValueError, r"time must have shape \(3,\)"),
        (
            {"covariates": [1.0, 2.0, 3.0]},
            ValueError,
            r"covariates must have shape \(3, number of covariates\)",
        ),
        ({"covariates": [[1.0], [nan], [2.0]]}, ValueError, "covariates has 1 rows .*first: row 1"),
        ({"covariates": [["a"], ["b"], ["c"]]}, TypeError, "covariates must hold real numbers"),
        ({"covariates": {"length": [1.0, 2.0]}}, ValueError, r"covariates\['length'\] must have length 3"),
        ({"covariates": {}}, ValueError, "covariates must name at least one column"),
        ({"items": [0, 1]}, ValueError, "winner holds 2 .row 2., which is not in items"),
        ({"items": [0, 1, 2, 1]}, ValueError, "items must be unique, got 1 more than once"),
        ({"items": [0, 1, nan]}, ValueError, "items has 1 missing"),
    ],
)
def test_wrong_input_is_refused_by_name(options, error, message):
    with pytest.raises(error, match=message):
        Comparisons.from_pairs(**{**GOOD, **options})


def test_inputs_are_not_altered_and_outputs_are_read_only():
    winner, loser, items = np.array([2, 0]), np.array([0, 1]), np.array([2, 1, 0])
    table = Comparisons.from_pairs(winner, loser, items=items)
    assert winner.flags.writeable
    assert items.flags.writeable
    items[0] = 99
    assert table.items.tolist() == [2, 1, 0]
    for name in ("items", "left", "right", "left_wins"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(table, name)[0] = 0
    with pytest.raises(AttributeError):
        table.left = None


TIMES = [
    np.array(["2020-02-29", "1869-01-01"], dtype="M8[D]"),
    np.array(["2020-02-29T23:59", "1869-01-01T01:00"], dtype="M8[s]"),
    [datetime.date(2020, 2, 29), datetime.date(1869, 1, 1)],
    [datetime.datetime(2020, 2, 29, 23, 59, tzinfo=datetime.UTC), datetime.date(1869, 1, 1)],
    ["2020-02-29", "1869-01-01"],
    ["2020-02-29T20:00:00", "1869-01-01"],
    pd.Series(pd.to_datetime(["2020-02-29", "1869-01-01"])),
    pl.Series(["2020-02-29", "1869-01-01"]).str.to_date(),
    pa.array([datetime.date(2020, 2, 29), datetime.date(1869, 1, 1)]),
]


@pytest.mark.parametrize("time", TIMES, ids=range(len(TIMES)))
def test_dates_of_any_kind_are_days(time):
    table = Comparisons.from_pairs([0, 0], [1, 1], time=time)
    assert table.time.dtype == "M8[D]"
    assert table.time.astype(str).tolist() == ["1869-01-01", "2020-02-29"]


def test_negative_times_sort_below_positive_ones():
    table = Comparisons.from_pairs([0] * 4, [1] * 4, time=[3.0, -1.5, -0.0, 0.0])
    assert table.time.tolist() == [-1.5, 0.0, 3.0]
    assert table.left_wins.tolist() == [1.0, 2.0, 1.0]


# ---- sums


def test_items_of_both_tables_are_matched_by_label():
    a = Comparisons.from_pairs(["b"], ["c"], cluster=["v"])
    b = Comparisons.from_pairs(["c"], ["a"], cluster=["u"])
    total = a + b
    assert total.items.tolist() == ["a", "b", "c"]
    assert total.cluster_labels.tolist() == ["u", "v"]
    assert total.to_frame()["cluster"].tolist() == ["u", "v"]
    assert total.right_wins.tolist() == [1.0, 0.0]


def test_a_given_order_of_items_is_kept_and_new_ones_follow():
    a = Comparisons.from_pairs(["a"], ["b"], items=["b", "a"], home=[1])
    b = Comparisons.from_pairs(["a", "a"], ["b", "c"], home=[1, 0])
    total = a + b
    assert total.items.tolist() == ["b", "a", "c"]
    assert total.right_wins.tolist() == [2.0, 0.0]
    assert total.home.tolist() == [-1, 0]


def test_weighted_and_unweighted_tables_add_up():
    a = Comparisons.from_pairs([0, 1], [1, 0], tie=[False, True])
    b = Comparisons.from_pairs([0], [1], weight=[0.5])
    for total in (a + b, b + a):
        assert total.left_wins.tolist() == [1.5]
        assert total.left_squared.tolist() == [1.25]
        assert total.ties_squared.tolist() == [1.0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"home": [1]}, "the left one has home, the right one has not"),
        ({"cluster": [1]}, "has cluster"),
        ({"time": [1]}, "has time"),
        ({"covariates": [[1.0]]}, "has covariates"),
    ],
)
def test_tables_with_different_columns_are_not_added(options, message):
    with pytest.raises(ValueError, match=message):
        Comparisons.from_pairs([0], [1], **options) + Comparisons.from_pairs([0], [1])


def test_tables_with_columns_of_different_kinds_are_not_added():
    dated = Comparisons.from_pairs([0], [1], time=["2020-01-01"])
    numbered = Comparisons.from_pairs([0], [1], time=[1.0])
    with pytest.raises(ValueError, match="times of one kind"):
        dated + numbered
    with pytest.raises(ValueError, match="same covariates"):
        Comparisons.from_pairs([0], [1], covariates={"x": [1.0]}) + Comparisons.from_pairs(
            [0], [1], covariates={"y": [1.0]}
        )
    with pytest.raises(TypeError, match="items of the left table"):
        numbered + Comparisons.from_pairs(["a"], ["b"], time=[1.0])
    with pytest.raises(TypeError):
        numbered + 1


# ---- parts


def season():
    return Comparisons.from_pairs(
        ["a", "a", "b", "d"],
        ["b", "c", "c", "a"],
        time=["2018-03-01", "2018-12-31", "2019-06-01", "2020-01-01"],
        cluster=["p", "q", "p", "r"],
        tie=[False, False, False, True],
    )


def test_since_and_until_are_included():
    part = season().filter(since="2018-12-31", until=datetime.date(2019, 6, 1))
    assert part.n_comparisons == 2
    assert part.items.tolist() == ["a", "b", "c"]
    assert part.cluster_labels.tolist() == ["p", "q"]
    assert part.ties is None


def test_a_year_or_month_covers_all_its_days():
    assert season().filter(since="2018", until="2018").n_comparisons == 2
    assert season().filter(until="2018-03").n_comparisons == 1


def test_min_games_counts_by_weight_and_once():
    part = season().filter(min_games=2)
    assert part.items.tolist() == ["a", "b", "c"]
    table = Comparisons.from_pairs([0, 1], [1, 2], weight=[0.5, 2.0])
    assert table.filter(min_games=2).items.tolist() == [1, 2]


def test_a_filter_drops_items_that_never_played_even_if_all_rows_stay():
    table = Comparisons.from_pairs([0], [1], items=[0, 1, 2], time=[5])
    assert table.filter(since=1).items.tolist() == [0, 1]


def test_a_filter_without_conditions_keeps_everything():
    table = season()
    assert table.filter() is table


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"since": "soon"}, "since must be a date such as"),
        ({"until": "NaT"}, "until must be a date"),
        ({"since": "2030"}, "no comparisons are left"),
        ({"min_games": 100}, "no comparisons are left"),
        ({"min_games": -1}, "min_games must be zero or positive"),
    ],
)
def test_wrong_filters_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        season().filter(**options)


def test_filter_by_time_needs_a_time_column():
    with pytest.raises(ValueError, match="need a time column"):
        Comparisons.from_pairs([0], [1]).filter(since=1)
    with pytest.raises(TypeError, match="since must be a number"):
        Comparisons.from_pairs([0], [1], time=[1]).filter(since="2018")


def test_a_subset_keeps_the_items_asked_for():
    part = season().subset(["d", "c", "a"])
    assert part.items.tolist() == ["a", "c", "d"]
    assert part.n_comparisons == 2
    with pytest.raises(KeyError, match="'z'"):
        season().subset(["a", "z"])
    with pytest.raises(ValueError, match="no comparisons are left"):
        season().subset(["b", "d"])


# ---- the rest


@pytest.mark.parametrize("home", [False, True])
def test_the_graph_merges_rows_of_a_pair(home):
    table = Comparisons.from_pairs(
        [0, 0, 1, 1], [1, 1, 0, 2], home=[1, 0, -1, 1], time=[1, 2, 3, 4], weight=[1, 2, 1, 1]
    )
    graph = table._pairs(home)
    assert graph is table._pairs(home)
    if home:
        assert graph.home.tolist() == [0, 1, 1]
        assert graph.wins.tolist() == [2, 1, 1]
        assert graph.losses.tolist() == [0, 1, 0]
    else:
        assert graph.home is None
        assert graph.wins.tolist() == [3, 1]
        assert graph.left_squared.tolist() == [5, 1]


def test_pickling_keeps_the_table():
    table = season()
    table._pairs(False)
    copy = pickle.loads(pickle.dumps(table))
    assert_same(table, copy)
    assert not copy.left.flags.writeable
    assert copy._pairs(False).items == 4


def test_the_repr_says_what_is_there():
    head = "Comparisons(4 items, 4 comparisons in 4 rows, 25.0 % ties, 3 clusters"
    assert repr(season()) == f"{head}, time 2018-03-01 to 2020-01-01)"
    table = Comparisons.from_pairs([0], [1], weight=[0.25], home=1, covariates={"length": [3.0]})
    assert (
        repr(table) == "Comparisons(2 items, 0.25 comparisons in 1 rows, weighted, home, covariates length)"
    )


def test_to_frame_makes_a_data_frame():
    frame = pd.DataFrame(season().to_frame())
    assert list(frame.columns) == ["left", "right", "left_wins", "right_wins", "ties", "cluster", "time"]
    assert frame["right"].tolist() == ["b", "c", "d", "c"]


@pytest.mark.parametrize("n_threads", ["1", "2", "4"])
def test_sums_do_not_depend_on_threads(monkeypatch, n_threads):
    rng = np.random.default_rng(0)
    a = rng.integers(0, 300, 20_000)
    b = (a + rng.integers(1, 300, 20_000)) % 300
    weight = rng.random(20_000)
    monkeypatch.setenv("STEELYARD_NUM_THREADS", "1")
    serial = Comparisons.from_pairs(a, b, weight=weight)
    monkeypatch.setenv("STEELYARD_NUM_THREADS", n_threads)
    assert_same(serial, Comparisons.from_pairs(a, b, weight=weight))


# ---- what every kernel promises


def numbers_of(values):
    """A function of one numeric column whose answer shows each of its entries."""
    columns = Comparisons.from_pairs(np.arange(12), np.arange(1, 13), **values)
    return np.column_stack(
        [x for x in (columns.left_wins, columns.time, columns.covariates) if x is not None]
    )


@pytest.mark.parametrize("variant", hostile.params(hostile.VALID))
@pytest.mark.parametrize("name", ["weight", "count", "time"])
def test_any_layout_of_a_column_gives_the_same_answer(variant, name):
    hostile.check_same(lambda x: numbers_of({name: x}), np.arange(12.0), variant)


@pytest.mark.parametrize("variant", hostile.params(hostile.INVALID, without={"scalar"}))
@pytest.mark.parametrize("name", ["weight", "count"])
def test_nonsense_in_a_column_is_refused_by_name(variant, name):
    hostile.check_refused(lambda x: numbers_of({name: x}), np.arange(12.0), variant, name)


@pytest.mark.parametrize("variant", hostile.params(hostile.INVALID, without={"one-axis-more"}))
def test_nonsense_in_covariates_is_refused_by_name(variant):
    hostile.check_refused(lambda x: numbers_of({"covariates": x}), np.arange(12.0), variant, "covariates")


@pytest.mark.parametrize(
    "variant", hostile.params(hostile.INVALID, without={"object", "strings", "bytes", "dates"})
)
def test_nonsense_among_labels_is_refused_by_name(variant):
    hostile.check_refused(
        lambda x: Comparisons.from_pairs(x, np.arange(1, 13)), np.arange(12.0), variant, "winner"
    )


@pytest.mark.parametrize("spread", [1, 10**12], ids=["table", "hashing"])
@pytest.mark.parametrize("n", [*range(1, 10), 511, 512, 513, 5000])
def test_integer_labels_are_numbered_in_order(n, spread):
    rng = np.random.default_rng(n)
    values = rng.permutation(np.arange(-n, n, dtype=np.int64) * spread)
    labels, a, b = _core.rank._encode_integers(values[:n], values[n:])
    np.testing.assert_array_equal(labels, np.sort(values))
    np.testing.assert_array_equal(labels[a], values[:n])
    np.testing.assert_array_equal(labels[b], values[n:])
    again = _core.rank._encode_integers(np.repeat(values, 3), values)[0]
    np.testing.assert_array_equal(labels, again)


def count_forever(spread):
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 500_000, (2, 1_000_000))
    b[a == b] += 1
    while True:
        Comparisons.from_pairs(spread * a, spread * b).components()


@pytest.mark.parametrize("spread", [1, 10**12], ids=["table", "hashing"])
def test_ctrl_c_ends_the_counting(spread):
    found = interrupt.ctrl_c(count_forever, spread, after=0.4)
    assert found.raised
