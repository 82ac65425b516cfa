"""`steelyard select`, in process."""

from __future__ import annotations

import argparse
import csv
import errno
import io
import tempfile

import numpy as np
import polars
import pytest

from steelyard._cli import blocks
from steelyard._cli.source import open_source
from steelyard.cli import main
from steelyard.select import facility_location, item_utility, medoids, sensitivity_sample


def reading(*files):
    return argparse.Namespace(file=list(map(str, files)), encoding=None, separator=None, decimal="point")


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


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parquet_is_read_in_blocks(table, capsys, monkeypatch, dtype):
    folder, X, loss = table
    frame = polars.DataFrame({"name": ["a"] * 200, "x": X[:, 0], "y": X[:, 1], "loss": loss}).with_columns(
        polars.col("x", "y").cast(polars.Float32 if dtype == np.float32 else polars.Float64)
    )
    gaps = [3, 70]
    frame[gaps[0], "x"] = None
    frame[gaps[1], "loss"] = float("nan")
    frame.write_parquet(folder / "data.parquet", row_group_size=32)
    monkeypatch.setattr(blocks, "_BLOCK_BYTES", 8 * 3 * 17)  # 17 rows
    stored = blocks.store_points(open_source(reading(folder / "data.parquet"), {}, "point"), "loss")
    whole = np.setdiff1d(np.arange(200), gaps)
    assert isinstance(stored.values, np.memmap)
    assert stored.values.dtype == dtype
    np.testing.assert_array_equal(stored.values, X[whole].astype(dtype))
    np.testing.assert_array_equal(stored.rows, whole)
    np.testing.assert_array_equal(stored.aside, loss[whole])
    want = sensitivity_sample(
        X[whole].astype(dtype), 30, clusters=6, losses=loss[whole], replace=False, rng=0
    )
    out = folder / "rows.csv"
    options = ("--size", "30", "--clusters", "6", "--output", str(out))
    np.save(folder / "all.npy", loss)
    for losses in ("loss", str(folder / "all.npy")):
        assert main(["select", str(folder / "data.parquet"), *options, "--losses", losses]) == 0
        shown = capsys.readouterr().out
        if losses == "loss":
            assert "198 points of 2 columns (columns x, y; 2 rows with a gap left out)" in shown
            with out.open() as stream:
                rows = list(csv.DictReader(stream))
            np.testing.assert_array_equal([int(row["row"]) for row in rows], whole[want.indices])


def test_a_parquet_file_without_room_for_its_numbers_is_said_in_one_line(table, capsys, monkeypatch):
    folder, X, _ = table
    polars.DataFrame({"x": X[:, 0]}).write_parquet(folder / "x.parquet")

    class Full(io.BytesIO):
        def write(self, _):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", Full)
    assert main(["select", str(folder / "x.parquet"), "--size", "5", "--clusters", "2"]) == 2
    assert "set TMPDIR to a folder that has" in capsys.readouterr().err


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
        (("t.parquet", "--size", "5", "--clusters", "2", "--losses", "cost"), "no column of numbers 'cost'"),
        (("t.parquet", "--size", "5", "--clusters", "2", "--losses", "x"), "no column of numbers beside 'x'"),
        (("text.parquet", "--size", "5", "--clusters", "2"), "has no column of numbers (name)"),
        (("one.parquet", "--size", "5", "--clusters", "2"), "has 1 rows with all of x; give at least two"),
        (("x.npy", "--clusters", "2"), "--size"),
        (
            ("z.npy", "--size", "5", "--clusters", "2"),
            "'z.npy' is an archive (.npz); give a file with one array",
        ),
        (("x.npy", "--size", "5", "--clusters", "2", "--losses", "z.npy"), "'z.npy' is an archive (.npz)"),
        (("empty.npy", "--size", "5", "--clusters", "2"), "can't read points from 'empty.npy'"),
        (("text.csv", "--size", "5", "--clusters", "2"), "has no column of numbers (name)\n"),
        (
            ("nowhere.csv", "--size", "5", "--clusters", "2"),
            "give a CSV, Parquet or JSON file, or an array (.npy), or digits\n",
        ),
        (("x.npy", "--size", "5", "--clusters", "201"), "clusters must be at most"),
    ],
)
def test_what_does_not_fit_ends_in_one_line(options, says, table, capsys, monkeypatch):
    monkeypatch.chdir(table[0])
    for name, values in (
        ("t", {"x": [1.0, 2.0]}),
        ("text", {"name": ["a", "b"]}),
        ("one", {"x": [1.0, None]}),
    ):
        polars.DataFrame(values).write_parquet(f"{name}.parquet")
    with open("z.npy", "wb") as stream:
        np.savez(stream, a=np.zeros(3))
    (table[0] / "empty.npy").touch()
    (table[0] / "text.csv").write_text("name\nann\n")
    assert main(["select", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert says in err


@pytest.mark.parametrize(
    ("method", "call"),
    [
        ("medoids", lambda X: medoids(X, 7, rng=0)),
        ("facility", lambda X: facility_location(X, 7, metric="euclidean")),
    ],
)
def test_medoids_and_locations_are_those_of_the_library(table, capsys, method, call):
    folder, X, _ = table
    out = folder / "rows.csv"
    assert (
        main(["select", str(folder / "x.npy"), "--size", "7", "--method", method, "--output", str(out)]) == 0
    )
    assert {"medoids": "no 7 points cost less", "facility": "of the best"}[method] in capsys.readouterr().out
    with out.open() as stream:
        rows = list(csv.DictReader(stream))
    found = call(X)
    assert [int(row["row"]) for row in rows] == found.indices.tolist()
    assert [int(row["weight"]) for row in rows] == np.bincount(found.labels, minlength=7).tolist()


def test_options_of_another_method_are_refused(table, capsys):
    folder, _, _ = table
    for extra, word in (
        (["--method", "medoids", "--clusters", "4"], "--clusters is for"),
        (["--method", "facility", "--losses", "loss"], "--losses is for"),
        ([], "needs --clusters"),
    ):
        assert main(["select", str(folder / "data.csv"), "--size", "7", *extra]) == 2
        assert word in capsys.readouterr().err


def score_file(folder, models=6, items=40):
    rng = np.random.default_rng(1)
    values = np.where(np.arange(items) < 10, np.linspace(-1, 1, models)[:, None], 0)
    values = values + 0.3 * rng.normal(size=(models, items))
    path = folder / "metric.csv"
    with path.open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["item", *(f"m{k}" for k in range(models))])
        rows.writerows([[f"q{j}", *values[:, j].tolist()] for j in range(items)])
    return path, values


@pytest.mark.parametrize("kind", ["consistency", "variance", "diversity", "information"])
def test_items_to_judge_are_those_of_the_library(tmp_path, capsys, kind):
    path, values = score_file(tmp_path)
    out = tmp_path / "items.csv"
    options = ("--size", "8", "--method", "items", "--utility", kind, "--output", str(out), "--top", "3")
    assert main(["select", str(path), *options]) == 0
    shown = capsys.readouterr().out
    want = item_utility(values, kind)
    chosen = want.choose(8).indices
    with out.open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["item"] for row in rows] == [f"q{j}" for j in chosen]
    np.testing.assert_allclose([float(row["utility"]) for row in rows], want.values[chosen], rtol=1e-9)
    assert f"{len(chosen)} items by {kind}" in shown
    assert "6 models, 40 items" in shown
    assert f"... and {len(chosen) - 3} more items (--top 0 shows all)" in shown


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--method", "items", "--clusters", "3"), "--clusters is for --method sensitivity"),
        (("--method", "items", "--metric", "cosine"), "--metric is for --method sensitivity or medoids or"),
        (("--method", "medoids", "--utility", "variance"), "--utility is for --method items"),
        (("--method", "items", "--size", "41"), "--size must be at most the number of items, 40, got 41"),
        (("--method", "items", "--item", "name"), "there is no column 'name'"),
    ],
)
def test_options_that_do_not_go_with_items_are_refused(tmp_path, capsys, options, says):
    path, _ = score_file(tmp_path)
    assert main(["select", str(path), "--size", "5", *options]) == 2
    assert says in capsys.readouterr().err
