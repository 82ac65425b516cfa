"""From a file of votes to a board net of style: time and memory of `steelyard rank`, in its own process.

`python benchmarks/rank/table/bench_votes.py [VOTES [OPTION ...]]`: 100 models, 15 % ties, features of style
of which hardly two votes have the same; default 10,000,000 votes, `--style length,markdown`. Printed are the
seconds on the clock and of the processors, and the largest resident memory.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

SIDES = "floor(random() * 100) a, floor(random() * 99) b, random() u"
COUNTS = {"token": 2000, "header_count": 9, "list_count": 20, "bold_count": 20}


def write(votes: int, path: Path) -> None:
    numbers = [
        f"floor(random() * {most})::int {name}_{side}" for name, most in COUNTS.items() for side in "ab"
    ]
    connection = duckdb.connect()
    connection.execute("SELECT setseed(0.3)")
    connection.execute(
        f"COPY (SELECT 'model-' || a::int model_a, "
        f"'model-' || (CASE WHEN b >= a THEN b + 1 ELSE b END)::int model_b, "
        f"CASE WHEN u < .5 + .002 * (b - a) + .0001 * (token_a - token_b) / 20 THEN 'model_a' "
        f"WHEN random() < .7 THEN 'model_b' ELSE 'tie' END winner, * EXCLUDE (a, b, u) "
        f"FROM (SELECT {SIDES}, {', '.join(numbers)} FROM range({votes}))) TO '{path}' (FORMAT parquet)"
    )


def main(votes: int, options: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "votes.parquet"
        write(votes, path)
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "steelyard", "rank", str(path), "--top", "3", *options], check=True
        )
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        print(
            f"{votes:,} votes, {' '.join(options)}: {time.perf_counter() - start:.1f} s, "
            f"{used.ru_utime + used.ru_stime:.1f} s of processors, {used.ru_maxrss / 1e6:.2f} GB"
        )


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000, sys.argv[2:] or ["--style", "length,markdown"]
    )
