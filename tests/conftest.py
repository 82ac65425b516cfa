"""Fixtures that every family uses; what they do is documented in tests/support."""

from __future__ import annotations

import pytest

from support import fork, interrupt, isa, process, threads


@pytest.fixture(params=isa.LEVELS)
def isa_level(request: pytest.FixtureRequest) -> str:
    """Each instruction set that this machine runs."""
    return request.param


@pytest.fixture
def on_isa():
    """on_isa(level, function, *args): the answer of another process capped at that instruction set."""
    return isa.on_isa


@pytest.fixture
def equal_over_threads():
    """equal_over_threads(call): call(n_threads) for 1, 2 and 4 threads must agree in every bit."""
    return threads.equal_over_threads


@pytest.fixture
def in_fork():
    """in_fork(function, *args): the answer of a forked child of this process."""
    return fork.in_fork


@pytest.fixture
def ctrl_c():
    """ctrl_c(function, *args): what happens when SIGINT meets the function in another process."""
    return interrupt.ctrl_c


@pytest.fixture
def run_python():
    """run_python(code, **env): stdout of a fresh interpreter."""
    return process.run_python
