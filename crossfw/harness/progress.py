"""What is seen of a run: bars with the time left on a terminal, else a line per step of the work and half minute."""

from __future__ import annotations

import time
from threading import Event, Thread

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

SILENCE = 30.0  # seconds


class RunProgress:
    """Two bars on a terminal, tasks and the phase of the present one; lines elsewhere."""

    def __init__(self, console: Console, tasks: int):
        self.console, self.started = console, time.monotonic()
        self.said, self.text = self.started, "preparation"
        self.over, self.breaker = Event(), Thread(target=self.break_silence, daemon=True)
        self.done, self.share_of_tick = 0, 0.0
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        self.bars = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
        self.overall = self.bars.add_task("tasks", total=tasks)
        self.current = self.bars.add_task("", total=None, visible=False)

    def phase(self, text: str, ticks: int, share: float) -> None:
        """Begin a phase of so many ticks, which is so much of the task."""
        self.share_of_tick = share / max(ticks, 1)
        self.bars.reset(self.current, description=text, total=ticks, visible=True)
        self.text = text.partition(", ")[0]
        if not self.console.is_terminal:
            self.say(text)

    def advance(self) -> None:
        """One tick of the phase."""
        self.bars.advance(self.current)
        self.bars.advance(self.overall, self.share_of_tick)

    def task_done(self, text: str) -> None:
        """A task ended."""
        self.done, self.text = self.done + 1, "writing the report"
        self.bars.update(self.overall, completed=self.done)
        self.say(text)

    def say(self, text: str) -> None:
        """A line that stays, with the seconds since the start."""
        self.said = time.monotonic()
        self.console.print(
            f"[{time.monotonic() - self.started:5.0f} s] {text}", markup=False, highlight=False, soft_wrap=True
        )

    def break_silence(self) -> None:
        """A line after every half minute without one, until the run is over."""
        while not self.console.is_terminal and not self.over.wait(max(0.0, self.said + SILENCE - time.monotonic())):
            if time.monotonic() - self.said >= SILENCE:
                self.say(f"{self.text} goes on")

    def __enter__(self) -> RunProgress:
        self.bars.start()
        self.breaker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bars.stop()
        self.over.set()
        self.breaker.join()
