"""What the machine did beside, told from its counters; where it shows nothing, nothing is said."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from crossfw.harness import machine
from crossfw.harness.machine import Conditions, disturbances, frequency_policy, load_at_start

START = Conditions(moment=100.0, cpus=2, busy=50.0, stolen=1.0, own=20.0, held_back=0.5, overheated=3)


def after(**changed) -> Conditions:
    """Ten seconds later on two CPUs, which this program had to itself."""
    fine = {"moment": 110.0, "cpus": 2, "busy": 70.0, "stolen": 1.0, "own": 40.0, "held_back": 0.5, "overheated": 3}
    return Conditions(**{**fine, **changed})


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, []),
        ({"busy": 60.0, "own": 31.0}, []),  # counters tick: less than nothing by others
        ({"own": 35.0}, ["other programs took 25%"]),
        ({"stolen": 2.0}, ["hypervisor took 5%"]),
        ({"held_back": 0.75}, ["held processes back for 0.25 s"]),
        ({"overheated": 5}, ["slowed 2 times"]),
        ({"own": 30.0, "stolen": 3.0}, ["other programs took 50%", "hypervisor took 10%"]),
    ],
)
def test_disturbances(changed, words):
    found = disturbances(START, after(**changed))
    assert len(found) == len(words)
    assert all(word in sentence for word, sentence in zip(words, found))


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text + "\n")
    return folder


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, {}),
        ({"cpu0/cpufreq/scaling_governor": "performance"}, {"frequency_governor": "performance"}),
        (
            {"cpu0/cpufreq/scaling_governor": "powersave", "intel_pstate/no_turbo": "0"},
            {
                "frequency_governor": "powersave, not performance: the clock follows the load",
                "turbo": "on: the clock depends on temperature and on other cores",
            },
        ),
        ({"intel_pstate/no_turbo": "1"}, {"turbo": "off"}),
        ({"cpufreq/boost": "0"}, {"turbo": "off"}),
        ({"cpufreq/boost": "1"}, {"turbo": "on: the clock depends on temperature and on other cores"}),
    ],
)
def test_the_frequency_policy_is_told_where_the_kernel_shows_it(tmp_path, files, expected):
    assert frequency_policy(write(tmp_path, files)) == expected


@pytest.mark.parametrize(
    ("stat", "seconds"),
    [
        ("usage_usec 5\nnr_throttled 2\nthrottled_usec 2500000", 2.5),
        ("nr_throttled 2\nthrottled_time 1500000000", 1.5),
        ("usage_usec 5", 0.0),
    ],
)
def test_a_quota_shows_in_either_version_of_control_groups(tmp_path, monkeypatch, stat, seconds):
    monkeypatch.setattr(machine, "CGROUPS", (tmp_path / "absent", write(tmp_path, {"cpu.stat": stat}) / "cpu.stat"))
    assert machine._held_back() == seconds


def test_load_is_told_with_a_word_where_the_machine_was_not_idle():
    assert load_at_start(0.2, 2) == {"load_when_the_run_began": "0.20 processes on 2 cores"}
    assert load_at_start(3.1, 2) == {"load_when_the_run_began": "3.10 processes on 2 cores, not idle"}


def test_real_counters_count_up_and_hold_this_process():
    before = Conditions.now(())
    spent = psutil.Process().cpu_times()
    sum(range(10**6))
    found = Conditions.now(())
    assert found.moment > before.moment
    assert found.busy >= before.busy
    assert found.own >= spent.user
