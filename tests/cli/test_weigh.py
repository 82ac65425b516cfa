"""`steelyard weigh`, in process and as a command."""

import csv
import gzip
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import steelyard
from steelyard import datasets, weigh
from steelyard._cli import weigh as command
from steelyard.cli import main

POINTS = """name,x,y
ann,0,0
ben,1,0
cat,0,1
dan,1,1
eve,20,30
"""


@pytest.fixture
def file(tmp_path):
    def write(text, name="data.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def refused(capsys, *options):
    """The one line of a run that ends with exit code 2."""
    assert main(["weigh", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("steelyard: ")
    return err


def weighed(capsys, *options):
    """Notes, and the rows of the table with the title first."""
    assert main(["weigh", *options]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    notes, _, table = out.partition("\n\n")
    return notes, table.splitlines()


def column(rows, title):
    """The cells of a column whose cells hold no blanks."""
    place = rows[0].split().index(title)
    return [row.split()[place] for row in rows[1:-1]]


# ---- what is weighed


def test_iris_is_weighed_unaided(capsys):
    notes, rows = weighed(capsys, "iris")
    assert notes.startswith("iris: 150 points of 4 columns: sepal_length, ")
    assert "not used: species" in notes
    assert "standardised" in notes
    assert "0.3 of the number of distinct points" in notes
    assert "1 row repeats another" in notes
    assert rows[0].split()[:3] == ["rank", "row", "weight"]
    assert rows[-1].startswith("... and 140 points with less weight; rows count from 0")
    X = datasets.load_iris().points()
    expected = weigh.weighting((X - X.mean(axis=0)) / X.std(axis=0), scale="fraction")
    assert column(rows, "row") == [str(i) for i in expected.order[:10]]
    assert column(rows, "weight") == [f"{w:.4f}" for w in np.sort(expected.weights)[:-11:-1]]
    assert f"Magnitude {expected.magnitude:.6g}, within " in notes


def test_the_lone_point_weighs_most(file, capsys):
    notes, rows = weighed(capsys, file(POINTS), "--scale", "1", "--no-standardise", "--outliers", "1")
    assert "5 points of 2 columns: x and y; not used: name" in notes
    assert rows[1].split() == ["1", "4", "1.0000", "eve", "20", "30"]
    assert rows[2].startswith("... and 4 points with less weight")


def test_all_points_are_shown_on_demand(file, capsys):
    _, rows = weighed(capsys, file(POINTS), "--outliers", "0")
    assert len(column(rows, "rank")) == 5
    assert rows[-1] == "Rows count from 0"


def test_standardised_columns_have_no_unit(file, capsys):
    path = file("x,y,still\n0,0,7\n1e8,0,7\n0,1e-9,7\n3e8,4e-9,7\n")
    notes, rows = weighed(capsys, path)
    assert "but for still, constant" in notes
    _, again = weighed(capsys, file("x,y\n0,0\n1,0\n0,1\n3,4\n"))
    assert column(rows, "weight") == column(again, "weight")


@pytest.mark.parametrize("metric", ["cosine", "angular", "hamming", "jaccard"])
def test_angles_and_equalities_are_taken_as_they_are(metric, file, capsys):
    path = file("x,y,z\n0,1,1\n1,0,1\n1,1,0\n")
    notes, _ = weighed(capsys, path, "--metric", metric, "--scale", "1")
    assert f"Columns as they are; {metric} distances" in notes


@pytest.mark.parametrize("metric", ["euclidean", "cityblock", "chebyshev", "minkowski(1.5)"])
@pytest.mark.parametrize("scale", ["0.7", "fraction", "convergence", "median", "positive_cutoff"])
def test_every_metric_and_scale_gives_the_weights_of_the_library(metric, scale, file, capsys):
    X = np.random.default_rng(5).normal(size=(12, 2)).round(3)
    path = file("x,y\n" + "".join(f"{x},{y}\n" for x, y in X))
    options = ("--metric", metric, "--scale", scale, "--no-standardise", "--outliers", "0")
    notes, rows = weighed(capsys, path, *options)
    t = float(scale) if scale == "0.7" else scale
    expected = weigh.weighting(X, metric=metric, scale=t)
    assert column(rows, "weight") == [f"{w:.4f}" for w in np.sort(expected.weights)[::-1]]
    assert f"Scale {expected.scale:.6g} " in notes
    assert ("Magnitude" in notes, f"{metric} distances" in notes) == (True, True)


def test_fraction_and_method_are_passed_on(file, capsys):
    notes, _ = weighed(capsys, "iris", "--fraction", "0.5", "--method", "cg", "--tol", "1e-4")
    assert "where the magnitude is 0.5 of" in notes
    assert "Magnitude 74.5" in notes
    assert "gradients" in notes


def test_indefinite_spaces_are_said_to_have_no_bound(file, capsys):
    # The corners and the middles of the sides of a cube: Chebyshev similarities at small scales.
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, size=(80, 6))
    path = file("a,b,c,d,e,f\n" + "".join(",".join(map(str, row)) + "\n" for row in X))
    options = ("--metric", "chebyshev", "--scale", "0.05", "--no-standardise")
    notes, _ = weighed(capsys, path, *options)
    assert "without a bound" in notes
    assert "Note: " in notes
    assert "not positive definite" in notes


# ---- which columns and rows


def test_columns_can_be_named(file, capsys):
    notes, rows = weighed(capsys, file(POINTS), "--columns", "y", "--scale", "1")
    assert "5 points of 1 column: y; not used: name and x" in notes
    assert rows[0].split() == ["rank", "row", "weight", "name", "x", "y"]
    assert "closed form on a line" in notes


def test_rows_with_gaps_are_left_out_and_numbered_as_in_the_file(file, capsys):
    text = "x,y,label\n0,0,a\nNA,1,b\n ,2,c\n1,nan,d\n?,1,e\n1,inf,f\n5,5,\n"
    notes, rows = weighed(capsys, file(text), "--outliers", "0", "--scale", "1")
    assert "2 points of 2 columns: x and y; not used: label" in notes
    assert "5 rows left out: a value is missing or infinite" in notes
    assert sorted(column(rows, "row")) == ["0", "6"]


def test_parquet_json_and_compressed_csv_give_the_same_weights(file, tmp_path, capsys):
    import polars

    path = file(POINTS)
    expected = weighed(capsys, path)[1]
    frame = polars.read_csv(path)
    frame.with_columns(polars.col("x").cast(polars.UInt8)).write_parquet(tmp_path / "v.parquet")
    frame.write_ndjson(tmp_path / "v.ndjson")
    with gzip.open(tmp_path / "v.csv.gz", "wt", encoding="utf-8") as stream:
        stream.write(POINTS)
    for name in ("v.parquet", "v.ndjson", "v.csv.gz"):
        assert weighed(capsys, str(tmp_path / name))[1] == expected


def test_dates_are_no_numbers_but_booleans_are(tmp_path, capsys):
    import polars

    frame = polars.DataFrame({"on": [True, False, True], "x": [0.0, None, 2.5], "day": ["2020-01-01"] * 3})
    frame = frame.with_columns(polars.col("day").str.to_date())
    frame.write_parquet(tmp_path / "v.parquet")
    notes, rows = weighed(capsys, str(tmp_path / "v.parquet"), "--scale", "1")
    assert "2 points of 2 columns: on and x; not used: day" in notes
    assert "1 row left out" in notes
    assert sorted(column(rows, "x")) == ["0", "2.5"]


def test_wide_files_show_their_first_columns(file, capsys):
    text = ",".join(f"c{k}" for k in range(12)) + "\n" + "\n".join(",".join([str(i)] * 12) for i in range(5))
    notes, rows = weighed(capsys, file(text))
    assert "c7 and 4 more" in notes
    assert rows[0].split()[-1] == "c7"
    assert rows[-1] == "Rows count from 0; 4 columns more by --output"


# ---- output


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
def test_tables_written_hold_every_point(suffix, file, tmp_path, capsys):
    text = 'weight,"na""me",x\n0,"Ünï, x",1\n1,,2\n7,c,9\n4,d,NA\n'
    path = tmp_path / f"it's a table.{suffix}"
    weighed(capsys, file(text), "--output", str(path), "--outliers", "1", "--scale", "2")
    if suffix == "csv":
        with path.open(newline="", encoding="utf-8") as stream:
            records = list(csv.DictReader(stream))
    elif suffix == "json":
        records = json.loads(path.read_text(encoding="utf-8"))
    else:
        import polars

        records = polars.read_parquet(path).to_dicts()
    assert list(records[0]) == ["rank", "row", "weight", "weight_", 'na"me', "x"]
    assert [int(record["rank"]) for record in records] == [1, 2, 3]
    by_row = {int(record["row"]): record for record in records}
    assert sorted(by_row) == [0, 1, 2]
    assert [float(by_row[row]["x"]) for row in range(3)] == [1, 2, 9]
    assert [by_row[row]['na"me'] or None for row in range(3)] == ["Ünï, x", None, "c"]
    weights = [float(record["weight"]) for record in records]
    assert weights == sorted(weights, reverse=True)


def test_weights_written_are_those_of_the_library_to_the_last_bit(tmp_path, capsys):
    path = tmp_path / "w.csv"
    weighed(capsys, "iris", "--no-standardise", "--scale", "2", "--output", str(path))
    with path.open(newline="", encoding="utf-8") as stream:
        records = list(csv.DictReader(stream))
    expected = weigh.weighting(datasets.load_iris().points(), scale=2.0)
    assert [int(record["row"]) for record in records] == expected.order.tolist()
    assert [float(record["weight"]) for record in records] == expected.weights[expected.order].tolist()


@pytest.mark.parametrize("columns", ["x,y", "x"])
def test_a_picture_is_drawn(columns, file, tmp_path, capsys):
    path = tmp_path / "weights.png"
    weighed(
        capsys,
        file(POINTS.replace("x,y", "$x,y")),
        "--plot",
        str(path),
        "--columns",
        f"${columns}",
        "--scale",
        "1",
    )
    assert path.read_bytes().startswith(b"\x89PNG")


def test_lines_end_without_blanks_when_piped(file):
    done = subprocess.run(
        [sys.executable, "-m", "steelyard", "weigh", "iris"],
        capture_output=True,
        check=True,
        env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
    )
    lines = done.stdout.decode("ascii").splitlines()
    assert lines == [line.rstrip() for line in lines]


# ---- what a user can put right


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("", (), "is empty; give a file with a header and one point a row"),
        ("a,b\nx,y\n", (), "has no column of numbers (a and b)"),
        ("a\n1\n", (), "has 1 rows with all of a"),
        ("a,b\n1,NA\nNA,1\n", (), "has 0 rows with all of a, b"),
        ("a\n1\n1\n", (), "must have at least 2 distinct points for --scale fraction, got 1"),
        (POINTS, ("--columns", "X"), "no column 'X'; "),
        (POINTS, ("--columns", "x,x"), "--columns names 'x' twice"),
        (POINTS, ("--columns", "x,name"), "'name' of "),
        (POINTS, ("--columns", "x,"), "--columns: must be names"),
        (POINTS, ("--metric", "metres"), "--metric must be one of euclidean, "),
        (POINTS, ("--metric", "minkowski(0)"), "--metric: minkowski(p) needs a number p >= 1"),
        (POINTS, ("--metric", "precomputed"), "a file has points"),
        (POINTS, ("--metric", "jaccard"), "must hold booleans or 0 and 1 for --metric jaccard"),
        (POINTS, ("--metric", "cosine"), "which have no angle: --metric cosine"),
        (POINTS, ("--method", "line"), "--method line needs points with one feature"),
        (POINTS, ("--method", "guess"), "--method"),
        (POINTS, ("--scale", "0"), "--scale: must be a number above 0 or one of fraction, "),
        (POINTS, ("--scale", "big"), "got 'big'"),
        (POINTS, ("--fraction", "1"), "--fraction: must lie between 0 and 1, got '1'"),
        (
            POINTS,
            ("--fraction", "0.1"),
            "--fraction must be above 1 / 5: the magnitude is at least 1, got 0.1; or give --scale",
        ),
        (POINTS, ("--fraction", "0.4", "--scale", "2"), "--fraction goes with --scale fraction"),
        (POINTS, ("--tol", "-1"), "--tol: must be a number above 0"),
        (POINTS, ("--outliers", "-1"), "--outliers"),
        (POINTS, ("--output", "board.doc"), "must end in .csv, .json, .parquet"),
        (POINTS, ("--plot", "board.csv"), "must end in .png"),
    ],
)
def test_wrong_files_and_options_end_in_one_line(text, options, says, file, capsys):
    assert says in refused(capsys, file(text), *options)


def test_local_weights_that_would_be_wrong_are_refused_in_the_words_of_the_command(capsys):
    says = refused(capsys, "iris", "--method", "local", "--scale", "0.01")
    assert "--method local is wrong here" in says
    assert "or --method cg" in says


def test_a_missing_file_is_refused_with_the_data_that_is_there(capsys):
    assert refused(capsys, "nowhere.csv").endswith("give a CSV, Parquet or JSON file, or iris\n")


def test_columns_of_another_type_are_named(tmp_path, capsys):
    import polars

    polars.DataFrame({"x": [1.0, 2.0], "many": [[1], [2]]}).write_parquet(tmp_path / "v.parquet")
    says = refused(capsys, str(tmp_path / "v.parquet"), "--columns", "many")
    assert "'many' of " in says
    assert "holds no numbers but BIGINT[]" in says


@pytest.mark.parametrize(("module", "extra"), [("duckdb", "cli"), ("rich", "cli"), ("matplotlib", "plot")])
def test_a_missing_extra_is_named(module, extra, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    assert f'pip install "steelyard[{extra}]"' in refused(capsys, "iris", "--plot", "x.png")


def test_a_missed_tolerance_is_a_note(capsys):
    notes, _ = weighed(capsys, "iris", "--tol", "1e-30", "--scale", "1")
    assert "Note: " in notes
    assert "accept it by a larger --tol" in notes


def test_a_warning_is_said_once_and_none_is_lost():
    def notes(message, *caught):
        info = SimpleNamespace(message=message, remark=message, merged=0)
        warned = [SimpleNamespace(message=text, category=category) for text, category in caught]
        return command._warned(SimpleNamespace(info=info), warned)

    missed, other = ("who did not reach tol: missed", steelyard.ConvergenceWarning), ("other", UserWarning)
    assert notes("missed", missed, other) == ["Note: missed", "Note: other"]
    assert notes("", other, other) == ["Note: other"]
    assert notes("") == []


def test_ctrl_c_ends_with_130(capsys, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("steelyard.weigh.weighting", interrupt)
    assert main(["weigh", "iris"]) == 130
    assert capsys.readouterr().err == "steelyard: interrupted\n"


def test_the_choices_are_those_of_the_library():
    from steelyard.weigh._choice import METHODS
    from steelyard.weigh._scales import RULES
    from steelyard.weigh._spaces import METRICS

    assert command.SCALE_RULES == RULES
    assert command.METHODS == METHODS
    assert (*command.METRICS, "precomputed") == METRICS


def test_help_names_the_data_and_the_options(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["weigh", "--help"])
    out = capsys.readouterr().out
    assert "iris" in out
    assert "--outliers N" in out


def test_files_of_very_many_columns_are_refused_by_number_at_once(file, capsys):
    names = ",".join(f"c{k}" for k in range(10_001))
    line = ",".join("1" * 10_001)
    said = refused(capsys, file(f"{names}\n{line}\n{line}\n"))
    assert "data.csv has 10,001 columns; up to 10,000 are read from a file" in said
    names = ",".join(f"column{k}" for k in range(60_000))  # the header alone is longer than what is looked at
    assert "data.csv has more than 10,000 columns" in refused(capsys, file(f"{names}\n"))


def test_a_thousand_columns_are_weighed(file, capsys):
    X = np.random.default_rng(0).normal(size=(4, 1000)).round(3)
    text = "\n".join([",".join(f"c{k}" for k in range(1000)), *(",".join(map(str, row)) for row in X)])
    assert main(["weigh", file(text), "--scale", "0.01"]) == 0
    assert "4 points of 1000 columns" in capsys.readouterr().out.replace("1,000", "1000")
