"""Ctrl-C in the middle of a call."""

from __future__ import annotations

import functools
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from support import process

PATIENCE = 10  # on a busy machine a second of work takes at most so many by the clock


@dataclass(frozen=True)
class Interruption:
    """What SIGINT did: whether KeyboardInterrupt came, how long after the signal, and what it carried.

    Seconds are those of the process, since what others take of a busy machine is not the function's doing,
    but at least a tenth of those by the clock: a function that sleeps is found out.
    """

    raised: bool
    seconds: float
    has_partial: bool
    partial: Any


def ctrl_c(
    function: Callable[..., Any], *args: Any, after: float = 0.3, within: str = "", prepares: bool = False
) -> Interruption:
    """function(*args) in a process of its own that gets SIGINT when the call has worked for `after` seconds.

    The function lives at the top of a module and must run for longer than that, or ten times so long if it
    sleeps. `within` names a kernel of steelyard._core: the seconds count from its first call. A function that
    `prepares` calls `ready()`: they count from there.
    """
    path = function.__code__.co_filename
    names = (path, function.__name__)
    answer = process.call_in_copy(_interrupted, names, args, after, within, prepares, loads=path)
    return Interruption(*answer)


def ready() -> None:
    """What follows is to be interrupted."""
    _ready.append((time.monotonic(), time.process_time()))


_ready: list[tuple[float, float]] = []


def _interrupted(
    names: tuple[str, str], args: tuple[Any, ...], after: float, within: str, prepares: bool
) -> tuple[bool, float, bool, Any]:
    from support import interrupt  # this very function was loaded under another name

    function = getattr(process._load(names[0]), names[1])
    sent: list[tuple[float, float]] = []
    done = threading.Event()

    def send() -> None:
        while not done.wait(0.01):
            if not interrupt._ready:
                continue
            begin, worked = interrupt._ready[-1]
            passed = time.monotonic() - begin
            if passed > after and (time.process_time() - worked > after or passed > PATIENCE * after):
                sent.append((time.monotonic(), time.process_time()))
                os.kill(os.getpid(), signal.SIGINT)
                return

    signal.signal(signal.SIGINT, signal.default_int_handler)
    if within:
        _ready_within(within, interrupt.ready)
    elif not prepares:
        interrupt.ready()
    threading.Thread(target=send).start()
    try:
        function(*args)
    except KeyboardInterrupt as error:
        clock, worked = sent[0]
        seconds = max(time.process_time() - worked, (time.monotonic() - clock) / PATIENCE)
        return True, seconds, hasattr(error, "partial"), getattr(error, "partial", None)
    finally:
        done.set()
    return False, float("inf"), False, None


def _ready_within(kernel: str, ready: Callable[[], None]) -> None:
    """`ready` as the kernel (`rank._fit`, say) is first called."""
    from steelyard import _core

    room, _, name = kernel.rpartition(".")
    owner = functools.reduce(getattr, room.split("."), _core) if room else _core
    plain = getattr(owner, name)

    def started(*args: Any, **options: Any) -> Any:
        setattr(owner, name, plain)
        ready()
        return plain(*args, **options)

    setattr(owner, name, started)
