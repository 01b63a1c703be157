"""Exceptions out of a user's code as one clear error: what was called, what it said, the line in the user's file."""

from __future__ import annotations

import re
import sys
import traceback
from pathlib import Path
from typing import Any, Callable

from crossfw.errors import CrossfwError

LINES, CHARACTERS = 3, 400
NOISE = re.compile(r'Traceback|File "|Stack trace|\[bt\]|$')  # what MXNet's messages hold of its own code


def call_user(origin: str, what: str, function: Callable, *arguments: Any, defined: str = "", remedy: str = "") -> Any:
    """The result of a user's function.

    Args:
        origin: the user's file. what: the function, for the message.
        defined: `file, line n` of its definition, told where the exception passed through no line of the user's.
        remedy: what to do; without it, to mend the function.

    Raises:
        CrossfwError: it raised; with the exception and the line in the user's file.
    """
    try:
        return function(*arguments)
    except CrossfwError:
        raise
    except Exception as error:
        raise user_error(origin, what, error, defined, remedy) from error


def user_error(
    origin: str, what: str, error: BaseException, defined: str = "", remedy: str = "", layer: str = ""
) -> CrossfwError:
    """The error for an exception in, perhaps, a layer of the user's model; see `call_user`."""
    line = own_line(origin, error) or defined
    place = "; ".join(part for part in (layer and f"in {layer}", line) if part)
    remedy = remedy or f"mend {what}" + (f" in {line.split(',')[0]}" if line else "")
    if isinstance(error, ModuleNotFoundError):
        remedy = f"install {error.name} where this side runs, or name an interpreter that has it (--mxnet-python, ...)"
    return CrossfwError(f"{what} of {origin}", f"{message_of(error)}{f' ({place})' if place else ''}", remedy)


def message_of(error: BaseException) -> str:
    """The class of an exception and the first lines of what it says, without traces of foreign code."""
    kind = type(error).__name__
    said = error.msg if isinstance(error, SyntaxError) else str(error)  # which is the place too
    lines = [line.strip().removeprefix(f"{kind}: ") for line in said.splitlines()]
    told = " ".join([line for line in lines if not NOISE.match(line)][:LINES])
    return f"{kind}: {told[:CHARACTERS]}".rstrip(": ")


def own_line(origin: str, error: BaseException) -> str:
    """`file, line n: the line` of the innermost frame outside installed packages and this one."""
    here = str(Path(__file__).resolve().parent.parent)
    places = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((here, "<")) and "site-packages" not in frame.filename
        and not frame.filename.startswith(sys.base_prefix + "/lib/python")
    ]  # fmt: skip
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}, line {error.lineno}: {(error.text or '').strip()}"
    mine = [frame for frame in places if Path(frame.filename).name == Path(origin).name] or places
    return f"{Path(mine[-1].filename).name}, line {mine[-1].lineno}: {mine[-1].line}" if mine else ""
