"""The parent's end: start a worker, call it, know why it died. Imports no framework."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from crossfw.errors import CrossfwError
from crossfw.frameworks.threads import environment
from crossfw.workers.frames import read_frame, write_frame
from crossfw.workers.spill import remove

PACKAGE = Path(__file__).resolve().parent.parent
SILENCE_LIMIT = 600.0  # seconds that a call may take before the worker counts as hung

# Only this package is put on the path of the worker's interpreter, which may be another environment's.
BOOTSTRAP = """
import importlib.util, sys
if sys.path and sys.path[0] == "": del sys.path[0]
spec = importlib.util.spec_from_file_location("crossfw", sys.argv[1] + "/__init__.py",
                                              submodule_search_locations=[sys.argv[1]])
sys.modules["crossfw"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["crossfw"])
from crossfw.workers.worker import main
main(*sys.argv[2:])
"""


class WorkerError(Exception):
    """A call failed; `reason` is one line for the report, `detail` the rest, `worker` the name of whose call it was."""

    def __init__(self, worker: str, reason: str, detail: str = ""):
        super().__init__(reason)
        self.worker, self.reason, self.detail = worker, reason, detail


class WorkerDied(WorkerError):
    """The process is gone: it crashed, was killed, or hung and was killed here."""


class CallFailed(WorkerError):
    """The call raised in the worker, which lives on.

    `kind` is the exception's type; `told` are the three parts of a CrossfwError, None for any other.
    """

    def __init__(self, worker: str, reason: str, detail: str, kind: str, told: list | None = None):
        super().__init__(worker, reason, detail)
        self.kind, self.told = kind, told


class Worker:
    """A service in a process of its own, started with its threads set.

    Args:
        name: of the worker, in messages.
        service: the class whose methods can be called, as "module:Class"; it is imported in the process.
        arguments: of the class.
        python: the interpreter; this one when None.
        threads: for OpenMP and the linear algebra.
        cpus: the only ones that it may run on; any when empty.
        variables: more of its environment.
    """

    def __init__(
        self,
        name: str,
        service: str,
        arguments: Sequence[str] = (),
        python: str | None = None,
        threads: int = 1,
        cpus: tuple[int, ...] = (),
        variables: Mapping[str, str] = MappingProxyType({}),
    ):
        self.name = name
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  (it lives as long as the worker)
        self._folder = tempfile.TemporaryDirectory(prefix="crossfw-")
        self.folder = self._folder.name  # for large arrays; the worker deletes it when its parent is gone
        self._process = subprocess.Popen(
            [python or sys.executable, "-c", BOOTSTRAP, str(PACKAGE), self.folder, service, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env={**os.environ, **environment(threads, cpus), **variables},
        )
        self._frames: queue.Queue = queue.Queue()
        self._broken = ""
        threading.Thread(target=self._receive, daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def call(self, method: str, silence_limit: float = SILENCE_LIMIT, **arguments: Any) -> Any:
        """The result of a method of the service.

        Large arrays of the result are read-only, and mapped from files.

        Raises:
            WorkerDied: the process ended, or said nothing for `silence_limit` seconds and was killed.
            CallFailed: the method raised.
        """
        name, file = self.name, ""
        try:
            file = write_frame(self._process.stdin, {"method": method, "arguments": arguments}, self.folder)
            reply = self._frames.get(timeout=silence_limit)
        except queue.Empty:
            self.kill()
            raise WorkerDied(name, f"{method}: no answer for {silence_limit:g} s; the worker was killed") from None
        except CrossfwError as error:
            raise CallFailed(name, f"{method}: {error.found}", str(error), "CrossfwError", list(error.args)) from error
        except OSError:
            reply = None
        finally:
            if file:
                remove(file)
        if reply is None:
            raise WorkerDied(name, f"{method}: the worker {self._broken or self._how_it_ended()}", self._last_words())
        if "error" in reply:
            error = reply["error"]
            reason = f"{method}: {error['type']}: {error['message']}"
            raise CallFailed(name, reason, error["traceback"], error["type"], error["told"])
        return reply["result"]

    def kill(self) -> None:
        """End the process now."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Let the process end, and wait for it."""
        with contextlib.suppress(OSError):  # it may be gone already
            self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process.stdout.close()
        self._stderr.close()
        self._folder.cleanup()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _receive(self) -> None:
        try:
            while True:
                self._frames.put(read_frame(self._process.stdout, owns_files=True))
        except Exception as error:  # whatever it is, nothing more can be received, and a call must not wait for it
            if not isinstance(error, (EOFError, ValueError)):  # the pipe ended, or was closed here
                self._broken = f"could not be understood: {error!r}"
            self._frames.put(None)

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.kill()
            return "closed its pipe and was killed"
        if code < 0:
            return f"was killed by signal {-code} ({signal.Signals(-code).name})"
        return f"exited with code {code}"

    def _last_words(self) -> str:
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, size - 4000))
        return self._stderr.read().decode(errors="replace").strip()
