"""What the commands write is whole, or what was there before stands."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from steelyard._cli import picture, source, write
from steelyard._cli.files import written_beside
from steelyard._cli.usage import UsageError
from steelyard.cli import main

LIMITED = """
import resource, sys
from steelyard.cli import main
sys.dont_write_bytecode = True  # Python would keep what it could write of a module, and fail on it ever after
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
for option, target in {targets!r}:
    assert main(["weigh", {points!r}, "--scale", "1", option, target]) == 2
sys.exit(2)
"""


@pytest.fixture
def points(tmp_path):
    path = tmp_path / "points.csv"
    values = np.random.default_rng(0).normal(size=(200, 3))
    np.savetxt(path, values, delimiter=",", header="a,b,c", comments="")
    return path


def here(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_the_system_says_is_taken_out_of_what_duckdb_wraps_it_in():
    wrapped = Exception('{"exception_type":"IO","exception_message":"Could not write","errno":"27"}')
    assert str(source._in_short("write 'k.parquet'", wrapped)) == "can't write 'k.parquet': File too large"
    assert str(source._in_short("read 'k'", Exception("one\n\ntwo\nthree"))) == "can't read 'k': one two"


def test_a_full_disk_leaves_the_old_file_and_no_other(points, tmp_path, run_python):
    names = {"k.csv": "--output", "k.json": "--output", "k.parquet": "--output", "k.png": "--plot"}
    targets = [(option, str(tmp_path / name)) for name, option in names.items()]
    for _, target in targets:
        Path(target).write_bytes(b"old")
    said = run_python(LIMITED.format(targets=targets, points=str(points)), check=False)
    assert "Traceback" not in said
    assert said.count("\n") == 4
    for _, target in targets:
        # Older DuckDB says it in words of its own.
        assert f"can't write {target!r}: {'' if target.endswith('.parquet') else 'File too large'}" in said
        assert Path(target).read_bytes() == b"old"
    assert here(tmp_path) == sorted(["points.csv", *names])


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError()])
def test_a_writer_that_fails_half_way_leaves_the_old_file(tmp_path, monkeypatch, suffix, error):
    def half(columns, path, *_):
        path.write_bytes(b"half")
        raise error

    monkeypatch.setattr(write, f"_write_{suffix[1:]}", half)
    target = tmp_path / f"table{suffix}"
    for before in (None, b"old"):
        if before is not None:
            target.write_bytes(before)
        with pytest.raises(UsageError if isinstance(error, OSError) else type(error)):
            write.write({"a": np.arange(3)}, target)
        assert (target.read_bytes() if target.exists() else None) == before
        assert here(tmp_path) == ([] if before is None else [target.name])


def test_a_picture_that_fails_half_way_leaves_the_old_one(tmp_path):
    class Broken:
        def savefig(self, path, dpi):
            path.write_bytes(b"half")
            raise OSError("encoder error")

    target = tmp_path / "picture.png"
    target.write_bytes(b"old")
    with pytest.raises(UsageError, match="encoder error"):
        picture.save(Broken(), target)
    assert target.read_bytes() == b"old"
    assert here(tmp_path) == ["picture.png"]


@pytest.mark.parametrize("suffix", ["csv", "json", "parquet", "png", "svg", "pdf"])
def test_a_file_that_is_written_takes_the_place_of_the_old_one(points, tmp_path, capsys, suffix):
    target = tmp_path / f"new.{suffix}"
    target.write_bytes(b"old")
    option = "--plot" if suffix in ("png", "svg", "pdf") else "--output"
    assert main(["weigh", str(points), "--scale", "1", option, str(target)]) == 0
    capsys.readouterr()
    assert target.stat().st_size > 1000
    assert here(tmp_path) == sorted([target.name, "points.csv"])


def test_permissions_and_links_stay(tmp_path):
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    write.write({"a": np.arange(2)}, link)
    assert link.is_symlink()
    assert real.read_text() == "a\n0\n1\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    mask = os.umask(0o027)
    try:
        write.write({"a": np.arange(2)}, tmp_path / "fresh.csv")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "fresh.csv").stat().st_mode) == 0o640


def test_what_is_no_ordinary_file_is_written_where_it_is(tmp_path):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    with written_beside(pipe) as path:
        assert path == pipe
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"can't write .*nowhere.*No such file"):
        write.write({"a": np.arange(2)}, tmp_path / "nowhere" / "table.csv")


@pytest.mark.parametrize("name", ["points.csv", "link.csv", "hard.csv", "./points.csv"])
def test_an_output_that_is_the_input_is_refused(points, tmp_path, capsys, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link.csv").symlink_to(points)
    os.link(points, tmp_path / "hard.csv")
    before = points.read_bytes()
    for command in (
        ["weigh"],
        ["select", "--size", "9", "--clusters", "2"],
        ["rank"],
        ["history"],
        ["metric", "repair"],
    ):
        assert main([*command, str(points), "--output", name]) == 2
        assert "is the file that is read" in capsys.readouterr().err
    assert points.read_bytes() == before
