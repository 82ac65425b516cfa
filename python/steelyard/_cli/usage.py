"""What a user can put right."""

from __future__ import annotations

import importlib
from typing import Any


class UsageError(Exception):
    """One line that says what is wrong and what to do; ends the run with exit code 2."""

    def __init__(self, message: object) -> None:
        super().__init__(" ".join(str(message).split()))


def require(module: str, extra: str) -> Any:
    """The module, or a `UsageError` that names the extra."""
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise UsageError(f'this needs the package {package}: pip install "steelyard[{extra}]"') from None
