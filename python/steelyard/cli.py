"""The command line: `steelyard rank FILE`, `weigh FILE`, `select FILE`, `metric check FILE`, ..."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from ._cli.arguments import make_parser
from ._cli.files import refuse_inputs
from ._cli.text import printable
from ._cli.usage import UsageError

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
        0; 2 after a message that says what to do; 130 after Ctrl-C; 141 where nobody reads the output.

    Examples
    --------
    >>> main(["rank", "nowhere.csv"])
    2
    """
    try:
        options = make_parser().parse_args(arguments)
        given = vars(options)
        refuse_inputs(
            [str(given[name]) for name in ("file", "losses") if given.get(name)],
            {f"--{name}": given.get(name) for name in ("output", "plot")},
        )
        importlib.import_module(f"._cli.{options.command}", __package__).run(options)
        sys.stdout.flush()
    except UsageError as error:
        _say(f"steelyard: {error}")
        return _WRONG_USE
    except KeyboardInterrupt:
        _say("steelyard: interrupted")
        return _INTERRUPTED
    except BrokenPipeError:
        # What is still buffered would raise once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    return 0


def _say(line: str) -> None:
    print(printable(line, sys.stderr), file=sys.stderr)
