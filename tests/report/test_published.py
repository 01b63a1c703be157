"""Every verdict on a published figure has its mark, whatever is said after it."""

from __future__ import annotations

import pytest

from crossfw.report.grids import BAD, GOOD
from crossfw.report.published import published
from tests.report import examples


@pytest.mark.parametrize(
    ("verdict", "mark"),
    [
        ("reproduced", GOOD),
        ("reproduced; 5 seeds from 5.5 to 7, 0 of them below the published run", GOOD),
        ("reproduced, within the spread over seeds; 5 seeds from 2 to 8, 2 of them below the published run", GOOD),
        ("not reproduced", BAD),
        ("not reproduced; 3 seeds from 3.1 to 9.5, 1 of them below the published run", BAD),
        ("not shown: 1 of 10 seeds", ""),
        ("not comparable: 1 of 500 epochs", ""),
        ("another machine", ""),
    ],
)
def test_a_verdict_has_its_mark(verdict, mark):
    task = examples.agreeing()
    task["published"] = [
        {
            **{"quantity": "training perplexity", "framework": "torch", "implementation": "torch-nn", "source": "S5b"},
            **{"published": 4.5, "measured": 6.0, "mxnet_measured": 6.0, "torch_measured": 6.0, "verdict": verdict},
        }
    ]
    ((_, [row]),) = published(task).groups
    assert f"{mark} {verdict}".strip() in row
