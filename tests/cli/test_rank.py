"""`steelyard rank`, in process and as a command."""

import csv
import gzip
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from steelyard.cli import main

VOTES = """model_a,model_b,winner
ann,ben,model_a
ann,ben,model_b
ann,ben,model_a
ben,cat,tie
cat,ann,model_a
cat,ben,tie (bothbad)
"""

GAMES = """date,home_team,away_team,home_score,away_score,neutral
2019-05-01,ann,ben,2,1,FALSE
2020-05-01,ben,ann,1,0,FALSE
2020-06-01,ben,cat,1,1,FALSE
2021-02-03,cat,ann,3,2,FALSE
2021-02-04,ann,cat,1,0,TRUE
2021-03-01,ben,cat,0,2,TRUE
2021-03-02,ann,ben,NA,NA,FALSE
"""
STYLED = "left,right,winner,length,lists,decides\n" + "".join(
    f"{a},{b},{winner},{length},{lists},{1 if winner == 'left' else -1}\n"
    for a, b in ("xy", "yz", "zx")
    for winner, length, lists in (
        ("left", 3, 0),
        ("left", 1, 1),
        ("right", 2, 0),
        ("right", -2, 1),
        ("left", -1, 0),
    )
)


@pytest.fixture
def file(tmp_path):
    def write(text, name="data.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "steelyard", *arguments],
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
    )


def refused(capsys, *arguments):
    """The one line of a run that ends with exit code 2."""
    assert main(["rank", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("steelyard: ")
    return err


def board(capsys, *arguments):
    """Notes and the rows of the table, rank first."""
    assert main(["rank", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    notes, _, table = out.partition("\n\n")
    return notes, table.splitlines()[1:]


# ---- columns


@pytest.mark.parametrize("names", ["model_a,model_b,winner", "left,right,winner", "Model_A,Model_B,Winner"])
def test_known_columns_are_recognised_unaided(names, file, capsys):
    text = VOTES.replace("model_a,model_b,winner", names, 1)
    text = text.replace("model_a", names.split(",")[0]).replace("model_b", names.split(",")[1])
    notes, rows = board(capsys, file(text))
    assert "6 comparisons of 3 items" in notes
    assert len(rows) == 3


def test_games_with_scores_fit_home_advantage_and_skip_what_was_not_played(file, capsys):
    notes, rows = board(capsys, file(GAMES), "--prior", "1")
    assert "6 comparisons of 3 items" in notes
    assert "home advantage" in notes
    assert len(rows) == 3
    notes, _ = board(capsys, file(GAMES), "--prior", "1", "--no-home")
    assert "home advantage" not in notes


def test_columns_can_be_named(file, capsys):
    text = VOTES.replace("model_a,model_b,winner", "white,black,result", 1)
    text = text.replace("model_a", "W").replace("model_b", "B")
    options = ("--left", "white", "--right", "black", "--outcome", "result")
    notes, _ = board(capsys, file(text), *options, "--outcome-map", "W=left,B=right")
    assert "6 comparisons of 3 items" in notes
    assert "--outcome-map" in refused(capsys, file(text), *options)


def test_numbers_as_outcomes_need_a_map_in_csv_and_parquet_alike(file, tmp_path, capsys):
    import polars

    path = file("left,right,r\na,b,1\nb,a,1\na,b,0\n")
    options = ("--left", "left", "--right", "right", "--outcome", "r", "--outcome-map", "1=left,0=right")
    notes, _ = board(capsys, path, *options)
    assert "3 comparisons" in notes
    polars.read_csv(path).write_parquet(tmp_path / "data.parquet")
    again, _ = board(capsys, str(tmp_path / "data.parquet"), *options)
    assert again.partition(":")[2] == notes.partition(":")[2]


def test_an_advantage_of_the_first_side_is_fitted_on_demand(file, capsys):
    notes, _ = board(capsys, file(VOTES), "--home", "--prior", "1")
    assert "home advantage" in notes


def test_parquet_json_and_compressed_csv_give_the_same_board(file, tmp_path, capsys):
    import polars

    path = file(VOTES)
    expected = board(capsys, path)[1]
    frame = polars.read_csv(path)
    frame.write_parquet(tmp_path / "v.parquet")
    frame.write_ndjson(tmp_path / "v.ndjson")
    with gzip.open(tmp_path / "v.csv.gz", "wt", encoding="utf-8") as stream:
        stream.write(VOTES)
    for name in ("v.parquet", "v.ndjson", "v.csv.gz"):
        assert board(capsys, str(tmp_path / name))[1] == expected


def test_a_file_name_is_no_pattern(file, capsys):
    notes, _ = board(capsys, file(VOTES, "a[1]?*.csv"))
    assert "6 comparisons" in notes


# ---- what is fitted


def test_the_largest_group_is_ranked_and_the_rest_is_named(file, capsys):
    notes, rows = board(capsys, file(VOTES + "dan,eve,tie\n"))
    assert "2 items left out: no chain of comparisons joins them to the other 3 (dan and eve)" in notes
    assert len(rows) == 3


def test_a_prior_is_set_where_the_optimum_is_infinite_and_said(file, capsys):
    text = VOTES + "dan,ann,model_a\n"
    notes, rows = board(capsys, file(text))
    assert "A prior of 1 keeps the ratings finite" in notes
    assert "dan never lost" in notes
    assert rows[0].split()[:2] == ["1?", "dan"]
    assert "? is provisional" in notes
    assert "Use --prior 1" in refused(capsys, file(text), "--prior", "0")


def test_maximum_likelihood_is_the_default_where_it_is_finite(file, capsys):
    notes, _ = board(capsys, file(VOTES))
    assert "maximum likelihood" in notes


def test_parameters_without_an_optimum_are_named_with_a_way_out(file, capsys):
    says = refused(capsys, file("left,right,winner\na,b,a\nb,a,b\n"), "--prior", "1", "--home")
    assert "home_advantage has no finite optimum on this data: the likelihood keeps rising" in says
    assert says.endswith("as it goes to infinity; leave it out by --no-home\n")
    header, *rows = STYLED.splitlines()
    text = "\n".join([f"{header},twice", *(f"{row},{2 * float(row.split(',')[3])}" for row in rows)])
    says = refused(capsys, file(text), "--prior", "1", "--covariates", "length,twice")
    assert "twice has no finite optimum on this data: the data does not determine it" in says
    assert says.endswith("with other strengths); leave it out of --covariates\n")


def test_since_and_until_take_years_months_and_days(file, capsys):
    path = file(GAMES)
    for options, games in [
        (("--since", "2020"), 5),
        (("--until", "2020"), 3),
        (("--since", "2020-06", "--until", "2021-02"), 3),
        (("--since", "2021-02-04", "--until", "2021-03-01"), 2),
    ]:
        notes, _ = board(capsys, path, "--prior", "1", "--no-home", *options)
        assert f": {games} comparisons" in notes, options


def test_years_are_numbers_and_bound_a_period(file, capsys):
    path = file("year,left,right,winner\n1999,a,b,a\n2001,a,b,b\n2003,a,b,a\n2004,a,b,b\n")
    notes, _ = board(capsys, path, "--since", "2001", "--until", "2003")
    assert "times 2001 to 2003 (numbers): 2 comparisons" in notes


def test_items_with_few_games_are_left_out(file, capsys):
    notes, rows = board(capsys, file(VOTES + "dan,ann,tie\n"), "--min-games", "2")
    assert "1 item left out: fewer than 2 comparisons" in notes
    assert len(rows) == 3


def test_clusters_and_bootstraps_are_named_in_the_notes(file, capsys):
    rows = VOTES.splitlines()
    text = "\n".join([rows[0] + ",judge"] + [f"{row},{k % 3}" for k, row in enumerate(rows[1:] * 4)]) + "\n"
    notes, _ = board(capsys, file(text), "--cluster", "judge")
    assert "sandwich errors by cluster" in notes
    notes, rows = board(capsys, file(text), "--bootstrap", "50", "--prior", "1")
    assert "50 bootstrap rounds" in notes
    assert board(capsys, file(text), "--bootstrap", "50", "--prior", "1")[1] == rows


@pytest.mark.parametrize(("scale", "unit"), [("elo", " Elo"), ("log", "")])
def test_ratings_are_net_of_covariates_and_their_effects_are_said(scale, unit, file, capsys):
    notes, _ = board(capsys, file(STYLED), "--covariates", "length,lists", "--scale", scale)
    for name in ("length", "lists"):
        assert re.search(rf"{name} [+-][\d.]+ \+- [\d.]+{unit}[,;]", notes), notes


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper", "half", "drop"])
@pytest.mark.parametrize("scale", ["elo", "log", "probability"])
def test_every_model_of_ties_and_every_scale_is_shown(ties, scale, file, capsys):
    _, rows = board(capsys, file(VOTES), "--ties", ties, "--scale", scale, "--prior", "1")
    assert [row.split()[0] for row in rows] == ["1?", "2?", "3"]


# ---- the data that comes with the package


def test_football_ranks_the_last_eight_years(capsys):
    notes, rows = board(capsys, "football", "--top", "3")
    assert notes.startswith("football, 2018-07-")
    assert "teams left out: no chain of matches" in notes
    assert "home advantage +" in notes
    assert "prior 1" in notes
    assert len(rows) == 4
    assert rows[3].startswith("... and ")


@pytest.mark.parametrize("until", ["0005", "0008", "0009"])
def test_football_before_there_was_any_ends_in_one_line(until, capsys):
    says = refused(capsys, "football", "--until", until)
    assert re.search(rf"football has no rows from 000[12]-01-01 to {until}-12-31", says)


def test_a_period_may_end_with_the_calendar(file, capsys):
    notes, _ = board(capsys, file(GAMES), "--prior", "1", "--until", "9999-12")
    assert "6 comparisons" in notes


def test_football_since_1872_ranks_all_years(capsys):
    notes, _ = board(capsys, "football", "--since", "1872")
    assert notes.startswith("football, 1872-11-30 to ")


def test_llmfao_is_clustered_by_worker(capsys):
    notes, _ = board(capsys, "llmfao", "--top", "3")
    assert "8,931 votes of 59 models" in notes
    assert "by cluster" in notes


# ---- output


def test_long_names_are_neither_wrapped_nor_cut_when_piped(file):
    name = "a very long name " * 20 + "end"
    done = run("rank", file(VOTES.replace("ann", name)))
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.decode().splitlines() if name in line]
    assert len(lines) == 1
    assert "\x1b" not in done.stdout.decode()


def test_an_ascii_locale_loses_accents_and_nothing_else(file):
    done = run(
        "rank", file(VOTES.replace("ann", "Curaçao").replace("ben", "日本")),
        LC_ALL="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii", PYTHONCOERCECLOCALE="0",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode("ascii")
    assert "Curacao" in text
    assert "\\u65e5\\u672c" in text
    rows = text.split("\n\n")[1].splitlines()
    assert len({len(row) for row in rows}) == 1


def test_an_ascii_locale_shows_football(file):
    done = run(
        "rank",
        "football",
        "--top",
        "0",
        "--since",
        "2024",
        LC_ALL="C",
        PYTHONUTF8="0",
        PYTHONIOENCODING="ascii",
    )
    assert done.returncode == 0, done.stderr
    assert b"Curacao" in done.stdout


def test_control_characters_in_names_do_not_reach_the_terminal(file, capsys):
    _, rows = board(capsys, file(VOTES.replace("ann", '"a\nn\x1b[31m"')))
    assert any("a\\nn\\x1b[31m" in row for row in rows)


def test_a_terminal_gets_a_table_with_all_of_every_name(file):
    ours, theirs = pty.openpty()
    arguments = [sys.executable, "-m", "steelyard", "rank", file(VOTES.replace("ann", "[b]ann[/b]"))]
    with subprocess.Popen(
        arguments, stdout=theirs, stderr=theirs, env={**os.environ, "COLUMNS": "80"}
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux: the other end is closed
                break
            if not part:
                break
            shown += part
        assert process.wait() == 0, shown
    os.close(ours)
    assert "[b]ann[/b]" in shown.decode()
    assert "rank set" in shown.decode()


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet"])
def test_tables_written_hold_every_item(suffix, file, tmp_path, capsys):
    path = tmp_path / f"it's a board.{suffix}"
    _, rows = board(capsys, file(VOTES.replace("ann", '"Ünï, ""x"""')), "--output", str(path), "--top", "1")
    assert len(rows) == 2
    if suffix == "csv":
        with path.open(newline="", encoding="utf-8") as stream:
            records = list(csv.DictReader(stream))
    elif suffix == "json":
        records = json.loads(path.read_text(encoding="utf-8"))
    else:
        import polars

        records = polars.read_parquet(path).to_dicts()
    assert [int(record["rank"]) for record in records] == [1, 2, 3]
    assert 'Ünï, "x"' in {record["item"] for record in records}
    for record in records:
        assert float(record["lower"]) <= float(record["rating"]) <= float(record["upper"])
        assert 1 <= int(record["rank_lower"]) <= int(record["rank"]) <= int(record["rank_upper"]) <= 3


def test_a_picture_is_drawn(file, tmp_path, capsys):
    path = tmp_path / "board.png"
    board(capsys, file(VOTES), "--plot", str(path))
    assert path.read_bytes().startswith(b"\x89PNG")


# ---- what a user can put right


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        ("", (), "is empty"),
        ("model_a,model_b,winner\n", (), "empty"),
        ("x,y,z\na,b,c\n", (), "--left, --right and --outcome"),
        ("left,right,z\na,b,c\n", (), "--outcome"),
        (VOTES, ("--left", "modle_a"), "did you mean 'model_a'"),
        (VOTES, ("--cluster", "judge"), "no column 'judge'"),
        (VOTES, ("--covariates", "length"), "--covariates: there is no column 'length'"),
        (STYLED, ("--covariates", "decides"), "leave it out of --covariates"),
        (VOTES, ("--since", "2020"), "--time"),
        (VOTES, ("--left", "model_b", "--right", "model_b", "--outcome", "winner"), "the same column"),
        (VOTES, ("--min-games", "100"), "no comparisons are left"),
        (VOTES.replace("tie (bothbad)", "nobody"), (), "by --outcome-map VALUE=left (or right, tie, skip)"),
        ("left,right,winner\na,a,a\n", (), "a"),
        (GAMES.replace("3,2", "three,2"), (), "'three'"),
        (GAMES.replace("2021-02-03", "soon"), ("--since", "2020"), "'soon'"),
        (GAMES, ("--since", "2030"), "no rows from 2030-01-01"),
        (GAMES, ("--since", "2020-13"), "--since must be a year"),
        (GAMES, ("--until", "May"), "--until must be a year"),
        (GAMES, ("--since", "9" * 20), "--since must be a year"),
        (GAMES, ("--since", "0000-01"), "--since must be a year"),
        (
            GAMES,
            ("--bootstrap", "9" * 20),
            "--bootstrap: must be a whole number of at least 2 and at most 18",
        ),
        ("left,right,winner\na,b,\n", (), "or give --skip-blank"),
    ],
)
def test_wrong_files_and_columns_end_in_one_line(text, options, says, file, capsys):
    assert says in refused(capsys, file(text), *options)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--prior", "-1"), "--prior: must be a number of at least 0, got '-1'"),
        (("--prior", "nan"), "--prior"),
        (("--top", "few"), "--top"),
        (("--bootstrap", "1"), "--bootstrap"),
        (("--ties", "maybe"), "--ties"),
        (("--scale", "metres"), "--scale"),
        (("--output", "board.doc"), "must end in .csv, .json, .parquet"),
        (("--output", "/nowhere/board.csv"), "there is no folder '/nowhere'"),
        (("--plot", "board.csv"), "must end in .png"),
        (("--outcome-map", "1=won"), "left, tie, right, skip"),
        (("--colour",), "--colour"),
    ],
)
def test_wrong_options_end_in_one_line(options, says, file, capsys):
    assert says in refused(capsys, file(VOTES), *options)


def test_a_missing_file_a_folder_and_a_binary_file_end_in_one_line(tmp_path, capsys):
    assert "there is no file" in refused(capsys, "nowhere.csv")
    assert "is a folder" in refused(capsys, str(tmp_path))
    (tmp_path / "noise.csv").write_bytes(bytes(range(128, 256)) * 20)
    refused(capsys, str(tmp_path / "noise.csv"))
    (tmp_path / "noise.parquet").write_bytes(b"PAR1 and then nothing")
    refused(capsys, str(tmp_path / "noise.parquet"))


def test_an_output_that_cannot_be_written_ends_in_one_line(file, tmp_path, capsys):
    for name in ("t.csv", "t.json", "t.parquet"):
        (tmp_path / name).mkdir()
        assert main(["rank", file(VOTES), "--output", str(tmp_path / name)]) == 2
        assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(("module", "extra"), [("duckdb", "cli"), ("rich", "cli"), ("matplotlib", "plot")])
def test_a_missing_extra_is_named(module, extra, file, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    assert f'pip install "steelyard[{extra}]"' in refused(capsys, file(VOTES), "--plot", "x.png")


def test_no_command_is_an_error_and_the_version_is_not(capsys):
    assert main([]) == 2
    assert "COMMAND" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out.startswith("steelyard ")


def test_help_is_shown_in_any_locale():
    done = run("rank", "--help", LC_ALL="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert b"--outcome-map" in done.stdout


def test_ctrl_c_ends_with_130(file, capsys, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("steelyard.rank.bradley_terry", interrupt)
    assert main(["rank", file(VOTES)]) == 130
    assert capsys.readouterr().err == "steelyard: interrupted\n"


def test_ctrl_c_while_duckdb_works_ends_with_130_and_other_errors_stay(file, capsys, monkeypatch):
    def interrupt(*_, **__):
        raise RuntimeError("Query interrupted")  # all that DuckDB says of a handler that raised

    monkeypatch.setattr("steelyard.rank.bradley_terry", interrupt)
    assert main(["rank", file(VOTES)]) == 130
    assert capsys.readouterr().err == "steelyard: interrupted\n"

    def fail(*_, **__):
        raise RuntimeError("another")

    monkeypatch.setattr("steelyard.rank.bradley_terry", fail)
    with pytest.raises(RuntimeError, match="another"):
        main(["rank", file(VOTES)])


def test_a_closed_pipe_is_no_error_message(file):
    command = f"'{sys.executable}' -m steelyard rank '{file(VOTES)}' | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert done.stderr == b""
    assert done.returncode in (0, 141)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_output_ends_in_one_line(file):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "steelyard", "rank", file(VOTES)],
            stdout=full, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert done.stderr.decode() == "steelyard: can't write the output: No space left on device\n"
    assert done.returncode == 2


def test_the_command_is_installed():
    path = Path(sys.executable).parent / "steelyard"
    done = subprocess.run([path, "--version"], capture_output=True, check=True)
    assert done.stdout.startswith(b"steelyard ")


# ---- provisional items, and old comparisons


def test_football_lists_teams_of_few_games_below(capsys):
    notes, rows = board(capsys, "football", "--top", "25")
    firm, doubtful = rows[:25], [row for row in rows[25:] if "?" in row.split()[0]]
    assert not any("?" in row.split()[0] for row in firm)
    assert any("Ynys" in row for row in doubtful)
    assert "? is provisional: " in notes
    notes, hidden = board(capsys, "football", "--top", "25", "--provisional", "hide")
    assert hidden[:25] == firm
    assert f"{len(doubtful)} provisional items hidden" in notes
    _, together = board(capsys, "football", "--top", "25", "--provisional", "show")
    assert "?" in "".join(row.split()[0] for row in together[:25])


def test_a_half_life_lets_old_games_count_for_less(file, capsys):
    rows = (
        "winner,loser,date\n"
        + "a,b,2001-01-01\n" * 9
        + "b,a,2001-01-01\n"
        + "b,a,2020-01-01\n" * 2
        + "a,b,2020-01-01\n"
    )
    path = file(rows)
    _, plain = board(capsys, path, "--winner", "winner", "--loser", "loser")
    notes, recent = board(
        capsys, path, "--winner", "winner", "--loser", "loser", "--half-life", "365", "--provisional", "show"
    )
    assert plain[0].split()[1] == "a"
    assert recent[0].split()[1] == "b"
    assert "half-life 365: comparisons count as 3" in notes
    assert "--at goes with --half-life" in refused(
        capsys, path, "--winner", "winner", "--loser", "loser", "--at", "2003"
    )
    assert "--half-life: must be a number above 0" in refused(
        capsys, path, "--winner", "winner", "--loser", "loser", "--half-life", "0"
    )


def test_boards_by_group_are_shown_one_after_the_other_with_what_differs(file, tmp_path, capsys):
    rows = [("ann", "ben", "left", "en")] * 70 + [("ann", "ben", "right", "en")] * 30
    rows += [("ann", "ben", "left", "de")] * 20 + [("ann", "ben", "right", "de")] * 80
    text = "left,right,winner,language\n" + "".join(",".join(row) + "\n" for row in rows)
    path, table = file(text, "votes.csv"), tmp_path / "boards.csv"
    main(
        ["rank", str(path), "--by", "language", "--output", str(table), "--plot", str(tmp_path / "heat.png")]
    )
    out = capsys.readouterr().out
    assert "2 groups, drawn to the whole, width" in out
    assert "ann, de against en: -" in out
    assert out.index("item (de)") < out.index("item (en)")
    with open(table) as stream:
        written = list(csv.DictReader(stream))
    assert [row["item"] for row in written] == ["ben", "ann", "ann", "ben"]
    assert (tmp_path / "heat.png").stat().st_size > 1000
    main(["rank", str(path), "--by", "language", "--apart"])
    assert "2 groups, fitted apart" in capsys.readouterr().out
    assert "--by: there is no column 'lang'" in refused(capsys, path, "--by", "lang")
    assert "--bootstrap does not go with --by" in refused(
        capsys, path, "--by", "language", "--bootstrap", "9"
    )
