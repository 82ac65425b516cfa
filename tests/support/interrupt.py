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

PATIENCE = 10  # a function that works is given so many times the seconds by the clock


@dataclass(frozen=True)
class Interruption:
    """What SIGINT did: whether KeyboardInterrupt came, how long after the signal, and what it carried.

    Seconds are those of the process: what others take of a busy machine is not the function's doing.
    """

    raised: bool
    seconds: float
    has_partial: bool
    partial: Any


def ctrl_c(
    function: Callable[..., Any], *args: Any, after: float = 0.3, prepares: bool = False
) -> Interruption:
    """function(*args) in a process of its own that gets SIGINT when the call has worked for `after` seconds.

    The function lives at the top of a module and must run for longer than that, or ten times so long if it
    sleeps. One that `prepares` calls `ready()`: the seconds count from there.
    """
    path = function.__code__.co_filename
    answer = process.call_in_copy(_interrupted, path, function.__name__, args, after, prepares, loads=path)
    return Interruption(*answer)


def ready() -> None:
    """What follows is to be interrupted."""
    _ready.append((time.monotonic(), time.process_time()))


_ready: list[tuple[float, float]] = []


def _interrupted(
    path: str, name: str, args: tuple[Any, ...], after: float, prepares: bool
) -> tuple[bool, float, bool, Any]:
    from support import interrupt  # this very function was loaded under another name

    function = getattr(process._load(path), name)
    sent = []
    done = threading.Event()

    def send() -> None:
        while not done.wait(0.01):
            if not interrupt._ready:
                continue
            begin, worked = interrupt._ready[-1]
            passed = time.monotonic() - begin
            if passed > after and (time.process_time() - worked > after or passed > PATIENCE * after):
                sent.append(time.process_time())
                os.kill(os.getpid(), signal.SIGINT)
                return

    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not prepares:
        interrupt.ready()
    threading.Thread(target=send).start()
    try:
        function(*args)
    except KeyboardInterrupt as error:
        seconds = time.process_time() - sent[0]
        return True, seconds, hasattr(error, "partial"), getattr(error, "partial", None)
    finally:
        done.set()
    return False, float("inf"), False, None
