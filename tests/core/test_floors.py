"""Who may import whom: down, through the faces of rooms, in no circle; the same for includes.

Every import counts: at the top of a file, in a function, under TYPE_CHECKING, relative, absolute or by
importlib. The rules are functions of sources, so that each is shown an offender; docs/architecture.md draws
the floors.
"""

from __future__ import annotations

import ast
import functools
import graphlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Rooms from the ground up, by what contains them; those that share a floor know nothing of each other.
PYTHON_FLOORS = {
    (): "_core _blas | _random_state _results _spelling _units | _errors _info _build _naming | _validate"
    " | _csv _drawing _labels _linear_programs _points _progress _sampling _times"
    " | plotting | _report | rank weigh metric select | datasets dask | _cli | cli | __main__ reference",
    ("rank",): "_chances _table | _inference | _paired _rankings | _over_time _responses | _studies",
}
COMPILED = {("_core",), ("_blas",)}
ONE_ROOM = {("cli", "_cli")}  # the parser's door and what is behind it
MAY_COMPUTE = {(), ("cli",), ("_cli", "usage")}  # by a list of names, by a command's name, an extra's package

# "." stands for the files that lie beside the rooms.
CPP_FLOORS = {
    (): "core | simd | linalg | distances | qp | rank weigh metric select | bindings",
    ("rank",): "table | . | paired | rankings over_time responses",
    ("metric",): ". | nearness itml | clustering",
    ("bindings",): ". | linalg rank weigh metric select | testing",
}

# Offenders of today; this list only shrinks.
EXCEPTIONS: set[str] = set()


def height(floors, name):
    rows = [row.split() for row in floors.split("|")]
    return next((k for k, row in enumerate(rows) if name in row), None)


def common(at, to):
    same = 0
    while same < min(len(at), len(to)) and at[same] == to[same]:
        same += 1
    return at[:same]


def climbs(at, to, floors):
    """What is wrong with the floors of an arrow, or nothing. A face may use all that is in its room."""
    room = common(at, to)
    if room not in floors or len(at) == len(room) or len(to) == len(room):
        return ""
    own, other = height(floors[room], at[len(room)]), height(floors[room], to[len(room)])
    if own is None or other is None:
        return f"{at[len(room)] if own is None else to[len(room)]} has no floor"
    return "" if other < own else "runs up" if other > own else "crosses a floor"


def circle(arrows):
    """The files of one circle, or nothing."""
    graph = {}
    for at, to in arrows:
        graph.setdefault(at, set()).add(to)
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


# ---- Python


def module(path):
    """rank/_paired/fit.py as ("rank", "_paired", "fit"); a face as its folder."""
    parts = tuple(path.removesuffix(".py").split("/"))
    return parts[:-1] if parts[-1] == "__init__" else parts


def constant(node, own):
    """The text of a string, also of an f-string of __name__ or __package__; None if it is computed."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name) and node.id in own:
        return own[node.id]
    if isinstance(node, ast.FormattedValue):
        return constant(node.value, own)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [constant(node.left, own), constant(node.right, own)]
    elif isinstance(node, ast.JoinedStr):
        parts = [constant(part, own) for part in node.values]
    else:
        return None
    return None if None in parts else "".join(parts)


@functools.cache
def nodes(text):
    """Where a file may import."""
    kinds = (ast.Import, ast.ImportFrom, ast.Call)
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)]


def names_of(node, own):
    """Full dotted names that an import names, each with what is taken from it; None for a computed one."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, "") for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            package = own["__package__"].split(".")
            base = ".".join([*package[: len(package) - node.level + 1], *filter(None, [node.module])])
        yield from ((base, alias.name) for alias in node.names)
    elif isinstance(node, ast.Call) and node.args:
        function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if function in {"import_module", "__import__", "find_spec"}:
            name = constant(node.args[0], own)
            if name is None:
                yield None
            elif name.startswith("."):
                level = len(name) - len(name.lstrip("."))
                package = own["__package__"].split(".")
                yield ".".join([*package[: len(package) - level + 1], name.lstrip(".")]), ""
            else:
                yield name, ""


def offered(path, text):
    """What a face gives under names that may also be those of its files, as `from .elo import elo` does."""
    at = module(path)
    for node in nodes(text) if path.endswith("__init__.py") else []:
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((*at, alias.asname or alias.name) for alias in node.names)


def imports(path, text, known):
    """Modules of the package that a file imports; None for one whose name is computed."""
    at, face = module(path), path.endswith("__init__.py")
    full = ".".join(["steelyard", *at])
    own = {"__name__": full, "__package__": full if face else full.rpartition(".")[0]}
    for node in nodes(text):
        for found in names_of(node, own):
            if found is None:
                yield None
                continue
            base, taken = tuple(found[0].split(".")), found[1]
            if base[0] != "steelyard":
                continue
            to = (*base[1:], taken) if (*base[1:], taken) in known else base[1:]
            yield to[:1] if to[:1] in COMPILED else to


def wall(at, to):
    """What is wrong with where an arrow ends, or nothing."""
    room = common(at, to)
    if len(to) == len(room):
        return "asks the face of its own room"
    through = len(to) > len(room) + 1 and (at[:1] + to[:1]) not in ONE_ROOM
    return "goes through a wall" if through else ""


def python_offences(sources, exceptions=frozenset()):
    """Every arrow that breaks a rule, and a circle of the others, as sentences."""
    known = {module(path) for path in sources} | COMPILED
    known -= {name for path, text in sources.items() for name in offered(path, text)} - COMPILED
    wrong, arrows = [], set()
    for path, text in sources.items():
        at = module(path)
        for to in imports(path, text, known):
            if to is None:
                wrong += [] if at in MAY_COMPUTE else [f"{spell(at)} computes a name to import"]
                continue
            arrow = f"{spell(at)} -> {spell(to)}"
            if arrow in exceptions:
                continue
            fault = wall(at, to) or climbs(at, to, PYTHON_FLOORS)
            if at[:1] == ("reference",) != to[:1]:
                fault = "is of reference, which imports nothing here"
            wrong += [f"{arrow} {fault}"] if fault else []
            arrows.add((at, to))
    found = circle(arrows)
    return sorted({*wrong, *([" -> ".join(map(spell, found)) + " is a circle"] if found else [])})


def spell(at):
    return "/".join(at) or "steelyard"


def package():
    top = ROOT / "python/steelyard"
    return {p.relative_to(top).as_posix(): p.read_text(encoding="utf-8") for p in top.rglob("*.py")}


def test_imports_run_down_through_faces_and_in_no_circle():
    assert python_offences(package(), EXCEPTIONS) == []


def test_every_exception_is_still_needed():
    sources = package()
    needless = {arrow for arrow in EXCEPTIONS if not python_offences(sources, EXCEPTIONS - {arrow})}
    assert needless == set()


HOUSE = {
    "__init__.py": "import importlib\nfrom ._info import Info\nimportlib.import_module(f'{__name__}.{name}')",
    "_info.py": "",
    "_validate.py": "from . import _core\nfrom ._core import rank",
    "plotting.py": "from ._validate import check_count",
    "rank/__init__.py": "from ._chances import ELO\nfrom ._paired import fit\nfrom ._studies import schedule",
    "rank/_chances.py": "from .._info import Info",
    "rank/_table/__init__.py": "from .votes import votes\nfrom .frames import frames",
    "rank/_table/votes.py": "from ... import _core\nfrom ..._validate import check_count",
    "rank/_table/frames.py": "from .votes import votes\nfrom . import words",
    "rank/_table/words.py": "",
    "rank/_inference/__init__.py": "from .covariance import Covariance",
    "rank/_inference/covariance.py": "from ...plotting import plot\nfrom .._chances import ELO",
    "rank/_paired/__init__.py": "from .fit import fit",
    "rank/_paired/fit.py": "from .._inference import Covariance\nfrom .._table import votes",
    "rank/_rankings.py": "from ._inference import Covariance",
    "rank/_over_time.py": "from ._paired import fit",
    "rank/_studies.py": "from ._over_time import elo\nimport steelyard.rank._table",
    "weigh/__init__.py": "import importlib\nimportlib.import_module(f'{__name__}._late')",
    "weigh/_late.py": "import sklearn\nfrom .._validate import check_count",
    "metric/__init__.py": "",
    "datasets.py": "from .rank import Comparisons",
    "dask.py": "import steelyard.rank",
    "reference/__init__.py": "from . import metric\nimport numpy",
    "reference/metric.py": "",
    "_cli/__init__.py": "",
    "_cli/rank.py": "from ..rank import bradley_terry\nfrom ..datasets import load",
    "cli.py": "from ._cli.rank import run\nimportlib.import_module(f'._cli.{x}', __package__)",
    "__main__.py": "from .cli import main",
}

PYTHON_OFFENDERS = {
    "up": ("_validate.py", "from . import plotting", "runs up"),
    "up by an absolute import": ("plotting.py", "import steelyard.rank as r", "runs up"),
    "up by an absolute from": ("plotting.py", "from steelyard.rank import Comparisons", "runs up"),
    "up to a name of the top": ("weigh/_late.py", "from .. import datasets", "runs up"),
    "up in a function": ("weigh/_late.py", "def f():\n    from ..dask import coreset", "runs up"),
    "up for types": (
        "plotting.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .rank import Comparisons",
        "runs up",
    ),
    "up by importlib": ("plotting.py", "importlib.import_module('steelyard.rank')", "runs up"),
    "up by a relative importlib": ("plotting.py", "import_module('.rank', __package__)", "runs up"),
    "up by an f-string": ("plotting.py", "import_module(f'{__package__}.rank')", "runs up"),
    "up by __import__": ("plotting.py", "__import__('steelyard.rank')", "runs up"),
    "a computed name": ("plotting.py", "import_module(f'steelyard.{name}')", "computes"),
    "the top itself": ("weigh/_late.py", "from steelyard import Info", "asks the face"),
    "another family": ("weigh/_late.py", "from ..metric import violations", "crosses a floor"),
    "inside rank, up": ("rank/_inference/covariance.py", "from .._paired import fit", "runs up"),
    "inside rank, up from a file": ("rank/_rankings.py", "from ._over_time import elo", "runs up"),
    "inside rank, up by an absolute import": (
        "rank/_table/votes.py",
        "import steelyard.rank._studies",
        "runs up",
    ),
    "inside rank, up to a file": ("rank/_chances.py", "from ._paired.fit import x", "goes through a wall"),
    "inside rank, across": ("rank/_rankings.py", "from ._paired import fit", "crosses a floor"),
    "inside rank, the ground": ("rank/_chances.py", "from ._table import votes", "crosses a floor"),
    "inside rank, to its face": ("rank/_paired/fit.py", "from .. import Comparisons", "asks the face"),
    "through a wall of rank": ("rank/_paired/fit.py", "from .._table.votes import x", "through a wall"),
    "through a wall of a family": ("datasets.py", "from .rank._chances import ELO", "through a wall"),
    "through a wall by importlib": ("dask.py", "import_module('steelyard.rank._table.votes')", "wall"),
    "reference": ("reference/metric.py", "from .._validate import check_count", "reference"),
    "reference, by its face": ("reference/__init__.py", "import steelyard.metric", "reference"),
    "the library's use of reference": ("_cli/rank.py", "from ..reference import rank", "runs up"),
    "a room without a floor": ("_cli/rank.py", "from ..attic import box", "attic has no floor"),
    "a circle": ("rank/_table/votes.py", "def f():\n    from .frames import frames", "circle"),
    "a circle through a face": ("weigh/_late.py", "from . import weighting", "asks the face"),
    "a circle through a name of the face": ("rank/_table/words.py", "from . import votes", "asks the face"),
    "a circle of a file with itself": ("_info.py", "from ._info import Info", "asks the face"),
}


def test_a_house_in_order_passes():
    assert python_offences(HOUSE) == []


@pytest.mark.parametrize("kind", PYTHON_OFFENDERS)
def test_planted_importers_are_found(kind):
    path, line, says = PYTHON_OFFENDERS[kind]
    attic = {"attic.py": ""} if "attic" in line else {}
    found = python_offences({**HOUSE, **attic, path: f"{HOUSE[path]}\n{line}\n"})
    assert any(says in sentence for sentence in found), found


def test_a_circle_that_goes_through_a_face_is_a_circle():
    face = [(("weigh",), ("weigh", "_late")), (("weigh", "_late"), ("weigh",))]
    assert set(circle(face)) == {("weigh",), ("weigh", "_late")}
    assert circle(face[:1]) == []


def test_an_exception_excuses_its_own_arrow_alone():
    planted = {**HOUSE, "plotting.py": "from .rank import a\nfrom .weigh import b"}
    assert python_offences(planted, {"plotting -> rank"}) == ["plotting -> weigh runs up"]


# ---- C++


def included(path, text, sources):
    """Files of csrc that a file includes, from the root or from its own folder."""
    code = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)
    for name in re.findall(r"#\s*include\s*[<\"]([^>\"]+)[>\"]", code):
        parts = path.split("/")[:-1] if name not in sources else []
        for step in name.split("/"):
            parts = parts[:-1] if step == ".." else parts if step == "." else [*parts, step]
        if "/".join(parts) in sources:
            yield "/".join(parts)


def room_of(path):
    return (*path.split("/")[:-1], ".")


def cpp_offences(sources):
    wrong, arrows = [], set()
    for path, text in sources.items():
        for to in included(path, text, sources):
            fault = climbs(room_of(path), room_of(to), CPP_FLOORS)
            wrong += [f"{path} -> {to} {fault}"] if fault and room_of(path) != room_of(to) else []
            arrows.add((path, to))
    found = circle(arrows)
    return sorted({*wrong, *([" -> ".join(found) + " is a circle"] if found else [])})


def csrc():
    top = ROOT / "csrc"
    return {p.relative_to(top).as_posix(): p.read_text(encoding="utf-8") for p in top.rglob("*.*")}


def test_includes_run_down_and_in_no_circle():
    assert cpp_offences(csrc()) == []


def test_the_scan_follows_the_includes_of_every_room():
    sources = csrc()
    met = {room_of(path)[0] for path, text in sources.items() for _ in included(path, text, sources)}
    assert met == set(re.findall(r"\w+", CPP_FLOORS[()]))


CSRC = {
    "core/monitor.hpp": "#include <atomic>",
    "simd/tile.hpp": '#include "core/monitor.hpp"',
    "linalg/cg.hpp": '#include "simd/tile.hpp"',
    "distances/pairwise.hpp": '#include "linalg/cg.hpp"',
    "qp/simplex.hpp": '#include "linalg/cg.hpp"',
    "rank/options.hpp": '#include "core/monitor.hpp"',
    "rank/table/graph.hpp": '#include "core/monitor.hpp"',
    "rank/table/graph.cpp": '#include "graph.hpp"',
    "rank/paired/newton.hpp": '#include "rank/table/graph.hpp"\n#include "rank/options.hpp"',
    "rank/rankings/system.hpp": '#include "rank/paired/newton.hpp"',
    "rank/over_time/history.hpp": '#include "../paired/newton.hpp"',
    "metric/index.hpp": "",
    "metric/nearness/closure.hpp": '#include "metric/index.hpp"',
    "metric/clustering/graph.hpp": '#include "metric/nearness/closure.hpp"',
    "metric/itml/itml.hpp": '#include "metric/index.hpp"',
    "weigh/space.hpp": '#include "distances/pairwise.hpp"',
    "bindings/run.hpp": '#include "core/monitor.hpp"',
    "bindings/rank/register.cpp": '#include "bindings/run.hpp"\n#include "rank/over_time/history.hpp"',
    "bindings/metric/shared.hpp": '#include "bindings/run.hpp"',
}
CPP_OFFENDERS = {
    "up": ("core/monitor.hpp", '#include "simd/tile.hpp"', "runs up"),
    "up with angle brackets": ("simd/tile.hpp", "#  include <linalg/cg.hpp>", "runs up"),
    "up from the own folder": ("linalg/cg.hpp", '#include "../qp/simplex.hpp"', "runs up"),
    "up to the bindings": ("weigh/space.hpp", '#include "bindings/run.hpp"', "runs up"),
    "up to the programs": ("distances/pairwise.hpp", '#include "qp/simplex.hpp"', "runs up"),
    "another family": ("weigh/space.hpp", '#include "metric/index.hpp"', "crosses a floor"),
    "inside rank, up": ("rank/table/graph.cpp", '#include "rank/paired/newton.hpp"', "runs up"),
    "inside rank, to what lies beside": ("rank/table/graph.hpp", '#include "rank/options.hpp"', "runs up"),
    "inside rank, across": ("rank/rankings/system.hpp", '#include "rank/over_time/history.hpp"', "crosses"),
    "inside metric, up": ("metric/nearness/closure.hpp", '#include "metric/clustering/graph.hpp"', "up"),
    "inside the bindings": ("bindings/rank/register.cpp", '#include "bindings/metric/shared.hpp"', "crosses"),
    "a room without a floor": ("weigh/space.hpp", '#include "attic/box.hpp"', "attic has no floor"),
    "a circle of headers": ("rank/table/graph.hpp", '#include "rank/table/graph.cpp"', "circle"),
    "a header that includes itself": ("metric/index.hpp", '#include "index.hpp"', "circle"),
}


def test_includes_in_order_pass():
    assert cpp_offences({**CSRC, "core/pool.hpp": '// #include "weigh/space.hpp"'}) == []


@pytest.mark.parametrize("kind", CPP_OFFENDERS)
def test_planted_includes_are_found(kind):
    path, line, says = CPP_OFFENDERS[kind]
    attic = {"attic/box.hpp": ""} if "attic" in line else {}
    found = cpp_offences({**CSRC, **attic, path: f"{CSRC[path]}\n{line}\n"})
    assert any(says in sentence for sentence in found), found
