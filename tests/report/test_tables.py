"""JSON there and back, data frames, and what a broken folder says."""

from __future__ import annotations

import gzip
import json
import math

import numpy as np
import pytest

from crossfw.errors import CrossfwError
from crossfw.report import (
    SCHEMA,
    frames,
    load,
    read_results,
    write_report,
)
from crossfw.results import archive, encoding, schema
from tests.report import examples

COLUMNS = {
    "agreement": ["task", "implementation", "against", "stage", "tensor", "dtype", "error", "bound", "grade", "factor"],
    "perplexity": ["task", "implementation", "seed", "epoch", "split", "perplexity", "loss", "dtype", "perturbed"],
    "throughput": [
        "task",
        "implementation",
        "mode",
        "tokens_per_second",
        "low",
        "high",
        "sample_count",
        "ratio_to",
        "ratio",
        "ratio_low",
        "ratio_high",
        "limit_fraction",
        "peak_memory_bytes",
        "limit_by",
        "outliers",
        "first_step_seconds",
        "build_seconds",
        "memory_per_step_bytes",
    ],
    "published": [
        "task",
        "quantity",
        "framework",
        "published",
        "measured",
        "source",
        "implementation",
        "verdict",
        "mxnet_measured",
        "torch_measured",
    ],
    "failures": ["task", "implementation", "stage", "reason"],
    "causality": ["task", "implementation", "causal", "change"],
    "measures": ["task", "implementation", "seed", "measure", "value", "dtype"],
    "trajectory": ["task", "implementation", "against", "epoch", "gap", "floor", "bound"],
    "sweep": [
        *("task", "setting", "value", "implementation", "tokens_per_second", "low", "high"),
        *(
            "seconds_per_step",
            "seconds_low",
            "seconds_high",
            "local_exponent",
            "sample_count",
            "error",
            "bound",
            "reason",
        ),
    ],
    "sweep_exponents": ["task", "setting", "implementation", "exponent", "low", "high", "points"],
    "sweep_ratios": ["task", "setting", "value", "implementation", "against", "ratio", "low", "high"],
    "sweep_overtakings": ["task", "setting", "implementation", "against", "value", "after", "before"],
    "equivalence": ["task", "implementation", "against", "ratio", "low", "high", "margin", "p_value", "equivalent"],
}


def refuse(constant: str):
    raise AssertionError(f"{constant} is no JSON")


@pytest.mark.parametrize("tasks", [(), (examples.blank("none"),), (examples.agreeing(), examples.incomplete())])
def test_columns_are_the_same_with_and_without_rows(tasks):
    tables = frames(examples.results(*tasks))
    assert {name: list(table.columns) for name, table in tables.items()} == COLUMNS


def test_frames_hold_every_row_under_its_task():
    first, second = examples.agreeing("one"), examples.disagreeing("two")
    tables = frames(examples.results(first, second))
    assert list(tables["agreement"].task.unique()) == ["one", "two"]
    assert len(tables["agreement"]) == len(first["agreement"]) + len(second["agreement"])
    assert len(tables["trajectory"]) == 2 * len(first["learning"]["trajectory"])
    assert set(tables["throughput"].sample_count) == {3}
    assert math.isinf(tables["agreement"].error.max())


def test_numbers_that_json_lacks_survive_as_strict_json():
    task = examples.disagreeing()
    task["floor"] = math.inf
    task["throughput"][0]["samples"] = [1.0, math.nan]
    task["throughput"][0]["ratio"] = -math.inf
    task["learning"]["trajectory"][0]["gap"] = math.nan
    task["perplexity"][0]["perplexity"] = math.nan
    task["first_divergence"][0]["error"] = math.nan
    before = examples.results(task)
    text = encoding.dumps(before)
    strict = json.loads(text, parse_constant=refuse)
    assert strict["tasks"][0]["floor"] == "Infinity"
    assert strict["tasks"][0]["throughput"][0]["ratio"] == "-Infinity"
    np.testing.assert_equal(encoding.loads(text), before)


def test_words_that_look_like_numbers_stay_words():
    task = examples.blank(
        "NaN", reason="Infinity", failures=[{"implementation": "NaN", "stage": "NaN", "reason": "NaN"}]
    )
    assert encoding.loads(encoding.dumps(examples.results(task)))["tasks"] == [task]


def test_numpy_scalars_are_written_as_numbers():
    task = examples.agreeing()
    task["agreement"][0].update(error=np.float32("inf"), bound=np.float64(0.5))
    task["perplexity"][0].update(epoch=np.int64(3), perturbed=np.bool_(True))
    back = encoding.loads(encoding.dumps(examples.results(task)))["tasks"][0]
    assert back["agreement"][0]["error"] == math.inf
    assert back["agreement"][0]["bound"] == 0.5
    assert back["perplexity"][0]["epoch"] == 3
    assert back["perplexity"][0]["perturbed"] is True


def test_numeric_fields_follow_the_schema():
    assert encoding.numeric_fields(schema.AgreementRow) == ["error", "bound", "factor"]
    assert "samples" in encoding.numeric_fields(schema.ThroughputRow)
    assert "implementation" not in encoding.numeric_fields(schema.ThroughputRow)


def test_sweeps_are_tables_of_all_their_rows():
    task = examples.swept("one")
    task["sweeps"][0]["points"][0]["error"] = math.inf
    [back] = encoding.loads(encoding.dumps(examples.results(task)))["tasks"]
    np.testing.assert_equal(back["sweeps"], task["sweeps"])
    tables = frames(examples.results(task, examples.swept("two")))
    assert len(tables["sweep"]) == 2 * (4 * 4 + 3 * 4)
    assert list(tables["sweep"].setting.unique()) == ["hidden", "batch"]
    assert list(tables["sweep"].sample_count.unique()) == [5, 0]
    assert list(tables["sweep_overtakings"].task.unique()) == ["one", "two"]


def test_a_report_from_before_there_were_sweeps_is_read(tmp_path):
    write_report(examples.results(examples.agreeing()), tmp_path)
    document = json.loads((tmp_path / "results.json").read_text())
    del document["tasks"][0]["sweeps"]
    (tmp_path / "results.json").write_text(json.dumps(document))
    report = load(tmp_path)
    assert report.results["tasks"][0]["sweeps"] == []
    assert list(report.sweep.columns) == COLUMNS["sweep"]


def test_load_gives_results_and_tables(folder):
    report = load(folder)
    assert report.folder == folder
    expected = examples.everything()
    for read, written in zip(report.results["tasks"], expected["tasks"]):
        assert [places(row) for row in read["agreement"]] == [places(row) for row in written["agreement"]]
        for field in ("error", "bound", "factor"):
            numbers = [
                [np.nan if row[field] is None else row[field] for row in task["agreement"]] for task in (read, written)
            ]
            np.testing.assert_allclose(*numbers, rtol=1e-3)  # four significant digits are kept: half a unit of 1e-3
        read["agreement"] = written["agreement"] = []
    np.testing.assert_equal(report.results, expected)
    assert list(report.failures.columns) == COLUMNS["failures"]
    assert set(report.causality[~report.causality.causal].implementation) == {"torch-nn"}


def places(row: dict) -> dict:
    return {
        key: value for key, value in row.items() if key not in ("error", "bound") and (key != "factor" or not value)
    }


def test_agreement_is_kept_apart_and_in_little_room(folder):
    tasks = json.loads((folder / "results.json").read_text())["tasks"]
    counts = [len(task["agreement"]) for task in examples.everything()["tasks"]]
    assert [task["agreement"] for task in tasks] == [{"file": archive.FILE, "rows": count} for count in counts]
    assert (folder / archive.FILE).stat().st_size < (folder / "agreement.csv").stat().st_size / 5


def test_numbers_of_agreement_that_json_lacks_survive(tmp_path):
    rows = [
        examples.compared("a, b", "loss", 'NaN "x"\n', math.nan, bound=math.inf),
        examples.compared("torch-nn", "loss", "", -math.inf, bound=1.23456e-300, factor=1.5),
    ]
    write_report(examples.results(examples.blank("one", agreement=rows), examples.blank("two")), tmp_path)
    one, two = load(tmp_path).results["tasks"]
    np.testing.assert_equal(one["agreement"], [rows[0], {**rows[1], "bound": 1.235e-300}])
    assert two["agreement"] == []


def test_rounding_leaves_an_error_within_its_bound(tmp_path):
    rows = [examples.compared("a", "loss", "loss", 1.00049999e-12, bound=1.0005e-12)]
    write_report(examples.results(examples.blank("one", agreement=rows)), tmp_path)
    [row] = load(tmp_path).results["tasks"][0]["agreement"]
    assert row["error"] <= row["bound"]


def test_tasks_of_one_name_keep_their_rows(tmp_path):
    tasks = [examples.blank("x", agreement=[examples.compared(name, "loss", "loss", 0.0)]) for name in "ab"]
    write_report(examples.results(*tasks), tmp_path)
    assert [task["agreement"][0]["implementation"] for task in load(tmp_path).results["tasks"]] == ["a", "b"]


def test_rows_in_results_json_are_read_as_they_are(tmp_path):
    task = examples.worked_example()
    (tmp_path / "results.json").write_text(encoding.dumps(examples.results(task)))
    assert load(tmp_path).results["tasks"][0]["agreement"] == task["agreement"]


@pytest.mark.parametrize(
    "content",
    [None, b"", b"no gzip", gzip.compress(b"{}"), gzip.compress(b"[]")],
    ids=["gone", "empty", "no gzip", "no rows", "a list"],  # gzip writes the time: processes would not collect alike
)
def test_rows_that_are_gone_or_broken_say_so(tmp_path, content):
    write_report(examples.results(examples.worked_example()), tmp_path)
    path = tmp_path / archive.FILE
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(CrossfwError, match=archive.FILE):
        load(tmp_path)


def test_rows_of_another_report_are_not_taken(tmp_path):
    write_report(examples.results(examples.agreeing("other")), tmp_path / "other")
    write_report(examples.results(examples.worked_example()), tmp_path / "mine")
    (tmp_path / "other" / archive.FILE).replace(tmp_path / "mine" / archive.FILE)
    with pytest.raises(CrossfwError, match="does not belong"):
        load(tmp_path / "mine")


def test_results_are_a_row_to_a_line(folder):
    text = (folder / "results.json").read_text()
    assert ": " not in "".join(line.split('":')[0] for line in text.splitlines())
    [line] = [
        line for line in text.splitlines() if '"measure":"BLEU (test data, greedy)"' in line and '"seed":2' in line
    ][:1]
    assert json.loads(line.rstrip(","))["implementation"] == "mxnet-scratch"


def test_csv_files_are_the_frames(folder):
    tables = frames(examples.everything())
    for name in ("agreement", "perplexity", "throughput", "measures", "sweep"):
        lines = (folder / f"{name}.csv").read_text().splitlines()
        assert lines[0].split(",") == COLUMNS[name]
        assert len(lines) == len(tables[name]) + 1


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "without results.json"),
        ("{", "broken results.json"),
        ("[]", "schema None"),
        (json.dumps({"schema": SCHEMA + 1, "tasks": []}), f"schema {SCHEMA + 1}"),
        (json.dumps({"schema": SCHEMA}), "lacks a part of its schema"),
        (json.dumps({"schema": SCHEMA, "tasks": [{"task": "x"}]}), "lacks a part of its schema"),
    ],
)
def test_a_folder_that_cannot_be_read_says_why(tmp_path, content, found):
    if content is not None:
        (tmp_path / "results.json").write_text(content)
    with pytest.raises(CrossfwError) as caught:
        read_results(tmp_path)
    assert found in caught.value.found
    assert str(tmp_path) in caught.value.asked
    assert caught.value.remedy


def test_bytes_that_are_no_text_are_broken_too(tmp_path):
    (tmp_path / "results.json").write_bytes(b"\xff\xfe{")
    with pytest.raises(CrossfwError, match="broken"):
        load(tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(CrossfwError, match="no such folder"):
        load(tmp_path / "nowhere")
