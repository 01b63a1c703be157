"""Queues of jobs on a few threads: each job once, no thread idle while one waits, a worker used by one at a time."""

from __future__ import annotations

from threading import Barrier, Event, Lock

import pytest

from crossfw.harness import crew as crew_module
from crossfw.harness.crew import Crew, run_side_by_side
from crossfw.models import Implementation


class FakeWorker:
    """A worker without a process."""

    def __init__(self, implementation, python, threads, cpus):
        self.alive = True

    def close(self):
        self.alive = False

    kill = close


@pytest.fixture
def crew(monkeypatch):
    monkeypatch.setattr(crew_module, "start_worker", FakeWorker)
    return Crew({}, 1)


@pytest.mark.parametrize("lengths", [[], [0], [1], [5, 0, 2], [1, 1, 1, 9], [20]])
@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_every_job_is_done_once_and_begun_in_its_order(crew, lengths, at_once):
    done, lock = [], Lock()

    def note(job):
        with lock:
            done.append(job)

    queues = [[lambda job=(q, j): note(job) for j in range(length)] for q, length in enumerate(lengths)]
    run_side_by_side(crew, queues, at_once)
    assert sorted(done) == [(q, j) for q, length in enumerate(lengths) for j in range(length)]
    if at_once == 1:
        assert done == sorted(done)


def test_an_idle_thread_helps_with_the_queue_that_is_left(crew):
    """Both jobs wait for each other: a queue that keeps one thread to itself would never end."""
    both = Barrier(2)
    run_side_by_side(crew, [[lambda: None], [lambda: both.wait(30), lambda: both.wait(30)]], 2)


def test_a_queue_that_nobody_is_at_comes_first(crew):
    """The second thread takes the second queue while the first is at the first, however long that is."""
    second, order = Event(), []

    def first() -> None:
        assert second.wait(30)
        order.append("first")

    run_side_by_side(crew, [[first, *[lambda: None] * 9], [lambda: (order.append("second"), second.set())]], 2)
    assert order == ["second", "first"]


def test_a_worker_is_lent_to_one_at_a_time_and_kept_warm(crew):
    torch, mxnet = Implementation("torch-nn"), Implementation("mxnet-gluon")
    with crew.lend(torch) as one, crew.lend(torch) as two, crew.lend(mxnet) as three:
        assert len({id(one), id(two), id(three)}) == 3
    with crew.lend(torch) as again:
        assert again is one
    with pytest.raises(ZeroDivisionError), crew.lend(torch):
        raise ZeroDivisionError
    with crew.lend(torch) as again:
        assert again is one
    crew.close()
    assert not any(worker.alive for worker in (one, two, three))


def test_what_one_job_raises_kills_the_crew_and_is_raised(crew):
    with crew.lend(Implementation("torch-nn")) as worker:
        pass
    with pytest.raises(ZeroDivisionError):
        run_side_by_side(crew, [[lambda: 1 / 0], [lambda: None]], 2)
    assert crew.stopped
    assert not worker.alive
