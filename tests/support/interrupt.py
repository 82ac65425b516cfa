"""Ctrl-C in the middle of a call."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from support import process


@dataclass(frozen=True)
class Interruption:
    """What SIGINT did: whether KeyboardInterrupt came, how long after the signal, and what it carried."""

    raised: bool
    seconds: float
    has_partial: bool
    partial: Any


def ctrl_c(function: Callable[..., Any], *args: Any, after: float = 0.3, within: str = "") -> Interruption:
    """function(*args) in a process of its own that gets SIGINT `after` seconds into the call.

    The function lives at the top of a module and must run for longer than that. `within` names a kernel of
    steelyard._core, as in "metric._violations": the clock then starts with its first call, so that a busy
    machine, which takes long over what comes before, does not send the signal too early.
    """
    path = function.__code__.co_filename
    answer = process.call_in_copy(_interrupted, path, function.__name__, args, after, within, loads=path)
    return Interruption(*answer)


def _interrupted(
    path: str, name: str, args: tuple[Any, ...], after: float, within: str
) -> tuple[bool, float, bool, Any]:
    function = getattr(process._load(path), name)
    sent = []

    def send() -> None:
        sent.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(after, send)
    if within:
        _start_within(within, timer)
    else:
        timer.start()
    try:
        function(*args)
    except KeyboardInterrupt as error:
        seconds = time.monotonic() - sent[0]
        return True, seconds, hasattr(error, "partial"), getattr(error, "partial", None)
    timer.cancel()
    return False, float("inf"), False, None


def _start_within(kernel: str, timer: threading.Timer) -> None:
    from steelyard import _core

    submodule, _, name = kernel.rpartition(".")
    owner = getattr(_core, submodule)
    plain = getattr(owner, name)

    def started(*args: Any, **options: Any) -> Any:
        setattr(owner, name, plain)
        timer.start()
        return plain(*args, **options)

    setattr(owner, name, started)
