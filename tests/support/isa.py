"""Every instruction set that this machine runs. One that it lacks is left out; nothing is skipped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import steelyard
from support.process import call_in_copy

_ALL = ("base", "v3", "v4")
LEVELS = _ALL[: _ALL.index(steelyard.build_info()["isa"]) + 1]


def on_isa(level: str, function: Callable[..., Any], *args: Any) -> Any:
    """function(*args) in a process of its own, capped at `level`; it must really run there."""
    path = function.__code__.co_filename
    isa, answer = call_in_copy(
        _with_isa, path, function.__name__, args, loads=path, env={"STEELYARD_ISA": level}
    )
    assert isa == level
    return answer


def _with_isa(path: str, name: str, args: tuple[Any, ...]) -> tuple[str, Any]:
    from support import process

    return steelyard.build_info()["isa"], getattr(process._load(path), name)(*args)
