"""What is seen of a run where there is no terminal: a line per step of the work, and no long silence."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from crossfw.harness.progress import SILENCE, RunProgress


@pytest.mark.parametrize(("seconds", "told"), [(SILENCE / 2 + 1, [2, 4]), (SILENCE + 1, [1, 2, 3, 4]), (1.0, [])])
def test_a_long_phase_says_how_far_it_is(monkeypatch, seconds, told):
    now, screen = [100.0], io.StringIO()
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with RunProgress(Console(file=screen, width=100), tasks=1) as progress:
        progress.phase("lm_rnn: sweep of hidden=32,64, slowly", ticks=4, share=1.0)
        for _ in range(4):
            now[0] += seconds
            progress.advance()
    begin, *lines = screen.getvalue().splitlines()
    assert begin == "[    0 s] lm_rnn: sweep of hidden=32,64, slowly"
    assert [line.partition("] ")[2] for line in lines] == [
        f"lm_rnn: sweep of hidden=32,64: {done} of up to 4 steps done" for done in told
    ]


def test_a_terminal_has_bars_and_no_such_lines(monkeypatch):
    now, screen = [100.0], io.StringIO()
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    progress = RunProgress(Console(file=screen, width=100, force_terminal=True), tasks=1)
    progress.phase("lm_rnn: agreement", ticks=2, share=1.0)
    now[0] += 10 * SILENCE
    progress.advance()
    assert "steps done" not in screen.getvalue()
