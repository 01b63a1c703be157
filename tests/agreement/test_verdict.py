"""Verdicts: nothing compared is not agreement, and the first stage is the one that is named."""

from __future__ import annotations

import pytest

from crossfw.agreement.verdict import Verdict, conclude, first_divergences
from crossfw.results.schema import AgreementRow, Failure


def row(name="torch-nn", against="numpy", stage="forward", dtype="float64", grade="different"):
    return AgreementRow(
        implementation=name,
        against=against,
        stage=stage,
        tensor="<h>",
        dtype=dtype,
        error=0.5,
        bound=1e-12,
        grade=grade,
        factor=None,
    )


FAILURE = Failure(implementation="torch-nn", stage="agreement.float64", reason="killed")


def test_the_first_stage_wins_and_float64_before_float32():
    rows = [row(stage="update"), row(stage="forward", dtype="float32"), row(stage="gradients"), row(grade="equal")]
    (first,) = first_divergences(rows)
    assert (first["stage"], first["dtype"]) == ("gradients", "float64")


def test_a_guilty_implementation_is_named_once():
    rows = [row(), row(against="mxnet-gluon"), row("torch-scratch", "mxnet-gluon")]
    assert [(r["implementation"], r["against"]) for r in first_divergences(rows)] == [
        ("torch-nn", "numpy"),
        ("torch-scratch", "mxnet-gluon"),
    ]


@pytest.mark.parametrize(
    ("first", "learning", "failures", "compared", "word"),
    [
        ([], None, [], {"torch-nn"}, "agree"),
        ([], None, [], set(), "incomplete"),
        ([], None, [FAILURE], {"torch-nn"}, "incomplete"),
        ([row()], None, [FAILURE], {"torch-nn"}, "disagree"),
        ([], {"verdict": "different", "text": "apart"}, [FAILURE], {"torch-nn"}, "disagree"),
        ([], {"verdict": "not tested", "text": ""}, [], {"torch-nn"}, "incomplete"),
    ],
)
def test_words(first, learning, failures, compared, word):
    verdict = conclude(first, learning, failures, compared, ["numpy", "torch-nn"], [])
    assert verdict.word == word
    assert bool(verdict) == (word == "agree")
    assert str(verdict).startswith(word)


def test_the_forms_of_a_verdict():
    verdict = conclude([row()], None, [], {"torch-nn"}, ["numpy", "torch-nn"], [])
    assert "stage 2 forward" in str(verdict)
    assert list(verdict.table().stage) == ["forward"]
    html = verdict._repr_html_()
    assert "disagree" in html
    assert "<h>" not in html
    assert Verdict("agree", "x").table().empty


def test_a_broken_worked_example_is_a_disagreement():
    assert conclude([], None, [], {"torch-nn"}, ["numpy", "torch-nn"], ["torch-nn gives 3 for y_1"]).word == "disagree"
