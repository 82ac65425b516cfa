"""Files of one idea, functions of one screen; docstrings are free."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "python" / "steelyard"
MOST_IN_A_FILE, MOST_IN_A_FUNCTION = 400, 60
FREE = {"reference"}  # one file a topic


def lines_of_docstring(node):
    text = ast.get_docstring(node, clean=False)
    return 0 if text is None else text.count("\n") + 1


def too_long(source):
    """Names of functions, and "file", that hold more lines of code than they may."""
    tree, found, free = ast.parse(source), [], 0
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            free += lines_of_docstring(node)
        if isinstance(node, ast.FunctionDef):
            own = node.end_lineno - node.lineno + 1 - lines_of_docstring(node)
            found += [node.name] if own > MOST_IN_A_FUNCTION else []
    return found + (["file"] if len(source.splitlines()) - free > MOST_IN_A_FILE else [])


def sources():
    return sorted(p for p in PACKAGE.rglob("*.py") if not FREE & set(p.relative_to(PACKAGE).parts))


def test_nothing_is_too_long():
    found = {
        path.relative_to(PACKAGE).as_posix(): too_long(path.read_text(encoding="utf-8")) for path in sources()
    }
    assert len(found) > 200
    assert {path: what for path, what in found.items() if what} == {}


def test_what_is_too_long_is_found_and_docstrings_are_free():
    body = "    x = 1\n" * 60
    assert too_long(f"def f():\n{body}") == ["f"]
    assert too_long('def f():\n    """One.\n' + "\n" * 500 + '    """\n' + body[:-10]) == []
    assert too_long("x = 1\n" * 401) == ["file"]
