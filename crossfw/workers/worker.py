"""A process that serves the methods of one object over its standard input and output.

Calls are frames {"method": ..., "arguments": {...}}, answers {"result": ...} or {"error": {...}}. When the
parent closes the pipe, by intent or by dying, the process ends at once, even from within a computation.
"""

from __future__ import annotations

import importlib
import os
import queue
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from typing import Any, BinaryIO

from crossfw.errors import CrossfwError
from crossfw.frameworks.threads import pin
from crossfw.workers.frames import FrameError, read_frame, write_frame


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for frames only; whatever prints goes to standard error from now on."""
    frames_in, frames_out = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    return os.fdopen(frames_in, "rb"), os.fdopen(frames_out, "wb")


def _listen(stream: BinaryIO, calls: queue.Queue, folder: str) -> None:
    try:
        while True:
            calls.put(read_frame(stream))
    except Exception as error:  # a pipe that is closed or broken leaves nobody to serve
        if not isinstance(error, EOFError):
            traceback.print_exc()
        shutil.rmtree(folder, ignore_errors=True)  # a parent that was killed left it
        os._exit(0)


def describe(error: Exception) -> dict[str, Any]:
    """The answer that tells of an exception, from within its handler."""
    told = list(error.args) if isinstance(error, CrossfwError) else None
    found = {"type": type(error).__name__, "message": str(error), "traceback": traceback.format_exc(), "told": told}
    return {"error": found}


def make_service(entry: str, arguments: Sequence[str]) -> Any:
    """An object of the class that "module:Class" names."""
    module, _, name = entry.partition(":")
    return getattr(importlib.import_module(module), name)(*arguments)


def answer(service: Any, call: dict[str, Any]) -> dict[str, Any]:
    """The answer to one call; an exception becomes an error with its type, message and traceback."""
    try:
        if call["method"].startswith("_"):
            raise AttributeError(f"no method {call['method']}")
        return {"result": getattr(service, call["method"])(**call["arguments"])}
    except Exception as error:
        return describe(error)


def main(folder: str, service: str, *arguments: str) -> None:
    """Serve until the parent is gone.

    Args:
        folder: for large arrays on their way to the parent.
        service: "module:Class". arguments: of the class.
    """
    pin()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to all; the parent says when to end
    stream_in, stream_out = _take_pipes()
    calls: queue.Queue = queue.Queue()
    threading.Thread(target=_listen, args=(stream_in, calls, folder), daemon=True).start()
    served = make_service(service, arguments)
    while True:
        reply = answer(served, calls.get())
        try:
            write_frame(stream_out, reply, folder)
            del reply  # its arrays are not held until the next answer is there
        except BrokenPipeError:
            sys.exit(0)
        except (FrameError, TypeError, CrossfwError) as error:  # raised before the first byte is sent
            write_frame(stream_out, describe(error))
