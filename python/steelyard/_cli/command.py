"""What a command is, and the parser that they share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from .usage import UsageError


@dataclass(frozen=True, kw_only=True)
class Command:
    """One file of `_cli` offers one of these, as COMMAND."""

    name: str  # as it is typed: "rank", "metric check"
    family: str
    says: str
    description: str
    examples: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], None]


class Parser(argparse.ArgumentParser):
    """Wrong use is a `UsageError`; text is shown as it is written."""

    def __init__(self, prog: str, description: str, examples: str = "", **more: Any) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            **more,
        )

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")
