"""How many hostile calls: `pytest tests/fuzz --cases 5000`."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """--cases and --fuzz-seed."""
    parser.addoption("--cases", type=int, default=None, help="hostile calls of the signature fuzzer")
    parser.addoption("--fuzz-seed", type=int, default=0, help="another seed makes other calls")
