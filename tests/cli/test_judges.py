"""`steelyard rank --judge`: the board, and who of the judges can be trusted."""

from __future__ import annotations

import numpy as np
import pytest

from steelyard.cli import main
from steelyard.rank import Comparisons, fit_judges


@pytest.fixture
def votes(tmp_path):
    rng = np.random.default_rng(0)
    worth, slope = np.array([1.0, 0.3, -0.3, -1.0]), np.array([2.0, 1.0, 0.0, -1.5])
    judge, left = rng.integers(0, 4, 2000), rng.integers(0, 4, 2000)
    right = (left + rng.integers(1, 4, 2000)) % 4
    won = rng.random(2000) < 1 / (
        1 + np.exp(-slope[judge] * (worth[left] - worth[right]) - 0.5 * (judge == 1))
    )
    columns = {
        "model_a": np.array(list("pqrs"))[left],
        "model_b": np.array(list("pqrs"))[right],
        "winner": np.where(won, "model_a", "model_b"),
        "who": np.array(["ann", "ben", "dice", "mirror"])[judge],
    }
    path = tmp_path / "votes.csv"
    lines = [",".join(columns), *(",".join(row) for row in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n")
    return columns, str(path)


def test_the_board_and_the_judges_are_those_of_the_library(votes, capsys, tmp_path):
    columns, path = votes
    fit = fit_judges(
        Comparisons.from_frame(columns, left="model_a", right="model_b", outcome="winner", judge="who")
    )
    page = tmp_path / "board.html"
    picture = tmp_path / "board.svg"
    options = ["--judge", "who", "--scale", "log", "--report", str(page), "--plot", str(picture)]
    assert main(["rank", path, *options]) == 0
    text = capsys.readouterr().out
    assert "a reliability and a bias of each judge" in text
    board, judges = text.split("judge ", 1)
    for item, strength in zip(fit.items.tolist(), fit.strengths, strict=True):
        (row,) = [line.split() for line in board.splitlines() if line.split()[1:2] == [item]]
        assert float(row[2]) == pytest.approx(strength, abs=0.0051)
    rows = {line.split()[0]: line.split() for line in judges.splitlines() if line.split()[:1]}
    for name, slope in zip(fit.judges.tolist(), fit.reliabilities, strict=True):
        assert float(rows[name][1]) == pytest.approx(slope, abs=0.0051)
    assert rows["dice"][-1] == "noise"
    assert rows["mirror"][-2:] == ["turned", "around"]
    assert list(rows).index("mirror") < list(rows).index("dice") < list(rows).index("ann")
    assert f"alpha of the judges {fit.alpha:.2f}" in text
    assert "Krippendorff" in page.read_text()
    assert picture.stat().st_size > 1000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--judge", "nobody"], "--judge"),
        (["--judge", "who", "--by", "who"], "--by does not go with --judge"),
        (["--judge", "who", "--bootstrap", "9"], "--bootstrap does not go with --judge"),
        (["--judge", "who", "--ties", "rao-kupper"], "--ties rao-kupper does not go with --judge"),
    ],
)
def test_what_does_not_go_together_is_said(votes, capsys, options, message):
    assert main(["rank", votes[1], *options]) == 2
    assert message in capsys.readouterr().err
