"""The end of a run, in 80 columns and without colour."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from crossfw.report import print_summary
from tests.report import examples


def printed(*tasks, width=80) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    print_summary(examples.results(*tasks), console)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_it_fits(width):
    assert max(map(len, printed(*examples.everything()["tasks"], width=width).splitlines())) <= width


def test_words_carry_the_verdict():
    text = " ".join(printed(*examples.everything()["tasks"]).split())
    for words in (
        "lm_rnn AGREE",
        "lm_gru DISAGREE",
        "nmt_fra INCOMPLETE",
        "no: torch-nn differs from numpy first at stage forward, tensor hidden: error 0.93, bound 1e-12",
        "warning: torch-nn sees the future",
        "not the same model: training",
        "All tasks",
        "Not all: lm_gru disagrees",
    ):
        assert words in text


def test_square_brackets_are_text():
    assert "[red]boom[/x]" in printed(examples.blank("t", reason="[red]boom[/x]"))


def test_nothing_was_run():
    assert "no task was run" in printed()
