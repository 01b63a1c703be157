"""How speed was measured, in words, and what was measured beside the rounds."""

from __future__ import annotations

import pytest

from crossfw.report import measured
from crossfw.results import formatting
from tests.report import examples


def test_how_it_was_measured_is_told():
    equal, training, inference, speed, limit, small, first, memory = measured.how(examples.agreeing())
    assert equal.startswith("4 workers in turn on the same arrays, each with 2 threads in OpenMP, BLAS")
    assert equal.endswith("pinned to CPU 0 and 1.")
    assert training == "Training: 24 rounds, until the interval of every ratio was narrower than 5 %."
    ended = "the budget of 1.2 s or of rounds ended before the interval of every ratio was narrower than 5 %."
    assert inference == f"Inference: 7 rounds; {ended}"
    assert "A/A control" in speed
    assert limit.endswith("costs: 133 MFLOP and 2.54 MB in training and 44.4 MFLOP and 1.49 MB in inference.")
    assert small.startswith("The small product (32 x 256 by 256 x 256, timed after every round) tells")
    assert "in no sample" in first
    assert "resident at the peak" in memory


def test_what_is_not_known_is_not_told():
    assert measured.how(examples.blank("x")) == []
    free = examples.agreeing(throughput=[], measurement=examples.measurement(cpus=[]))
    assert measured.how(free)[0].endswith("not pinned to CPUs.")
    for mode in free["measurement"]["modes"].values():
        del mode["small_products"]
    assert not [sentence for sentence in measured.how(free) if "small product" in sentence]
    ((_, rows),) = measured.machine(free).groups
    assert rows[0][-2:] == ["–", "–"]
    assert not [sentence for sentence in measured.how(free) if "resident" in sentence]


def test_an_earlier_report_without_these_keys_is_shown_as_it_is():
    added = ("limit_by", "outliers", "first_step_seconds", "build_seconds", "memory_per_step_bytes")
    task = examples.agreeing()
    task["throughput"] = [{key: row[key] for key in row if key not in added} for row in task["throughput"]]
    del task["measurement"]
    assert (measured.how(task), bool(measured.beside(task)), bool(measured.machine(task))) == ([], False, False)


def test_first_steps_and_memory_stand_once_for_each_implementation():
    (_, rows), *_ = measured.beside(examples.agreeing()).groups
    assert sorted(row[0] for row in rows) == sorted(examples.FOUR)
    assert {name: rest for name, *rest in rows}["mxnet-gluon"] == ["8.80", "120", "3.10", "55", "131"]


def test_the_machines_speed_is_given_by_framework():
    (_, rows), *_ = measured.machine(examples.agreeing()).groups
    assert rows == [
        ["mxnet", "151 GFLOP/s", "19.7 GB/s", "0.0244", "0.0244"],
        ["torch", "278 GFLOP/s", "9.2 GB/s", "0.0357", "0.0357"],
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(480, "480 FLOP"), (0, "0 FLOP"), (133324800.0, "133 MFLOP"), (999999.0, "1 MFLOP"), (2.5e15, "2.5 PFLOP")],
)
def test_large_numbers_are_scaled(value, text):
    assert formatting.scaled(value, "FLOP") == text


@pytest.mark.parametrize(("seconds", "text"), [(0.00053, "0.530"), (0.0088, "8.80"), (2.343, "2343"), (None, "–")])
def test_milliseconds(seconds, text):
    assert formatting.milliseconds(seconds) == text


@pytest.mark.parametrize(("count", "text"), [(131072, "131"), (819.2, "0.8"), (-4096, "-4.1"), (None, "–")])
def test_kilobytes(count, text):
    assert formatting.kilobytes(count) == text


@pytest.mark.parametrize(
    ("numbers", "text"), [([0], "0"), ([1, 0], "0 and 1"), ([0, 1, 2, 3, 8], "0 to 3, 8"), ([0, 2], "0, 2"), ([], "")]
)
def test_ranges(numbers, text):
    assert formatting.ranges(numbers) == text
