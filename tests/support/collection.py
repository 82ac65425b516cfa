"""Collection by several workers: each imports all tests, but what one has compiled another reads.

Where nothing is compiled yet, as in a fresh environment, that takes longer than the imports themselves.
"""

from __future__ import annotations

import contextlib
import importlib
import os

import pytest

# What tests import before they run, and takes long to compile.
PACKAGES = ["hypothesis", "numpy.testing", "duckdb", "dask.array", "networkx", "matplotlib.pyplot"]
PACKAGES += ["pandas", "rich.console", "pyarrow", "scipy.stats", "polars", "sklearn.utils.estimator_checks"]
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
FROM_THE_END = WORKER[2:].isdigit() and int(WORKER[2:]) % 2 == 1

if WORKER and "STEELYARD_WHOLE_SUITE" in os.environ:  # before others of this folder ask in one order
    for package in PACKAGES[::-1] if FROM_THE_END else PACKAGES:
        with contextlib.suppress(ImportError):  # a test that needs it says so
            importlib.import_module(package)


def turn_round(report: pytest.CollectReport) -> None:
    """What a folder holds, in a worker that begins at the end."""
    if FROM_THE_END and all(isinstance(node, pytest.Directory | pytest.File) for node in report.result):
        report.result.reverse()
