"""Numbers as a reader sees them."""

from __future__ import annotations

import math

import pytest

from crossfw.results import formatting


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (3e-14, "3e-14"),
        (2.4e-5, "2e-5"),
        (0.93, "0.93"),
        (1.0, "1"),
        (12.0, "12"),
        (456.0, "456"),
        (2e3, "2e3"),
        (9.3e11, "9e11"),
        (math.inf, "inf"),
        (math.nan, "NaN"),
        (None, "–"),
    ],
)
def test_errors_are_short(value, text):
    assert formatting.error(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.03456, "1.035"),
        (1.0, "1.000"),
        (9.99996, "10.00"),
        (153.796754, "153.8"),
        (33458.3, "33458"),
        (2.5e9, "2.500e9"),
        (math.nan, "NaN"),
        (math.inf, "inf"),
    ],
)
def test_perplexity_has_four_significant_digits(value, text):
    assert formatting.perplexity(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (28_312.0, "28.3 k"),
        (999.7, "1.00 k"),
        (840.0, "840"),
        (1_250_000.0, "1.25 M"),
        (6_900.0, "6.90 k"),
        (None, "–"),
        (999_999.0, "1.00 M"),
        (12.345, "12.3"),
    ],
)
def test_rates(value, text):
    assert formatting.rate(value) == text


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((1.9, 1.82, 2.1), "1.9x (1.8 to 2.1)"),
        ((1.04, 1.02, 1.06), "1.04x (1.02 to 1.06)"),
        ((0.53, 0.5, 0.56), "0.53x (0.50 to 0.56)"),
        ((12.3, 11.6, 13.4), "12x (12 to 13)"),
        ((1.01, 1.004, 1.03), "1.010x (1.004 to 1.030)"),
    ],
)
def test_a_ratio_has_the_digits_that_tell_it_from_one(numbers, text):
    assert formatting.ratio(*numbers) == text


def test_ranges_name_a_nan():
    assert formatting.perplexity_range([1.2, 1.1]) == "1.100 to 1.200"
    assert formatting.perplexity_range([1.1, 1.1]) == "1.100"
    assert formatting.perplexity_range([1.1, math.nan]) == "1.100 and NaN"
    assert formatting.perplexity_range([math.nan]) == "NaN"


@pytest.mark.parametrize(
    ("value", "text"), [(0.05, "5 %"), (0.286, "29 %"), (0.0042, "0.42 %"), (1.0, "100 %"), (None, "–")]
)
def test_percent(value, text):
    assert formatting.percent(value) == text


@pytest.mark.parametrize(
    ("name", "values", "text"),
    [
        ("accuracy (test data)", [0.975], "97.5 %"),
        ("F1 (validation data)", [1.0, 1.0], "100.0 %"),
        ("left word accuracy (test data)", [0.5, 0.6, 0.8], "60.0 % (50.0 to 80.0)"),
        ("exact match (test data, greedy)", [0.0], "0.0 %"),
        ("BLEU (test data, beam of 3)", [34.26, 30.0, 40.0], "34.3 (30.0 to 40.0)"),
        ("distance of “bank” between senses", [0.123456], "0.123"),
        ("outputs of both Teddies differ by", [1.2345e-7], "1.23e-7"),
        ("distance", [0.00012345], "1.23e-4"),
        ("of two Teddies right", [2.0], "2"),
        ("distance", [12345.0], "12.3 k"),
        ("accuracy (test data)", [math.nan, 0.5], "NaN (50.0 to 50.0)"),
        ("accuracy (test data)", [], "–"),
    ],
)
def test_measures_have_units(name, values, text):
    assert formatting.measure(name, values) == text


def test_everyone_is_counted():
    assert formatting.all_of(["a", "b", "c", "d"], 4) == "all four"
    assert formatting.all_of(["a", "b"], 2) == "both"
    assert formatting.all_of(["a", "b", "c"], 4) == "a, b and c"
    assert formatting.all_of(["a"], 1) == "a"
