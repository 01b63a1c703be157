"""One line for every task."""

from __future__ import annotations

import pytest

from crossfw.report import overview
from tests.report import examples


def texts(task) -> list[str]:
    return [cell.text for cell in overview.line(task)]


def test_a_task_that_agrees():
    model, learning, speed = texts(examples.agreeing())
    assert model == "✓ 22 tensors"
    assert learning == "✓ same"
    assert speed == "torch-scratch 4.1x mxnet-scratch\ntorch-nn 1.9x mxnet-gluon"


def test_a_task_that_disagrees_says_so_in_every_cell():
    model, learning, speed = overview.line(examples.disagreeing())
    assert (model.status, learning.status, speed.status) == ("no", "no", "no")
    assert model.parts == ("torch-nn: forward, hidden",)
    assert learning.warnings == ("torch-nn sees the future",)
    assert speed.text.startswith("✕ not the same model\n")


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (examples.incomplete(), ["not compared", "nothing trained", "not measured"]),
        (examples.worked_example(), ["✓ 5 tensors", "nothing trained", "not measured"]),
        (examples.agreeing(verdict="incomplete", learning=None, throughput=[]), ["in part: 22 tensors"]),
        (examples.agreeing(verdict="disagree", learning=examples.learning("not tested")), ["✕ no", "not tested"]),
    ],
)
def test_what_is_not_known_is_said(task, expected):
    assert texts(task)[: len(expected)] == expected


def test_all_that_see_the_future_are_counted():
    task = examples.agreeing(causality=examples.causality(blind=examples.FOUR))
    assert overview.line(task)[1].warnings == ("all four see the future",)


def test_no_difference_is_named():
    rows = [{**row, "ratio": 1.0, "ratio_low": 0.9, "ratio_high": 1.1} for row in examples.throughput()]
    assert "torch-nn and mxnet-gluon no difference shown" in texts(examples.agreeing(throughput=rows))[2]


def test_speeds_stand_where_there_is_no_ratio():
    rows = [{**row, "ratio_to": None, "ratio": None} for row in examples.throughput()[3:4]]
    assert texts(examples.agreeing(throughput=rows))[2] == "torch-nn 116 k tokens/s"
