"""`steelyard evaluate`, in process."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from steelyard.cli import main
from steelyard.select import plan_items


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    right = rng.random((12, 300)) < rng.random(300)
    scores = tmp_path / "scores.csv"
    _write(scores, ["item", *[f"m{k}" for k in range(10)]], [f"q{k}" for k in range(300)], right[:10])
    return tmp_path, right


def _write(path, header, items, rows):
    with path.open("w", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(header)
        out.writerows([item, *map(int, column)] for item, column in zip(items, rows.T, strict=True))


def test_items_are_listed_asked_and_read_as_they_were_drawn(files, capsys):
    folder, right = files
    asked = folder / "ask.csv"
    assert main(["evaluate", str(folder / "scores.csv"), "--size", "40", "--output", str(asked)]) == 0
    assert "40 items to ask, systematic" in capsys.readouterr().out
    with asked.open() as stream:
        items = [row["item"] for row in csv.DictReader(stream)]
    plan = plan_items(right[:10], 40, rng=0)
    assert items == [f"q{k}" for k in plan.items]
    answers, out = folder / "answers.csv", folder / "found.csv"
    backward = items[::-1]  # in any order
    _write(answers, ["item", "new", "other"], backward, right[10:, plan.items[::-1]])
    assert main(["evaluate", str(folder / "scores.csv"), "--new", str(answers), "--output", str(out)]) == 0
    assert "read as systematic items of seed 0" in capsys.readouterr().out
    found = plan.estimate(right[10:, plan.items])
    with out.open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["model"] for row in rows] == ["new", "other"]
    np.testing.assert_allclose([float(row["mean"]) for row in rows], found.mean)
    np.testing.assert_allclose([float(row["upper"]) for row in rows], found.upper)


def test_other_items_are_read_as_a_random_sample(files, capsys):
    folder, right = files
    _write(folder / "a.csv", ["item", "new"], [f"q{k}" for k in range(7, 57)], right[10:11, 7:57])
    assert main(["evaluate", str(folder / "scores.csv"), "--new", str(folder / "a.csv")]) == 0
    assert "read as items drawn at random" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("item,new\nq1,1\nq999,0\n", "has no item 'q999'"),
        ("item,new\nq1,1\nq1,0\n", "lists the item 'q1' twice"),
        ("item,new,old\nq1,1,0\nq2,,1\n", "new has no answer to the item 'q2'"),
        ("new,old\n1,0\n0,1\n", "name it by --item"),
        ("item,new\nq1,inf\nq2,1\nq3,1\n", "infinite"),
    ],
)
def test_answers_that_can_not_be_read_get_words(files, capsys, text, says):
    folder, _ = files
    (folder / "bad.csv").write_text(text)
    assert main(["evaluate", str(folder / "scores.csv"), "--new", str(folder / "bad.csv")]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("call", [["evaluate"], ["select", "--method", "items"]])
def test_one_model_is_refused_as_the_file_has_it(tmp_path, capsys, call):
    path = tmp_path / "one.csv"
    _write(path, ["item", "m0"], [f"q{k}" for k in range(20)], np.arange(20)[None] % 2)
    assert main([call[0], str(path), *call[1:], "--size", "5"]) == 2
    assert "has one column of scores (m0); give two models at least" in capsys.readouterr().err


@pytest.mark.parametrize("call", [["evaluate"], ["select", "--method", "items"]])
def test_a_table_with_models_as_rows_is_told_to_be_turned(tmp_path, capsys, call):
    path = tmp_path / "turned.csv"
    columns = [f"q{k}" for k in range(30)]
    _write(path, ["model", *columns], [f"m{k}" for k in range(4)], np.arange(120).reshape(30, 4) % 2)
    assert main([call[0], str(path), *call[1:], "--size", "5"]) == 2
    assert "there are 30 columns: if models are rows, turn the table around" in capsys.readouterr().err
