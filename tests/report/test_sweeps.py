"""Sweeps as tables, words and figures."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

from crossfw.report import figures, scaling, summary, sweeps
from crossfw.report.canvas import KNOWN
from tests.report import examples


def rows(table) -> dict[str, list[list[str]]]:
    return dict(table.groups)


def texts(drawing) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(drawing.svg).iter("{http://www.w3.org/2000/svg}text")]


@pytest.fixture(scope="module")
def drawn():
    return figures.draw(examples.swept(), KNOWN, "lm_swept")


def test_every_value_has_its_speeds_beside_the_evidence():
    found = rows(sweeps.speeds(examples.swept()))
    assert list(found) == [*(f"hidden = {n}" for n in (64, 128, 256, 512)), *(f"batch = {n}" for n in (1, 8, 32))]
    assert found["hidden = 64"][0] == [
        *("mxnet-scratch", "280 k (266 k to 294 k)", "4.00 (3.81 to 4.21)", "✓ 7e-16 of 2e-13"),
    ]
    assert found["batch = 32"][3] == [
        *("torch-nn", "–", "–", "✕ 0.3 of 2e-13; not the same model: gradients, W_hh"),
    ]


def test_what_could_not_be_compared_says_why():
    sweep = examples.sweep()
    sweep["points"][0].update(error=None, bound=None, reason="killed by signal 9", tokens_per_second=None)
    [first, *_] = rows(sweeps.speeds(examples.blank("x", sweeps=[sweep])))["hidden = 64"]
    assert first == ["mxnet-scratch", "–", "–", "✕ killed by signal 9"]


def test_exponents_stand_with_their_intervals_and_neighbours():
    found = rows(sweeps.exponents(examples.swept()))
    assert found["hidden 64, 128, 256, 512"][1] == ["mxnet-gluon", "1.20 (1.20 to 1.20)", "1.20, 1.20, 1.20", "4"]
    assert found["batch 1, 8, 32"][3] == ["torch-nn", "0.90 (no interval from 2 values)", "0.90", "2"]
    assert "overhead" in sweeps.exponents(examples.swept()).caption


def test_overtakings_are_named_with_the_ratios_at_both_ends():
    found = rows(sweeps.overtakings(examples.swept()))["hidden 64, 128, 256, 512"]
    assert found[0] == [
        "torch-scratch and mxnet-scratch: no overtaking shown",
        "4.4x (4.2 to 4.7)",
        "1.6x (1.5 to 1.7)",
    ]
    assert found[1][0] == "torch-nn overtakes mxnet-gluon between 128 and 512, at about 310"
    assert found[1][1:] == ["0.62x (0.59 to 0.66)", "1.2x (1.1 to 1.2)"]


def test_a_ratio_is_turned_where_the_other_one_wins():
    first, *_ = rows(sweeps.overtakings(examples.swept()))["batch 1, 8, 32"]
    assert first[0] == "mxnet-scratch overtakes torch-scratch between 8 and 32, at about 20"
    assert first[1:] == ["0.22x (0.21 to 0.24)", "1.3x (1.2 to 1.3)"]


def test_the_answer_about_speed_tells_of_sweeps():
    words = summary.how_fast(examples.swept()).parts
    assert words[2] == (
        "hidden 64 to 512: torch-nn overtakes mxnet-gluon at about 310, torch-scratch overtakes torch-nn at about 210"
    )
    calm = examples.sweep(values=(64, 80))
    assert sweeps.sentence(calm) == "hidden 64 to 80: no overtaking shown"
    assert sweeps.sentence({**calm, "ratios": [], "overtakings": []}).endswith("no two implementations were timed")


def test_a_figure_for_each_setting_with_a_label_for_each_line(drawn):
    assert [kind for kind in drawn if kind.startswith("sweep-")] == ["sweep-hidden", "sweep-batch"]
    words = texts(drawn["sweep-hidden"])
    assert {"Tokens per second", "Milliseconds per training step", "hidden units", "64", "512"} <= set(words)
    assert all(words.count(name) == 2 for name in examples.FOUR)
    assert "A ring marks" in drawn["sweep-hidden"].caption
    assert "torch-nn 0.90 (0.90 to 0.90)" in drawn["sweep-hidden"].alt
    width, height = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn["sweep-hidden"].svg).groups())
    assert width <= 270
    assert height >= width


def test_labels_do_not_overlap(drawn):
    for kind in ("sweep-hidden", "sweep-batch"):
        root = ElementTree.fromstring(drawn[kind].svg)
        nodes = [node for node in root.iter("{http://www.w3.org/2000/svg}text") if node.text in examples.FOUR]
        heights = sorted(float(node.get("y")) for node in nodes)
        assert len(heights) == 8
        assert min(b - a for a, b in zip(heights, heights[1:])) >= 12


def test_there_is_no_figure_of_nothing_timed():
    sweep = examples.sweep()
    for point in sweep["points"]:
        point.update(tokens_per_second=None, seconds_per_step=None)
    assert scaling.scaling(examples.blank("x"), sweep, KNOWN, "x") is None
    assert not sweeps.speeds(examples.blank("x"))


def test_one_wide_interval_does_not_press_the_curves_together(monkeypatch):
    sweep = examples.sweep()
    sweep["points"][0].update(low=1e-3)

    def smallest() -> float:
        monkeypatch.setattr(figures, "_drawn", {})
        [drawing] = figures.draw(examples.blank("x", sweeps=[sweep]), KNOWN, "x").values()
        words = texts(drawing)
        ticks = words[: words.index("Tokens per second")]
        return min(
            float(word.split()[0]) * (1e3 if " k" in word else 1e6) for word in ticks if word[-2:] in (" k", " M")
        )

    assert smallest() >= 5e4
    monkeypatch.setattr(scaling, "FAR", 1e12)
    assert smallest() < 5e4


def test_ticks_that_would_touch_are_left_out():
    sweep = examples.sweep(values=(64, 65, 66, 128, 1024))
    [drawing] = figures.draw(examples.blank("x", sweeps=[sweep]), KNOWN, "x").values()
    words = texts(drawing)
    assert {"66", "128", "1024"} <= set(words)
    assert not {"64", "65"} & set(words)


@pytest.mark.parametrize(
    ("places", "moved"),
    [
        ([0.5, 0.2], [0.5, 0.2]),
        ([0.5, 0.5], [0.5, 0.6]),
        ([1.0, 0.98, 0.99], [1.0, 0.8, 0.9]),
        ([0.0, 0.0, 1.2], [0.0, 0.1, 1.0]),
        ([-0.3], [0.0]),
        ([], []),
    ],
)
def test_places_are_moved_apart_and_kept_within(places, moved):
    assert scaling.spread(places, 0.1, 0.0, 1.0) == pytest.approx(moved)


def test_the_page_has_a_section_for_it(page_text, markdown_text):
    assert page_text.count("How does speed scale?") == 1
    assert 'href="sweep.csv"' in page_text
    assert "figures/lm_rnn-sweep-hidden.svg" in markdown_text
    assert "torch-nn overtakes mxnet-gluon between 128 and 512, at about 310" in markdown_text
