"""Comparisons.from_frame: the same table from every kind of frame; outcomes understood or refused by name."""

import datetime
import warnings

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rank import Comparisons


def nullable(data):
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # of old pandas, at infinities
        return pd.DataFrame(data).convert_dtypes()


KINDS = {
    "mapping": lambda data: {name: np.array(column) for name, column in data.items()},
    "pandas": pd.DataFrame,
    "pandas nullable": nullable,
    "polars": pl.DataFrame,
    "polars lazy": pl.LazyFrame,
    "pyarrow": pa.table,
    "duckdb": lambda data: duckdb.from_arrow(pa.table(data)),
}


@pytest.fixture(params=KINDS)
def make(request):
    return KINDS[request.param]


def rows_of(table):
    columns = {name: column.tolist() for name, column in table.to_frame().items()}
    return list(zip(*columns.values(), strict=True))


VOTES = {
    "model_a": ["x", "y", "x", "z", "x"],
    "model_b": ["y", "x", "z", "x", "y"],
    "winner": ["model_a", "model_b", "tie (bothbad)", "model_a", "Tie"],
}


def test_arena_votes_are_understood_in_every_frame(make):
    table = Comparisons.from_frame(make(VOTES), left="model_a", right="model_b", outcome="winner")
    assert rows_of(table) == [("x", "y", 2.0, 0.0, 1.0), ("x", "z", 0.0, 1.0, 1.0)]


GAMES = {
    "date": [datetime.date(2020, 1, 1), datetime.date(2020, 1, 2), datetime.date(2020, 1, 2)],
    "home_team": ["b", "a", "b"],
    "away_team": ["a", "b", "c"],
    "home_score": [2, 1, 0],
    "away_score": [1, 1, 3],
    "neutral": [False, False, True],
    "votes": [1, 2, 3],
    "weight": [0.5, 1.0, 2.0],
    "judge": ["p", "q", "p"],
    "rest": [1.5, 0.0, -1.0],
}
GAME_COLUMNS = {
    "left": "home_team",
    "right": "away_team",
    "left_score": "home_score",
    "right_score": "away_score",
}


def test_every_column_is_read_from_every_frame(make):
    table = Comparisons.from_frame(
        make(GAMES),
        **GAME_COLUMNS,
        neutral="neutral",
        time="date",
        count="votes",
        weight="weight",
        cluster="judge",
        covariates=["rest"],
    )
    expected = Comparisons.from_pairs(
        ["b", "a", "c"],
        ["a", "b", "b"],
        tie=[False, True, False],
        home=[1, 1, 0],
        time=GAMES["date"],
        count=[1, 2, 3],
        weight=[0.5, 1.0, 2.0],
        cluster=["p", "q", "p"],
        covariates={"rest": [1.5, 0.0, 1.0]},
    )
    assert rows_of(table) == rows_of(expected)
    assert table.left_squared.tolist() == expected.left_squared.tolist()
    assert table.right_squared.tolist() == expected.right_squared.tolist()
    assert table.covariate_names == ("rest",)


def test_home_is_absent_unless_asked_for(make):
    assert Comparisons.from_frame(make(GAMES), **GAME_COLUMNS).home is None


def test_left_can_always_be_at_home(make):
    table = Comparisons.from_frame(make(GAMES), **GAME_COLUMNS, home=True)
    assert table.home.tolist() == [-1, 1, 1]


def test_home_can_be_a_column(make):
    table = Comparisons.from_frame(make({**GAMES, "side": [1, 0, -1]}), **GAME_COLUMNS, home="side")
    assert table.home.tolist() == [-1, 0, -1]


@pytest.mark.parametrize(
    ("neutral", "home"),
    [(["FALSE", "TRUE", "true"], [-1, 0, 0]), (["0", "1", "1"], [-1, 0, 0]), ([0, 1, 1], [-1, 0, 0])],
)
def test_neutral_may_be_words_or_numbers(make, neutral, home):
    games = make({**GAMES, "neutral": neutral})
    assert Comparisons.from_frame(games, **GAME_COLUMNS, neutral="neutral").home.tolist() == home


def test_other_words_for_neutral_are_refused(make):
    games = make({**GAMES, "neutral": ["FALSE", "perhaps", "TRUE"]})
    with pytest.raises(ValueError, match=r"column 'neutral' must hold booleans .*'perhaps'"):
        Comparisons.from_frame(games, **GAME_COLUMNS, neutral="neutral")


def test_a_missing_neutral_is_refused(make):
    games = make({**GAMES, "neutral": ["FALSE", None, "TRUE"]})
    with pytest.raises(ValueError, match="column 'neutral' must hold booleans"):
        Comparisons.from_frame(games, **GAME_COLUMNS, neutral="neutral")


@pytest.mark.parametrize("missing", [None, "", "NA"])
def test_games_not_yet_played_are_dropped_with_their_teams(make, missing):
    games = make(
        {"l": ["a", "c", "b"], "r": ["b", "d", "a"], "x": ["1", missing, "10"], "y": ["0", missing, "9"]}
    )
    table = Comparisons.from_frame(games, left="l", right="r", left_score="x", right_score="y")
    assert rows_of(table) == [("a", "b", 1.0, 1.0)]
    assert table.items.tolist() == ["a", "b"]


def test_scores_that_are_nan_are_missing(make):
    nan = float("nan")
    games = make({"l": ["a", "c"], "r": ["b", "d"], "x": [1.0, nan], "y": [0.5, nan]})
    assert rows_of(Comparisons.from_frame(games, left="l", right="r", left_score="x", right_score="y")) == [
        ("a", "b", 1.0, 0.0)
    ]


@pytest.mark.parametrize("column", ["x", "y"])
def test_a_game_with_one_score_is_refused(make, column):
    games = {"l": ["a", "c"], "r": ["b", "d"], "x": [1, 2], "y": [0, 3], column: [1, None]}
    with pytest.raises(ValueError, match=f"column '{column}' has no score"):
        Comparisons.from_frame(make(games), left="l", right="r", left_score="x", right_score="y")


@pytest.mark.parametrize("column", ["x", "y"])
def test_scores_that_are_no_numbers_are_refused_by_column_and_value(make, column):
    games = {"l": ["a", "c"], "r": ["b", "d"], "x": ["1", "2"], "y": ["0", "3"], column: ["1", "two"]}
    with pytest.raises(ValueError, match=f"column '{column}' must hold numbers, got 'two'"):
        Comparisons.from_frame(make(games), left="l", right="r", left_score="x", right_score="y")


def test_nothing_played_is_refused(make):
    games = make({"l": ["a"], "r": ["b"], "x": [""], "y": ["NA"]})
    with pytest.raises(ValueError, match="no row has an outcome"):
        Comparisons.from_frame(games, left="l", right="r", left_score="x", right_score="y")


# ---- outcomes


def outcome_table(make, outcomes, outcome_map=None, a=("x", "y"), b=("y", "z"), left="l", right="r"):
    data = {left: list(a), right: list(b), "result": list(outcomes)}
    return Comparisons.from_frame(
        make(data), left=left, right=right, outcome="result", outcome_map=outcome_map
    )


@pytest.mark.parametrize(
    ("outcomes", "wins"),
    [
        (["left", "right"], [1, 1]),
        (["l", "r"], [1, 1]),
        (["x", "z"], [1, 1]),
        (["tie", "TIED"], [0, 0]),
        (["tie", "y"], [0, 1]),
        (["1", "2"], None),
        ([1, -1], [1, 1]),
        ([0, -1], [0, 1]),
        ([1.0, -1.0], [1, 1]),
    ],
)
def test_what_an_outcome_can_mean(make, outcomes, wins):
    if wins is None:
        with pytest.raises(ValueError, match="is neither x nor y"):
            outcome_table(make, outcomes)
        return
    table = outcome_table(make, outcomes)
    assert (table.left_wins + table.right_wins).tolist() == wins


def test_integer_labels_may_name_the_winner(make):
    table = outcome_table(make, [7, 9], a=[7, 8], b=[8, 9])
    assert rows_of(table) == [(7, 8, 1.0, 0.0), (8, 9, 0.0, 1.0)]


def test_outcome_map_settles_the_rest(make):
    table = outcome_table(make, ["A", "skip"], {"A": -1, "skip": None})
    assert rows_of(table) == [("x", "y", 0.0, 1.0)]
    assert table.items.tolist() == ["x", "y"]


def test_outcome_map_can_drop_missing_outcomes(make):
    assert len(outcome_table(make, ["left", None], {None: None})) == 1


def test_outcome_map_overrides_words(make):
    assert outcome_table(make, ["tie", "tie"], {"tie": 1}).left_wins.tolist() == [1, 1]


def test_missing_outcomes_are_refused(make):
    with pytest.raises(ValueError, match=r"column 'result' has missing outcomes .first: row [01]"):
        outcome_table(make, ["left", None])


@pytest.mark.parametrize(
    ("outcomes", "options"),
    [
        (["left", "right"], {"left": "right", "right": "left"}),
        (["l", "r"], {"a": ["l", "y"]}),
        (["tiebreaker", "y"], {"a": ["tiebreaker", "y"]}),
        (["left", "y"], {"a": ["left", "y"]}),
    ],
)
def test_words_that_are_labels_too_are_refused(make, outcomes, options):
    with pytest.raises(ValueError, match="can be read in two ways"):
        outcome_table(make, outcomes, **options)


def test_labels_that_look_like_words_do_no_harm_where_unused(make):
    assert outcome_table(make, ["left", "y"], {"left": 1}, a=["left", "y"]).left_wins.sum() == 2


def test_labels_of_one_and_zero_need_an_outcome_map(make):
    with pytest.raises(ValueError, match="can be read in two ways"):
        outcome_table(make, [1, -1], a=[1, 0], b=[0, 5])
    table = outcome_table(make, [1, -1], {1: 1, -1: -1}, a=[1, 0], b=[0, 5])
    assert table.n_comparisons == 2


def test_zeros_and_ones_without_minus_one_need_an_outcome_map(make):
    with pytest.raises(ValueError, match="holds 0 and 1 but never -1"):
        outcome_table(make, [1, 0])
    assert outcome_table(make, [1, 0], {0: -1}).right_wins.sum() == 1
    assert outcome_table(make, [1, 0], {0: 0}).ties.sum() == 1


def test_booleans_need_an_outcome_map(make):
    with pytest.raises(ValueError, match="holds booleans"):
        outcome_table(make, [True, False])
    assert outcome_table(make, [True, False], {True: 1, False: -1}).right_wins.sum() == 1


@pytest.mark.parametrize(
    ("outcome_map", "error", "message"),
    [
        ({"A": 2}, ValueError, "must map to 1, 0, -1 or None, got 2 for 'A'"),
        ({"A": "left"}, ValueError, "must map to 1, 0, -1 or None"),
        ([("A", 1)], TypeError, "outcome_map must be a mapping"),
    ],
)
def test_wrong_outcome_maps_are_refused(outcome_map, error, message):
    with pytest.raises(error, match=message):
        outcome_table(pd.DataFrame, ["A", "A"], outcome_map)


# ---- what does not fit


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"left": "home"}, ValueError, "left: df has no column 'home'; the columns are 'date', 'home_team'"),
        ({"time": "when"}, ValueError, "time: df has no column 'when'"),
        ({"covariates": "length"}, ValueError, "covariates: df has no column 'length'"),
        ({"cluster": "x" * 10_000}, ValueError, "cluster: df has no column 'xxx"),
        ({"left_score": None}, ValueError, "either outcome, or both left_score and right_score"),
        ({"left_score": None, "right_score": None}, ValueError, "either outcome, or both"),
        ({"outcome": "home_score"}, ValueError, "either outcome, or both"),
        ({"outcome_map": {"a": 1}}, ValueError, "outcome_map needs outcome"),
        ({"right": "home_team"}, ValueError, "left and right must be different columns"),
        ({"home": False}, TypeError, "home must be a column name, True"),
        ({"home": 1.0}, TypeError, "home must be a column name, True"),
        ({"home": "votes", "neutral": "neutral"}, ValueError, "either neutral or a home column"),
        ({"weight": "negative"}, ValueError, "must be zero or positive, got -1"),
        ({"weight": "gap"}, (ValueError, TypeError), "missing|NaN|object"),
        ({"weight": "endless"}, ValueError, "NaN or infinite"),
        ({"left": "hole"}, ValueError, "column 'hole' has .*missing"),
        ({"left": "same"}, ValueError, "1 rows compare an item with itself"),
        ({"cluster": "hole"}, ValueError, "cluster has .*missing"),
        ({"items": ["a", "b"]}, ValueError, "column 'away_team' holds 'c' .*not in items"),
    ],
)
def test_wrong_columns_are_refused_by_name(make, options, error, message):
    bad = {
        "negative": [1.0, -1.0, 1.0],
        "gap": [1.0, None, 1.0],
        "endless": [1.0, float("inf"), 1.0],
        "hole": ["b", None, "b"],
        "same": ["b", "a", "c"],
    }
    with pytest.raises(error, match=message):
        Comparisons.from_frame(make({**GAMES, **bad}), **{**GAME_COLUMNS, **options})


def test_an_empty_frame_is_refused(make):
    empty = {"l": np.array([], dtype=str), "r": np.array([], dtype=str), "o": np.array([], dtype=str)}
    with pytest.raises(ValueError, match="column 'l' is empty"):
        Comparisons.from_frame(make(empty), left="l", right="r", outcome="o")


@pytest.mark.parametrize("df", [None, 3, "games.csv", [[1, 2]], np.zeros((2, 2))])
def test_what_is_no_frame_is_refused(df):
    with pytest.raises(TypeError, match="df must be a data frame that narwhals knows"):
        Comparisons.from_frame(df, left="l", right="r", outcome="o")


def test_columns_of_a_mapping_must_have_equal_length():
    with pytest.raises(ValueError, match="columns must have equal length"):
        Comparisons.from_frame({"l": [1, 2], "r": [2], "o": ["l", "r"]}, left="l", right="r", outcome="o")


def test_rows_are_named_as_in_the_frame_even_after_unplayed_games():
    games = {
        "l": ["a", "b", "c"],
        "r": ["b", "c", "a"],
        "x": [None, 1, 2],
        "y": [None, 0, 0],
        "w": [1, 1, -1],
    }
    with pytest.raises(ValueError, match=r"weight must be zero or positive, got -1\.0 in row 2"):
        Comparisons.from_frame(
            pd.DataFrame(games), left="l", right="r", left_score="x", right_score="y", weight="w"
        )


def test_categorical_columns_are_labels():
    frame = pd.DataFrame(VOTES).astype("category")
    table = Comparisons.from_frame(frame, left="model_a", right="model_b", outcome="winner")
    assert table.items.tolist() == ["x", "y", "z"]
    frame = pl.DataFrame(
        VOTES, schema_overrides={"model_a": pl.Categorical, "model_b": pl.Enum(["x", "y", "z"])}
    )
    assert Comparisons.from_frame(frame, left="model_a", right="model_b", outcome="winner").n_items == 3


# ---- DuckDB


def test_duckdb_columns_may_have_any_name_and_type():
    relation = duckdb.sql(
        """select * from (values
        ('x'::ENUM('x', 'y'), 'y', 'tie', DATE '2020-01-01', 1.50::DECIMAL(5, 2)),
        ('y', 'x', 'left', DATE '2020-01-01', 2.50))
        t("a ""quoted"" name", "right", "select", "group", "sum")"""
    )
    table = Comparisons.from_frame(
        relation, left='a "quoted" name', right="right", outcome="select", time="group", weight="sum"
    )
    assert rows_of(table) == [("x", "y", 0.0, 2.5, 1.5, datetime.date(2020, 1, 1))]
    assert table.right_squared.tolist() == [6.25]


def test_duckdb_counts_a_file(tmp_path):
    path = tmp_path / "votes.csv"
    path.write_text("l,r,o\n" + "a,b,left\n" * 1000 + "b,a,left\n" * 500 + "a,b,tie\n" * 20)
    table = Comparisons.from_frame(duckdb.read_csv(str(path)), left="l", right="r", outcome="o")
    assert rows_of(table) == [("a", "b", 1000.0, 500.0, 20.0)]


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcd"),
            st.sampled_from("efgh"),
            st.integers(0, 3),
            st.integers(0, 3),
            st.sampled_from([0.25, 1.0, 3.0]),
            st.integers(0, 3),
        ),
        min_size=1,
    ).filter(lambda rows: any(row[5] for row in rows))
)
def test_duckdb_and_numpy_count_alike(rows):
    names = ("l", "r", "x", "y", "w", "c")
    data = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    options = {"left": "l", "right": "r", "left_score": "x", "right_score": "y", "weight": "w", "count": "c"}
    ours = Comparisons.from_frame(data, **options, home=True)
    theirs = Comparisons.from_frame(KINDS["duckdb"](data), **options, home=True)
    assert ours.items.tolist() == theirs.items.tolist()
    assert (ours.ties is None) == (theirs.ties is None)
    for name in ("left", "right", "left_wins", "right_wins", "home"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=1e-14)
    if ours.left_squared is not None:
        np.testing.assert_allclose(ours.left_squared, theirs.left_squared, rtol=1e-14)


@pytest.mark.parametrize(
    "part", ["left", "right", "outcome", "weight", "count", "cluster", "time", "covariates"]
)
@pytest.mark.parametrize("wrong", [3, ("a",), b"left", object()])
def test_a_column_name_that_is_none_is_refused_by_the_part_it_plays(part, wrong):
    df = pd.DataFrame({"left": ["a", "b"], "right": ["b", "a"], "outcome": [1, 0]})
    parts = {"left": "left", "right": "right", "outcome": "outcome"}
    wrong = [wrong] if part == "covariates" else wrong
    with pytest.raises(TypeError, match=f"^{part} must be"):
        Comparisons.from_frame(df, **(parts | {part: wrong}))


def test_results_of_chess_and_draws_are_understood():
    games = {
        "white": ["ann", "ben", "ann", "ben", "ann"],
        "black": ["ben", "ann", "ben", "ann", "ben"],
        "result": ["1-0", "0-1", "1/2-1/2", "½-½", "Draw"],
    }
    table = Comparisons.from_frame(games, left="white", right="black", outcome="result")
    assert table.left_wins.tolist() == [2.0]
    assert table.ties.tolist() == [3.0]
    games["white"][4] = "1-0"
    with pytest.raises(ValueError, match="read in two ways"):
        Comparisons.from_frame(games, left="white", right="black", outcome="result")


def singular_votes(n=4000):
    """Votes of which hardly two are the same."""
    rng = np.random.default_rng(3)
    names = np.array(["x", "it's", 'ann "b"', "z"])
    first = rng.integers(0, 4, n)
    second = (first + rng.integers(1, 4, n)) % 4
    return {
        "a": names[first],
        "b": names[second],
        "won": rng.choice(["a", "b", "tie"], n),
        "length": rng.normal(size=n),
        "bold": rng.normal(size=n),
        "times": rng.integers(0, 3, n).astype(float),
        "who": np.char.add("w", rng.integers(0, 50, n).astype(str)),
    }


@pytest.mark.parametrize(
    "more", [{}, {"weight": "times"}, {"count": "times", "cluster": "who", "group": "who"}]
)
def test_duckdb_reads_votes_that_do_not_repeat_as_they_are(more, monkeypatch):
    from steelyard.rank._table import duckdb as reading

    data = singular_votes()
    options = {"left": "a", "right": "b", "outcome": "won", "covariates": ["length", "bold"], **more}
    table = pa.table({name: np.asarray(column).tolist() for name, column in data.items()})
    expected = Comparisons.from_frame(data, **options)
    found = Comparisons.from_frame(duckdb.from_arrow(table), **options)
    monkeypatch.setattr(reading, "_hardly_repeats", lambda *_: False)
    grouped = Comparisons.from_frame(duckdb.from_arrow(table), **options)
    assert rows_of(found) == rows_of(expected) == rows_of(grouped)
    assert found.n_comparisons == expected.n_comparisons


def test_votes_that_do_not_repeat_are_understood_by_the_winners_label():
    data = singular_votes()
    data["won"] = np.where(data["won"] == "a", data["a"], data["b"])
    options = {"left": "a", "right": "b", "outcome": "won", "covariates": ["length", "bold"]}
    table = pa.table({name: np.asarray(column).tolist() for name, column in data.items()})
    found = Comparisons.from_frame(duckdb.from_arrow(table), **options)
    assert rows_of(found) == rows_of(Comparisons.from_frame(data, **options))


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("a", None, "column 'a' has .*row 2600"),
        ("won", None, "column 'won' has missing outcomes .*row 2600"),
        ("won", "nobody", "nobody.*row 2600"),
        ("length", None, "covariates\\['length'\\].*row 2600"),
        ("times", -1.0, "'times' must be zero or positive.*row 2600"),
        ("times", None, "'times' has missing entries .*row 2600"),
    ],
)
def test_faults_in_votes_that_do_not_repeat_are_named_with_their_row(column, value, message):
    table = {name: np.asarray(values).tolist() for name, values in singular_votes().items()}
    table[column][2600] = value
    options = {
        "left": "a",
        "right": "b",
        "outcome": "won",
        "covariates": ["length", "bold"],
        "count": "times",
    }
    with pytest.raises(ValueError, match=message):
        Comparisons.from_frame(duckdb.from_arrow(pa.table(table)), **options)


def test_a_graph_of_votes_with_covariates_outlives_its_table():
    table = Comparisons.from_frame(
        singular_votes(), left="a", right="b", outcome="won", covariates=["length", "bold"]
    )
    wins = table.left_wins.copy()
    graph = table._pairs(False)
    merged = float(graph.wins.sum())
    own = type(graph)(
        table.left, table.right, table.left_wins.copy(), table.right_wins, table.ties, None, None, None, None,
        table.covariates.ravel(), items=4, keep_home=False,
    )  # fmt: skip
    del table
    np.testing.assert_array_equal(own.wins, wins)
    assert merged == wins.sum()
