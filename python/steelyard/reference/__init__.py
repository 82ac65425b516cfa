"""The library's algorithms in plain Python and NumPy: short, slow and plainly right.

The tests hold the compiled kernels to them, and the benchmarks race them.
"""

from __future__ import annotations

from . import metric, rank, weigh

__all__ = ["metric", "rank", "weigh"]
