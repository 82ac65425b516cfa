"""`steelyard select`, in process."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from steelyard.cli import main
from steelyard.select import sensitivity_sample


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2)) + 5 * rng.integers(0, 3, (200, 1))
    loss = np.abs(X).sum(axis=1)
    path = tmp_path / "data.csv"
    with path.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["name", "x", "y", "loss"])
        rows.writerows(zip([f"n{k}" for k in range(200)], *X.T, loss, strict=True))
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "loss.npy", loss)
    return tmp_path, X, loss


def test_a_table_and_an_array_give_the_rows_of_the_library(table, capsys):
    folder, X, loss = table
    want = sensitivity_sample(X, 30, clusters=6, losses=loss, replace=False, rng=0)
    for file, losses in (("data.csv", "loss"), ("x.npy", str(folder / "loss.npy"))):
        out = folder / "rows.csv"
        options = ("--size", "30", "--clusters", "6", "--losses", losses, "--output", str(out))
        assert main(["select", str(folder / file), *options]) == 0
        shown = capsys.readouterr().out
        assert "30 draws without replacement by losses at the centre points of 6 clusters" in shown
        assert f"(true mean {loss.mean():.6g})" in shown
        with out.open() as stream:
            rows = list(csv.DictReader(stream))
        np.testing.assert_array_equal([int(row["row"]) for row in rows], want.indices)
        np.testing.assert_allclose([float(row["weight"]) for row in rows], want.weights, rtol=1e-9)


def test_digits_and_draws_with_replacement(capsys):
    assert main(["select", "digits", "--size", "50", "--clusters", "10", "--replace", "--top", "5"]) == 0
    out = capsys.readouterr().out
    assert "1,797 points of 64 columns" in out
    assert "50 draws with replacement by the clusters' sensitivities" in out
    assert "rows count from 0" in out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("data.csv", "--size", "5", "--clusters", "2", "--losses", "cost"), "no column of numbers 'cost'"),
        (("data.csv", "--size", "500", "--clusters", "2"), "size must be at most 200"),
        (("x.npy", "--size", "5", "--clusters", "2", "--losses", "loss"), "--losses must be a .npy file"),
        (("loss.npy", "--size", "5", "--clusters", "2"), "must hold an array of shape (n, d)"),
        (("nowhere.npy", "--size", "5", "--clusters", "2"), "there is no file"),
        (("x.npy", "--clusters", "2"), "--size"),
        (("x.npy", "--size", "5", "--clusters", "201"), "clusters must be at most"),
    ],
)
def test_what_does_not_fit_ends_in_one_line(options, says, table, capsys, monkeypatch):
    monkeypatch.chdir(table[0])
    assert main(["select", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert says in err
