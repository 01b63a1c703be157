"""The catalogue's tasks, and those of the user: TOML files read into `Task` values, every mistake named."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import MISSING, fields
from functools import partial
from pathlib import Path
from typing import Any, get_type_hints

from crossfw.checks import nearest, require_choice
from crossfw.data import DATA_SPECS, is_path
from crossfw.data.inline import InlineSpec
from crossfw.errors import CrossfwError
from crossfw.models import spec_class
from crossfw.models.heads import HEADS
from crossfw.optimizers.spec import OptimizerSpec
from crossfw.task import ENCODER_DECODER, Example, Generation, ModelSection, Published, Recipe, Task

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PACKAGE = Path(__file__).resolve().parent
GIVEN_BY_THE_DATA = ("input_size", "output_size", "source_size", "inputs")


def _fits(value: Any, hint: Any) -> bool:
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint in (str, tuple, bool):
        return isinstance(value, {str: str, tuple: list, bool: bool}[hint])
    return any(_fits(value, option) for option in getattr(hint, "__args__", ()) if option is not type(None))


def _wanted(hint: Any) -> str:
    """A type in a user's words."""
    words = {
        int: "a whole number",
        float: "a number",
        str: "a text in quotes",
        tuple: "a list in [ ]",
        bool: "true or false",
    }
    options = [hint, *getattr(hint, "__args__", ())]
    return next(words[option] for option in options if option in words)


def _freeze(value: Any) -> Any:
    return tuple(_freeze(item) for item in value) if isinstance(value, list) else value


def _read_values(hints: dict[str, Any], required: set[str], table: Any, where: str) -> dict[str, Any]:
    """The values of a TOML table; every unknown, missing or wrongly typed key of it in one error."""
    if not isinstance(table, dict):
        raise CrossfwError(where, f"a {type(table).__name__}", "write it as a table of keys and values")
    faults = []
    for key, value in table.items():
        if key not in hints:
            faults.append(f"unknown key {key!r}{nearest(key, hints)}")
        elif not _fits(value, hints[key]):
            faults.append(f"{key} = {value!r} is a {type(value).__name__}, wanted is {_wanted(hints[key])}")
    faults += [f"key {key!r} is missing" for key in hints if key in required and key not in table]
    if faults:
        raise CrossfwError(where, "; ".join(faults), f"the keys are: {', '.join(hints)}")
    return {key: _freeze(value) for key, value in table.items()}


def _keys(cls: type, without: Iterable[str] = ()) -> tuple[dict[str, Any], set[str]]:
    """Types of a dataclass's fields by name, and which of them have no default."""
    hints, known = get_type_hints(cls), [field for field in fields(cls) if field.name not in without]
    required = {field.name for field in known if field.default is MISSING}
    return {field.name: hints[field.name] for field in known}, required


def _read_table(cls: type, table: Any, where: str) -> Any:
    """A dataclass from a TOML table."""
    return cls(**_read_values(*_keys(cls), table, where))


def _read_model(table: Any, where: str) -> ModelSection:
    """`[model]`: the head tells which kind of model it is, and so which keys there are."""
    head = table.get("head") if isinstance(table, dict) else None
    if head is not None:
        require_choice("model.head", head, (*HEADS, ENCODER_DECODER))
    kind = ENCODER_DECODER if head == ENCODER_DECODER else "network"
    hints, required = _keys(spec_class(kind), GIVEN_BY_THE_DATA)
    values = _read_values({**hints, "head": str}, required, table, where)
    if kind == ENCODER_DECODER:
        del values["head"]
    return ModelSection(kind, values)


def _read_recipe(table: Any, where: str) -> Recipe:
    """`[recipe]`, whose keys are the recipe's own and the optimizer's."""
    own, required = _keys(Recipe, ("optimizer",))
    of_optimizer, _ = _keys(OptimizerSpec, ("name",))
    values = _read_values({**own, "optimizer": str, **of_optimizer}, required, table, where)
    settings = {"name" if key == "optimizer" else key: values.pop(key) for key in list(values) if key not in own}
    return Recipe(optimizer=OptimizerSpec(**settings), **values)


def _read_data(table: Any, where: str) -> Any:
    """`[data]`: its `kind` tells which keys there are."""
    if isinstance(table, dict) and "features" in table:
        return _read_table(InlineSpec, table, where)
    kind = table.get("kind", "text") if isinstance(table, dict) else "text"
    require_choice("data.kind", kind, DATA_SPECS)
    hints, required = _keys(DATA_SPECS[kind])
    values = _read_values({"kind": str, **hints}, required, table, where)
    values.pop("kind", None)
    return DATA_SPECS[kind](**values)


READERS = {"model": _read_model, "recipe": _read_recipe, "generate": partial(_read_table, Generation)}
LISTS = {"published": Published, "example": Example}


def read_task(path: Path) -> Task:
    """Read a task from a TOML file; a text corpus given as a path is relative to the file.

    Raises:
        CrossfwError: the file is missing, is no TOML, or has unknown, missing or wrong keys.
    """
    asked = f"task file {path}"
    try:
        with open(path, "rb") as file:
            document = tomllib.load(file)
    except OSError as error:
        raise CrossfwError(asked, error.strerror or str(error), "give the path of a task file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CrossfwError(asked, f"it is no TOML: {error}", "mend the file at that place") from error
    if not document:
        raise CrossfwError(asked, "the file is empty", "write a task into it, like those in the folder tasks")
    known = ("title", "description", "data", *READERS, *LISTS)
    unknown = [f"unknown key {key!r}{nearest(key, known)}" for key in document if key not in known]
    missing = [f"key {key!r} is missing" for key in ("title", "description", "model", "data") if key not in document]
    if unknown or missing:
        raise CrossfwError(asked, "; ".join(unknown + missing), f"the keys are: {', '.join(known)}")
    values: dict[str, Any] = {key: document[key] for key in ("title", "description")}
    for key, reader in READERS.items():
        if key in document:
            values[key] = reader(document[key], f"[{key}] in {path}")
    for key, cls in LISTS.items():
        values[key] = tuple(_read_table(cls, table, f"[[{key}]] in {path}") for table in document.get(key, []))
    values["data"] = _read_data(_resolve(document["data"], path), f"[data] in {path}")
    return Task(name=path.stem, **values)


def _resolve(data: Any, path: Path) -> Any:
    """A path among the data, which is relative to the task's file, made absolute."""
    if isinstance(data, dict) and is_path(data.get("corpus")):
        return {**data, "corpus": str((path.parent / data["corpus"]).resolve())}
    return data


def tasks_folder() -> Path:
    """Where the catalogue's tasks stand: inside an installed package, or beside it in a source tree."""
    inside = PACKAGE / "tasks"
    return inside if inside.is_dir() else PACKAGE.parent / "tasks"


def task_names() -> list[str]:
    """The catalogue's tasks, in alphabetical order."""
    return sorted(path.stem for path in tasks_folder().glob("*.toml"))


def find_task(name: str) -> Task:
    """A task of the catalogue by name, or one of the user's own by the path of its TOML file.

    Raises:
        CrossfwError: no such task, or an error in its file.
    """
    if name.endswith(".toml"):
        return read_task(Path(name))
    if name not in task_names():
        found = f"no task of that name{nearest(name, task_names())}"
        if Path(name).exists():
            found = "it is a file or folder, but no task file: those end in .toml"
        raise CrossfwError(
            f"task {name!r}",
            found,
            "crossfw list tells all names; or give the path of a task file of your own, which ends in .toml",
        )
    return read_task(tasks_folder() / f"{name}.toml")
