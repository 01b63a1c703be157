"""Everything but speed: a planted change of each kind is found as what it is, and nothing else is."""

from __future__ import annotations

import copy
import json
import math

import numpy as np
import pytest
from click.testing import CliRunner

from crossfw.cli import main
from crossfw.comparison import compare_reports
from crossfw.comparison.memory import compare_memory
from crossfw.errors import CrossfwError
from crossfw.results import archive, encoding
from tests.comparison.drawn import drawn_task
from tests.report import examples


def write(results, folder):
    """The two files of a report that are read back."""
    folder.mkdir()
    (folder / archive.FILE).write_bytes(archive.pack(results))
    (folder / "results.json").write_text(encoding.dumps(archive.without_rows(results)))
    return folder


@pytest.fixture(scope="module")
def results():
    learned = {"perplexity": examples.curves(seeds=(0, 1, 2), epochs=6), "measures": examples.measures(seeds=(0, 1, 2))}
    rest = {"agreement": examples.agreement(), "causality": examples.causality(), "learning": examples.learning()}
    task = drawn_task(np.random.default_rng(0), rounds=60, **learned, **rest)
    return examples.results(task, examples.worked_example(), examples.incomplete())


@pytest.fixture
def compared(results, tmp_path):
    """Compare the report with the same report after a change, and give (kind, about) of every finding."""

    def compare(change):
        changed = copy.deepcopy(results)
        change(changed)
        found = compare_reports(write(results, tmp_path / "old"), write(changed, tmp_path / "new"))
        assert bool(found) == ("regression" not in {finding.kind for finding in found.findings})
        return found.findings

    return compare


def first(results):
    return results["tasks"][0]


def scale(rows, field, factor, **where):
    for row in rows:
        if all(row[name] == value for name, value in where.items()):
            row[field] *= factor


def test_a_report_and_itself(compared):
    assert compared(lambda results: None) == ()


def set_row(**changes):
    return lambda results: first(results)["agreement"][-1].update(changes)


CHANGES = {
    "verdict": (lambda r: first(r).update(verdict="disagree"), "regression", "agreement"),
    "incomplete": (lambda r: first(r).update(verdict="incomplete"), "regression", "agreement"),
    "grade": (set_row(grade="less accurate"), "regression", "agreement"),
    "different": (set_row(grade="different"), "regression", "agreement"),
    "beyond its bound": (set_row(error=1.0), "regression", "agreement"),
    "not a number": (set_row(error=math.nan), "regression", "agreement"),
    "within its bound": (set_row(error=1e-9, bound=1e-6), None, None),
    "sees the future": (lambda r: first(r)["causality"][0].update(causal=False), "regression", "causality"),
    "failure": (
        lambda r: first(r)["failures"].append({"implementation": "torch-nn", "stage": "memory", "reason": "killed"}),
        "regression",
        "failure",
    ),
    "curves": (lambda r: first(r)["learning"].update(verdict="different"), "regression", "learning"),
    "not tested": (lambda r: first(r)["learning"].update(verdict="not tested"), "unclear", "learning"),
    "perplexity": (
        lambda r: scale(first(r)["perplexity"], "perplexity", 3.0, implementation="torch-nn", split="training"),
        "regression",
        "perplexity",
    ),
    "a perplexity within the margin": (
        lambda r: scale(first(r)["perplexity"], "perplexity", 1.04, implementation="torch-nn"),
        None,
        None,
    ),
    "a perplexity that is none": (
        lambda r: scale(first(r)["perplexity"], "perplexity", math.nan, implementation="torch-nn", split="training"),
        "regression",
        "perplexity",
    ),
    "measure": (
        lambda r: scale(first(r)["measures"], "value", 0.9, implementation="torch-nn", measure="accuracy (test data)"),
        "regression",
        "measures",
    ),
    "a distance": (
        lambda r: scale(first(r)["measures"], "value", 0.5, implementation="torch-nn", measure="distance of “bank”"),
        None,
        None,
    ),
    "published": (
        lambda r: r["tasks"][1]["published"][0].update(verdict="not reproduced; 5 seeds"),
        "regression",
        "published",
    ),
    "memory": (lambda r: set_memory(r, 60_000_000), "regression", "memory"),
    "memory within a tenth": (lambda r: set_memory(r, 54_000_000), None, None),
    "another recipe": (lambda r: first(r)["setup"].update(hidden_size=512), "different", "settings"),
    "trained longer": (lambda r: first(r)["setup"].update({"epochs run": "6 of 6"}), "different", "settings"),
    "another machine": (lambda r: r["environment"]["machine"].update(cpu="another"), "different", "machine"),
    "other threads": (
        lambda r: r["environment"].update(threads_while_speed_is_measured=1),
        "different",
        "machine",
    ),
    "another device": (lambda r: r["environment"].update(device="cuda:0"), "different", "machine"),
    "another dtype": (lambda r: r["environment"].update(dtype="float64"), "different", "machine"),
    "another torch": (
        lambda r: r["environment"]["implementations"]["torch-nn"].update(torch="2.14"),
        "different",
        "versions",
    ),
    "a task less": (lambda r: r["tasks"].pop(1), "vanished", "task"),
    "a task more": (lambda r: r["tasks"].append(examples.worked_example("another")), "new", "task"),
    "a task skipped": (lambda r: r["tasks"].__setitem__(1, examples.incomplete("bptt_by_hand")), "vanished", "task"),
    "a tensor less": (lambda r: first(r)["agreement"].pop(), "vanished", "agreement"),
    "an implementation untimed": (lambda r: first(r)["throughput"].pop(0), "vanished", "speed"),
}


def set_memory(results, value):
    for row in first(results)["throughput"]:
        if row["implementation"] == "torch-nn":
            row["peak_memory_bytes"] = value


@pytest.mark.parametrize(("change", "kind", "about"), CHANGES.values(), ids=CHANGES)
def test_a_change_is_found_as_what_it_is(compared, change, kind, about):
    assert {(f.kind, f.about) for f in compared(change)} == ({(kind, about)} if kind else set())


OPPOSITE = {"regression": "improvement", "vanished": "new", "new": "vanished"}


@pytest.mark.parametrize(("change", "kind", "about"), CHANGES.values(), ids=CHANGES)
def test_the_other_way_round_it_is_the_opposite(results, tmp_path, change, kind, about):
    changed = copy.deepcopy(results)
    change(changed)
    found = compare_reports(write(changed, tmp_path / "old"), write(results, tmp_path / "new")).findings
    assert {(f.kind, f.about) for f in found} == ({(OPPOSITE.get(kind, kind), about)} if kind else set())


def test_what_another_machine_measured_is_not_compared(compared):
    def change(results):
        results["environment"]["machine"]["cores"] = 64
        scale(first(results)["throughput"], "peak_memory_bytes", 5)
        for row in first(results)["throughput"]:
            row["samples"] = [sample / 5 for sample in row["samples"]]

    (found,) = compared(change)
    assert "cores None -> 64: speed and memory are not comparable" in found.text


@pytest.mark.parametrize(("version", "kind"), [("2.13.0+cpu", "unclear"), ("2.14.0+cpu", "regression")])
def test_small_products_of_another_version_do_not_excuse_a_slower_framework(version, kind, compared):
    """In the same version they tell that the machine changed, and a row may have moved with it."""

    def change(results):
        for environment in results["environment"]["implementations"].values():
            if "torch" in environment:
                environment["torch"] = version
        task = first(results)
        for worker in task["measurement"]["modes"]["train"]["small_products"]:
            if worker.startswith("torch"):
                task["measurement"]["modes"]["train"]["small_products"][worker] *= 0.7
        for row in task["throughput"]:
            if row["implementation"].startswith("torch") and row["mode"] == "train":
                row["samples"] = [0.75 * sample for sample in row["samples"]]

    found = [f for f in compared(change) if f.about == "speed" and f.task]
    assert {(f.kind, f.what) for f in found} == {(kind, f"torch-{style}, training") for style in ("scratch", "nn")}


@pytest.mark.parametrize(("budget", "remedy"), [(1.4, "; tasks named in `crossfw run` get more"), (5.0, "")])
def test_too_few_samples_of_a_glance_have_a_remedy(budget, remedy, results, tmp_path):
    few = copy.deepcopy(results)
    first(few)["measurement"]["budget_seconds"] = budget
    for row in first(few)["throughput"]:
        row["samples"] = row["samples"][:8]
    (found,) = compare_reports(*[write(few, tmp_path / name) for name in ("old", "new")]).findings
    assert found.text == f"too few samples to tell: 8 of a row, and the U-test needs 9{remedy}"


@pytest.mark.parametrize(("old", "new", "told"), [(1.4, 10.0, True), (10.0, 1.4, True), (5.0, 10.0, False)])
def test_a_glance_is_not_compared_with_a_measurement(old, new, told, results, tmp_path):
    sides = []
    for seconds, factor in ((old, 1.0), (new, 5.0)):
        side = copy.deepcopy(results)
        first(side)["measurement"]["budget_seconds"] = seconds
        for row in first(side)["throughput"]:
            if row["implementation"] == "torch-nn":
                row["samples"] = [sample / factor for sample in row["samples"]]
        sides.append(side)
    found = compare_reports(*[write(side, tmp_path / name) for side, name in zip(sides, ("old", "new"))]).findings
    if told:
        (finding,) = found
        assert (finding.kind, finding.about) == ("different", "settings")
        assert finding.text.startswith(f"time for each mode {old:g} s -> {new:g} s: speed is not compared; ")
    else:
        assert "regression" in {finding.kind for finding in found}


def test_two_seeds_are_too_few_for_a_perplexity(results, tmp_path):
    task = {**first(results), "perplexity": examples.curves(seeds=(0, 1), epochs=6)}
    worse = copy.deepcopy(task)
    scale(worse["perplexity"], "perplexity", 3.0, implementation="torch-nn", split="training")
    folders = [write(examples.results(each), tmp_path / name) for name, each in (("old", task), ("new", worse))]
    (found,) = compare_reports(*folders).findings
    assert (found.kind, found.about) == ("unclear", "perplexity")
    assert "2 seeds, too few" in found.text


def test_a_report_without_results_json_is_compared_as_far_as_it_goes(results, tmp_path):
    from crossfw.report.write import _csv
    from crossfw.results.tables import frames

    old, changed = write(results, tmp_path / "old"), copy.deepcopy(results)
    set_row(grade="different")(changed)
    scale(first(changed)["measures"], "value", 0.5, implementation="torch-nn")
    new = write(changed, tmp_path / "new")
    (new / "results.json").unlink()
    for name in ("measures", "throughput"):
        (new / f"{name}.csv").write_bytes(_csv(frames(changed)[name]))
    found = compare_reports(old, new).findings
    assert [f.about for f in found if f.kind == "regression"] == ["agreement"]
    unclear = [(f.about, f.text) for f in found if f.kind == "unclear"]
    assert unclear[0][1].startswith(f"{new} has no results.json: only agreement, measures and throughput can be")
    assert {about for about, text in unclear if text.endswith("(settings unknown)")} == {"measures"}
    assert ("speed", "too few samples to tell: 0 of a row, and the U-test needs 9") in unclear


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda folder: (folder / "results.json").unlink(), None),
        (lambda folder: [path.unlink() for path in folder.iterdir()], "a folder without results.json"),
        (lambda folder: (folder / "results.json").write_text("{"), "a broken results.json"),
        (
            lambda folder: [(folder / "results.json").unlink(), (folder / archive.FILE).write_bytes(b"no")],
            f"a broken {archive.FILE}",
        ),
        (
            lambda folder: (
                [path.unlink() for path in folder.iterdir()] and (folder / "measures.csv").write_text("a\n1\n")
            ),
            "without the column",
        ),
    ],
)
def test_a_folder_that_is_no_report_is_told(results, tmp_path, spoil, found):
    old, new = (write(results, tmp_path / name) for name in ("old", "new"))
    spoil(new)
    if found is None:
        assert compare_reports(old, new)
        return
    with pytest.raises(CrossfwError, match=found):
        compare_reports(old, new)


def test_no_task_in_common_is_an_error(results, tmp_path):
    old = write(results, tmp_path / "old")
    new = write(examples.results(examples.worked_example("another")), tmp_path / "new")
    with pytest.raises(CrossfwError, match="no task in common"):
        compare_reports(old, new)


@pytest.mark.parametrize(("change", "code"), [("a distance", 0), ("grade", 1)])
def test_the_command_prints_writes_and_exits(results, tmp_path, change, code):
    changed = copy.deepcopy(results)
    CHANGES[change][0](changed)
    folders = [str(write(each, tmp_path / name)) for name, each in (("old", results), ("new", changed))]
    done = CliRunner().invoke(main, ["compare", *folders, "--json", str(tmp_path / "found.json")])
    assert done.exit_code == code, done.output
    assert ("1 regression" if code else "nothing is shown to be worse") in done.output
    document = json.loads((tmp_path / "found.json").read_text())
    assert document["regression"] == bool(code)
    assert len(document["findings"]) == code


def test_the_command_tells_a_missing_folder(tmp_path):
    done = CliRunner().invoke(main, ["compare", str(tmp_path / "none"), str(tmp_path)])
    assert done.exit_code == 2
    assert "no such folder" in done.output


# MB, as measured in 15 runs of the same code (lm_rnn); processes of the same code differ by this much
CHANCE = {
    "mxnet-gluon": [10.2, 9.7, 12.0, 10.3, 9.8, 12.3, 11.2, 10.5],
    "torch-nn": [4.9, 4.7, 6.0, 5.3, 5.9, 5.1],
}


@pytest.mark.parametrize("name", CHANCE)
def test_what_memory_differs_by_chance_is_no_regression(name):
    sides = [{"throughput": [{"implementation": name, "peak_memory_bytes": peak * 1e6}]} for peak in CHANCE[name]]
    for old in sides:
        for new in sides:
            assert list(compare_memory("lm_rnn", old, new)) == []
