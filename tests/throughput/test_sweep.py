"""Exponents and overtakings of made-up speeds whose answer is known."""

from __future__ import annotations

import math

import pytest

from crossfw.results.schema_sweep import SweepRatio
from crossfw.throughput.sweep import exponents, overtakings, pairs, point

VALUES = (64, 128, 256, 512)
FOUR = ["mxnet-scratch", "mxnet-gluon", "torch-scratch", "torch-nn"]


def points(seconds: dict[int, float], name: str = "torch-nn", tokens: int = 100) -> list:
    """One point for each value; 0 seconds stand for one that was not timed."""
    return [
        point("hidden", value, name, [tokens / each] * 3 if each else [], tokens) for value, each in seconds.items()
    ]


def test_a_point_has_speed_and_time_with_their_intervals():
    found = point("batch", 8, "torch-nn", [90.0, 110.0, 100.0], 50)
    assert [found[key] for key in ("tokens_per_second", "low", "high")] == [100.0, 90.0, 110.0]
    times = [found[key] for key in ("seconds_per_step", "seconds_low", "seconds_high")]
    assert times == pytest.approx([50 / 100, 50 / 110, 50 / 90])


@pytest.mark.parametrize("power", [-1.0, 0.0, 0.5, 2.0])
def test_a_power_is_found_exactly_from_any_order_of_values(power):
    made = points({value: 1e-3 * value**power for value in reversed(VALUES)})
    [fit] = exponents(made)
    assert (fit["exponent"], fit["low"], fit["high"]) == pytest.approx((power, power, power), abs=1e-7)
    assert fit["points"] == 4
    local = {each["value"]: each["local_exponent"] for each in made}
    assert local.pop(64) is None
    assert list(local.values()) == pytest.approx([power] * 3)


def test_the_interval_is_students_of_the_slope():
    """At x = -1, 0, 1 and y = x + (0, d, 0): slope 1, residuals (-d, 2 d, -d) / 3, s^2 = 6 d^2 / 9, se = s / 2^.5."""
    away, base = 0.03, math.log(2)
    made = points({1: 1.0, 2: 2 * math.exp(away * base), 4: 4.0})
    [fit] = exponents(made)
    half = 12.706204736 * away * math.sqrt(6 / 9 / 2)  # Student's t for 0.975 and one degree of freedom
    assert (fit["exponent"], fit["low"], fit["high"]) == pytest.approx((1.0, 1 - half, 1 + half))
    assert [each["local_exponent"] for each in made[1:]] == pytest.approx([1 + away, 1 - away])


@pytest.mark.parametrize(
    ("seconds", "fitted"),
    [
        ({1: 1.0}, None),
        ({1: 1.0, 2: 0.0}, None),
        ({1: 0.0, 2: 0.0, 4: 0.0}, None),
        ({1: 1.0, 2: 0.0, 4: 16.0}, (2.0, None, None, 2)),
        ({1: 1.0, 2: 2.0}, (1.0, None, None, 2)),
    ],
    ids=str,
)
def test_fewer_than_three_values_have_no_interval_and_one_has_no_exponent(seconds, fitted):
    found = exponents(points(seconds))
    if fitted is None:
        assert found == []
        return
    [fit] = found
    assert fit["exponent"] == pytest.approx(fitted[0])
    assert (fit["low"], fit["high"], fit["points"]) == fitted[1:]


def test_every_implementation_has_its_own_exponent():
    made = points({1: 1.0, 2: 2.0, 4: 4.0}, "a") + points({1: 3.0, 2: 3.0, 4: 3.0}, "b")
    assert [(fit["implementation"], round(fit["exponent"], 9)) for fit in exponents(made)] == [("a", 1.0), ("b", 0.0)]


def test_torch_is_compared_with_mxnet_and_scratch_with_library():
    assert pairs(FOUR) == [
        ("torch-scratch", "mxnet-scratch"),
        ("torch-nn", "mxnet-gluon"),
        ("mxnet-scratch", "mxnet-gluon"),
        ("torch-scratch", "torch-nn"),
    ]
    assert pairs(["torch-nn", "torch-mine", "mxnet-scratch"]) == [
        ("torch-nn", "mxnet-scratch"),
        ("torch-mine", "mxnet-scratch"),
    ]
    assert pairs(["torch-scratch"]) == []


def ratios(by_value: dict[int, tuple[float, float]]) -> list[SweepRatio]:
    """Rows from (ratio, width): the interval reaches from ratio / width to ratio * width."""
    return [
        SweepRatio(
            setting="hidden",
            value=value,
            implementation="a",
            against="b",
            ratio=ratio,
            low=ratio / width,
            high=ratio * width,
        )
        for value, (ratio, width) in by_value.items()
    ]


@pytest.mark.parametrize(
    ("by_value", "found"),
    [
        ({64: (0.5, 1.1), 256: (2.0, 1.1)}, [("a", "b", 128, 64, 256)]),
        ({256: (2.0, 1.1), 64: (0.5, 1.1)}, [("a", "b", 128, 64, 256)]),
        ({64: (4.0, 1.1), 512: (0.5, 1.1)}, [("b", "a", 256, 64, 512)]),
        ({64: (0.5, 1.1), 128: (1.0, 1.1), 512: (2.0, 1.1)}, [("a", "b", 128, 64, 512)]),
        ({1: (0.5, 1.1), 4: (2.0, 1.1), 16: (0.5, 1.1)}, [("a", "b", 2, 1, 4), ("b", "a", 8, 4, 16)]),
        ({64: (0.5, 2.5), 256: (2.0, 1.1)}, []),
        ({64: (0.5, 1.1), 256: (2.0, 2.1)}, []),
        ({64: (0.5, 2.0), 256: (2.0, 2.0)}, []),
        ({64: (1.5, 1.1), 128: (0.9, 1.2), 256: (1.5, 1.1)}, []),
        ({64: (1.5, 1.1), 256: (3.0, 1.1)}, []),
        ({64: (0.5, 1.1)}, []),
    ],
    ids=str,
)
def test_one_overtakes_where_both_intervals_say_so_and_nowhere_else(by_value, found):
    rows = overtakings(ratios(by_value))
    if not found:
        [row] = rows
        assert (row["implementation"], row["against"]) == ("a", "b")
        assert (row["value"], row["after"], row["before"]) == (None, None, None)
        return
    for row, (winner, loser, value, after, before) in zip(rows, found, strict=True):
        assert (row["implementation"], row["against"]) == (winner, loser)
        assert row["value"] == pytest.approx(value)
        assert (row["after"], row["before"]) == (after, before)
