"""Comparisons in every layout: who won by columns, by words, by ratings; and what is left out on request."""

from __future__ import annotations

import csv

import pytest

from steelyard.cli import main

PAIRS = [("a", "b"), ("b", "a"), ("a", "b"), ("b", "c"), ("c", "a"), ("a", "c"), ("c", "b")]  # winner first
GAME = (
    '[Event "x"]\n[White "{}"]\n[Black "{}"]\n[Result "{}"]\n[UTCDate "2024.01.{:02d}"]\n\n'
    "1. e4 {{ [%clk 0:03] }} {}\n\n"
)


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(name, text):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    return write


def ratings(capsys, *arguments):
    """What is said, and the rating of each item."""
    assert main(["rank", *arguments, "--no-home", "--output", "out.csv"]) == 0
    with open("out.csv", newline="", encoding="utf-8") as stream:
        return capsys.readouterr().out, {row["item"]: float(row["rating"]) for row in csv.DictReader(stream)}


def refused(capsys, *arguments):
    assert main(list(arguments)) == 2
    return capsys.readouterr().err


def rows(header, lines):
    return "\n".join([header, *lines]) + "\n"


def dressed(header, line, pairs=PAIRS):
    return rows(header, [line.format(w=winner, x=loser) for winner, loser in pairs])


API = (
    '{{"players": {{"white": {{"user": {{"name": "{x}"}}}}, "black": {{"user": {{"name": "{w}"}}}}}}, '
    '"status": "resign", "winner": "black"}}'
)
LAYOUTS = {
    "tennis.csv": dressed("tourney_date,winner_name,loser_name", "20240101,{w},{x}"),
    "winners.csv": dressed("winner,loser", "{w},{x}"),
    "football.csv": dressed("Div,Date,HomeTeam,AwayTeam,FTHG,FTAG,,", "E0,16/08/14,{x},{w},0,2,,"),
    "leagues.csv": dressed("Country,Date,Home,Away,HG,AG", "X,16/08/14,{w},{x},3,2"),
    "hot.csv": dressed("model_a,model_b,winner_model_a,winner_model_b,winner_tie", "{x},{w},0,1,0"),
    "chess.csv": dressed("White,Black,Result", "{x},{w},0-1"),
    "lichess.csv": dressed("white_id,black_id,winner", "{w},{x},white"),
    "games.pgn": "".join(GAME.format(w, x, "1-0", k + 1, "1-0") for k, (w, x) in enumerate(PAIRS)),
    "api.ndjson": dressed("", API).lstrip(),
    "counted.csv": dressed("left,right,winner,count", "{w},{x},left,1", [*PAIRS[1:2], *PAIRS[3:]])
    + "a,b,left,2\n",
    "arena.json": "["
    + dressed("", '{{"model_a":"{w}","model_b":"{x}","winner":"model_a"}},').strip().strip(",")
    + "]",
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_is_known_by_its_names_and_gives_the_same_ratings(name, file, capsys):
    _, expected = ratings(
        capsys, file("plain.csv", rows("left,right,winner", [f"{w},{x},{w}" for w, x in PAIRS]))
    )
    said, found = ratings(capsys, file(name, LAYOUTS[name]))
    assert found == pytest.approx(expected)
    assert said.startswith(name)
    assert ": 7 comparisons of 3 items" in said


def test_other_names_are_given_by_options(file, capsys):
    expected = ratings(capsys, file("winners.csv", LAYOUTS["winners.csv"]))[1]
    name = file("x.csv", LAYOUTS["winners.csv"].replace("winner,loser", "one,two"))
    assert ratings(capsys, name, "--winner", "one", "--loser", "two")[1] == pytest.approx(expected)
    assert "--winner and --loser go together" in refused(capsys, "rank", name, "--winner", "one")
    assert "leave out the other columns" in refused(
        capsys, "rank", name, "--winner", "one", "--loser", "two", "--outcome", "two"
    )
    name = file("h.csv", rows("p,q,won,lost", [f"{w},{x},1,0" for w, x in PAIRS]))
    options = ("--left", "p", "--right", "q", "--winners", "won,lost")
    assert ratings(capsys, name, *options)[1] == pytest.approx(expected)
    name = file("h.csv", rows("p,q,won,lost", ["a,b,1,1"]))
    assert "'several of them' in column 'won, lost' (h.csv line 2)" in refused(capsys, "rank", name, *options)


def test_blanks_and_games_of_an_item_with_itself_are_left_out_on_request(file, capsys):
    name = file("x.csv", LAYOUTS["chess.csv"] + "a,b,\n,b,1-0\na,a,1-0\n,,\n")
    assert "first: x.csv line 10" in refused(capsys, "rank", name)
    assert "(first: x.csv line 11, a in column" in refused(capsys, "rank", name, "--skip-blank")
    said, _ = ratings(capsys, name, "--skip-blank", "--skip-self")
    assert said.startswith(
        "x.csv, 2 rows with a blank left out, 1 row of an item with itself left out: 7 comparisons"
    )


def test_games_without_a_winner_are_draws_if_they_were_played(file, capsys):
    text = LAYOUTS["api.ndjson"]
    drawn = text.splitlines()[0].replace(', "winner": "black"', "")
    name = file(
        "api.ndjson",
        text + drawn.replace("resign", "stalemate") + "\n" + drawn.replace("resign", "aborted") + "\n",
    )
    said, _ = ratings(capsys, name, "--skip-blank")
    assert "1 row with a blank left out: 8 comparisons" in said
    assert "ties davidson" in said


def test_weights_and_counts_are_used_and_said(file, capsys):
    text = rows("left,right,winner,weight,count", ["a,b,left,2,3", "b,a,left,1,1"])
    said, weighted = ratings(capsys, file("x.csv", text))
    assert said.startswith("x.csv, weighted by 'weight', counted by 'count': 7 comparisons")
    said, plain = ratings(capsys, "x.csv", "--weight", "", "--count", "")
    assert said.startswith("x.csv: 2 comparisons")
    assert weighted["a"] > plain["a"]
    bad = file("x.csv", text + "a,b,left,much,1\n")
    assert "column 'weight' must hold numbers, got 'much' in x.csv line 4" in refused(capsys, "rank", bad)


def test_one_item_can_be_the_anchor(file, capsys):
    name = file("x.csv", LAYOUTS["winners.csv"])
    _, plain = ratings(capsys, name)
    _, anchored = ratings(capsys, name, "--anchor", "b=1114", "--plot", "x.png")
    assert anchored["b"] == 1114
    assert anchored["a"] - anchored["b"] == pytest.approx(plain["a"] - plain["b"])
    assert "no item 'bb' among those ranked of x.csv; did you mean 'b'?" in refused(
        capsys, "rank", name, "--anchor", "bb=1"
    )
    assert "goes with --scale elo" in refused(capsys, "rank", name, "--anchor", "b=1", "--scale", "log")
    assert "must be an item and its rating" in refused(capsys, "rank", name, "--anchor", "b")


def test_ratings_of_one_rater_are_compared(file, capsys):
    long = rows(
        "userId,movieId,rating",
        ["1,a,5", "1,b,3", "2,a,2", "2,b,4", "2,c,1", "3,c,5", "3,a,4", "3,b,", "4,b,2", "4,c,3"],
    )
    wide = rows("id;age;q_a;q_b;q_c", ["1;30;5;3;", "2;31;2;4;1", "3;32;4;NA;5", "4;33;;2;3"])
    said, one = ratings(capsys, file("long.csv", long))
    assert said.startswith("long.csv, 9 ratings by 4 raters: 6 comparisons of 3 items")
    assert "by cluster" in said
    said, other = ratings(capsys, file("wide.csv", wide), "--wide", "q_*")
    assert said.startswith("wide.csv, 9 ratings by 4 raters: 6 comparisons of 3 items")
    assert [one[k] for k in "abc"] == pytest.approx([other[f"q_{k}"] for k in "abc"])
    assert "got 'good' in wide.csv line 3" in refused(
        capsys, "rank", file("wide.csv", wide.replace("2;4;1", "2;good;1")), "--wide", "q_*"
    )
    assert "--wide must name at least two" in refused(capsys, "rank", "wide.csv", "--wide", "q_a")
    assert "name three columns" in refused(capsys, "rank", "wide.csv", "--rating", "q_a")


def test_a_prior_is_set_where_a_parameter_of_ties_has_no_optimum(file, capsys):
    said, found = ratings(capsys, file("x.csv", "left,right,winner\na,b,left\nb,a,right\na,b,tie\n"))
    assert "A prior of 1 keeps the ratings finite (--prior changes it)" in said
    assert found["a"] > found["b"]
    assert "use --ties half" in refused(capsys, "rank", "x.csv", "--prior", "0")


# ---- dates


@pytest.mark.parametrize(
    ("days", "options", "says"),
    [
        (("2014-08-16", "2014-08-18T10:00"), (), "2014-08-16 to 2014-08-18: 2"),
        (("2014/08/16", "2014.8.18"), (), "2014-08-16 to 2014-08-18: 2"),
        (("16/08/2014", "1/9/2014"), (), "2014-08-16 to 2014-09-01 (day first): 2"),
        (("08/16/2014 9:00", "9/1/2014"), (), "2014-08-16 to 2014-09-01 (month first): 2"),
        (("20140816", "20140818"), (), "2014-08-16 to 2014-08-18 (from eight digits): 2"),
        (("16/08/14", "18/08/2014"), ("--date-format", "%d/%m/%y", "--date-format", "%d/%m/%Y"),
         "2014-08-16 to 2014-08-18 (%d/%m/%y or %d/%m/%Y): 2"),
        (("1", "2"), (), "1 to 2 (numbers): 2"),
        (("140816", "140817"), (), "140816 to 140817 (numbers): 2"),
    ],
)  # fmt: skip
def test_the_first_line_says_how_dates_were_read(days, options, says, file, capsys):
    name = file("d.csv", rows("left,right,winner,date", [f"a,b,left,{days[0]}", f"b,a,left,{days[1]}"]))
    assert main(["history", name, "--volatility", "0.3", *options]) == 0
    assert capsys.readouterr().out.startswith(f"d.csv, {says} comparisons")
    since = "1" if "numbers" in says else "2014"
    assert main(["rank", name, "--since", since, *options]) == 0
    assert says.removesuffix(": 2") in capsys.readouterr().out.splitlines()[0]


@pytest.mark.parametrize(
    ("days", "says"),
    [
        (("16/08/14", "17/08/14"), "two digits, such as '16/08/14' in d.csv line 2: say which"),
        (("16-08-14", "17-08-14"), "--date-format '%d-%m-%y' or --date-format '%m-%d-%y'"),
        (("1/2/2014", "2/3/2014"), "'1/2/2014' in d.csv line 2: say which it is by --date-format '%d/%m/%Y'"),
        (("16/8/2014", "8/16/2014"), "line 2, and with the month first, '8/16/2014' in d.csv line 3"),
        (("2014-08-16", "2014-08-32"), "'2014-08-32' in d.csv line 3, which is no day of the calendar"),
    ],
)  # fmt: skip
def test_dates_that_can_be_misread_are_refused_by_every_command(days, says, file, capsys):
    name = file("d.csv", rows("left,right,winner,date", [f"a,b,left,{days[0]}", f"b,a,left,{days[1]}"]))
    assert says in refused(capsys, "history", name, "--volatility", "0.3")
    assert says in refused(capsys, "rank", name, "--since", "2014")
    assert main(["rank", name]) == 0  # where no day is asked for, none is read
    capsys.readouterr()


def test_the_form_of_dates_is_that_of_all_files(file, capsys):
    header = "left,right,winner,date"
    file("d1.csv", rows(header, ["a,b,left,1/2/2014", "b,a,left,2/2/2014"]))
    file("d2.csv", rows(header, ["a,b,left,16/2/2014"]))
    assert main(["history", "d1.csv", "d2.csv", "--volatility", "0.3"]) == 0
    assert "2014-02-01 to 2014-02-16 (day first)" in capsys.readouterr().out
    file("d3.csv", rows(header, ["a,b,left,2/16/2014"]))
    assert "'2/16/2014' in d3.csv line 2" in refused(capsys, "history", "d1.csv", "d2.csv", "d3.csv")


def test_numbers_have_no_unit_of_the_calendar(file, capsys):
    name = file("n.csv", rows("left,right,winner,day", ["a,b,left,1", "b,a,left,3"]))
    assert "--unit needs dates; the column 'day' holds numbers" in refused(
        capsys, "history", name, "--unit", "week"
    )
    assert "--at must be a number" in refused(
        capsys, "history", name, "--volatility", "0.3", "--at", "2014-01"
    )
    assert main(["history", name, "--volatility", "0.3", "--at", "2"]) == 0
    assert "Strengths at 2;" in capsys.readouterr().out
