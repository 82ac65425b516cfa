"""docs/certificates.md, made of what a run left in a folder.

pytest tests/certificates --gauntlet 1000 --certificates FOLDER
PYTHONPATH=tests python -m certificates.table FOLDER
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from . import promises

PAGE = Path(__file__).parents[2] / "docs" / "certificates.md"
FAMILIES = ("rank", "qp", "weigh", "ensembles", "metric", "graphs", "select", "blocks")

HEAD = """# What each solver states, and how true it is

Made by `pytest tests/certificates --gauntlet {count}` and `python -m certificates.table`: {trials} trials,
{instances:,} instances, {claims:,} claims, {seconds:,.0f} s of CPU. The data is a zoo that all solvers
share (`tests/certificates/zoo`): single points, copies and near-copies, lattices, lines, narrow cones,
offsets of 1e12, clusters of very different size, heavy tails, units of 1e-150 to 1e150, rounded and narrow
numbers, almost metric and far from it, disconnected, ladders, stars, one that always wins, weights of 1e-6
to 1e6, sorted by class.

A *rigorous* bound may be broken by no instance. An *estimate*, or a bound that is *asymptotic* (true to
first order near the optimum), may be broken by 3 of 3,000 and by a factor of ten at most. *Statistical*
claims take 2,000 draws or more each; the level for all together is 1e-6. Every trial is shown to bite: with
its bounds shrunk on purpose (`tests/certificates/judge.py` says how) it fails.

- **worst**: largest true error over stated error; of statistics, what `trials.py` calls their ratio (a root
  mean square error over the stated one; misses over those allowed).
- **stated / true**: median and 99th percentile, where 1 is as sharp as can be; errors below what float64 or
  the truth resolves count as that.
- **declined**: the solver states no bound, and says why.
"""


def rows_of(folder: Path) -> list[dict[str, Any]]:
    """What a run left, family by family."""
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    return sorted(found, key=lambda row: (FAMILIES.index(row["family"]), row["solver"], row["name"]))


def _number(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.2g}" if value < 1000 else f"{value:.1e}"


def _line(row: dict[str, Any]) -> str:
    sharp = "" if row["sharpness_median"] is None else (
        f"{_number(row['sharpness_median'])} / {_number(row['sharpness_99'])}"
    )  # fmt: skip
    worst = "inf" if row["infinite_worst"] else _number(row["worst"])
    cells = [
        f"`{row['solver']}`",
        row["states"],
        row["kind"],
        row["truth"],
        f"{row['instances']:,}",
        f"{row['broken']}",
        worst,
        sharp,
        f"{row['declined']}" if row["declined"] else "",
    ]
    return "| " + " | ".join(cells) + " |"


def page(rows: list[dict[str, Any]]) -> str:
    """The page."""
    head = HEAD.format(
        count=max(row["instances"] for row in rows),
        trials=len(rows),
        instances=sum(row["instances"] for row in rows),
        claims=sum(row["claims"] for row in rows),
        seconds=sum(row["cpu_seconds"] for row in rows),
    )
    lines = [head]
    for family in dict.fromkeys(row["family"] for row in rows):
        own = [row for row in rows if row["family"] == family]
        lines += [f"## {family}", "", _TITLES, _RULE, *map(_line, own), ""]
        notes = [f"- `{row['name']}`: {_remark(row)}" for row in own if _remark(row)]
        lines += [*notes, ""] if notes else []
    lines += ["## What none of these promises", "", "| | why |", "|---|---|"]
    lines += [f"| `{name}` | {why} |" for name, why in sorted(promises.NOTHING.items())]
    lines += ["", "## What passes on another's account", "", "| | whose |", "|---|---|"]
    lines += [f"| `{name}` | `{whose}` |" for name, whose in sorted(promises.CARRIES.items())]
    if promises.UNTRIED:
        lines += ["", f"Not yet tried: {', '.join(f'`{name}`' for name in sorted(promises.UNTRIED))}."]
    return "\n".join(lines) + "\n"


_TITLES = "| solver | states | kind | truth | instances | broken | worst | stated / true | declined |"
_RULE = "|---|---|---|---|---:|---:|---:|---:|---:|"


def _remark(row: dict[str, Any]) -> str:
    parts = [row["note"]] if row["note"] else []
    if row["reasons"]:
        parts.append("declines where: " + "; ".join(_kinds(row["reasons"])))
    if row["loose"]:
        parts.append("**a fault: above 100 times the true error on half of the instances**")
    if row["complaint"]:
        parts.append(f"**a fault: {row['complaint']}**")
    return ". ".join(parts)


def _kinds(reasons: list[str]) -> list[str]:
    """Clauses of messages, one of each kind: numbers and the call that spoke aside."""
    found: dict[str, str] = {}
    for clause in (part for reason in reasons for part in reason.split("; ")):
        bare = re.sub(r"^\w+ did not reach tol=\S+: ", "", clause)
        found.setdefault(re.sub(r"\b[\d.e+-]*\d\b|s\b", "", bare), bare)
    return list(found.values())


def main() -> None:
    """Write the page from the folder named on the command line."""
    PAGE.write_text(page(rows_of(Path(sys.argv[1]))))
    print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
