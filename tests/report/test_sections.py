"""The tables that a reader sees."""

from __future__ import annotations

import math

from crossfw.report import samples, sections
from tests.report import examples


def rows(table: sections.Table) -> list[list[str]]:
    return [row for _, group in table.groups for row in group]


def test_agreement_has_a_line_for_each_stage_pair_and_dtype():
    table = sections.agreement(examples.agreeing())
    assert [stage for stage, _ in table.groups] == ["self-agreement", *examples.STAGES]
    assert all(len(group) == 4 * 2 for _, group in table.groups)
    gradients = dict(table.groups)["gradients"]
    assert gradients[0][:4] == ["mxnet-scratch", "numpy", "float64", "5"]
    assert gradients[0][-1] == "✓ equal"


def test_the_worst_tensor_is_a_failing_one():
    task = examples.blank(
        "x",
        agreement=[
            examples.compared("a", "loss", "nan", math.nan, grade="different"),
            examples.compared("a", "loss", "big", 0.5, grade="different"),
            examples.compared("a", "loss", "small", 1e-15),
        ],
    )
    [row] = rows(sections.agreement(task))
    assert row == ["a", "numpy", "float64", "3", "NaN", "1e-12", "nan", "✕ 2 different"]


def test_a_model_that_sees_the_future_is_marked_beside_its_perplexity():
    table = sections.final_perplexities(examples.disagreeing())
    marked = [row for row in rows(table) if any(sections.WARNING in cell for cell in row)]
    assert [row[0] for row in marked] == ["torch-nn"]
    assert marked[0][1].startswith(sections.WARNING)
    assert marked[0][-1].endswith("no measure of a language model")
    assert "note" not in sections.final_perplexities(examples.agreeing()).columns


def test_seeds_give_median_and_range():
    row = rows(sections.final_perplexities(examples.five()))[0]
    assert row[0] == "numpy"
    assert " to " in row[1]
    assert row[4] == "3"


def test_a_seed_without_a_number_is_not_hidden():
    perplexity = examples.curves(("torch-nn",), seeds=(0, 1), epochs=5, validation=False)
    perplexity[4]["perplexity"] = math.nan
    [row] = rows(sections.final_perplexities(examples.blank("x", perplexity=perplexity)))
    assert row[1].startswith("NaN (")
    assert row[1].endswith("and NaN)")


def test_the_control_is_no_comparison():
    table = sections.throughput(examples.agreeing())
    control = [row for row in rows(table) if row[0] == "torch-nn, A/A control"]
    assert len(control) == 2
    assert control[0][2] == "1.01x (0.98 to 1.03) of itself"


def test_ratios_of_models_that_differ_say_so():
    cells = {row[0]: row[2] for row in rows(sections.throughput(examples.disagreeing()))[:5]}
    assert cells["torch-nn"] == "1.9x mxnet-gluon (1.8 to 2.0); ✕ not the same model"
    assert "not the same" not in cells["torch-scratch"]


def test_what_was_not_measured_is_a_dash():
    table = sections.published(examples.agreeing())
    assert rows(table)[1][2:5] == ["294 k", "–", "another machine (a GPU)"]


def test_gaps_are_judged_up_to_the_horizon():
    table = sections.trajectory(examples.agreeing())
    assert {row[2] for row in rows(table)} == {"31"}
    assert not sections.trajectory(examples.agreeing(learning=examples.learning(horizon=None)))
    assert not sections.trajectory(examples.worked_example())


def test_identical_texts_are_grouped():
    (greedy, same), (sampled, apart) = samples.by_prefix(examples.agreeing())
    assert "greedy" in greedy
    assert "sampled" in sampled
    assert [group.writers for group in same] == ["all four write:"]
    assert [group.writers for group in apart] == [
        "mxnet-scratch writes:",
        "mxnet-gluon and torch-scratch write:",
        "torch-nn writes:",
    ]


def test_one_writer_writes():
    sample = {"implementation": "torch-nn", "prefix": "a", "decoding": "greedy", "text": "ab"}
    [(_, [group])] = samples.by_prefix(examples.blank("x", samples=[sample]))
    assert group.writers == "torch-nn writes:"


def test_the_environment_may_be_bare():
    results = examples.results()
    results["environment"] = {}
    assert not any(sections.environment(results))
    results["environment"] = {
        "threads": 2,
        "implementations": {"torch-nn": {"torch": "2.1", "pools": {"mkl": 4}}, "numpy": {}},
    }
    machine, versions = sections.environment(results)
    assert rows(machine) == [["threads", "2"]]
    assert versions.columns == ("implementation", "torch", "pools")
    assert rows(versions) == [["torch-nn", "2.1", "mkl 4"], ["numpy", "–", "–"]]
