"""The folder: all files, none half written."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from crossfw.errors import CrossfwError
from crossfw.report import figures, load, write_report
from tests.report import examples


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_file_is_there_and_nothing_else(folder):
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    tops = {name for name in names if "/" not in name}
    assert tops == {
        *("index.html", "report.md", "results.json", "agreement.json.gz"),
        *("agreement.csv", "perplexity.csv", "throughput.csv", "measures.csv", "sweep.csv"),
    }
    figures = {
        f"figures/{task}-{kind}.{suffix}"
        for task in ("lm_rnn", "lm_gru", "lm_five")
        for kind in ("errors", "perplexity", "trajectory", "throughput")
        for suffix in ("svg", "png")
    }
    others = [f"nmt_small-{kind}" for kind in ("errors", "perplexity", "trajectory")]
    for name in ["bptt_by_hand-errors", *others]:
        figures |= {f"figures/{name}.svg", f"figures/{name}.png"}
    for setting in ("hidden", "batch"):
        figures |= {f"figures/lm_rnn-sweep-{setting}.svg", f"figures/lm_rnn-sweep-{setting}.png"}
    assert names - tops == figures


def test_writing_twice_gives_the_same_bytes(tmp_path, monkeypatch):
    results = examples.results(examples.worked_example(), examples.incomplete())
    write_report(results, tmp_path / "one")
    monkeypatch.setattr(figures, "_drawn", {})
    write_report(results, tmp_path / "two")
    assert snapshot(tmp_path / "one") == snapshot(tmp_path / "two")


def test_a_report_is_written_over_an_older_one(tmp_path):
    write_report(examples.results(), tmp_path)
    write_report(examples.results(examples.worked_example()), tmp_path)
    assert [task["task"] for task in load(tmp_path).results["tasks"]] == ["bptt_by_hand"]


def test_sweep_csv_is_there_with_a_sweep_alone(tmp_path):
    write_report(examples.results(examples.swept()), tmp_path)
    assert (tmp_path / "sweep.csv").is_file()
    write_report(examples.results(examples.worked_example()), tmp_path)
    assert not (tmp_path / "sweep.csv").exists()
    assert "sweep.csv" not in (tmp_path / "index.html").read_text() + (tmp_path / "report.md").read_text()


@pytest.mark.parametrize("step", ["write_bytes", "replace"])
def test_an_interruption_leaves_the_older_report_whole(tmp_path, monkeypatch, step):
    write_report(examples.results(examples.incomplete(), examples.swept()), tmp_path)
    before = snapshot(tmp_path)

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            write_report(examples.results(examples.worked_example()), tmp_path)
    assert snapshot(tmp_path) == before


def test_results_are_renamed_last(tmp_path, monkeypatch):
    order, replace = [], Path.replace

    def recorded(path, target):
        order.append(Path(target).name)
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", recorded)
    write_report(examples.results(examples.worked_example()), tmp_path)
    assert order[-1] == "results.json"
    assert order.count("results.json") == 1


def test_a_folder_that_is_a_file_is_an_error_to_read(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(CrossfwError) as caught:
        write_report(examples.results(), tmp_path / "taken")
    assert "taken" in caught.value.asked
    assert "--out" in caught.value.remedy


def test_results_are_strict_json(folder):
    def refuse(constant):
        raise AssertionError(constant)

    text = (folder / "results.json").read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=refuse)["schema"] == 1


def test_four_tasks_are_written_quickly(tmp_path):
    results = examples.results(*(examples.agreeing(f"task_{number}") for number in range(4)))
    start = time.process_time()
    write_report(results, tmp_path)
    assert time.process_time() - start < 10  # 2 s where nothing else runs
