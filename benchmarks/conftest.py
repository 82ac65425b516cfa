"""What a benchmark page must state, and the accuracy that each contender reached beside its time."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest

import steelyard

# Benchmarks of a family share files: contenders, generators, spaces.
sys.path[:0] = [
    str(p) for p in sorted(Path(__file__).parent.rglob("*")) if p.is_dir() and p.name != "__pycache__"
]

PACKAGES = ("numpy", "scipy", "scikit-learn", "evalica", "choix", "osqp", "highspy", "leidenalg", "faiss-cpu")


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next(
        (line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent: left out"


def pytest_report_header(config: pytest.Config) -> list[str]:
    build = steelyard.build_info()
    return [
        f"cpu: {_cpu()}, {build['threads']} threads",
        f"steelyard {build['version']} ({build['isa']}, {build['compiler']})",
        ", ".join(f"{name} {_version(name)}" for name in PACKAGES),
    ]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Median times with what each benchmark noted of its answer."""
    session = getattr(config, "_benchmarksession", None)
    runs = [] if session is None else [run for run in session.benchmarks if run.extra_info]
    if not runs:
        return
    terminalreporter.section("time and accuracy")
    width = max(len(run.name) for run in runs)
    for run in sorted(runs, key=lambda run: (run.group or "", run.stats.median)):
        notes = ", ".join(f"{key} {value}" for key, value in run.extra_info.items())
        terminalreporter.write_line(f"{run.name:<{width}}  {_seconds(run.stats.median):>9}  {notes}")


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.2f} ms"
