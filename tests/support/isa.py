"""Every instruction set that this machine runs. One that it lacks is left out; nothing is skipped."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from typing import Any

import steelyard
from support.process import Server

_ALL = ("base", "v3", "v4")
LEVELS = _ALL[: _ALL.index(steelyard.build_info()["isa"]) + 1]
_servers: dict[str, Server] = {}


def on_isa(level: str, function: Callable[..., Any], *args: Any) -> Any:
    """function(*args) in the process that is capped at `level`; it must really run there."""
    if level not in _servers or not _servers[level].lives():
        _servers[level] = Server({"STEELYARD_ISA": level})
        atexit.register(_servers[level].end)
        assert _servers[level].call(_isa) == level
    return _servers[level].call(function, *args)


def _isa() -> str:
    return steelyard.build_info()["isa"]
