"""`steelyard metric check` and `repair`, in process."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from steelyard import metric
from steelyard.cli import main

TABLE = """item,ann,ben,cat
ann,0,1,5
ben,1,0,1
cat,5,1,0
"""


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "data.csv"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def said(capsys, *options):
    assert main(["metric", *options]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refused(capsys, *options):
    assert main(["metric", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def test_check_names_the_broken_pair(file, capsys):
    lines = said(capsys, "check", file(TABLE)).splitlines()
    assert lines[0].endswith("data.csv: 3 items, not a metric")
    assert lines[1].startswith("1 of 3 triangle inequalities broken")
    assert lines[-2].split() == ["ann", "cat", "ben", "3"]


def test_check_lets_a_slack_pass(file, capsys):
    out = said(capsys, "check", file(TABLE), "--slack", "3")
    assert "3 items, metric" in out
    assert "No triangle is broken" in out


@pytest.mark.parametrize("options", [[], ["--norm", "linf"], ["--decrease-only"]])
def test_repair_writes_what_the_library_finds(file, tmp_path, capsys, options):
    target = tmp_path / "out.csv"
    out = said(capsys, "repair", file(TABLE), "--output", str(target), *options)
    assert "Nearest metric: objective" in out
    with target.open(encoding="utf-8") as stream:
        header, *rows = csv.reader(stream)
    assert header == ["item", "ann", "ben", "cat"]
    assert [row[0] for row in rows] == ["ann", "ben", "cat"]
    found = np.array([[float(cell) for cell in row[1:]] for row in rows])
    norm = "linf" if "linf" in options else "l2"
    expected = metric.nearest_metric(
        [[0.0, 1, 5], [1, 0, 1], [5, 1, 0]], norm=norm, decrease_only="--decrease-only" in options
    )
    np.testing.assert_array_equal(found, expected.distances)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n0,1\n2,0\n", "data.csv must be symmetric"),
        (
            "a,b,c\n0,1,2\n1,0,1\n",
            "must be a square table with one column and one row an item, got 2 rows and 3",
        ),
        ("a,b,c\n0,,2\n1,0,1\n2,1,0\n", "rows with a missing or infinite distance (1)"),
        ("a,b\n1,1\n1,0\n", "data.csv must have a zero diagonal"),
        ("a,b,c\n0,-1,2\n-1,0,1\n2,1,0\n", "negative entries: decrease_only"),
    ],
)
def test_what_is_no_dissimilarity_is_refused(file, capsys, text, message):
    assert message in refused(capsys, "repair", file(text), "--decrease-only")


GAPS = """item,ann,ben,cat,dan
ann,0,1,,6
ben,1,0,1,
cat,,1,0,1
dan,6,,1,0
"""


@pytest.mark.parametrize("options", [[], ["--norm", "l1"], ["--decrease-only"]])
def test_repair_takes_empty_cells_as_unknown_pairs(file, tmp_path, capsys, options):
    target = tmp_path / "out.csv"
    out = said(capsys, "repair", file(GAPS), "--missing", "free", "--output", str(target), *options)
    assert "data.csv: 4 items, 2 of 6 pairs unknown" in out
    assert "Nearest metric: objective" in out
    with target.open(encoding="utf-8") as stream:
        header, *rows = csv.reader(stream)
    assert header == ["item", "ann", "ben", "cat", "dan"]
    found = np.array([[float(cell) for cell in row[1:]] for row in rows])
    nan = np.nan
    expected = metric.nearest_metric(
        [[0, 1, nan, 6], [1, 0, 1, nan], [nan, 1, 0, 1], [6, nan, 1, 0]],
        norm="l1" if "l1" in options else "l2",
        decrease_only="--decrease-only" in options,
        missing="free",
    )
    np.testing.assert_array_equal(found, expected.distances)


def test_repair_names_the_known_pairs_that_change_most(file, capsys):
    lines = said(capsys, "repair", file(GAPS), "--missing", "free").splitlines()
    assert ["ann", "dan", "6", "-0.75"] in [line.split() for line in lines]
    assert lines[-1] == "The known pairs that change most"
    shown = said(capsys, "repair", file(GAPS), "--missing", "free", "--top", "1").splitlines()
    assert len(shown) == len(lines) - 3


def test_repair_says_what_unknown_pairs_do_not_join(file, capsys):
    text = "a,b,c,d\n0,1,,\n1,0,,\n,,0,2\n,,2,0\n"
    out = said(capsys, "repair", file(text), "--missing", "free")
    assert "No known pair changes" in out
    assert "Note: " in out


def test_without_the_option_an_empty_cell_is_refused_and_the_option_named(file, capsys):
    assert "--missing free" in refused(capsys, "repair", file(GAPS))
    assert "must be symmetric" in refused(
        capsys, "repair", file(GAPS.replace("1,0,1,\n", "1,0,1,3\n")), "--missing", "free"
    )


def test_a_table_without_gaps_is_repaired_as_ever_with_the_option(file, capsys):
    assert said(capsys, "repair", file(TABLE), "--missing", "free") == said(capsys, "repair", file(TABLE))


def test_wrong_use_is_explained(file, capsys):
    assert "there is no file 'nowhere.csv'; give a CSV, Parquet or JSON file\n" in refused(
        capsys, "check", "nowhere.csv"
    )
    assert "invalid choice: 'mend'" in refused(capsys, "mend", file(TABLE))


PAIRS = """record,other,weight
a,b,1
b,c,2
c,a,1
d,e,1
c,d,-1
f,f,1
"""


def test_cluster_shows_and_writes_what_the_library_finds(file, tmp_path, capsys):
    target = tmp_path / "out.csv"
    out = said(capsys, "cluster", file(PAIRS), "--output", str(target)).splitlines()
    assert out[0].endswith("data.csv: 6 items in 3 clusters (signed)")
    assert out[1] == "Cost 0, no clustering costs less than 0 (ratio 1)"
    assert out[2] == "1 rows join an item to itself and say nothing"
    assert out[-3].split(maxsplit=2) == ["0", "3", "a, b, c"]
    with target.open(encoding="utf-8") as stream:
        assert list(csv.reader(stream)) == [
            ["item", "cluster"],
            *([name, str(label)] for name, label in zip("abcdef", [0, 0, 0, 1, 1, 2], strict=True)),
        ]


def test_cluster_reads_pairs_without_weights_as_a_graph(file, capsys):
    text = "left,right\na,b\nb,a\nb,c\nc,a\nc,d\nd,e\ne,f\nf,d\n,x\n"
    out = said(capsys, "cluster", file(text), "--top", "1").splitlines()
    assert out[0].endswith("6 items in 2 clusters (graph)")
    assert out[1].startswith("Cost 1, no clustering costs less than 1")
    assert out[2] == "1 rows without two items or a weight left out"
    assert out[-1] == "1 smaller clusters not shown: --top 0 shows all"
    fine = said(capsys, "cluster", file(text), "--formulation", "graph", "--resolution", "1.5")
    assert "6 items in 6 clusters" in fine


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("x,y,z\n1,2,3\n", [], "can't tell which columns"),
        ("left,right\n1,2\n", ["--weight", "wieght"], "--weight: there is no column 'wieght'"),
        ("left,right,weight\n1,2,3\n2,1,4\n", [], "gives the pair '1', '2' two weights, 3 and 4"),
        ("left,right,weight\n1,2,\n", [], "has no row with two items and a weight"),
        ("left,right,weight\n1,2,3\n", [], "--formulation signed"),
        (
            "left,right,weight\n1,2,3\n1,3,1\n",
            ["--formulation", "wang"],
            "zeros and ones for --formulation wang",
        ),
        ("left,right,weight\n1,2,-3\n", ["--formulation", "graph"], "data.csv must have no entry below 0"),
        (
            "left,right\n1,2\n",
            ["--formulation", "signed", "--resolution", "2"],
            "--resolution goes with --formulation graph, got --formulation signed",
        ),
    ],
)
def test_cluster_refuses_what_it_cannot_read(file, capsys, text, options, message):
    assert message in refused(capsys, "cluster", file(text), *options)


@pytest.mark.parametrize(
    ("action", "options"),
    [
        ("check", ["--left", "a"]),
        ("check", ["--tol", "1"]),
        ("check", ["--norm", "linf"]),
        ("check", ["--missing", "free"]),
        ("check", ["--output", "x.csv"]),
        ("repair", ["--weight", "a"]),
        ("cluster", ["--slack", "1"]),
        ("cluster", ["--norm", "l1"]),
    ],
)
def test_options_of_another_command_are_refused(action, options, file, capsys):
    said = refused(capsys, action, file(TABLE), *options)
    assert f"unrecognized arguments: {' '.join(options)} (see steelyard metric {action} --help)" in said


def test_a_table_without_numbers_is_told_without_options_that_are_not_there(file, capsys):
    assert refused(capsys, "check", file("a,b\nx,y\n")).endswith("has no column of numbers (a and b)\n")


def test_the_notes_are_the_lines_of_the_report(file, capsys):
    rows = np.array([[0.0, 9, -1, 0], [9, 0, 1, 2], [-1, 1, 0, 3], [0, 2, 3, 0]])
    text = "a,b,c,d\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)
    notes = said(capsys, "check", file(text)).split("\n\n")[0].splitlines()
    lines = [line for line in repr(metric.violations(rows)).splitlines() if not line.startswith("worst")]
    assert [notes[0].partition(": ")[2], *notes[1:]] == [lines[0].partition(": ")[2], *lines[1:]]
    assert len(lines) == 4


def test_cluster_takes_probabilities_and_a_time(file, tmp_path, capsys):
    text = "a,b,weight\nx,y,0.9\ny,z,0.8\nx,z,0.4\nz,w,0.1\n"
    out = said(capsys, "cluster", file(text), "--logit", "--max-seconds", "5").splitlines()
    found = metric.cluster_edges([0, 1, 0, 2], [1, 2, 2, 3], [0.9, 0.8, 0.4, 0.1], formulation="probability")
    assert out[0].endswith("4 items in 2 clusters (probability)")
    assert out[1].startswith(f"Cost {found.cost:.6g}, no clustering costs less than {found.lower_bound:.6g}")
    timed = said(capsys, "cluster", file(PAIRS), "--max-seconds", "5").splitlines()
    assert timed[0].endswith("6 items in 3 clusters (signed)")
    assert "leave out --formulation" in refused(
        capsys, "cluster", file(text), "--logit", "--formulation", "graph"
    )
    assert "weight must lie in 0 .. 1" in refused(capsys, "cluster", file("a,b,weight\nx,y,3\n"), "--logit")


def test_ctrl_c_shows_the_best_clusters_so_far(file, capsys, monkeypatch):
    found = metric.cluster_edges([0, 1], [1, 2], [1.0, -1.0])

    def stop(*_, **__):
        error = KeyboardInterrupt("interrupted")
        error.partial = found
        raise error

    monkeypatch.setattr(metric, "correlation_clustering", stop)
    assert main(["metric", "cluster", file("a,b,weight\nx,y,1\ny,z,-1\n")]) == 130
    assert "Interrupted: the best so far" in capsys.readouterr().out


def test_the_notes_of_clusters_are_those_of_the_result(file, capsys):
    out = said(capsys, "cluster", file(PAIRS)).splitlines()
    S = np.zeros((6, 6))
    for i, j, w in ((0, 1, 1), (1, 2, 2), (0, 2, 1), (3, 4, 1), (2, 3, -1)):
        S[i, j] = S[j, i] = w
    first, second = repr(metric.correlation_clustering(S, rng=0)).splitlines()
    assert out[0].endswith(first.partition(": ")[2])
    assert out[1] == second.capitalize()


def test_repair_takes_the_sum_of_changes(file, capsys):
    assert "(l1)" in said(capsys, "repair", file(TABLE), "--norm", "l1")
