"""What a command is made of: one file, one line, the faces of families, and fields instead of prose."""

from __future__ import annotations

import ast
import io
import subprocess
import sys
from pathlib import Path

import pytest

import steelyard
from steelyard import cli
from steelyard._cli import show
from steelyard._cli.table import Table

FOLDER = Path(cli.__file__).parent / "_cli"
FAMILIES = ("rank", "weigh", "metric", "select", "datasets", "dask", "plotting", "reference")
PROSE = {"repr", "removeprefix", "removesuffix"}

TOY = '''
"""`steelyard toy`."""

from .command import Command


def _add_options(parser):
    parser.add_argument("file", metavar="FILE")


def run(options):
    """Says what it was given."""
    print("toy", options.file)


COMMAND = Command(
    name="toy",
    family="toys",
    says="a toy",
    description="What a toy does.",
    examples="",
    add_options=_add_options,
    run=run,
)
'''


def offences(text):
    """What a file of the command line may not do: pass a face, import a command, read prose."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            modules = [name for name in names if name.startswith("steelyard")]
            yield from (f"imports {name}" for name in modules)
            if "re" in names:
                yield "imports re"
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if (node.level == 0 and module in ("re", "steelyard")) or module.startswith("steelyard."):
                yield f"imports {module}"
            parts = module.split(".")
            taken = [alias.name for alias in node.names]
            if (
                node.level == 2
                and parts[0] in FAMILIES
                and (len(parts) > 1 or any(n[0] == "_" for n in taken))
            ):
                yield f"imports {module} of a family"
            if node.level == 1 and (parts[0] in cli.COMMANDS or set(taken) & set(cli.COMMANDS)):
                yield "imports a command"
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in PROSE:
                yield f"calls {name}"


def test_the_command_line_uses_faces_and_fields():
    found = {path.stem: list(offences(path.read_text(encoding="utf-8"))) for path in FOLDER.glob("*.py")}
    assert len(found) > 30
    assert {name: what for name, what in found.items() if what} == {}


@pytest.mark.parametrize(
    "text",
    [
        "from ..rank._chances import ELO",
        "def f():\n    from ..weigh._spaces import check_space",
        "from ..metric import _pairs",
        "from steelyard.rank._chances import ELO",
        "import steelyard.rank._chances",
        "from .rank import amount",
        "from . import history",
        "import re",
        "from re import sub",
        "lines = repr(report).splitlines()",
        "text = str(found).removeprefix('Found: ')",
    ],
)
def test_an_offender_is_seen(text):
    assert list(offences(text))


def test_every_command_is_a_file_and_a_line():
    found = {path.stem for path in FOLDER.glob("*.py") if "COMMAND = Command(" in path.read_text("utf-8")}
    assert found == set(cli.COMMANDS)


def test_a_new_command_needs_one_file_and_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "toy.py").write_text(TOY, encoding="utf-8")
    monkeypatch.setattr(steelyard._cli, "__path__", [*steelyard._cli.__path__, str(tmp_path)])
    monkeypatch.setattr(cli, "COMMANDS", (*cli.COMMANDS, "toy"))
    monkeypatch.delitem(sys.modules, "steelyard._cli.toy", raising=False)
    assert cli.main(["toy", "x.csv"]) == 0
    assert capsys.readouterr().out == "toy x.csv\n"
    assert "What a toy does." in page(capsys, "toy")
    assert "  toy             a toy\n" in page(capsys)
    monkeypatch.delitem(sys.modules, "steelyard._cli.toy")
    monkeypatch.delattr(steelyard._cli, "toy")


# ---- pages of help


def page(capsys, *words):
    with pytest.raises(SystemExit, match="0"):
        cli.main([*words, "--help"])
    return capsys.readouterr().out


def commands():
    return [cli._command(name) for name in cli.COMMANDS]


def test_the_first_page_names_every_command_under_its_family(capsys):
    text = page(capsys)
    for command in commands():
        section = text.partition(f"\n{command.family}:\n")[2].partition("\n\n")[0]
        assert f"{command.name} {command.says}" in [" ".join(line.split()) for line in section.splitlines()]


def test_every_command_has_its_own_page(capsys):
    pages = {command.name: page(capsys, *command.name.split()) for command in commands()}
    for name, text in pages.items():
        assert text.startswith(f"usage: steelyard {name} [-h]")
        assert "examples:\n" in text
        assert f"steelyard {name} " in text.partition("examples:\n")[2]
    assert "--missing" not in pages["metric check"] + pages["metric cluster"]
    assert "--left" not in pages["metric check"] + pages["metric repair"]
    assert "--slack" not in pages["metric cluster"]
    assert {"--missing", "--norm", "--output"} <= set(pages["metric repair"].replace(",", " ").split())


def test_the_page_of_metric_names_its_commands(capsys):
    text = page(capsys, "metric")
    for action in ("check", "repair", "cluster"):
        assert f"  metric {action}" in text
    assert cli.main(["metric"]) == 2
    assert "required: COMMAND (see steelyard metric --help)" in capsys.readouterr().err


def test_what_nobody_knows_is_refused_with_the_page_that_says_more(capsys):
    assert cli.main(["rank", "football", "--colour", "red"]) == 2
    said = capsys.readouterr().err
    assert said == "steelyard: unrecognized arguments: --colour red (see steelyard rank --help)\n"


# ---- a terminal


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def test_titles_on_a_terminal_are_no_markup():
    terminal = Terminal()
    show.show(Table(("speed [km/h]", "a[/red]b"), [("1", "[b]2")]), ["[note]"], terminal)
    text = terminal.getvalue()
    for word in ("speed [km/h]", "a[/red]b", "[b]2", "[note]"):
        assert word in text


def test_the_process_starts_without_the_families():
    code = "import sys, steelyard.cli as c; c._make_parser(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    late = {*(f"steelyard.{family}" for family in FAMILIES), "duckdb", "rich", "matplotlib"}
    assert not late & set(done.stdout.split())
