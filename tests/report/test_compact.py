"""Small SVG that draws the same."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ElementTree

import matplotlib
import pytest
from matplotlib.figure import Figure

from crossfw.report import figures
from crossfw.report.canvas import STYLE, styles
from crossfw.report.compact import compact, shorten
from crossfw.report.sharing import Shared
from tests.report import examples


@pytest.fixture(scope="module")
def drawn():
    task = examples.disagreeing()
    return figures.draw(task, styles(examples.results(task)), "x")


def saved(draw) -> tuple[str, str]:
    """As matplotlib writes it, and compact."""
    text = io.StringIO()
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(3, 3))
        draw(figure.add_subplot())
        figure.savefig(text, format="svg")
    return text.getvalue(), compact(text.getvalue(), "a & b")


@pytest.mark.parametrize(
    ("data", "short"),
    [
        ("M 93.15 133.92 \nL 93.15 25.92 \n", "M93.2 133.9V25.9"),
        ("M 0 0 L 1 1 L 1.01 1.01 L 2 2", "M0 0L1 1L2 2"),
        ("M 0 0 L 5 0 L 5 5 z M 9 9 L 9 9", "M0 0H5V5zM9 9V9"),
        ("M -0.01 0 C 1 2 3 4 5 6 L 5 8", "M0 0C1 2 3 4 5 6V8"),
        ("", ""),
    ],
)
def test_paths_are_short(data, short):
    assert shorten(data, 1) == short


def test_it_is_less_than_half():
    long, short = saved(lambda axes: axes.plot(range(20), [x * x for x in range(20)], marker="o"))
    assert len(short) < len(long) / 2


def test_the_words_stay_and_are_escaped():
    long, short = saved(lambda axes: axes.set_title("<loss> & more"))
    words = [node.text for node in ElementTree.fromstring(short).iter("{http://www.w3.org/2000/svg}text")]
    assert "<loss> & more" in words
    assert ElementTree.fromstring(short).get("aria-label") == "a & b"


def test_rotated_words_stay_rotated():
    short = saved(lambda axes: axes.set_ylabel("upwards"))[1]
    assert re.search(r'transform="rotate\(-90 [-\d.]+ [-\d.]+\)"[^>]*>upwards', short)


def test_a_marker_that_is_used_once_stands_where_it_is_seen():
    short = saved(lambda axes: axes.plot([0.5], [0.5], marker="s", markersize=10))[1]
    assert "<use" not in short
    assert len(re.findall(r"<path", short)) >= 2


def test_all_that_is_pointed_to_is_there_and_nothing_else(drawn):
    for drawing in drawn.values():
        pointed = set(re.findall(r'(?:url\(#|href="#)(\w+)', drawing.svg))
        assert pointed == set(re.findall(r'\bid="(\w+)"', drawing.svg))
        used = set(re.findall(r'class="(\w+)"', drawing.svg))
        assert used == set(re.findall(r"\.(c\w+)\{", drawing.svg))


def test_one_name_means_one_thing_in_all_figures():
    tasks = [examples.disagreeing(), examples.five()]
    known = styles(examples.results(*tasks))
    meanings: dict[str, set[str]] = {}
    for task in tasks:
        for drawing in figures.draw(task, known, task["task"]).values():
            for name, rules in re.findall(r"\.(c\w+)\{(.*?)\}", drawing.svg):
                meanings.setdefault(name, set()).add(rules)
            for name, rest in re.findall(r'<(?:path|clipPath) id="(\w+)"(.*?)(?:</clipPath>|/>)', drawing.svg):
                meanings.setdefault(name, set()).add(rest)
    assert {len(found) for found in meanings.values()} == {1}


def test_in_a_page_every_name_is_known(drawn):
    shared = Shared(drawn.values())
    bodies = "".join(shared.inlined(drawing) for drawing in drawn.values())
    assert "<style" not in bodies
    assert set(re.findall(r"(?:url\(#|href=\"#)(\w+)", bodies)) <= set(re.findall(r'id="(\w+)"', shared.definitions))
    classes = set(re.findall(r"class=(\w+)", bodies + shared.definitions))
    assert classes == set(re.findall(r"\.(s\w+)\{", shared.style))


def test_only_what_leaves_the_axes_is_clipped():
    inside = saved(lambda axes: axes.plot([0, 1, 2], [0, 2, 1]))[1]
    assert "clip" not in inside
    beyond = saved(lambda axes: (axes.plot([0, 1, 2], [0, 2, 1]), axes.set_ylim(0.5, 1.5)))[1]
    assert beyond.count('clip-path="url(#') == 1
