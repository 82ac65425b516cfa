"""What an installation says of itself, and what importing it costs."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import steelyard
from steelyard.cli import main
from support.isa import LEVELS

pytestmark = pytest.mark.smoke


def isa():
    return steelyard.build_info()["isa"]


def distances_need_no_blas():
    import numpy as np

    from steelyard import _core

    _core.testing._squared_distances(np.eye(3), np.eye(3))
    _core.testing._cholesky(np.eye(300))
    return steelyard.build_info()["blas_loaded"]


def load_blas_now():
    before = steelyard.build_info()["blas_loaded"]
    return before, steelyard.build_info(load_blas=True)["blas_loaded"]


def large_cholesky_loads_blas():
    import numpy as np

    from steelyard import _core

    _core.linalg._cholesky_large(np.eye(600))
    return steelyard.build_info()["blas_loaded"]


def test_build_info_names_compiler_flags_instruction_set_threads_and_blas():
    info = steelyard.build_info()
    assert {
        "version",
        "compiler",
        "flags",
        "sanitizers",
        "isa",
        "threads",
        "numpy",
        "scipy",
        "blas",
        "blas_loaded",
    } == set(info)
    assert info["version"] == steelyard.__version__
    assert info["compiler"]
    assert info["threads"] >= 1
    assert info["isa"] in LEVELS


def test_no_flag_changes_what_nan_and_infinity_mean():
    assert "fast-math" not in steelyard.build_info()["flags"]


def test_import_loads_none_of_the_heavy_or_optional_packages(run_python):
    modules = run_python("import sys, steelyard, steelyard.rank; print(*sys.modules)").split()
    heavy = (
        "scipy.linalg",
        "sklearn",
        "pandas",
        "polars",
        "pyarrow",
        "matplotlib",
        "narwhals",
        "duckdb",
        "rich",
        "dask",
    )
    assert [m for m in modules if m in heavy] == []


def test_blas_is_loaded_when_it_is_first_needed():
    from support.process import call_in_copy

    assert not call_in_copy(distances_need_no_blas, loads=__file__)
    assert call_in_copy(large_cholesky_loads_blas, loads=__file__)
    assert call_in_copy(load_blas_now, loads=__file__) == (False, True)


def test_the_environment_caps_the_instruction_set(isa_level, on_isa):
    assert on_isa(isa_level, isa) == isa_level


@pytest.mark.parametrize("wrong", ["avx2", "V3", "0", "v3 "])
def test_a_wrong_instruction_set_is_a_clear_import_error(wrong, run_python):
    error = run_python("import steelyard", check=False, STEELYARD_ISA=wrong)
    last = error.strip().splitlines()[-1]
    assert last.startswith("ImportError"), error
    assert f"STEELYARD_ISA must be 'base', 'v3' or 'v4', got '{wrong}'" in last


def test_an_empty_variable_means_no_cap(run_python):
    out = run_python("import steelyard; print(steelyard.build_info()['isa'])", STEELYARD_ISA="")
    assert out.strip() in {"base", "v3", "v4"}


def test_unknown_attributes_are_attribute_errors_and_dir_lists_the_families():
    with pytest.raises(AttributeError, match="no attribute 'ranks'"):
        _ = steelyard.ranks
    assert {"rank", "build_info", "Info"} <= set(dir(steelyard))


def test_every_public_module_is_reached_from_the_package_and_named_in_its_docstring():
    folder = Path(steelyard.__file__).parent
    modules = {path.stem for path in folder.glob("[!_]*.py")} | {
        p.parent.name for p in folder.glob("[!_]*/*.py")
    }
    assert {"select", "dask"} <= modules
    assert set(steelyard._LAZY) == modules - {"cli"}, "the command line is no module to import from"
    assert modules - {"cli"} <= set(dir(steelyard))
    for name in modules - {"cli"}:
        assert getattr(steelyard, name) is importlib.import_module(f"steelyard.{name}")
        assert f"`steelyard.{name}`" in steelyard.__doc__
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        steelyard.nothing  # noqa: B018


def test_the_headline_of_the_command_line_names_all_families(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert "Rankings, weights, metrics, samples that you can defend" in " ".join(said.split())


# Flags of Linux's /proc/cpuinfo, which names LZCNT abm, and SSE3 pni.
V3 = {"pni", "ssse3", "fma", "cx16", "sse4_1", "sse4_2", "movbe", "popcnt", "avx", "f16c", "bmi1", "avx2"}
V3 |= {"bmi2", "lahf_lm", "abm"}
V4 = V3 | {"avx512f", "avx512dq", "avx512cd", "avx512bw", "avx512vl"}


def test_the_instruction_set_is_the_widest_that_the_system_offers(run_python):
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    flags = set(next((line for line in lines if line.startswith("flags")), "").split())
    widest = "v4" if flags.issuperset(V4) else "v3" if flags.issuperset(V3) else "base"
    assert (
        run_python("import steelyard; print(steelyard.build_info()['isa'])", STEELYARD_ISA="").strip()
        == widest
    )
