"""What a user can put right."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .._spelling import spelt


class UsageError(Exception):
    """One line that says what is wrong and what to do; ends the run with exit code 2."""

    def __init__(self, message: object) -> None:
        super().__init__(" ".join(str(message).split()))


class OutputError(UsageError):
    """The standard output can't be written."""


@contextmanager
def explained(file: str, data: str) -> Iterator[None]:
    """The library's errors and notes with the names of options, and of the file for the argument `data`."""

    def spelling(name: str, code: str) -> str:
        if name == data:
            return file
        value = code.strip("'")
        return f"--{name} {value}" if value else f"--{name}"

    try:
        with spelt(spelling):
            yield
    except (ValueError, TypeError) as error:
        raise UsageError(error) from None


def require(module: str, extra: str) -> Any:
    """The module, or a `UsageError` that names the extra."""
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise UsageError(f'this needs the package {package}: pip install "steelyard[{extra}]"') from None
