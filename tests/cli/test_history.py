"""`steelyard history`, in process."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from steelyard.cli import main
from steelyard.rank import Comparisons, whole_history

GAMES = """date,home_team,away_team,home_score,away_score,neutral
2019-05-01,ann,ben,2,1,FALSE
2019-08-01,ben,ann,0,2,FALSE
2020-05-01,ben,ann,1,0,FALSE
2020-06-01,ben,cat,1,1,FALSE
2021-02-03,cat,ann,3,2,FALSE
2021-02-04,ann,cat,1,0,TRUE
2021-03-01,ben,cat,0,2,TRUE
,ann,cat,1,0,TRUE
2021-03-02,ann,ben,NA,NA,FALSE
"""


@pytest.fixture
def file(tmp_path):
    def write(text, name="data.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def rows_of(text):
    lines = text.splitlines()
    start = next(k for k, line in enumerate(lines) if line.startswith("place"))
    return lines[:start], [line.split() for line in lines[start + 1 :] if line.strip()]


def test_a_table_of_one_day_a_file_of_all_days_and_a_picture(file, tmp_path, capsys):
    out, picture = tmp_path / "all.csv", tmp_path / "all.png"
    options = ("--volatility", "0.5", "--scale", "log", "--output", str(out), "--plot", str(picture))
    assert main(["history", file(GAMES), *options]) == 0
    notes, rows = rows_of(capsys.readouterr().out)
    assert "1 rows without a date left out" in notes[0]
    games = Comparisons.from_pairs(
        ["ann", "ann", "ben", "ben", "cat", "ann", "cat"],
        ["ben", "ben", "ann", "cat", "ann", "cat", "ben"],
        tie=[False, False, False, True, False, False, False],
        home=[1, -1, 1, 1, 1, 0, 0],
        time=[
            "2019-05-01",
            "2019-08-01",
            "2020-05-01",
            "2020-06-01",
            "2021-02-03",
            "2021-02-04",
            "2021-03-01",
        ],
    )
    fit = whole_history(games, volatility=0.5, time_unit="year", home=True)
    shown = {row[1]: float(row[2]) for row in rows}
    for item in ("ann", "ben", "cat"):
        assert shown[item] == pytest.approx(fit.strength(item, "2021-03-01").mean, abs=0.006)
    with out.open() as stream:
        table = list(csv.DictReader(stream))
    assert len(table) == len(fit)
    np.testing.assert_allclose(
        [float(row["standard_error"]) for row in table], fit.standard_errors, rtol=1e-6
    )
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_all_ratings_move_with_the_anchor_on_the_day_shown(file, tmp_path, capsys):
    out, day = tmp_path / "all.csv", ("--volatility", "0.5", "--at", "2020-05-01")
    assert main(["history", file(GAMES), *day]) == 0
    plain = {row[1]: int(row[2]) for row in rows_of(capsys.readouterr().out)[1]}
    assert main(["history", file(GAMES), *day, "--anchor", "ben=1114", "--output", str(out)]) == 0
    moved = {row[1]: int(row[2]) for row in rows_of(capsys.readouterr().out)[1]}
    assert moved["ben"] == 1114
    assert moved["ann"] - moved["ben"] == pytest.approx(plain["ann"] - plain["ben"], abs=1)
    with out.open() as stream:
        written = {(row["item"], row["time"]): float(row["strength"]) for row in csv.DictReader(stream)}
    assert written["ben", "2020-05-01"] == pytest.approx(1114)
    assert main(["history", file(GAMES), *day, "--anchor", "bem=1"]) == 2
    assert "did you mean 'ben'" in capsys.readouterr().err
    assert main(["history", file(GAMES), *day, "--anchor", "ben=1", "--scale", "log"]) == 2
    assert "--anchor goes with --scale elo" in capsys.readouterr().err


def test_one_day_some_items_and_a_period(file, capsys):
    options = ("--volatility", "0.5", "--at", "2020-05", "--teams", "ben,ann", "--until", "2021-02-03")
    assert main(["history", file(GAMES), *options]) == 0
    notes, rows = rows_of(capsys.readouterr().out)
    assert "to 2021-02-03" in notes[0]
    assert "Strengths on 2020-05-31" in notes[-2]
    assert sorted(row[1] for row in rows) == ["ann", "ben"]
    assert {row[-2] for row in rows} == {"2020-05-01"}


def test_the_volatility_is_estimated(file, capsys):
    assert main(["history", file(GAMES), "--no-home", "--ties", "half"]) == 0
    out = capsys.readouterr().out
    assert "(estimated)" in out


def test_dollars_in_names_are_drawn(file, tmp_path, capsys):
    picture = tmp_path / "all.svg"
    text = GAMES.replace("ann", "$a^$").replace("ben", r"\$b").replace("cat", "c$d$")
    assert main(["history", file(text), "--volatility", "0.5", "--plot", str(picture)]) == 0
    capsys.readouterr()
    assert picture.stat().st_size > 1000


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        (GAMES.replace("date", "when"), (), "needs a column of dates"),
        (
            GAMES.replace("2021-02-03", "soon"),
            (),
            "column 'date' must hold numbers, or ISO dates such as 2018-07-15, got 'soon' in",
        ),
        (GAMES, ("--teams", "dan"), "--teams: there is no 'dan'"),
        (GAMES, ("--at", "May"), "--at must be a year"),
        (GAMES, ("--volatility", "0"), "--volatility"),
        (GAMES, ("--unit", "aeon"), "--unit"),
        (GAMES, ("--plot", "x.csv"), "must end in .png"),
    ],
)
def test_what_does_not_fit_ends_in_one_line(text, options, says, file, capsys):
    chosen = options if "--volatility" in options else ("--volatility", "0.5", *options)
    assert main(["history", file(text), *chosen]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert says in err
