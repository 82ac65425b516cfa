"""Files as people have them: separators, encodings, packings, patterns, pipes; bad rows by file and line."""

from __future__ import annotations

import bz2
import codecs
import contextlib
import csv
import gzip
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steelyard._cli.inputs import open_inputs
from steelyard._cli.readers import CsvReader, reader_of
from steelyard.cli import main
from support.process import call_in_copy

VOTES = "left,right,winner\nann,josé,left\njosé,ann,left\nann,josé,tie\n"


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(data, name="data.csv"):
        (tmp_path / name).write_bytes(data if isinstance(data, bytes) else data.encode())
        return name

    return write


def board(capsys, *arguments):
    assert main(["rank", *arguments]) == 0
    return capsys.readouterr().out


@pytest.fixture(scope="module")
def plain_board(tmp_path_factory):
    """Of the votes as they are, without the name of the file."""
    path = tmp_path_factory.mktemp("plain") / "plain.csv"
    path.write_text(VOTES, encoding="utf-8")
    with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), encoding="utf-8")) as shown:
        assert main(["rank", str(path)]) == 0
    shown.seek(0)
    return shown.read().partition(":")[2]


def refused(capsys, *arguments):
    assert main(list(arguments)) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", VOTES.replace(",", ";")),
        ("a.tsv", VOTES.replace(",", "\t")),
        ("a.txt", VOTES.replace(",", "|")),
        ("a.csv", VOTES.replace("\n", "\r\n")),
        ("a.csv", VOTES.replace("\n", "\r\n", 2)),
        ("a.csv", VOTES.replace("\n", "\n\n").replace("\n\n", "\n  \n", 1)),
        ("a.csv", "\n\n" + VOTES),
        ("a.csv", VOTES.replace("\n", ",,\n")),
        ("a.csv", VOTES + ",,\n"),
        ("a.csv", VOTES.replace("left,right", " left , right")),
        ("a.csv", codecs.BOM_UTF8 + VOTES.encode()),
        ("a.csv", VOTES.encode("utf-16")),
        ("a.csv", VOTES.encode("utf-16-le")),
        ("a.csv", VOTES.encode("utf-16-be")),
        ("a.dat", gzip.compress(VOTES.encode())),
        ("a.csv.gz", gzip.compress(VOTES.encode("utf-16"))),
        ("a.csv.bz2", bz2.compress(VOTES.encode())),
    ],
    ids=range(17),
)
def test_the_same_votes_in_any_dress_give_the_same_board(name, data, plain_board, file, capsys):
    assert board(capsys, file(data, name)).partition(":")[2] == plain_board


def test_latin_1_is_named_by_the_message_and_read_by_the_option(file, capsys):
    name = file(VOTES.encode("latin-1"))
    said = refused(capsys, "rank", name)
    assert said == (
        "steelyard: data.csv line 2 is not UTF-8 (byte 0xe9): give its encoding, such as "
        "--encoding latin-1 or cp1252\n"
    )
    assert "josé" in board(capsys, name, "--encoding", "latin-1")
    assert "must be an encoding" in refused(capsys, "rank", name, "--encoding", "runes")
    assert "is not written in utf-16" in refused(capsys, "rank", name, "--encoding", "utf-16")


WITH_COMMAS = "x;y;name\n1,5;2;a\n-0,25;1.234,5;b\n3;,5;c\n"


def test_numbers_with_a_decimal_comma_are_named_by_line_and_read_by_the_option(file, capsys):
    """A column of them is no column of texts, also where others are plain."""
    name = file(WITH_COMMAS)
    for command in (
        ["weigh", name],
        ["weigh", name, "--columns", "x"],
        ["balance", name, "--treatment", "name"],
    ):
        said = refused(capsys, command[0], name, *command[1:])
        assert said == (
            "steelyard: column 'x' holds numbers with a decimal comma, such as '1,5' in data.csv line 2: "
            "--decimal comma reads them\n"
        )
    assert main(["weigh", name, "--scale", "1", "--decimal", "comma", "--output", "read.csv"]) == 0
    capsys.readouterr()
    with open("read.csv", newline="") as stream:
        rows = sorted((row["name"], float(row["x"]), float(row["y"])) for row in csv.DictReader(stream))
    assert rows == [("a", 1.5, 2.0), ("b", -0.25, 1234.5), ("c", 3.0, 0.5)]
    table = file("a;b;c\n0;2,5;3,2\n2,5;0;0,9\n3,2;0,9;0\n", "table.csv")
    assert "column 'a' holds numbers with a decimal comma" in refused(capsys, "metric", "check", table)
    assert main(["metric", "check", table, "--decimal", "comma"]) == 0


def test_weights_with_a_decimal_comma_are_refused_with_the_option_that_reads_them(file, capsys):
    name = file("left;right;winner;weight\nann;ben;left;1,5\nben;ann;left;2,5\n")
    assert refused(capsys, "rank", name, "--weight", "weight") == (
        "steelyard: column 'weight' must hold numbers, got '1,5' in data.csv line 2; "
        "--decimal comma reads numbers with a decimal comma\n"
    )
    plain = file("left,right,winner,weight\nann,ben,left,1.5\nben,ann,left,2.5\n", "plain.csv")
    found = [board(capsys, name, "--decimal", "comma"), board(capsys, plain)]
    assert found[0].partition(",")[2] == found[1].partition(",")[2]


def test_more_rounds_than_memory_holds_are_refused_in_a_line(file, capsys):
    said = refused(capsys, "rank", file(VOTES), "--ties", "half", "--prior", "1", "--bootstrap", "9999999999")
    assert said.startswith("steelyard: --bootstrap 9999999999 is too much: n_rounds=9999999999 asks for")


@pytest.mark.parametrize(
    "command",
    [
        "rank",
        "history",
        "weigh",
        "metric check",
        "metric cluster",
        "metric repair",
        "select --size 2 --clusters 1",
    ],
)
def test_every_command_reads_by_the_same_reader(command, file, capsys):
    name = file(VOTES.encode("latin-1"))
    assert "data.csv line 2 is not UTF-8" in refused(capsys, *command.split(), name)
    assert "is a zip archive or a sheet of Excel" in refused(
        capsys, *command.split(), file(b"PK\x03\x04...", "a.xlsx")
    )
    assert "no file fits 'zz*.csv'" in refused(capsys, *command.split(), "zz*.csv")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("a,b,x\n", "'x' in column 'winner' (data.csv line 5)"),
        ('"a\nz",b,x\n', "'x' in column 'winner' (data.csv line 5)"),
        ("\n\na,b,x\n", "'x' in column 'winner' (data.csv line 7)"),
        ("a,b\n", "first: data.csv line 5); drop them, or give --skip-blank"),
        ("a,b,left,c\n", "data.csv line 5 has 4 fields, the header 3"),
        ('a,"b,left\n', "data.csv line 5: a quoted field is not closed"),
        ("a,a,left\n", "1 rows compare an item with itself (first: data.csv line 5, a in column"),
        (",a,left\n", "column 'left' has missing labels (first: data.csv line 5)"),
    ],
)
def test_a_bad_row_is_named_by_its_file_and_line(data, says, file, capsys):
    name = file('left,right,winner\nann,ben,left\n"ben\n",ann,left\n' + data)
    assert says in refused(capsys, "rank", name)


def test_a_bad_row_of_several_files_is_named(file, capsys):
    file(VOTES, "v1.csv")
    file(VOTES.replace(",", ";"), "v2.csv")
    file(
        '{"left": "ann", "right": "josé", "winner": "left"}\n\n{"left": "a", "right": "b", "winner": "x"}\n',
        "v3.jsonl",
    )
    assert "(v3.jsonl line 3)" in refused(capsys, "rank", "v*")
    file(VOTES.replace("tie", "x").replace(",", ";"), "v2.csv")
    assert "(v2.csv line 4)" in refused(capsys, "rank", "v?.csv")
    out = board(capsys, "v?.csv", "--outcome-map", "x=tie")
    assert out.startswith("v1.csv and 1 more: 6 comparisons of 2 items")
    file('{"left": "ann"}\n{"left": }\n', "v4.jsonl")
    assert "v4.jsonl line 2 is no JSON" in refused(capsys, "rank", "v4.jsonl")


def test_columns_of_several_files_are_matched_by_name(file, capsys):
    file(VOTES, "a.csv")
    file("winner,id,right,left\nleft,1,ann,josé\n", "b.csv")
    import polars

    polars.read_csv("a.csv").write_parquet("c.parquet")
    assert ": 7 comparisons of 2 items" in board(capsys, "a.csv", "b.csv", "c.parquet")


def piped(*arguments, data, copies):
    """Exit code and output of the command with `data` piped into it, and `copies` for its own files."""
    return call_in_copy(command, arguments, data, str(copies), loads=__file__)


def command(arguments, data, copies):
    """In a process of its own, whose standard streams it may take."""
    ours, theirs = os.pipe()
    os.write(theirs, data)  # little enough for the pipe to hold
    os.close(theirs)
    os.dup2(ours, 0)
    sys.stdin = open(0)  # noqa: SIM115
    tempfile.tempdir = copies
    with tempfile.TemporaryFile(dir=Path(copies).parent) as output:
        os.dup2(output.fileno(), 1)
        code = main(list(arguments))
        sys.stdout.flush()
        output.seek(0)
        return code, output.read()


@pytest.mark.parametrize(
    "data", [VOTES.encode(), gzip.compress(VOTES.encode()), VOTES.encode("utf-16")], ids=range(3)
)
def test_the_standard_input_is_read_once_and_leaves_no_copy(data, tmp_path):
    copies = tmp_path / "copies"
    copies.mkdir()
    code, output = piped("rank", "-", data=data, copies=copies)
    assert code == 0
    assert output.startswith(b"standard input: 3 comparisons of 2 items")
    assert list(copies.iterdir()) == []


def test_a_pipe_that_is_not_clean_is_still_read_once(tmp_path):
    _, output = piped("rank", "/dev/stdin", data=VOTES.replace("\n", "\n  \n", 2).encode(), copies=tmp_path)
    assert b": 3 comparisons of 2 items" in output


@pytest.mark.serial
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_pipe_without_a_writer_waits_and_a_signal_ends_it(number, code, tmp_path):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    copies = tmp_path / "copies"
    copies.mkdir()
    program = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    program += "from steelyard.cli import main; print('here', flush=True); sys.exit(main(sys.argv[1:]))"
    with subprocess.Popen(
        [sys.executable, "-c", program, "rank", str(pipe)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(copies)},
    ) as process:  # fmt: skip
        process.stdout.readline()
        deadline = time.monotonic() + 20
        while not list(copies.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.2)
        assert process.poll() is None
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert err.count(b"\n") == 1
    assert list(copies.iterdir()) == []


def test_no_room_for_a_copy_is_said(run_python):
    program = (
        "import io, resource, sys; from steelyard.cli import main\n"
        "sys.stdin = io.TextIOWrapper(io.BytesIO(b'a,b\\n' * 9999))\n"
        "sys.dont_write_bytecode = True  # as in test_files.py\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); sys.exit(main(['rank', '-']))"
    )
    said = run_python(program, check=False)
    assert "for a copy of what is read; set TMPDIR" in said
    assert "Traceback" not in said


def test_a_signal_while_writing_leaves_the_old_file(file, tmp_path, monkeypatch, capsys):
    from steelyard._cli import write

    def half(columns, path):
        path.write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)

    monkeypatch.setattr(write, "_write_csv", half)
    (tmp_path / "old.csv").write_bytes(b"old")
    assert main(["rank", file(VOTES), "--output", "old.csv"]) == 143
    assert capsys.readouterr().err == "steelyard: ended by a signal\n"
    assert (tmp_path / "old.csv").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.csv", "old.csv"]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_an_output_that_a_pattern_reads_is_refused(file, capsys):
    file(VOTES, "v1.csv")
    file(VOTES, "v2.csv")
    assert "is the file that is read" in refused(capsys, "rank", "v*.csv", "--output", "v2.csv")


# ---- formulas and twins


@pytest.mark.parametrize("name", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "  =1"])
def test_a_name_is_no_formula_in_a_spreadsheet_unless_asked(name, file, capsys, tmp_path):
    text = io.StringIO()
    csv.writer(text).writerows([["left", "right", "winner"], [name, "b", "left"], ["b", name, "left"]])
    for options, shown in (((), "'" + name), (("--verbatim",), name)):
        board(capsys, file(text.getvalue()), "--output", "out.csv", *options)
        with open("out.csv", newline="", encoding="utf-8") as stream:
            assert {row["item"] for row in csv.DictReader(stream)} == {shown, "b"}
    board(capsys, "data.csv", "--output", "out.json")
    assert "'" + name not in (tmp_path / "out.json").read_text()


def test_numbers_and_names_that_are_numbers_stay(file, capsys):
    board(
        capsys, file("left,right,winner\n-5,+3,left\n+3,-5,left\n"), "--output", "out.csv", "--scale", "log"
    )
    with open("out.csv", newline="") as stream:
        assert {row["item"] for row in csv.DictReader(stream)} == {"-5", "+3"}


def test_twins_are_a_note_on_every_command(file, capsys):
    name = file("left,right,winner\na,b,left\nb,a,left\na ,b,left\nb,a ,left\n")
    assert "Note: labels in column 'left' and column 'right' that look alike" in board(capsys, name)
    assert main(["metric", "cluster", name]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "Note: items that look alike count as different: 'a' and 'a '" in out


# ---- any file


CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=6),
    separator=st.sampled_from(",;\t|"),
    newline=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    packed=st.booleans(),
)
def test_any_table_is_read_as_it_was_written(rows, separator, newline, encoding, packed, tmp_path):
    import duckdb

    text = io.StringIO(newline="")
    table = csv.writer(text, delimiter=separator, lineterminator=newline, quoting=csv.QUOTE_ALL)
    table.writerows([["one", "two", "three"], *rows])
    data = text.getvalue().encode(encoding)
    path = tmp_path / "any.csv"
    path.write_bytes(gzip.compress(data) if packed else data)
    inputs = open_inputs([str(path)], None, "row")
    (found,) = inputs.files
    reader = reader_of(found, inputs, separator)
    connection = duckdb.connect()
    for _ in range(2):  # by DuckDB as it is, and by the clean copy
        read = reader.relation(connection, [reader.copy or str(found.path)]).fetchall()
        assert [[cell or "" for cell in row] for row in read] == rows
        assert isinstance(reader, CsvReader)
        reader.mend()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(st.binary(max_size=80), st.text('ab,;"\n\r[]{}:-/0129é ', max_size=60).map(str.encode)))
def test_any_bytes_end_in_a_board_or_in_one_line(data, tmp_path, capsys):
    path = tmp_path / "any.dat"
    path.write_bytes(b"left,right,winner,date\n" + data)
    code = main(["rank", str(path), "--since", "1900"])
    err = capsys.readouterr().err
    assert code == 0 or (code == 2 and err.startswith("steelyard: ") and err.count("\n") == 1)
    path.write_bytes(data)
    assert main(["weigh", str(path)]) in (0, 2)
    capsys.readouterr()
