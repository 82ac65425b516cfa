"""The command line: `steelyard rank FILE`, `weigh FILE`, `select FILE`, `metric check FILE`, ..."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version

from ._cli.command import Command, Parser
from ._cli.files import refuse_inputs
from ._cli.source import Mended
from ._cli.text import printable
from ._cli.usage import OutputError, UsageError

# A command is a file of _cli that offers COMMAND, and a line here.
COMMANDS = (
    "rank",
    "history",
    "weigh",
    "balance",
    "select",
    "evaluate",
    "metric_check",
    "metric_repair",
    "metric_cluster",
)

_INTERRUPTED = 130
_BROKEN_PIPE = 141
_WRONG_USE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Default: those of the process.

    Returns
    -------
    int
        0; 2 after a message that says what to do; 130 after Ctrl-C; 141 where nobody reads the output;
        143 after SIGTERM.

    Examples
    --------
    >>> main(["rank", "nowhere.csv"])
    2
    """
    signals: list[int] = []
    try:
        options = _parse(arguments)
        given = vars(options)
        refuse_inputs(
            [*given.get("file", ()), *filter(None, [given.get("losses"), given.get("new")])],
            {f"--{name}": given.get(name) for name in ("output", "plot", "report")},
        )
        with _ended_by_signals(signals):
            try:
                options.run(options)
            except Mended:
                options.run(options)
        sys.stdout.flush()
    except UsageError as error:
        if isinstance(error, OutputError):
            _drop_output()
        _say(f"steelyard: {error}")
        return _WRONG_USE
    except (KeyboardInterrupt, RuntimeError) as error:
        # DuckDB hands on a signal that comes while it works as this.
        if isinstance(error, RuntimeError) and str(error) != "Query interrupted":
            raise
        _say("steelyard: " + ("ended by a signal" if signals else "interrupted"))
        return 128 + signals[0] if signals else _INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return _BROKEN_PIPE
    except MemoryError as error:
        _say(f"steelyard: out of memory{f': {error}' if str(error) else ''}")
        return _WRONG_USE
    return 0


@contextmanager
def _ended_by_signals(signals: list[int]) -> Iterator[None]:
    """SIGTERM and SIGHUP end a run as Ctrl-C does: what is half written goes. They are added to the list."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, _: object) -> None:
        signals.append(number)
        raise KeyboardInterrupt

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {
        number: signal.signal(number, end)
        for number in (getattr(signal, name) for name in names)
        if signal.getsignal(number) == signal.SIG_DFL
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(line: str) -> None:
    print(printable(line, sys.stderr), file=sys.stderr)


def _drop_output() -> None:
    """What is still buffered would raise once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    options, left = _make_parser().parse_known_args(arguments)
    if left:
        raise UsageError(f"unrecognized arguments: {' '.join(left)} (see {options.prog} --help)")
    return options


def _make_parser() -> Parser:
    commands = [_command(name) for name in COMMANDS]
    top = Parser(
        "steelyard",
        "Rankings, weights, metrics, samples that you can defend. See: steelyard COMMAND --help",
    )
    top.add_argument("--version", action="version", version=f"steelyard {version('steelyard')}")
    _add_pages(top, commands)
    return top


def _command(name: str) -> Command:
    command: Command = importlib.import_module(f"._cli.{name}", __package__).COMMAND
    return command


def _add_pages(parser: Parser, commands: Sequence[Command]) -> None:
    """A parser a command, one for all whose names begin alike, and their list by family."""
    pages = parser.add_subparsers(
        metavar="COMMAND", help=argparse.SUPPRESS, required=True, prog=parser.prog, parser_class=Parser
    )
    options = " [--version]" if parser.prog == "steelyard" else ""
    parser.usage = f"{parser.prog} [-h]{options} COMMAND ..."
    depth = len(parser.prog.split()) - 1
    wide = max(len(command.name) for command in commands) + 2
    for family in dict.fromkeys(command.family for command in commands):
        lines = [f"{c.name:{wide}}{c.says}" for c in commands if c.family == family]
        parser.add_argument_group(family, "\n".join(lines))
    for word in dict.fromkeys(command.name.split()[depth] for command in commands):
        alike = [command for command in commands if command.name.split()[depth] == word]
        prog = f"{parser.prog} {word}"
        if f"steelyard {alike[0].name}" != prog:
            _add_pages(pages.add_parser(word, prog=prog, description=f"See: {prog} COMMAND --help"), alike)
            continue
        (command,) = alike
        page = pages.add_parser(word, prog=prog, description=command.description, examples=command.examples)
        page.set_defaults(run=command.run, prog=page.prog)
        command.add_options(page)
