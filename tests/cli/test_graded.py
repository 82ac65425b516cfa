"""`steelyard rank --levels`: the board of a graded fit, and what it refuses."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from steelyard.cli import main
from steelyard.rank import Comparisons, graded

FIVE = ["much better", "better", "tie", "worse", "much worse"]
LEVELS = ",".join(FIVE)


@pytest.fixture(scope="module")
def votes(tmp_path_factory):
    rng = np.random.default_rng(0)
    worth, left = np.array([1.0, 0.3, -0.3, -1.0]), rng.integers(0, 4, 800)
    right = (left + rng.integers(1, 4, 800)) % 4
    far = worth[left] - worth[right] + rng.logistic(size=800)
    columns = {
        "left": np.array(list("pqrs"))[left],
        "right": np.array(list("pqrs"))[right],
        "outcome": np.array(FIVE)[4 - np.searchsorted([-1.3, -0.4, 0.4, 1.3], far)],
        "date": np.array([f"2020-01-{1 + k % 28:02}" for k in range(800)]),
        "longer": rng.integers(-3, 4, 800).astype(str),
        "who": np.array([f"w{k % 20}" for k in range(800)]),
    }
    path = tmp_path_factory.mktemp("levels") / "votes.csv"
    lines = [",".join(columns), *(",".join(row) for row in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n")
    return columns, str(path)


def test_the_board_is_that_of_the_library(votes, capsys, tmp_path):
    columns, path = votes
    fit = graded(
        Comparisons.from_frame(columns, left="left", right="right", outcome="outcome", outcome_levels=FIVE)
    )
    files = [tmp_path / name for name in ("board.csv", "board.svg", "board.html")]
    options = [f"--{what}={file}" for what, file in zip(("output", "plot", "report"), files, strict=True)]
    assert main(["rank", path, "--levels", LEVELS, "--scale", "log", *options]) == 0
    text = capsys.readouterr().out
    assert "Bradley-Terry of 5 levels, cumulative logits, thresholds" in text
    with files[0].open(newline="") as file:
        rows = {row["item"]: row for row in csv.DictReader(file)}
    errors = dict(zip(fit.items.tolist(), fit.standard_errors().tolist(), strict=True))
    for item, strength in zip(fit.items.tolist(), fit.strengths.tolist(), strict=True):
        assert float(rows[item]["rating"]) == pytest.approx(strength)
        assert float(rows[item]["standard_error"]) == pytest.approx(errors[item])
    assert files[1].stat().st_size > 1000
    assert "much better, better, tie, worse, much worse" in files[2].read_text()


def test_style_clusters_age_and_anchors_go_with_levels(votes, capsys):
    _, path = votes
    more = ["--covariates", "longer", "--cluster", "who", "--half-life", "30", "--bootstrap", "5"]
    assert main(["rank", path, "--levels", LEVELS, "--anchor", "p=1200", *more]) == 0
    text = capsys.readouterr().out
    for words in ("net of longer", "half-life 30", "5 bootstrap rounds by cluster", "1200"):
        assert words in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--levels", "better,tie,worse"], "must hold --levels alone, got 'much"),
        (["--levels", f"super,{LEVELS},awful"], "'super' and 'awful' never occur"),
        (["--levels", LEVELS, "--ties", "half"], "--ties does not go with --levels"),
        (["--levels", LEVELS, "--by", "who"], "--by does not go with --levels"),
        (["--levels", "better"], "2 to 32 different levels"),
        (["--levels", LEVELS, "--left-score", "longer", "--right-score", "longer"], "name it by --outcome"),
    ],
)
def test_wrong_use_is_one_line(votes, capsys, options, words):
    _, path = votes
    try:
        code = main(["rank", path, *options])
    except SystemExit as stop:
        code = stop.code
    assert code == 2
    assert words in capsys.readouterr().err
