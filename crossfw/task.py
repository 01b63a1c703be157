"""A task: model, data, recipe and published numbers, read from one TOML file into frozen values."""

from __future__ import annotations

import sys
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from crossfw.checks import nearest, require_choice, require_integer
from crossfw.data.inline import InlineSpec
from crossfw.data.spec import DataSpec
from crossfw.errors import CrossfwError
from crossfw.models import MODELS
from crossfw.models.rnn.spec import ACTIVATIONS
from crossfw.optimizers.spec import STATE_NAMES, OptimizerSpec
from crossfw.weights.initial import DISTRIBUTIONS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

QUANTITIES = ("training perplexity", "tokens per second")
PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class ModelSection:
    """`[model]`: the kind, and the parts of its `Spec` that the data does not decide."""

    kind: str
    hidden_size: int
    activation: str = "tanh"
    biases: int = 1

    def __post_init__(self) -> None:
        require_choice("model.kind", self.kind, MODELS)
        require_choice("model.activation", self.activation, ACTIVATIONS)
        require_integer("model.hidden_size", self.hidden_size, 1)
        require_integer("model.biases", self.biases, 1, 2)


@dataclass(frozen=True)
class Recipe:
    """`[recipe]`: how it is trained. Weights start as `initial` says; biases start at zero.

    `quick_epochs` is for `--suite quick`; where it is left out, all epochs are run there too.
    """

    epochs: int
    quick_epochs: int | None = None
    optimizer: str = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.9
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    clip: float | None = None
    initial: str = "normal"
    initial_scale: float = 0.01

    def __post_init__(self) -> None:
        require_integer("recipe.epochs", self.epochs, 1)
        if self.quick_epochs is not None:
            require_integer("recipe.quick_epochs", self.quick_epochs, 1)
        require_choice("recipe.optimizer", self.optimizer, STATE_NAMES)
        require_choice("recipe.initial", self.initial, DISTRIBUTIONS)
        for name in ("learning_rate", "epsilon", "initial_scale", "clip"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise CrossfwError(f"recipe.{name} = {value}", "not a positive number", "give a number above 0")

    def optimizer_spec(self) -> OptimizerSpec:
        """What the optimizers take."""
        names = {field.name for field in fields(OptimizerSpec)} - {"name"}
        return OptimizerSpec(name=self.optimizer, **{name: getattr(self, name) for name in names})


@dataclass(frozen=True)
class Generation:
    """`[generate]`: what a trained language model is asked to continue."""

    prefix: str
    count: int = 50
    temperature: float = 1.0


@dataclass(frozen=True)
class Published:
    """`[[published]]`: a number that somebody else measured.

    `quantity` is "training perplexity" or "tokens per second"; `implementation` the one it speaks of.
    """

    quantity: str
    framework: str
    implementation: str
    value: float
    source: str

    def __post_init__(self) -> None:
        require_choice("published.quantity", self.quantity, QUANTITIES)


@dataclass(frozen=True)
class Example:
    """`[[example]]`: outputs that follow from all weights 1 and all biases 0, worked out by hand.

    Outputs are (T, Q), for the inline features of the first sequence; hidden the first states (t, H). They are
    exact to 1e-15, or printed with so many `decimals`.
    """

    activation: str
    outputs: tuple
    framework: str
    source: str
    hidden: tuple = ()
    decimals: int | None = None

    def __post_init__(self) -> None:
        require_choice("example.activation", self.activation, ACTIVATIONS)


@dataclass(frozen=True)
class Task:
    """One experiment, without the implementations that carry it out."""

    name: str
    title: str
    description: str
    model: ModelSection
    data: DataSpec | InlineSpec
    recipe: Recipe | None = None
    generate: Generation | None = None
    published: tuple[Published, ...] = ()
    example: tuple[Example, ...] = ()

    def spec_values(self, input_size: int, output_size: int) -> dict[str, Any]:
        """The fields of the model's `Spec`, with the sizes that the data gave."""
        values = asdict(self.model)
        del values["kind"]
        inputs = "features" if isinstance(self.data, InlineSpec) else "tokens"
        return {**values, "input_size": input_size, "output_size": output_size, "inputs": inputs}


def _fits(value: Any, hint: Any) -> bool:
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if hint in (str, tuple):
        return isinstance(value, {str: str, tuple: list}[hint])
    return any(_fits(value, option) for option in getattr(hint, "__args__", ()) if option is not type(None))


def _wanted(hint: Any) -> str:
    """A type in a user's words."""
    words = {int: "a whole number", float: "a number", str: "a text in quotes", tuple: "a list in [ ]"}
    options = [hint, *getattr(hint, "__args__", ())]
    return next(words[option] for option in options if option in words)


def _freeze(value: Any) -> Any:
    return tuple(_freeze(item) for item in value) if isinstance(value, list) else value


def _read_table(cls: type, table: Any, where: str) -> Any:
    """A dataclass from a TOML table; every unknown, missing or wrongly typed key of it in one error."""
    if not isinstance(table, dict):
        raise CrossfwError(where, f"a {type(table).__name__}", "write it as a table of keys and values")
    hints, known, faults = get_type_hints(cls), {field.name: field for field in fields(cls)}, []
    for key, value in table.items():
        if key not in known:
            faults.append(f"unknown key {key!r}{nearest(key, known)}")
        elif not _fits(value, hints[key]):
            faults.append(f"{key} = {value!r} is a {type(value).__name__}, wanted is {_wanted(hints[key])}")
    for key, field in known.items():
        if field.default is MISSING and key not in table:
            faults.append(f"key {key!r} is missing")
    if faults:
        raise CrossfwError(where, "; ".join(faults), f"the keys are: {', '.join(known)}")
    return cls(**{key: _freeze(value) for key, value in table.items()})


TABLES = {"model": ModelSection, "recipe": Recipe, "generate": Generation}
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
    known = ("title", "description", "data", *TABLES, *LISTS)
    unknown = [f"unknown key {key!r}{nearest(key, known)}" for key in document if key not in known]
    missing = [f"key {key!r} is missing" for key in ("title", "description", "model", "data") if key not in document]
    if unknown or missing:
        raise CrossfwError(asked, "; ".join(unknown + missing), f"the keys are: {', '.join(known)}")
    values: dict[str, Any] = {key: document[key] for key in ("title", "description")}
    for key, cls in TABLES.items():
        if key in document:
            values[key] = _read_table(cls, document[key], f"[{key}] in {path}")
    for key, cls in LISTS.items():
        values[key] = tuple(_read_table(cls, table, f"[[{key}]] in {path}") for table in document.get(key, []))
    data = document["data"]
    inline = isinstance(data, dict) and "features" in data
    values["data"] = _read_table(InlineSpec if inline else DataSpec, _resolve(data, path), f"[data] in {path}")
    return Task(name=path.stem, **values)


def _resolve(data: Any, path: Path) -> Any:
    if isinstance(data, dict) and str(data.get("corpus", "")).endswith(".txt"):
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
            f"use one of {', '.join(task_names())}, or the path of a .toml file",
        )
    return read_task(tasks_folder() / f"{name}.toml")
