"""No array is made of a size that could wrap: products of sizes go through core/index.hpp.

The scan reads every allocation of csrc; it is shown offenders, so that it can't pass for nothing.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHECKED = re.compile(r"\b(?:checked_product|room_for(?:<[^()]*>)?|pairs_of)\s*\(")
# A container that is made or grown: what follows the bracket is its size.
ALLOCATION = re.compile(
    r"(?:\b(?:std::)?\w*[vV]ector<[^;()]*>(?:\s+\w+)?|\.(?:resize|assign|reserve)"
    r"|\bmake_(?:unique|shared)<[^;()]*\[\]>|::operator new|\bmalloc|\bcalloc)\s*\("
    r"|\bnew\s+[\w:<>]+\s*\["
)


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)


def up_to(code, ends):
    """The text up to one of `ends` outside of all brackets."""
    depth = 0
    for k, c in enumerate(code):
        if depth == 0 and c in ends:
            return code[:k]
        depth += (c in "([{") - (c in ")]}")
    return code


def without_checked(text):
    """Without the calls that check."""
    while found := CHECKED.search(text):
        inside = up_to(text[found.end() :], ")")
        text = f"{text[: found.start()]}checked{text[found.end() + len(inside) + 1 :]}"
    return text


def multiplies(text):
    """Is there a product of two sizes? Literals and sizeof don't count: checked sizes leave room for them."""
    for found in re.finditer(r"([\w)\]>.]+)\s*\*\s*([\w(.:]+)", text):
        if not any(re.fullmatch(r"\d+|sizeof.*", side) for side in found.groups()):
            return True
    return False


def unchecked(text):
    """(line, size) of each allocation whose size is a bare product."""
    code = without_comments(text)
    for found in ALLOCATION.finditer(code):
        size = up_to(code[found.end() :], ",)]")
        if (
            re.match(r"\s*(const\b|\w+\s*\*\s*\w+\s*$)", size)
            and "vector" in found[0]
            and not multiplies(size)
        ):
            continue
        if re.match(r"\s*const\b", size):
            continue  # the parameters of a function that returns a container
        if multiplies(without_checked(size)):
            yield code[: found.start()].count("\n") + 1, " ".join(size.split())


def sources():
    return [path.relative_to(ROOT).as_posix() for path in sorted(ROOT.glob("csrc/**/*.[ch]pp"))]


def test_sizes_of_arrays_are_multiplied_by_the_shared_piece():
    found = {name: list(unchecked((ROOT / name).read_text(encoding="utf-8"))) for name in sources()}
    assert len(found) > 200
    assert {name: own for name, own in found.items() if own} == {}


@pytest.mark.parametrize(
    "code",
    [
        "std::vector<double> out(at(n * n));",
        "std::vector<double> out(n * at(m), 0.0), other(n);",
        "  panels_.assign(at(rows * (cols + 1)), Real{0});",
        "out.resize(\n    at(n_ * (n_ - 1) / 2));",
        "AlignedVector<float> l(at(n_ * n_));",
        "auto room = std::make_unique<double[]>(n * m);",
        "double* p = new double[n * m];",
        "parts.resize(std::max(parts.size(), at(chunks * n)));",
        "void* room = ::operator new(count * size);",
        'out.resize(checked_product("n", n) * m);',
    ],
)
def test_a_bare_product_is_found(code):
    assert len(list(unchecked(code))) == 1


@pytest.mark.parametrize(
    "code",
    [
        'std::vector<double> out(checked_product("n", n, n));',
        'std::vector<double> out(checked_product("n", n, f(a * b)) / 2, x * y);',
        "std::vector<double> dots(const double* a, const double* b);",
        "out.reserve(2 * graph.left.size());",
        "std::vector<double> out(at(n), a * b);  // at(n * n)",
        'const auto count = room_for<double>("draws", rows, cols);',
        "sum += a * b;",
    ],
)
def test_what_is_checked_or_no_size_is_left_alone(code):
    assert list(unchecked(code)) == []
