"""Figures: what is drawn, what is not, and that it is the same every time."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree

import pytest

from crossfw.report import figures
from crossfw.report.canvas import KNOWN, styles
from tests.report import examples


def draw(task):
    return figures.draw(task, styles(examples.results(task)), task["task"])


@pytest.fixture(scope="module")
def drawn():
    return draw(examples.disagreeing())


def texts(drawing) -> list[str]:
    return [node.text or "" for node in ElementTree.fromstring(drawing.svg).iter("{http://www.w3.org/2000/svg}text")]


def test_a_full_task_has_all_four(drawn):
    assert list(drawn) == ["errors", "perplexity", "trajectory", "throughput"]
    assert all(drawing.png.startswith(b"\x89PNG") for drawing in drawn.values())


def test_there_is_no_figure_of_nothing():
    assert draw(examples.incomplete()) == {}
    assert list(draw(examples.worked_example())) == ["errors"]


def test_drawing_twice_gives_the_same_bytes(drawn, monkeypatch):
    monkeypatch.setattr(figures, "_drawn", {})
    again = draw(examples.disagreeing())
    assert {kind: (drawing.svg, drawing.png) for kind, drawing in again.items()} == {
        kind: (drawing.svg, drawing.png) for kind, drawing in drawn.items()
    }


def test_what_is_drawn_is_kept_and_what_changed_is_drawn_again(monkeypatch):
    monkeypatch.setattr(figures, "_drawn", {})
    monkeypatch.setattr(figures, "KEPT", 2)
    task = examples.worked_example()
    [first] = draw(task).values()
    assert draw(task)["errors"] is first
    task["agreement"][2].update(error=0.5, grade="different")
    assert "✕ 0.5" in texts(draw(task)["errors"])
    for number in range(3):
        draw({**task, "task": f"other{number}"})
    assert len(figures._drawn) == 2


def test_a_curve_that_ended_earlier_is_not_taken_for_a_trained_one():
    short = [row for row in examples.curves() if row["implementation"] != "torch-nn" or row["epoch"] <= 5]
    told = draw(examples.agreeing(perplexity=short))["perplexity"].alt
    assert re.search(r"torch-nn [\d.]+ \(after epoch 5 of 60\)", told)
    assert told.count("after epoch") == 1


def test_text_is_at_least_nine_points_and_stays_text(drawn):
    for drawing in drawn.values():
        sizes = [float(size) for size in re.findall(r"font-size:([\d.]+)px", drawing.svg)]
        assert sizes
        assert min(sizes) >= 9
        assert "DejaVu" not in drawing.svg


def test_only_the_heat_map_is_wider_than_a_phone(drawn):
    assert [kind for kind, drawing in drawn.items() if drawing.wide] == ["errors"]
    for kind, drawing in drawn.items():
        width, height = map(float, re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawing.svg).groups())
        assert kind == "errors" or (width <= 270 and height >= width)


def test_failing_cells_carry_a_cross(drawn):
    cells = texts(drawn["errors"])
    assert "✕ 0.93" in cells
    assert "✕ NaN" in cells
    assert "✕ inf" in cells
    assert "▾ 2e-5" in cells
    assert "0" in cells
    assert not any(cell.startswith("✕ ") for cell in texts(draw(examples.agreeing())["errors"]))


def test_a_long_list_shows_the_worst_and_says_so():
    task = examples.five()
    last = task["agreement"][-2]
    assert last["dtype"] == "float64"
    last.update(error=0.5, grade="different")
    cells = texts(draw(task)["errors"])
    assert "against numpy; 1 tensor differs" in cells
    assert "optimizer state (16)" in cells
    assert cells.count("✕ 0.5") == 2  # the tensor and its stage
    for row in task["agreement"]:
        row.update(error=0.5, grade="different")
    cells = texts(draw(task)["errors"])
    assert "against numpy; 64 tensors differ, the 20 worst are shown" in cells
    assert sum("weight" in cell for cell in cells) == 20


def test_without_a_reference_the_pairs_are_the_columns():
    first = examples.compared("port", "forward", "logits", 1e-15, against="mxnet-gluon")
    second = {**first, "against": "torch-nn"}
    assert "against mxnet-gluon; the worst tensor of each" in texts(
        draw(examples.blank("verify", agreement=[first]))["errors"]
    )
    assert "between pairs; the worst tensor of each" in texts(
        draw(examples.blank("verify", agreement=[first, second]))["errors"]
    )


def test_the_noise_band_is_drawn_where_there_are_perturbed_runs(drawn):
    assert "one-ulp noise band" in texts(drawn["perplexity"])
    calm = [row for row in examples.curves() if not row["perturbed"]]
    assert "one-ulp noise band" not in texts(draw(examples.agreeing(perplexity=calm))["perplexity"])


def test_the_known_floor_is_named():
    assert "best possible, 1.030" in texts(draw(examples.agreeing())["perplexity"])
    far = examples.agreeing(perplexity=examples.curves(epochs=3, floor=400.0))
    assert "best possible, 1.030 (below)" in texts(draw(far)["perplexity"])


@pytest.mark.parametrize("value", [math.nan, math.inf, 0.0])
def test_points_that_cannot_be_drawn_are_left_out(value):
    rows = examples.curves(epochs=12)
    rows[3]["perplexity"] = value
    assert "perplexity" in draw(examples.agreeing(perplexity=rows))
    for row in rows:
        row["perplexity"] = value
    assert "perplexity" not in draw(examples.agreeing(perplexity=rows))


def test_curves_of_one_value_can_be_drawn_and_those_of_two_epochs_are_left_to_the_tables():
    first = {
        "implementation": "torch-nn",
        "seed": 0,
        "epoch": 1,
        "split": "training",
        "perplexity": 5.0,
        "dtype": "float64",
        "perturbed": False,
    }
    points = [{**first, "epoch": epoch} for epoch in (1, 2, 3)]
    assert "perplexity" in draw(examples.blank("x", perplexity=points))
    assert "perplexity" not in draw(examples.blank("x", perplexity=points[:2]))


def test_gaps_that_are_zero_or_no_numbers_can_be_drawn():
    learning = examples.learning(horizon=None)
    for row in learning["trajectory"]:
        row.update(gap=0.0, floor=0.0)
    learning["trajectory"][-1]["gap"] = math.nan
    drawing = draw(examples.blank("x", learning=learning))["trajectory"]
    assert not any("horizon" in text for text in texts(drawing))


def test_the_control_is_labelled(drawn):
    assert "torch-nn, A/A" in texts(drawn["throughput"])
    assert "A/A control" in drawn["throughput"].caption
    assert drawn["throughput"].caption.startswith("Not the same model: ")


def test_speeds_far_apart_share_an_axis():
    rows = examples.throughput()
    rows[0].update(tokens_per_second=100.0, low=95.0, high=105.0)
    rows[1].update(tokens_per_second=math.nan)
    assert "throughput" in draw(examples.agreeing(throughput=rows))


def test_every_implementation_keeps_its_colour():
    one = styles(examples.results(examples.five()))
    two = styles(examples.results(examples.agreeing(), examples.five()))
    assert one["port"] == two["port"]
    assert {name: one[name] for name in KNOWN} == KNOWN
    assert len({style.color for style in one.values()}) == len(one)
    assert len({style.marker for style in one.values()}) == len(one)
