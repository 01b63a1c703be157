"""The tables that a reader sees."""

from __future__ import annotations

import math

from crossfw.report import comparisons, grids, measures, published, samples, sections
from tests.report import examples


def rows(table: grids.Table) -> list[list[str]]:
    return [row for _, group in table.groups for row in group]


def test_agreement_has_a_line_for_all_that_agree_by_stage_and_dtype():
    table = comparisons.agreement(examples.agreeing())
    assert [stage for stage, _ in table.groups] == ["self-agreement", *examples.STAGES]
    assert all(len(group) == 2 for _, group in table.groups)
    assert dict(table.groups)["self-agreement"][0][:4] == ["all four", "itself", "float64", "1"]
    gradients = dict(table.groups)["gradients"]
    assert gradients[0][:4] == ["all four", "numpy", "float64", "5"]
    assert gradients[0][-1] == "✓ equal"


def test_pairs_that_differ_and_the_less_accurate_have_lines_of_their_own():
    lines = dict(comparisons.agreement(examples.disagreeing()).groups)["gradients"]
    double, single = ([line for line in lines if line[2] == dtype] for dtype in ("float64", "float32"))
    assert [line[0] for line in double] == ["mxnet-scratch, mxnet-gluon and torch-scratch", "torch-nn"]
    assert double[1][-1] == "✕ 5 different"
    assert [line[0] for line in single] == ["mxnet-scratch and torch-scratch", "mxnet-gluon", "torch-nn"]
    assert single[1][-1] == "✓ less accurate, up to 3.1x"
    assert {line[3] for line in lines} == {"5"}


def test_a_pair_is_in_one_line_of_a_stage_only():
    row = examples.compared("torch-nn", "loss", "a", 1e-7, dtype="float32")
    less = {**row, "tensor": "b", "grade": "less accurate", "factor": 2.0}
    others = [{**each, "implementation": "torch-scratch"} for each in (row, {**row, "tensor": "b"})]
    found = rows(comparisons.agreement(examples.blank("x", agreement=[row, less, *others])))
    assert [(line[0], line[3], line[-1]) for line in found] == [
        ("torch-scratch", "2", "✓ equal"),
        ("torch-nn", "2", "✓ less accurate, up to 2x"),
    ]


def test_pairs_of_frameworks_share_a_line():
    pairs = [(f"torch-{one}", f"mxnet-{two}") for one in ("scratch", "nn") for two in ("scratch", "gluon")]
    compared = [examples.compared(one, "loss", "loss", 0.0, against=two) for one, two in pairs]
    [line] = rows(comparisons.agreement(examples.blank("x", agreement=compared)))
    assert line[:2] == ["both", "mxnet-scratch and mxnet-gluon"]
    [line] = rows(comparisons.agreement(examples.blank("x", agreement=compared[::3])))
    assert line[:2] == ["torch-scratch / mxnet-scratch, torch-nn / mxnet-gluon", "each other"]


def test_the_worst_tensor_is_a_failing_one():
    task = examples.blank(
        "x",
        agreement=[
            examples.compared("a", "loss", "nan", math.nan, grade="different"),
            examples.compared("a", "loss", "big", 0.5, grade="different"),
            examples.compared("a", "loss", "small", 1e-15),
        ],
    )
    [row] = rows(comparisons.agreement(task))
    assert row == ["a", "numpy", "float64", "3", "NaN", "1e-12", "nan", "✕ 2 different"]


def test_a_model_that_sees_the_future_is_marked_beside_its_perplexity():
    table = sections.final_perplexities(examples.disagreeing())
    marked = [row for row in rows(table) if any(grids.WARNING in cell for cell in row)]
    assert [row[0] for row in marked] == ["torch-nn"]
    assert marked[0][1].startswith(grids.WARNING)
    assert marked[0][-1].endswith("no measure of a language model")
    assert "note" not in sections.final_perplexities(examples.agreeing()).columns


def test_a_final_perplexity_of_fewer_epochs_says_so():
    short = [row for row in examples.curves() if row["implementation"] != "torch-nn" or row["epoch"] <= 5]
    lines = rows(sections.final_perplexities(examples.agreeing(perplexity=short)))
    assert {line[0]: line[3] for line in lines} == {**dict.fromkeys(examples.FOUR, "60"), "torch-nn": "5 of 60"}


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
    assert control[0][2] == "no difference shown to itself (0.98 to 1.03)"


def test_a_control_that_shows_a_difference_is_a_ratio_to_itself():
    cells = [row[2] for row in rows(sections.throughput(examples.disagreeing())) if row[0] == "torch-nn, A/A control"]
    assert cells[0].startswith("1.010x itself (1.004 to 1.030)")


def test_limits_say_what_sets_them_and_samples_far_out_are_counted():
    found = {row[0]: row[3:] for row in rows(sections.throughput(examples.agreeing()))[:5]}
    assert found["torch-nn"] == ["29 % by bytes", "3"]
    assert found["mxnet-gluon"] == ["15 % by operations", "3, 1 far out"]
    assert found["torch-nn, A/A control"] == ["–", "3"]


def test_ratios_of_models_that_differ_say_so():
    cells = {row[0]: row[2] for row in rows(sections.throughput(examples.disagreeing()))[:5]}
    assert cells["torch-nn"] == "1.9x mxnet-gluon (1.8 to 2.0); ✕ not the same model"
    assert "not the same" not in cells["torch-scratch"]


def test_what_was_not_measured_is_a_dash():
    table = published.published(examples.agreeing())
    assert rows(table)[1][2:5] == ["294 k", "–", "another machine"]


def test_all_published_results_stand_together():
    table = published.overview(examples.results(examples.agreeing(), examples.worked_example(), examples.translating()))
    assert [task for task, _ in table.groups] == ["lm_rnn", "bptt_by_hand"]
    first, second = table.groups[0][1]
    assert first == [
        *("training perplexity, epoch 500", "MXNet, mxnet-gluon", "1.2", "1.19", "1.18"),
        *("✓ reproduced", "d2l-ai/d2l-zh-colab, median of 21 builds"),
    ]
    assert second[2:] == ["294 k", "61.0 k", "–", "another machine", "github.com/d2l-ai/d2l-zh-pytorch-slides"]


def test_worked_examples_share_a_line():
    task = examples.worked_example()
    [line] = rows(published.overview(examples.results(task)))
    assert line == [
        *("worked examples", "by hand", "–", "–", "–", "✓ 4 of 4 values reproduced"),
        "S1, worked example of the simple recurr…",
    ]
    task["published"][1]["verdict"] = "not reproduced"
    assert rows(published.overview(examples.results(task)))[0][5] == "✕ 3 of 4 values reproduced"


def test_a_figure_that_nobody_measured_is_no_worked_example():
    row = {**examples.agreeing()["published"][0], "measured": None, "mxnet_measured": None, "torch_measured": None}
    [line] = rows(
        published.overview(examples.results(examples.blank("x", published=[{**row, "verdict": "not measured"}])))
    )
    assert line[0] == row["quantity"]
    assert line[2:6] == ["1.2", "–", "–", "not measured"]


def test_published_measures_have_their_units():
    row = {**examples.agreeing()["published"][0], "quantity": "accuracy (test data)", "published": 0.9, "measured": 1.0}
    assert rows(published.published(examples.blank("x", published=[row])))[0][2:4] == ["90.0 %", "100.0 %"]


def test_measures_have_a_column_for_each_implementation():
    table = measures.measures(examples.translating(measures=examples.measures()))
    assert table.columns == ("measure", *examples.FOUR)
    assert table.caption == "What the trained models can do, float32"
    assert [row[1] for row in rows(table)] == ["97.5 %", "50.0 %", "34.3", "1.23e-4"]


def test_measures_over_seeds_are_a_median_and_a_range():
    table = measures.measures(examples.translating())
    assert table.caption.endswith("median and range over 3 seeds")
    assert rows(table)[1][:2] == ["exact match (test data, beam of 3)", "50.5 %\n(50.0 to 51.0)"]


def test_a_measure_that_one_model_lacks_is_a_dash():
    some = [row for row in examples.measures() if (row["implementation"], row["measure"][:4]) != ("torch-nn", "BLEU")]
    assert rows(measures.measures(examples.translating(measures=some)))[2][1:] == ["34.3", "34.3", "34.3", "–"]
    assert not measures.measures(examples.agreeing())


def test_examples_stand_in_one_table_by_decoding():
    table = samples.examples(examples.translating())
    (beam, (first, second)), (greedy, _) = table.groups
    assert (beam, greedy) == ("test data, beam of 3", "test data, greedy")
    outputs = "✓ mxnet-scratch, mxnet-gluon and torch-nn\n✕ torch-scratch: il dit ,"
    assert first == ["he said ,", "il a dit ,", outputs]
    assert second[2] == "✓ all four"
    assert samples.by_prefix(examples.translating()) == []


def test_long_examples_are_cut_and_empty_outputs_named():
    found = samples.examples(examples.blank("x", samples=examples.translated("word " * 100, texts=[""] * 4)))
    [(given, _, outputs)] = rows(found)
    assert len(given) == samples.LONGEST
    assert outputs == "✕ all four: nothing"


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
    sample = {"implementation": "torch-nn", "prefix": "a", "expected": "", "decoding": "greedy", "text": "ab"}
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
