"""Threads, Ctrl-C, random numbers, distances, CG and Info exist once: no family brings its own.

The scan reads the sources of every family; each rule is shown an offender, so that it can't pass for nothing.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAMILIES = ("rank", "weigh", "metric", "select")
CORE = ("core", "simd", "linalg", "distances", "qp", *FAMILIES)

CPP_RULES = {
    "threads: core/pool.hpp": re.compile(
        r"std::(jthread|thread|async)\b|\bpthread_\w+|#pragma omp (parallel|task)"
        r"|#\s*include\s*<(thread|future|omp\.h|pthread\.h)>"
    ),
    "random numbers: core/random.hpp": re.compile(
        r"#\s*include\s*<random>|std::(mt19937|minstd_rand|random_device|\w+_distribution)|\b[sd]?rand(48)?\s*\("
        r"|0x9E3779B9|6364136223846793005"
    ),
    "Ctrl-C: core/monitor.hpp": re.compile(
        r"\bPyErr_\w+|KeyboardInterrupt|\bSIGINT\b|\bstd::signal\b|\bsigaction\b"
    ),
    "Info: core/info.hpp": re.compile(
        r"\b(?:struct|class)\s+\w*Info\s*(?:final\s*)?(?:\{|:(?!\s*(?:public\s+)?(?:\w+::)*\w*Info\b))"
    ),
    "conjugate gradients: linalg/cg.hpp": re.compile(
        r"^[^;\n(=]*\b(?:preconditioned_)?(?:conjugate_gradients?|pcg|cg_solve)\w*\s*\([^;{}]*\)\s*(?:const\s*)?\{"
        r"|\b(?:rz|rho|r_?dot_?z|rr)\w*(?:\[\w+\])?\s*/\s*(?:dot\s*\(\s*p\b|p_?a_?p|p_?dot_?ap|pq)",
        re.MULTILINE | re.IGNORECASE,
    ),
    "distances: distances/pairwise.hpp": re.compile(
        r"(\b\w+)\s*=\s*[^;={}]+-\s*[^;{}]+\[[^;{}]*\]\s*;\s*[^;{}]*\+=\s*\1\s*\*\s*\1\s*;|\bstd::hypot\s*\("
        r"|\+\s*(\w*diff\w*)\s*\*\s*\2\b"
    ),
}

PYTHON_THREADS = {"threading", "concurrent", "multiprocessing", "joblib", "_thread"}
PYTHON_SOLVERS = {
    "cg",
    "cgs",
    "bicg",
    "bicgstab",
    "minres",
    "gmres",
    "conjugate_gradient",
    "conjugate_gradients",
    "pcg",
}
PYTHON_DISTANCES = {"cdist", "pdist", "euclidean_distances", "pairwise_distances", "distance_matrix"}
NUMPY_GLOBAL = {
    "seed",
    "RandomState",
    "rand",
    "randn",
    "randint",
    "random",
    "normal",
    "uniform",
    "choice",
    "permutation",
    "shuffle",
}


def without_comments(text):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)


def cpp_offences(text):
    code = without_comments(text)
    return {rule for rule, pattern in CPP_RULES.items() if pattern.search(code)}


def name_of(node):
    """The last name of `a.b.c`, of a call of it, or of a subscript."""
    while isinstance(node, ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def python_offences(text):
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = (
                [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            )
            tops = {module.split(".")[0] for module in modules} if not getattr(node, "level", 0) else set()
            names = {a.name for a in node.names}
            found |= {"threads"} if tops & PYTHON_THREADS else set()
            found |= {"random numbers"} if "random" in tops else set()
            found |= {"Ctrl-C"} if "signal" in tops else set()
            found |= {"distances"} if names & PYTHON_DISTANCES else set()
            found |= {"conjugate gradients"} if "scipy" in tops and names & PYTHON_SOLVERS else set()
        elif isinstance(node, ast.ClassDef) and node.name.endswith("Info"):
            found |= set() if any(name_of(base).endswith("Info") for base in node.bases) else {"Info"}
        elif (
            isinstance(node, ast.Raise) and node.exc is not None and name_of(node.exc) == "KeyboardInterrupt"
        ):
            found.add("Ctrl-C")
        elif isinstance(node, ast.FunctionDef) and node.name.strip("_") in PYTHON_SOLVERS:
            found.add("conjugate gradients")
        elif isinstance(node, ast.Call):
            name = name_of(node.func)
            owner = name_of(node.func.value) if isinstance(node.func, ast.Attribute) else ""
            found |= {"random numbers"} if owner == "random" and name in NUMPY_GLOBAL else set()
            found |= {"distances"} if name in PYTHON_DISTANCES else set()
            found |= (
                {"conjugate gradients"}
                if owner in {"linalg", "splinalg"} and name in PYTHON_SOLVERS
                else set()
            )
    return found


def read(path):
    return path.read_text(encoding="utf-8")


def sources(root=ROOT):
    for family in FAMILIES:
        yield from sorted(root.glob(f"csrc/{family}/**/*.[ch]pp"))
        yield from sorted(root.glob(f"python/steelyard/{family}/**/*.py"))


def offences(path):
    return python_offences(read(path)) if path.suffix == ".py" else cpp_offences(read(path))


def interrupters(root=ROOT):
    """Bindings that make their own KeyboardInterrupt."""
    paths = root.glob("csrc/bindings/**/*.cpp")
    return [path for path in paths if "PyExc_KeyboardInterrupt" in without_comments(read(path))]


def that_know_python(root=ROOT):
    """Files of the mathematics that include Python, pybind11 or NumPy."""
    pattern = re.compile(r"#\s*include\s*[<\"](Python|pybind11|numpy)")
    found = [path for room in CORE for path in root.glob(f"csrc/{room}/**/*.[ch]pp")]
    return [path for path in found if pattern.search(without_comments(read(path)))]


def loops_with_a_library(root=ROOT):
    """Kernels that use more of the standard library than sizes and memcpy."""
    for path in root.glob("csrc/**/*_kernels.cpp"):
        code = without_comments(read(path))
        includes = set(re.findall(r"#\s*include\s*<([^>]+)>", code))
        rest = re.sub(r"std::(ptrdiff_t|size_t|u?int\d+_t|memcpy)\b", "", code)
        if not includes <= {"cstddef", "cstdint", "cstring"} or "std::" in rest:
            yield path


def identify(path):
    return path.relative_to(ROOT).as_posix()


def test_no_family_brings_its_own():
    found = {identify(path): offences(path) for path in sources()}
    assert len(found) > 200
    assert not {path: own for path, own in found.items() if own}


def test_no_binding_makes_its_own_keyboard_interrupt():
    assert interrupters() == []


def test_the_core_knows_nothing_of_python():
    assert that_know_python() == []


def test_inner_loops_use_no_standard_library():
    assert list(loops_with_a_library()) == []


def test_the_scan_reads_every_kind_of_source():
    found = {(path.parts[len(ROOT.parts)], path.suffix) for path in sources()}
    assert {("csrc", ".cpp"), ("csrc", ".hpp"), ("python", ".py")} <= found
    rooms = {path.relative_to(ROOT).parent.as_posix() for path in sources()}
    assert {"csrc/rank/over_time", "csrc/metric/itml", "python/steelyard/rank/_table"} <= rooms


def test_rooms_inside_rooms_are_searched(tmp_path):
    for name, text in (
        ("csrc/rank/a/b/threads.hpp", "std::thread worker(run);"),
        ("csrc/weigh/a/numpy.cpp", "#include <numpy/arrayobject.h>"),
        ("csrc/bindings/rank/a/interrupt.cpp", "throw_(PyExc_KeyboardInterrupt);"),
        ("csrc/simd/a/sum_kernels.cpp", "#include <vector>\n"),
        ("csrc/rank/a/own_kernels.cpp", "const auto m = std::max(a, b);"),
        ("python/steelyard/select/_a/_b/random.py", "import random"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert [p.name for p in sources(tmp_path) if offences(p)] == ["threads.hpp", "random.py"]
    assert [p.name for p in interrupters(tmp_path)] == ["interrupt.cpp"]
    assert [p.name for p in that_know_python(tmp_path)] == ["numpy.cpp"]
    assert {p.name for p in loops_with_a_library(tmp_path)} == {"sum_kernels.cpp", "own_kernels.cpp"}


CPP_OFFENDERS = {
    "threads: core/pool.hpp": [
        "std::thread worker(run);",
        "#pragma omp parallel for\n",
        "auto f = std::async(run);",
    ],
    "random numbers: core/random.hpp": [
        "std::mt19937_64 g(1);",
        "std::normal_distribution<double> d;",
        "int k = rand();",
    ],
    "Ctrl-C: core/monitor.hpp": ["if (PyErr_CheckSignals()) return;", "std::signal(SIGINT, stop);"],
    "Info: core/info.hpp": [
        "struct SolverInfo {\n  bool converged;\n};",
        "class MyInfo final : public Base {",
    ],
    "conjugate gradients: linalg/cg.hpp": [
        "bool conjugate_gradient(const double* b, double* x) {\n  return true;\n}",
        "std::vector<double> pcg(const Matrix& a, int n)\n{",
        "const double alpha = rz / pap;",
        "alpha = rho_old / dot(p, q);",
    ],
    "distances: distances/pairwise.hpp": [
        "const double d = x[i * n + k] - y[j * n + k];\n  sum += d * d;",
        "float diff = a.row(i)[k] - b.row(j)[k]; total += diff * diff;",
        "return std::hypot(dx, dy);",
    ],
}
CPP_HARMLESS = [
    "// std::thread is not used here, nor std::mt19937\n",
    "const auto result = linalg::conjugate_gradients(n, 1, apply, m, b, x, {.tol = tol}, monitor);",
    "const CgResult r = conjugate_gradients(\n    n, 1, [&](const double* x) { return x; }, b);",
    "struct RankInfo : Info {\n  double shift;\n};",
    "struct RankInfo final : public steelyard::Info {",
    "Random random(seed, stream); const double g = random.gamma(2.0);",
    "parallel_for(n, 1, monitor, body);",
    "const double x = s[i] - s[j]; sum += w * x;",
    "Info info; info.solver = name;",
]
PYTHON_OFFENDERS = {
    "threads": [
        "import threading",
        "from concurrent.futures import ThreadPoolExecutor",
        "import multiprocessing as mp",
    ],
    "random numbers": ["import random", "np.random.seed(3)", "x = numpy.random.normal(size=3)"],
    "Ctrl-C": ["raise KeyboardInterrupt", "raise KeyboardInterrupt('no') from None", "import signal"],
    "Info": ["class FitInfo:\n    pass", "class FitInfo(Base):\n    pass"],
    "conjugate gradients": [
        "from scipy.sparse.linalg import cg",
        "def _pcg(a, b): ...",
        "scipy.sparse.linalg.cg(a, b)",
    ],
    "distances": ["from scipy.spatial.distance import cdist", "distance.pdist(x)"],
}
PYTHON_HARMLESS = [
    "raise interrupted(fit)",
    "try:\n    f()\nexcept KeyboardInterrupt:\n    raise",
    "class RankInfo(Info):\n    shift: float = 0.0",
    "class RankInfo(_info.Info):\n    shift: float = 0.0",
    "rng = np.random.default_rng(seed)\nx = rng.normal(size=3)",
    "answer = _core.testing._conjugate_gradients(a, b)",
    "from . import random",
]


@pytest.mark.parametrize(
    ("rule", "code"), [(rule, code) for rule, codes in CPP_OFFENDERS.items() for code in codes]
)
def test_planted_cpp_offenders_are_found(rule, code):
    assert set(CPP_OFFENDERS) == set(CPP_RULES)
    assert rule in cpp_offences(f"namespace steelyard::weigh {{\n{code}\n}}\n")


@pytest.mark.parametrize(
    ("rule", "code"), [(rule, code) for rule, codes in PYTHON_OFFENDERS.items() for code in codes]
)
def test_planted_python_offenders_are_found(rule, code):
    assert python_offences(code) == {rule}


@pytest.mark.parametrize("code", CPP_HARMLESS)
def test_use_of_the_shared_cpp_pieces_is_no_offence(code):
    assert cpp_offences(code) == set()


@pytest.mark.parametrize("code", PYTHON_HARMLESS)
def test_use_of_the_shared_python_pieces_is_no_offence(code):
    assert python_offences(code) == set()


def test_the_shared_solver_itself_would_be_found_in_a_family():
    assert "conjugate gradients: linalg/cg.hpp" in cpp_offences((ROOT / "csrc/linalg/cg.cpp").read_text())
    assert "threads: core/pool.hpp" in cpp_offences((ROOT / "csrc/core/pool.cpp").read_text())
    assert "random numbers: core/random.hpp" in cpp_offences((ROOT / "csrc/core/random.cpp").read_text())
    assert "distances: distances/pairwise.hpp" in cpp_offences(
        (ROOT / "csrc/simd/metric_inline.hpp").read_text()
    )
