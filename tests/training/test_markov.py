"""A trained model on the Markov source: above the floor that nothing can pass, and close to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crossfw.catalogue import find_task
from crossfw.data import MarkovSource, load_dataset
from crossfw.harness.options import RunOptions
from crossfw.harness.work import Work
from crossfw.training.curves import TrainingPlan, train

WITHIN = 1.05


@pytest.mark.parametrize("name", ["mxnet-scratch", "mxnet-gluon", "torch-scratch", "torch-nn"])
def test_validation_perplexity_lies_just_above_the_floor(workers, tmp_path, name):
    task = find_task("lm_rnn_markov")
    work = Work(task, RunOptions(tasks=(), out=tmp_path))
    plan = TrainingPlan("float32", "cpu", 0, task.recipe.quick_epochs)
    trace = train(workers[name], task, work.dataset, work.spec, plan, lambda: None)
    final = [point["perplexity"] for point in trace.facts["points"] if point["split"] == "validation"][-1]
    assert work.dataset.floor < final <= WITHIN * work.dataset.floor


def test_the_source_itself_reaches_the_floor_on_the_validation_text():
    spec = find_task("lm_rnn_markov").data
    dataset = load_dataset(spec)
    text = dataset.vocabulary.decode(dataset.validation_ids)
    best = MarkovSource(spec.symbols, spec.source_seed).perplexity(text)
    assert best == pytest.approx(dataset.floor, rel=0.02)


def test_batches_do_not_depend_on_who_asks():
    spec = replace(find_task("lm_rnn_markov").data, max_tokens=3000, validation_tokens=0)
    first, again = (load_dataset(spec).training(3, 5)[1] for _ in range(2))
    assert (first.inputs == again.inputs).all()
    assert (first.targets == again.targets).all()
