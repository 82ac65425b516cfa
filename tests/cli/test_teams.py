"""`steelyard rank --teams`: sides in one column or several, and who can't be told apart."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from steelyard.cli import main
from steelyard.rank import team_strengths


@pytest.fixture(scope="module")
def doubles(tmp_path_factory):
    """Games of two against two, with the players and the results."""
    rng = np.random.default_rng(1)
    worth, names = rng.normal(size=8), np.array([f"p{k}" for k in range(8)])
    games = np.array([rng.permutation(8)[:4] for _ in range(300)])
    x = worth[games[:, :2]].sum(axis=1) - worth[games[:, 2:]].sum(axis=1)
    won = rng.random(300) < 1 / (1 + np.exp(-x))
    folder = tmp_path_factory.mktemp("doubles")
    return names[games], won, folder


def written(path, header, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


def ratings(path):
    with path.open(newline="") as file:
        return {row["item"]: float(row["rating"]) for row in csv.DictReader(file)}


@pytest.mark.parametrize("layout", ["columns", "winners", "bars", "commas"])
def test_the_board_is_that_of_the_library_in_every_layout(doubles, capsys, layout):
    players, won, folder = doubles
    fit = team_strengths(players[:, :2], players[:, 2:], np.where(won, 1, -1))
    path, out = folder / f"{layout}.csv", folder / f"{layout}-board.csv"
    words = np.where(won, "left", "right").tolist()
    if layout == "columns":
        rows = [[*four, word] for four, word in zip(players.tolist(), words, strict=True)]
        file = written(path, ["l1", "l2", "r1", "r2", "winner"], rows)
        options = ["--left", "l1,l2", "--right", "r1,r2", "--outcome", "winner"]
    elif layout == "winners":
        rows = [
            four if left else four[2:] + four[:2] for four, left in zip(players.tolist(), won, strict=True)
        ]
        file = written(path, ["w1", "w2", "l1", "l2"], rows)
        options = ["--winner", "w1, w2", "--loser", "l1,l2"]
    else:
        sign = " | " if layout == "bars" else ", "
        rows = [[sign.join(f[:2]), sign.join(f[2:]), w] for f, w in zip(players.tolist(), words, strict=True)]
        file, options = written(path, ["left", "right", "winner"], rows), []
    given = ["--scale", "log", "--output", str(out), *options]
    assert main(["rank", file, "--teams", *given]) == 0
    assert "sums of strengths a side" in capsys.readouterr().out
    found = ratings(out)
    np.testing.assert_allclose([found[p] for p in fit.items.tolist()], fit.strengths, atol=1e-9)


def test_picture_page_and_bootstrap_are_there(doubles, capsys):
    players, won, folder = doubles
    rows = [
        ["|".join(f[:2]), "|".join(f[2:]), "left" if w else "right"]
        for f, w in zip(players.tolist(), won, strict=True)
    ]
    file = written(folder / "page.csv", ["left", "right", "winner"], rows)
    page, picture = folder / "page.html", folder / "page.svg"
    given = ["--report", str(page), "--plot", str(picture), "--bootstrap", "10", "--anchor", "p1=1200"]
    assert main(["rank", file, "--teams", *given]) == 0
    assert "10 bootstrap rounds" in capsys.readouterr().out
    assert "games between sides of" in page.read_text()
    assert picture.stat().st_size > 1000


def test_who_can_not_be_told_apart_is_said(tmp_path, capsys):
    rows = [["a|x", "b", "left"], ["b", "a|x", "left"], ["b", "c", "left"], ["c", "b", "left"]] * 4
    file = written(tmp_path / "votes.csv", ["left", "right", "winner"], rows)
    assert main(["rank", file, "--teams", "--prior", "0"]) == 2
    error = capsys.readouterr().err
    assert "always together, in the same shares (only their sum is known): a and x" in error
    assert "--prior 1" in error
    assert main(["rank", file, "--teams"]) == 0
    text = capsys.readouterr().out
    assert "A prior of 1 keeps the ratings finite and apart" in text
    assert "only their sum is known): a and x" in text
    marked = {
        line.split()[1] for line in text.splitlines() if line.split()[:1] and line.split()[0].endswith("?")
    }
    assert {"a", "x"} <= marked - {"is"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--by", "left"], "--by does not go with --teams"),
        (["--half-life", "3"], "--half-life does not go with --teams"),
        (["--left", "left,nobody", "--right", "right"], "no column 'nobody'"),
        (["--weight", "left"], "--weight does not go with --teams"),
    ],
)
def test_wrong_use_is_one_line(tmp_path, capsys, options, words):
    file = written(tmp_path / "votes.csv", ["left", "right", "winner"], [["a", "b", "left"]])
    assert main(["rank", file, "--teams", *options]) == 2
    assert words in capsys.readouterr().err
