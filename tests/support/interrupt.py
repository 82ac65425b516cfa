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


def ctrl_c(function: Callable[..., Any], *args: Any, after: float = 0.3) -> Interruption:
    """function(*args) in a process of its own that gets SIGINT when the call has worked for `after` seconds.

    The function lives at the top of a module and must run for longer than that, or ten times so long if it
    sleeps.
    """
    path = function.__code__.co_filename
    answer = process.call_in_copy(_interrupted, path, function.__name__, args, after, loads=path)
    return Interruption(*answer)


def _interrupted(path: str, name: str, args: tuple[Any, ...], after: float) -> tuple[bool, float, bool, Any]:
    function = getattr(process._load(path), name)
    sent = []
    done = threading.Event()

    def send() -> None:
        begin, worked = time.monotonic(), time.process_time()
        while not done.wait(0.01):
            passed = time.monotonic() - begin
            if passed > after and (time.process_time() - worked > after or passed > PATIENCE * after):
                sent.append(time.process_time())
                os.kill(os.getpid(), signal.SIGINT)
                return

    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=send).start()
    try:
        function(*args)
    except KeyboardInterrupt as error:
        seconds = time.process_time() - sent[0]
        return True, seconds, hasattr(error, "partial"), getattr(error, "partial", None)
    done.set()
    return False, float("inf"), False, None
