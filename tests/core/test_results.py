"""What results of all families have in common."""

from __future__ import annotations

import dataclasses
import inspect

import numpy as np
import pytest

import steelyard
from steelyard import metric, rank, select, weigh
from steelyard._errors import interrupted

FAMILIES = (rank, weigh, metric, select)
HOLD_NO_ARRAY = ("float", "int", "bool", "str", "None", "ErrorKind")


def results():
    found = {getattr(family, name) for family in FAMILIES for name in family.__all__}
    return sorted(
        (c for c in found if inspect.isclass(c) and dataclasses.is_dataclass(c)), key=lambda c: c.__qualname__
    )


def may_hold_arrays(cls):
    """Has it a field that takes part in a comparison and is more than a number or a word?"""
    compared = [field for field in dataclasses.fields(cls) if field.compare]
    return any(set(str(field.type).split(" | ")) - set(HOLD_NO_ARRAY) for field in compared)


def compares_fields(cls):
    return any("__eq__" in c.__dict__ and c.__dataclass_params__.eq for c in cls.__mro__ if c is not object)


@dataclasses.dataclass(frozen=True)
class Offender:
    values: np.ndarray


def test_no_result_that_holds_arrays_compares_them_field_by_field():
    assert len(results()) > 30
    offenders = [c.__qualname__ for c in results() if may_hold_arrays(c) and compares_fields(c)]
    assert offenders == []
    assert may_hold_arrays(Offender)
    assert compares_fields(Offender)


def test_results_are_equal_to_themselves_alone_and_can_be_members_of_sets():
    fit = rank.bradley_terry(rank.Comparisons.from_pairs(["a", "b", "c"], ["b", "c", "a"]))
    one, other = (
        [
            fit.covariance(),
            fit.predict(["a"], ["b"]),
            weigh.max_diversity([[0.0], [1.0]]),
            weigh.solve_simplex_qp(np.eye(2), np.zeros(2)),
        ]
        for _ in range(2)
    )
    assert len({*one, *other}) == 8
    for a, b in zip(one, other, strict=True):
        assert a == a
        assert a != b


def test_an_account_without_arrays_is_compared_by_its_fields():
    info = weigh.solve_simplex_qp(np.eye(2), np.zeros(2)).info
    assert info == dataclasses.replace(info)
    assert isinstance(info, steelyard.Info)


@pytest.mark.parametrize(("partial", "says"), [("found", "holds the best result"), (None, "no result yet")])
def test_ctrl_c_speaks_of_a_partial_result_only_where_there_is_one(partial, says):
    error = interrupted(partial)
    assert says in str(error)
    assert ("partial" in str(error)) == (partial is not None)
    assert error.partial is partial
