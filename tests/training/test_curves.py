"""Curves: which epochs are looked at."""

from __future__ import annotations

from pathlib import Path

from crossfw.catalogue import find_task
from crossfw.harness.options import RunOptions
from crossfw.harness.work import Work
from crossfw.harness.workers import InProcess
from crossfw.models import REFERENCE, Implementation
from crossfw.training.curves import TrainingPlan, train
from tests.tasks import SMALL, write_task


def test_every_compared_epoch_is_validated_then_every_fifth_and_the_last(tmp_path):
    text = SMALL.replace("quick_epochs = 2", "quick_epochs = 2\ncompared_epochs = 2")
    task = find_task(write_task(tmp_path, text))
    work = Work(task, RunOptions((), Path("unused")))
    plan = TrainingPlan("float64", "cpu", seed=0, epochs=12)
    trace = train(InProcess(Implementation(REFERENCE)), task, work.dataset, work.spec, plan, lambda: None)
    epochs = {
        split: [p["epoch"] for p in trace.facts["points"] if p["split"] == split]
        for split in ("training", "validation")
    }
    assert epochs == {"training": list(range(1, 13)), "validation": [1, 2, 5, 10, 12]}
