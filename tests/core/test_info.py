"""steelyard.Info, the one account of every solver."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest

import steelyard
from steelyard import Info

pytestmark = pytest.mark.smoke


def values(**changes):
    """As a kernel returns them."""
    return {
        "converged": True,
        "interrupted": False,
        "iterations": 3,
        "solver": "newton",
        "seconds": 0.25,
        "tol": 1e-10,
        "error_bound": 1e-12,
        "error_kind": "asymptotic",
        "message": "",
        "trace_columns": ["iteration", "decrement"],
        "trace_values": np.array([[1, 0.5], [2, 0.01], [3, 1e-12]]),
        **changes,
    }


def test_fields_are_those_that_every_family_promises():
    names = {field.name for field in dataclasses.fields(Info)}
    assert names == {
        "converged",
        "iterations",
        "solver",
        "seconds",
        "tol",
        "error_bound",
        "error_kind",
        "message",
        "trace",
        "interrupted",
    }
    assert steelyard.Info is Info


def test_a_kernels_dict_becomes_an_info_with_a_trace_by_name():
    info = Info.from_core(values())
    assert info.converged
    assert info.iterations == 3
    assert info.trace.dtype.names == ("iteration", "decrement")
    np.testing.assert_array_equal(info.trace["decrement"], [0.5, 0.01, 1e-12])


def test_an_info_cannot_be_altered():
    info = Info.from_core(values())
    with pytest.raises(dataclasses.FrozenInstanceError):
        info.converged = False
    with pytest.raises(ValueError, match="read-only"):
        info.trace["decrement"][0] = 0


def test_no_trace_gives_an_empty_table():
    info = Info.from_core(values(trace_columns=[], trace_values=np.zeros((0, 0))))
    assert len(info.trace) == 0
    assert info.trace.dtype.names == ("iteration",)
    assert (
        len(
            Info(
                converged=True,
                iterations=0,
                solver="",
                seconds=0,
                tol=0,
                error_bound=None,
                error_kind="estimate",
            ).trace
        )
        == 0
    )


def test_extra_values_override_and_unknown_ones_are_dropped():
    info = Info.from_core(values(unknown=1), converged=False, message="stopped at max_iter")
    assert not info.converged
    assert info.message == "stopped at max_iter"


def test_a_family_adds_fields_by_subclassing():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Special(Info):
        shift: float = 0.0

    info = Special.from_core(values(shift=0.5))
    assert isinstance(info, Info)
    assert info.shift == 0.5
    assert "shift=0.5" in repr(info)


def test_repr_shows_the_certificate_and_not_the_trace():
    text = repr(Info.from_core(values()))
    assert "error_bound=1e-12" in text
    assert "asymptotic" in text
    assert "trace" not in text


def test_infos_are_equal_apart_from_their_traces_and_survive_pickling():
    info = Info.from_core(values())
    assert info == Info.from_core(values(trace_values=np.zeros((1, 2))))
    assert pickle.loads(pickle.dumps(info)) == info
