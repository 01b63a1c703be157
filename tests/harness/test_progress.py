"""What is seen of a run where there is no terminal: a line per phase, and no long silence."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from crossfw.harness import progress as room
from crossfw.harness.progress import RunProgress

DEADLINE = 30.0  # seconds, of a test that fails


def lines_of(screen: io.StringIO) -> list[str]:
    """Without what is said before the first phase, where a busy machine may be slow too."""
    lines = [line.partition("] ")[2] for line in screen.getvalue().splitlines()]
    return [line for line in lines if line != "preparation goes on"]


def test_a_long_phase_is_not_silent_though_nothing_ends(monkeypatch):
    monkeypatch.setattr(room, "SILENCE", 0.01)
    screen, end = io.StringIO(), time.monotonic() + DEADLINE
    with RunProgress(Console(file=screen, width=100), tasks=1) as progress:
        progress.phase("lm_rnn: sweep of hidden=32,64, slowly", ticks=4, share=1.0)
        while len(lines_of(screen)) < 3 and time.monotonic() < end:
            time.sleep(0.005)
        progress.task_done("lm_rnn: agree")
    lines = lines_of(screen)
    assert lines[:3] == ["lm_rnn: sweep of hidden=32,64, slowly", *["lm_rnn: sweep of hidden=32,64 goes on"] * 2]
    assert set(lines[3:]) <= {"lm_rnn: sweep of hidden=32,64 goes on", "lm_rnn: agree", "writing the report goes on"}


@pytest.mark.parametrize("terminal", [True, False])
def test_no_such_line_on_a_terminal_nor_after_the_run(monkeypatch, terminal):
    monkeypatch.setattr(room, "SILENCE", 0.01)
    screen = io.StringIO()
    with RunProgress(Console(file=screen, width=100, force_terminal=terminal), tasks=1) as progress:
        progress.phase("lm_rnn: agreement", ticks=2, share=1.0)
        progress.advance()
        progress.breaker.join(timeout=DEADLINE if terminal else 0.0)
        assert progress.breaker.is_alive() != terminal
    assert not progress.breaker.is_alive()
    if terminal:
        assert "goes on" not in screen.getvalue()
