"""Published figures: what counts as reproduced, and what is said where it does not."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from crossfw.errors import CrossfwError
from crossfw.harness.published import _judge
from crossfw.task import Published

PERPLEXITY = {"quantity": "training perplexity", "framework": "torch", "implementation": "torch-nn", "source": "S"}
ACCURACY = {**PERPLEXITY, "quantity": "accuracy (test data)"}
RANGE = {**PERPLEXITY, "value": 4.53, "low": 3.0, "high": 8.0}


def work(epochs: int = 100, needed: int = 100, seeds: int = 1) -> SimpleNamespace:
    return SimpleNamespace(epochs=epochs, task=SimpleNamespace(recipe=SimpleNamespace(epochs=needed, seeds=seeds)))


@pytest.mark.parametrize(
    ("item", "values", "words"),
    [
        ({**PERPLEXITY, "value": 1.1}, [1.12], "reproduced"),
        ({**PERPLEXITY, "value": 1.1}, [1.3], "not reproduced"),
        ({**PERPLEXITY, "value": 1.1, "low": 1.0, "high": 1.15}, [1.15], "reproduced"),
        ({**PERPLEXITY, "value": 1.1, "low": 1.0, "high": 1.15}, [1.16], "not reproduced"),
        ({**ACCURACY, "value": 1.0}, [1.0], "reproduced"),
        ({**ACCURACY, "value": 1.0}, [0.92], "not reproduced"),
        (RANGE, [7.0, 5.5, 6.8], "reproduced; 3 seeds from 5.5 to 7, 0 of them below the published run"),
        (RANGE, [9.0, 9.5, 3.1], "not reproduced; 3 seeds from 3.1 to 9.5, 1 of them below the published run"),
        ({**PERPLEXITY, "value": 4.5}, [0.1, 50.0], "not reproduced; 2 seeds from 0.1 to 50, 1 of them below"),
        ({**PERPLEXITY, "value": 4.5}, [2.0, 3.0, 6.0, 7.0, 8.0], "reproduced, within the spread over seeds; 5 seeds"),
        ({**PERPLEXITY, "value": 1.1}, [], "not measured"),
    ],
)
def test_the_verdict_on_a_published_figure(item, values, words):
    found = _judge(values, Published(**item), work())
    assert found.startswith(words)
    assert words.startswith("not") or not found.startswith("not")


def test_fewer_epochs_are_not_comparable():
    assert _judge([1.1], Published(**PERPLEXITY, value=1.1), work(5)) == "not comparable: 5 of 100 epochs"
    assert _judge([1.1], Published(**PERPLEXITY, value=1.1, epoch=5), work(5)).startswith("reproduced")


def test_fewer_seeds_than_the_recipes_show_nothing_unless_they_are_close():
    item = Published(**PERPLEXITY, value=1.1)
    assert _judge([1.3], item, work(seeds=5)) == "not shown: 1 of 5 seeds"
    assert _judge([1.1], item, work(seeds=5)) == "reproduced"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"quantity": "trainig loss"}, "did you mean 'training loss'"),
        ({"implementation": "torch"}, "implementation"),
        ({"low": 1.0}, "only one of low and high"),
    ],
)
def test_a_mistake_in_a_published_table_is_told_when_the_task_is_read(changes, words):
    with pytest.raises(CrossfwError, match=words):
        Published(**{**PERPLEXITY, "value": 1.0, **changes})
