"""Fixtures that every family uses; what they do is documented in tests/support."""

from __future__ import annotations

import gc
import os
import secrets
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

if "PYTEST_XDIST_WORKER" in os.environ and os.environ.get("STEELYARD_EXAMPLES") != "thorough":
    # Before NumPy comes: threads of OpenBLAS wait by turning round, and those of several workers for the same
    # processors cost more than half of what tests of matrices take. `-n 0` and .ci/long leave it its threads.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from support import collection, examples, fork, interrupt, isa, process, threads, turns

examples.load_profile()

TURNS = pytest.StashKey[str]()
ALONE = {"ctrl_c", "in_fork"}  # fixtures that signal or fork


def pytest_addoption(parser: pytest.Parser) -> None:
    """For tests/certificates."""
    group = parser.getgroup("certificates")
    group.addoption("--gauntlet", type=int, metavar="N", help="try each certificate on N fresh instances")
    group.addoption("--gauntlet-seed", type=int, metavar="SEED", help="of a run to repeat; else drawn")
    group.addoption(
        "--certificates", metavar="FOLDER", help="write there what docs/certificates.md is made of"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """As many workers as processors, but four at most, where neither -n nor a single test is asked for."""
    option = config.option
    if option.gauntlet_seed is None:  # workers are told the same
        option.gauntlet_seed = secrets.randbits(31) if option.gauntlet else 20261130
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    if not is_worker and config.args_source is config.ArgsSource.TESTPATHS:
        # For tests.support.collection; those who name tests may not have, or not bear, all packages.
        os.environ["STEELYARD_WHOLE_SUITE"] = "1"
    asked = is_worker or any("::" in name for name in config.args)
    if not asked and getattr(option, "numprocesses", 0) is None:
        option.numprocesses, option.maxprocesses, option.dist = "logical", 4, "worksteal"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """All workers of a run get one folder to take turns by."""
    config = node.config
    if TURNS not in config.stash:
        folder = tempfile.TemporaryDirectory(prefix="steelyard-turns-")
        config.add_cleanup(folder.cleanup)
        config.stash[TURNS] = folder.name
    node.workerinput["turns"] = config.stash[TURNS]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `serial` come last; the order is that of all workers."""
    if collection.WORKER:
        items.sort(key=lambda item: item.path)
    for item in items:
        if ALONE & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.serial)
    items.sort(key=lambda item: item.get_closest_marker("serial") is not None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """What is collected stays: nothing in it is garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, pytest.CollectReport]:
    """Workers begin at different ends."""
    report: pytest.CollectReport = yield
    collection.turn_round(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """A worker runs a `serial` test only while the other workers run none."""
    folder = getattr(item.config, "workerinput", {}).get("turns")
    if folder is None:
        return (yield)
    with turns.turn(Path(folder), alone=item.get_closest_marker("serial") is not None):
        return (yield)


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
